//! The municipality's key and certificates, with which a document is signed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SecureRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use thiserror::Error;

use crate::der::{BIT_STRING, CONTEXT_0, INTEGER, SEQUENCE, expect, first};

/// The most certificates of a chain.
pub const MOST_CERTIFICATES: usize = 8;

/// The longest chain, in bytes of PEM.
const LONGEST_CHAIN: usize = 64 << 10;

/// A private key with the certificates that vouch for it. Hides its key in `Debug`.
pub struct Identity {
    key: Key,
    /// The first one is the key's own.
    certificates: Vec<Vec<u8>>,
    issuer: Vec<u8>,
    serial: Vec<u8>,
}

enum Key {
    P256(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

/// The kind of signature that an identity makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    EcdsaSha256,
    RsaSha256,
}

/// Why a key and certificates are no identity.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum IdentityError {
    /// The key is not PKCS#8, or neither P-256 nor RSA of 2048 bits or more.
    #[error("the key is not PKCS#8 with P-256 or RSA")]
    Key,
    /// The certificates are not PEM, or too many.
    #[error("the certificates are not a PEM chain of 1 to {MOST_CERTIFICATES}")]
    Pem,
    /// A certificate cannot be read.
    #[error("certificate {0} of the chain cannot be read")]
    Certificate(usize),
    /// The first certificate is for another key.
    #[error("the first certificate is not for this key")]
    OtherKey,
    /// The key could not be used.
    #[error("the key could not be used")]
    Sign,
}

impl Identity {
    /// Takes a key (PKCS#8 in DER) and its certificates (PEM, its own first).
    ///
    /// `random` is only used now, to check the key.
    ///
    /// # Errors
    /// Where the key is of another kind, or the first certificate is not for it.
    pub fn new(
        pkcs8: &[u8],
        chain_pem: &[u8],
        random: &dyn SecureRandom,
    ) -> Result<Self, IdentityError> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, random)
            .map(|p256| Key::P256(Box::new(p256)))
            .or_else(|_not_p256| RsaKeyPair::from_pkcs8(pkcs8).map(|rsa| Key::Rsa(Box::new(rsa))))
            .map_err(|_neither| IdentityError::Key)?;
        let certificates = pem(chain_pem)?;
        let mut own = None;
        for (index, certificate) in certificates.iter().enumerate() {
            let parts = Parts::read(certificate).ok_or(IdentityError::Certificate(index))?;
            own = own.or(Some(parts));
        }
        let own = own.ok_or(IdentityError::Pem)?;
        let public_key = match &key {
            Key::P256(key) => key.public_key().as_ref(),
            Key::Rsa(key) => key.public_key().as_ref(),
        };
        if own.public_key != public_key {
            return Err(IdentityError::OtherKey);
        }
        Ok(Self {
            issuer: own.issuer.to_vec(),
            serial: own.serial.to_vec(),
            key,
            certificates,
        })
    }

    /// The certificates in DER, the key's own first.
    pub(crate) fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// Name of the issuer and serial number of the key's certificate, in DER.
    pub(crate) fn issuer_and_serial(&self) -> [&[u8]; 2] {
        [&self.issuer, &self.serial]
    }

    /// The kind of signature.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self.key {
            Key::P256(_) => Algorithm::EcdsaSha256,
            Key::Rsa(_) => Algorithm::RsaSha256,
        }
    }

    /// Signs a message.
    pub(crate) fn sign(
        &self,
        message: &[u8],
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, IdentityError> {
        match &self.key {
            Key::P256(key) => key
                .sign(random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_unspecified| IdentityError::Sign),
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, random, message, &mut signature)
                    .map_err(|_unspecified| IdentityError::Sign)?;
                Ok(signature)
            }
        }
    }
}

/// The parts of a certificate that a signature names (RFC 5280 §4.1).
#[derive(Clone, Copy)]
struct Parts<'a> {
    issuer: &'a [u8],
    serial: &'a [u8],
    public_key: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(certificate: &'a [u8]) -> Option<Self> {
        let (outer, rest) = expect(certificate, SEQUENCE)?;
        if !rest.is_empty() {
            return None;
        }
        let (body, _) = expect(outer.content, SEQUENCE)?;
        let mut at = body.content;
        if let Some((_version, rest)) = expect(at, CONTEXT_0) {
            at = rest;
        }
        let (serial, at) = expect(at, INTEGER)?;
        let (_algorithm, at) = expect(at, SEQUENCE)?;
        let (issuer, at) = expect(at, SEQUENCE)?;
        let (_validity, at) = expect(at, SEQUENCE)?;
        let (_subject, at) = expect(at, SEQUENCE)?;
        let (key_info, _) = expect(at, SEQUENCE)?;
        let (_algorithm, at) = first(key_info.content)?;
        let (bits, _) = expect(at, BIT_STRING)?;
        // The first byte counts bits that are not used.
        let (unused, public_key) = bits.content.split_first()?;
        (*unused == 0).then_some(Self {
            issuer: issuer.whole,
            serial: serial.whole,
            public_key,
        })
    }
}

/// The certificates of a PEM file (RFC 7468); text around them is permitted, other kinds are not.
fn pem(bytes: &[u8]) -> Result<Vec<Vec<u8>>, IdentityError> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| IdentityError::Pem)?;
    if text.len() > LONGEST_CHAIN {
        return Err(IdentityError::Pem);
    }
    let mut certificates = Vec::new();
    let mut inside: Option<String> = None;
    for line in text.lines().map(str::trim) {
        match (line, &mut inside) {
            ("-----BEGIN CERTIFICATE-----", None) => inside = Some(String::new()),
            ("-----END CERTIFICATE-----", Some(body)) => {
                let der = STANDARD
                    .decode(body.as_bytes())
                    .map_err(|_not_base64| IdentityError::Pem)?;
                certificates.push(der);
                inside = None;
            }
            (line, _) if line.starts_with("-----") => return Err(IdentityError::Pem),
            (line, Some(body)) => body.push_str(line),
            (_, None) => {}
        }
    }
    let good = (1..=MOST_CERTIFICATES).contains(&certificates.len()) && inside.is_none();
    good.then_some(certificates).ok_or(IdentityError::Pem)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("algorithm", &self.algorithm())
            .field("certificates", &self.certificates.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
