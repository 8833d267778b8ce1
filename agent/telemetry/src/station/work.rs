//! The station at work: orders, the link's events and time, each in turn.

use std::fmt;
use std::time::Duration;

use device_api::Moment;
use tokio::sync::{mpsc, oneshot};

use super::{Happening, Means, NotKept, Order, Profile, Rejected, Reporter};
use crate::cbor;
use crate::down::Ack;
use crate::envelope::{Envelope, SealError};
use crate::link::{
    Backoff, Connection, Link, LinkEvent, LinkFailure, Publication, PublishRefusal, Reliability,
};
use crate::message::Message;
use crate::message::presence::{Beat, Birth, Challenge, Leaving, LeavingReason, Lost};
use crate::outbox::{AcceptError, Sealed};
use crate::pump::{Heard, Pump};
use crate::topic::{self, DownKind, DownTopic};

/// Reports that may wait for the disk; more are refused.
const REPORTS_WAITING: usize = 2048;
/// Happenings that may wait to be heard.
const HAPPENINGS_WAITING: usize = 64;
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often time is looked at while nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// How long a connection holds before the next failure counts as the first.
const HELD: Duration = Duration::from_secs(60);
/// How long a broker that can forget should keep a message.
const BROKER_KEEPS: Duration = Duration::from_secs(86_400);
/// How often what has expired is looked for.
const EXPIRY: Duration = Duration::from_secs(3_600);

/// Carries reports; see the module.
pub struct Station {
    profile: Profile,
    means: Means,
    pump: Pump,
    backoff: Backoff,
    orders: mpsc::Receiver<Order>,
    happenings: mpsc::Sender<Happening>,
    phase: Phase,
    session: u64,
    expired_at: Moment,
    leaving: Option<(LeavingReason, oneshot::Sender<()>)>,
    unconfirmed: Vec<oneshot::Sender<Result<(), NotKept>>>,
}

enum Phase {
    /// No connection until then.
    Resting { until: Moment },
    /// A connection that is not ready.
    Connecting { link: Box<dyn Link> },
    /// A session.
    Talking {
        link: Box<dyn Link>,
        since: Moment,
        /// Whether the birth has gone out.
        born: bool,
        beat_at: Moment,
    },
}

/// What woke the station.
enum Wake {
    Order(Option<Order>),
    Link(LinkEvent),
    Time,
}

impl Station {
    /// A station, the handle to report through, and what it will tell.
    #[must_use]
    pub fn new(profile: Profile, means: Means) -> (Self, Reporter, mpsc::Receiver<Happening>) {
        let (orders, received) = mpsc::channel(REPORTS_WAITING);
        let (happenings, heard) = mpsc::channel(HAPPENINGS_WAITING);
        let now = means.clock.now();
        let window = profile.connection.bounded_window();
        let station = Self {
            // Presence has room of its own in the window.
            pump: Pump::new(window.saturating_sub(2).max(1)),
            backoff: Backoff::new(profile.backoff),
            profile,
            means,
            orders: received,
            happenings,
            phase: Phase::Resting { until: now },
            session: 0,
            expired_at: now,
            leaving: None,
            unconfirmed: Vec::new(),
        };
        (station, Reporter { orders }, heard)
    }

    /// Works until it is told to leave or nobody holds its [`Reporter`] any more.
    pub async fn run(mut self) {
        loop {
            self.move_on();
            match self.wake().await {
                Wake::Order(Some(order)) => self.take(order),
                Wake::Order(None) => return self.leave(LeavingReason::Stopped).await,
                Wake::Link(event) => self.hear(event),
                Wake::Time => {}
            }
            if let Some((reason, gone)) = self.leaving.take() {
                self.leave(reason).await;
                let (Ok(()) | Err(())) = gone.send(());
                return;
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let now = self.means.clock.now();
        let pause = self.pause(now);
        let link = match &mut self.phase {
            Phase::Resting { .. } => None,
            Phase::Connecting { link } | Phase::Talking { link, .. } => Some(link),
        };
        let event = async {
            match link {
                Some(link) => link.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            event = event => Wake::Link(event),
            order = self.orders.recv() => Wake::Order(order),
            () = tokio::time::sleep(pause) => Wake::Time,
        }
    }

    /// How long nothing is to be done but what somebody asks for.
    fn pause(&self, now: Moment) -> Duration {
        match &self.phase {
            Phase::Resting { until } => until.since(now).min(TICK),
            Phase::Connecting { .. } => TICK,
            Phase::Talking { beat_at, .. } => {
                let kept = self.pump.pause(now);
                let kept = if kept.is_zero() { TICK } else { kept };
                beat_at.since(now).min(kept).min(TICK)
            }
        }
    }

    /// Does what the time asks for, and sends what may be sent.
    fn move_on(&mut self) {
        let now = self.means.clock.now();
        if now.since(self.expired_at) >= EXPIRY {
            self.expired_at = now;
            if let Err(error) = self.means.outbox.expire() {
                self.tell(Happening::Untidy(error.to_string()));
            }
        }
        if !self.unconfirmed.is_empty() {
            self.commit();
        }
        match &mut self.phase {
            Phase::Resting { until } if *until <= now => self.connect(),
            Phase::Resting { .. } | Phase::Connecting { .. } => {}
            Phase::Talking { since, .. } => {
                if now.since(*since) >= HELD {
                    self.backoff.reset();
                }
                self.pump.tick(&mut self.means.outbox, now);
                self.talk(now);
                if self.pump.is_stuck(now) {
                    self.closed(LinkFailure::TimedOut);
                }
            }
        }
    }

    fn connect(&mut self) {
        let Some(session) = self.means.outbox.next_session() else {
            self.tell(Happening::Untidy("no number for a session".to_owned()));
            return self.rest();
        };
        self.session = session;
        let lost = Message::Lost(Lost {
            session: self.session,
        });
        let will = match self.means.outbox.live(&lost) {
            Ok(sealed) => publication(sealed, Reliability::AtLeastOnce),
            Err(error) => return self.unsealed(&error),
        };
        let connection = Connection {
            will: Some(will),
            subscriptions: vec![topic::all_down(&self.profile.name)],
            ..self.profile.connection.clone()
        };
        let link = self.means.connector.connect(&connection);
        self.phase = Phase::Connecting { link };
    }

    /// Sends presence that is due, then what is fresh, then what was kept.
    fn talk(&mut self, now: Moment) {
        let Phase::Talking { born, beat_at, .. } = &self.phase else {
            return;
        };
        if !*born {
            let birth = self.birth();
            if !self.say(&birth, Reliability::AtLeastOnce) {
                return;
            }
            if let Phase::Talking { born, .. } = &mut self.phase {
                *born = true;
            }
        } else if *beat_at <= now && !self.beat(now) {
            return;
        }
        while let Some(sealed) = self.pump.next(&mut self.means.outbox, now) {
            let Phase::Talking { link, .. } = &mut self.phase else {
                return;
            };
            match link.publish(publication(sealed.clone(), Reliability::AtLeastOnce)) {
                Ok(token) => self.pump.sent(token, now),
                Err(PublishRefusal::Busy | PublishRefusal::NotReady) => {
                    return self.pump.take_back(sealed);
                }
                // The next rewind brings it back.
                Err(PublishRefusal::TooLarge | PublishRefusal::Topic | PublishRefusal::Closed) => {
                    return;
                }
            }
        }
    }

    fn birth(&self) -> Message {
        Message::Birth(Birth {
            session: self.session,
            version: self.profile.version.clone(),
            platform: self.profile.platform.clone(),
            configuration: self.profile.configuration.clone(),
            beat_seconds: u32::try_from(self.profile.beat.as_secs()).unwrap_or(u32::MAX),
            lanes: self.means.outbox.marks(),
        })
    }

    /// Whether a beat went out.
    fn beat(&mut self, now: Moment) -> bool {
        let mut bytes = [0; 16];
        if self.means.random.fill(&mut bytes).is_err() {
            return false;
        }
        let challenge = Challenge::new(bytes);
        let beat = Message::Beat(Beat {
            session: self.session,
            challenge: challenge.clone(),
            lanes: self.means.outbox.marks(),
        });
        let sent = self.say(&beat, Reliability::AtMostOnce);
        if sent {
            if let Phase::Talking { beat_at, .. } = &mut self.phase {
                *beat_at = now.plus(self.profile.beat);
            }
            self.tell(Happening::Beat(challenge));
        }
        sent
    }

    /// Signs and sends a message of presence; whether the link took it.
    fn say(&mut self, message: &Message, reliability: Reliability) -> bool {
        let Phase::Talking { link, .. } = &mut self.phase else {
            return false;
        };
        match self.means.outbox.live(message) {
            Ok(sealed) => link.publish(publication(sealed, reliability)).is_ok(),
            Err(error) => {
                self.unsealed(&error);
                false
            }
        }
    }

    fn unsealed(&mut self, error: &SealError) {
        self.tell(Happening::Untidy(error.to_string()));
        self.rest();
    }

    /// Takes an order and all others that wait, and syncs once for all.
    fn take(&mut self, first: Order) {
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Report { message, kept } => {
                    let mut accepted = self.means.outbox.accept(&message);
                    if accepted == Err(AcceptError::Waiting) {
                        // Perhaps the disk has only not been asked yet.
                        self.unconfirmed.append(&mut waiting);
                        self.commit();
                        accepted = self.means.outbox.accept(&message);
                    }
                    match accepted {
                        Ok(_stamp) => waiting.push(kept),
                        Err(error) => answer(kept, Err(NotKept::Store(error))),
                    }
                }
                Order::Quality(quality) => self.means.outbox.set_quality(quality),
                Order::Marks(told) => {
                    // Whoever asked may have gone.
                    let (Ok(()) | Err(_)) = told.send(self.means.outbox.marks());
                }
                Order::Leave { reason, gone } => self.leaving = Some((reason, gone)),
            }
            next = self.orders.try_recv().ok();
        }
        self.unconfirmed.append(&mut waiting);
        self.commit();
    }

    /// Makes everything last that was taken, and says so; what the disk does not take is tried again.
    fn commit(&mut self) {
        match self.means.outbox.commit() {
            Ok(()) => {
                for kept in self.unconfirmed.drain(..) {
                    answer(kept, Ok(()));
                }
            }
            Err(error) => self.tell(Happening::Untidy(error.to_string())),
        }
    }

    fn hear(&mut self, event: LinkEvent) {
        let now = self.means.clock.now();
        match event {
            LinkEvent::Ready { .. } => self.ready(now),
            LinkEvent::Delivered(token) | LinkEvent::Rejected(token) => self.pump.settled(token),
            LinkEvent::Arrived { topic, payload, .. } => self.arrived(topic, payload, now),
            LinkEvent::Closed(failure) => self.closed(failure),
        }
    }

    fn ready(&mut self, now: Moment) {
        let resting = Phase::Resting { until: now };
        if let Phase::Connecting { link } = std::mem::replace(&mut self.phase, resting) {
            self.phase = Phase::Talking {
                link,
                since: now,
                born: false,
                beat_at: now,
            };
            self.pump.connected(&mut self.means.outbox, now);
            self.tell(Happening::Connected {
                session: self.session,
            });
        }
    }

    fn closed(&mut self, failure: LinkFailure) {
        self.tell(Happening::Disconnected(failure));
        self.rest();
    }

    /// Drops the link and waits for the next attempt.
    fn rest(&mut self) {
        let random = &self.means.random;
        let wait = self.backoff.next(|| {
            let mut bytes = [0; 8];
            // Without randomness the wait is the shortest; the broker refuses nobody for that.
            let (Ok(()) | Err(_)) = random.fill(&mut bytes);
            u64::from_le_bytes(bytes)
        });
        let until = self.means.clock.now().plus(wait);
        self.phase = Phase::Resting { until };
    }

    fn arrived(&mut self, topic: String, payload: Vec<u8>, now: Moment) {
        let kind = match topic.parse::<DownTopic>() {
            Ok(down) if down.to == self.profile.name => down.kind,
            Ok(_) | Err(_) => return self.tell(Happening::Rejected(Rejected::Topic)),
        };
        match kind {
            DownKind::Command => self.tell(Happening::Command {
                topic,
                bytes: payload,
            }),
            DownKind::Ack => match self.ack(&topic, &payload) {
                Ok(ack) => self.acknowledged(ack, now),
                Err(rejected) => self.tell(Happening::Rejected(rejected)),
            },
        }
    }

    /// The acknowledgement in these bytes, if a monitor signed it.
    fn ack(&self, topic: &str, bytes: &[u8]) -> Result<Ack, Rejected> {
        let envelope = Envelope::read(bytes).map_err(Rejected::Envelope)?;
        let signed = self
            .profile
            .monitors
            .iter()
            .any(|key| key.id() == envelope.header().key && envelope.is_signed_by(key, topic));
        if !signed {
            return Err(Rejected::Signature);
        }
        cbor::decode(envelope.payload()).map_err(|_unknown| Rejected::Content)
    }

    fn acknowledged(&mut self, ack: Ack, now: Moment) {
        self.means.outbox.raise_floor(ack.time);
        let heard = Heard {
            marks: &ack.marks,
            resend: ack.resend,
            per_second: ack.per_second,
        };
        let refused = self.pump.acknowledged(&mut self.means.outbox, &heard, now);
        if refused > 0 {
            self.tell(Happening::Rejected(Rejected::Ahead));
        }
        self.tell(Happening::Acknowledged(ack));
    }

    /// Nobody may listen; what is told is news, and the next one follows.
    fn tell(&self, happening: Happening) {
        let (Ok(()) | Err(_)) = self.happenings.try_send(happening);
    }

    /// Says farewell, waits for it to be taken, and ends.
    async fn leave(mut self, reason: LeavingReason) {
        let leaving = Message::Leaving(Leaving {
            session: self.session,
            reason,
        });
        self.say(&leaving, Reliability::AtLeastOnce);
        if let Phase::Talking { mut link, .. } = self.phase {
            link.leave(FAREWELL);
            let gone = async { while !matches!(link.next().await, LinkEvent::Closed(_)) {} };
            let (Ok(()) | Err(_)) = tokio::time::timeout(FAREWELL, gone).await;
        }
    }
}

fn publication(sealed: Sealed, reliability: Reliability) -> Publication {
    Publication {
        topic: sealed.topic,
        payload: sealed.bytes,
        retain: sealed.retain,
        // The store brings it again if it must.
        expiry: sealed.stamp.lane.is_kept().then_some(BROKER_KEEPS),
        reliability,
    }
}

fn answer(to: oneshot::Sender<Result<(), NotKept>>, outcome: Result<(), NotKept>) {
    // Whoever asked may have gone.
    let (Ok(()) | Err(_)) = to.send(outcome);
}

impl fmt::Debug for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Station")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
