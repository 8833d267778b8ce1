//! Japanese identity cards: read them and prove them genuine.
//!
//! What it is for: a driver hands in a [`smartcard::CardChannel`], which is one exclusive transaction with
//! one card, and gets typed data out.
//!
//! What it refuses to do: send a raw command for a caller; send a secret twice; spend the last try of a
//! secret that nobody allowed to spend; read the individual number unless asked by that name; call data
//! genuine when a check could not be made; keep or print anything about a citizen.
//!
//! ```no_run
//! use device_api::Secret;
//! use idcards::TrustAnchors;
//! use idcards::my_number::{Challenge, LastTry, SecretKind, TextAp, identify};
//! use smartcard::CardChannel;
//!
//! fn read(card: &mut dyn CardChannel, pin: Secret, random: [u8; 32]) -> anyhow::Result<()> {
//!     let identity = identify(card)?;
//!     let mut application = TextAp::select(card)?;
//!     application.tries_left(SecretKind::Pin)?;
//!     let mut opened = application.verify(SecretKind::Pin, pin, LastTry::NotAllowed)?;
//!     let attributes = opened.four_attributes()?;
//!     let anchors = TrustAnchors::builtin("jlis-production")?;
//!     let authenticity = opened.prove(&anchors, Challenge::new(random))?;
//!     Ok(())
//! }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`my_number`] | the My Number card: identify, open, read, prove |
//! | [`trust`] | which keys may vouch for a card |
//! | [`personal`] | text about a citizen, and what is special in it |
//! | [`tlv`] | the objects of which cards' files are made |
//!
//! Guarantees: bytes from a card never panic, loop or allocate without bound; every error maps to one
//! [`device_api::FaultCode`]; what a citizen's card says is erased when dropped and hidden in `Debug`.

mod certificate;
mod date;
mod fault;
mod jis_x_0213;
pub mod my_number;
pub mod personal;
pub mod tlv;
pub mod trust;

pub use personal::{NoticeKind, PersonalText, TextNotice};
pub use trust::TrustAnchors;
