//! How reading codes fails, and what people are told.

use device_api::{FaultCode, Stop};
use link::LinkError;
use thiserror::Error;

use crate::preapplication::OpenError;
use crate::wire::append::AppendError;
use crate::wire::eci::EciError;
use crate::wire::framer::FramingError;
use crate::wire::hid_pos::{LayoutError, ReportError};
use crate::wire::typing::TypingError;

/// Why there is no code, or no scanner.
#[derive(Debug, Error)]
pub enum ScannerError {
    /// Nothing was read until the deadline.
    #[error("no code was read in time")]
    TimedOut,
    /// The work was stopped.
    #[error("reading was stopped")]
    Cancelled,
    /// The scanner has left, or is not there.
    #[error("the scanner is gone")]
    Gone,
    /// Another program holds it.
    #[error("another program holds the scanner")]
    Busy,
    /// The operating system denies access to it.
    #[error("the operating system denies access to the scanner")]
    Denied,
    /// This operating system offers no way to such a scanner.
    #[error("{what}: not on this operating system")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// The device is no code scanner that can be understood.
    #[error("the device cannot be used as a code scanner")]
    NotAScanner(#[source] LayoutError),
    /// The link failed otherwise.
    #[error("reading from the scanner failed")]
    Link(#[source] LinkError),
    /// Bytes of one reading make no sense.
    #[error("a reading is garbled")]
    Garbled(#[source] Garble),
    /// One reading is longer than allowed.
    #[error("a reading is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Not all parts of a message were read.
    #[error("{have} of {total} parts of a message were read")]
    Incomplete {
        /// How many.
        have: u8,
        /// Of how many.
        total: u8,
    },
    /// A pre-application whose time is over.
    #[error("the pre-application has expired")]
    Expired,
    /// A pre-application that is not accepted.
    #[error("the pre-application cannot be trusted")]
    Untrusted(#[source] OpenError),
}

/// What is wrong with the bytes of one reading.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum Garble {
    /// How it is delimited.
    #[error("its delimiters are wrong")]
    Framing(#[source] FramingError),
    /// Its reports.
    #[error("its reports are wrong")]
    Report(#[source] ReportError),
    /// Its keys.
    #[error("its keys are wrong")]
    Typing(#[source] TypingError),
    /// Its escapes.
    #[error("its escapes are wrong")]
    Eci(#[source] EciError),
    /// Its parts.
    #[error("its parts are wrong")]
    Append(#[source] AppendError),
    /// The identifier that the scanner was set to send is missing.
    #[error("it does not begin with a symbology identifier")]
    NoIdentifier,
}

impl ScannerError {
    /// The code under which people are told.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::TimedOut => FaultCode::ScannerTimeout,
            Self::Cancelled => FaultCode::JobCancelled,
            Self::Gone => FaultCode::DeviceGone,
            Self::Busy => FaultCode::DeviceBusy,
            Self::Denied => FaultCode::DeviceDenied,
            Self::Unsupported { .. } | Self::NotAScanner(_) => FaultCode::DeviceUnsupported,
            Self::Link(LinkError::TimedOut) => FaultCode::DeviceHung,
            Self::Link(_) => FaultCode::DeviceFailed,
            Self::Garbled(_) => FaultCode::ScannerGarbled,
            Self::TooLong { .. } => FaultCode::ScannerTooLong,
            Self::Incomplete { .. } => FaultCode::ScannerIncomplete,
            Self::Expired => FaultCode::ScannerExpired,
            Self::Untrusted(_) => FaultCode::ScannerUntrusted,
        }
    }

    /// Whether it is about one code, so that the scanner can be used on as it is.
    #[must_use]
    pub const fn is_about_a_code(&self) -> bool {
        matches!(
            self,
            Self::Garbled(_)
                | Self::TooLong { .. }
                | Self::Incomplete { .. }
                | Self::Expired
                | Self::Untrusted(_)
        )
    }
}

impl From<Stop> for ScannerError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cancelled => Self::Cancelled,
            Stop::Deadline => Self::TimedOut,
        }
    }
}

impl From<LinkError> for ScannerError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Gone => Self::Gone,
            LinkError::Busy => Self::Busy,
            LinkError::Denied => Self::Denied,
            LinkError::TimedOut
            | LinkError::Interrupted
            | LinkError::Malformed { .. }
            | LinkError::Io { .. } => Self::Link(error),
        }
    }
}

impl From<FramingError> for ScannerError {
    fn from(error: FramingError) -> Self {
        match error {
            FramingError::TooLong { limit } => Self::TooLong { limit },
            FramingError::Unfinished { .. } | FramingError::Lrc | FramingError::NoStart { .. } => {
                Self::Garbled(Garble::Framing(error))
            }
        }
    }
}

impl From<TypingError> for ScannerError {
    fn from(error: TypingError) -> Self {
        match error {
            TypingError::Framing(error) => error.into(),
            TypingError::UnknownKey { .. } | TypingError::Lost => {
                Self::Garbled(Garble::Typing(error))
            }
        }
    }
}

impl From<ReportError> for ScannerError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::TooLong { limit } => Self::TooLong { limit },
            ReportError::Short { .. } | ReportError::Unfinished { .. } => {
                Self::Garbled(Garble::Report(error))
            }
        }
    }
}

impl From<AppendError> for ScannerError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Incomplete { have, total } => Self::Incomplete { have, total },
            AppendError::Parity | AppendError::Conflict { .. } => {
                Self::Garbled(Garble::Append(error))
            }
        }
    }
}

impl From<OpenError> for ScannerError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Expired => Self::Expired,
            OpenError::NoKeys
            | OpenError::UnknownVersion
            | OpenError::Malformed
            | OpenError::UnknownFormKey { .. }
            | OpenError::Tampered
            | OpenError::AnotherCity { .. }
            | OpenError::NotYetValid
            | OpenError::UnknownCounterKey { .. }
            | OpenError::WrongCounterKey => Self::Untrusted(error),
        }
    }
}
