//! COSE_Sign1 (RFC 9052) in one encoding, with the headers that all signatures of this project have.
//!
//! ```text
//! 18([ << {1: -8, 4: key id, 15: {1: issuer, 6: issued at}, LABEL: value} >>, {}, payload, signature ])
//! ```
//! Header 15 holds CWT claims (RFC 9597); LABEL is of the range for private use (RFC 9052, 11.1), is
//! another one for each kind of thing that is signed, and so keeps one kind from passing for another.
//! Invariant: there is one sequence of bytes for what is signed; [`Sign1::read`] refuses every other one.

use ciborium::Value;
use thiserror::Error;

use crate::cbor::strict::Major;
use crate::cbor::{self, CborError};
use crate::signer::{KeyId, SignError, Signer, VerifyingKey};

mod reading;

/// The longest of them, in bytes.
pub const LONGEST: usize = 16 * 1024;
/// The tag of a COSE_Sign1 (RFC 9052, section 2).
const TAG: u64 = 18;
/// Which algorithm signed (RFC 9052, section 3.1), and EdDSA's number (RFC 9053, section 2.2).
const ALGORITHM: i64 = 1;
const EDDSA: i64 = -8;
/// Which key signed (RFC 9052, section 3.1).
const KEY: i64 = 4;
/// Claims in a header (RFC 9597).
const CLAIMS: i64 = 15;
/// Who signed (RFC 8392).
const ISSUER: i64 = 1;
/// When, in seconds since 1970 (RFC 8392).
const ISSUED_AT: i64 = 6;

/// Bytes that are nothing signed of this project.
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

/// What a signer says of itself, and the one header that is particular to a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// Who signed, by its own word; the key proves it.
    pub issuer: String,
    /// When, in seconds since 1970.
    pub issued_at: u64,
    /// The label of the kind.
    pub label: i64,
    /// What stands under it; it must be written as deterministic CBOR is.
    pub value: Value,
}

/// Something signed that was taken apart and is well formed; nothing in it is proved before
/// [`Sign1::is_signed_by`].
#[derive(Debug, Clone)]
pub struct Sign1 {
    key: KeyId,
    claims: Claims,
    protected: Vec<u8>,
    payload: Vec<u8>,
    signature: [u8; 64],
}

/// Signs a payload; `bound` is signed too and does not travel with it.
///
/// # Errors
/// Each of [`SealError`]; nothing is signed then that could be sent.
pub fn sign(
    signer: &dyn Signer,
    claims: Claims,
    bound: &str,
    payload: Vec<u8>,
) -> Result<Vec<u8>, SealError> {
    let protected = headers(signer.verifying_key().id(), claims).map_err(SealError::Encoding)?;
    let signature = signer
        .sign(&covered(&protected, bound, &payload))
        .map_err(SealError::Key)?;
    let parts = vec![
        Value::Bytes(protected),
        Value::Map(Vec::new()),
        Value::Bytes(payload),
        Value::Bytes(signature.to_vec()),
    ];
    let whole = Value::Tag(TAG, Box::new(Value::Array(parts)));
    let bytes = cbor::write(&whole).map_err(SealError::Encoding)?;
    if bytes.len() > LONGEST {
        return Err(SealError::TooLong);
    }
    Ok(bytes)
}

impl Sign1 {
    /// Takes it apart.
    ///
    /// # Errors
    /// Where it is too long, or written in any way but the one.
    pub fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > LONGEST {
            return Err(EnvelopeError::TooLong);
        }
        reading::read(bytes)
    }

    /// Which key signed, by its own word.
    #[must_use]
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// What it says of itself.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// What it carries.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether this key signed it, bound to these words.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey, bound: &str) -> bool {
        let covered = covered(&self.protected, bound, &self.payload);
        key.verifies(&covered, &self.signature)
    }
}

/// What a signature covers: the Sig_structure of RFC 9052, section 4.4.
fn covered(protected: &[u8], bound: &str, payload: &[u8]) -> Vec<u8> {
    const CONTEXT: &str = "Signature1";
    let mut bytes = Vec::with_capacity(32 + protected.len() + bound.len() + payload.len());
    cbor::head(&mut bytes, Major::Array, 4);
    cbor::head(&mut bytes, Major::Text, CONTEXT.len());
    bytes.extend_from_slice(CONTEXT.as_bytes());
    for part in [protected, bound.as_bytes(), payload] {
        cbor::head(&mut bytes, Major::Bytes, part.len());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The protected headers, in the order of their labels.
fn headers(key: KeyId, claims: Claims) -> Result<Vec<u8>, CborError> {
    let label = Value::from;
    let said = Value::Map(vec![
        (label(ISSUER), Value::from(claims.issuer)),
        (label(ISSUED_AT), Value::from(claims.issued_at)),
    ]);
    cbor::write(&Value::Map(vec![
        (label(ALGORITHM), Value::from(EDDSA)),
        (label(KEY), Value::Bytes(key.0.to_vec())),
        (label(CLAIMS), said),
        (label(claims.label), claims.value),
    ]))
}

/// The number that this value is, if it is one of 64 bits and not negative.
pub(crate) fn uint(value: &Value) -> Option<u64> {
    value
        .as_integer()
        .and_then(|integer| u64::try_from(integer).ok())
}
