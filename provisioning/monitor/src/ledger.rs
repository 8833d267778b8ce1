//! Which messages of a device have come, which never will, and which are missing.
//!
//! ```text
//! epoch 7, lane st:   1 2 3 4 5 6 . . 9 10      through 6; 7 and 8 are missing
//!                         x x                   excused: the device said that it dropped 3 and 4
//! ```
//! A message is named by (epoch, lane, number), and is accepted once.
//! What is missing is told apart: the device says that it dropped it, or that it keeps it still, or neither.
//! Nothing here does I/O or knows of time; `store` keeps it, `verify` asks it.
//!
//! Invariants: [`Stream::through`] never falls; a number counts as received once, whatever order and however
//! often messages come; an epoch that is complete costs no memory of its own once the device knows it.

use std::collections::BTreeMap;

use telemetry::Lane;
use telemetry::message::presence::LaneMark;

use crate::ranges::{Range, Ranges};

/// How many separate ranges beyond the first gap are kept of a lane: any pattern within so many numbers, and
/// any number of messages in few ranges.
pub const WINDOW: usize = 4096;

/// The greatest epoch and number: what a database's integer can hold.
pub const GREATEST: u64 = i64::MAX as u64;

/// All messages of one device under one set of counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    epochs: BTreeMap<u64, Epoch>,
    finished: Ranges,
}

/// One life of the device's counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epoch {
    lanes: BTreeMap<Lane, Stream>,
    closed: bool,
}

/// One lane in one epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stream {
    /// What came.
    pub received: Ranges,
    /// What never will, by the device's word, or by the monitor's after an alarm.
    pub excused: Ranges,
    /// The last number, once the epoch has ended.
    pub end: Option<u64>,
    /// The newest number of which a sign of life told.
    pub said: u64,
    /// When the message with the highest number was made, in the device's monotonic milliseconds.
    pub made: u64,
    through: u64,
}

/// What a name of a message means before the message is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has not come yet.
    New,
    /// Such a message has come.
    Seen,
    /// Its epoch is complete: it has come, or was dropped.
    Finished,
    /// It would open too many gaps; it is not accepted now, and will come again.
    Beyond,
}

/// Messages that are lost: the device does not keep them, and nobody explains them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Where.
    pub epoch: u64,
    /// Where.
    pub lane: Lane,
    /// Which.
    pub gaps: Vec<Range>,
}

/// How a lane stands against what the device says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shortfall {
    /// How many were made and did not come.
    pub missing: u64,
    /// How many came that lie beyond something missing, so that the device keeps them still.
    pub beyond: u64,
}

impl Ledger {
    /// What was stored.
    #[must_use]
    pub fn restore(finished: Ranges, streams: Vec<(u64, Lane, Stream)>) -> Self {
        let mut ledger = Self {
            epochs: BTreeMap::new(),
            finished,
        };
        for (epoch, lane, mut stream) in streams {
            stream.advance();
            let held = ledger.epochs.entry(epoch).or_default();
            held.closed |= stream.end.is_some();
            held.lanes.insert(lane, stream);
        }
        ledger
    }

    /// What a message's name means.
    #[must_use]
    pub fn standing(&self, epoch: u64, lane: Lane, number: u64) -> Standing {
        let Some(stream) = self.stream(epoch, lane) else {
            return if self.finished.contains(epoch) {
                Standing::Finished
            } else {
                Standing::New
            };
        };
        if stream.received.contains(number) {
            Standing::Seen
        } else if lane.is_kept() && stream.received.pieces() >= WINDOW && !stream.joins(number) {
            Standing::Beyond
        } else {
            Standing::New
        }
    }

    /// Whether the stamp of a message contradicts one that is known: in one epoch a greater number is never
    /// older, unless two machines count.
    #[must_use]
    pub fn contradicts(&self, epoch: u64, lane: Lane, number: u64, made: u64) -> bool {
        self.stream(epoch, lane).is_some_and(|stream| {
            let highest = stream.received.highest();
            highest > 0
                && ((number > highest && made < stream.made)
                    || (number < highest && made > stream.made))
        })
    }

    /// Notes that a message came; `false` where it had.
    pub fn receive(&mut self, epoch: u64, lane: Lane, number: u64, made: u64) -> bool {
        let stream = self.stream_mut(epoch, lane);
        if number > stream.received.highest() {
            stream.made = made;
        }
        if !stream.received.insert(number) {
            return false;
        }
        if !lane.is_kept() {
            stream.forget_oldest_gaps();
        }
        stream.advance();
        true
    }

    /// Notes that messages will never come.
    pub fn excuse(&mut self, epoch: u64, lane: Lane, range: Range) {
        if self.is_forgotten(epoch) {
            return;
        }
        let last = range.last.min(GREATEST);
        let stream = self.stream_mut(epoch, lane);
        stream.excused.insert_all(Range { last, ..range });
        stream.advance();
    }

    /// Notes the last number of each lane of an epoch; a lane that is not named was not used.
    pub fn close(&mut self, epoch: u64, last: &[(Lane, u64)]) {
        if self.is_forgotten(epoch) {
            return;
        }
        for lane in Lane::KEPT {
            let end = last
                .iter()
                .find(|(of, _)| *of == lane)
                .map_or(0, |(_, number)| (*number).min(GREATEST));
            let stream = self.stream_mut(epoch, lane);
            stream.end = Some(end.max(stream.received.highest()));
        }
        if let Some(held) = self.epochs.get_mut(&epoch) {
            held.closed = true;
        }
    }

    /// Takes in what a sign of life says of the lanes of its epoch.
    pub fn hear(&mut self, epoch: u64, marks: &[LaneMark]) {
        for mark in marks.iter().filter(|mark| mark.lane.is_kept()) {
            let newest = mark.newest.min(GREATEST);
            if newest > 0 || self.stream(epoch, mark.lane).is_some() {
                let stream = self.stream_mut(epoch, mark.lane);
                stream.said = stream.said.max(newest);
            }
        }
    }

    /// How a lane stands by a sign of life that was made in `epoch`, over all epochs until then.
    #[must_use]
    pub fn shortfall(&self, epoch: u64, mark: &LaneMark) -> Shortfall {
        self.epochs
            .range(..=epoch)
            .filter_map(|(of, held)| Some((*of, held.lanes.get(&mark.lane)?)))
            .map(|(of, stream)| stream.shortfall(stream.made_by(of == epoch, mark)))
            .fold(Shortfall::default(), |sum, one| Shortfall {
                missing: sum.missing.saturating_add(one.missing),
                beyond: sum.beyond.saturating_add(one.beyond),
            })
    }

    /// What of a lane is missing and is not kept, by the newest sign of life; it is excused with that.
    ///
    /// The device keeps everything that came beyond a gap, because no acknowledgement reaches so far; where
    /// that is all that it keeps, nothing that is missing can come.
    pub fn write_off(&mut self, epoch: u64, mark: &LaneMark) -> Vec<Lost> {
        let short = self.shortfall(epoch, mark);
        if short.missing == 0 || mark.kept > short.beyond {
            return Vec::new();
        }
        let mut lost = Vec::new();
        for (of, held) in self.epochs.range_mut(..=epoch) {
            let Some(stream) = held.lanes.get_mut(&mark.lane) else {
                continue;
            };
            let gaps = stream.missing(stream.made_by(*of == epoch, mark));
            for gap in &gaps {
                stream.excused.insert_all(*gap);
            }
            stream.advance();
            if !gaps.is_empty() {
                lost.push(Lost {
                    epoch: *of,
                    lane: mark.lane,
                    gaps,
                });
            }
        }
        lost
    }

    /// Leaves out epochs that are complete, but for `current`; to be called when the device keeps nothing.
    ///
    /// Returns those that are left out.
    pub fn forget(&mut self, current: u64) -> Vec<u64> {
        let done: Vec<u64> = self
            .epochs
            .iter()
            .filter(|(epoch, held)| **epoch != current && held.is_complete())
            .map(|(epoch, _)| *epoch)
            .collect();
        for epoch in &done {
            self.epochs.remove(epoch);
            self.finished.insert(*epoch);
        }
        done
    }

    /// How far everything is there, for each epoch and kept lane of which anything is known.
    pub fn marks(&self) -> impl Iterator<Item = (u64, Lane, u64)> + '_ {
        self.epochs.iter().flat_map(|(epoch, held)| {
            held.lanes
                .iter()
                .filter(|(lane, stream)| lane.is_kept() && stream.through > 0)
                .map(|(lane, stream)| (*epoch, *lane, stream.through))
        })
    }

    /// How far everything of a lane is there.
    #[must_use]
    pub fn through(&self, epoch: u64, lane: Lane) -> u64 {
        self.stream(epoch, lane).map_or(0, |stream| stream.through)
    }

    /// One lane.
    #[must_use]
    pub fn stream(&self, epoch: u64, lane: Lane) -> Option<&Stream> {
        self.epochs.get(&epoch)?.lanes.get(&lane)
    }

    /// Epochs that are complete and left out.
    #[must_use]
    pub const fn finished(&self) -> &Ranges {
        &self.finished
    }

    /// The newest epoch of which anything is known; 0 where nothing is.
    #[must_use]
    pub fn newest_epoch(&self) -> u64 {
        let open = self.epochs.keys().next_back().copied().unwrap_or(0);
        open.max(self.finished.highest())
    }

    fn is_forgotten(&self, epoch: u64) -> bool {
        self.finished.contains(epoch)
    }

    fn stream_mut(&mut self, epoch: u64, lane: Lane) -> &mut Stream {
        let held = self.epochs.entry(epoch).or_default();
        held.lanes.entry(lane).or_default()
    }
}

impl Epoch {
    fn is_complete(&self) -> bool {
        self.closed
            && self
                .lanes
                .iter()
                .filter(|(lane, _)| lane.is_kept())
                .all(|(_, stream)| stream.end.is_some_and(|end| stream.through >= end))
    }
}

impl Stream {
    /// What was stored.
    #[must_use]
    pub fn restore(
        received: Ranges,
        excused: Ranges,
        end: Option<u64>,
        said: u64,
        made: u64,
    ) -> Self {
        let mut stream = Self {
            received,
            excused,
            end,
            said,
            made,
            through: 0,
        };
        stream.advance();
        stream
    }

    /// The number up to which everything came or is excused.
    #[must_use]
    pub const fn through(&self) -> u64 {
        self.through
    }

    /// The greatest number that is known to have been made.
    #[must_use]
    pub fn known(&self) -> u64 {
        self.said
            .max(self.received.highest())
            .max(self.end.unwrap_or(0))
    }

    /// What is missing up to a number, in order.
    #[must_use]
    pub fn missing(&self, until: u64) -> Vec<Range> {
        let Some(within) = self.beyond(until) else {
            return Vec::new();
        };
        self.received
            .gaps(within)
            .into_iter()
            .flat_map(|gap| self.excused.gaps(gap))
            .collect()
    }

    fn shortfall(&self, until: u64) -> Shortfall {
        let Some(within) = self.beyond(until) else {
            return Shortfall::default();
        };
        let missing = self.missing(until).into_iter().map(Range::count);
        // What was said to be dropped after it came may not be kept any more.
        let dropped = self
            .excused
            .iter()
            .filter_map(|gone| gone.shared_with(within))
            .map(|gone| self.received.count_in(gone))
            .fold(0, u64::saturating_add);
        Shortfall {
            missing: missing.fold(0, u64::saturating_add),
            beyond: self.received.count_in(within).saturating_sub(dropped),
        }
    }

    /// The greatest number that was made before a sign of life, which knows of its own epoch what it says.
    fn made_by(&self, same_epoch: bool, mark: &LaneMark) -> u64 {
        if same_epoch {
            mark.newest.min(GREATEST)
        } else {
            self.known()
        }
    }

    /// The numbers beyond the first one that is missing.
    fn beyond(&self, until: u64) -> Option<Range> {
        (until > self.through).then(|| Range {
            first: self.through.saturating_add(1),
            last: until,
        })
    }

    /// Whether a number belongs to a range that is there, so that it opens no gap.
    fn joins(&self, number: u64) -> bool {
        let beside = [number.saturating_sub(1), number.saturating_add(1)];
        beside.into_iter().any(|one| self.received.contains(one))
    }

    fn advance(&mut self) {
        loop {
            let next = self.through.saturating_add(1);
            let came = self.received.around(next);
            let Some(range) = came.or_else(|| self.excused.around(next)) else {
                return;
            };
            self.through = range.last;
            if range.last == u64::MAX {
                return;
            }
        }
    }

    /// Signs of life are not sent again, so their gaps stay; the oldest ones are taken for seen.
    fn forget_oldest_gaps(&mut self) {
        if self.received.pieces() <= WINDOW {
            return;
        }
        let second = self.received.iter().nth(1);
        if let Some(Range { first: last, .. }) = second {
            self.received.insert_all(Range { first: 1, last });
        }
    }
}

#[cfg(test)]
mod tests;
