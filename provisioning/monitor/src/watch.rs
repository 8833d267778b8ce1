//! What one device has said, held against what it says that it made.
//!
//! A sign of life names the newest number of each lane and how many messages are kept.
//! From that and the ledger follows what is on its way, what is held back, and what is lost:
//!
//! | missing, and | then |
//! |---|---|
//! | it may be among what the device keeps | it is waited for, asked for again, and called `suppressed` at last |
//! | the device keeps nothing but what came | it is lost: `gapUnexplained`, and the mark passes over it |
//!
//! Invariant: what is on the database and what is here differ by what [`Watched::take_changes`] names.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use device_api::Moment;
use telemetry::Lane;
use telemetry::message::gaps::{Closed, Dropped};
use telemetry::message::presence::LaneMark;
use telemetry::name::DeviceName;

use crate::alarm::{Alarm, AlarmKind};
use crate::ledger::Ledger;
use crate::presence::Presence;
use crate::ranges::Range;
use crate::store::progress::Progress;

/// The most ranges that an alarm names.
const MOST_NAMED: usize = 20;

/// For how long the monitor waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// By how much a device's clock may be wrong.
    pub clock: Duration,
    /// How long something that is kept may not come until it is asked for.
    pub resend: Duration,
    /// How long until it is called suppressed.
    pub suppressed: Duration,
    /// How old a message may be when it comes again.
    pub replay: Duration,
}

/// One device.
#[derive(Debug)]
pub struct Watched {
    /// Its number in the database.
    pub id: i64,
    /// Its life.
    pub life: i64,
    /// Its name.
    pub name: DeviceName,
    /// What came of it.
    pub ledger: Ledger,
    /// Whether it lives.
    pub presence: Presence,
    /// What it is to be told.
    pub ack: AckState,
    stalls: BTreeMap<Lane, Stall>,
    /// How far messages of complete epochs come again.
    again: BTreeMap<(u64, Lane), u64>,
    changes: Changes,
    resumed: bool,
}

/// What a device is to be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AckState {
    /// Whether something is new, or it may have missed something.
    pub due: bool,
    /// Whether it waits for it.
    pub at_once: bool,
    /// Whether it must send again what it keeps.
    pub resend: bool,
    /// When it was last told.
    pub sent: Option<Moment>,
    /// When its session began, or it was asked to send again.
    pub again_since: Option<Moment>,
}

/// What is not on the database yet.
#[derive(Debug, Default)]
pub struct Changes {
    /// Lanes.
    pub streams: BTreeSet<(u64, Lane)>,
    /// Epochs that are complete.
    pub forgotten: Vec<u64>,
    /// Presence.
    pub presence: bool,
}

/// A lane of which something kept does not come.
#[derive(Debug, Clone, Copy)]
struct Stall {
    since: Moment,
    least: u64,
    asked: Option<Moment>,
    told: bool,
}

impl Watched {
    /// A device as the database knows it.
    #[must_use]
    pub fn new(id: i64, life: i64, name: DeviceName, progress: Progress, now: Moment) -> Self {
        let Progress {
            ledger,
            mut presence,
        } = progress;
        presence.resume(now);
        Self {
            id,
            life,
            name,
            ledger,
            presence,
            ack: AckState {
                // It may be in the middle of sending again, for a session whose birth came before this start.
                again_since: Some(now),
                ..AckState::default()
            },
            stalls: BTreeMap::new(),
            again: BTreeMap::new(),
            changes: Changes::default(),
            resumed: true,
        }
    }

    /// Notes that a message came.
    pub fn came(&mut self, epoch: u64, lane: Lane, number: u64, made: u64) {
        let before = self.ledger.through(epoch, lane);
        self.ledger.receive(epoch, lane, number, made);
        self.changes.streams.insert((epoch, lane));
        if lane.is_kept() && self.ledger.through(epoch, lane) > before {
            self.ack.due = true;
        }
    }

    /// Notes that a message of a complete epoch came again: the device lost what it had noted of our word.
    pub fn came_again(&mut self, epoch: u64, lane: Lane, number: u64) {
        let through = self.again.entry((epoch, lane)).or_default();
        *through = number.max(*through);
        self.ack.due = true;
    }

    /// How far everything is there, in each epoch and kept lane of which the device may have to hear.
    pub fn marks(&self) -> impl Iterator<Item = (u64, Lane, u64)> + '_ {
        let again = self.again.iter();
        let again = again.map(|((epoch, lane), through)| (*epoch, *lane, *through));
        self.ledger.marks().chain(again)
    }

    /// Notes that the device let messages go.
    pub fn dropped(&mut self, dropped: &Dropped) {
        let range = Range {
            first: dropped.first.max(1),
            last: dropped.last,
        };
        self.ledger.excuse(dropped.epoch, dropped.lane, range);
        self.changes.streams.insert((dropped.epoch, dropped.lane));
        self.ack.due = true;
    }

    /// Notes where an epoch ended.
    pub fn closed(&mut self, closed: &Closed) {
        let last: Vec<(Lane, u64)> = closed
            .last
            .iter()
            .map(|last| (last.lane, last.number))
            .collect();
        self.ledger.close(closed.epoch, &last);
        let lanes = Lane::KEPT.into_iter().map(|lane| (closed.epoch, lane));
        self.changes.streams.extend(lanes);
        self.ack.due = true;
    }

    /// Notes that presence has changed.
    pub const fn presence_changed(&mut self) {
        self.changes.presence = true;
    }

    /// Holds the newest sign of life against what came; what is wrong.
    ///
    /// At the first contact nothing is: what went before is not this monitor's.
    pub fn compare(
        &mut self,
        epoch: u64,
        marks: &[LaneMark],
        (first_contact, now): (bool, Moment),
        patience: &Patience,
    ) -> Vec<Alarm> {
        self.ledger.hear(epoch, marks);
        let mut marks: Vec<&LaneMark> = marks.iter().filter(|mark| mark.lane.is_kept()).collect();
        // What explains gaps comes first.
        marks.sort_by_key(|mark| mark.lane);
        self.changes
            .streams
            .extend(marks.iter().map(|mark| (epoch, mark.lane)));
        let mut alarms = Vec::new();
        for mark in &marks {
            let explained = mark.lane == Lane::Drops || !self.is_short(epoch, Lane::Drops, &marks);
            if explained {
                let lost = self.write_off(epoch, mark);
                if !first_contact {
                    alarms.extend(lost);
                }
            }
        }
        alarms.extend(self.stalled(epoch, &marks, now, patience));
        if marks.iter().all(|mark| mark.kept == 0) {
            let done = self.ledger.forget(epoch);
            self.again.clear();
            self.changes.forgotten.extend(done);
        } else {
            // It may not have heard what it was told.
            self.ack.due = true;
        }
        self.resumed = false;
        alarms
    }

    /// Messages may have come while nobody listened: what the device still keeps is asked for at its next
    /// sign of life.
    pub const fn resume(&mut self) {
        self.resumed = true;
    }

    /// What is not on the database yet; it is taken for stored from now on.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// How many messages are missing.
    #[must_use]
    pub fn missing(&self) -> u64 {
        let lanes = Lane::KEPT.into_iter().map(|lane| LaneMark {
            lane,
            newest: self
                .ledger
                .stream(self.presence.epoch, lane)
                .map_or(0, crate::ledger::Stream::known),
            kept: 0,
        });
        lanes
            .map(|mark| self.ledger.shortfall(self.presence.epoch, &mark).missing)
            .fold(0, u64::saturating_add)
    }

    fn is_short(&self, epoch: u64, lane: Lane, marks: &[&LaneMark]) -> bool {
        marks
            .iter()
            .find(|mark| mark.lane == lane)
            .is_some_and(|mark| self.ledger.shortfall(epoch, mark).missing > 0)
    }

    fn write_off(&mut self, epoch: u64, mark: &LaneMark) -> Vec<Alarm> {
        let lost = self.ledger.write_off(epoch, mark);
        lost.into_iter()
            .map(|lost| {
                self.changes.streams.insert((lost.epoch, lost.lane));
                self.ack.due = true;
                let count: u64 = lost.gaps.iter().map(|gap| gap.count()).sum();
                let mut text = format!("{count} lost:");
                for gap in lost.gaps.iter().take(MOST_NAMED) {
                    text.push_str(&format!(" {gap}"));
                }
                if lost.gaps.len() > MOST_NAMED {
                    text.push_str(" and more");
                }
                let first = lost.gaps.first().map_or(0, |gap| gap.first);
                Alarm::new(AlarmKind::GapUnexplained, text).about(lost.epoch, lost.lane, first)
            })
            .collect()
    }

    /// What the device keeps and does not come.
    ///
    /// A lane that comes nearer to its end is not stalled, and none waits while a more urgent one does.
    fn stalled(
        &mut self,
        epoch: u64,
        marks: &[&LaneMark],
        now: Moment,
        patience: &Patience,
    ) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        let mut moves = false;
        for mark in marks {
            let missing = self.ledger.shortfall(epoch, mark).missing;
            if missing == 0 {
                self.stalls.remove(&mark.lane);
                continue;
            }
            let stall = self.stalls.entry(mark.lane).or_insert(Stall {
                since: now,
                least: missing,
                asked: None,
                told: false,
            });
            moves |= missing < stall.least;
            if moves {
                stall.since = now;
                stall.asked = None;
                stall.told = false;
            }
            stall.least = stall.least.min(missing);
            let stalled = now.since(stall.since);
            let asked = now.since(stall.asked.unwrap_or(stall.since));
            if self.resumed || (stalled >= patience.resend && asked >= patience.resend) {
                stall.asked = Some(now);
                self.ack.resend = true;
                self.ack.due = true;
                self.ack.again_since = Some(now);
            }
            if stalled >= patience.suppressed && !stall.told {
                stall.told = true;
                let text = format!(
                    "{missing} kept by the device, and none of them came in {} seconds",
                    stalled.as_secs()
                );
                let next = self.ledger.through(epoch, mark.lane).saturating_add(1);
                let alarm = Alarm::new(AlarmKind::Suppressed, text);
                alarms.push(alarm.about(epoch, mark.lane, next));
            }
        }
        alarms
    }
}
