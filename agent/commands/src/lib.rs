//! Signed commands: who may order what, and what became of it.
//!
//! ```text
//! Document -> approved by one or two people -> joined -> broker -> CommandKeeper -> Step: audit, report, start
//!                                                                     |    ^
//!                                                                  Journal '-- finished(outcome)
//! ```
//! `docs/protocol/commands.md` is the specification, `docs/protocol/commands.cddl` its grammar.
//!
//! | module | its one job |
//! |---|---|
//! | [`verb`] | all that can be ordered, and how dangerous it is |
//! | [`document`] | one order: for whom, from when until when, under which conditions |
//! | [`approval`] | a person's signature under an order, and what travels |
//! | [`authority`] | who may approve what |
//! | [`refusal`] | why an order is not carried out |
//! | [`admission`] | from the bytes of a message to an order that is proved, or a refusal |
//! | [`challenges`] | what the last beats said, so that freshness needs no clock |
//! | [`journal`] | what became of every order, so that no power cut makes us forget or do it twice |
//! | [`storage`] | where the journal lies |
//! | [`keeper`] | which step comes next |
//! | [`step`] | what is given out: to the audit log, to the monitor, to the machine |
//! | [`effects`] | what the machine can be told, and how that can end |
//! | [`bundle`] | what `diagnostics` fetches |
//!
//! Guarantees: an effect is given out at most once, and only after the journal's line that says so is on the
//! disk; what a crash left running ends as unknown and is not tried again; an order that was accepted ends
//! in exactly one final state.
//!
//! What it refuses to do: run a text that somebody sent; believe a broker, or a clock where a challenge can
//! tell; touch the machine. A journal that somebody deletes, or puts back from a copy, forgets what it knew:
//! then an order counts as new until it expires.

pub mod admission;
pub mod approval;
pub mod authority;
pub mod bundle;
pub mod challenges;
pub mod document;
pub mod effects;
pub mod journal;
pub mod keeper;
pub mod refusal;
pub mod step;
pub mod storage;
pub mod verb;

pub use admission::Situation;
pub use approval::{Approval, Message, approve, join};
pub use authority::{Approver, Authority};
pub use bundle::Bundle;
pub use document::{Document, Order, Preconditions};
pub use effects::{Effects, Failure, Outcome, carry_out};
pub use keeper::CommandKeeper;
pub use refusal::Refusal;
pub use step::{AuditRecord, Start, Step};
pub use verb::{Danger, Verb};
