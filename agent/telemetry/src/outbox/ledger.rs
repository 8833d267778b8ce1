//! What became of every number: which were given, and which need not be kept any longer.
//!
//! ```text
//! given: 1 ..= end      settled: acknowledged, or named in a signed drop record      the rest: kept, or lost
//! ```
//! It is written down before a segment is removed, so that what was removed on purpose is never taken for
//! lost; being behind in anything else is harmless.
//! Invariant: nothing is ever unsettled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cbor;
use crate::lane::Lane;
use crate::message::gaps::LastOfLane;
use crate::ranges::{Range, Ranges};
use crate::segments::Run;

/// The format of the file.
const FORMAT: u32 = 1;

/// An epoch and a lane: in each, numbers begin at 1.
pub(crate) type Count = (u64, Lane);

/// What became of every number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Every epoch up to this one has its `Closed` record.
    pub(crate) closed_through: u64,
    /// A moment that has certainly passed, in seconds since 1970.
    pub(crate) floor: u64,
    ends: BTreeMap<Count, u64>,
    settled: BTreeMap<Count, Ranges>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    format: u32,
    closed_through: u64,
    floor: u64,
    ends: Vec<(u64, Lane, u64)>,
    settled: Vec<(u64, Lane, u64, u64)>,
}

impl Ledger {
    /// The ledger in these bytes; `None` where they hold none that this software understands.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let stored: Stored = cbor::decode(bytes).ok()?;
        if stored.format != FORMAT {
            return None;
        }
        let mut ledger = Self {
            closed_through: stored.closed_through,
            floor: stored.floor,
            ..Self::default()
        };
        for (epoch, lane, end) in stored.ends {
            ledger.given((epoch, lane), end);
        }
        for (epoch, lane, first, last) in stored.settled {
            ledger.settle((epoch, lane), (first, last));
        }
        Some(ledger)
    }

    /// Its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let ends = self
            .ends
            .iter()
            .map(|((epoch, lane), end)| (*epoch, *lane, *end));
        let settled = self.settled.iter().flat_map(|((epoch, lane), ranges)| {
            let rows = ranges.iter();
            rows.map(|(first, last)| (*epoch, *lane, first, last))
        });
        let stored = Stored {
            format: FORMAT,
            closed_through: self.closed_through,
            floor: self.floor,
            ends: ends.collect(),
            settled: settled.collect(),
        };
        // Numbers and codes can always be written.
        cbor::encode(&stored).unwrap_or_default()
    }

    /// All numbers up to this one were given.
    pub(crate) fn given(&mut self, count: Count, through: u64) {
        if through > 0 {
            let end = self.ends.entry(count).or_default();
            *end = through.max(*end);
        }
    }

    /// The last number that was given; 0 before the first.
    pub(crate) fn end(&self, count: Count) -> u64 {
        self.ends.get(&count).copied().unwrap_or(0)
    }

    /// Whether it knows anything of an epoch's lane.
    pub(crate) fn knows(&self, count: Count) -> bool {
        self.ends.contains_key(&count)
    }

    /// These numbers need not be kept.
    pub(crate) fn settle(&mut self, count: Count, (first, last): Range) {
        self.given(count, last);
        let settled = self.settled.entry(count).or_default();
        settled.insert(first.max(1), last);
    }

    /// Whether a number need not be kept.
    pub(crate) fn is_settled(&self, count: Count, number: u64) -> bool {
        let settled = self.settled.get(&count);
        settled.is_some_and(|settled| settled.contains(number))
    }

    /// Which of these numbers are not settled.
    pub(crate) fn unsettled(&self, count: Count, (first, last): Range) -> Vec<Range> {
        match self.settled.get(&count) {
            Some(settled) => settled.missing(first, last),
            None => vec![(first, last)],
        }
    }

    /// What was given in these epochs' lane, is not settled, and is in none of these runs: lost.
    pub(crate) fn lost<'a>(
        &self,
        lane: Lane,
        runs: impl Iterator<Item = &'a Run>,
    ) -> Vec<(u64, Range)> {
        let mut kept: BTreeMap<u64, Ranges> = BTreeMap::new();
        for run in runs {
            let ranges = kept.entry(run.epoch).or_default();
            ranges.insert(run.first, run.last);
        }
        let none = Ranges::default();
        let mut lost = Vec::new();
        for ((epoch, of), end) in self.ends.iter().filter(|((_, of), _)| *of == lane) {
            let kept = kept.get(epoch).unwrap_or(&none);
            for (first, last) in kept.missing(1, *end) {
                let ranges = self.unsettled((*epoch, *of), (first, last));
                lost.extend(ranges.into_iter().map(|range| (*epoch, range)));
            }
        }
        lost
    }

    /// The last number of each lane in an epoch.
    pub(crate) fn ends_of(&self, epoch: u64) -> Vec<LastOfLane> {
        let last = Lane::KEPT.into_iter().map(|lane| LastOfLane {
            lane,
            number: self.end((epoch, lane)),
        });
        last.filter(|last| last.number > 0).collect()
    }

    /// Forgets closed epochs of which everything is settled and nothing is left in a file.
    pub(crate) fn forget(&mut self, in_files: impl Fn(u64) -> bool) {
        let open = |ledger: &Self, epoch: u64| {
            let mut ends = ledger.ends.iter().filter(|((of, _), _)| *of == epoch);
            epoch > ledger.closed_through
                || in_files(epoch)
                || ends.any(|(count, end)| !ledger.unsettled(*count, (1, *end)).is_empty())
        };
        let epochs: Vec<u64> = self.ends.keys().map(|(epoch, _)| *epoch).collect();
        for epoch in epochs {
            if !open(self, epoch) {
                self.ends.retain(|(of, _), _| *of != epoch);
                self.settled.retain(|(of, _), _| *of != epoch);
            }
        }
    }

    /// How many entries it holds.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> usize {
        let ranges = self.settled.values().map(|ranges| ranges.iter().count());
        self.ends.len() + ranges.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_knows_what_is_lost() {
        let mut ledger = Ledger {
            closed_through: 2,
            floor: 1_795_000_000,
            ..Ledger::default()
        };
        ledger.given((1, Lane::State), 10);
        ledger.given((2, Lane::State), 5);
        ledger.settle((1, Lane::State), (1, 3));
        ledger.settle((1, Lane::State), (6, 6));
        let again = Ledger::decode(&ledger.encode()).unwrap();
        assert_eq!(again, ledger);
        let kept = [Run {
            epoch: 1,
            first: 4,
            last: 4,
        }];
        let lost = ledger.lost(Lane::State, kept.iter());
        assert_eq!(lost, [(1, (5, 5)), (1, (7, 10)), (2, (1, 5))]);
        ledger.settle((2, Lane::State), (1, 5));
        ledger.forget(|_| false);
        assert!(!ledger.knows((2, Lane::State)) && ledger.knows((1, Lane::State)));
        assert_eq!(ledger.ends_of(1).len(), 1);
    }

    #[test]
    fn anything_else_is_no_ledger() {
        assert_eq!(Ledger::decode(b""), None);
        let mut bytes = Ledger::default().encode();
        bytes.push(0);
        assert_eq!(Ledger::decode(&bytes), None);
    }
}
