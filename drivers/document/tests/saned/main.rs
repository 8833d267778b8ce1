//! The driver against the real `saned` with the backend `test`, and against `scanimage`, which reads the
//! same pictures by other code.
//!
//! `saned` is started as inetd does it, one process for each connection with the socket as its standard
//! input, so that the system chooses the port.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of an integration test fail by panicking"
)]

#[cfg(feature = "contract")]
mod contract;
mod pictures;
mod server;
mod troubles;

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, Patience, SystemClock};
use document::{
    ColourMode, Connection, DocumentScanner, DocumentSettings, Format, PageSize, ScanError,
    ScanRequest, Scanned, Source,
};

use server::Saned;

/// Patience of twenty seconds.
fn patience() -> Patience {
    patience_of(Duration::from_secs(20))
}

fn patience_of(span: Duration) -> Patience {
    let clock = SystemClock::new();
    let deadline = Deadline::at(clock.now().plus(span));
    Patience::new(Arc::new(clock), deadline)
}

/// A page of 80 by 100 millimetres, as it comes.
fn request(colour: ColourMode, resolution: u32) -> ScanRequest {
    ScanRequest {
        resolution,
        colour,
        page: PageSize {
            width: 800,
            height: 1000,
        },
        deskew: false,
        format: Format::Png,
        ..ScanRequest::a4()
    }
}

fn feeder(resolution: u32) -> ScanRequest {
    ScanRequest {
        source: Source::Feeder,
        ..request(ColourMode::Gray, resolution)
    }
}

fn open(saned: &Saned, options: &[(&str, &str)]) -> Box<dyn DocumentScanner> {
    let mut settings = DocumentSettings::new(Connection::Sane {
        address: saned.address(),
        device: "test:0".to_owned(),
    });
    settings.options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    document::open(&settings, &patience()).unwrap()
}

fn scan(
    saned: &Saned,
    request: &ScanRequest,
    options: &[(&str, &str)],
) -> Result<Scanned, ScanError> {
    open(saned, options).scan(request, &mut |_| {}, &patience())
}
