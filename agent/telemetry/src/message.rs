//! All that can be said upwards.
//!
//! | lane | class | what |
//! |---|---|---|
//! | `hb` | `birth` `beat` `leaving` `lost` | presence ([`presence`]) |
//! | `dr` | `drop` `closed` | what is missing, and where an epoch ended ([`gaps`]) |
//! | `al` | `fault` | a fault raised or cleared ([`device`]) |
//! | `cr` | `command` `part` `key` | what became of a command, parts of what it fetched ([`outcome`]), and the next key ([`key`]) |
//! | `st` | `device` `machine` `queue` | how things stand ([`device`], [`machine`], [`queue`]) |
//! | `tm` | `jobs` | counts and durations ([`work`]) |
//!
//! Invariant: no type here can hold a text that a person typed, or a value that was read from a card or a
//! document: there are numbers, closed sets, digests, and [`crate::name::Word`]s.
//! A field that a receiver does not know is left out of its view; a field that it misses is an error.

pub mod device;
pub mod gaps;
pub mod key;
pub mod machine;
pub mod outcome;
pub mod presence;
pub mod queue;
pub mod work;

use serde::Serialize;

use crate::cbor::{self, CborError};
use crate::lane::Lane;
use device::{DeviceState, FaultChange};
use gaps::{Closed, Dropped};
use key::KeyStatement;
use machine::MachineState;
use outcome::{CommandState, Part};
use presence::{Beat, Birth, Leaving, Lost};
use queue::QueueState;
use work::JobCounts;

/// What kind of message it is; the lane follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The agent has connected.
    Birth,
    /// The agent lives.
    Beat,
    /// The agent ends on purpose.
    Leaving,
    /// The broker has lost the agent; signed in advance.
    Lost,
    /// Messages that will never come.
    Dropped,
    /// An epoch has ended.
    Closed,
    /// A fault was raised or cleared.
    Fault,
    /// What became of a command.
    Command,
    /// A part of what a command fetched.
    Part,
    /// The key that follows the one that signs.
    Key,
    /// How a device stands.
    Device,
    /// How the machine stands.
    Machine,
    /// How a queue stands.
    Queue,
    /// Jobs since the last such message.
    Jobs,
}

/// A message upwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Message {
    /// See [`Class::Birth`].
    Birth(Birth),
    /// See [`Class::Beat`].
    Beat(Beat),
    /// See [`Class::Leaving`].
    Leaving(Leaving),
    /// See [`Class::Lost`].
    Lost(Lost),
    /// See [`Class::Dropped`].
    Dropped(Dropped),
    /// See [`Class::Closed`].
    Closed(Closed),
    /// See [`Class::Fault`].
    Fault(FaultChange),
    /// See [`Class::Command`].
    Command(CommandState),
    /// See [`Class::Part`].
    Part(Part),
    /// See [`Class::Key`].
    Key(KeyStatement),
    /// See [`Class::Device`].
    Device(DeviceState),
    /// See [`Class::Machine`].
    Machine(MachineState),
    /// See [`Class::Queue`].
    Queue(QueueState),
    /// See [`Class::Jobs`].
    Jobs(JobCounts),
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 14] = [
        Self::Birth,
        Self::Beat,
        Self::Leaving,
        Self::Lost,
        Self::Dropped,
        Self::Closed,
        Self::Fault,
        Self::Command,
        Self::Part,
        Self::Key,
        Self::Device,
        Self::Machine,
        Self::Queue,
        Self::Jobs,
    ];

    /// How it is written in topics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Birth => "birth",
            Self::Beat => "beat",
            Self::Leaving => "leaving",
            Self::Lost => "lost",
            Self::Dropped => "drop",
            Self::Closed => "closed",
            Self::Fault => "fault",
            Self::Command => "command",
            Self::Part => "part",
            Self::Key => "key",
            Self::Device => "device",
            Self::Machine => "machine",
            Self::Queue => "queue",
            Self::Jobs => "jobs",
        }
    }

    /// The class that is written so.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The lane that it travels in.
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::Birth | Self::Beat | Self::Leaving | Self::Lost => Lane::Presence,
            Self::Dropped | Self::Closed => Lane::Drops,
            Self::Fault => Lane::Alerts,
            Self::Command | Self::Part | Self::Key => Lane::Commands,
            Self::Device | Self::Machine | Self::Queue => Lane::State,
            Self::Jobs => Lane::Telemetry,
        }
    }

    /// Whether a broker keeps the newest one for whoever subscribes later.
    #[must_use]
    pub const fn is_retained(self) -> bool {
        matches!(self, Self::Birth)
    }
}

impl Message {
    /// What kind it is.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Birth(_) => Class::Birth,
            Self::Beat(_) => Class::Beat,
            Self::Leaving(_) => Class::Leaving,
            Self::Lost(_) => Class::Lost,
            Self::Dropped(_) => Class::Dropped,
            Self::Closed(_) => Class::Closed,
            Self::Fault(_) => Class::Fault,
            Self::Command(_) => Class::Command,
            Self::Part(_) => Class::Part,
            Self::Key(_) => Class::Key,
            Self::Device(_) => Class::Device,
            Self::Machine(_) => Class::Machine,
            Self::Queue(_) => Class::Queue,
            Self::Jobs(_) => Class::Jobs,
        }
    }

    /// The payload.
    ///
    /// # Errors
    /// [`CborError::Schema`], which no message of this crate causes.
    pub fn encode(&self) -> Result<Vec<u8>, CborError> {
        cbor::encode(self)
    }

    /// The message of a class with this payload.
    ///
    /// # Errors
    /// Where it is not deterministic CBOR, or not what the class promises.
    pub fn decode(class: Class, payload: &[u8]) -> Result<Self, CborError> {
        Ok(match class {
            Class::Birth => Self::Birth(cbor::decode(payload)?),
            Class::Beat => Self::Beat(cbor::decode(payload)?),
            Class::Leaving => Self::Leaving(cbor::decode(payload)?),
            Class::Lost => Self::Lost(cbor::decode(payload)?),
            Class::Dropped => Self::Dropped(cbor::decode(payload)?),
            Class::Closed => Self::Closed(cbor::decode(payload)?),
            Class::Fault => Self::Fault(cbor::decode(payload)?),
            Class::Command => Self::Command(cbor::decode(payload)?),
            Class::Part => Self::Part(cbor::decode(payload)?),
            Class::Key => Self::Key(cbor::decode(payload)?),
            Class::Device => Self::Device(cbor::decode(payload)?),
            Class::Machine => Self::Machine(cbor::decode(payload)?),
            Class::Queue => Self::Queue(cbor::decode(payload)?),
            Class::Jobs => Self::Jobs(cbor::decode(payload)?),
        })
    }
}

#[cfg(test)]
mod tests;
