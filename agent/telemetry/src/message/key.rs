//! Which key follows the one that signs.
//!
//! The statement travels like any other message, so the key in force signs it, and whoever has one key can
//! follow the chain to the next.
//! It holds a proof by the next key, so that nobody can state a key that another device has made.

use serde::{Deserialize, Serialize};

use super::outcome::Bytes;
use crate::cbor::{self, CborError};
use crate::signer::{SignError, Signer, VerifyingKey};

/// What the proof begins with, so that it can be taken for nothing else that a key signs.
const PURPOSE: &str = "NextKey1";

/// The next key of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyStatement {
    /// The key.
    pub key: VerifyingKey,
    /// That whoever states it has it.
    pub proof: KeyProof,
}

/// The next key's signature over the device's name, the key in force and itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bytes", into = "Bytes")]
pub struct KeyProof([u8; 64]);

/// Bytes that are as many as no signature has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature has 64 bytes")]
pub struct NoSignature;

impl KeyStatement {
    /// States `next` as the key of `issuer` that follows `current`.
    ///
    /// # Errors
    /// Where the next key cannot be used.
    pub fn new(next: &dyn Signer, issuer: &str, current: &VerifyingKey) -> Result<Self, SignError> {
        let key = next.verifying_key();
        let proved = proved(issuer, current, &key).map_err(|_never| SignError::Unavailable)?;
        let proof = KeyProof(next.sign(&proved)?);
        Ok(Self { key, proof })
    }

    /// Whether whoever has the next key agreed to follow `current` as the key of `issuer`.
    #[must_use]
    pub fn is_proved(&self, issuer: &str, current: &VerifyingKey) -> bool {
        let KeyProof(proof) = &self.proof;
        proved(issuer, current, &self.key).is_ok_and(|bytes| self.key.verifies(&bytes, proof))
    }
}

/// What the next key signs: `["NextKey1", issuer, key in force, next key]`.
fn proved(issuer: &str, current: &VerifyingKey, next: &VerifyingKey) -> Result<Vec<u8>, CborError> {
    cbor::encode(&(PURPOSE, issuer, current, next))
}

impl TryFrom<Bytes> for KeyProof {
    type Error = NoSignature;

    fn try_from(Bytes(bytes): Bytes) -> Result<Self, NoSignature> {
        let bytes = bytes.try_into().map_err(|_of_another_length| NoSignature)?;
        Ok(Self(bytes))
    }
}

impl From<KeyProof> for Bytes {
    fn from(KeyProof(bytes): KeyProof) -> Self {
        Self(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::SoftwareSigner;

    #[test]
    fn a_statement_is_proved_for_one_device_and_one_succession() {
        let [old, next, other] =
            [1, 2, 3].map(|seed| SoftwareSigner::from_seed(&[seed; 32]).unwrap());
        let (old_key, other_key) = (old.verifying_key(), other.verifying_key());
        let statement = KeyStatement::new(&next, "urn:madoguchi:t:d", &old_key).unwrap();
        assert!(statement.is_proved("urn:madoguchi:t:d", &old_key));
        assert!(!statement.is_proved("urn:madoguchi:t:e", &old_key));
        assert!(!statement.is_proved("urn:madoguchi:t:d", &other_key));
        let stolen = KeyStatement {
            key: other_key,
            ..statement
        };
        assert!(!stolen.is_proved("urn:madoguchi:t:d", &old_key));
    }

    #[test]
    fn keys_and_proofs_of_another_length_are_refused() {
        for length in [0, 31, 33, 63, 65] {
            let bytes = Bytes(vec![7; length]);
            assert_eq!(KeyProof::try_from(bytes.clone()), Err(NoSignature));
            assert_eq!(VerifyingKey::try_from(bytes), Err(SignError::NotThirtyTwo));
        }
    }
}
