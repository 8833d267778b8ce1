//! Signatures: what is shown, and what the pen does.

use serde::{Deserialize, Serialize};

use crate::paper::Attachment;

/// What to show, and how to have it signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignOrder {
    /// The document, a PDF or a PNG.
    pub document: Attachment,
    /// Whether every page must have been on the screen before the signature can be given.
    pub every_page: bool,
}

/// A rectangle, in pixels of a picture, from its top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A page that the citizen's page is to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToShow {
    /// Its number, counted from 1.
    pub page: u32,
    /// How many pages there are.
    pub pages: u32,
    /// The picture, a PNG.
    pub picture: Attachment,
    /// Where on the picture the citizen signs; absent on pages without a place to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// The same area in the units in which `ink` items tell of the pen: x, y, width, height; absent where
    /// the page feels the pen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ink_area: Option<[i32; 4]>,
}

/// What the pen did at one moment, written as an array of seven numbers:
/// time since the capture began in microseconds, x, y, pressure, tilt x and tilt y in hundredths of a degree,
/// and flags: 1 the tip touches, 2 in range, 4 samples were lost before this one, 8 the eraser.
/// x, y and pressure are in the device's own units; those of `ink` items, which are for showing only, in the
/// units of `inkArea` and 0 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InkSample(
    /// Time since the capture began, in microseconds.
    pub u64,
    /// x.
    pub i32,
    /// y.
    pub i32,
    /// Pressure.
    pub i32,
    /// Tilt x.
    pub i32,
    /// Tilt y.
    pub i32,
    /// Flags.
    pub u8,
);

/// How a tablet is calibrated: a map that brings the pen's own x and y to fractions of the picture.
///
/// `x[0]*x + x[1]*y + x[2]` is the share from the left, the same with `y` that from the top.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Calibration {
    /// Towards the right.
    pub x: [f64; 3],
    /// Downwards.
    pub y: [f64; 3],
    /// How far the worst tap was from its cross, in thousandths of the picture.
    pub worst_error: f64,
}

/// What felt the pen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InkDevice {
    /// The maker and model.
    pub model: String,
    /// Its serial number, empty where it has none.
    pub serial: String,
    /// The version of its firmware, empty where it does not say.
    pub firmware: String,
    /// The largest x and y, in its own units.
    pub max_x: i32,
    /// See `max_x`.
    pub max_y: i32,
    /// The largest pressure; 0 where it feels none.
    pub max_pressure: i32,
    /// Units in a millimetre, times 1000; 0 where unknown.
    pub milli_units_per_mm: u32,
    /// Samples in a second that it is built for; 0 where unknown.
    pub nominal_rate: u32,
    /// Whose clock the samples carry.
    pub clock: SampleClock,
}

/// Whose clock samples carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SampleClock {
    /// The device's.
    Device,
    /// The host's, at the moment at which the sample arrived.
    Host,
    /// The browser's.
    Page,
}

/// What was on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShownPage {
    /// Its number, counted from 1.
    pub page: u32,
    /// SHA-256 of the picture, as lower-case hexadecimal digits.
    pub picture_sha256: String,
    /// SHA-256 of exactly the bytes that went to the screen, where the device has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_sha256: Option<String>,
    /// For how many milliseconds it was on the screen.
    pub shown_ms: u64,
}

/// A signature that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signature {
    /// What felt the pen.
    pub device: InkDevice,
    /// All samples of the last attempt: a JSON array of [`InkSample`].
    pub samples: Attachment,
    /// How many samples there are.
    pub count: u32,
    /// How many samples the device says were lost.
    pub lost: u32,
    /// How many reports of the device could not be read.
    #[serde(default)]
    pub unreadable: u32,
    /// Samples in a second as measured while the pen was near, times 1000; 0 for too few to tell.
    #[serde(default)]
    pub measured_milli_rate: u32,
    /// How often the citizen began.
    pub attempts: u32,
    /// SHA-256 of the document as it was handed in.
    pub document_sha256: String,
    /// What was on the screen, in order.
    pub shown: Vec<ShownPage>,
    /// Where on the last page it was signed, in pixels of the picture.
    pub area: Area,
    /// The same area in the device's units: x, y, width, height.
    pub ink_area: [i32; 4],
}
