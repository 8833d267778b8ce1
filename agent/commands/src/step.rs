//! What is given out: steps for the daemon, and what they say.
//!
//! Every change of an order is an audit record and a report, in this order; a final one is followed by a
//! [`Step::Confirm`]. What both say is taken from the journal's entry and from nothing else.

use telemetry::message::outcome::{CommandId, CommandState, Progress};
use telemetry::name::{Digest, Label};
use telemetry::{Message, Word};

use crate::admission::TurnedAway;
use crate::journal::{Entry, State};
use crate::refusal::Refusal;
use crate::verb::Verb;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write this into the audit log.
    Audit(AuditRecord),
    /// Keep this for sending.
    Report(Box<Message>),
    /// Once the reports before this are kept, call [`told`](crate::CommandKeeper::told).
    Confirm(CommandId),
    /// Carry this out ([`crate::carry_out`]), and call [`finished`](crate::CommandKeeper::finished).
    Start(Start),
}

/// An effect that begins now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Whose it is.
    pub command: CommandId,
    /// What is to be done.
    pub verb: Verb,
}

/// What the audit log keeps of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditRecord {
    /// An order that was proved has come this far.
    Command {
        /// Which.
        command: CommandId,
        /// What is ordered.
        verb: Verb,
        /// Who ordered it.
        issuer: Label,
        /// Who approved it.
        approvers: Vec<Label>,
        /// The SHA-256 of the document that they signed.
        document: Digest,
        /// How far it has come.
        progress: Progress,
        /// Why, where it was refused or failed.
        reason: Option<Word>,
    },
    /// A message proved nothing, and was turned away.
    TurnedAway {
        /// The order that it names, by its own word.
        command: Option<CommandId>,
        /// Why.
        reason: Refusal,
        /// How many others were turned away since the last such record, and have none.
        others: u64,
    },
}

/// All that is to be said of a state.
pub(crate) fn of_entry(entry: &Entry) -> Vec<Step> {
    let order = entry.order();
    let audit = Step::Audit(AuditRecord::Command {
        command: order.id,
        verb: order.verb.clone(),
        issuer: order.issuer.clone(),
        approvers: entry.approvers.clone(),
        document: entry.document.digest(),
        progress: progress(&entry.state),
        reason: reason(&entry.state),
    });
    let confirm = Step::Confirm(order.id);
    let confirm = entry.state.is_final().then_some(confirm);
    [audit, report(entry)].into_iter().chain(confirm).collect()
}

/// The report of a state.
pub(crate) fn report(entry: &Entry) -> Step {
    let fetched = match &entry.state {
        State::Done(fetched) => fetched.clone(),
        State::Accepted
        | State::Refused(_)
        | State::Running
        | State::Failed(_)
        | State::Unknown => None,
    };
    Step::Report(Box::new(Message::Command(CommandState {
        command: entry.order().id,
        progress: progress(&entry.state),
        reason: reason(&entry.state),
        parts: fetched.as_ref().map(|fetched| fetched.parts),
        digest: fetched.map(|fetched| fetched.digest),
    })))
}

/// How far a state is.
pub(crate) const fn progress(state: &State) -> Progress {
    match state {
        State::Accepted => Progress::Accepted,
        State::Refused(_) => Progress::Refused,
        State::Running => Progress::Running,
        State::Done(_) => Progress::Done,
        State::Failed(_) => Progress::Failed,
        State::Unknown => Progress::Unknown,
    }
}

fn reason(state: &State) -> Option<Word> {
    match state {
        State::Refused(refusal) => refusal.word(),
        State::Failed(failure) => failure.word(),
        State::Accepted | State::Running | State::Done(_) | State::Unknown => None,
    }
}

/// All that is to be said of a message that was turned away.
pub(crate) fn of_message(turned_away: TurnedAway, others: u64) -> Vec<Step> {
    let TurnedAway { command, reason } = turned_away;
    let audit = Step::Audit(AuditRecord::TurnedAway {
        command,
        reason,
        others,
    });
    let report = command.map(|command| {
        Step::Report(Box::new(Message::Command(CommandState {
            command,
            progress: Progress::Refused,
            reason: reason.word(),
            parts: None,
            digest: None,
        })))
    });
    std::iter::once(audit).chain(report).collect()
}
