//! Pre-application codes: what a citizen entered at home, in a code that only the city can have made.
//!
//! The city's web form signs an envelope, and encrypts it to its counters where the content is personal;
//! the citizen shows the code at the counter. Nothing of it reaches a page before it is verified.
//! The format is ours, specified in `docs/devices/code-scanners.md`:
//!
//! ```text
//! "MPA1:" + Base45( version 1 | protection 1 | municipality 4 | signing key 4 | id 16 | issued 4 |
//!                   expires 4 | counter key 4 | [ephemeral key 32] | content | signature 64 )
//! content = procedure, then name and value of each field ([`content`])
//! ```
//!
//! Order of checks: form, signing key, signature, city, time, decryption; so nothing that an unknown
//! person wrote is looked at beyond its form.
//! Replay is found where a code is handed out, not where it is read, because a reading for which nobody
//! waited is thrown away and may be repeated: [`Seen`].

pub mod content;
pub mod seal;
mod seen;

pub use content::{Application, Field};
pub use seen::{HandedOut, Replayed, Seen};

use std::fmt;

use device_api::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::signature::{ED25519, UnparsedPublicKey};
use thiserror::Error;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::wire::base45;

/// How such a code begins; the digit is the version of the outer form.
const BEGINNING: &[u8] = b"MPA";
const PREFIX: &[u8] = b"MPA1:";
const VERSION: u8 = 1;
const SIGNED: u8 = 0;
const SEALED: u8 = 1;
const HEADER: usize = 38;
const EPHEMERAL: usize = 32;
const TAG: usize = 16;
const SIGNATURE: usize = 64;
/// More than sixteen of the largest codes hold in this form.
const LONGEST: usize = 64 * 1024;
/// What the signature is about, so that it can never be one about something else.
const SIGNED_CONTEXT: &[u8] = b"madoguchi pre-application 1 signature\0";
const SEALED_CONTEXT: &[u8] = b"madoguchi pre-application 1 content\0";
/// How far the clocks of form and counter may differ, in seconds.
const SKEW: u64 = 300;

/// Whose codes are accepted.
#[derive(Debug)]
pub struct PreApplicationKeys {
    /// The city's own number (全国地方公共団体コード, six digits).
    pub municipality: u32,
    /// Keys of the city's web form.
    pub forms: Vec<FormKey>,
    /// Keys of the counters, for sealed content.
    pub counters: Vec<CounterKey>,
}

/// A public key that signs pre-applications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormKey {
    /// Its number.
    pub id: u32,
    /// Ed25519.
    pub public: [u8; 32],
}

/// A private key to which pre-applications are sealed.
#[derive(Debug)]
pub struct CounterKey {
    /// Its number.
    pub id: u32,
    /// X25519, 32 bytes.
    pub private: Secret,
}

/// A verified pre-application.
#[derive(Clone, PartialEq, Eq)]
pub struct PreApplication {
    /// What the citizen applies for.
    pub application: Application,
    /// Its own number; for [`Seen`].
    pub id: [u8; 16],
    /// When it was made, in seconds since 1970.
    pub issued: u32,
    /// Until when it is valid, in seconds since 1970.
    pub expires: u32,
    /// Which key signed it.
    pub form_key: u32,
    /// Whether the content was encrypted.
    pub sealed: bool,
}

impl fmt::Debug for PreApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreApplication")
            .field("application", &self.application)
            .field("form_key", &self.form_key)
            .field("sealed", &self.sealed)
            .finish_non_exhaustive()
    }
}

/// Why a pre-application is not accepted.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum OpenError {
    /// No keys are configured, so nothing can be verified.
    #[error("no keys for pre-applications are configured")]
    NoKeys,
    /// A later version, or something else that begins alike.
    #[error("the pre-application has an unknown version")]
    UnknownVersion,
    /// The text, the envelope or the content is damaged.
    #[error("the pre-application is damaged")]
    Malformed,
    /// It names a signing key that is not trusted.
    #[error("the pre-application is signed with the unknown key {id}")]
    UnknownFormKey {
        /// Which.
        id: u32,
    },
    /// The signature is not over these bytes.
    #[error("the signature of the pre-application is wrong")]
    Tampered,
    /// It was made for another city.
    #[error("the pre-application is for municipality {municipality:06}")]
    AnotherCity {
        /// Which.
        municipality: u32,
    },
    /// It is not valid any more.
    #[error("the pre-application has expired")]
    Expired,
    /// It claims to have been made in the future.
    #[error("the pre-application is not valid yet")]
    NotYetValid,
    /// It is sealed to a counter key that is not here.
    #[error("the pre-application is sealed to the unknown key {id}")]
    UnknownCounterKey {
        /// Which.
        id: u32,
    },
    /// The counter key does not open it.
    #[error("the pre-application cannot be decrypted")]
    WrongCounterKey,
}

/// Whether `content` claims to be a pre-application, of whatever version.
#[must_use]
pub fn is_one(content: &[u8]) -> bool {
    let after = content.strip_prefix(BEGINNING);
    after.is_some_and(|after| matches!(after, [b'0'..=b'9', b':', ..]))
}

/// Verifies and opens a pre-application at `now`, in milliseconds since 1970.
///
/// # Errors
/// Says why it must not be used; then nothing of its content is known.
pub fn open(
    content: &[u8],
    keys: &PreApplicationKeys,
    now: u64,
) -> Result<PreApplication, OpenError> {
    let text = content
        .strip_prefix(PREFIX)
        .ok_or(OpenError::UnknownVersion)?;
    if text.len() > LONGEST {
        return Err(OpenError::Malformed);
    }
    let envelope = Zeroizing::new(base45::decode(text).ok_or(OpenError::Malformed)?);
    let (header, body, signature) = divide(&envelope)?;
    let key = keys
        .forms
        .iter()
        .find(|key| key.id == header.form_key)
        .ok_or(OpenError::UnknownFormKey {
            id: header.form_key,
        })?;
    let signed = envelope
        .get(..envelope.len() - SIGNATURE)
        .unwrap_or_default();
    let message = Zeroizing::new([SIGNED_CONTEXT, signed].concat());
    UnparsedPublicKey::new(&ED25519, key.public)
        .verify(&message, signature)
        .map_err(|_says_no_more| OpenError::Tampered)?;
    if header.municipality != keys.municipality {
        return Err(OpenError::AnotherCity {
            municipality: header.municipality,
        });
    }
    header.check_time(now / 1000)?;
    let content = if header.sealed {
        unseal(&header, body, keys)?
    } else {
        Zeroizing::new(body.to_vec())
    };
    Ok(PreApplication {
        application: content::read(&content).ok_or(OpenError::Malformed)?,
        id: header.id,
        issued: header.issued,
        expires: header.expires,
        form_key: header.form_key,
        sealed: header.sealed,
    })
}

/// The fixed part of an envelope.
#[derive(Debug, Clone, Copy)]
struct Header {
    bytes: [u8; HEADER],
    sealed: bool,
    municipality: u32,
    form_key: u32,
    id: [u8; 16],
    issued: u32,
    expires: u32,
    counter_key: u32,
}

impl Header {
    fn read(bytes: [u8; HEADER]) -> Result<Self, OpenError> {
        let mut rest = &bytes[..];
        let mut word = |length: usize| {
            let (word, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(word)
        };
        let mut next = || -> Option<Self> {
            let [version, protection] = *word(2)?.first_chunk::<2>()?;
            if version != VERSION || protection > SEALED {
                return None;
            }
            let mut number = || {
                word(4)?
                    .first_chunk::<4>()
                    .map(|word| u32::from_be_bytes(*word))
            };
            let (municipality, form_key) = (number()?, number()?);
            let id = *word(16)?.first_chunk::<16>()?;
            let mut number = || {
                word(4)?
                    .first_chunk::<4>()
                    .map(|word| u32::from_be_bytes(*word))
            };
            Some(Self {
                bytes,
                sealed: protection == SEALED,
                municipality,
                form_key,
                id,
                issued: number()?,
                expires: number()?,
                counter_key: number()?,
            })
        };
        next().ok_or(OpenError::UnknownVersion)
    }

    fn check_time(&self, now: u64) -> Result<(), OpenError> {
        if u64::from(self.issued) > now.saturating_add(SKEW) {
            return Err(OpenError::NotYetValid);
        }
        if u64::from(self.expires) <= now {
            return Err(OpenError::Expired);
        }
        Ok(())
    }
}

/// Header, body and signature of an envelope.
fn divide(envelope: &[u8]) -> Result<(Header, &[u8], &[u8]), OpenError> {
    let (header, rest) = envelope
        .split_first_chunk::<HEADER>()
        .ok_or(OpenError::Malformed)?;
    let header = Header::read(*header)?;
    let body = rest
        .len()
        .checked_sub(SIGNATURE)
        .ok_or(OpenError::Malformed)?;
    let (body, signature) = rest.split_at(body);
    if header.sealed && body.len() < EPHEMERAL + TAG {
        return Err(OpenError::Malformed);
    }
    Ok((header, body, signature))
}

fn unseal(
    header: &Header,
    body: &[u8],
    keys: &PreApplicationKeys,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let id = header.counter_key;
    let key = keys
        .counters
        .iter()
        .find(|key| key.id == id)
        .ok_or(OpenError::UnknownCounterKey { id })?;
    let private = <[u8; 32]>::try_from(key.private.expose())
        .map_err(|_wrong_length| OpenError::WrongCounterKey)?;
    let private = StaticSecret::from(private);
    let (ephemeral, sealed) = body
        .split_first_chunk::<EPHEMERAL>()
        .ok_or(OpenError::Malformed)?;
    let shared = private.diffie_hellman(&PublicKey::from(*ephemeral));
    let recipient = PublicKey::from(&private);
    let (key, nonce) = content_key(header, shared.as_bytes(), ephemeral, recipient.as_bytes())
        .ok_or(OpenError::WrongCounterKey)?;
    let mut content = Zeroizing::new(sealed.to_vec());
    let length = key
        .open_in_place(nonce, Aad::from(&header.bytes), &mut content)
        .map_err(|_says_no_more| OpenError::WrongCounterKey)?
        .len();
    content.truncate(length);
    Ok(content)
}

/// The key and nonce of one content: HKDF-SHA-256 with both public keys as salt, and the context and the
/// header as information. The ephemeral key is used once, so the nonce is too.
fn content_key(
    header: &Header,
    shared: &[u8],
    ephemeral: &[u8],
    recipient: &[u8],
) -> Option<(LessSafeKey, Nonce)> {
    let salt = [ephemeral, recipient].concat();
    let info = [SEALED_CONTEXT, &header.bytes];
    let derived = Salt::new(HKDF_SHA256, &salt).extract(shared);
    let mut bytes = Zeroizing::new([0u8; 44]);
    derived
        .expand(&info, Length(44))
        .and_then(|material| material.fill(bytes.as_mut()))
        .ok()?;
    let (key, nonce) = bytes.split_first_chunk::<32>()?;
    let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
    Some((
        LessSafeKey::new(key),
        Nonce::try_assume_unique_for_key(nonce).ok()?,
    ))
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests;
