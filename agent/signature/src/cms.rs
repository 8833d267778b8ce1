//! The detached CMS signature of a PAdES baseline signature (ETSI EN 319 142-1, level B-B).
//!
//! RFC 5652 SignedData with the attributes of CAdES: content type, message digest and
//! signing-certificate-v2 (RFC 5035). The time is not one of them: in PAdES it stands in the
//! signature dictionary (ETSI EN 319 142-1 §6.3).

use ring::rand::SecureRandom;

use crate::container::sha256;
use crate::der::{CONTEXT_0, OCTET_STRING, SEQUENCE, SET, oid, set_of, small, wrap};
use crate::identity::{Algorithm, Identity, IdentityError};

const DATA: &[u32] = &[1, 2, 840, 113_549, 1, 7, 1];
const SIGNED_DATA: &[u32] = &[1, 2, 840, 113_549, 1, 7, 2];
const SHA_256: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
const ECDSA_WITH_SHA_256: &[u32] = &[1, 2, 840, 10_045, 4, 3, 2];
const RSA_WITH_SHA_256: &[u32] = &[1, 2, 840, 113_549, 1, 1, 11];
const CONTENT_TYPE: &[u32] = &[1, 2, 840, 113_549, 1, 9, 3];
const MESSAGE_DIGEST: &[u32] = &[1, 2, 840, 113_549, 1, 9, 4];
const SIGNING_CERTIFICATE_V2: &[u32] = &[1, 2, 840, 113_549, 1, 9, 16, 2, 47];
const NULL: &[u8] = &[5, 0];

/// The longest signature that an identity of ours makes: RSA of 8192 bits, and what surrounds it.
const SURROUNDINGS: usize = 2_048;

/// An upper bound for the length of a signature by this identity.
pub(crate) fn longest(identity: &Identity) -> usize {
    let certificates: usize = identity.certificates().iter().map(Vec::len).sum();
    let issuer: usize = identity
        .issuer_and_serial()
        .iter()
        .map(|part| part.len())
        .sum();
    SURROUNDINGS + certificates + issuer
}

/// Signs content of which only the SHA-256 is given.
pub(crate) fn sign(
    content_sha256: &[u8; 32],
    identity: &Identity,
    random: &dyn SecureRandom,
) -> Result<Vec<u8>, IdentityError> {
    let attributes = attributes(content_sha256, identity);
    // Signed as a SET, stored as [0] (RFC 5652 §5.4).
    let signature = identity.sign(&set_of(SET, attributes.clone()), random)?;
    let sha_256 = wrap(SEQUENCE, &[&oid(SHA_256)]);
    let signer = wrap(
        SEQUENCE,
        &[
            &small(1),
            &wrap(SEQUENCE, &identity.issuer_and_serial()),
            &sha_256,
            &set_of(CONTEXT_0, attributes),
            &algorithm(identity.algorithm()),
            &wrap(OCTET_STRING, &[&signature]),
        ],
    );
    let certificates = set_of(CONTEXT_0, identity.certificates().to_vec());
    let signed_data = wrap(
        SEQUENCE,
        &[
            &small(1),
            &wrap(SET, &[&sha_256]),
            &wrap(SEQUENCE, &[&oid(DATA)]),
            &certificates,
            &wrap(SET, &[&signer]),
        ],
    );
    Ok(wrap(
        SEQUENCE,
        &[&oid(SIGNED_DATA), &wrap(CONTEXT_0, &[&signed_data])],
    ))
}

fn attributes(content_sha256: &[u8; 32], identity: &Identity) -> Vec<Vec<u8>> {
    let attribute =
        |kind: &[u32], value: &[u8]| wrap(SEQUENCE, &[&oid(kind), &wrap(SET, &[value])]);
    let own = identity.certificates().first().map(Vec::as_slice);
    let hash = wrap(OCTET_STRING, &[&sha256(own.unwrap_or_default())]);
    // ESSCertIDv2 with the default algorithm, SHA-256, which DER leaves out.
    let certificate = wrap(SEQUENCE, &[&wrap(SEQUENCE, &[&wrap(SEQUENCE, &[&hash])])]);
    vec![
        attribute(CONTENT_TYPE, &oid(DATA)),
        attribute(MESSAGE_DIGEST, &wrap(OCTET_STRING, &[content_sha256])),
        attribute(SIGNING_CERTIFICATE_V2, &certificate),
    ]
}

fn algorithm(algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::EcdsaSha256 => wrap(SEQUENCE, &[&oid(ECDSA_WITH_SHA_256)]),
        Algorithm::RsaSha256 => wrap(SEQUENCE, &[&oid(RSA_WITH_SHA_256), NULL]),
    }
}
