//! Signature tablets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The settings of the host of signature tablets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, default)]
pub struct SignatureTablets {
    /// The tablets.
    pub tablets: Vec<SignatureTablet>,
    /// Calibrations that were made at tablets, by the tablet's name. One takes the place of what stands with
    /// the tablet as long as it fits the device.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, Mapping>,
}

/// One signature tablet, for signatures by hand (手書き署名).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct SignatureTablet {
    /// Its name, unique among the signature tablets of this machine.
    pub name: String,
    /// Where it is: `usb` with the vendor's and the product's number and, where there are several, its
    /// `serial`; `page` where the citizen's screen itself feels the pen and there is no further device;
    /// `simulated`.
    pub connection: TabletConnection,
    /// What it is: `auto`, `pen_display` or `pad`.
    /// Default: `auto`, found out from its product number and what it says of itself.
    #[serde(default)]
    pub kind: TabletKind,
    /// How it stands, clockwise, where it is not calibrated: `none`, `quarter`, `half` or `three_quarters`.
    /// Default: `none`.
    #[serde(default)]
    pub rotation: Rotation,
    /// A calibration, in the place of `rotation`: `x` and `y`, each three numbers.
    /// They bring the pen's own x and y to fractions of the picture: `x[0]*x + x[1]*y + x[2]`, and the same
    /// with `y`. A calibration that was made at the tablet since takes its place.
    /// Default: none, so that the whole surface is the whole picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// The font of a pad's own screen, as an absolute path.
    /// Default: BIZ UDGothic, where Debian puts it.
    #[serde(default = "usual_font")]
    pub font: String,
    /// Width of the pictures on the citizen's screen: of a pen display's monitor, in pixels.
    /// Default: 1920.
    #[serde(default = "usual_width")]
    pub picture_width: u32,
    /// Their height.
    /// Default: 1080.
    #[serde(default = "usual_height")]
    pub picture_height: u32,
}

/// Where a tablet is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TabletConnection {
    /// A USB device.
    Usb {
        /// The vendor's number.
        vendor: u16,
        /// The product's number.
        product: u16,
        /// The device's serial number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        serial: Option<String>,
    },
    /// No device: the citizen's screen feels the pen.
    Page,
    /// A simulated USB device at this address and port, which must be on this machine.
    Simulated(String),
}

/// What a tablet is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TabletKind {
    /// Found out from its product number and what it says of itself.
    #[default]
    Auto,
    /// A pen on a monitor.
    PenDisplay,
    /// A pad with a screen of its own.
    Pad,
}

/// How a tablet stands, clockwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// As built.
    #[default]
    None,
    /// A quarter turn.
    Quarter,
    /// Upside down.
    Half,
    /// Three quarters.
    ThreeQuarters,
}

/// A calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Towards the right.
    pub x: [f64; 3],
    /// Downwards.
    pub y: [f64; 3],
}

fn usual_font() -> String {
    "/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Regular.ttf".to_owned()
}

const fn usual_width() -> u32 {
    1920
}

const fn usual_height() -> u32 {
    1080
}
