//! Signatures sealed to what was shown: ink formats, container, PDF.
//!
//! A citizen signs on a digitizer what a screen shows. What comes of it is a pen signature
//! (手書き署名), not an 電子署名: nothing here is a key of the citizen's. Its weight is that of its
//! records, so this crate keeps them exact and makes changes to them visible.
//!
//! ```text
//! samples -> Ink -> inkml (archive)   iso (export)   picture (for the eye)
//!                     |
//!                     v
//!            container: hashes of what was shown and written, who, where, when;
//!                     |  COSE_Sign1 by the agent's device key
//!                     v
//!            pdf: drawn and attached in the document itself; PAdES by the municipality's key
//! ```
//!
//! | to do | use |
//! |---|---|
//! | take samples as ink | [`Ink::new`] |
//! | archive it | [`inkml::write`], [`inkml::read`] |
//! | hand it to a comparison system | [`iso::write`], [`iso::read`] |
//! | show it | [`picture::svg`], [`picture::png`] |
//! | seal it, verify the seal | [`container::seal`], [`container::verify`] |
//! | put it into the document | [`pdf::enclose`], [`pdf::enclose_and_sign`] |
//!
//! Guarantees:
//! - Nothing is smoothed or corrected: what InkML gives back is what [`Ink::new`] took.
//! - The same input gives the same bytes; only the municipality's ECDSA signature uses randomness.
//! - Readers take bytes of anybody: they are bounded, they do not panic, and they refuse what they do
//!   not know instead of skipping it.
//! - A document's original bytes stay the beginning of the document with the signature in it.
//!
//! What it refuses to do: read a clock, a file or the network; sign for the citizen; encrypt (what is
//! kept of a citizen is encrypted by whoever keeps it); repair a damaged document.
//!
//! Limits: a page that captures by Pointer Events is believed as much as its origin; the container
//! says so. Times are those of the machine's clocks; no time-stamping authority is asked.

mod calendar;
mod cbor;
mod cms;
pub mod container;
mod der;
mod identity;
mod ink;
pub mod inkml;
pub mod iso;
pub mod pdf;
pub mod picture;
#[cfg(test)]
mod sample_ink;

pub use cbor::CborError;
pub use identity::{Identity, IdentityError, MOST_CERTIFICATES};
pub use ink::{
    Axis, CapturedBy, ClockSource, Digitizer, Ink, InkError, LONGEST_NAME, LONGEST_US,
    MOST_SAMPLES, Sample, Turn,
};
