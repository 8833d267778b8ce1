//! What the driver says of tickets and of failures, in the protocol's words.
//!
//! Invariant: whatever may have left a paper is told as `PRN-UNKNOWN`, and never as a fault after which
//! one would simply print again; what keeps the printer from printing stands on the sheet.
//!
//! `about` names what is at fault: `ticket`, `content`, an element of it as `content/2`, or a character of
//! an element's text as `content/2/5`, both counted from 0.

use device_api::FaultCode;
use host_protocol::{
    Confidence, DeviceState, HostFault, PrintedTicket, StoredTicket, TicketState, UnknownReason,
};
use printer::fault::{OpenError, PrintError};
use printer::journal::{Decision, Progress, Proof, Stored, Unsure};
use printer::render::ContentError;
use printer::status::Trouble;
use printer::ticket::{BadTicketId, TicketId};
use thiserror::Error;

use super::picture::PictureError;
use crate::stations::with_causes;

/// Why a job of a ticket printer failed, or the printer cannot be looked after.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// The driver cannot work at all.
    #[error("open the printer")]
    Open(#[from] OpenError),
    /// It could not print.
    #[error("use the printer")]
    Print(#[from] PrintError),
    /// The ticket was printed before, and nobody knows whether its paper came out.
    #[error("an earlier paper of this ticket is in doubt")]
    InDoubt,
    /// The ticket's name is none.
    #[error("name the ticket")]
    Name(#[from] BadTicketId),
    /// A picture cannot be used.
    #[error("take element {place} of the ticket")]
    Picture {
        /// The element, counted from 0.
        place: usize,
        /// Why.
        #[source]
        source: PictureError,
    },
}

impl Failure {
    /// How the job's end is told.
    pub(super) fn told(&self) -> HostFault {
        HostFault {
            code: self.code().as_str().to_owned(),
            // The driver's errors name places, and never what stands there.
            detail: with_causes(self),
            about: self.about(),
            tries_left: None,
        }
    }

    /// Whether it may have left something in the printer, or shows that it is not as the sheet says.
    pub(super) const fn is_of_the_printer(&self) -> bool {
        match self {
            Self::Print(error) => match error {
                PrintError::Content(_)
                | PrintError::Duplicate { .. }
                | PrintError::NothingToDecide { .. } => false,
                PrintError::Blocked { .. }
                | PrintError::Silent
                | PrintError::Link { .. }
                | PrintError::Stopped(_)
                | PrintError::Journal(_)
                | PrintError::Unsure { .. } => true,
            },
            Self::Open(_) | Self::InDoubt | Self::Name(_) | Self::Picture { .. } => false,
        }
    }

    /// What the printer reported while it failed.
    pub(super) const fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Print(PrintError::Blocked { trouble }) => Some(*trouble),
            Self::Print(PrintError::Unsure { trouble, .. }) => *trouble,
            Self::Print(
                PrintError::Content(_)
                | PrintError::Duplicate { .. }
                | PrintError::NothingToDecide { .. }
                | PrintError::Silent
                | PrintError::Link { .. }
                | PrintError::Stopped(_)
                | PrintError::Journal(_),
            )
            | Self::Open(_)
            | Self::InDoubt
            | Self::Name(_)
            | Self::Picture { .. } => None,
        }
    }

    /// How a printer is shown that failed so between two jobs; `None` where it is gone.
    pub(super) const fn shown(&self) -> Option<(DeviceState, Option<FaultCode>)> {
        match (self, self.code()) {
            (_, FaultCode::DeviceBusy) => Some((DeviceState::InUse, None)),
            (_, FaultCode::DeviceDenied) => Some((DeviceState::Denied, None)),
            (Self::Print(PrintError::Link { .. }), _) => None,
            // It is connected and says nothing.
            (Self::Print(PrintError::Silent), _) => Some((DeviceState::Unresponsive, None)),
            (_, code) => Some((DeviceState::NotReady, Some(code))),
        }
    }

    const fn code(&self) -> FaultCode {
        match self {
            Self::Open(error) => error.fault(),
            Self::InDoubt | Self::Print(PrintError::Unsure { .. }) => FaultCode::PrinterUnknown,
            Self::Print(error) => error.fault(),
            Self::Name(_) | Self::Picture { .. } => FaultCode::PrinterContent,
        }
    }

    fn about(&self) -> Option<String> {
        Some(match self {
            Self::Picture { place, .. } => format!("content/{place}"),
            Self::Name(_) | Self::InDoubt => "ticket".to_owned(),
            Self::Print(PrintError::Content(error)) => match error {
                ContentError::Character { element, place } => format!("content/{element}/{place}"),
                ContentError::TooWide { element }
                | ContentError::CodeTooLong { element }
                | ContentError::Picture { element } => format!("content/{element}"),
                ContentError::TooLong | ContentError::Empty => "content".to_owned(),
            },
            Self::Print(PrintError::Duplicate { .. } | PrintError::NothingToDecide { .. }) => {
                "ticket".to_owned()
            }
            Self::Print(
                PrintError::Blocked { .. }
                | PrintError::Silent
                | PrintError::Link { .. }
                | PrintError::Stopped(_)
                | PrintError::Journal(_)
                | PrintError::Unsure { .. },
            )
            | Self::Open(_) => return None,
        })
    }
}

/// A ticket's name as the driver takes it.
pub(super) fn name(ticket: &str) -> Result<TicketId, BadTicketId> {
    TicketId::new(ticket)
}

/// Whether some of these papers may have come out, and nobody has said yet whether they did.
pub(super) fn in_doubt(papers: &[Stored]) -> bool {
    papers.iter().any(|paper| match paper.progress {
        Progress::Sent => true,
        Progress::Unknown(Unsure::NeverSent) => false,
        Progress::Unknown(Unsure::Interrupted | Unsure::Silent | Unsure::PrinterError) => {
            paper.is_unresolved()
        }
        Progress::Reserved | Progress::Printed(_) => false,
    })
}

/// What became of a ticket by its papers.
pub(super) fn told(ticket: &TicketId, papers: &[Stored], proof: Option<Proof>) -> PrintedTicket {
    let came_out = |paper: &Stored| {
        let proved = matches!(paper.progress, Progress::Printed(_));
        proved || paper.decision == Some(Decision::CameOut)
    };
    let ordered = |paper: &&Stored| {
        !matches!(
            paper.progress,
            Progress::Reserved | Progress::Unknown(Unsure::NeverSent)
        )
    };
    let (plain, marked): (Vec<_>, Vec<_>) = papers
        .iter()
        .filter(ordered)
        .partition(|paper| paper.copy == 0);
    let count = |papers: Vec<_>| u32::try_from(papers.len()).unwrap_or(u32::MAX);
    PrintedTicket {
        ticket: ticket.as_str().to_owned(),
        state: if papers.iter().any(came_out) {
            TicketState::Printed
        } else {
            TicketState::Unknown
        },
        confidence: proof.map(|proof| match proof {
            Proof::ProcessId => Confidence::Confirmed,
            Proof::StateInOrder => Confidence::Presumed,
        }),
        papers: [count(plain), count(marked)],
    }
}

/// A paper of which nobody knows. What was never sent is none: people are not asked for a paper that cannot
/// be there, and the same name prints it.
pub(super) fn stored(paper: &Stored) -> Option<StoredTicket> {
    let Progress::Unknown(why) = paper.progress else {
        return None;
    };
    Some(StoredTicket {
        ticket: paper.ticket.as_str().to_owned(),
        reason: match why {
            Unsure::NeverSent => return None,
            Unsure::Interrupted => UnknownReason::Interrupted,
            Unsure::Silent => UnknownReason::Silent,
            Unsure::PrinterError => UnknownReason::PrinterError,
        },
        ordered_at: paper.at,
    })
}

#[cfg(test)]
mod tests;
