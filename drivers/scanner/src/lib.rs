//! Code scanners: from what they send, whatever their interface, to bytes, text and what these mean.
//!
//! **What it is for.** A device thread opens a scanner from its settings and takes codes from it, one after
//! the other:
//!
//! ```no_run
//! # use std::{sync::Arc, time::Duration};
//! # use device_api::{Clock as _, Deadline, Patience, SystemClock};
//! use scanner::{Connection, HidSelector, ScannerSettings};
//!
//! # fn main() -> Result<(), scanner::ScannerError> {
//! let clock = Arc::new(SystemClock::new());
//! let settings = ScannerSettings::new(Connection::Hid(HidSelector::default()));
//! let mut scanner = scanner::open(&settings, clock.clone())?;
//! let until = Deadline::at(clock.now().plus(Duration::from_secs(30)));
//! let scan = scanner.next(&Patience::new(clock, until))?;
//! if let Some(text) = &scan.text {
//!     println!("by rule {}, certain: {}", text.rule.as_str(), text.certain);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **What it refuses.** It types nothing into any window, configures no scanner beyond its mode, guesses no
//! layout that neither descriptor nor quirk names, and passes on no pre-application that it could not verify.
//!
//! ```text
//! serial, TCP --- framer ----.
//! HID POS ------- reports ----+--- interpreter: parts, escapes, GS1, pre-application, text --- Scan
//! keyboard ------ typing ----'
//! ```
//!
//! | module | job |
//! |---|---|
//! | [`wire`] | the codecs: framing, reports, keys, identifiers, charsets, elements |
//! | [`preapplication`] | codes that a city's web form made: verified, opened, made |
//! | [`fault`] | errors and what people are told |
//! | [`quirks`] | what particular scanners do differently |
//! | `contract` | what every implementation of [`CodeScanner`] must do (feature `contract`) |
//!
//! **Guarantees.** Bytes of a code arrive as they stand in the symbol, beside whatever was made of them.
//! A reading that was cut off, or from which a character is missing, is an error and no code.
//! Nothing of a code appears in `Debug`, and readings are erased when they go.
//!
//! **Limits.** Binary content needs HID POS, or a line without STX and with a suffix that the content cannot
//! hold. On Windows there are no keyboard scanners.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod driver;
pub mod fault;
mod interpret;
mod platform;
pub mod preapplication;
pub mod quirks;
mod scan;
mod settings;
pub mod wire;

pub use driver::{open, over_reports, over_stream};
pub use fault::{Garble, ScannerError};
pub use preapplication::{
    Application, CounterKey, Field, FormKey, HandedOut, OpenError, PreApplication,
    PreApplicationKeys, Replayed, Seen,
};
pub use scan::{CodeScanner, Scan};
pub use settings::{Connection, HidSelector, KeyboardSelector, ScannerSettings};
pub use wire::aim::{AimId, Symbology};
pub use wire::eci::EciMark;
pub use wire::framer::{ClosedBy, Framing, Start, Suffix};
pub use wire::gs1::{Element, Gs1Error, Gs1Message};
pub use wire::keymap::Keymap;
pub use wire::text::{DecodedText, TextRule};
