//! What is missing, and why, signed by whoever let it go.
//!
//! A receiver that misses a number finds it in a [`Dropped`], or beyond the end that a [`Closed`] names, or
//! knows that somebody in between has held it back.

use serde::{Deserialize, Serialize};

use crate::lane::Lane;

/// Messages that will never come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dropped {
    /// The epoch in which they were numbered.
    pub epoch: u64,
    /// Their lane.
    pub lane: Lane,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// Why.
    pub reason: DropReason,
}

/// Why messages will never come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DropReason {
    /// The lane had filled its share of the store.
    Quota,
    /// They were older than the lane keeps messages.
    Expired,
    /// The store was damaged where they stood.
    Damaged,
}

/// An epoch has ended: what was the last number of each lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closed {
    /// The epoch.
    pub epoch: u64,
    /// The last number of each lane that was used.
    pub last: Vec<LastOfLane>,
}

/// The last number of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastOfLane {
    /// The lane.
    pub lane: Lane,
    /// The number.
    pub number: u64,
}
