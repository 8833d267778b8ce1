//! How far the monitor has everything, said downwards.
//!
//! Only this frees space on a device: a broker's word that it took a message is not trusted.
//! Invariant: an acknowledgement that says less than an earlier one takes nothing back, so replaying an old
//! one does no harm.

use serde::{Deserialize, Serialize};

use crate::lane::Lane;
use crate::name::Label;
use crate::signer::VerifyingKey;

/// How far the monitor has everything of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ack {
    /// Which monitor says so.
    pub monitor: Label,
    /// For each epoch and lane, how far.
    pub marks: Vec<Mark>,
    /// Whether what is kept beyond the marks must be sent again: the monitor has lost sight of it.
    pub resend: bool,
    /// The most messages a second that the monitor wants of what was kept; none for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<u32>,
    /// The device's next key, by its own statement, until that key has signed: the monitor will know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_key: Option<VerifyingKey>,
    /// The monitor's wall clock, in seconds since 1970: a moment that has certainly passed.
    pub time: u64,
}

/// Everything up to a number has come, or is known to be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// The epoch.
    pub epoch: u64,
    /// The lane.
    pub lane: Lane,
    /// The number.
    pub through: u64,
}
