//! One batch: each message judged, and everything that follows from all of them written at its end.
//!
//! Envelopes are written one by one, because a repetition within the batch must find them; what is
//! overwritten by later messages is written once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use device_api::Moment;
use telemetry::message::Message;
use telemetry::{Class, KeyId, Lane, Stamp};

use super::{Delivery, Verdict};
use crate::alarm::{Alarm, AlarmKind};
use crate::ledger::Standing;
use crate::registry::{Registered, Registry};
use crate::store::alarms::Raised;
use crate::store::evidence::Name;
use crate::store::facts::{self, Fact, Subject};
use crate::store::{Store, StoreError};
use crate::verify::{self, Opened};
use crate::watch::{Patience, Watched};

/// Of what kind, about which device and lane: one row for all of them.
type AlarmKey = (Option<i64>, AlarmKind, Option<(u64, Lane)>);

/// A batch that is being taken in.
pub(super) struct Batch<'a> {
    pub(super) store: &'a Store,
    patience: &'a Patience,
    now: Moment,
    facts: HashMap<Subject, Fact>,
    alarms: HashMap<AlarmKey, Raised>,
    counts: HashMap<&'static str, u64>,
    touched: BTreeSet<i64>,
    quarantined: BTreeSet<i64>,
    /// Keys that a message of this batch has ended, with the first epoch in which they no longer count.
    pub(super) ended: HashMap<KeyId, u64>,
    /// Whether a key was stated.
    pub(super) keys_changed: bool,
}

/// What a batch leaves behind.
pub(super) struct End {
    /// The devices of which something came.
    pub(super) touched: BTreeSet<i64>,
    /// Whether the registry has changed.
    pub(super) registry_changed: bool,
}

impl<'a> Batch<'a> {
    pub(super) fn new(store: &'a Store, patience: &'a Patience, now: Moment) -> Self {
        Self {
            store,
            patience,
            now,
            facts: HashMap::new(),
            alarms: HashMap::new(),
            counts: HashMap::new(),
            touched: BTreeSet::new(),
            quarantined: BTreeSet::new(),
            ended: HashMap::new(),
            keys_changed: false,
        }
    }

    /// Judges one message, and does what follows from it.
    pub(super) fn take(
        &mut self,
        registry: &Registry,
        watched: &mut BTreeMap<i64, Watched>,
        delivery: &Delivery,
    ) -> Result<Verdict, StoreError> {
        let opened = match verify::open(registry, &delivery.topic, &delivery.bytes) {
            Ok(opened) => opened,
            Err(refused) => {
                let device = refused.device.map(|device| device.id);
                return Ok(self.refuse(device, refused.alarm, delivery));
            }
        };
        let Some(device) = watched.get_mut(&opened.device.id) else {
            return Ok(Verdict::NotNow);
        };
        let stamp = opened.envelope.header().stamp;
        if self.is_over(&opened) {
            let alarm = verify::not_then(opened.key.id, stamp.epoch);
            return Ok(self.refuse(Some(opened.device.id), alarm, delivery));
        }
        let name = Name::new(device.id, device.life, &stamp);
        match device
            .ledger
            .standing(stamp.epoch, stamp.lane, stamp.number)
        {
            Standing::New => {}
            Standing::Beyond => {
                self.count("notNow");
                return Ok(Verdict::NotNow);
            }
            Standing::Seen => return self.again(device, &opened, &name, delivery),
            Standing::Finished => {
                let verdict = self.again(device, &opened, &name, delivery)?;
                if verdict == Verdict::Duplicate && stamp.lane.is_kept() {
                    device.came_again(stamp.epoch, stamp.lane, stamp.number);
                    self.touched.insert(device.id);
                }
                return Ok(verdict);
            }
        }
        let message = match verify::prove(&opened) {
            Ok(message) => message,
            Err(alarm) => return Ok(self.refuse(Some(device.id), alarm, delivery)),
        };
        if self.is_held(opened.device) {
            return Ok(self.held(device, opened.class, &stamp, delivery));
        }
        if let Some(verdict) = self.presence(device, opened.device, &stamp, &message, delivery)? {
            return Ok(verdict);
        }
        if device.ledger.contradicts(
            stamp.epoch,
            stamp.lane,
            stamp.number,
            stamp.monotonic_millis,
        ) {
            let text = "time and numbers of one epoch contradict each other: two machines count";
            self.raise(
                Some(device.id),
                about(AlarmKind::Cloned, text, &stamp),
                delivery,
            );
        }
        match self.accept(registry, (device, &opened), (&name, &message), delivery) {
            Ok(()) => Ok(Verdict::Fresh),
            // The database holds each name once, whatever the ledger thinks.
            Err(StoreError::Taken) => self.again(device, &opened, &name, delivery),
            Err(error) => Err(error),
        }
    }

    /// Writes what follows from all messages of the batch.
    pub(super) fn finish(self, watched: &mut BTreeMap<i64, Watched>) -> Result<End, StoreError> {
        for id in &self.touched {
            let Some(device) = watched.get_mut(id) else {
                continue;
            };
            let key = (device.id, device.life);
            let changes = device.take_changes();
            for (epoch, lane) in changes.streams {
                if let Some(stream) = device.ledger.stream(epoch, lane) {
                    self.store.save_stream(key, (epoch, lane), stream)?;
                }
            }
            if !changes.forgotten.is_empty() {
                let finished = device.ledger.finished();
                self.store
                    .save_finished(key, &changes.forgotten, finished)?;
            }
            if changes.presence {
                self.store.save_presence(key, &device.presence)?;
            }
        }
        for (subject, fact) in &self.facts {
            self.store.save_fact(subject, fact)?;
        }
        for raised in self.alarms.values() {
            self.store.raise(raised)?;
        }
        self.store.count(&self.counts)?;
        Ok(End {
            touched: self.touched,
            registry_changed: self.keys_changed
                || !self.quarantined.is_empty()
                || !self.ended.is_empty(),
        })
    }

    /// A message under a name that is known.
    fn again(
        &mut self,
        device: &Watched,
        opened: &Opened<'_>,
        name: &Name,
        delivery: &Delivery,
    ) -> Result<Verdict, StoreError> {
        let stamp = &opened.envelope.header().stamp;
        let kept = self.store.kept(name)?;
        if let Some((at, bytes)) = &kept
            && *bytes == delivery.bytes
        {
            if self.is_replay(device, *at, delivery) {
                let text = "a message that was acknowledged comes again";
                self.raise(
                    Some(device.id),
                    about(AlarmKind::Replayed, text, stamp),
                    delivery,
                );
            }
            self.count("duplicate");
            return Ok(Verdict::Duplicate);
        }
        // Nobody can accuse a device without its key.
        if let Err(alarm) = verify::prove(opened) {
            return Ok(self.refuse(Some(device.id), alarm, delivery));
        }
        let lives = matches!(opened.class, Class::Birth | Class::Beat);
        if lives && device.presence.is_rolled_back(stamp) {
            return self.rolled_back(opened.device, stamp, delivery);
        }
        let Some((_, bytes)) = kept else {
            if self.is_held(opened.device) {
                return Ok(self.held(device, opened.class, stamp, delivery));
            }
            let text = "a message comes again, or late, whose evidence is not kept";
            let alarm = about(AlarmKind::Replayed, text, stamp);
            return Ok(self.refuse(Some(device.id), alarm, delivery));
        };
        let text = "two different messages bear one name";
        let alarm = about(AlarmKind::Equivocation, text, stamp);
        self.raise_with(Some(device.id), alarm, delivery, Some(bytes));
        self.count(AlarmKind::Equivocation.code());
        Ok(Verdict::Refused(AlarmKind::Equivocation))
    }

    /// A sign of life that differs from the one of this name in an epoch that is over: a folder was restored,
    /// and its device counts again from there.
    fn rolled_back(
        &mut self,
        device: &Registered,
        stamp: &Stamp,
        delivery: &Delivery,
    ) -> Result<Verdict, StoreError> {
        let text = format!("epoch {} is counted a second time", stamp.epoch);
        let alarm = about(AlarmKind::RolledBack, &text, stamp);
        if !self.is_held(device) {
            self.store
                .quarantine(&device.name, alarm.kind.code(), Some(stamp.epoch))?;
            self.quarantined.insert(device.id);
        }
        Ok(self.refuse(Some(device.id), alarm, delivery))
    }

    /// Whether nothing explains that an old message comes again: no new session, no wish of ours.
    fn is_replay(&self, device: &Watched, at: u64, delivery: &Delivery) -> bool {
        let patience = self.patience.replay;
        let age = delivery.arrival.unix_millis.saturating_sub(at);
        let again = device
            .ack
            .again_since
            .is_some_and(|since| self.now.since(since) < patience);
        !delivery.arrival.retained && u128::from(age) > patience.as_millis() && !again
    }

    fn is_held(&self, device: &Registered) -> bool {
        device.quarantine.is_some() || self.quarantined.contains(&device.id)
    }

    /// A message of a device that is in quarantine; it keeps it, and sends it again when it is released.
    fn held(
        &mut self,
        device: &Watched,
        class: Class,
        stamp: &Stamp,
        delivery: &Delivery,
    ) -> Verdict {
        let lives_twice = matches!(class, Class::Birth | Class::Beat)
            && stamp.epoch == device.presence.epoch
            && stamp.number > device.presence.number;
        let alarm = if lives_twice {
            let text = format!("epochs go back and forth: {} goes on", stamp.epoch);
            about(AlarmKind::Cloned, &text, stamp)
        } else {
            Alarm::new(
                AlarmKind::Quarantined,
                "the device speaks, and is in quarantine",
            )
        };
        self.refuse(Some(device.id), alarm, delivery)
    }

    /// Takes in a sign of life; a verdict where it is refused for what it says.
    fn presence(
        &mut self,
        device: &mut Watched,
        registered: &Registered,
        stamp: &Stamp,
        message: &Message,
        delivery: &Delivery,
    ) -> Result<Option<Verdict>, StoreError> {
        if stamp.lane != Lane::Presence {
            return Ok(None);
        }
        let first_contact = device.presence.epoch == 0;
        let (arrival, clock) = (delivery.arrival, self.patience.clock);
        let heard = device.presence.hear(stamp, message, arrival, clock);
        for alarm in heard.alarm.into_iter().chain(heard.clock) {
            let (kind, alarm) = (
                alarm.kind,
                alarm.about(stamp.epoch, stamp.lane, stamp.number),
            );
            self.raise(Some(device.id), alarm, delivery);
            if heard.quarantine {
                let epoch = Some(stamp.epoch);
                self.store
                    .quarantine(&registered.name, kind.code(), epoch)?;
                self.quarantined.insert(device.id);
                self.count(kind.code());
                return Ok(Some(Verdict::Refused(kind)));
            }
        }
        device.presence_changed();
        if heard.begins {
            device.ack.due = true;
            device.ack.at_once = true;
            device.ack.again_since = Some(self.now);
        }
        if let Some(marks) = heard.marks {
            let contact = (first_contact, self.now);
            for alarm in device.compare(stamp.epoch, marks, contact, self.patience) {
                self.raise(Some(device.id), alarm, delivery);
            }
        }
        Ok(None)
    }

    /// Keeps a message, and notes what it says.
    fn accept(
        &mut self,
        registry: &Registry,
        (device, opened): (&mut Watched, &Opened<'_>),
        (name, message): (&Name, &Message),
        delivery: &Delivery,
    ) -> Result<(), StoreError> {
        let stamp = &opened.envelope.header().stamp;
        let (class, at) = (message.class(), delivery.arrival.unix_millis);
        let evidence = self.store.keep(name, class, at, &delivery.bytes)?;
        device.came(
            stamp.epoch,
            stamp.lane,
            stamp.number,
            stamp.monotonic_millis,
        );
        self.signed(opened, delivery)?;
        match message {
            Message::Key(statement) => {
                self.stated(registry, (device, opened), statement, delivery)?;
            }
            Message::Dropped(dropped) => device.dropped(dropped),
            Message::Closed(closed) => device.closed(closed),
            Message::Birth(_)
            | Message::Beat(_)
            | Message::Leaving(_)
            | Message::Lost(_)
            | Message::Fault(_)
            | Message::Command(_)
            | Message::Part(_)
            | Message::Device(_)
            | Message::Machine(_)
            | Message::Queue(_)
            | Message::Jobs(_) => {}
        }
        if let Some(about) = facts::subject(message) {
            let subject = Subject {
                device: device.id,
                class,
                about,
            };
            let fact = Fact {
                place: (device.life, stamp.epoch, stamp.number),
                raised: facts::is_raised(message),
                evidence,
            };
            let newest = self.facts.entry(subject).or_insert(fact);
            if fact.place > newest.place {
                *newest = fact;
            }
        }
        self.touched.insert(device.id);
        self.count("fresh");
        Ok(())
    }

    fn refuse(&mut self, device: Option<i64>, alarm: Alarm, delivery: &Delivery) -> Verdict {
        let kind = alarm.kind;
        self.raise(device, alarm, delivery);
        self.count(kind.code());
        Verdict::Refused(kind)
    }

    pub(super) fn raise(&mut self, device: Option<i64>, alarm: Alarm, delivery: &Delivery) {
        self.raise_with(device, alarm, delivery, None);
    }

    fn raise_with(
        &mut self,
        device: Option<i64>,
        alarm: Alarm,
        delivery: &Delivery,
        other: Option<Vec<u8>>,
    ) {
        let key = (device, alarm.kind, alarm.stream);
        if let Some(raised) = self.alarms.get_mut(&key) {
            raised.times += 1;
            if alarm.kind == AlarmKind::GapUnexplained {
                raised.alarm.detail = format!("{}; {}", raised.alarm.detail, alarm.detail);
            }
            return;
        }
        let raised = Raised {
            device,
            alarm,
            at: delivery.arrival.unix_millis,
            times: 1,
            topic: delivery.topic.chars().take(200).collect(),
            envelope: Some(sample(&delivery.bytes)),
            other,
        };
        self.alarms.insert(key, raised);
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

pub(super) fn about(kind: AlarmKind, text: &str, stamp: &Stamp) -> Alarm {
    Alarm::new(kind, text).about(stamp.epoch, stamp.lane, stamp.number)
}

/// What is kept of a message that is wrong: all of it, unless nobody could have sent it as a message.
fn sample(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .copied()
        .take(telemetry::envelope::LONGEST)
        .collect()
}
