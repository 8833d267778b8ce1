//! Commands on their way: what is to be sent now, how far each has come, what it fetched.
//!
//! A command is sent when it is given and in each later session of its device, until its final state is
//! known; it waits for a session that has begun, because a broker keeps nothing for a device that is away.
//! Invariants: a refusal of a message is not the end of the command that it names, because whoever can
//! publish can cause one (CMD-031); what was fetched is handed out only whole and with the digest that the
//! device signed.

use commands::approval::{Message as Approved, topic_of};
use commands::bundle::Bundle;
use commands::refusal::Refusal;
use telemetry::message::Message;
use telemetry::message::outcome::{CommandState, Progress};
use telemetry::name::Digest;
use telemetry::{Class, Envelope};
use thiserror::Error;

use crate::acks::Outgoing;
use crate::store::evidence::Evidence;
use crate::store::orders::Given;
use crate::store::{Store, StoreError};

/// How long an answer may take before a command is sent again, in milliseconds.
const AGAIN: u64 = 60_000;

/// What a command fetched cannot be handed out.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The database failed.
    #[error("the database failed")]
    Store(#[source] StoreError),
    /// No such command was given here.
    #[error("no such command was given here")]
    Unknown,
    /// It has not ended.
    #[error("the command has not ended")]
    Open,
    /// It fetched nothing.
    #[error("the command fetched nothing")]
    Nothing,
    /// A part has not come.
    #[error("part {part} of {of} has not come")]
    Missing {
        /// Counted from 0.
        part: u32,
        /// How many there are.
        of: u32,
    },
    /// The parts are not what the device signed.
    #[error("the parts together are not what the device fetched")]
    Digest,
    /// It is no bundle, or holds what no agent lets go.
    #[error("what came is no bundle")]
    Bundle,
}

impl From<StoreError> for FetchError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What is to be sent now; the store takes note of it, and of ends that have come.
///
/// # Errors
/// [`StoreError`]; what was not given out is given out later.
pub fn due(store: &Store, now: u64) -> Result<Vec<Outgoing>, StoreError> {
    let mut outgoing = Vec::new();
    for order in store.open_orders()? {
        let said = said(store, &order)?;
        if let Some((evidence, state)) = &said
            && is_end(state)
        {
            store.settle_order(&order.id, evidence.id)?;
            continue;
        }
        let answered = said.is_some_and(|(_, state)| state.progress != Progress::Refused);
        let Some(session) = order.heard_in.filter(|_| order.expires > now / 1000) else {
            continue;
        };
        let overdue = |at: u64| !answered && now.saturating_sub(at) >= AGAIN;
        let again = order.sent_in != Some(session) || order.sent_at.is_none_or(overdue);
        if let Ok(message) = Approved::read(&order.message)
            && again
        {
            store.sent(&order.id, now, session)?;
            outgoing.push(Outgoing {
                topic: topic_of(message.document()).to_string(),
                bytes: order.message,
            });
        }
    }
    Ok(outgoing)
}

/// How far a command has come, by the device's word: its end where that is known.
///
/// # Errors
/// [`StoreError`].
pub fn state(store: &Store, order: &Given) -> Result<Option<CommandState>, StoreError> {
    let settled = match order.settled {
        Some(evidence) => store.evidence(evidence)?,
        None => None,
    };
    let settled = settled.and_then(|evidence| command_state(&evidence));
    match settled {
        Some(state) => Ok(Some(state)),
        None => Ok(said(store, order)?.map(|(_, state)| state)),
    }
}

/// What a command fetched, whole and as the device signed it, with the bundle that it is.
///
/// # Errors
/// Each of [`FetchError`].
pub fn fetched(store: &Store, id: &str) -> Result<(Vec<u8>, Bundle), FetchError> {
    let order = store.order(id)?.ok_or(FetchError::Unknown)?;
    let state = state(store, &order)?.filter(is_end);
    let state = state.ok_or(FetchError::Open)?;
    let (of, digest) = state.parts.zip(state.digest).ok_or(FetchError::Nothing)?;
    let mut bytes = Vec::new();
    for part in 0..of {
        let about = format!("{id}:{part}");
        let evidence = store.fact(order.device, Class::Part, &about)?;
        match evidence.as_ref().and_then(message_of) {
            Some(Message::Part(found)) if found.of == of => bytes.extend(found.bytes.0),
            Some(_) | None => return Err(FetchError::Missing { part, of }),
        }
    }
    if Digest::of(&bytes) != digest {
        return Err(FetchError::Digest);
    }
    let bundle = Bundle::read(&bytes).map_err(|_of_whatever_kind| FetchError::Bundle)?;
    Ok((bytes, bundle))
}

/// Whether a command changes no more after this.
#[must_use]
pub fn is_end(state: &CommandState) -> bool {
    match state.progress {
        Progress::Done | Progress::Failed | Progress::Unknown => true,
        Progress::Accepted | Progress::Running => false,
        Progress::Refused => {
            let reason = state.reason.as_ref();
            let reason = reason.and_then(|word| Refusal::of_code(word.as_str()));
            reason.is_some_and(|reason| !reason.is_of_message())
        }
    }
}

/// How a state is written.
#[must_use]
pub const fn word(progress: Progress) -> &'static str {
    match progress {
        Progress::Accepted => "accepted",
        Progress::Refused => "refused",
        Progress::Running => "running",
        Progress::Done => "done",
        Progress::Failed => "failed",
        Progress::Unknown => "unknown",
    }
}

/// The newest word of the device about a command.
fn said(store: &Store, order: &Given) -> Result<Option<(Evidence, CommandState)>, StoreError> {
    let evidence = store.fact(order.device, Class::Command, &order.id)?;
    Ok(evidence.and_then(|evidence| {
        let state = command_state(&evidence)?;
        Some((evidence, state))
    }))
}

fn command_state(evidence: &Evidence) -> Option<CommandState> {
    if let Message::Command(state) = message_of(evidence)? {
        Some(state)
    } else {
        None
    }
}

fn message_of(evidence: &Evidence) -> Option<Message> {
    let envelope = Envelope::read(&evidence.envelope).ok()?;
    Message::decode(evidence.topic.class, envelope.payload()).ok()
}

#[cfg(test)]
mod tests;
