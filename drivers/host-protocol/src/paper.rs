//! Documents: what is attached, and what is scanned.

use serde::{Deserialize, Serialize};

/// Bytes that travel in `part` messages of the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment {
    /// Its number within the job; each side counts its own.
    pub attachment: u32,
    /// What it is, such as `application/pdf`.
    pub media_type: String,
    /// Its length in bytes.
    pub length: u64,
}

/// Where paper can lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScanOrder {
    /// Where the paper lies.
    pub source: Source,
    /// Dots per inch.
    pub resolution: u32,
    /// How colours are kept.
    pub colour: Colour,
    /// The area, width and height in tenths of a millimetre from the top left; A4 is 2100 and 2970.
    pub area: [u32; 2],
    /// The most pages that are taken.
    pub max_pages: u32,
    /// Whether pages that lie askew are straightened.
    pub straighten: bool,
    /// Whether blank pages are left out.
    pub drop_blank: bool,
    /// What the file is to be.
    pub format: DocumentFormat,
}

/// A document that was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScannedDocument {
    /// The file.
    pub file: Attachment,
    /// SHA-256 of the file, as lower-case hexadecimal digits.
    pub sha256: String,
    /// Its pages.
    pub pages: Vec<PageFacts>,
    /// How many blank pages were left out.
    pub blank_dropped: u32,
}

/// What is known of a scanned page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
