//! Keys that sign, and keys that verify: Ed25519 (RFC 8032), by `ring`.
//!
//! A [`Signer`] is a trait so that the key can move into a process of its own, or into hardware, without a
//! change to what is signed.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::message::outcome::Bytes;

/// The first eight bytes of the SHA-256 of the public key: which key signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

/// Signs for one agent, monitor or person.
pub trait Signer: Send + fmt::Debug {
    /// The key that verifies.
    fn verifying_key(&self) -> VerifyingKey;

    /// The signature of these bytes.
    ///
    /// # Errors
    /// Where the key cannot be used now; nothing was signed then.
    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SignError>;
}

/// The key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignError {
    /// It does not answer.
    #[error("the key does not answer")]
    Unavailable,
    /// What was given is no Ed25519 key in PKCS #8.
    #[error("not an Ed25519 key in PKCS #8")]
    NoKey,
    /// What was given is no public key.
    #[error("a public key has 32 bytes")]
    NotThirtyTwo,
}

/// A public key; in messages it is its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bytes", into = "Bytes")]
pub struct VerifyingKey([u8; 32]);

/// A key in this process' memory.
pub struct SoftwareSigner {
    key: Ed25519KeyPair,
}

impl VerifyingKey {
    /// The key of these 32 bytes; whether they are a point of the curve shows at the first verification.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key in hexadecimal.
    ///
    /// # Errors
    /// Where the text is not 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, SignError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_of_whatever_kind| SignError::NoKey)?;
        Ok(Self(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.0);
        let mut id = [0; 8];
        id.iter_mut()
            .zip(digest.as_ref())
            .for_each(|(to, from)| *to = *from);
        KeyId(id)
    }

    /// Whether this key signed these bytes.
    #[must_use]
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(bytes, signature)
            .is_ok()
    }
}

impl SoftwareSigner {
    /// The key in this PKCS #8 document.
    ///
    /// # Errors
    /// Where it holds none.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, SignError> {
        let key = Ed25519KeyPair::from_pkcs8(document).map_err(|_rejected| SignError::NoKey)?;
        Ok(Self { key })
    }

    /// A new key, as a PKCS #8 document to keep.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn generate() -> Result<Vec<u8>, SignError> {
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map(|document| document.as_ref().to_vec())
            .map_err(|_no_randomness| SignError::Unavailable)
    }

    /// The key of this 32-byte seed, for simulated fleets and tests.
    ///
    /// # Errors
    /// Never, in practice: every 32 bytes are a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SignError> {
        let key =
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_rejected| SignError::NoKey)?;
        Ok(Self { key })
    }
}

impl TryFrom<Bytes> for VerifyingKey {
    type Error = SignError;

    fn try_from(Bytes(bytes): Bytes) -> Result<Self, SignError> {
        let bytes = bytes
            .try_into()
            .map_err(|_of_another_length| SignError::NotThirtyTwo)?;
        Ok(Self(bytes))
    }
}

impl From<VerifyingKey> for Bytes {
    fn from(VerifyingKey(bytes): VerifyingKey) -> Self {
        Self(bytes.to_vec())
    }
}

impl Signer for SoftwareSigner {
    fn verifying_key(&self) -> VerifyingKey {
        let mut bytes = [0; 32];
        bytes
            .iter_mut()
            .zip(self.key.public_key().as_ref())
            .for_each(|(to, from)| *to = *from);
        VerifyingKey(bytes)
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SignError> {
        let signature = self.key.sign(bytes);
        signature
            .as_ref()
            .try_into()
            .map_err(|_of_another_length| SignError::Unavailable)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", hex::encode(self.0))
    }
}

impl fmt::Debug for SoftwareSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareSigner({})", self.verifying_key().id())
    }
}
