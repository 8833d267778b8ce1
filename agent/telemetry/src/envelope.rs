//! COSE_Sign1 (RFC 9052) around a payload, bound to its topic.
//!
//! ```text
//! 18([ << {1: -8, 4: key id, 15: {1: issuer, 6: issued at}, -65537: [1, epoch, lane, number, monotonic, quality]} >>,
//!      {}, payload, signature ])          external data: the bytes of the topic
//! ```
//! The form is [`crate::sign1`]'s; the stamp is what makes it a message of telemetry.
//! Invariant: there is one sequence of bytes for an envelope; [`Envelope::read`] refuses every other one.
//! The signature is checked last, because it costs more than all the rest.

use ciborium::Value;

use crate::lane::Lane;
use crate::message::machine::TimeQuality;
use crate::sign1::{self, Claims, Sign1, uint};
use crate::signer::{KeyId, Signer, VerifyingKey};

pub use crate::sign1::{EnvelopeError, LONGEST, SealError};

/// The version of the stamp.
const VERSION: u64 = 1;
/// The label of the stamp, in the range for private use.
const STAMP: i64 = -65_537;

/// What makes a message one of a kind, and says when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Which life of the device's counters; it grows with every start.
    pub epoch: u64,
    /// The lane in which it is numbered.
    pub lane: Lane,
    /// Its number in epoch and lane, from 1.
    pub number: u64,
    /// Milliseconds of monotonic time since the agent was started.
    pub monotonic_millis: u64,
    /// Wall-clock time, in seconds since 1970.
    pub issued_at: u64,
    /// How good the wall clock was.
    pub quality: TimeQuality,
}

/// What an envelope says besides its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Which key signed.
    pub key: KeyId,
    /// Who signed, by its own word; the key proves it.
    pub issuer: String,
    /// Which message it is.
    pub stamp: Stamp,
}

/// A signed payload that was taken apart and is well formed; nothing in it is proved before
/// [`Envelope::is_signed_by`].
#[derive(Debug, Clone)]
pub struct Envelope {
    header: Header,
    signed: Sign1,
}

/// Seals a payload for a topic.
///
/// # Errors
/// Each of [`SealError`]; nothing is signed then that could be sent.
pub fn seal(
    signer: &dyn Signer,
    issuer: &str,
    stamp: Stamp,
    topic: &str,
    payload: Vec<u8>,
) -> Result<Vec<u8>, SealError> {
    let claims = Claims {
        issuer: issuer.to_owned(),
        issued_at: stamp.issued_at,
        label: STAMP,
        value: written(stamp),
    };
    sign1::sign(signer, claims, topic, payload)
}

impl Envelope {
    /// Takes an envelope apart.
    ///
    /// # Errors
    /// Where it is too long, or written in any way but the one.
    pub fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let signed = Sign1::read(bytes)?;
        let header = header(&signed).ok_or(EnvelopeError::Form)?;
        Ok(Self { header, signed })
    }

    /// What it says of itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What it carries.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.signed.payload()
    }

    /// Whether this key signed it, for this topic.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey, topic: &str) -> bool {
        self.signed.is_signed_by(key, topic)
    }
}

fn written(stamp: Stamp) -> Value {
    let int = |value: u64| Value::from(value);
    Value::Array(vec![
        int(VERSION),
        int(stamp.epoch),
        Value::from(stamp.lane.code()),
        int(stamp.number),
        int(stamp.monotonic_millis),
        int(quality_code(stamp.quality)),
    ])
}

fn header(signed: &Sign1) -> Option<Header> {
    let claims = signed.claims();
    let [version, epoch, lane, number, monotonic, quality] = claims.value.as_array()?.as_slice()
    else {
        return None;
    };
    let number = uint(number)?;
    if claims.label != STAMP || uint(version)? != VERSION || number == 0 {
        return None;
    }
    Some(Header {
        key: signed.key(),
        issuer: claims.issuer.clone(),
        stamp: Stamp {
            epoch: uint(epoch)?,
            lane: Lane::of_code(lane.as_text()?)?,
            number,
            monotonic_millis: uint(monotonic)?,
            issued_at: claims.issued_at,
            quality: quality_of(uint(quality)?)?,
        },
    })
}

const fn quality_code(quality: TimeQuality) -> u64 {
    match quality {
        TimeQuality::Synchronised => 0,
        TimeQuality::Free => 1,
        TimeQuality::Floor => 2,
    }
}

const fn quality_of(code: u64) -> Option<TimeQuality> {
    match code {
        0 => Some(TimeQuality::Synchronised),
        1 => Some(TimeQuality::Free),
        2 => Some(TimeQuality::Floor),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
