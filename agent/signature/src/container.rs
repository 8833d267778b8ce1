//! The sealed container: what was shown, what was written, who, where, when; signed by the device.
//!
//! A COSE_Sign1 (RFC 9052 §4.2) with Ed25519 over a statement in deterministic CBOR.
//! `docs/protocol/signature-container.md` has its CDDL and shows how to verify it without us.
//! It seals a pen signature (手書き署名). It is no 電子署名 of the citizen, and nothing calls it so.

mod form;
mod statement;
mod verify;
mod view;

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};

pub use statement::{
    Device, Document, FORMAT, InkPart, LONGEST_TEXT, MOST_DOCUMENTS, MOST_PICTURES, Outcome,
    Picture, Statement, StatementError, Times,
};
pub use verify::{Defect, Evidence, Rejected, Verified, verify};
pub use view::view;

use crate::cbor::{self, Value};

/// The longest container that is read, in bytes.
pub const LONGEST_CONTAINER: usize = crate::inkml::LONGEST_INKML + (1 << 20);

/// What the payload is, in the protected header, so that no other thing that the device's key signs
/// can be taken for a container.
pub const CONTENT_TYPE: &str = "application/prs.madoguchi.pen-signature+cbor";

/// COSE_Sign1 (RFC 9052 §2).
const TAG_SIGN1: u64 = 18;

/// Header labels: algorithm, content type, key id (RFC 9052 §3.1).
const LABELS: [u64; 3] = [1, 3, 4];

/// EdDSA (RFC 9053 §2.2), stored as -1 minus this.
const EDDSA: u64 = 7;

/// The agent's device key, which never leaves its owner.
pub trait Signer: Send + fmt::Debug {
    /// Which key it is: [`key_id`] of the public key.
    fn key_id(&self) -> [u8; 32];

    /// Ed25519 over `message`.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

impl Signer for Ed25519KeyPair {
    fn key_id(&self) -> [u8; 32] {
        key_id(&copied(self.public_key().as_ref()))
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        copied(Self::sign(self, message).as_ref())
    }
}

/// The COSE Key Thumbprint (RFC 9679) of an Ed25519 public key.
#[must_use]
pub fn key_id(public_key: &[u8; 32]) -> [u8; 32] {
    let key = Value::Map(vec![
        (Value::Uint(1), Value::Uint(1)),
        (Value::integer(-1), Value::Uint(6)),
        (Value::integer(-2), Value::Bytes(public_key.to_vec())),
    ]);
    sha256(&cbor::write(&key))
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    copied(digest(&SHA256, bytes).as_ref())
}

/// Seals a statement: the same statement and key always give the same bytes.
///
/// # Errors
/// Where the statement has a text that is empty, too long or not plain, or too many parts.
pub fn seal(statement: &Statement, signer: &dyn Signer) -> Result<Vec<u8>, StatementError> {
    statement.check()?;
    let protected = protected(&signer.key_id());
    let payload = cbor::write(&statement.to_value());
    let signature = signer.sign(&to_be_signed(&protected, &payload));
    let container = Value::Tag(
        TAG_SIGN1,
        Box::new(Value::Array(vec![
            Value::Bytes(protected),
            Value::Map(Vec::new()),
            Value::Bytes(payload),
            Value::Bytes(signature.to_vec()),
        ])),
    );
    Ok(cbor::write(&container))
}

fn protected(key_id: &[u8; 32]) -> Vec<u8> {
    let values = [
        Value::Negative(EDDSA),
        Value::text(CONTENT_TYPE),
        Value::Bytes(key_id.to_vec()),
    ];
    let entries = LABELS.map(Value::Uint).into_iter().zip(values).collect();
    cbor::write(&Value::Map(entries))
}

/// The Sig_structure (RFC 9052 §4.4), without external data.
fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    cbor::write(&Value::Array(vec![
        Value::text("Signature1"),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(Vec::new()),
        Value::Bytes(payload.to_vec()),
    ]))
}

/// Bytes of a length that the algorithm fixes.
fn copied<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut copy = [0; N];
    for (to, from) in copy.iter_mut().zip(bytes) {
        *to = *from;
    }
    copy
}

#[cfg(test)]
mod tests;
