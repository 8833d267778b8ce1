//! One device of a fleet: a key, a clock, a network, its troubles, and what it says.

use std::sync::Arc;

use sim_kit::Random;
use telemetry::envelope::seal;
use telemetry::message::device::{Counter, DeviceState, FaultChange, Health};
use telemetry::message::machine::{ClockState, Disk, MachineState, Version};
use telemetry::message::presence::{Beat, Birth, Challenge, LaneMark, Lost};
use telemetry::message::work::{JobCount, JobCounts, JobOutcome};
use telemetry::name::Digest;
use telemetry::{DeviceName, Lane, Message, SoftwareSigner, Stamp, UpTopic, Word};

use super::counts::Counts;
use super::kept::{Kept, Said};
use super::network::Network;
use super::random::{below, of_device};
use super::trouble::{KINDS, Trouble};
use super::wall::WallClock;
use super::{FleetError, Traits};

/// What all devices of a fleet have in common.
#[derive(Debug, Clone)]
pub(super) struct Common {
    pub(super) traits: Traits,
    pub(super) tenant: String,
    pub(super) seed: u64,
    pub(super) epoch: u64,
    /// When the fleet was started, in seconds since 1970.
    pub(super) started: u64,
    /// Time between two messages, in milliseconds.
    pub(super) every: u64,
    /// Time between two beats, in milliseconds.
    pub(super) beat: u64,
}

/// A device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) name: DeviceName,
    pub(super) kept: Kept,
    common: Arc<Common>,
    counts: Arc<Counts>,
    signer: SoftwareSigner,
    random: Random,
    clock: WallClock,
    network: Network,
    trouble: Trouble,
    session: u64,
    /// Whether its session goes on.
    talks: bool,
    begins_at: u64,
    says_at: u64,
    beats_at: u64,
    turn: u64,
}

/// The key of a device.
pub(super) fn key(seed: u64, number: u32) -> Result<SoftwareSigner, FleetError> {
    let text = format!("counter-sim fleet {seed} {number}");
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let seed = digest.as_ref().try_into().unwrap_or([0; 32]);
    SoftwareSigner::from_seed(&seed).map_err(FleetError::Key)
}

/// The name of a device.
pub(super) fn name(tenant: &str, number: u32) -> Result<DeviceName, FleetError> {
    Ok(DeviceName {
        tenant: tenant.parse().map_err(FleetError::Name)?,
        device: format!("c-{number:05}").parse().map_err(FleetError::Name)?,
    })
}

impl Device {
    /// Device `number`, which begins so many milliseconds after the fleet's start.
    pub(super) fn new(
        common: &Arc<Common>,
        counts: &Arc<Counts>,
        number: u32,
        begins_at: u64,
    ) -> Result<Self, FleetError> {
        let mut random = of_device(common.seed, number);
        let traits = common.traits;
        Ok(Self {
            name: name(&common.tenant, number)?,
            kept: Kept::new(traits.disk.draw(&mut random)),
            signer: key(common.seed, number)?,
            clock: traits.clock.draw(&mut random),
            network: traits.network.draw(&mut random),
            trouble: traits.trouble.draw(&mut random),
            session: common.epoch << 24,
            talks: false,
            begins_at,
            says_at: begins_at + below(&mut random, common.every),
            beats_at: 0,
            turn: u64::from(number),
            random,
            common: Arc::clone(common),
            counts: Arc::clone(counts),
        })
    }

    /// Whether its own network lets it through now.
    pub(super) fn is_up(&mut self, now: u64) -> bool {
        now >= self.begins_at && self.network.is_up(now, &mut self.random)
    }

    /// Says what is due, with or without a connection; when it is to be woken next.
    pub(super) fn wake(&mut self, now: u64, connected: bool) -> Result<u64, FleetError> {
        let talks = connected && self.is_up(now);
        match (self.talks, talks) {
            (true, false) => self.cut(),
            (false, true) => self.begin(now)?,
            _ => {}
        }
        if now >= self.says_at {
            self.say_next(now)?;
            self.says_at = self.says_at.max(now.saturating_sub(self.common.every));
            self.says_at += self.common.every;
        }
        let change = if now < self.begins_at {
            self.begins_at
        } else {
            self.network.changes_at(now)
        };
        let late = self.kept.next_at().filter(|at| self.talks && *at > now);
        Ok(self.says_at.min(change).min(late.unwrap_or(u64::MAX)))
    }

    /// Whether it may send.
    pub(super) const fn talks(&self) -> bool {
        self.talks
    }

    /// Its connection is gone.
    pub(super) fn cut(&mut self) {
        self.talks = false;
        self.kept.bring_back();
    }

    /// What the broker is to say when the next session breaks.
    pub(super) fn will(&mut self, now: u64) -> Result<Said, FleetError> {
        let session = self.session + 1;
        self.seal(&Message::Lost(Lost { session }), now)
    }

    /// Begins a session: what was dropped is named, and the birth goes before everything.
    fn begin(&mut self, now: u64) -> Result<(), FleetError> {
        self.session += 1;
        self.talks = true;
        self.beats_at = now + self.common.beat;
        self.name_dropped(now)?;
        let beat_seconds = u32::try_from(self.common.beat / 1000).unwrap_or(u32::MAX);
        let birth = Message::Birth(Birth {
            session: self.session,
            version: word("0.1.0")?,
            platform: word("linux-x86_64")?,
            configuration: Digest::of(b"fleet"),
            beat_seconds,
            lanes: self.marks(),
        });
        let birth = self.seal(&birth, now)?;
        Counts::one(&self.counts.births);
        self.kept.keep_first(birth);
        Ok(())
    }

    fn say_next(&mut self, now: u64) -> Result<(), FleetError> {
        if let Some(((device, _, fault), raised)) = self.trouble.change(now, &mut self.random) {
            Counts::one(&self.counts.faults);
            self.say(
                &Message::Fault(FaultChange {
                    device: word(device)?,
                    fault: word(fault)?,
                    raised,
                }),
                now,
            )?;
        }
        if self.talks && now >= self.beats_at {
            return self.beat(now);
        }
        self.turn += 1;
        let message = match self.turn % 30 {
            7 => self.machine(now)?,
            turn if turn % 6 == 5 => self.jobs()?,
            _ => self.device()?,
        };
        self.say(&message, now)
    }

    fn beat(&mut self, now: u64) -> Result<(), FleetError> {
        self.beats_at = now + self.common.beat;
        let mut challenge = [0; 16];
        challenge.fill_with(|| self.random.byte());
        let beat = Message::Beat(Beat {
            session: self.session,
            challenge: Challenge::new(challenge),
            lanes: self.marks(),
        });
        self.kept.beat();
        Counts::one(&self.counts.beats);
        self.say(&beat, now)
    }

    fn say(&mut self, message: &Message, now: u64) -> Result<(), FleetError> {
        let said = self.seal(message, now)?;
        self.kept.keep(self.common.epoch, said);
        self.name_dropped(now)
    }

    fn name_dropped(&mut self, now: u64) -> Result<(), FleetError> {
        // Where nobody is reached, one record at the end says what many would.
        if !self.talks {
            return Ok(());
        }
        for dropped in self.kept.take_dropped() {
            Counts::one(&self.counts.drops);
            let said = self.seal(&Message::Dropped(dropped), now)?;
            self.kept.keep_first(said);
        }
        Ok(())
    }

    fn seal(&mut self, message: &Message, now: u64) -> Result<Said, FleetError> {
        let class = message.class();
        let lane = class.lane();
        let number = self.kept.number(lane);
        let (issued_at, quality) = self.clock.stamp(self.common.started, now);
        let stamp = Stamp {
            epoch: self.common.epoch,
            lane,
            number,
            monotonic_millis: now,
            issued_at,
            quality,
        };
        let from = self.name.clone();
        let topic = UpTopic { from, class }.to_string();
        let payload = message
            .encode()
            .map_err(telemetry::envelope::SealError::Encoding)
            .map_err(FleetError::Seal)?;
        let bytes = seal(&self.signer, &self.name.urn(), stamp, &topic, payload)
            .map_err(FleetError::Seal)?;
        Counts::one(&self.counts.said);
        Ok(Said {
            lane,
            number,
            topic,
            bytes,
            retain: class.is_retained(),
            not_before: now + self.network.late,
        })
    }

    fn marks(&self) -> Vec<LaneMark> {
        let mark = |lane: Lane| {
            let (newest, kept) = self.kept.mark(lane);
            LaneMark { lane, newest, kept }
        };
        Lane::KEPT.into_iter().map(mark).collect()
    }

    fn device(&self) -> Result<Message, FleetError> {
        let wrong = self.trouble.now();
        let (device, class, _) = wrong.unwrap_or(KINDS[0]);
        Ok(Message::Device(DeviceState {
            device: word(device)?,
            class: word(class)?,
            health: if wrong.is_some() {
                Health::Faulty
            } else {
                Health::Working
            },
            fault: wrong.map(|(_, _, fault)| word(fault)).transpose()?,
            model: Some(word("TM-T88VI")?),
            firmware: Some(word("30.42")?),
            counters: vec![Counter {
                name: word("tickets")?,
                count: self.turn,
            }],
            wear: Vec::new(),
        }))
    }

    fn machine(&mut self, now: u64) -> Result<Message, FleetError> {
        Ok(Message::Machine(MachineState {
            versions: vec![Version {
                part: word("agentd")?,
                version: word("0.1.0")?,
            }],
            configuration: Digest::of(b"fleet"),
            disk: Disk {
                total_mib: 128_000,
                free_mib: 64_000 + below(&mut self.random, 1000),
            },
            clock: ClockState {
                quality: self.clock.stamp(self.common.started, now).1,
                error_millis: None,
            },
            certificate_days: 90,
            uptime_seconds: now.saturating_sub(self.begins_at) / 1000,
        }))
    }

    fn jobs(&mut self) -> Result<Message, FleetError> {
        Ok(Message::Jobs(JobCounts {
            seconds: u32::try_from(self.common.every / 1000).unwrap_or(u32::MAX),
            jobs: vec![JobCount {
                task: word("printTicket")?,
                outcome: JobOutcome::Done,
                fault: None,
                count: 1 + below(&mut self.random, 3),
                total_millis: 900,
                longest_millis: 500,
            }],
        }))
    }
}

fn word(text: &str) -> Result<Word, FleetError> {
    text.parse().map_err(FleetError::Name)
}
