//! What every ticket printer must keep, and a power cut at every step.
//!
//! [`suite`] checks any [`crate::driver::TicketPrinter`] against a bench: a printer of paper in memory, a
//! simulator at the wire, or a real one beside which a person counts papers.
//! [`every_cut`] and [`run`] drive the ESC/POS driver over a [`world`] whose power goes at any write, sync,
//! send, receive or connect, before it, in its middle or after it, and look at the papers afterwards.
//!
//! The rules, in the order of [`Rule`]:
//! 1. A ticket is on at most one paper without the mark, also in parts.
//! 2. No paper holds parts of two.
//! 3. "sent" was on the disk before the first dot of a paper.
//! 4. What is called printed is whole and cut.
//! 5. What is said to have left no paper has none.
//! 6. Every ticket that was stored ends as printed or unknown.
//! 7. After all decisions every ticket has a whole paper.

mod cuts;
mod paper;
pub(crate) mod stamp;
mod suite;
pub mod world;

#[cfg(test)]
pub(crate) use cuts::every_cut_of;
pub use cuts::{Report, Violation, every_cut, run};
pub use suite::{Bench, Broken, suite};

/// A rule of this contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// At most one paper without the mark.
    OnePaper,
    /// No paper holds parts of two.
    Apart,
    /// On the disk before the first dot.
    IntentFirst,
    /// What is called printed is whole and cut.
    ProvedIsWhole,
    /// What is said to have left no paper has none.
    NoneIsNone,
    /// Every stored ticket ends as printed or unknown.
    EveryEnd,
    /// After all decisions every ticket has a whole paper.
    Served,
}

#[cfg(test)]
mod tests;
