//! Keys are taken only with certificates that are theirs.

use ring::rand::SystemRandom;

use super::{Identity, IdentityError};

const P256: &[u8] = include_bytes!("../../tests/data/p256.pk8");
const P256_CHAIN: &[u8] = include_bytes!("../../tests/data/p256-chain.pem");
const RSA: &[u8] = include_bytes!("../../tests/data/rsa.pk8");
const RSA_CHAIN: &[u8] = include_bytes!("../../tests/data/rsa-chain.pem");

fn new(key: &[u8], chain: &[u8]) -> Result<Identity, IdentityError> {
    Identity::new(key, chain, &SystemRandom::new())
}

#[test]
fn both_kinds_of_keys_are_taken() {
    assert_eq!(new(P256, P256_CHAIN).unwrap().certificates().len(), 2);
    let rsa = new(RSA, RSA_CHAIN).unwrap();
    assert!(format!("{rsa:?}").contains("RsaSha256"));
}

#[test]
fn a_key_without_its_certificate_is_refused() {
    assert_eq!(new(P256, RSA_CHAIN).unwrap_err(), IdentityError::OtherKey);
    assert_eq!(new(b"no key", RSA_CHAIN).unwrap_err(), IdentityError::Key);
    assert_eq!(new(P256, b"").unwrap_err(), IdentityError::Pem);
    let private = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----";
    assert_eq!(
        new(P256, private.as_bytes()).unwrap_err(),
        IdentityError::Pem
    );
    let empty = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----";
    assert_eq!(
        new(P256, empty.as_bytes()).unwrap_err(),
        IdentityError::Certificate(0)
    );
    let open = &P256_CHAIN[..P256_CHAIN.len() - 30];
    assert_eq!(new(P256, open).unwrap_err(), IdentityError::Pem);
    assert_eq!(
        new(P256, &P256_CHAIN.repeat(5)).unwrap_err(),
        IdentityError::Pem
    );
}
