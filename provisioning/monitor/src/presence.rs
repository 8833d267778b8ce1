//! Whether a device lives, by what it signed and by nothing else.
//!
//! | standing | since the last signed birth or beat |
//! |---|---|
//! | alive | at most 2 of its beats |
//! | late | more than 2 |
//! | lost | more than 4 |
//! | left | it said that it ends |
//!
//! A beat that was held back on its way counts from when it was made: within an epoch the device's monotonic
//! clock and ours run alike, so the delay beyond the shortest one that was seen is known.
//! The broker's word that a device is lost was signed in advance and can come at any time: it is a hint,
//! which is shown and changes nothing.
//! Two machines with one key show as sessions or epochs that go back and forth.

use std::time::Duration;

use device_api::Moment;
use telemetry::Stamp;
use telemetry::message::Message;
use telemetry::message::presence::LaneMark;

use crate::alarm::{Alarm, AlarmKind};

/// After so many beats without a sign a device is late.
const LATE: u32 = 2;
/// After so many it is lost.
const LOST: u32 = 4;
/// Time between two beats while no birth has told it.
const USUAL_BEAT: u32 = 30;

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Standing {
    /// Nothing was heard since the monitor knows it.
    #[default]
    Unheard,
    /// It lives.
    Alive,
    /// A beat or two are missing.
    Late,
    /// It is silent.
    Lost,
    /// It has ended on purpose.
    Left,
}

/// What is known of a device's presence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    /// The newest epoch.
    pub epoch: u64,
    /// The newest session of it.
    pub session: u64,
    /// The number of its newest message.
    pub number: u64,
    /// When that was made, by the device's monotonic clock, in milliseconds.
    pub made: u64,
    /// When that was made, by the device's wall clock, in seconds since 1970.
    pub issued_at: u64,
    /// When the first one of the epoch was made, by the device's wall clock.
    pub epoch_began: u64,
    /// When the first one of the session was made, by the device's monotonic clock.
    pub session_began: u64,
    /// Seconds between two beats.
    pub beat_seconds: u32,
    /// When a birth or beat was last made, by our monotonic clock; none since the monitor started.
    pub heard: Option<Moment>,
    /// When one last arrived, in milliseconds since 1970.
    pub heard_at: u64,
    /// The challenge of the newest beat.
    pub challenge: Option<String>,
    /// Whether the session ended on purpose.
    pub left: bool,
    /// When the broker said that the session is lost, in milliseconds since 1970.
    pub hint_lost: Option<u64>,
    /// How it stands.
    pub standing: Standing,
    /// The shortest time from making to arrival in this epoch, up to an unknown constant.
    pub(crate) shortest_way: Option<i128>,
    pub(crate) clock_told: bool,
    pub(crate) born: bool,
}

/// When and how something arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// By our monotonic clock.
    pub at: Moment,
    /// By our wall clock, in milliseconds since 1970.
    pub unix_millis: u64,
    /// Whether the broker had kept it from before, so that it proves no life now.
    pub retained: bool,
}

/// What follows from a sign of life.
#[derive(Debug, Default)]
pub struct Heard<'a> {
    /// What is wrong with it.
    pub alarm: Option<Alarm>,
    /// What is wrong beside it.
    pub clock: Option<Alarm>,
    /// Whether the device's counters went back: nothing of it may count any more.
    pub quarantine: bool,
    /// Whether a session begins with it.
    pub begins: bool,
    /// What it says of the lanes, where it is the newest sign.
    pub marks: Option<&'a [LaneMark]>,
}

impl Presence {
    /// Takes in a message of the lane of presence.
    ///
    /// `tolerance` is by how much a clock may be wrong.
    pub fn hear<'a>(
        &mut self,
        stamp: &Stamp,
        message: &'a Message,
        arrival: Arrival,
        tolerance: Duration,
    ) -> Heard<'a> {
        let Some(said) = Said::of(message) else {
            return Heard::default();
        };
        let mut heard = match self.judge(stamp, &said) {
            Judgement::Stale(alarm) => {
                return Heard {
                    quarantine: alarm.kind == AlarmKind::RolledBack,
                    alarm: Some(alarm),
                    ..Heard::default()
                };
            }
            Judgement::Hint => {
                if said.session == self.session && stamp.epoch == self.epoch {
                    self.hint_lost = Some(arrival.unix_millis);
                }
                return Heard::default();
            }
            Judgement::Older => return Heard::default(),
            Judgement::Goes(alarm) => Heard {
                alarm,
                ..Heard::default()
            },
            Judgement::Begins => Heard {
                begins: true,
                ..Heard::default()
            },
        };
        if heard.begins {
            self.begin(stamp, said.session);
        }
        if said.kind == Kind::Beat && self.hint_lost.take().is_some() && heard.alarm.is_none() {
            let text = format!("session {} was said to be lost, and goes on", self.session);
            heard.alarm = Some(Alarm::new(AlarmKind::ForgedDeath, text));
        }
        heard.marks = said.marks;
        heard.clock = self.clock(stamp, arrival, tolerance);
        self.note(stamp, &said, arrival);
        heard
    }

    /// Whether a stamp is of an epoch that was over when it was made.
    #[must_use]
    pub const fn is_rolled_back(&self, stamp: &Stamp) -> bool {
        stamp.epoch < self.epoch && stamp.issued_at >= self.epoch_began
    }

    /// How the device stands now; `true` where that has changed.
    pub fn look(&mut self, now: Moment) -> bool {
        let beat = Duration::from_secs(u64::from(self.beat_seconds.max(1)));
        let standing = match self.heard {
            _ if self.left => Standing::Left,
            None => return false,
            Some(heard) if now.since(heard) > beat.saturating_mul(LOST) => Standing::Lost,
            Some(heard) if now.since(heard) > beat.saturating_mul(LATE) => Standing::Late,
            Some(_) => Standing::Alive,
        };
        let changed = standing != self.standing;
        self.standing = standing;
        changed
    }

    /// Begins to wait for a device that was there before the monitor ended.
    pub fn resume(&mut self, now: Moment) {
        if matches!(self.standing, Standing::Alive | Standing::Late) {
            self.heard = Some(now);
        }
    }

    /// Takes an older epoch for the newest, because an operator says that this was intended.
    pub fn accept_rollback(&mut self, epoch: u64) {
        *self = Self {
            epoch,
            beat_seconds: self.beat_seconds,
            heard_at: self.heard_at,
            ..Self::default()
        };
    }

    fn judge(&self, stamp: &Stamp, said: &Said<'_>) -> Judgement {
        let stale = |kind, text: String| Judgement::Stale(Alarm::new(kind, text));
        let is_older = (stamp.epoch, said.session) < (self.epoch, self.session);
        if said.kind == Kind::Lost {
            return if is_older {
                let text = format!(
                    "session {} of epoch {} is said to be lost, which is over",
                    said.session, stamp.epoch
                );
                stale(AlarmKind::ForgedDeath, text)
            } else {
                Judgement::Hint
            };
        }
        if stamp.epoch < self.epoch {
            let text = format!("epoch {} after epoch {}", stamp.epoch, self.epoch);
            return if self.is_rolled_back(stamp) {
                stale(AlarmKind::RolledBack, text)
            } else {
                stale(AlarmKind::StaleSession, text)
            };
        }
        if is_older {
            let text = format!("session {} after session {}", said.session, self.session);
            return if stamp.monotonic_millis > self.session_began {
                stale(AlarmKind::Cloned, text)
            } else {
                stale(AlarmKind::StaleSession, text)
            };
        }
        if (stamp.epoch, said.session) > (self.epoch, self.session) {
            return Judgement::Begins;
        }
        if stamp.number < self.number {
            return Judgement::Older;
        }
        let again = said.kind == Kind::Birth && self.born;
        Judgement::Goes(again.then(|| {
            let text = format!("session {} began twice", said.session);
            Alarm::new(AlarmKind::Cloned, text)
        }))
    }

    fn begin(&mut self, stamp: &Stamp, session: u64) {
        if stamp.epoch > self.epoch {
            self.epoch = stamp.epoch;
            self.epoch_began = stamp.issued_at;
            self.shortest_way = None;
        }
        self.session = session;
        self.session_began = stamp.monotonic_millis;
        self.left = false;
        self.hint_lost = None;
        self.clock_told = false;
        self.born = false;
        self.challenge = None;
    }

    fn note(&mut self, stamp: &Stamp, said: &Said<'_>, arrival: Arrival) {
        self.number = stamp.number;
        self.made = stamp.monotonic_millis;
        self.issued_at = stamp.issued_at;
        match said.kind {
            Kind::Birth => self.born = true,
            Kind::Leaving => self.left = true,
            Kind::Beat => self.left = false,
            Kind::Lost => {}
        }
        if let Some(seconds) = said.beat_seconds {
            self.beat_seconds = seconds;
        } else if self.beat_seconds == 0 {
            self.beat_seconds = USUAL_BEAT;
        }
        if let Some(challenge) = &said.challenge {
            self.challenge = Some(challenge.clone());
        }
        if arrival.retained {
            return;
        }
        self.heard = Some(self.made_at(stamp, arrival.at));
        self.heard_at = arrival.unix_millis;
    }

    /// When something was made, by our clock.
    fn made_at(&mut self, stamp: &Stamp, at: Moment) -> Moment {
        let millis = |span: Duration| i128::try_from(span.as_millis()).unwrap_or(i128::MAX);
        let way = millis(at.since_origin()) - i128::from(stamp.monotonic_millis);
        let shortest = self.shortest_way.map_or(way, |known| known.min(way));
        self.shortest_way = Some(shortest);
        let delay = u64::try_from(way.saturating_sub(shortest)).unwrap_or(u64::MAX);
        let ago = at
            .since_origin()
            .saturating_sub(Duration::from_millis(delay));
        Moment::after_origin(ago)
    }

    fn clock(&mut self, stamp: &Stamp, arrival: Arrival, tolerance: Duration) -> Option<Alarm> {
        let wrong_by = stamp.issued_at.abs_diff(arrival.unix_millis / 1000);
        if arrival.retained || wrong_by <= tolerance.as_secs() {
            return None;
        }
        // Once in a session is enough.
        if std::mem::replace(&mut self.clock_told, true) {
            return None;
        }
        let text = format!("the clock is wrong by {wrong_by} seconds");
        Some(Alarm::new(AlarmKind::ClockWrong, text))
    }
}

impl Standing {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Unheard,
        Self::Alive,
        Self::Late,
        Self::Lost,
        Self::Left,
    ];

    /// How it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unheard => "unheard",
            Self::Alive => "alive",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::Left => "left",
        }
    }

    /// The one that is written so.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// What follows from a message for the session that it names.
enum Judgement {
    /// It belongs to the past, or to another machine.
    Stale(Alarm),
    /// The broker's word.
    Hint,
    /// A later one of the session came before it.
    Older,
    /// The session goes on.
    Goes(Option<Alarm>),
    /// A session begins.
    Begins,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Birth,
    Beat,
    Leaving,
    Lost,
}

/// What the four messages have in common.
struct Said<'a> {
    kind: Kind,
    session: u64,
    beat_seconds: Option<u32>,
    challenge: Option<String>,
    marks: Option<&'a [LaneMark]>,
}

impl<'a> Said<'a> {
    fn of(message: &'a Message) -> Option<Self> {
        let plain = |kind, session| Self {
            kind,
            session,
            beat_seconds: None,
            challenge: None,
            marks: None,
        };
        Some(match message {
            Message::Birth(birth) => Self {
                beat_seconds: Some(birth.beat_seconds),
                marks: Some(&birth.lanes),
                ..plain(Kind::Birth, birth.session)
            },
            Message::Beat(beat) => Self {
                challenge: Some(String::from(beat.challenge.clone())),
                marks: Some(&beat.lanes),
                ..plain(Kind::Beat, beat.session)
            },
            Message::Leaving(leaving) => plain(Kind::Leaving, leaving.session),
            Message::Lost(lost) => plain(Kind::Lost, lost.session),
            Message::Dropped(_)
            | Message::Closed(_)
            | Message::Fault(_)
            | Message::Command(_)
            | Message::Part(_)
            | Message::Key(_)
            | Message::Device(_)
            | Message::Machine(_)
            | Message::Queue(_)
            | Message::Jobs(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests;
