//! What a fleet has done so far, as one line of JSON.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

/// Counts of all devices and connections together.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Messages that were signed.
    pub(super) said: AtomicU64,
    /// Messages that went to the broker, those that went again among them.
    pub(super) sent: AtomicU64,
    /// Messages that the broker has taken.
    pub(super) taken: AtomicU64,
    /// Of all that were signed: births.
    pub(super) births: AtomicU64,
    /// Of all that were signed: beats.
    pub(super) beats: AtomicU64,
    /// Of all that were signed: what names messages that a full disk cost.
    pub(super) drops: AtomicU64,
    /// Faults that were raised or cleared.
    pub(super) faults: AtomicU64,
    /// Connections that became ready.
    pub(super) connections: AtomicU64,
    /// Connections that broke, or did not come about.
    pub(super) failures: AtomicU64,
}

impl Counts {
    /// One more.
    pub(super) fn one(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them, so many milliseconds after the start.
    pub(super) fn line(&self, millis: u64) -> String {
        let value = |count: &AtomicU64| count.load(Ordering::Relaxed);
        json!({
            "millis": millis,
            "said": value(&self.said),
            "sent": value(&self.sent),
            "taken": value(&self.taken),
            "births": value(&self.births),
            "beats": value(&self.beats),
            "drops": value(&self.drops),
            "faults": value(&self.faults),
            "connections": value(&self.connections),
            "failures": value(&self.failures),
        })
        .to_string()
    }
}
