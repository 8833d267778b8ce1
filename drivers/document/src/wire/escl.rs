//! eSCL, the scanning half of AirPrint: XML over HTTP.
//!
//! Source: Mopria Alliance, eSCL Technical Specification 2.97; what devices really send was compared with
//! recorded answers of Brother and HP devices (`tests/vectors`).
//!
//! Elements are found by their local name, whatever their prefix: devices disagree about which of the two
//! name spaces an element belongs to.

mod capabilities;
mod settings;
mod status;
mod tree;

pub use capabilities::{Caps, InputCaps, parse_capabilities};
pub use settings::{InputSource, JobSettings, settings};
pub use status::{AdfState, JobState, ScannerState, ScannerStatus, parse_status};

/// Units of every length: 1/300 inch.
pub const UNITS_PER_INCH: u32 = 300;

/// The longest document in XML. The longest recorded has 17 kilobytes.
pub const DOCUMENT: usize = 256 * 1024;
