//! COSE_Sign1 (RFC 9052) in one encoding, with the headers that all signatures of this project have.
//!
//! ```text
//! 18([ << {1: -8, 4: key id, 15: {1: issuer, 6: issued at}, LABEL: value} >>, {}, payload, signature ])
//! ```
//! Header 15 holds CWT claims (RFC 9597); LABEL is of the range for private use (RFC 9052, 11.1), is
//! another one for each kind of thing that is signed, and so keeps one kind from passing for another.
//! Invariant: there is one sequence of bytes for what is signed; [`Sign1::read`] refuses every other one.

use ciborium::Value;
use coset::iana::EnumI64 as _;
use coset::{CoseSign1, CoseSign1Builder, Header as CoseHeader, TaggedCborSerializable as _, iana};
use thiserror::Error;

use crate::cbor::CborError;
use crate::signer::{KeyId, SignError, Signer, VerifyingKey};

/// The longest of them, in bytes.
pub const LONGEST: usize = 16 * 1024;
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
    cose: CoseSign1,
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
    let cose = CoseSign1Builder::new()
        .protected(protected(signer.verifying_key().id(), claims))
        .payload(payload)
        .try_create_signature(bound.as_bytes(), |bytes| signer.sign(bytes).map(Vec::from))
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

impl Sign1 {
    /// Takes it apart.
    ///
    /// # Errors
    /// Where it is too long, or written in any way but the one.
    pub fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > LONGEST {
            return Err(EnvelopeError::TooLong);
        }
        let cose = CoseSign1::from_tagged_slice(bytes).map_err(|_other| EnvelopeError::Form)?;
        let (key, claims) = headers(&cose).ok_or(EnvelopeError::Form)?;
        let whole =
            cose.unprotected.is_empty() && cose.signature.len() == 64 && cose.payload.is_some();
        if !whole {
            return Err(EnvelopeError::Form);
        }
        let again = Self { key, claims, cose };
        if again.written() == bytes {
            Ok(again)
        } else {
            Err(EnvelopeError::Encoding(CborError::NotDeterministic))
        }
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
        self.cose.payload.as_deref().unwrap_or_default()
    }

    /// Whether this key signed it, bound to these words.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey, bound: &str) -> bool {
        self.cose
            .verify_signature(bound.as_bytes(), |signature, bytes| {
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
        let cose = CoseSign1Builder::new()
            .protected(protected(self.key, self.claims.clone()))
            .payload(self.payload().to_vec())
            .signature(self.cose.signature.clone())
            .build();
        cose.to_tagged_vec().unwrap_or_default()
    }
}

fn protected(key: KeyId, claims: Claims) -> CoseHeader {
    CoseHeader {
        alg: Some(coset::RegisteredLabelWithPrivate::Assigned(
            iana::Algorithm::EdDSA,
        )),
        key_id: key.0.to_vec(),
        rest: vec![
            (
                coset::Label::Int(CLAIMS),
                Value::Map(vec![
                    (Value::from(ISSUER), Value::from(claims.issuer)),
                    (Value::from(ISSUED_AT), Value::from(claims.issued_at)),
                ]),
            ),
            (coset::Label::Int(claims.label), claims.value),
        ],
        ..CoseHeader::default()
    }
}

fn headers(cose: &CoseSign1) -> Option<(KeyId, Claims)> {
    let protected = &cose.protected.header;
    let [
        (coset::Label::Int(CLAIMS), claims),
        (coset::Label::Int(label), value),
    ] = protected.rest.as_slice()
    else {
        return None;
    };
    let [(one, issuer), (six, issued_at)] = claims.as_map()?.as_slice() else {
        return None;
    };
    let labels = *one == Value::from(ISSUER) && *six == Value::from(ISSUED_AT);
    let algorithm = matches!(
        &protected.alg,
        Some(coset::RegisteredLabelWithPrivate::Assigned(algorithm))
            if algorithm.to_i64() == iana::Algorithm::EdDSA.to_i64()
    );
    if !labels || !algorithm {
        return None;
    }
    let key = KeyId(protected.key_id.as_slice().try_into().ok()?);
    let claims = Claims {
        issuer: issuer.as_text()?.to_owned(),
        issued_at: uint(issued_at)?,
        label: *label,
        value: value.clone(),
    };
    Some((key, claims))
}

/// The number that this value is, if it is one of 64 bits and not negative.
pub(crate) fn uint(value: &Value) -> Option<u64> {
    value
        .as_integer()
        .and_then(|integer| u64::try_from(integer).ok())
}
