//! What is let go, and that it is said before it is done.
//!
//! ```text
//! drop record on the disk -> ledger on the disk -> segment removed -> folder synced
//! ```
//! A crash between any two steps leaves a message that is kept or named, or both; a second record that
//! names the same numbers says nothing new.
//! A file that is kept in reserve makes room for records and ledger where the disk is full: removing the
//! oldest segment needs a little room first.

use std::io;

use super::{CommitError, Outbox};
use crate::disk::{self, Disk, FileInfo};
use crate::lane::Lane;
use crate::message::Message;
use crate::message::gaps::{DropReason, Dropped};
use crate::message::machine::TimeQuality;
use crate::ranges::Range;
use crate::segments::First;
use crate::slots;

/// What the ledger's two files are called.
pub(super) const LEDGER: &str = "ledger";
/// The file in reserve.
pub(super) const RESERVE: &str = "reserve";
/// How long it is.
const RESERVE_BYTES: usize = 64 << 10;

impl Outbox {
    /// Lets go what is older than its lane keeps it, and writes down what is not yet.
    ///
    /// The wall clock counts where it is synchronised; else the last moment that has certainly passed, so
    /// that a clock that jumps ahead costs nothing.
    ///
    /// # Errors
    /// Each of [`CommitError`]; what is left is done by the next call.
    pub fn expire(&mut self) -> Result<(), CommitError> {
        self.explain()?;
        let floor = self.ledger.floor;
        let now = match self.quality {
            TimeQuality::Synchronised => floor.max(self.clock.unix_millis() / 1000),
            TimeQuality::Free | TimeQuality::Floor => floor,
        };
        for lane in Lane::KEPT {
            let Some(lifetime) = lane.lifetime() else {
                continue;
            };
            while let Some(oldest) = self
                .oldest(lane)
                .filter(|(_, newest)| newest.saturating_add(lifetime.as_secs()) < now)
            {
                self.let_go(lane, oldest.0, DropReason::Expired)?;
            }
        }
        self.free_settled(false)?;
        if self.is_behind {
            self.write_ledger()?;
        }
        self.refill_reserve();
        Ok(())
    }

    /// Removes the oldest segments of a lane until what waits fits into its share.
    pub(super) fn make_room(&mut self, lane: Lane) -> Result<(), CommitError> {
        let Some(share) = self.settings.share(lane) else {
            return Ok(());
        };
        while self.stores.get(&lane).is_some_and(|store| {
            !store.waiting.is_empty() && store.log.bytes() + store.waiting.len() > share
        }) {
            let Some((oldest, _)) = self.oldest(lane) else {
                break;
            };
            self.let_go(lane, oldest, DropReason::Quota)?;
        }
        Ok(())
    }

    /// Writes what waits in a lane.
    pub(super) fn write(&mut self, lane: Lane) -> Result<(), CommitError> {
        let epoch = self.epoch();
        let Some(store) = self.stores.get_mut(&lane) else {
            return Ok(());
        };
        let disk = &mut *self.disk;
        let mut tried = store.log.append(disk, &mut store.waiting);
        if let Err(error) = &tried
            && lane == Lane::Drops
            && release_reserve(disk, &error.source)
        {
            tried = store.log.append(disk, &mut store.waiting);
        }
        self.ledger.given((epoch, lane), store.committed());
        tried.map_err(|source| CommitError::Write { lane, source })
    }

    /// Writes the drop records that wait; what they name need not be kept from then on.
    pub(super) fn commit_drops(&mut self) -> Result<(), CommitError> {
        self.write(Lane::Drops)?;
        for dropped in self.explaining.drain(..) {
            let count = (dropped.epoch, dropped.lane);
            self.ledger.settle(count, (dropped.first, dropped.last));
            self.is_behind = true;
        }
        if let Some(epoch) = self.closing.take() {
            self.ledger.closed_through = epoch;
            self.is_behind = true;
        }
        Ok(())
    }

    /// Seals a record that names numbers, unless one waits already.
    fn name_dropped(&mut self, dropped: Dropped) -> Result<(), CommitError> {
        if !self.explaining.contains(&dropped) {
            self.keep(&Message::Dropped(dropped))
                .map_err(CommitError::Seal)?;
            self.explaining.push(dropped);
        }
        Ok(())
    }

    /// Says what is missing and was not said yet.
    pub(super) fn explain(&mut self) -> Result<(), CommitError> {
        self.explain_losses()?;
        self.close_epochs()?;
        self.commit_drops()
    }

    /// Seals records of what cannot be read any longer.
    pub(super) fn explain_losses(&mut self) -> Result<(), CommitError> {
        for lane in self.suspects.clone() {
            for (epoch, (first, last)) in self.lost(lane) {
                let reason = DropReason::Damaged;
                self.name_dropped(Dropped {
                    epoch,
                    lane,
                    first,
                    last,
                    reason,
                })?;
            }
            self.suspects.remove(&lane);
        }
        Ok(())
    }

    /// What was committed, is not settled, and is in no segment.
    pub(super) fn lost(&self, lane: Lane) -> Vec<(u64, Range)> {
        let segments = self.stores.get(&lane).map(|store| store.log.iter());
        let runs = segments.into_iter().flatten().flat_map(|have| &have.runs);
        self.ledger.lost(lane, runs)
    }

    /// Removes the segments in which everything is settled; those that grow only if that is asked for.
    pub(super) fn free_settled(&mut self, even_growing: bool) -> Result<(), CommitError> {
        let mut settled = Vec::new();
        for (lane, store) in &self.stores {
            let firsts = store.settled(&self.ledger, even_growing);
            settled.extend(firsts.into_iter().map(|first| (*lane, first)));
        }
        if settled.is_empty() {
            return Ok(());
        }
        self.remove(&settled)
    }

    /// Writes the ledger down.
    pub(super) fn write_ledger(&mut self) -> Result<(), CommitError> {
        let bytes = self.ledger.encode();
        let generation = self.generation + 1;
        let disk = &mut *self.disk;
        let mut tried = slots::write(disk, LEDGER, generation, &bytes);
        if let Err(error) = &tried
            && release_reserve(disk, error)
        {
            tried = slots::write(disk, LEDGER, generation, &bytes);
        }
        tried.map_err(CommitError::Ledger)?;
        self.generation = generation;
        self.is_behind = false;
        self.floor_written = self.ledger.floor;
        Ok(())
    }

    /// Makes the file in reserve anew if it was used; on a full disk it stays away.
    pub(super) fn refill_reserve(&mut self) {
        let disk = &mut *self.disk;
        let is_there = disk.list().is_ok_and(|files| files.iter().any(is_reserve));
        if is_there {
            return;
        }
        let filled = disk
            .create(RESERVE)
            .and_then(|()| disk.write(RESERVE, 0, &[0xA5; RESERVE_BYTES]))
            .and_then(|()| disk.sync(RESERVE));
        if filled.is_err() {
            // Half a reserve would keep a full one from being made.
            match disk.remove(RESERVE) {
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// The oldest segment of a lane, and when its newest message was made.
    fn oldest(&self, lane: Lane) -> Option<(First, u64)> {
        let oldest = self.stores.get(&lane)?.log.iter().next()?;
        Some((oldest.first, oldest.newest))
    }

    /// Names what is left in a segment, and removes it.
    fn let_go(&mut self, lane: Lane, first: First, reason: DropReason) -> Result<(), CommitError> {
        let segments = self.stores.get(&lane).map(|store| store.log.iter());
        let segment = segments
            .into_iter()
            .flatten()
            .find(|have| have.first == first);
        for run in segment.map(|have| have.runs.clone()).unwrap_or_default() {
            let left = self
                .ledger
                .unsettled((run.epoch, lane), (run.first, run.last));
            for (first, last) in left {
                self.name_dropped(Dropped {
                    epoch: run.epoch,
                    lane,
                    first,
                    last,
                    reason,
                })?;
            }
        }
        self.commit_drops()?;
        self.remove(&[(lane, first)])?;
        self.refill_reserve();
        Ok(())
    }

    /// Removes segments of which everything is settled.
    fn remove(&mut self, segments: &[(Lane, First)]) -> Result<(), CommitError> {
        // What was removed on purpose must not look lost after a crash.
        self.write_ledger()?;
        for (lane, first) in segments {
            if let Some(store) = self.stores.get_mut(lane) {
                let removed = store.log.remove(&mut *self.disk, *first);
                let lane = *lane;
                removed.map_err(|source| CommitError::Write { lane, source })?;
            }
        }
        self.disk.sync_folder().map_err(CommitError::Folder)
    }
}

/// Removes the file in reserve where the disk is full; whether it was there.
pub(super) fn release_reserve(disk: &mut dyn Disk, error: &io::Error) -> bool {
    disk::is_full(error)
        && disk.list().is_ok_and(|files| files.iter().any(is_reserve))
        && disk.remove(RESERVE).is_ok()
}

fn is_reserve(file: &FileInfo) -> bool {
    file.name == RESERVE
}
