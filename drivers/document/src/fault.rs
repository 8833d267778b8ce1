//! How a scan fails, and what people are told of it.
//!
//! Invariant: no variant holds anything that stood on a page.

use std::io;

use device_api::{FaultCode, Stop};
use thiserror::Error;

use crate::wire::WireError;
use crate::wire::sane;

/// Why there is no document.
#[derive(Debug, Error)]
pub enum ScanError {
    /// The patience ended.
    #[error("stopped while {attempted}")]
    Stopped {
        /// What was being done.
        attempted: &'static str,
        /// Why it had to stop.
        stop: Stop,
    },
    /// There is no scanner, or it left.
    #[error("scanner gone while {attempted}")]
    Gone {
        /// What was being done.
        attempted: &'static str,
    },
    /// The scanner says nothing.
    #[error("scanner silent while {attempted}")]
    Hung {
        /// What was being done.
        attempted: &'static str,
    },
    /// Somebody else uses the scanner.
    #[error("scanner in use while {attempted}")]
    Busy {
        /// What was being done.
        attempted: &'static str,
    },
    /// The scanner or its server does not let us, or wants a password.
    #[error("access denied while {attempted}")]
    Denied {
        /// What was being done.
        attempted: &'static str,
    },
    /// The feeder was empty from the beginning.
    #[error("no paper in the feeder")]
    NoPaper,
    /// Paper is stuck, or several sheets came at once.
    #[error("paper jam after {pages} pages")]
    Jam {
        /// Pages that had come.
        pages: u32,
    },
    /// A cover is open.
    #[error("cover open after {pages} pages")]
    CoverOpen {
        /// Pages that had come.
        pages: u32,
    },
    /// Somebody ended the scan at the scanner.
    #[error("scan ended at the scanner after {pages} pages")]
    EndedThere {
        /// Pages that had come.
        pages: u32,
    },
    /// The scanner does not offer what is asked.
    #[error("scanner does not offer this {what}")]
    Settings {
        /// What it does not offer.
        what: &'static str,
    },
    /// What came cannot be understood.
    #[error("failed to understand the scanner while {attempted}")]
    Garbled {
        /// What was being done.
        attempted: &'static str,
        /// Why not.
        #[source]
        source: WireError,
    },
    /// A page came damaged or incomplete.
    #[error("damaged picture: {what}")]
    Picture {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The document exceeds what was asked for, or what is ever accepted.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// The most that is accepted.
        limit: usize,
    },
    /// The scanner or its server reports something else.
    #[error("scanner reports {code} while {attempted}")]
    Failed {
        /// What was being done.
        attempted: &'static str,
        /// The status of SANE or of HTTP.
        code: u32,
    },
    /// The operating system reports something else.
    #[error("failed to go on {attempted}")]
    Io {
        /// What was being done.
        attempted: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The finished document could not be written.
    #[error("failed to write the {what}")]
    Writing {
        /// Which file.
        what: &'static str,
    },
}

impl ScanError {
    /// The fault that people are told.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::Stopped { stop, .. } => match stop {
                Stop::Cancelled => FaultCode::JobCancelled,
                Stop::Deadline => FaultCode::JobDeadline,
            },
            Self::Gone { .. } => FaultCode::DeviceGone,
            Self::Hung { .. } => FaultCode::DeviceHung,
            Self::Busy { .. } => FaultCode::DeviceBusy,
            Self::Denied { .. } => FaultCode::DeviceDenied,
            Self::NoPaper => FaultCode::DocumentNoPaper,
            Self::Jam { .. } => FaultCode::DocumentJam,
            Self::CoverOpen { .. } => FaultCode::DocumentCoverOpen,
            Self::EndedThere { .. } => FaultCode::JobCancelled,
            Self::Settings { .. } => FaultCode::DocumentSettings,
            Self::Picture { .. } => FaultCode::DocumentGarbled,
            Self::TooLarge { .. } => FaultCode::DocumentTooLarge,
            Self::Garbled { .. } | Self::Failed { .. } | Self::Io { .. } | Self::Writing { .. } => {
                FaultCode::DeviceFailed
            }
        }
    }

    /// The error that a status of SANE means, which is not `Good`.
    pub(crate) const fn of_sane(status: sane::Status, attempted: &'static str, pages: u32) -> Self {
        match status {
            sane::Status::DeviceBusy => Self::Busy { attempted },
            sane::Status::AccessDenied => Self::Denied { attempted },
            sane::Status::Jammed => Self::Jam { pages },
            sane::Status::NoDocs => Self::NoPaper,
            sane::Status::CoverOpen => Self::CoverOpen { pages },
            sane::Status::Cancelled => Self::EndedThere { pages },
            sane::Status::Unsupported => Self::Settings {
                what: "combination",
            },
            sane::Status::Good => Self::Failed { attempted, code: 0 },
            sane::Status::Inval => Self::Failed { attempted, code: 4 },
            sane::Status::Eof => Self::Failed { attempted, code: 5 },
            sane::Status::IoError => Self::Failed { attempted, code: 9 },
            sane::Status::NoMem => Self::Failed {
                attempted,
                code: 10,
            },
            sane::Status::Unknown(code) => Self::Failed { attempted, code },
        }
    }

    /// The error that this I/O error of a connection means.
    pub(crate) fn of_io(source: io::Error, attempted: &'static str) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "a foreign enum, of which only these tell something"
        )]
        match source.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown => Self::Gone { attempted },
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Hung { attempted },
            _ => Self::Io { attempted, source },
        }
    }

    /// The error that bytes mean which cannot be understood.
    pub(crate) const fn of_wire(source: WireError, attempted: &'static str) -> Self {
        Self::Garbled { attempted, source }
    }
}
