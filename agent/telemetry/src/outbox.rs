//! What is said and not yet acknowledged: numbered, signed, on the disk, handed out in order, freed by the
//! monitor's word alone.
//!
//! ```text
//! accept -> numbered, signed, waiting     commit -> on the disk -> next_fresh, next_backlog -> the link
//!                                         acknowledge -> settled -> whole segments are removed
//!                                         over quota, too old, damaged -> named on lane `dr`, then removed
//! ```
//! Invariants, over any crash, full disk and failing call:
//! - a message that a successful [`Outbox::commit`] covers is kept until it is acknowledged or named in a
//!   drop record that is on the disk;
//! - no epoch, lane and number are signed twice with different content;
//! - a drop record is on the disk before what it names is removed, and is handed out before anything else;
//! - memory grows with segments and epochs, not with messages.
//!
//! One thread owns an outbox; only `accept`, `live` and what writes drop records sign.

mod handing;
mod ledger;
mod opening;
mod space;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use device_api::Clock;
use thiserror::Error;

use crate::cbor::CborError;
use crate::disk::{self, Disk};
use crate::down::Mark;
use crate::envelope::{self, LONGEST, SealError, Stamp};
use crate::epoch::Epoch;
use crate::lane::Lane;
use crate::message::gaps::Dropped;
use crate::message::machine::TimeQuality;
use crate::message::presence::LaneMark;
use crate::message::{Class, Message};
use crate::name::DeviceName;
use crate::segments::WriteError;
use crate::signer::{Signer, VerifyingKey};
use crate::topic::UpTopic;
use ledger::Ledger;
use store::Store;

pub use opening::{OpenError, Recovery};

/// What an envelope holds besides payload and issuer, at most.
const AROUND: usize = 160;
/// Which share of its lane may wait in memory for the disk, at most (one over this).
const WAITING_SHARE: u64 = 2;
/// And so much at most.
const MOST_WAITING: u64 = 1 << 20;
/// How long a segment of a lane without a quota grows: a few hundred drop records.
const UNLIMITED_SEGMENT: u64 = 64 << 10;
/// The least that all lanes together may fill: each must hold several of the longest messages.
const LEAST_QUOTA: u64 = 512 << 10;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How much all lanes with a quota may fill together; at least 512 KiB.
    pub quota_bytes: u64,
    /// How long a segment grows; at most a quarter of its lane's share.
    pub segment_bytes: u64,
}

/// A message as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Where.
    pub topic: String,
    /// The envelope.
    pub bytes: Vec<u8>,
    /// What it says of itself.
    pub stamp: Stamp,
    /// Whether a broker keeps it for whoever subscribes later.
    pub retain: bool,
}

/// A message was not accepted; no number was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AcceptError {
    /// It is of a lane that is not kept: [`Outbox::live`] seals it.
    #[error("the lane of this message is not kept")]
    NotKept,
    /// Only the outbox itself says what is missing.
    #[error("only the outbox itself says what is missing")]
    Reserved,
    /// The disk takes nothing, and as much waits for it as may.
    #[error("the disk takes nothing, and too many messages wait for it")]
    Waiting,
    /// It could not be sealed.
    #[error("a message could not be sealed")]
    Seal(#[source] SealError),
}

/// Something could not be made to last; what waits is tried again by the next [`Outbox::commit`].
#[derive(Debug, Error)]
pub enum CommitError {
    /// Messages.
    #[error("keep messages of lane {lane}", lane = lane.code())]
    Write {
        /// Of which lane.
        lane: Lane,
        /// Why.
        #[source]
        source: WriteError,
    },
    /// What was acknowledged or dropped.
    #[error("write down what need not be kept")]
    Ledger(#[source] io::Error),
    /// Files that are gone.
    #[error("remove segments for good")]
    Folder(#[source] io::Error),
    /// A drop record could not be sealed.
    #[error("a drop record could not be sealed")]
    Seal(#[source] SealError),
}

/// A mark that covers what was never committed; it did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The mark.
    pub mark: Mark,
    /// The last number that was committed in its epoch and lane.
    pub committed: u64,
}

/// What is said and not yet acknowledged.
#[derive(Debug)]
pub struct Outbox {
    disk: Box<dyn Disk>,
    name: DeviceName,
    issuer: String,
    signer: Box<dyn Signer>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    quality: TimeQuality,
    epoch: Epoch,
    /// Numbers given on the lane that is not kept.
    presence: u64,
    stores: BTreeMap<Lane, Store>,
    ledger: Ledger,
    /// Which generation of the ledger is on the disk, and whether it is behind.
    generation: u64,
    is_behind: bool,
    /// The floor that is on the disk.
    floor_written: u64,
    /// What the drop records that wait for the disk explain.
    explaining: Vec<Dropped>,
    /// The last epoch for which they say where it ended.
    closing: Option<u64>,
    /// Lanes in which something was found damaged that is not explained yet.
    suspects: BTreeSet<Lane>,
    /// How many numbers were acknowledged since the start.
    acknowledged: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            quota_bytes: 64 << 20,
            segment_bytes: 1 << 20,
        }
    }
}

impl Settings {
    /// How much a lane may fill; `None` for what no quota holds back.
    fn share(&self, lane: Lane) -> Option<u64> {
        let quota = self.quota_bytes.max(LEAST_QUOTA);
        lane.share().map(|percent| quota / 100 * percent)
    }

    fn segment(&self, lane: Lane) -> u64 {
        let most = match self.share(lane) {
            Some(share) => share / 4,
            None => UNLIMITED_SEGMENT,
        };
        self.segment_bytes.min(most)
    }

    fn waiting(&self, lane: Lane) -> u64 {
        let share = self.share(lane).unwrap_or(u64::MAX);
        MOST_WAITING.min(share / WAITING_SHARE)
    }
}

impl CommitError {
    /// Whether the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Write { source, .. } => disk::is_full(&source.source),
            Self::Ledger(source) | Self::Folder(source) => disk::is_full(source),
            Self::Seal(_) => false,
        }
    }
}

impl Outbox {
    /// Which epoch it is.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch.number()
    }

    /// A number for a connection that no connection had before; `None` after 16 million in one epoch.
    pub fn next_session(&mut self) -> Option<u64> {
        self.epoch.next_session()
    }

    /// The key that verifies what is signed in this epoch.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.signer.verifying_key()
    }

    /// Numbers and seals a message; it is accepted once [`Self::commit`] has returned `Ok`.
    ///
    /// Touches no disk.
    ///
    /// # Errors
    /// Each of [`AcceptError`]; no number was used then.
    pub fn accept(&mut self, message: &Message) -> Result<Stamp, AcceptError> {
        match message.class().lane() {
            Lane::Presence => return Err(AcceptError::NotKept),
            Lane::Drops => return Err(AcceptError::Reserved),
            lane @ (Lane::Alerts | Lane::Commands | Lane::State | Lane::Telemetry) => {
                let waiting = self
                    .stores
                    .get(&lane)
                    .map_or(0, |store| store.waiting.len());
                if waiting >= self.settings.waiting(lane) {
                    return Err(AcceptError::Waiting);
                }
            }
        }
        self.keep(message).map_err(AcceptError::Seal)
    }

    /// Makes everything that was accepted last: one `fdatasync` for each file that is touched.
    ///
    /// Where a lane is full, its oldest segment goes first, after the signed record of that.
    ///
    /// # Errors
    /// The first of [`CommitError`]; lanes that could be written are. What was not committed is not handed
    /// out, keeps its numbers and bytes, and is tried again by the next call.
    pub fn commit(&mut self) -> Result<(), CommitError> {
        let mut result = self.explain();
        for lane in Lane::KEPT.into_iter().filter(|lane| *lane != Lane::Drops) {
            let done = self.make_room(lane).and_then(|()| self.write(lane));
            result = result.and(done);
        }
        result
    }

    /// Seals a message of the lane that is not kept.
    ///
    /// # Errors
    /// Each of [`SealError`]; [`SealError::Encoding`] for a message of another lane.
    pub fn live(&mut self, message: &Message) -> Result<Sealed, SealError> {
        let class = message.class();
        if class.lane().is_kept() {
            return Err(SealError::Encoding(CborError::Schema));
        }
        let stamp = self.stamp(class.lane(), self.presence + 1);
        let bytes = self.seal(message, stamp)?;
        self.presence = stamp.number;
        Ok(self.sealed(class, stamp, bytes))
    }

    /// Frees what the monitor has; the marks that were refused.
    ///
    /// A mark that says less than an earlier one takes nothing back. What is settled is written down when a
    /// segment is removed or at the next [`Self::expire`]; being behind after a crash is harmless.
    pub fn acknowledge(&mut self, marks: &[Mark]) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for mark in marks {
            let count = (mark.epoch, mark.lane);
            if mark.epoch < self.epoch() && !self.ledger.knows(count) {
                // Everything of it was settled long ago, or never kept.
                continue;
            }
            let committed = if mark.lane.is_kept() || mark.epoch != self.epoch() {
                self.ledger.end(count)
            } else {
                self.presence
            };
            if mark.through > committed {
                let mark = *mark;
                refusals.push(Refusal { mark, committed });
                continue;
            }
            let new = self.ledger.unsettled(count, (1, mark.through));
            if mark.lane.is_kept() && mark.through > 0 && !new.is_empty() {
                let numbers = new.iter().map(|(first, last)| last - first + 1);
                self.acknowledged += numbers.sum::<u64>();
                self.ledger.settle(count, (1, mark.through));
                self.is_behind = true;
            }
        }
        // What fails here is tried again by `expire`.
        match self.free_settled(false) {
            Ok(()) | Err(_) => refusals,
        }
    }

    /// How many messages were acknowledged since the start.
    #[must_use]
    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// How far each lane has come, for birth and beat.
    #[must_use]
    pub fn marks(&self) -> Vec<LaneMark> {
        let marks = self.stores.iter().map(|(lane, store)| LaneMark {
            lane: *lane,
            newest: self.ledger.end((self.epoch(), *lane)),
            kept: store.kept(&self.ledger),
        });
        marks.collect()
    }

    /// Says that a moment has certainly passed: no message is stamped earlier from now on.
    ///
    /// Written down with what is settled, and at once where it grows by more than an hour.
    pub fn raise_floor(&mut self, unix_seconds: u64) {
        if unix_seconds <= self.ledger.floor {
            return;
        }
        self.ledger.floor = unix_seconds;
        self.is_behind = true;
        if unix_seconds - self.floor_written > 3600 {
            // What fails here is tried again by `expire`.
            match self.write_ledger() {
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Says how good the clock is.
    pub const fn set_quality(&mut self, quality: TimeQuality) {
        self.quality = quality;
    }

    /// Numbers, seals and queues a message of any kept lane.
    fn keep(&mut self, message: &Message) -> Result<Stamp, SealError> {
        let class = message.class();
        let lane = class.lane();
        let number = self.stores.get(&lane).map_or(0, |store| store.next);
        let stamp = self.stamp(lane, number);
        let bytes = self.seal(message, stamp)?;
        if let Some(store) = self.stores.get_mut(&lane) {
            store.waiting.push(stamp, class, &bytes);
            store.next += 1;
        }
        Ok(stamp)
    }

    fn stamp(&self, lane: Lane, number: u64) -> Stamp {
        let clock = self.clock.unix_millis() / 1000;
        let floor = self.ledger.floor;
        let monotonic = self.clock.now().since_origin().as_millis();
        Stamp {
            epoch: self.epoch(),
            lane,
            number,
            monotonic_millis: u64::try_from(monotonic).unwrap_or(u64::MAX),
            issued_at: clock.max(floor),
            quality: if clock < floor {
                TimeQuality::Floor
            } else {
                self.quality
            },
        }
    }

    fn seal(&self, message: &Message, stamp: Stamp) -> Result<Vec<u8>, SealError> {
        let payload = message.encode().map_err(SealError::Encoding)?;
        // Refused before anything is signed, so that the number can be used for something else.
        if payload.len() + self.issuer.len() + AROUND > LONGEST {
            return Err(SealError::TooLong);
        }
        let topic = self.topic(message.class());
        envelope::seal(&*self.signer, &self.issuer, stamp, &topic, payload)
    }

    fn topic(&self, class: Class) -> String {
        let from = self.name.clone();
        UpTopic { from, class }.to_string()
    }

    fn sealed(&self, class: Class, stamp: Stamp, bytes: Vec<u8>) -> Sealed {
        Sealed {
            topic: self.topic(class),
            bytes,
            stamp,
            retain: class.is_retained(),
        }
    }
}

#[cfg(test)]
mod tests;
