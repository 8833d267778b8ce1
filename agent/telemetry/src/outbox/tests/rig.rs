//! What the tests of the outbox have in common: a disk, a clock, a signer that remembers what it signed, and
//! a monitor that keeps the accounts.
//!
//! The accounts say at any time: what was accepted is kept, or acknowledged, or named; and nothing was signed
//! twice with different content.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ciborium::Value;
use device_api::{Clock, Moment};

use super::super::*;
use crate::Envelope;
use crate::disk::memory::MemoryDisk;
use crate::message::device::FaultChange;
use crate::message::gaps::LastOfLane;
use crate::message::outcome::{Bytes, CommandId, Part};
use crate::message::queue::QueueState;
use crate::message::work::JobCounts;
use crate::signer::SignError;

/// When tests begin, in seconds since 1970.
pub(super) const START: u64 = 1_795_000_000;
/// One day in seconds.
pub(super) const DAY: u64 = 86_400;

/// Which message: epoch, lane and number.
type Id = (u64, Lane, u64);

#[derive(Debug, Default)]
pub(super) struct HandClock(AtomicU64);

impl HandClock {
    pub(super) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        Moment::after_origin(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }

    fn unix_millis(&self) -> u64 {
        (START + self.0.load(Ordering::Relaxed)) * 1000
    }
}

/// The digest of what was signed under each epoch, lane and number.
type Signed = BTreeMap<(u64, String, u64), [u8; 32]>;

/// Signs by a digest, which is quick, and refuses to sign a number twice with different content.
#[derive(Debug, Clone, Default)]
pub(super) struct Spy {
    signed: Arc<Mutex<Signed>>,
    pub(super) is_silent: Arc<AtomicBool>,
}

impl Signer for Spy {
    fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::new([5; 32])
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SignError> {
        if self.is_silent.load(Ordering::Relaxed) {
            return Err(SignError::Unavailable);
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        let digest: [u8; 32] = digest.as_ref().try_into().unwrap();
        let id = stamp_of(bytes);
        let before = self.signed.lock().unwrap().insert(id.clone(), digest);
        assert!(
            before.is_none_or(|before| before == digest),
            "{id:?} was signed twice"
        );
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&digest);
        Ok(signature)
    }
}

/// Epoch, lane and number in what is signed (RFC 9052, 4.4).
fn stamp_of(bytes: &[u8]) -> (u64, String, u64) {
    let parts: Value = ciborium::from_reader(bytes).unwrap();
    let protected = parts.as_array().unwrap()[1].as_bytes().unwrap().clone();
    let header: Value = ciborium::from_reader(protected.as_slice()).unwrap();
    let mut fields = header.as_map().unwrap().iter();
    let stamp = fields.find(|(label, _)| *label == Value::from(-65_537));
    let stamp = stamp.unwrap().1.as_array().unwrap();
    let number = |place: usize| u64::try_from(stamp[place].as_integer().unwrap()).unwrap();
    (number(1), stamp[2].as_text().unwrap().to_owned(), number(3))
}

/// A message of a lane.
pub(super) fn message(lane: Lane) -> Message {
    match lane {
        Lane::Alerts => Message::Fault(FaultChange {
            device: "ticketPrinter:1".parse().unwrap(),
            fault: "PRN-PAPER-OUT".parse().unwrap(),
            raised: true,
        }),
        Lane::Commands => part(10),
        Lane::State => Message::Queue(QueueState {
            site: "honcho".parse().unwrap(),
            service: "juminhyo".parse().unwrap(),
            waiting: 12,
            counters: 3,
            longest_wait_seconds: 900,
            issued: 90,
            served: 78,
        }),
        Lane::Telemetry => Message::Jobs(JobCounts {
            seconds: 60,
            jobs: vec![],
        }),
        Lane::Drops | Lane::Presence => panic!("no such message"),
    }
}

/// A message of any length.
pub(super) fn part(length: usize) -> Message {
    Message::Part(Part {
        command: CommandId([1; 16]),
        part: 0,
        of: 1,
        bytes: Bytes(vec![7; length]),
    })
}

pub(super) struct Rig {
    pub(super) disk: MemoryDisk,
    pub(super) clock: Arc<HandClock>,
    pub(super) spy: Spy,
    pub(super) settings: Settings,
    pub(super) allow_damage: bool,
    /// Accepted, and not yet committed.
    waiting: Vec<Id>,
    /// Committed, or seen to be kept.
    pub(super) committed: BTreeSet<Id>,
    /// The digest of everything that was ever handed out.
    seen: BTreeMap<Id, crate::name::Digest>,
    /// What drop records name that were seen, in their order, each record once.
    pub(super) named: Vec<Dropped>,
    /// What the monitor has received, and what it has been told is missing.
    received: BTreeSet<Id>,
    told: BTreeSet<Id>,
    pub(super) closed: BTreeMap<u64, Vec<LastOfLane>>,
    /// How many `Closed` records were seen.
    pub(super) closures: usize,
    /// What was acknowledged.
    acked: BTreeMap<(u64, Lane), u64>,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self {
            disk: MemoryDisk::new(),
            clock: Arc::default(),
            spy: Spy::default(),
            settings: Settings {
                quota_bytes: 512 << 10,
                segment_bytes: 1 << 20,
            },
            allow_damage: false,
            waiting: Vec::new(),
            committed: BTreeSet::new(),
            seen: BTreeMap::new(),
            named: Vec::new(),
            received: BTreeSet::new(),
            told: BTreeSet::new(),
            closed: BTreeMap::new(),
            closures: 0,
            acked: BTreeMap::new(),
        }
    }

    pub(super) fn try_open(&mut self) -> Result<(Outbox, Recovery), OpenError> {
        self.waiting.clear();
        let name = DeviceName {
            tenant: "hoshino-shi".parse().unwrap(),
            device: "c-03".parse().unwrap(),
        };
        let (disk, signer) = (Box::new(self.disk.clone()), Box::new(self.spy.clone()));
        Outbox::open(disk, name, signer, self.clock.clone(), self.settings)
    }

    pub(super) fn open_with_recovery(&mut self) -> (Outbox, Recovery) {
        let (outbox, recovery) = self.try_open().unwrap();
        if !self.allow_damage {
            assert_eq!(recovery.damage, []);
            assert_eq!(recovery.lost, []);
        }
        (outbox, recovery)
    }

    pub(super) fn open(&mut self) -> Outbox {
        self.open_with_recovery().0
    }

    pub(super) fn accept(&mut self, outbox: &mut Outbox, message: &Message) {
        match outbox.accept(message) {
            Ok(stamp) => self.waiting.push((stamp.epoch, stamp.lane, stamp.number)),
            Err(error) => assert_eq!(error, AcceptError::Waiting),
        }
    }

    pub(super) fn commit(&mut self, outbox: &mut Outbox) -> Result<(), CommitError> {
        outbox.commit()?;
        self.committed.extend(self.waiting.drain(..));
        Ok(())
    }

    /// Looks at everything that is kept, and settles the accounts; what was handed out, in order.
    pub(super) fn audit(&mut self, outbox: &mut Outbox) -> Vec<Sealed> {
        outbox.rewind();
        let handed: Vec<Sealed> = std::iter::from_fn(|| outbox.next_backlog()).collect();
        assert_eq!(outbox.next_fresh(), None);
        let mut kept = BTreeSet::new();
        for sealed in &handed {
            self.look_at(sealed);
            let id = (sealed.stamp.epoch, sealed.stamp.lane, sealed.stamp.number);
            assert!(kept.insert(id), "{id:?} was handed out twice");
        }
        for mark in outbox.marks() {
            let of_lane = kept.iter().filter(|id| id.1 == mark.lane).count();
            assert_eq!(u64::try_from(of_lane).unwrap(), mark.kept, "{mark:?}");
        }
        self.committed.extend(kept.iter().copied());
        let acked = |id: &Id| {
            self.acked
                .get(&(id.0, id.1))
                .is_some_and(|last| id.2 <= *last)
        };
        let mut all = self.committed.iter();
        let unaccounted = all.find(|id| !acked(id) && !kept.contains(*id) && !self.is_named(id));
        assert_eq!(unaccounted, None, "neither kept, acknowledged nor named");
        outbox.rewind();
        handed
    }

    /// A connection over which so many messages come, and the monitor's acknowledgement.
    pub(super) fn deliver(&mut self, outbox: &mut Outbox, most: usize) {
        outbox.rewind();
        for _ in 0..most {
            let next = outbox.next_fresh().or_else(|| outbox.next_backlog());
            let Some(sealed) = next else {
                break;
            };
            let message = self.look_at(&sealed);
            let id = (sealed.stamp.epoch, sealed.stamp.lane, sealed.stamp.number);
            self.received.insert(id);
            if let Message::Dropped(dropped) = message {
                let numbers = dropped.first..=dropped.last;
                let ids = numbers.map(|number| (dropped.epoch, dropped.lane, number));
                self.told.extend(ids);
            }
        }
        let has = |id: &Id| self.received.contains(id) || self.told.contains(id);
        let counts: BTreeSet<(u64, Lane)> = self.received.iter().map(|id| (id.0, id.1)).collect();
        let marks = counts.into_iter().map(|(epoch, lane)| {
            let row = (1..).take_while(|number| has(&(epoch, lane, *number)));
            Mark {
                epoch,
                lane,
                through: row.last().unwrap_or(0),
            }
        });
        let marks: Vec<Mark> = marks.collect();
        assert_eq!(outbox.acknowledge(&marks), []);
        for mark in marks {
            let acked = self.acked.entry((mark.epoch, mark.lane)).or_default();
            *acked = mark.through.max(*acked);
        }
    }

    /// The monitor gets everything; then no number of any epoch may be missing without a word.
    pub(super) fn settle(&mut self, outbox: &mut Outbox) {
        self.deliver(outbox, usize::MAX);
        let now = outbox.marks().into_iter().map(|mark| LastOfLane {
            lane: mark.lane,
            number: mark.newest,
        });
        self.closed.insert(outbox.epoch(), now.collect());
        for epoch in 1..=outbox.epoch() {
            let last = self.closed.get(&epoch);
            let last = last.unwrap_or_else(|| panic!("epoch {epoch} was not closed"));
            for LastOfLane { lane, number } in last {
                for number in 1..=*number {
                    let id = (epoch, *lane, number);
                    let known = self.received.contains(&id) || self.told.contains(&id);
                    assert!(known, "{id:?} is missing without a word");
                }
            }
        }
        for (epoch, lane, number) in &self.received {
            let last = self.closed[epoch].iter().find(|last| last.lane == *lane);
            let last = last.map_or(0, |last| last.number);
            assert!(*number <= last, "{number} on {lane:?} comes after {last}");
        }
        self.closed.remove(&outbox.epoch());
        let kept: u64 = outbox.marks().iter().map(|mark| mark.kept).sum();
        assert_eq!(kept, 0);
    }

    /// Fills segments, so that those before are freed once they are acknowledged.
    pub(super) fn fill_and_ack(&mut self, outbox: &mut Outbox) {
        for _ in 0..3 {
            for lane in [Lane::Alerts, Lane::State, Lane::Telemetry] {
                for _ in 0..80 {
                    self.accept(outbox, &message(lane));
                }
            }
            self.commit(outbox).unwrap();
            self.deliver(outbox, usize::MAX);
        }
    }

    fn is_named(&self, id: &Id) -> bool {
        let mut named = self.named.iter();
        named.any(|d| (d.epoch, d.lane) == (id.0, id.1) && (d.first..=d.last).contains(&id.2))
    }

    /// Checks one message that was handed out.
    fn look_at(&mut self, sealed: &Sealed) -> Message {
        let stamp = sealed.stamp;
        let id = (stamp.epoch, stamp.lane, stamp.number);
        let envelope = Envelope::read(&sealed.bytes).unwrap();
        assert_eq!(envelope.header().stamp, stamp);
        let topic: UpTopic = sealed.topic.parse().unwrap();
        let decoded = Message::decode(topic.class, envelope.payload()).unwrap();
        let digest = crate::name::Digest::of(&sealed.bytes);
        let before = self.seen.insert(id, digest.clone());
        let is_new = before.is_none();
        assert!(before.is_none_or(|before| before == digest));
        let signed = (stamp.epoch, stamp.lane.code().to_owned(), stamp.number);
        assert!(self.spy.signed.lock().unwrap().contains_key(&signed));
        if is_new && let Message::Dropped(dropped) = &decoded {
            self.named.push(*dropped);
        }
        if is_new && let Message::Closed(closed) = &decoded {
            self.closures += 1;
            let last = self.closed.entry(closed.epoch);
            let last = last.or_insert_with(|| closed.last.clone());
            assert_eq!(*last, closed.last, "epoch {} has two ends", closed.epoch);
        }
        decoded
    }
}
