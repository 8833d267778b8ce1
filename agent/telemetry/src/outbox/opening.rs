//! Opening an outbox after whatever happened to it.
//!
//! ```text
//! logs (sound records, damage) -> ledger -> next epoch on the disk -> what is lost is named
//!      -> earlier epochs are closed -> those records on the disk -> ledger on the disk -> settled segments go
//! ```
//! Nothing is signed before the epoch is on the disk.
//! Where the disk is full, opening succeeds and the records wait for the next commit.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use device_api::Clock;
use thiserror::Error;

use super::ledger::Ledger;
use super::space::{LEDGER, release_reserve};
use super::store::Store;
use super::{CommitError, Outbox, Settings};
use crate::disk::{Disk, UNFINISHED};
use crate::epoch::{Begun, Epoch, EpochError};
use crate::lane::Lane;
use crate::message::Message;
use crate::message::gaps::{Closed, Dropped};
use crate::message::machine::TimeQuality;
use crate::name::DeviceName;
use crate::segments::{self, Damage, Segments, read_name};
use crate::signer::Signer;
use crate::slots;

/// What was found on opening; to be told to people.
#[derive(Debug)]
pub struct Recovery {
    /// The epoch of the start before; `None` at the first one.
    pub before: Option<u64>,
    /// The epoch now.
    pub epoch: u64,
    /// How many messages are kept from before.
    pub records: u64,
    /// How many bytes a power cut had left unfinished.
    pub torn: u64,
    /// What is damaged, each once.
    pub damage: Vec<Damage>,
    /// Which messages that cost.
    pub lost: Vec<Dropped>,
    /// Which epochs have been closed.
    pub closed: Vec<u64>,
    /// How many of the two files of the epoch were mended.
    pub mended: usize,
    /// Whether what was acknowledged has been forgotten, because both files of it are damaged.
    pub forgotten: bool,
    /// Why the records of all that wait for the next commit, if they do.
    pub waiting: Option<CommitError>,
}

/// An outbox cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder cannot be read or changed.
    #[error("open the outbox: {doing}")]
    Disk {
        /// What was being attempted.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A lane's log cannot be opened.
    #[error("open the outbox")]
    Log(#[source] segments::OpenError),
    /// What was acknowledged stands in a newer format.
    #[error("the ledger has a format that is newer than this software")]
    Newer,
    /// No epoch can begin.
    #[error("begin an epoch")]
    Epoch(#[source] EpochError),
}

impl Outbox {
    /// Opens the outbox in a folder, or begins one; the clock counts as free-running until
    /// [`Self::set_quality`].
    ///
    /// # Errors
    /// Each of [`OpenError`]; nothing was signed then.
    pub fn open(
        mut disk: Box<dyn Disk>,
        name: DeviceName,
        signer: Box<dyn Signer>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<(Self, Recovery), OpenError> {
        let mut files = disk.list().map_err(while_("list the folder"))?;
        let unfinished = files.iter().filter(|file| file.name.ends_with(UNFINISHED));
        for file in unfinished {
            disk.remove(&file.name)
                .map_err(while_("remove an unfinished file"))?;
        }
        files.retain(|file| !file.name.ends_with(UNFINISHED));
        let slots = slots::read(&mut *disk, LEDGER);
        let is_used = slots.newest.is_some()
            || slots.damaged > 0
            || files.iter().any(|file| read_name(&file.name).is_some());
        let ledger = match &slots.newest {
            // Its checksum was right: what is not understood is newer.
            Some((_, bytes)) => Some(Ledger::decode(bytes).ok_or(OpenError::Newer)?),
            None => None,
        };
        let mut stores = BTreeMap::new();
        let mut found = segments::Found::default();
        for lane in Lane::KEPT {
            let size = settings.segment(lane);
            let (log, of_lane) =
                Segments::open(&mut *disk, lane, &files, size).map_err(OpenError::Log)?;
            found.records += of_lane.records;
            found.torn += of_lane.torn;
            found.damage.extend(of_lane.damage);
            stores.insert(lane, Store::new(log));
        }
        // What a process that ended has made or removed must not come and go later.
        disk.sync_folder().map_err(while_("sync the folder"))?;
        let issuer = name.urn();
        let begun = begin(&mut *disk, &issuer, is_used).map_err(OpenError::Epoch)?;
        let generation = slots
            .newest
            .as_ref()
            .map_or(0, |(generation, _)| *generation);
        let forgotten = ledger.is_none() && slots.damaged > 0;
        let mut ledger = ledger.unwrap_or_else(|| {
            let mut ledger = Ledger::default();
            if forgotten {
                // What came before the last epoch was closed by its own successors.
                ledger.closed_through = begun.before.map_or(0, |before| before.saturating_sub(1));
            }
            // Where none was ever written, nobody can have closed an epoch for certain, and no segment was
            // removed: all of them are closed now.
            ledger
        });
        for (lane, store) in &stores {
            for run in store.log.iter().flat_map(|segment| &segment.runs) {
                ledger.given((run.epoch, *lane), run.last);
            }
        }
        let mut outbox = Self {
            disk,
            name,
            issuer,
            signer,
            clock,
            settings,
            quality: TimeQuality::Free,
            epoch: begun.epoch,
            presence: 0,
            stores,
            floor_written: ledger.floor,
            ledger,
            generation,
            is_behind: true,
            explaining: Vec::new(),
            closing: None,
            suspects: BTreeSet::from(Lane::KEPT),
            acknowledged: 0,
        };
        let (lost, closed, waiting) = outbox.settle_the_past();
        let recovery = Recovery {
            before: begun.before,
            epoch: outbox.epoch(),
            records: found.records,
            torn: found.torn,
            damage: found.damage,
            lost,
            closed,
            mended: begun.mended,
            forgotten,
            waiting,
        };
        outbox.rewind();
        Ok((outbox, recovery))
    }

    /// Names what is lost and closes earlier epochs; what could not be done yet is done by the next commit.
    fn settle_the_past(&mut self) -> (Vec<Dropped>, Vec<u64>, Option<CommitError>) {
        // Before records are added to what would be free else.
        let freed = self.free_settled(true);
        let first = self.ledger.closed_through + 1;
        let sealed = self.explain_losses().and_then(|()| self.close_epochs());
        let closed = self.closing.map_or(first, |last| last + 1);
        let lost = self.explaining.clone();
        let settled = sealed
            .and_then(|()| self.commit_drops())
            .and(freed)
            .and_then(|()| self.forget_the_past());
        self.refill_reserve();
        (lost, (first..closed).collect(), settled.err())
    }

    /// Seals a record of where each earlier epoch ended that has none.
    pub(super) fn close_epochs(&mut self) -> Result<(), CommitError> {
        let closed = self.closing.unwrap_or(self.ledger.closed_through);
        for epoch in closed.saturating_add(1)..self.epoch() {
            let last = self.ledger.ends_of(epoch);
            self.keep(&Message::Closed(Closed { epoch, last }))
                .map_err(CommitError::Seal)?;
            self.closing = Some(epoch);
        }
        Ok(())
    }

    fn forget_the_past(&mut self) -> Result<(), CommitError> {
        let stores = self.stores.values();
        let segments = stores.flat_map(|store| store.log.iter());
        let in_files: BTreeSet<u64> = segments
            .flat_map(|segment| segment.runs.iter().map(|run| run.epoch))
            .collect();
        self.ledger.forget(|epoch| in_files.contains(&epoch));
        self.write_ledger()
    }
}

/// The next epoch, in the room of the file in reserve if the disk is full.
fn begin(disk: &mut dyn Disk, issuer: &str, is_used: bool) -> Result<Begun, EpochError> {
    match Epoch::begin(disk, issuer, is_used) {
        Err(EpochError::Disk(error)) if release_reserve(disk, &error) => {
            Epoch::begin(disk, issuer, is_used)
        }
        other => other,
    }
}

fn while_(doing: &'static str) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Disk { doing, source }
}
