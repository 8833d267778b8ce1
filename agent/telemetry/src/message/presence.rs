//! Presence: that an agent lives, since when, and what it still holds.
//!
//! A session is one connection to a broker; each has a number that is never used again.
//! Only a signed beat proves that an agent lives; [`Lost`] is signed in advance and published by the
//! broker, which can do so at any time, so it is a hint and counts for the session that it names alone.

use serde::{Deserialize, Serialize};

use crate::lane::Lane;
use crate::name::{Digest, Word};

/// The agent has connected: who it is, and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Birth {
    /// This connection.
    pub session: u64,
    /// The agent's version.
    pub version: Word,
    /// The operating system, such as `linux-x86_64`.
    pub platform: Word,
    /// The SHA-256 of the configuration that is in force.
    pub configuration: Digest,
    /// Seconds between two beats.
    pub beat_seconds: u32,
    /// What is kept and not yet acknowledged.
    pub lanes: Vec<LaneMark>,
}

/// The agent lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Beat {
    /// This connection.
    pub session: u64,
    /// A number that a dangerous command must repeat: 32 hexadecimal digits, new with every beat.
    pub challenge: Challenge,
    /// What is kept and not yet acknowledged.
    pub lanes: Vec<LaneMark>,
}

/// How far a lane has come in this epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LaneMark {
    /// The lane.
    pub lane: Lane,
    /// The number of its newest message in this epoch; 0 before the first.
    pub newest: u64,
    /// How many of its messages, of any epoch, are kept and not yet acknowledged.
    pub kept: u64,
}

/// The agent ends on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaving {
    /// This connection.
    pub session: u64,
    /// Why.
    pub reason: LeavingReason,
}

/// Why an agent ends on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeavingReason {
    /// It is stopped, by a person or with the machine.
    Stopped,
    /// It is started anew, by a command or an update.
    Restarting,
}

/// The broker has lost the agent's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    /// The connection that was lost.
    pub session: u64,
}

/// Sixteen random bytes, as 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Challenge([u8; 16]);

impl Challenge {
    /// The challenge of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<String> for Challenge {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl From<Challenge> for String {
    fn from(challenge: Challenge) -> Self {
        hex::encode(challenge.0)
    }
}
