//! One line of the journal, and what it says.
//!
//! A record of an order is its whole state; the last one counts.
//! Every field is a number, a word of a closed set, a name or hexadecimal digits, so none holds a space.

use telemetry::message::outcome::CommandId;
use telemetry::name::{Digest, Label};

use crate::document::{Document, Order};
use crate::effects::Failure;
use crate::refusal::Refusal;

/// One order that was proved to be of its approvers, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is ordered.
    pub document: Document,
    /// Who approved it.
    pub approvers: Vec<Label>,
    /// How far it has come.
    pub state: State,
    /// Whether the report of its final state is kept by whoever sends it.
    pub told: bool,
}

/// How far an order has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It waits for its time, or for its turn.
    Accepted,
    /// It will not be carried out.
    Refused(Refusal),
    /// Its effect may have begun.
    Running,
    /// It was carried out.
    Done(Option<Fetched>),
    /// It was tried, and failed.
    Failed(Failure),
    /// The agent ended in its middle.
    Unknown,
}

/// What an order fetched: how many parts it was sent in, and their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// How many parts.
    pub parts: u32,
    /// The SHA-256 of all of them.
    pub digest: Digest,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// This is so from now on.
    Command(Box<Entry>),
    /// An order is no longer known by its id; all counters of its issuer up to its own are used.
    Forgotten(CommandId),
    /// All counters of an issuer up to this one are used.
    Floor(Label, u64),
}

impl Entry {
    /// What is ordered.
    #[must_use]
    pub const fn order(&self) -> &Order {
        self.document.order()
    }
}

impl State {
    /// Whether nothing can become of it any more.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Accepted | Self::Running => false,
            Self::Refused(_) | Self::Done(_) | Self::Failed(_) | Self::Unknown => true,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Accepted => "accepted".to_owned(),
            Self::Refused(refusal) => format!("refused:{}", refusal.code()),
            Self::Running => "running".to_owned(),
            Self::Done(None) => "done".to_owned(),
            Self::Done(Some(fetched)) => {
                format!("done:{}:{}", fetched.parts, fetched.digest.as_str())
            }
            Self::Failed(failure) => format!("failed:{}", failure.code()),
            Self::Unknown => "unknown".to_owned(),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(':').collect();
        Some(match words.as_slice() {
            ["accepted"] => Self::Accepted,
            ["refused", code] => Self::Refused(Refusal::of_code(code)?),
            ["running"] => Self::Running,
            ["done"] => Self::Done(None),
            ["done", parts, digest] => Self::Done(Some(Fetched {
                parts: parts.parse().ok()?,
                digest: Digest::try_from((*digest).to_owned()).ok()?,
            })),
            ["failed", code] => Self::Failed(Failure::of_code(code)?),
            ["unknown"] => Self::Unknown,
            _ => return None,
        })
    }
}

impl Record {
    /// Stands between the records of a line.
    pub(crate) const SEPARATOR: &str = "\t";

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Command(entry) => {
                let approvers: Vec<&str> = entry.approvers.iter().map(Label::as_str).collect();
                let told = if entry.told { "told" } else { "untold" };
                let document = hex::encode(entry.document.bytes());
                let (state, approvers) = (entry.state.text(), approvers.join("+"));
                format!("command {state} {told} {approvers} {document}")
            }
            Self::Forgotten(id) => format!("forgotten {id}"),
            Self::Floor(issuer, counter) => format!("floor {issuer} {counter}"),
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            ["command", state, told, approvers, document] => {
                let approvers = approvers.split('+').map(|name| name.parse().ok());
                Some(Self::Command(Box::new(Entry {
                    document: Document::read(&hex::decode(document).ok()?).ok()?,
                    approvers: approvers.collect::<Option<_>>()?,
                    state: State::read(state)?,
                    told: match *told {
                        "told" => true,
                        "untold" => false,
                        _ => return None,
                    },
                })))
            }
            ["forgotten", id] => Some(Self::Forgotten(CommandId::try_from((*id).to_owned()).ok()?)),
            ["floor", issuer, counter] => {
                Some(Self::Floor(issuer.parse().ok()?, counter.parse().ok()?))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tests::order;
    use crate::verb::Verb;

    #[test]
    fn every_record_is_read_as_it_was_written() {
        let mut states = vec![
            State::Accepted,
            State::Running,
            State::Done(None),
            State::Unknown,
            State::Done(Some(Fetched {
                parts: 3,
                digest: Digest::of(b"x"),
            })),
        ];
        states.extend(Refusal::ALL.map(State::Refused));
        states.extend(Failure::ALL.map(State::Failed));
        let entry = Entry {
            document: Document::new(order(1, Verb::Wipe)).unwrap(),
            approvers: vec!["sato".parse().unwrap(), "suzuki".parse().unwrap()],
            state: State::Accepted,
            told: true,
        };
        let mut records = vec![
            Record::Forgotten(CommandId([7; 16])),
            Record::Floor("sato".parse().unwrap(), u64::MAX),
        ];
        records.extend(states.into_iter().map(|state| {
            let told = state.is_final();
            Record::Command(Box::new(Entry {
                state,
                told,
                ..entry.clone()
            }))
        }));
        for record in records {
            assert_eq!(Record::read(&record.text()), Some(record));
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        for text in [
            "",
            "command",
            "command a b c d",
            "forgotten 1",
            "floor sato -1",
            "floor SATO 1",
        ] {
            assert_eq!(Record::read(text), None, "{text}");
        }
    }
}
