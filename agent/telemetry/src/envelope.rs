//! COSE_Sign1 (RFC 9052) around a payload, bound to its topic.
//!
//! ```text
//! 18([ << {1: -8, 4: key id, 15: {1: issuer, 6: issued at}, -65537: [1, epoch, lane, number, monotonic, quality]} >>,
//!      {}, payload, signature ])          external data: the bytes of the topic
//! ```
//! Header 15 holds CWT claims (RFC 9597), -65537 stands in the range for private use (RFC 9052, 11.1).
//! Invariant: there is one sequence of bytes for an envelope; [`Envelope::read`] refuses every other one.
//! The signature is checked last, because it costs more than all the rest.

use ciborium::Value;
use coset::iana::EnumI64 as _;
use coset::{CoseSign1, CoseSign1Builder, Header as CoseHeader, TaggedCborSerializable as _, iana};
use thiserror::Error;

use crate::cbor::CborError;
use crate::lane::Lane;
use crate::message::machine::TimeQuality;
use crate::signer::{KeyId, SignError, Signer, VerifyingKey};

/// The longest envelope, in bytes.
pub const LONGEST: usize = 16 * 1024;
/// The version of the stamp.
const VERSION: u64 = 1;
/// The label of the stamp, in the range for private use.
const STAMP: i64 = -65_537;
/// Claims in a header (RFC 9597).
const CLAIMS: i64 = 15;
/// Who signed (RFC 8392).
const ISSUER: i64 = 1;
/// When, in seconds since 1970 (RFC 8392).
const ISSUED_AT: i64 = 6;

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
    cose: CoseSign1,
}

/// Bytes that are no envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// They are longer than [`LONGEST`].
    #[error("the envelope is too long")]
    TooLong,
    /// They are not deterministic CBOR.
    #[error("the envelope is not written in the one way")]
    Encoding(#[source] CborError),
    /// They are no tagged COSE_Sign1 with exactly the headers of this protocol.
    #[error("the envelope is no COSE_Sign1 of this protocol")]
    Form,
}

/// An envelope could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// The key cannot be used.
    #[error("the key cannot be used")]
    Key(#[source] SignError),
    /// The message is longer than an envelope may be.
    #[error("the message is too long for an envelope")]
    TooLong,
    /// The message cannot be written.
    #[error("the message cannot be written")]
    Encoding(#[source] CborError),
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
    let protected = protected(signer.verifying_key().id(), issuer, stamp);
    let cose = CoseSign1Builder::new()
        .protected(protected)
        .payload(payload)
        .try_create_signature(topic.as_bytes(), |bytes| signer.sign(bytes).map(Vec::from))
        .map_err(SealError::Key)?
        .build();
    let bytes = cose
        .to_tagged_vec()
        .map_err(|_unwritable| SealError::Encoding(CborError::Schema))?;
    if bytes.len() > LONGEST {
        return Err(SealError::TooLong);
    }
    Ok(bytes)
}

impl Envelope {
    /// Takes an envelope apart.
    ///
    /// # Errors
    /// Where it is too long, or written in any way but the one.
    pub fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > LONGEST {
            return Err(EnvelopeError::TooLong);
        }
        let cose = CoseSign1::from_tagged_slice(bytes).map_err(|_other| EnvelopeError::Form)?;
        let header = header(&cose).ok_or(EnvelopeError::Form)?;
        let whole =
            cose.unprotected.is_empty() && cose.signature.len() == 64 && cose.payload.is_some();
        if !whole {
            return Err(EnvelopeError::Form);
        }
        let again = Self { header, cose };
        if again.written() == bytes {
            Ok(again)
        } else {
            Err(EnvelopeError::Encoding(CborError::NotDeterministic))
        }
    }

    /// What it says of itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What it carries.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.cose.payload.as_deref().unwrap_or_default()
    }

    /// Whether this key signed it, for this topic.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey, topic: &str) -> bool {
        self.cose
            .verify_signature(topic.as_bytes(), |signature, bytes| {
                if key.verifies(bytes, signature) {
                    Ok(())
                } else {
                    Err(())
                }
            })
            .is_ok()
    }

    /// The one way to write it, from what was understood and not from what was read.
    fn written(&self) -> Vec<u8> {
        let header = &self.header;
        let protected = protected(header.key, &header.issuer, header.stamp);
        let cose = CoseSign1Builder::new()
            .protected(protected)
            .payload(self.payload().to_vec())
            .signature(self.cose.signature.clone())
            .build();
        cose.to_tagged_vec().unwrap_or_default()
    }
}

fn protected(key: KeyId, issuer: &str, stamp: Stamp) -> CoseHeader {
    let int = |value: u64| Value::from(value);
    CoseHeader {
        alg: Some(coset::RegisteredLabelWithPrivate::Assigned(
            iana::Algorithm::EdDSA,
        )),
        key_id: key.0.to_vec(),
        rest: vec![
            (
                coset::Label::Int(CLAIMS),
                Value::Map(vec![
                    (Value::from(ISSUER), Value::from(issuer)),
                    (Value::from(ISSUED_AT), int(stamp.issued_at)),
                ]),
            ),
            (
                coset::Label::Int(STAMP),
                Value::Array(vec![
                    int(VERSION),
                    int(stamp.epoch),
                    Value::from(stamp.lane.code()),
                    int(stamp.number),
                    int(stamp.monotonic_millis),
                    int(quality_code(stamp.quality)),
                ]),
            ),
        ],
        ..CoseHeader::default()
    }
}

fn header(cose: &CoseSign1) -> Option<Header> {
    let protected = &cose.protected.header;
    let [
        (coset::Label::Int(CLAIMS), claims),
        (coset::Label::Int(STAMP), stamp),
    ] = protected.rest.as_slice()
    else {
        return None;
    };
    let [(one, issuer), (six, issued_at)] = claims.as_map()?.as_slice() else {
        return None;
    };
    let [version, epoch, lane, number, monotonic, quality] = stamp.as_array()?.as_slice() else {
        return None;
    };
    let labels = *one == Value::from(ISSUER) && *six == Value::from(ISSUED_AT);
    let version = uint(version)? == VERSION;
    let algorithm = matches!(
        &protected.alg,
        Some(coset::RegisteredLabelWithPrivate::Assigned(algorithm))
            if algorithm.to_i64() == iana::Algorithm::EdDSA.to_i64()
    );
    let number = uint(number)?;
    if !labels || !version || !algorithm || number == 0 {
        return None;
    }
    Some(Header {
        key: KeyId(protected.key_id.as_slice().try_into().ok()?),
        issuer: issuer.as_text()?.to_owned(),
        stamp: Stamp {
            epoch: uint(epoch)?,
            lane: Lane::of_code(lane.as_text()?)?,
            number,
            monotonic_millis: uint(monotonic)?,
            issued_at: uint(issued_at)?,
            quality: quality_of(uint(quality)?)?,
        },
    })
}

fn uint(value: &Value) -> Option<u64> {
    value
        .as_integer()
        .and_then(|integer| u64::try_from(integer).ok())
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
