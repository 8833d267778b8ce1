//! What devices are told: how far the monitor has everything.
//!
//! An acknowledgement is sealed after the commit of what it covers, by the monitor's own key, and numbered
//! in the lane of state under an epoch that grows with every start of the monitor.
//! A device is told at most once in an interval, but at once when it has connected.
//! Marks pass over what a device dropped, and over what is lost and was told to an operator.

use std::fmt;
use std::time::Duration;

use device_api::{Clock, Moment};
use telemetry::cbor;
use telemetry::down::{Ack, Mark};
use telemetry::envelope::{SealError, Stamp, seal};
use telemetry::message::machine::TimeQuality;
use telemetry::name::Label;
use telemetry::topic::DownKind;
use telemetry::{DownTopic, Lane, Signer, VerifyingKey};

use crate::watch::Watched;

/// The most marks in one acknowledgement, so that it fits an envelope.
const MOST_MARKS: usize = 300;

/// The monitor's voice.
pub struct Voice {
    signer: Box<dyn Signer>,
    monitor: Label,
    epoch: u64,
    numbers: u64,
}

/// How acknowledgements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// The least time between two for one device.
    pub interval: Duration,
    /// The most messages a second that a device may send of what it kept.
    pub per_second: Option<u32>,
}

/// Something to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where.
    pub topic: String,
    /// What.
    pub bytes: Vec<u8>,
}

impl Voice {
    /// A voice that has not spoken in this epoch.
    #[must_use]
    pub const fn new(signer: Box<dyn Signer>, monitor: Label, epoch: u64) -> Self {
        Self {
            signer,
            monitor,
            epoch,
            numbers: 0,
        }
    }

    /// Tells a device how far everything is there, and which key may follow; none where it is too early.
    ///
    /// # Errors
    /// Where the key cannot be used; the device is told later.
    pub fn tell(
        &mut self,
        (device, next_key): (&mut Watched, Option<VerifyingKey>),
        manner: Manner,
        clock: &dyn Clock,
    ) -> Result<Vec<Outgoing>, SealError> {
        let now = clock.now();
        if !is_time(device, manner.interval, now) {
            return Ok(Vec::new());
        }
        let marks: Vec<Mark> = device
            .marks()
            .map(|(epoch, lane, through)| Mark {
                epoch,
                lane,
                through,
            })
            .collect();
        let mut parts: Vec<&[Mark]> = marks.chunks(MOST_MARKS).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        let last = parts.len();
        let topic = DownTopic {
            to: device.name.clone(),
            kind: DownKind::Ack,
        }
        .to_string();
        let mut sealed = Vec::new();
        for (at, part) in parts.into_iter().enumerate() {
            let ack = Ack {
                monitor: self.monitor.clone(),
                marks: part.to_vec(),
                resend: device.ack.resend && at + 1 == last,
                per_second: manner.per_second,
                next_key,
                time: clock.unix_millis() / 1000,
            };
            sealed.push(self.seal(&topic, &ack, now, clock)?);
        }
        device.ack.due = false;
        device.ack.at_once = false;
        device.ack.resend = false;
        device.ack.sent = Some(now);
        Ok(sealed)
    }

    fn seal(
        &mut self,
        topic: &str,
        ack: &Ack,
        now: Moment,
        clock: &dyn Clock,
    ) -> Result<Outgoing, SealError> {
        self.numbers += 1;
        let stamp = Stamp {
            epoch: self.epoch,
            lane: Lane::State,
            number: self.numbers,
            monotonic_millis: u64::try_from(now.since_origin().as_millis()).unwrap_or(u64::MAX),
            issued_at: clock.unix_millis() / 1000,
            quality: TimeQuality::Free,
        };
        let issuer = format!("urn:madoguchi:{}", self.monitor);
        let payload = cbor::encode(ack).map_err(SealError::Encoding)?;
        let bytes = seal(self.signer.as_ref(), &issuer, stamp, topic, payload)?;
        Ok(Outgoing {
            topic: topic.to_owned(),
            bytes,
        })
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Voice({} in epoch {})", self.monitor, self.epoch)
    }
}

fn is_time(device: &Watched, interval: Duration, now: Moment) -> bool {
    let rested = device
        .ack
        .sent
        .is_none_or(|sent| now.since(sent) >= interval);
    device.ack.due && (device.ack.at_once || rested)
}
