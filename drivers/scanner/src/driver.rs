//! Scanners over links: where readings come from, and the loop that is the same for all.
//!
//! A source waits for bytes, reports or keys, and cuts them into readings; [`Driven`] interprets them.
//! Waiting is always the link's, with a deadline: that of the caller, or the moment at which a reading
//! that has begun or a message in parts is given up, whichever is earlier.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, Moment, Patience};
use link::identity::Way;
use link::watch::Watch;
use link::{Frame, Interrupter, Link, LinkError, ReportLink, hid_stream, hidraw, serial, tcp};
use zeroize::Zeroizing;

use crate::fault::{Garble, ScannerError};
use crate::interpret::{Interpreter, Reading};
use crate::platform;
use crate::quirks::{self, Quirks};
use crate::scan::{CodeScanner, Scan};
use crate::settings::{Connection, HidSelector, ScannerSettings};
use crate::wire::aim::AimId;
use crate::wire::framer::{ClosedBy, Framed, Framer, Framing, Suffix};
use crate::wire::hid_pos::{Layout, LayoutError, Piece, ReportError, Reports};

/// How long opening may wait for a device to answer.
const OPENING: Duration = Duration::from_secs(3);

/// Opens the scanner that the settings describe. Blocks for some seconds at the longest.
///
/// # Errors
/// [`ScannerError::Gone`] where there is no such scanner, [`ScannerError::Busy`], [`ScannerError::Denied`],
/// [`ScannerError::NotAScanner`], [`ScannerError::Unsupported`], [`ScannerError::Link`].
pub fn open(
    settings: &ScannerSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn CodeScanner>, ScannerError> {
    let until = Deadline::at(clock.now().plus(OPENING));
    match &settings.connection {
        Connection::Serial(line) => {
            let link = serial::open(line, Arc::clone(&clock))?;
            Ok(over_stream(Box::new(link), settings, clock))
        }
        Connection::Tcp(address) => {
            let link = tcp::connect(*address, until, Arc::clone(&clock))?;
            Ok(over_stream(Box::new(link), settings, clock))
        }
        Connection::Hid(selector) => {
            let (path, vendor) = find(selector, &clock)?;
            let link = hidraw::open(&path, Arc::clone(&clock))?;
            over_reports(Box::new(link), vendor, settings, clock)
        }
        Connection::HidStream(address) => {
            let link = hid_stream::connect(*address, until, Arc::clone(&clock))?;
            over_reports(Box::new(link), 0, settings, clock)
        }
        Connection::Keyboard(selector) => platform::keyboard(selector, settings, clock),
    }
}

/// A scanner at the other end of a stream of bytes that is open already.
#[must_use]
pub fn over_stream(
    link: Box<dyn Link>,
    settings: &ScannerSettings,
    clock: Arc<dyn Clock>,
) -> Box<dyn CodeScanner> {
    let source = StreamSource {
        link,
        aim: settings.framing.aim,
        framer: Framer::new(settings.framing.clone()),
    };
    Box::new(Driven::new(source, settings, clock))
}

/// A scanner of `vendor` (0 where that is not known) at the other end of a link of reports.
///
/// Switches it to HID POS where a quirk says so.
///
/// # Errors
/// [`ScannerError::NotAScanner`], and where the device leaves meanwhile.
pub fn over_reports(
    mut link: Box<dyn ReportLink>,
    vendor: u16,
    settings: &ScannerSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn CodeScanner>, ScannerError> {
    let quirks = quirks::of(vendor);
    switch_mode(link.as_mut(), quirks, &clock)?;
    let layout = match Layout::described(link.descriptor()) {
        Err(LayoutError::NoData) if quirks.usual_layout => Layout::usual(),
        described => described.map_err(ScannerError::NotAScanner)?,
    };
    let Framing {
        suffix,
        longest,
        silence,
        ..
    } = settings.framing.clone();
    let source = ReportSource {
        link,
        suffix,
        reports: Reports::new(layout, longest, silence),
    };
    Ok(Box::new(Driven::new(source, settings, clock)))
}

/// Asks a device to send readings as HID POS. One that has no such report is in that mode already, or
/// never will be, which its descriptor tells.
fn switch_mode(
    link: &mut dyn ReportLink,
    quirks: Quirks,
    clock: &Arc<dyn Clock>,
) -> Result<(), ScannerError> {
    let Some(report) = quirks.mode_switch else {
        return Ok(());
    };
    let until = Deadline::at(clock.now().plus(OPENING));
    match link.set_feature(&Frame::plain(report), until) {
        Ok(()) => Ok(()),
        Err(error @ (LinkError::Malformed { .. } | LinkError::Io { .. })) => {
            tracing::warn!(%error, "a scanner did not take the report that chooses its mode");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The device file and vendor of the first HID POS scanner that fits.
fn find(
    selector: &HidSelector,
    clock: &Arc<dyn Clock>,
) -> Result<(std::path::PathBuf, u16), ScannerError> {
    let mut watch = Watch::begin(Arc::clone(clock))?;
    let at_once = Deadline::at(clock.now());
    loop {
        match watch.next(at_once) {
            Ok(_) => {}
            Err(LinkError::TimedOut) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let chosen = watch.present().iter().find_map(|found| {
        let Way::Hid { path, .. } = &found.way else {
            return None;
        };
        selector
            .fits(found)
            .then(|| (path.clone(), found.identity.vendor))
    });
    chosen.ok_or(ScannerError::Gone)
}

/// Where readings come from.
pub(crate) trait Source: Send + fmt::Debug {
    /// Waits once, and returns what that completed or spoiled, which may be nothing.
    fn wait(&mut self, until: Deadline, clock: &dyn Clock) -> Result<Readings, LinkError>;

    /// When something that has begun is given up, which a `wait` until then does.
    fn due(&self) -> Option<Moment>;

    /// Ends a wait from another thread.
    fn interrupter(&self) -> Interrupter;
}

pub(crate) type Readings = Vec<Result<Reading, ScannerError>>;

/// A source with what makes scans of its readings.
#[derive(Debug)]
pub(crate) struct Driven<S> {
    source: S,
    interpreter: Interpreter,
    ready: VecDeque<Result<Scan, ScannerError>>,
    clock: Arc<dyn Clock>,
}

impl<S: Source> Driven<S> {
    pub(crate) fn new(source: S, settings: &ScannerSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            source,
            interpreter: Interpreter::new(settings),
            ready: VecDeque::new(),
            clock,
        }
    }

    fn wait(&mut self, patience: &Patience) -> Result<(), ScannerError> {
        let due = [self.source.due(), self.interpreter.due()];
        let until = due.into_iter().flatten().map(Deadline::at);
        let until = until.fold(patience.deadline(), Deadline::min);
        match self.source.wait(until, self.clock.as_ref()) {
            Ok(readings) => {
                for reading in readings {
                    match reading {
                        Ok(reading) => {
                            let scans = self.interpreter.take(&reading, self.clock.as_ref());
                            self.ready.extend(scans);
                        }
                        Err(error) => self.ready.push_back(Err(error)),
                    }
                }
            }
            // Who interrupted is seen by looking at patience again: it may have been for an earlier call.
            Err(LinkError::TimedOut | LinkError::Interrupted) => {}
            Err(error) => return Err(error.into()),
        }
        let given_up = self.interpreter.tick(self.clock.now());
        self.ready.extend(given_up.map(Err));
        Ok(())
    }
}

impl<S: Source> CodeScanner for Driven<S> {
    fn next(&mut self, patience: &Patience) -> Result<Scan, ScannerError> {
        let interrupter = self.source.interrupter();
        let _woken = patience.when_stopped(move || interrupter.interrupt());
        loop {
            if let Some(result) = self.ready.pop_front() {
                return result;
            }
            patience.check()?;
            self.wait(patience)?;
        }
    }

    fn forget(&mut self) -> bool {
        let untold = !self.ready.is_empty();
        self.ready.clear();
        self.interpreter.forget() || untold
    }
}

/// Readings in a stream of bytes.
#[derive(Debug)]
struct StreamSource {
    link: Box<dyn Link>,
    aim: bool,
    framer: Framer,
}

impl Source for StreamSource {
    fn wait(&mut self, until: Deadline, clock: &dyn Clock) -> Result<Readings, LinkError> {
        let (done, at) = match self.link.receive(until) {
            Ok(frame) => {
                let at = clock.now();
                (self.framer.push(frame.bytes(), at), at)
            }
            Err(LinkError::TimedOut) => {
                let now = clock.now();
                (self.framer.tick(now).into_iter().collect(), now)
            }
            Err(error) => {
                if matches!(error, LinkError::Gone) {
                    self.framer.reset();
                }
                return Err(error);
            }
        };
        let readings = done.into_iter().map(|each| reading(each, self.aim, at));
        Ok(readings.collect())
    }

    fn due(&self) -> Option<Moment> {
        self.framer.due()
    }

    fn interrupter(&self) -> Interrupter {
        self.link.interrupter()
    }
}

/// A framed reading, with its identifier taken off where there must be one.
pub(crate) fn reading<E: Into<ScannerError>>(
    framed: Result<Framed, E>,
    aim: bool,
    at: Moment,
) -> Result<Reading, ScannerError> {
    let Framed { payload, closed_by } = framed.map_err(Into::into)?;
    let (aim, content) = if aim {
        let (aim, content) =
            AimId::split(&payload).ok_or(ScannerError::Garbled(Garble::NoIdentifier))?;
        (Some(aim), Zeroizing::new(content.to_vec()))
    } else {
        (None, payload)
    };
    Ok(Reading {
        aim,
        vendor: None,
        content,
        closed_by,
        at,
    })
}

/// Readings in input reports.
#[derive(Debug)]
struct ReportSource {
    link: Box<dyn ReportLink>,
    suffix: Suffix,
    reports: Reports,
}

impl ReportSource {
    fn reading(&self, piece: Piece, at: Moment) -> Reading {
        let mut content = piece.data;
        let end: &[u8] = match self.suffix {
            Suffix::Nothing | Suffix::EtxLrc => &[],
            Suffix::Cr => b"\r",
            Suffix::CrLf => b"\r\n",
            Suffix::Tab => b"\t",
            Suffix::Etx => b"\x03",
        };
        if content.ends_with(end) {
            let length = content.len() - end.len();
            content.truncate(length);
        }
        Reading {
            aim: piece.aim,
            vendor: piece.vendor,
            content,
            closed_by: ClosedBy::LastReport,
            at,
        }
    }
}

impl Source for ReportSource {
    fn wait(&mut self, until: Deadline, clock: &dyn Clock) -> Result<Readings, LinkError> {
        let done: Vec<Result<Piece, ReportError>> = match self.link.receive(until) {
            Ok(frame) => self.reports.push(frame.bytes(), clock.now()),
            Err(LinkError::TimedOut) => self
                .reports
                .tick(clock.now())
                .map(Err)
                .into_iter()
                .collect(),
            Err(error) => return Err(error),
        };
        let at = clock.now();
        let readings = done.into_iter().map(|each| match each {
            Ok(piece) => Ok(self.reading(piece, at)),
            Err(error) => Err(error.into()),
        });
        Ok(readings.collect())
    }

    fn due(&self) -> Option<Moment> {
        self.reports.due()
    }

    fn interrupter(&self) -> Interrupter {
        self.link.interrupter()
    }
}

#[cfg(test)]
pub(crate) mod tests;
