//! How a queue stands: how many wait, for how long, at how many counters.

use serde::{Deserialize, Serialize};

use crate::name::Word;

/// How the queue of one service (手続) at one site stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueState {
    /// The code of the site.
    pub site: Word,
    /// The code of the service.
    pub service: Word,
    /// Tickets that wait.
    pub waiting: u32,
    /// Counters that serve it.
    pub counters: u32,
    /// How long the one who waits longest has waited, in seconds.
    pub longest_wait_seconds: u32,
    /// Tickets taken today.
    pub issued: u32,
    /// Tickets served today.
    pub served: u32,
}
