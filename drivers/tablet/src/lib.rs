//! Signature tablets: what is shown to a citizen, and what the citizen writes on it by hand (手書き署名).
//!
//! **What it is for.** A driver host [`open`]s a tablet and has a document signed with
//! [`SignatureTablet::capture`]: every picture is prepared before the first is shown, its hash is recorded, and
//! every sample of the pen is kept as the device gave it.
//!
//! **What it refuses.** It makes no 電子署名 and calls nothing so: a signature image (署名画像) has no key.
//! It smooths, resamples and repairs nothing. It shows no document that cannot be drawn whole. It stores
//! nothing; calibrations and signatures are the caller's.
//!
//! ```no_run
//! # use std::{sync::Arc, time::Duration};
//! # use device_api::{Clock as _, Deadline, Patience, SystemClock};
//! # use tablet::*;
//! # fn sign(pdf: Vec<u8>, desk: &mut dyn CaptureDesk) -> Result<CapturedInk, TabletError> {
//! let clock = Arc::new(SystemClock::new());
//! let stu_540 = Connection::HidRaw { vendor: 0x056A, product: 0x00A8, serial: None };
//! let mut tablet = open(&TabletSettings::new(stu_540), clock.clone())?;
//! let request = CaptureRequest {
//!     document: Document::new(pdf, MediaType::Pdf)?,
//!     every_page: true,
//!     idle: Duration::from_secs(180),
//! };
//! let limit = Deadline::at(clock.now().plus(Duration::from_secs(600)));
//! tablet.capture(&request, desk, &Patience::new(clock, limit))
//! # }
//! ```
//!
//! ```text
//!            Document --draw--> pictures --compose--> shown::Page --+--> pad: upload, hash of the bytes
//!                                                                  '--> Screen of the caller (pen display)
//! link::ReportLink --> wire --> Reading --> capture::Session --> CapturedInk
//!                                                |
//!                                                '--> CaptureDesk::ink, sample by sample
//! ```
//!
//! | module | job |
//! |---|---|
//! | [`driver`] | the traits, settings, opening |
//! | [`document`], [`picture`], [`shown`] | from a document to the exact pictures, and their hashes |
//! | [`ink`] | samples, strokes, what must be known of them |
//! | [`mapping`] | rotation and calibration |
//! | [`wire`] | report descriptors, pen reports, the reports of STU pads |
//! | [`quirks`] | what differs between models |
//! | [`fault`] | errors, and what people are told |
//! | `contract` (feature `contract`) | what every tablet must do, as checks that run on any of them |
//!
//! **Guarantees.** A page's hash is recorded before the pen counts on it. Ink of one attempt never reaches
//! another. Samples that the device numbered and that did not arrive are counted and marked. A pad is cleared at
//! the end, whatever the end. Types that hold ink or documents hide it in `Debug` and erase it when dropped.
//! Reports, descriptors and pictures from outside neither panic nor allocate beyond stated limits.
//!
//! **Limits.** A PDF is drawn by a foreign interpreter on a thread of its own: its panic is contained, and its
//! message goes where the process's panic messages go; a thread that never ends is left behind. How much memory
//! a hostile PDF takes is bounded by the process only. The STU-541 and the encrypted modes of other pads are not
//! supported. No pad and no pen display was at hand: see `docs/devices/signature-tablets.md`.

mod calibrate;
mod capture;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod digitizer;
pub mod document;
pub mod driver;
pub mod fault;
pub mod ink;
mod layout;
pub mod mapping;
pub mod picture;
pub mod quirks;
pub mod shown;
mod stu;
mod text;
mod timeline;
pub mod wire;

pub use document::{Document, DocumentError, MediaType};
pub use driver::{
    CaptureDesk, CaptureRequest, Connection, Kind, Screen, ScreenClosed, SignatureTablet,
    TabletSettings, open, over,
};
pub use fault::TabletError;
pub use ink::{CapturedInk, Sample, SampleClock, Shown, TabletDescription};
pub use layout::Press;
pub use mapping::{Calibration, CalibrationError, Mapping, Rotation, Tap};
pub use text::{DEFAULT_FONT, FontError};

#[cfg(test)]
mod tests;
