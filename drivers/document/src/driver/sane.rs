//! Scanners behind a SANE server.

mod choose;
mod session;

use std::time::Duration;

use device_api::Patience;

use self::session::Session;
use super::{DocumentSettings, Pages, RawPage, produce};
use crate::ScanError;
use crate::connection::Connection;
use crate::image::raw::{RawFrame, assemble};
use crate::scanner::{
    Capabilities, DocumentScanner, Progress, ScanRequest, Scanned, Source, Status,
};
use crate::wire::sane::reply::{Device, Frame};
use crate::wire::sane::{self, PORT, records::Records};

/// A scanner behind a SANE server. Between two scans nothing is open.
#[derive(Debug)]
pub(super) struct SaneScanner {
    server: Server,
    device: String,
    options: Vec<(String, String)>,
    capabilities: Capabilities,
}

/// Where a server is.
#[derive(Debug, Clone)]
struct Server {
    host: String,
    port: u16,
    silence: Duration,
}

impl SaneScanner {
    pub(super) fn open(
        host: &str,
        port: u16,
        device: &str,
        settings: &DocumentSettings,
        patience: &Patience,
    ) -> Result<Self, ScanError> {
        let server = Server {
            host: host.to_owned(),
            port,
            silence: settings.silence,
        };
        let mut session = Session::begin(&server, patience)?;
        session.open(device)?;
        let capabilities = choose::capabilities(device, session.options());
        session.end()?;
        Ok(Self {
            server,
            device: device.to_owned(),
            options: settings.options.clone(),
            capabilities,
        })
    }
}

impl DocumentScanner for SaneScanner {
    fn scan(
        &mut self,
        request: &ScanRequest,
        on_progress: &mut dyn FnMut(Progress),
        patience: &Patience,
    ) -> Result<Scanned, ScanError> {
        let mut session = Session::begin(&self.server, patience)?;
        session.open(&self.device)?;
        choose::apply(&mut session, request, &self.options)?;
        let mut pages = SanePages {
            session,
            source: request.source,
        };
        let scanned = produce(&mut pages, request, on_progress, patience)?;
        // Where something failed, the connection is dropped: the server frees the scanner then.
        pages.session.end()?;
        Ok(scanned)
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn status(&mut self, patience: &Patience) -> Result<Status, ScanError> {
        let mut session = Session::begin(&self.server, patience)?;
        let ready = match session.open(&self.device) {
            Ok(()) => true,
            Err(ScanError::Busy { .. }) => false,
            Err(error) => return Err(error),
        };
        session.end()?;
        Ok(Status {
            ready,
            feeder: None,
        })
    }
}

/// The scanners of a SANE server. Takes as long as the server needs to look at all its buses.
///
/// # Errors
/// [`ScanError`] where the server cannot be reached or refuses us.
pub fn list_sane(
    address: &str,
    silence: Duration,
    patience: &Patience,
) -> Result<Vec<Device>, ScanError> {
    let (host, port) = host_and_port(address)?;
    let server = Server {
        host: host.to_owned(),
        port,
        silence,
    };
    let mut session = Session::begin(&server, patience)?;
    let devices = session.devices()?;
    session.end()?;
    Ok(devices)
}

/// The parts of `host`, `host:port` or `[host]:port`.
pub(super) fn host_and_port(address: &str) -> Result<(&str, u16), ScanError> {
    let parsed = match address.strip_prefix('[') {
        Some(rest) => rest.split_once(']').and_then(|(host, port)| {
            let port = match port.strip_prefix(':') {
                Some(port) => port.parse().ok()?,
                None if port.is_empty() => PORT,
                None => return None,
            };
            Some((host, port))
        }),
        None => match address.split_once(':') {
            Some((host, port)) => port.parse().ok().map(|port| (host, port)),
            None => Some((address, PORT)),
        },
    };
    parsed
        .filter(|(host, _)| !host.is_empty())
        .ok_or(ScanError::Settings { what: "address" })
}

/// Pages as frames of SANE.
struct SanePages {
    session: Session,
    source: Source,
}

impl Pages for SanePages {
    fn next(
        &mut self,
        number: u32,
        on_part: &mut dyn FnMut(u16),
    ) -> Result<Option<RawPage>, ScanError> {
        const ATTEMPTED: &str = "reading a page";
        let mut frames: Vec<RawFrame> = Vec::new();
        loop {
            let before = number - 1;
            let started = match self.session.start(before) {
                // An empty feeder is the end, unless nothing came before.
                Err(ScanError::NoPaper) if before > 0 && frames.is_empty() => return Ok(None),
                other => other?,
            };
            let (parameters, data) = self.session.parameters_and_data(started.port)?;
            let frame = RawFrame::new(parameters, started.big_endian).map_err(too_large)?;
            let passes = match parameters.frame {
                Frame::Gray | Frame::Rgb => 1,
                Frame::Red | Frame::Green | Frame::Blue => 3,
            };
            let done = u16::try_from(frames.len()).unwrap_or(0) * 1000;
            let frame = receive(data, frame, before, &mut |part| {
                on_part((done + part) / passes);
            })?;
            // A feeder may find the sheet shorter than the page; the glass is as long as it is.
            if frame.is_short() && self.source == Source::Flatbed {
                return Err(ScanError::Picture {
                    what: "fewer lines than announced",
                });
            }
            frames.push(frame);
            if parameters.last || frames.len() >= 3 {
                break;
            }
        }
        let picture = assemble(&frames).map_err(|source| ScanError::of_wire(source, ATTEMPTED));
        picture
            .map(|picture| Some(RawPage::Picture(picture)))
            .map_err(|_mismatch| ScanError::Picture {
                what: "frames do not make a picture",
            })
    }
}

/// Reads one frame from its data connection.
fn receive(
    mut data: Connection,
    mut frame: RawFrame,
    before: u32,
    on_part: &mut dyn FnMut(u16),
) -> Result<RawFrame, ScanError> {
    const ATTEMPTED: &str = "reading a page";
    let mut records = Records::default();
    let mut chunk = zeroize::Zeroizing::new(vec![0; 64 * 1024]);
    let status = loop {
        if let Some(status) = records.ended() {
            break status;
        }
        let count = data.read(&mut chunk, ATTEMPTED)?;
        if count == 0 {
            return Err(ScanError::Gone {
                attempted: ATTEMPTED,
            });
        }
        records
            .feed(chunk.get(..count).unwrap_or_default(), |bytes| {
                frame.push(bytes)
            })
            .map_err(too_large)?;
        if let Some(part) = frame.per_mille() {
            on_part(part);
        }
    };
    if matches!(status, sane::Status::Good | sane::Status::Eof) {
        return Ok(frame);
    }
    Err(ScanError::of_sane(status, ATTEMPTED, before))
}

/// A frame that is too large is the document's fault; anything else the scanner's.
fn too_large(source: crate::wire::WireError) -> ScanError {
    match source {
        crate::wire::WireError::Beyond { what, limit } => ScanError::TooLarge { what, limit },
        crate::wire::WireError::Incomplete | crate::wire::WireError::Malformed { .. } => {
            ScanError::Picture {
                what: "data that are not as announced",
            }
        }
    }
}
