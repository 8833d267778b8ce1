//! Simulated identity cards behind the virtual reader: the My Number card, part one.
//!
//! [`MyNumberCard`] behaves like the card at the level of APDUs: applications, files, access rules,
//! retry counters, session rules, status words.
//! [`Holders`] are the synthetic citizens; [`Pki`] the test authorities and keys, made once and kept.
//!
//! # What it refuses to do
//!
//! It shares no encoder or decoder with any driver: a shared mistake would cancel out.
//! It carries no real person's data: holders are invented, with individual numbers that begin with
//! nine zeros; one card is the published dump of an authority's own test card.
//! It does not simulate what nobody may rely on: the public-key authentication, resident-register and
//! card-surface applications, PIN change, secure messaging and INTERNAL AUTHENTICATE are absent,
//! and answer as an application or instruction that the card does not have.
//!
//! # Sources
//!
//! Comments beside a rule name its source: JICSAP (the Japanese IC card specification, version 1.1),
//! ISO/IEC 7816-4, or `myna-card` (an open-source project that measured test and real cards).
//! A rule for which no source was found says "our choice".
//!
//! # Guarantees
//!
//! A try is in its file before the card answers, so killing the simulator gives nobody a new try.
//! Neither a PIN nor a holder's data appears in `Debug` output or a log.

mod answer;
mod card;
mod card_image;
mod certificate;
mod commands;
mod date;
mod files;
mod holder;
mod holders;
mod pki;
mod tlv;
mod tries;

pub use card::{EndOfFile, MyNumberCard, Quirks};
pub use card_image::{CardImage, ImageError, Secrets};
pub use date::Date;
pub use holder::{Anomaly, Holder, HolderError, Label};
pub use holders::{Holders, HoldersError};
pub use pki::{Pki, PkiError};
pub use tries::{Tries, TryCounters};
