//! How a device stands: what it is, whether it works, how worn it is.

use serde::{Deserialize, Serialize};

use crate::name::Word;

/// How a device stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceState {
    /// The device's id at this agent.
    pub device: Word,
    /// Its class, such as `ticketPrinter`.
    pub class: Word,
    /// Whether it works.
    pub health: Health,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Word>,
    /// What it says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Word>,
    /// Its firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Word>,
    /// What it and we have counted.
    pub counters: Vec<Counter>,
    /// Parts that wear out.
    pub wear: Vec<Wear>,
}

/// Whether a device works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// It works.
    Working,
    /// It works, and somebody should look: paper is near its end, a part is near its rated life.
    Attention,
    /// It does not work.
    Faulty,
    /// It is not there.
    Absent,
}

/// Something that was counted, since the device was made or since the agent first saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counter {
    /// What, such as `cuts`.
    pub name: Word,
    /// How many.
    pub count: u64,
}

/// A part that wears out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wear {
    /// Which part, such as `cutter`.
    pub part: Word,
    /// How much of it was used.
    pub used: u64,
    /// For how much the manufacturer rates it, in the same unit.
    pub rated: u64,
}

/// A fault was raised or cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultChange {
    /// The device's id at this agent; `agent` for the agent itself.
    pub device: Word,
    /// The fault, such as `PRN-PAPER-OUT`.
    pub fault: Word,
    /// Whether it is there now.
    pub raised: bool,
}
