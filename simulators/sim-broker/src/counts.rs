//! What the broker did, in numbers.

use std::collections::BTreeMap;

use crate::plan::Kind;

/// Counted since the broker was started, plans notwithstanding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// CONNECTs that were accepted.
    pub accepted: u64,
    /// CONNECTs that were refused, for their version or by the plan.
    pub refused: u64,
    /// CONNECTs of another version of MQTT, among those refused.
    pub other_versions: u64,
    /// Connections that are open and accepted.
    pub connected: u64,
    /// PUBLISH packets that clients sent.
    pub published: u64,
    /// PUBACK packets that were sent to clients.
    pub acknowledged: u64,
    /// PUBLISH packets that were sent to clients.
    pub given: u64,
    /// PUBACK packets that clients sent.
    pub taken: u64,
    /// Wills that were published, forged ones not counted.
    pub wills: u64,
    /// Clients that were told goodbye: they sent DISCONNECT.
    pub farewells: u64,
    /// Packets that were none.
    pub malformed: u64,
    /// The most publications of one client that were without acknowledgement at the same time.
    pub most_under_way: u64,
    /// How often each fault struck.
    pub struck: BTreeMap<Kind, u64>,
}

impl Counts {
    /// How often this fault struck.
    #[must_use]
    pub fn struck(&self, kind: Kind) -> u64 {
        self.struck.get(&kind).copied().unwrap_or(0)
    }
}
