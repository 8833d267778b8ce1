//! Card-verifiable certificates and public keys as the card stores them.
//!
//! ```text
//! 7F21 820233
//!   5F4E 820129   issuer key id (16), subject key id (16), public key (265)
//!   5F37 820100   PKCS#1 v1.5 SHA-256 signature over the value of 5F4E
//! public key:  90 03 exponent   91 820100 modulus
//! ```
//!
//! Source: `myna-card`, and the files of the published test card, against which the tests compare.

use rsa::sha2::{Digest, Sha256};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};

use crate::pki;
use crate::tlv::{encode, encode_wide};

/// A key id: seven digits, `08 05`, three digits, four bytes of padding.
pub(crate) type KeyId = [u8; 16];

/// Authority of the common card data; its padding ends in A8 on every card seen.
pub(crate) const CA_COMMON: KeyId = *b"9000020\x08\x05001\x00\x00\x00\xA8";
/// Authority of the card-surface input application. Real authorities' ids begin with 5, those of test
/// cards with 6; 9 belongs to nobody.
pub(crate) const CA_TEXT: KeyId = *b"9000033\x08\x05001\x00\x00\x00\x00";
/// An authority that no list of trust anchors contains.
pub(crate) const CA_UNKNOWN: KeyId = *b"9900033\x08\x05001\x00\x00\x00\x00";
/// The key that signs holders' data: municipality 13299, which does not exist, and 31 as on the test card.
pub(crate) const SIGNER: KeyId = *b"1329931\x08\x05000\x00\x00\x00\x00";
/// The municipality's key in the chain of the common card data.
pub(crate) const MUNICIPALITY: KeyId = *b"1329930\x08\x05002\x00\x00\x00\x98";

/// The largest public exponent in use, 65537, takes three bytes.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// A public key in 265 bytes. Every key here has the exponent 65537.
pub(crate) fn public_key(key: &RsaPublicKey) -> Vec<u8> {
    let mut bytes = encode(0x90, &EXPONENT);
    bytes.extend(encode(0x91, &pki::modulus(key)));
    bytes
}

/// A certificate, with its template.
pub(crate) fn certificate(
    issuer: (KeyId, &RsaPrivateKey),
    subject: (KeyId, &RsaPublicKey),
) -> Result<Vec<u8>, rsa::Error> {
    Ok(encode_wide(0x7F21, &body_and_signature(issuer, subject)?))
}

/// A certificate as GET DATA 00F8 returns it: without the template, behind a list of what it contains.
pub(crate) fn certificate_object(
    issuer: (KeyId, &RsaPrivateKey),
    subject: (KeyId, &RsaPublicKey),
) -> Result<Vec<u8>, rsa::Error> {
    // 4D is the extended header list: tags and lengths of the fields that follow in 5F4E.
    const HEADER_LIST: [u8; 10] = [0x42, 16, 0x5F, 0x20, 16, 0x5F, 0x49, 0x82, 0x01, 0x09];
    let mut object = encode(0x4D, &HEADER_LIST);
    object.extend(body_and_signature(issuer, subject)?);
    Ok(object)
}

/// PKCS#1 v1.5 over the SHA-256 digest of `message`.
pub(crate) fn sign(key: &RsaPrivateKey, message: &[u8]) -> Result<Vec<u8>, rsa::Error> {
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
}

fn body_and_signature(
    (issuer_id, issuer): (KeyId, &RsaPrivateKey),
    (subject_id, subject): (KeyId, &RsaPublicKey),
) -> Result<Vec<u8>, rsa::Error> {
    let mut body = Vec::with_capacity(297);
    body.extend_from_slice(&issuer_id);
    body.extend_from_slice(&subject_id);
    body.extend(public_key(subject));
    let signature = sign(issuer, &body)?;
    let mut content = encode_wide(0x5F4E, &body);
    content.extend(encode_wide(0x5F37, &signature));
    Ok(content)
}
