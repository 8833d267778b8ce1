//! Documents that pages hand in and take out, and the scanning of paper.
//!
//! `POST /v1/documents` keeps a document in memory for its owner until a job uses it up or its time is over;
//! `POST /v1/documents/{id}/take` hands one that a job made out once. None is ever written to a disk.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest document, in bytes.
pub const MAX_DOCUMENT: usize = 32 * 1024 * 1024;

/// A document that the agent keeps in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeptDocument {
    /// The document.
    pub id: String,
    /// What it is for: `document`, or the kind of export, such as `container`, `inkml` or `pdf`.
    pub role: String,
    /// What it is, such as `application/pdf`.
    pub media_type: String,
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 of its bytes, as lower-case hexadecimal digits.
    pub sha256: String,
    /// Milliseconds until it is erased.
    pub expires_in_ms: u64,
}

/// Where paper can lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// On the glass, one page.
    Flatbed,
    /// In the feeder, the upper side of each sheet.
    Feeder,
    /// In the feeder, both sides of each sheet.
    FeederDuplex,
}

/// How colours are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Colour {
    /// One bit for each dot.
    BlackAndWhite,
    /// Eight bits of grey.
    Grey,
    /// Eight bits each of red, green and blue.
    Colour,
}

/// What the file is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DocumentFormat {
    /// PDF/A-2b, all pages in one file.
    PdfA,
    /// TIFF, all pages in one file.
    Tiff,
    /// PNG, one page.
    Png,
}

/// What to scan, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DocumentScan {
    /// Where the paper lies.
    pub source: Source,
    /// Dots per inch.
    pub resolution: u32,
    /// How colours are kept.
    pub colour: Colour,
    /// Width and height in tenths of a millimetre from the top left; A4 is 2100 and 2970.
    pub area: [u32; 2],
    /// The most pages that are taken, 1 to 200.
    pub max_pages: u32,
    /// Whether pages that lie askew are straightened.
    pub straighten: bool,
    /// Whether blank pages are left out.
    pub drop_blank: bool,
    /// What the file is to be.
    pub format: DocumentFormat,
}

/// What is known of a scanned page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PageFacts {
    /// Width in dots.
    pub width: u32,
    /// Height in dots.
    pub height: u32,
    /// By how many hundredths of a degree it was turned to stand straight.
    pub turned: i32,
    /// Whether it looks blank.
    pub blank: bool,
}
