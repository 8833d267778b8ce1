//! How the machine and the agent stand: versions, disk, clock, certificate.

use serde::{Deserialize, Serialize};

use crate::name::{Digest, Word};

/// How the machine stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineState {
    /// The versions of what runs, the agent's first.
    pub versions: Vec<Version>,
    /// The SHA-256 of the configuration that is in force.
    pub configuration: Digest,
    /// The disk that holds the agent's state.
    pub disk: Disk,
    /// How good the clock is.
    pub clock: ClockState,
    /// Whole days until the certificate for the broker ends; less than 0 after that.
    pub certificate_days: i32,
    /// Seconds since the agent was started.
    pub uptime_seconds: u64,
}

/// The version of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The part, such as `agentd`.
    pub part: Word,
    /// Its version.
    pub version: Word,
}

/// A disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// MiB in all.
    pub total_mib: u64,
    /// MiB that are free.
    pub free_mib: u64,
}

/// How good the clock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockState {
    /// What keeps it right.
    pub quality: TimeQuality,
    /// The most by which it may be wrong as the operating system says, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_millis: Option<u32>,
}

/// What keeps a clock right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimeQuality {
    /// The operating system says that it is synchronised.
    Synchronised,
    /// The operating system says that it is not: nothing but the machine's own clock.
    Free,
    /// The clock stood before a moment that has certainly passed; that moment is used in its place.
    Floor,
}
