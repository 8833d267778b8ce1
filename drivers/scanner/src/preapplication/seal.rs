//! The other side: makes pre-application codes, as a city's web form does.
//!
//! For tests, simulators and tools; a counter makes none.

use ring::aead::Aad;
use ring::rand::SecureRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use thiserror::Error;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{
    Application, HEADER, Header, PREFIX, SEALED, SIGNED, SIGNED_CONTEXT, VERSION, content,
    content_key,
};
use crate::wire::{append, base45};

/// A web form: signs.
#[derive(Debug)]
pub struct Form {
    /// The city's number.
    pub municipality: u32,
    /// The number of its key.
    pub key_id: u32,
    key: Ed25519KeyPair,
}

/// What stands in the header of one pre-application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// When it is made, in seconds since 1970.
    pub issued: u32,
    /// Until when it is valid, in seconds since 1970.
    pub expires: u32,
}

/// A counter key to seal to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// Its number.
    pub id: u32,
    /// X25519.
    pub public: [u8; 32],
}

/// Why no code was made.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum SealError {
    /// The seed is none.
    #[error("the signing key is not valid")]
    Key,
    /// A name or a value is longer than the form has room for, or there are too many.
    #[error("the application does not fit the form")]
    TooLong,
    /// There is no randomness.
    #[error("no randomness is available")]
    Randomness,
    /// A message is divided into 2 to 16 parts.
    #[error("a message cannot be divided into {parts} parts")]
    Parts {
        /// How many were asked for.
        parts: u8,
    },
}

impl Form {
    /// A form that signs with the Ed25519 key of this seed.
    ///
    /// # Errors
    /// [`SealError::Key`].
    pub fn new(municipality: u32, key_id: u32, seed: &[u8; 32]) -> Result<Self, SealError> {
        let key =
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_says_no_more| SealError::Key)?;
        Ok(Self {
            municipality,
            key_id,
            key,
        })
    }

    /// The public key that counters must trust.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        let bytes = self.key.public_key().as_ref();
        for (to, from) in public.iter_mut().zip(bytes) {
            *to = *from;
        }
        public
    }

    /// The text of a code, sealed where there is a recipient.
    ///
    /// # Errors
    /// [`SealError::Randomness`], [`SealError::TooLong`].
    pub fn make(
        &self,
        application: &Application,
        validity: Validity,
        recipient: Option<Recipient>,
        randomness: &dyn SecureRandom,
    ) -> Result<String, SealError> {
        let content = content::write(application).ok_or(SealError::TooLong)?;
        let mut id = [0; 16];
        randomness
            .fill(&mut id)
            .map_err(|_says_no_more| SealError::Randomness)?;
        let mut envelope = vec![VERSION, if recipient.is_some() { SEALED } else { SIGNED }];
        envelope.extend_from_slice(&self.municipality.to_be_bytes());
        envelope.extend_from_slice(&self.key_id.to_be_bytes());
        envelope.extend_from_slice(&id);
        envelope.extend_from_slice(&validity.issued.to_be_bytes());
        envelope.extend_from_slice(&validity.expires.to_be_bytes());
        envelope.extend_from_slice(&recipient.map_or(0, |recipient| recipient.id).to_be_bytes());
        match recipient {
            Some(recipient) => seal(&mut envelope, &content, recipient, randomness)?,
            None => envelope.extend_from_slice(&content),
        }
        let signature = self.key.sign(&[SIGNED_CONTEXT, &envelope].concat());
        envelope.extend_from_slice(signature.as_ref());
        let mut text = String::from_utf8_lossy(PREFIX).into_owned();
        text.push_str(&base45::encode(&envelope));
        Ok(text)
    }
}

fn seal(
    envelope: &mut Vec<u8>,
    content: &[u8],
    recipient: Recipient,
    randomness: &dyn SecureRandom,
) -> Result<(), SealError> {
    let header =
        <[u8; HEADER]>::try_from(envelope.as_slice()).map_err(|_wrong_length| SealError::Key)?;
    let header = Header::read(header).map_err(|_not_ours| SealError::Key)?;
    let mut private = Zeroizing::new([0; 32]);
    randomness
        .fill(private.as_mut())
        .map_err(|_says_no_more| SealError::Randomness)?;
    let private = StaticSecret::from(*private);
    let ephemeral = PublicKey::from(&private);
    let shared = private.diffie_hellman(&PublicKey::from(recipient.public));
    let (key, nonce) = content_key(
        &header,
        shared.as_bytes(),
        ephemeral.as_bytes(),
        &recipient.public,
    )
    .ok_or(SealError::Key)?;
    let mut sealed = content.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(&header.bytes), &mut sealed)
        .map_err(|_says_no_more| SealError::Key)?;
    envelope.extend_from_slice(ephemeral.as_bytes());
    envelope.extend_from_slice(&sealed);
    Ok(())
}

/// Divides a message among several codes, each with our own header.
///
/// # Errors
/// [`SealError::Parts`].
pub fn divide(message: &[u8], parts: u8) -> Result<Vec<Vec<u8>>, SealError> {
    let each = message.len().div_ceil(usize::from(parts.max(1)));
    if !(2..=16).contains(&parts) || each == 0 || message.len().div_ceil(each) != usize::from(parts)
    {
        return Err(SealError::Parts { parts });
    }
    let parity = append::parity(message);
    let pieces = (1..=parts).zip(message.chunks(each)).map(|(place, piece)| {
        let mut code = append::header(place, parts, parity).into_bytes();
        code.extend_from_slice(piece);
        code
    });
    Ok(pieces.collect())
}

/// The public key of a counter's private one.
#[must_use]
pub fn counter_public(private: &[u8; 32]) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(*private)).to_bytes()
}
