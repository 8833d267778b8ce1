//! How printing fails, what that says of the paper, and the fault that people are told.

use device_api::{FaultCode, Stop};
use link::LinkError;
use thiserror::Error;

use crate::journal::{JournalError, Unsure};
use crate::render::ContentError;
use crate::render::fonts::FontError;
use crate::status::Trouble;
use crate::ticket::TicketId;

/// Why a ticket was not printed, or nobody knows.
#[derive(Debug, Error)]
pub enum PrintError {
    /// The ticket cannot be printed whole. Nothing was kept or sent.
    #[error("the ticket cannot be printed whole")]
    Content(#[source] ContentError),
    /// This ticket has a paper already. Nothing was kept or sent.
    #[error("ticket {ticket} has a paper already")]
    Duplicate {
        /// Which.
        ticket: TicketId,
    },
    /// There is nothing to decide about this ticket.
    #[error("nothing is to be decided about ticket {ticket}")]
    NothingToDecide {
        /// Which.
        ticket: TicketId,
    },
    /// The printer cannot print. Nothing was sent.
    #[error("the printer cannot print: {trouble:?}")]
    Blocked {
        /// What keeps it.
        trouble: Trouble,
    },
    /// The printer does not answer. Nothing was sent.
    #[error("the printer does not answer")]
    Silent,
    /// The connection failed. Nothing of the ticket was sent.
    #[error("{attempted} the printer")]
    Link {
        /// What was being attempted.
        attempted: &'static str,
        /// Why.
        #[source]
        source: LinkError,
    },
    /// The work was cancelled, or its deadline passed. Nothing of the ticket was sent.
    #[error("stopped before the ticket was sent")]
    Stopped(Stop),
    /// What became of papers cannot be kept.
    #[error("the journal cannot be used")]
    Journal(#[source] JournalError),
    /// Bytes of the ticket have left, and nobody knows whether it came out.
    #[error("nobody knows whether the ticket came out: {why:?}, {trouble:?}")]
    Unsure {
        /// Why.
        why: Unsure,
        /// What the printer reported.
        trouble: Option<Trouble>,
        /// What to do now.
        advice: Advice,
    },
}

/// What a failed print says of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperFate {
    /// No dot of this request is on paper, nor will be.
    None,
    /// Nobody knows.
    Unsure,
}

/// What to do with a ticket of which nobody knows whether it came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Staff look at the printer and decide.
    StaffDecide,
    /// Nobody is there: the number stays valid and is shown on the screen; nothing is printed again by
    /// itself; a person may ask for a paper that carries the mark.
    ShowOnScreen,
}

impl PrintError {
    /// The fault that people are told.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::Content(_) => FaultCode::PrinterContent,
            Self::Duplicate { .. } => FaultCode::PrinterDuplicate,
            Self::NothingToDecide { .. } => FaultCode::DoorConflict,
            Self::Blocked { trouble }
            | Self::Unsure {
                trouble: Some(trouble),
                ..
            } => trouble.fault(),
            Self::Silent => FaultCode::PrinterOffline,
            Self::Link { source, .. } => link_fault(source),
            Self::Stopped(Stop::Cancelled) => FaultCode::JobCancelled,
            Self::Stopped(Stop::Deadline) => FaultCode::JobDeadline,
            Self::Journal(_) => FaultCode::AgentInternal,
            Self::Unsure { trouble: None, .. } => FaultCode::PrinterUnknown,
        }
    }

    /// What this says of the paper.
    #[must_use]
    pub const fn paper(&self) -> PaperFate {
        match self {
            // The journal can fail before and after the bytes left.
            Self::Unsure { .. } | Self::Journal(_) => PaperFate::Unsure,
            Self::Content(_)
            | Self::Duplicate { .. }
            | Self::NothingToDecide { .. }
            | Self::Blocked { .. }
            | Self::Silent
            | Self::Link { .. }
            | Self::Stopped(_) => PaperFate::None,
        }
    }
}

/// Why a printer cannot be used at all.
#[derive(Debug, Error)]
pub enum OpenError {
    /// No profile has this name.
    #[error("no printer profile is called {name}")]
    Profile {
        /// The name.
        name: String,
    },
    /// The settings give a width that no printer has.
    #[error("a line of {dots} dots is not possible")]
    Width {
        /// Dots in a line.
        dots: u16,
    },
    /// There are no fonts.
    #[error("tickets cannot be drawn")]
    Fonts(#[source] FontError),
    /// The journal cannot be used.
    #[error("the journal cannot be used")]
    Journal(#[source] JournalError),
}

impl OpenError {
    /// The fault that people are told.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::Profile { .. } | Self::Width { .. } => FaultCode::DeviceUnsupported,
            Self::Fonts(_) => FaultCode::DeviceFailed,
            Self::Journal(JournalError::Held) => FaultCode::DeviceBusy,
            Self::Journal(_) => FaultCode::AgentInternal,
        }
    }
}

/// The fault of a connection that failed.
#[must_use]
pub const fn link_fault(error: &LinkError) -> FaultCode {
    match error {
        LinkError::Gone => FaultCode::DeviceGone,
        LinkError::TimedOut => FaultCode::DeviceHung,
        LinkError::Interrupted => FaultCode::JobCancelled,
        LinkError::Busy => FaultCode::DeviceBusy,
        LinkError::Denied => FaultCode::DeviceDenied,
        LinkError::Malformed { .. } => FaultCode::DeviceUnsupported,
        LinkError::Io { .. } => FaultCode::DeviceFailed,
    }
}
