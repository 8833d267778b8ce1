//! From bytes at a topic to a message that is proved, the cheap checks first.
//!
//! ```text
//! length -> topic -> form -> issuer, lane, key -> (number: the ledger's) -> signature -> payload
//! ```
//! A signature costs more than all the rest together, so nobody gets one checked for bytes that fail
//! elsewhere (TEL-015).
//! Nothing that [`open`] returns is proved; only what [`prove`] returns is.

use telemetry::envelope::{Envelope, EnvelopeError, LONGEST};
use telemetry::message::Message;
use telemetry::topic::UpTopic;
use telemetry::{Class, KeyId};

use crate::alarm::{Alarm, AlarmKind};
use crate::ledger::GREATEST;
use crate::registry::{DeviceKey, Registered, Registry};

/// Bytes that are well formed, at a topic where such bytes may come.
#[derive(Debug)]
pub struct Opened<'a> {
    /// Whose topic it is.
    pub device: &'a Registered,
    /// What is said.
    pub class: Class,
    /// The envelope.
    pub envelope: Envelope,
    /// The key that it names, which counts in its epoch.
    pub key: &'a DeviceKey,
    topic: &'a str,
}

/// What failed a check.
#[derive(Debug)]
pub struct Refused<'a> {
    /// Whose topic it was, where that is known.
    pub device: Option<&'a Registered>,
    /// What is wrong.
    pub alarm: Alarm,
}

/// Takes apart what arrived, without proof.
///
/// # Errors
/// [`Refused`], with the first check that failed.
pub fn open<'a>(
    registry: &'a Registry,
    topic: &'a str,
    bytes: &[u8],
) -> Result<Opened<'a>, Refused<'a>> {
    let Some(addressed) = registry.addressed(topic) else {
        return Err(Refused {
            device: None,
            alarm: unaddressed(topic, bytes),
        });
    };
    let (device, class) = (addressed.device, addressed.class);
    let refused = |alarm| Refused {
        device: Some(device),
        alarm,
    };
    if bytes.len() > LONGEST {
        return Err(refused(too_long(bytes)));
    }
    let envelope = Envelope::read(bytes).map_err(|error| {
        refused(match error {
            EnvelopeError::TooLong => too_long(bytes),
            EnvelopeError::Encoding(_) | EnvelopeError::Form => {
                Alarm::new(AlarmKind::Malformed, error.to_string())
            }
        })
    })?;
    let key = fitting_key(registry, device, class, &envelope).map_err(refused)?;
    Ok(Opened {
        device,
        class,
        envelope,
        key,
        topic,
    })
}

/// Checks the signature and reads the payload.
///
/// # Errors
/// [`AlarmKind::Forged`], and [`AlarmKind::Malformed`] for a payload that its class does not promise.
pub fn prove(opened: &Opened<'_>) -> Result<Message, Alarm> {
    if !opened.envelope.is_signed_by(&opened.key.key, opened.topic) {
        // Nothing that such a message says of itself is repeated: anybody could have written it.
        let text = "the signature is not of the key that the message names";
        return Err(Alarm::new(AlarmKind::Forged, text));
    }
    let stamp = opened.envelope.header().stamp;
    Message::decode(opened.class, opened.envelope.payload()).map_err(|error| {
        Alarm::new(AlarmKind::Malformed, format!("payload: {error}")).about(
            stamp.epoch,
            stamp.lane,
            stamp.number,
        )
    })
}

/// The key with which this device may have signed this.
fn fitting_key<'a>(
    registry: &Registry,
    device: &'a Registered,
    class: Class,
    envelope: &Envelope,
) -> Result<&'a DeviceKey, Alarm> {
    let header = envelope.header();
    let stamp = header.stamp;
    if stamp.epoch > GREATEST || stamp.number > GREATEST {
        let text = "its epoch or number is greater than any that is kept";
        return Err(Alarm::new(AlarmKind::Malformed, text));
    }
    let wrong_topic = |text: &str| Alarm::new(AlarmKind::WrongTopic, text);
    if header.issuer != device.urn {
        return Err(wrong_topic("it names another device than its topic"));
    }
    if stamp.lane != class.lane() {
        return Err(wrong_topic(
            "it is numbered in another lane than its topic's",
        ));
    }
    match device.keys.iter().find(|key| key.id == header.key) {
        Some(key) if key.counts_in(stamp.epoch) => Ok(key),
        Some(key) => Err(not_then(key.id, stamp.epoch)),
        None => Err(match registry.owner(header.key) {
            Some(owner) => wrong_topic(&format!("its key is that of {}", owner.name)),
            None => Alarm::new(
                AlarmKind::UnknownKey,
                format!("key {} is not registered", header.key),
            ),
        }),
    }
}

/// A key of the device that does not count in this epoch.
pub(crate) fn not_then(key: KeyId, epoch: u64) -> Alarm {
    let text = format!("key {key} does not count in epoch {epoch}");
    Alarm::new(AlarmKind::UnknownKey, text)
}

/// What is wrong with a topic that is of no known device.
fn unaddressed(topic: &str, bytes: &[u8]) -> Alarm {
    if bytes.len() > LONGEST {
        return too_long(bytes);
    }
    match topic.parse::<UpTopic>() {
        Ok(up) => Alarm::new(
            AlarmKind::UnknownDevice,
            format!("{} is not registered", up.from),
        ),
        Err(error) => Alarm::new(AlarmKind::Malformed, error.to_string()),
    }
}

fn too_long(bytes: &[u8]) -> Alarm {
    Alarm::new(
        AlarmKind::TooLong,
        format!("{} bytes; {LONGEST} are allowed", bytes.len()),
    )
}
