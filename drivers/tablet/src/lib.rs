//! Signature tablets: HID digitizers and STU pads, capture at the native rate.
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
