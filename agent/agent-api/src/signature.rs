//! Pen signatures (手書き署名): what is ordered, and what was signed.
//!
//! A pen signature is an image of a hand with the circumstances in which it was given; it is not an
//! electronic signature in the sense of the law, and nothing here calls it one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to show, and how to have it signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SigningOrder {
    /// A PDF or PNG that was handed in by `POST /v1/documents`; this job uses it up.
    pub document: String,
    /// Who shows it, where the tablet has no screen of its own.
    pub surface: Surface,
    /// Whether every page must have been on the screen before the signature can be given.
    #[serde(default)]
    pub every_page: bool,
    /// The visit (来庁) to which it belongs, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<String>,
    /// What else is to come out besides the sealed container.
    #[serde(default)]
    pub exports: Vec<Export>,
    /// For the export `pdf`: where the ink goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Who shows the document, or the crosses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Surface {
    /// The agent's own page on the citizen's screen, paired with this counter.
    CitizenScreen,
    /// A page of the application, through the SDK.
    Application,
}

/// How a tablet is calibrated: `x[0]*x + x[1]*y + x[2]` of the pen's own x and y is the share of the picture from
/// the left, the same with `y` that from the top. The rows are those of `mapping` in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Calibration {
    /// Towards the right.
    pub x: [f64; 3],
    /// Downwards.
    pub y: [f64; 3],
    /// How far the worst tap was from its cross, in thousandths of the picture.
    pub worst_error: f64,
}

/// Something that can come out of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Export {
    /// InkML (W3C 2011).
    Inkml,
    /// ISO/IEC 19794-7:2007.
    Iso19794,
    /// SVG.
    Svg,
    /// PNG.
    Png,
    /// The document with the ink and the container in it, signed with the municipality's key where one is
    /// configured. The document must be a PDF.
    Pdf,
}

/// A place on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Place {
    /// The page, counted from 1.
    pub page: u32,
    /// Left, top, width and height in tenths of a millimetre from the page's top left.
    pub area: [u32; 4],
}

/// What was signed, how and when. Holds no ink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedSummary {
    /// SHA-256 of the document as it was handed in, as lower-case hexadecimal digits.
    pub document_sha256: String,
    /// What was on the screen, in order.
    pub shown: Vec<ShownPage>,
    /// SHA-256 of the InkML.
    pub ink_sha256: String,
    /// What felt the pen: maker, model, serial.
    pub device: String,
    /// How often the citizen began.
    pub attempts: u32,
    /// How many samples there are, and how many were lost on the way.
    pub samples: [u32; 2],
    /// When the signature was confirmed, in milliseconds since 1970-01-01T00:00:00Z.
    pub signed_at: u64,
    /// The name of the key that sealed the container.
    pub sealed_by: String,
    /// Exports that were ordered and could not be made, such as `pdf` of a document that takes no signature. The
    /// container is there all the same, and holds what they would have been made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_made: Vec<Export>,
}

/// What was on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShownPage {
    /// Its number, counted from 1.
    pub page: u32,
    /// SHA-256 of the picture, as lower-case hexadecimal digits.
    pub picture_sha256: String,
    /// For how many milliseconds it was on the screen.
    pub shown_ms: u64,
}
