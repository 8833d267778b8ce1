//! What a document scanner is to the rest of the product: the trait, what is asked, what comes back.

use std::fmt;

use device_api::{Patience, Secret};

use crate::ScanError;

/// A scanner of paper documents.
///
/// Nothing is kept open between two calls, so a scanner or server that went away and came back is usable
/// again, and other programs can use it meanwhile.
pub trait DocumentScanner: Send + fmt::Debug {
    /// Scans what lies on the glass, or in the feeder until it is empty. Blocks until the document is
    /// finished, the patience ends or something fails; then the scanner is free again.
    ///
    /// # Errors
    /// [`ScanError`]. Pages that came before a failure are erased: half a document is none.
    fn scan(
        &mut self,
        request: &ScanRequest,
        on_progress: &mut dyn FnMut(Progress),
        patience: &Patience,
    ) -> Result<Scanned, ScanError>;

    /// What it can do, as it said when it was opened. Does not block.
    fn capabilities(&self) -> &Capabilities;

    /// How it is now. Asks the scanner.
    ///
    /// # Errors
    /// [`ScanError`] where it does not answer.
    fn status(&mut self, patience: &Patience) -> Result<Status, ScanError>;
}

/// Where the paper lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// On the glass.
    Flatbed,
    /// In the feeder; front sides.
    Feeder,
    /// In the feeder; both sides.
    FeederDuplex,
}

/// What is seen of the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColourMode {
    /// Black or white.
    Bilevel,
    /// Brightness.
    Gray,
    /// Colours.
    Colour,
}

/// A length and a width, in tenths of a millimetre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageSize {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl PageSize {
    /// ISO A4.
    pub const A4: Self = Self {
        width: 2100,
        height: 2970,
    };
    /// ISO A5.
    pub const A5: Self = Self {
        width: 1480,
        height: 2100,
    };
    /// ISO A3.
    pub const A3: Self = Self {
        width: 2970,
        height: 4200,
    };
    /// JIS B5.
    pub const JIS_B5: Self = Self {
        width: 1820,
        height: 2570,
    };
}

/// A turn of the picture, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Turn {
    /// None.
    #[default]
    None,
    /// A quarter.
    Quarter,
    /// Upside down.
    Half,
    /// Three quarters.
    ThreeQuarters,
}

/// What the document becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One PDF/A-2b file.
    PdfA,
    /// One TIFF file of several pages, compressed by LZW.
    Tiff,
    /// A PNG file for each page.
    Png,
}

impl Format {
    /// The media type of a file.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::PdfA => "application/pdf",
            Self::Tiff => "image/tiff",
            Self::Png => "image/png",
        }
    }
}

/// What shall be scanned, and what it shall become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRequest {
    /// Where the paper lies.
    pub source: Source,
    /// Dots per inch, in both directions.
    pub resolution: u32,
    /// What is seen of the colours.
    pub colour: ColourMode,
    /// How much of the glass or sheet is scanned, from the top left corner.
    pub page: PageSize,
    /// After how many pages to stop, blank ones counted; those of the glass are one.
    pub max_pages: u32,
    /// Whether pages that lie askew are straightened.
    pub deskew: bool,
    /// Whether pages without content are left out. Where all are blank, the first stays.
    pub drop_blank: bool,
    /// A turn of every page.
    pub turn: Turn,
    /// What the document becomes.
    pub format: Format,
    /// The most bytes that all files may have together.
    pub max_bytes: usize,
}

impl ScanRequest {
    /// An A4 page from the glass: 300 dots per inch, in colours, straightened, as PDF/A.
    #[must_use]
    pub const fn a4() -> Self {
        Self {
            source: Source::Flatbed,
            resolution: 300,
            colour: ColourMode::Colour,
            page: PageSize::A4,
            max_pages: 100,
            deskew: true,
            drop_blank: false,
            turn: Turn::None,
            format: Format::PdfA,
            max_bytes: 256 * 1024 * 1024,
        }
    }
}

/// How far the scan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The page that is being scanned; the first is 1.
    pub page: u32,
    /// How much of it has come, in thousandths, where its size is known. 1000 once for each page.
    pub per_mille: Option<u16>,
}

/// What became of one page, in the order of scanning.
#[derive(Clone, PartialEq, Eq)]
pub struct ScannedPage {
    /// The SHA-256 of the picture as it stands in the file: of its JPEG bytes where the scanner's own JPEG
    /// was kept, else of [`Picture::hash`](crate::image::Picture::hash).
    pub picture: [u8; 32],
    /// Picture elements from left to right.
    pub width: u32,
    /// Picture elements from top to bottom.
    pub height: u32,
    /// Dots per inch.
    pub dpi: u32,
    /// By how much the page was straightened, in hundredths of a degree, clockwise positive; 0 for not at all.
    pub straightened: i32,
    /// Whether nothing is on it.
    pub blank: bool,
    /// Whether it stands in the document.
    pub kept: bool,
}

impl fmt::Debug for ScannedPage {
    /// Without the hash, by which a known document could be recognised in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScannedPage")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("dpi", &self.dpi)
            .field("straightened", &self.straightened)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

/// A document.
#[derive(Debug)]
pub struct Scanned {
    /// Its pages, left out ones included.
    pub pages: Vec<ScannedPage>,
    /// Its file; for PNG a file for each page.
    pub files: Vec<Secret>,
    /// What the files are.
    pub media_type: &'static str,
}

/// What a scanner can do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Maker and model, as the scanner says.
    pub model: String,
    /// Its sources, each with what it can do.
    pub sources: Vec<SourceCapabilities>,
}

impl Capabilities {
    /// What this source can do, where there is one.
    #[must_use]
    pub fn of(&self, source: Source) -> Option<&SourceCapabilities> {
        self.sources.iter().find(|one| one.source == source)
    }
}

/// What one source can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCapabilities {
    /// Which one.
    pub source: Source,
    /// What it can see of colours.
    pub colours: Vec<ColourMode>,
    /// The resolutions that it offers.
    pub resolutions: Resolutions,
    /// The largest page, where it says.
    pub largest: Option<PageSize>,
}

/// Resolutions in dots per inch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolutions {
    /// Any of these.
    Listed(Vec<u32>),
    /// From a smallest to a largest, in steps.
    Range {
        /// The smallest.
        min: u32,
        /// The largest.
        max: u32,
        /// The distance between two.
        step: u32,
    },
}

impl Resolutions {
    /// Whether this resolution is offered.
    #[must_use]
    pub fn offers(&self, resolution: u32) -> bool {
        match self {
            Self::Listed(list) => list.contains(&resolution),
            Self::Range { min, max, step } => {
                (*min..=*max).contains(&resolution)
                    && (resolution - min).is_multiple_of((*step).max(1))
            }
        }
    }
}

/// How a scanner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Whether it can begin now.
    pub ready: bool,
    /// How its feeder is, where that is known.
    pub feeder: Option<FeederStatus>,
}

/// How a feeder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeederStatus {
    /// Has paper, or moves it.
    Loaded,
    /// Has none.
    Empty,
    /// Paper is stuck.
    Jammed,
    /// Its cover is open.
    CoverOpen,
    /// Something else is wrong.
    Failed,
}
