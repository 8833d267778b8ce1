//! One lane of the outbox: its log, what waits for the disk, and how far it was handed out.
//!
//! ```text
//! log:  | kept before the last rewind (backlog) | boundary | committed since (fresh) |   waiting: no file yet
//! ```
//! Invariant: what waits has the numbers after everything in the log.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use crate::lane::{Lane, Order};
use crate::ranges::Ranges;
use crate::segments::{Batch, First, Place, Segment, Segments};

/// One lane.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) log: Segments,
    pub(super) waiting: Batch,
    /// The number of the next message.
    pub(super) next: u64,
    /// What comes after this place is fresh and was not handed out.
    pub(super) fresh: Place,
    /// Where the fresh ones begin.
    pub(super) boundary: Place,
    /// How far the backlog was handed out.
    pub(super) backlog: Place,
    /// What was handed out, by epoch.
    pub(super) handed: BTreeMap<u64, Ranges>,
    /// How often in a row the disk could not read it.
    pub(super) strikes: u8,
}

impl Store {
    pub(super) fn new(log: Segments) -> Self {
        let mut store = Self {
            log,
            waiting: Batch::default(),
            next: 1,
            fresh: Place::START,
            boundary: Place::START,
            backlog: Place::START,
            handed: BTreeMap::new(),
            strikes: 0,
        };
        store.rewind();
        store
    }

    /// Nothing was handed out; everything in the log is backlog.
    pub(super) fn rewind(&mut self) {
        self.boundary = self.log.end();
        self.fresh = self.boundary;
        self.backlog = match self.log.lane().order() {
            Order::NewestFirst => self.boundary,
            Order::OldestFirst => Place::START,
        };
        self.handed.clear();
    }

    /// The last number that is in the log or was; those after it wait.
    pub(super) fn committed(&self) -> u64 {
        let waits = self.waiting.first_number().unwrap_or(self.next);
        waits.saturating_sub(1)
    }

    /// How many messages are kept and not settled.
    pub(super) fn kept(&self, ledger: &Ledger) -> u64 {
        let lane = self.log.lane();
        let segments = self.log.iter();
        segments
            .map(|segment| unsettled(ledger, lane, segment))
            .sum()
    }

    /// The segments in which everything is settled; the one that grows only if that is asked for.
    pub(super) fn settled(&self, ledger: &Ledger, even_growing: bool) -> Vec<First> {
        let lane = self.log.lane();
        let grows = self.log.iter().last().filter(|last| !last.closed);
        let grows = grows.map(|last| last.first).filter(|_| !even_growing);
        self.log
            .iter()
            .filter(|segment| Some(segment.first) != grows)
            .filter(|segment| unsettled(ledger, lane, segment) == 0)
            .map(|segment| segment.first)
            .collect()
    }

    /// Whether something was handed out that is not settled.
    pub(super) fn awaits(&self, ledger: &Ledger) -> bool {
        let lane = self.log.lane();
        self.handed.iter().any(|(epoch, ranges)| {
            let mut ranges = ranges.iter();
            ranges.any(|range| !ledger.unsettled((*epoch, lane), range).is_empty())
        })
    }
}

fn unsettled(ledger: &Ledger, lane: Lane, segment: &Segment) -> u64 {
    let runs = segment.runs.iter();
    let ranges = runs.flat_map(|run| ledger.unsettled((run.epoch, lane), (run.first, run.last)));
    ranges.map(|(first, last)| last - first + 1).sum()
}
