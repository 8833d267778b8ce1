//! Talking with one printer: a link that is opened when it is needed, and what was heard over it.
//!
//! Invariant: a link on which something failed is dropped, so that no half answer is taken for a whole one.

use std::fmt;
use std::time::Duration;

use device_api::{Deadline, Patience, Stop};
use link::{Frame, Link, LinkError};

use crate::fault::PrintError;
use crate::journal::JournalError;
use crate::wire::decode::{Decoder, Report};

/// Opens the way to one printer.
pub trait Connector: Send + fmt::Debug {
    /// A fresh link.
    ///
    /// # Errors
    /// Where the printer cannot be reached until the deadline.
    fn connect(&mut self, deadline: Deadline) -> Result<Box<dyn Link>, LinkError>;
}

/// How a conversation ended.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The link failed.
    Link(&'static str, LinkError),
    /// Somebody stopped the work.
    Stopped(Stop),
}

/// What ended an exchange that belongs to no paper.
#[derive(Debug)]
pub(crate) enum Ended {
    Broken(Broken),
    Journal(JournalError),
}

impl Ended {
    /// What this means where nothing of a ticket was sent.
    pub(crate) fn before(self) -> PrintError {
        match self {
            Self::Broken(Broken::Link(attempted, source)) => PrintError::Link { attempted, source },
            Self::Broken(Broken::Stopped(stop)) => PrintError::Stopped(stop),
            Self::Journal(error) => PrintError::Journal(error),
        }
    }
}

impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// The most bytes that are sent in one go, so that a printer that stops is noticed.
const PORTION: usize = 4096;
/// How long a portion may take: 4 KiB are 4.3 seconds at 9600 bits a second.
const PORTION_PATIENCE: Duration = Duration::from_secs(6);
/// How long is listened for what an earlier conversation left.
const LEFTOVERS: Duration = Duration::from_millis(50);

/// A conversation with one printer.
#[derive(Debug)]
pub(crate) struct Conversation {
    connector: Box<dyn Connector>,
    link: Option<Box<dyn Link>>,
    decoder: Decoder,
}

impl Conversation {
    pub(crate) fn new(connector: Box<dyn Connector>) -> Self {
        Self {
            connector,
            link: None,
            decoder: Decoder::new(),
        }
    }

    /// Connects where there is no link; what the printer still had to say to an earlier listener, or
    /// `None` where the link is an old one.
    pub(crate) fn connect(&mut self, patience: &Patience) -> Result<Option<Vec<Report>>, Broken> {
        patience.check().map_err(Broken::Stopped)?;
        if self.link.is_some() {
            return Ok(None);
        }
        let connected = self.connector.connect(patience.deadline());
        self.link = Some(connected.map_err(|error| Broken::Link("connect to", error))?);
        self.decoder = Decoder::new();
        let mut left = Vec::new();
        let soon = within(patience, LEFTOVERS);
        loop {
            match self.hear(&soon)? {
                reports if reports.is_empty() => return Ok(Some(left)),
                // The answer to a question of somebody else would be taken for ours.
                reports => left.extend(reports.into_iter().filter(|report| match report {
                    Report::RealTime(_) | Report::InOrder(_) | Report::Cleared => false,
                    Report::State(_)
                    | Report::Process(_)
                    | Report::Hold
                    | Report::Resume
                    | Report::Text(_)
                    | Report::Garbled(_) => true,
                })),
            }
            if left.len() > 10_000 {
                return Ok(Some(left));
            }
        }
    }

    /// Sends bytes; a failure leaves open how many have left.
    pub(crate) fn send(&mut self, bytes: &[u8], patience: &Patience) -> Result<(), Broken> {
        for portion in bytes.chunks(PORTION) {
            match patience.check() {
                Err(Stop::Cancelled) => return Err(Broken::Stopped(Stop::Cancelled)),
                Err(Stop::Deadline) | Ok(()) => {}
            }
            let deadline = within(patience, PORTION_PATIENCE).deadline();
            let link = self.link.as_mut();
            let sent = link.map_or(Err(LinkError::Gone), |link| {
                link.send(&Frame::personal(portion), deadline)
            });
            if let Err(error) = sent {
                // After a timeout the printer may still tell why it takes nothing.
                if !matches!(error, LinkError::TimedOut) {
                    self.hang_up();
                }
                return Err(Broken::Link("send to", error));
            }
        }
        Ok(())
    }

    /// What the printer says next; nothing where it says nothing until the deadline.
    pub(crate) fn hear(&mut self, patience: &Patience) -> Result<Vec<Report>, Broken> {
        loop {
            match patience.check() {
                Err(Stop::Cancelled) => return Err(Broken::Stopped(Stop::Cancelled)),
                Err(Stop::Deadline) => return Ok(Vec::new()),
                Ok(()) => {}
            }
            let Some(link) = self.link.as_mut() else {
                return Err(Broken::Link("listen to", LinkError::Gone));
            };
            let interrupter = link.interrupter();
            let waker = patience.when_stopped(move || interrupter.interrupt());
            let received = link.receive(patience.deadline());
            drop(waker);
            match received {
                Ok(frame) => {
                    let reports = self.decoder.take(frame.bytes());
                    if !reports.is_empty() {
                        return Ok(reports);
                    }
                }
                Err(LinkError::TimedOut) => return Ok(Vec::new()),
                // Meant for this wait or an earlier one; the check above tells.
                Err(LinkError::Interrupted) => {}
                Err(error) => {
                    self.hang_up();
                    return Err(Broken::Link("listen to", error));
                }
            }
        }
    }

    /// Drops the link.
    pub(crate) fn hang_up(&mut self) {
        self.link = None;
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.link.is_some()
    }
}

/// The same patience, for so long at most.
pub(crate) fn within(patience: &Patience, span: Duration) -> Patience {
    patience.no_later_than(Deadline::at(patience.clock().now().plus(span)))
}
