//! From PC/SC return codes to this crate's errors, and from those to the faults that people are told.

use device_api::{FaultCode, Stop};
use pcsc::Error;
use thiserror::Error as ThisError;

use crate::channel::ChannelError;

/// Why a session with a card could not begin.
#[derive(Debug, ThisError, Clone, Copy, PartialEq, Eq)]
pub enum BeginError {
    /// The PC/SC service does not run.
    #[error("smart-card service is not running")]
    ServiceAbsent,
    /// The PC/SC service ended while we waited.
    #[error("smart-card service ended")]
    ServiceLost,
    /// The PC/SC service refuses this user.
    #[error("smart-card service denies access")]
    Denied,
    /// There is no such reader any more.
    #[error("reader is gone")]
    ReaderGone,
    /// Another program held the reader until the deadline.
    #[error("reader is in use by another program")]
    Busy,
    /// No card was put on the reader until the deadline.
    #[error("no card was presented")]
    NoCard,
    /// A card is there and does not answer.
    #[error("card does not answer")]
    Mute,
    /// The work was cancelled, or its deadline passed.
    #[error("stopped before the card was reached")]
    Stopped(Stop),
    /// The reader reported a communication error.
    #[error("reader failed with PC/SC code {code:#010X}")]
    Reader {
        /// The PC/SC return code.
        code: u32,
    },
}

impl BeginError {
    /// The fault that people are told.
    #[must_use]
    pub const fn fault(self) -> FaultCode {
        match self {
            Self::ServiceAbsent => FaultCode::ServiceAbsent,
            Self::ServiceLost => FaultCode::ServiceLost,
            Self::Denied => FaultCode::ReaderDenied,
            Self::ReaderGone => FaultCode::ReaderGone,
            Self::Busy => FaultCode::ReaderBusy,
            Self::NoCard => FaultCode::CardTimeout,
            Self::Mute => FaultCode::CardMute,
            Self::Stopped(Stop::Cancelled) => FaultCode::JobCancelled,
            Self::Stopped(Stop::Deadline) => FaultCode::JobDeadline,
            Self::Reader { .. } => FaultCode::ReaderFailed,
        }
    }
}

/// The fault that people are told of a card that was lost in the middle.
///
/// `stop` tells why an exchange was [`ChannelError::Cancelled`].
#[must_use]
pub const fn channel_fault(error: ChannelError, stop: Option<Stop>) -> FaultCode {
    match error {
        ChannelError::Removed => FaultCode::CardRemoved,
        ChannelError::ResetByOther => FaultCode::CardInterrupted,
        ChannelError::Mute => FaultCode::CardMute,
        ChannelError::Garbled => FaultCode::CardGarbled,
        ChannelError::ReaderGone => FaultCode::ReaderGone,
        ChannelError::ServiceLost => FaultCode::ServiceLost,
        ChannelError::Cancelled => match stop {
            Some(Stop::Deadline) => FaultCode::JobDeadline,
            Some(Stop::Cancelled) | None => FaultCode::JobCancelled,
        },
        ChannelError::Reader { .. } => FaultCode::ReaderFailed,
    }
}

/// What a PC/SC error means, as far as the code alone can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The service is gone; the context is dead for ever.
    Service,
    /// The service refuses us.
    Denied,
    /// The reader is gone.
    Reader,
    /// Another program holds the reader exclusively.
    Sharing,
    /// There is no card.
    NoCard,
    /// The card was removed since the connection was made.
    Removed,
    /// Another program reset the card.
    Reset,
    /// The card does not answer.
    Mute,
    /// The answer did not fit, so it is not the one that was asked for.
    TooLong,
    /// A call was cancelled.
    Cancelled,
    /// The transmission failed; whether the card left has still to be found out.
    Transmission,
}

/// Reads a PC/SC error.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum whose further codes all mean a failed transmission"
)]
pub(crate) const fn meaning(error: Error) -> Meaning {
    match error {
        // A restarted service does not know the handles of its former life.
        Error::NoService
        | Error::ServiceStopped
        | Error::CommError
        | Error::Shutdown
        | Error::SystemCancelled
        | Error::InvalidHandle => Meaning::Service,
        Error::NoAccess | Error::SecurityViolation => Meaning::Denied,
        Error::UnknownReader | Error::ReaderUnavailable | Error::NoReadersAvailable => {
            Meaning::Reader
        }
        Error::SharingViolation => Meaning::Sharing,
        Error::NoSmartcard => Meaning::NoCard,
        Error::RemovedCard => Meaning::Removed,
        // pcscd reports the reset itself, or what it left behind: no power, or no agreed protocol.
        Error::ResetCard | Error::UnpoweredCard | Error::ProtoMismatch => Meaning::Reset,
        Error::UnresponsiveCard | Error::UnsupportedCard | Error::InvalidAtr => Meaning::Mute,
        Error::InsufficientBuffer => Meaning::TooLong,
        Error::Cancelled => Meaning::Cancelled,
        _ => Meaning::Transmission,
    }
}

/// The number of a PC/SC error, for logs.
pub(crate) const fn code_of(error: Error) -> u32 {
    error as u32
}
