//! Card-verifiable certificates and the RSA keys in them.
//!
//! ```text
//! 7F21 {
//!   5F4E { issuer key id (16 bytes), subject key id (16 bytes), public key (265 bytes) }
//!   5F37 signature: RSA PKCS#1 v1.5 with SHA-256 by the issuer over the value of 5F4E
//! }
//! public key = 90 { exponent } 91 { modulus }
//! ```
//!
//! Facts: measurements published with the open-source crate myna-card 3.3.4, checked against its dump of a
//! test card.

use std::fmt;

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use crate::tlv::ber;

/// Sixteen bytes that name a key.
pub(crate) type KeyId = [u8; 16];

/// An RSA public key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKey {
    pub(crate) const fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Self {
        Self { modulus, exponent }
    }

    /// Reads exponent and modulus and nothing behind them.
    pub(crate) fn parse(input: &[u8]) -> Option<Self> {
        let (exponent, rest) = ber::split(input).ok()?;
        let (modulus, rest) = ber::split(rest).ok()?;
        let whole = exponent.tag == 0x90 && modulus.tag == 0x91 && rest.is_empty();
        whole.then(|| Self::new(modulus.value.to_vec(), exponent.value.to_vec()))
    }

    /// Whether `signature` is this key's over `message`. A key that is too weak or none verifies nothing.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        RsaPublicKeyComponents {
            n: self.modulus.as_slice(),
            e: self.exponent.as_slice(),
        }
        .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
        .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

/// A certificate, not verified yet.
#[derive(Debug)]
pub(crate) struct CvCertificate {
    pub(crate) issuer_key_id: KeyId,
    pub(crate) subject_key: PublicKey,
    body: Vec<u8>,
    signature: Vec<u8>,
}

impl CvCertificate {
    pub(crate) fn parse(file: &[u8]) -> Option<Self> {
        let (template, _filler) = ber::split(file).ok()?;
        let (body, rest) = ber::split(template.value).ok()?;
        let (signature, rest) = ber::split(rest).ok()?;
        let tags = [template.tag, body.tag, signature.tag];
        if tags != [0x7F21, 0x5F4E, 0x5F37] || !rest.is_empty() {
            return None;
        }
        let (issuer_key_id, rest) = body.value.split_first_chunk::<16>()?;
        let (_subject_key_id, key) = rest.split_first_chunk::<16>()?;
        Some(Self {
            issuer_key_id: *issuer_key_id,
            subject_key: PublicKey::parse(key)?,
            body: body.value.to_vec(),
            signature: signature.value.to_vec(),
        })
    }

    pub(crate) fn is_signed_by(&self, issuer: &PublicKey) -> bool {
        issuer.verifies(&self.body, &self.signature)
    }
}
