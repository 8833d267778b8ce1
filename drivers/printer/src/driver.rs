//! A ticket printer, as the rest of the product sees it.
//!
//! ```text
//! print: draw -> reserve (disk) -> ask the printer -> sent (disk) -> bytes -> process id -> printed (disk)
//! ```
//!
//! Whatever goes wrong before the first byte leaves no paper. Whatever goes wrong after it leaves `unknown`
//! and a printer that is cleared and fenced before anything else is printed.
//! Tests: `tests.rs` here, and the power cuts of `contract`.

mod conversation;
mod escpos;
mod recovery;

use std::fmt;

use device_api::{FaultCode, Patience};

use crate::fault::PrintError;
use crate::journal::{Proof, Stored};
use crate::maintenance::Status;
use crate::quirks::Profile;
use crate::ticket::{Ticket, TicketId};
pub use conversation::Connector;
pub use escpos::{EscPosPrinter, Parts};

/// Prints tickets, each on one paper.
pub trait TicketPrinter: Send + fmt::Debug {
    /// Prints a ticket that has no paper yet; blocks until the printer proved it, at most as long as
    /// `patience` says.
    ///
    /// # Errors
    /// [`PrintError::paper`] says whether a paper may have come out.
    fn print(&mut self, request: &PrintRequest, patience: &Patience)
    -> Result<Printed, PrintError>;

    /// Asks the printer how it is.
    ///
    /// # Errors
    /// Where it does not answer.
    fn status(&mut self, patience: &Patience) -> Result<Status, PrintError>;

    /// Blocks until the printer reports a change by itself; nothing is asked meanwhile.
    ///
    /// # Errors
    /// [`PrintError::Stopped`] where nothing changed in time; otherwise where the printer is lost.
    fn wait_for_change(&mut self, patience: &Patience) -> Result<Status, PrintError>;

    /// The papers of which nobody knows, and about which nobody decided yet, oldest first.
    fn unresolved(&self) -> Vec<Stored>;

    /// The papers of one ticket, the first one first.
    fn papers(&self, ticket: &TicketId) -> Vec<Stored>;

    /// Keeps a person's decision, and prints where that is the decision: once, with the mark 再発行.
    ///
    /// # Errors
    /// As [`TicketPrinter::print`]. Where nothing was sent the decision is not used up.
    fn resolve(
        &mut self,
        ticket: &TicketId,
        how: Resolution<'_>,
        patience: &Patience,
    ) -> Result<Resolved, PrintError>;

    /// What this printer can do.
    fn capabilities(&self) -> Capabilities;

    /// A PNG file of exactly the dots that [`TicketPrinter::print`] would send.
    ///
    /// # Errors
    /// Where the ticket cannot be printed whole.
    fn preview(&self, ticket: &Ticket) -> Result<Vec<u8>, PrintError>;
}

/// A ticket to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintRequest {
    /// Its name, never used before.
    pub ticket: TicketId,
    /// What stands on it.
    pub document: Ticket,
}

/// A ticket that came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// 0 for the first paper; each further one carries the mark 再発行.
    pub copy: u32,
    /// How that is known.
    pub proof: Proof,
    /// What people should be told although it printed.
    pub warnings: Vec<FaultCode>,
}

/// What a person decided about a ticket.
#[derive(Debug, Clone, Copy)]
pub enum Resolution<'a> {
    /// It came out.
    CameOut,
    /// It did not come out, and none is wanted.
    DidNotComeOut,
    /// Print it again, with the mark 再発行.
    Reprint(&'a Ticket),
}

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// It is kept.
    Kept,
    /// A marked paper came out.
    Printed(Printed),
}

/// What a printer can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Its profile, with the width that settings gave.
    pub profile: Profile,
    /// Who is there.
    pub attendance: Attendance,
}

/// Who is there when a printer fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attendance {
    /// Staff see the printer.
    #[default]
    Staffed,
    /// A kiosk alone: see [`crate::fault::Advice::ShowOnScreen`].
    Unattended,
}

#[cfg(test)]
mod tests;
