//! What one device of a fleet has said and the broker has not taken: a disk of a few messages.
//!
//! A device frees what the monitor acknowledged; a fleet frees what the broker acknowledged, because it has
//! no ears of its own on a shared connection. That is good enough for load, and no example to follow.
//! Where the disk is full the oldest goes, and is named, as the protocol asks for (TEL-034).

use std::collections::{BTreeMap, VecDeque};

use telemetry::Lane;
use telemetry::message::gaps::{DropReason, Dropped};

/// A sealed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) lane: Lane,
    pub(super) number: u64,
    pub(super) topic: String,
    pub(super) bytes: Vec<u8>,
    pub(super) retain: bool,
    /// Not before then, in milliseconds since the fleet's start.
    pub(super) not_before: u64,
}

/// How far a lane has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    newest: u64,
    /// The newest number at the last two beats: what is younger may not have reached the monitor.
    at_beats: [u64; 2],
}

/// What a device keeps.
#[derive(Debug, Default)]
pub(super) struct Kept {
    waiting: VecDeque<Said>,
    under_way: Vec<Said>,
    lanes: BTreeMap<Lane, Progress>,
    room: usize,
    dropped: Vec<Dropped>,
}

impl Kept {
    /// A disk with room for so many messages.
    pub(super) fn new(room: usize) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// The next number of a lane.
    pub(super) fn number(&mut self, lane: Lane) -> u64 {
        let progress = self.lanes.entry(lane).or_default();
        progress.newest += 1;
        progress.newest
    }

    /// The newest number of a lane, and how many the monitor may lack.
    pub(super) fn mark(&self, lane: Lane) -> (u64, u64) {
        let progress = self.lanes.get(&lane).copied().unwrap_or_default();
        let recent = progress.newest - progress.at_beats[0];
        let waiting = self.waiting.iter().chain(&self.under_way);
        let older = waiting
            .filter(|said| said.lane == lane && said.number <= progress.at_beats[0])
            .count();
        let older = u64::try_from(older).unwrap_or(u64::MAX);
        (progress.newest, recent.saturating_add(older))
    }

    /// A beat was said.
    pub(super) fn beat(&mut self) {
        for progress in self.lanes.values_mut() {
            progress.at_beats = [progress.at_beats[1], progress.newest];
        }
    }

    /// Keeps a message, and lets the oldest go where there is no room.
    pub(super) fn keep(&mut self, epoch: u64, said: Said) {
        while self.waiting.len() >= self.room {
            let oldest = self.waiting.iter().position(|said| is_dropped(said.lane));
            let Some(gone) = oldest.and_then(|place| self.waiting.remove(place)) else {
                break;
            };
            self.note(epoch, gone.lane, gone.number);
        }
        self.waiting.push_back(said);
    }

    /// Keeps a message before all others.
    pub(super) fn keep_first(&mut self, said: Said) {
        self.waiting.push_front(said);
    }

    /// What has been let go and not named.
    pub(super) fn take_dropped(&mut self) -> Vec<Dropped> {
        std::mem::take(&mut self.dropped)
    }

    /// When the first message may go, if there is one.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.waiting.front().map(|said| said.not_before)
    }

    /// The next message that may go now; it is under way until [`Self::settle`] or [`Self::bring_back`].
    pub(super) fn send(&mut self, now: u64) -> Option<Said> {
        if self.next_at()? > now {
            return None;
        }
        let said = self.waiting.pop_front()?;
        if said.lane.is_kept() {
            self.under_way.push(said.clone());
        }
        Some(said)
    }

    /// The broker has taken a message.
    pub(super) fn settle(&mut self, lane: Lane, number: u64) {
        self.under_way
            .retain(|said| (said.lane, said.number) != (lane, number));
    }

    /// The connection is gone, and with it whatever was under way; signs of life are not kept.
    pub(super) fn bring_back(&mut self) {
        self.waiting.retain(|said| said.lane.is_kept());
        for said in self.under_way.drain(..).rev() {
            self.waiting.push_front(said);
        }
    }

    fn note(&mut self, epoch: u64, lane: Lane, number: u64) {
        let follows = self
            .dropped
            .iter_mut()
            .find(|dropped| dropped.lane == lane && dropped.last + 1 == number);
        if let Some(dropped) = follows {
            dropped.last = number;
            return;
        }
        self.dropped.push(Dropped {
            epoch,
            lane,
            first: number,
            last: number,
            reason: DropReason::Quota,
        });
    }
}

/// Whether a full disk costs messages of this lane.
const fn is_dropped(lane: Lane) -> bool {
    lane.is_kept() && !matches!(lane, Lane::Drops)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kept: &mut Kept, lane: Lane) -> Said {
        Said {
            lane,
            number: kept.number(lane),
            topic: String::new(),
            bytes: Vec::new(),
            retain: false,
            not_before: 0,
        }
    }

    #[test]
    fn a_full_disk_names_what_it_lets_go() {
        let mut kept = Kept::new(4);
        for _ in 0..10 {
            let next = said(&mut kept, Lane::State);
            kept.keep(7, next);
        }
        let dropped = kept.take_dropped();
        assert_eq!(dropped.len(), 1);
        assert_eq!((dropped[0].first, dropped[0].last), (1, 6));
        assert_eq!(kept.mark(Lane::State), (10, 10));
        assert!(kept.take_dropped().is_empty());
    }

    #[test]
    fn what_was_under_way_comes_back_in_order_and_signs_of_life_do_not() {
        let mut kept = Kept::new(99);
        for lane in [Lane::State, Lane::Presence, Lane::Telemetry, Lane::State] {
            let next = said(&mut kept, lane);
            kept.keep(1, next);
        }
        for _ in 0..3 {
            kept.send(0).unwrap();
        }
        kept.settle(Lane::State, 1);
        kept.bring_back();
        let lanes: Vec<Lane> = std::iter::from_fn(|| kept.send(0))
            .map(|said| said.lane)
            .collect();
        assert_eq!(lanes, [Lane::Telemetry, Lane::State]);
    }

    #[test]
    fn what_is_younger_than_two_beats_counts_as_kept() {
        let mut kept = Kept::new(99);
        for newest in 1..=3 {
            let next = said(&mut kept, Lane::State);
            kept.keep(1, next);
            kept.send(0).unwrap();
            kept.settle(Lane::State, newest);
            assert_eq!(kept.mark(Lane::State), (newest, newest.min(2)));
            kept.beat();
        }
    }

    #[test]
    fn nothing_goes_before_its_time() {
        let mut kept = Kept::new(99);
        let late = Said {
            not_before: 5,
            ..said(&mut kept, Lane::State)
        };
        kept.keep(1, late);
        assert_eq!(kept.send(4), None);
        assert!(kept.send(5).is_some());
    }
}
