//! Opens scanners, and turns the pages that come into a document.
//!
//! Everything between a page that has come and the file is here, so that both protocols give the same
//! document for the same picture.

mod escl;
mod http;
mod page;
mod sane;

use std::fmt;
use std::time::Duration;

use device_api::Patience;
use zeroize::Zeroizing;

use crate::ScanError;
use crate::connection::check;
use crate::image::Picture;
use crate::output::Document;
use crate::scanner::{DocumentScanner, Progress, ScanRequest, Scanned, ScannedPage, Source};
use crate::wire::http::Url;
use page::Finished;

pub use sane::list_sane;

/// How a scanner is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// Over a SANE server.
    Sane {
        /// `host:port`, or only the host; `[::1]:6566` for IPv6.
        address: String,
        /// The scanner's name at that server, such as `genesys:libusb:001:004`.
        device: String,
    },
    /// Over eSCL; a USB scanner behind ipp-usb has `http://localhost:60000/eSCL`.
    Escl {
        /// Where the service is, without a slash at the end.
        url: String,
    },
}

/// How a scanner is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSettings {
    /// How it is reached.
    pub connection: Connection,
    /// Further options of SANE that are set before each scan, by name, such as `("brightness", "10")`.
    pub options: Vec<(String, String)>,
    /// After how long without a sign of life the scanner counts as hung. A lamp may take a minute to warm
    /// up.
    pub silence: Duration,
}

impl DocumentSettings {
    /// A scanner that is reached this way, without further options.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self {
            connection,
            options: Vec::new(),
            silence: Duration::from_secs(90),
        }
    }
}

/// Opens a scanner: asks it what it can do, and lets it go again.
///
/// # Errors
/// [`ScanError`] where it cannot be reached, or is in use.
pub fn open(
    settings: &DocumentSettings,
    patience: &Patience,
) -> Result<Box<dyn DocumentScanner>, ScanError> {
    match &settings.connection {
        Connection::Sane { address, device } => {
            let (host, port) = sane::host_and_port(address)?;
            let scanner = sane::SaneScanner::open(host, port, device, settings, patience)?;
            Ok(Box::new(scanner))
        }
        Connection::Escl { url } => {
            let url = Url::parse(url).map_err(|_syntax| ScanError::Settings { what: "address" })?;
            let scanner = escl::EsclScanner::open(url, settings.silence, patience)?;
            Ok(Box::new(scanner))
        }
    }
}

/// A page as it came.
enum RawPage {
    /// Uncompressed.
    Picture(Picture),
    /// As JPEG, with the picture that it shows.
    Jpeg(Zeroizing<Vec<u8>>, Picture),
}

impl fmt::Debug for RawPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Picture(picture) | Self::Jpeg(_, picture) => picture.fmt(f),
        }
    }
}

/// A scan that delivers one page after the other.
trait Pages {
    /// The page of this number, the first being 1; `None` where there are no more.
    fn next(
        &mut self,
        number: u32,
        on_part: &mut dyn FnMut(u16),
    ) -> Result<Option<RawPage>, ScanError>;
}

/// Takes all pages, and makes the document of them.
fn produce(
    pages: &mut dyn Pages,
    request: &ScanRequest,
    on_progress: &mut dyn FnMut(Progress),
    patience: &Patience,
) -> Result<Scanned, ScanError> {
    let mut document = Document::new(
        request.format,
        request.max_bytes,
        patience.clock().unix_millis(),
    )?;
    let mut told: Vec<ScannedPage> = Vec::new();
    let mut first_blank: Option<Finished> = None;
    let most = match request.source {
        Source::Flatbed => 1,
        Source::Feeder | Source::FeederDuplex => request.max_pages,
    };
    for number in 1..=most {
        on_progress(Progress {
            page: number,
            per_mille: None,
        });
        // 1000 is told once, and nothing that goes back.
        let mut last = 0;
        let raw = pages.next(number, &mut |part| {
            if part > last && part < 1000 {
                last = part;
                on_progress(Progress {
                    page: number,
                    per_mille: Some(part),
                });
            }
        })?;
        let Some(raw) = raw else {
            break;
        };
        check(patience, "finishing a page")?;
        let mut finished = page::finish(raw, request, patience)?;
        if finished.told.blank && request.drop_blank {
            finished.told.kept = false;
            told.push(finished.told.clone());
            first_blank.get_or_insert(finished);
        } else {
            document.add(finished.content(), request.resolution)?;
            told.push(finished.told);
        }
        on_progress(Progress {
            page: number,
            per_mille: Some(1000),
        });
    }
    let all_left_out = told.iter().all(|page| !page.kept);
    let first = told.first_mut().ok_or(ScanError::NoPaper)?;
    // A document of blank pages only is one blank page: no file is without a page.
    if let Some(blank) = first_blank.filter(|_| all_left_out) {
        document.add(blank.content(), request.resolution)?;
        first.kept = true;
    }
    Ok(Scanned {
        pages: told,
        files: document.finish()?,
        media_type: request.format.media_type(),
    })
}
