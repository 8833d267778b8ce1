//! The host's one loop: everything that can happen arrives here as an [`Event`].
//!
//! ```text
//! agent's lines ---\
//! floor changed ----+--> Host::run --> devices' threads --> agent
//! devices idle ----/        |
//!                       moments of Watch
//! ```
//!
//! Invariant: every `start` is answered by one `finished`, whether or not it was taken on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::Duration,
};

use device_api::{Clock, Deadline, FaultCode, Moment, Patience};
use host_protocol::{
    AgentMessage, DeviceDescription, HostMessage, HostName, Outcome, PROTOCOL_VERSION,
};

use crate::{
    device::{Device, fault},
    exit::Exit,
    floor::{Floor, Nudge, Post},
    input::Heard,
    job::Job,
    output::Speaker,
};

/// How long jobs are given to end when the agent has gone.
const FAREWELL: Duration = Duration::from_millis(700);
/// The longest time a job may be given: a day.
const LONGEST_JOB: Duration = Duration::from_secs(24 * 60 * 60);

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// The agent said something, or has gone.
    Heard(Heard),
    /// The floor has changed.
    Seen,
    /// The thread of the device of this id has returned from a job.
    Idle(String),
    /// Nothing can be said to the agent any more.
    Unheard,
}

/// What the host is made of.
pub(crate) struct Parts {
    pub(crate) floor: Box<dyn Floor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) speaker: Speaker,
    pub(crate) events: SyncSender<Event>,
}

/// The host.
pub(crate) struct Host {
    parts: Parts,
    nudge: Nudge,
    welcomed: bool,
    devices: BTreeMap<String, Device>,
    told: Option<HostMessage>,
}

impl Host {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            nudge: parts.floor.nudger(),
            parts,
            welcomed: false,
            devices: BTreeMap::new(),
            told: None,
        }
    }

    /// Serves until the agent goes.
    pub(crate) fn run(mut self, events: &Receiver<Event>) -> Exit {
        self.parts.speaker.say(&HostMessage::Hello {
            protocols: vec![PROTOCOL_VERSION],
            host: HostName {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
        });
        loop {
            let next = self.look_after_devices();
            let event = match self.wait(events, next) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Exit::System,
            };
            match event {
                Event::Heard(Heard::Message(message)) => {
                    if let Some(exit) = self.heed(message) {
                        return exit;
                    }
                }
                Event::Heard(Heard::End) => return self.farewell(events),
                Event::Unheard => {
                    self.farewell(events);
                    return Exit::System;
                }
                Event::Seen => self.forget_devices_that_are_gone(),
                Event::Idle(id) => self.idle(&id),
            }
            self.tell_devices();
        }
    }

    fn wait(
        &self,
        events: &Receiver<Event>,
        next: Option<Moment>,
    ) -> Result<Event, RecvTimeoutError> {
        match next {
            Some(moment) => events.recv_timeout(moment.since(self.now())),
            None => events
                .recv()
                .map_err(|_closed| RecvTimeoutError::Disconnected),
        }
    }

    fn heed(&mut self, message: AgentMessage) -> Option<Exit> {
        match message {
            AgentMessage::Welcome { protocol, settings } => {
                return self.welcome(protocol, settings);
            }
            AgentMessage::Ping { n } => self.parts.speaker.say(&HostMessage::Pong { n }),
            AgentMessage::Start {
                id,
                device,
                deadline_ms,
                task,
            } => {
                let span = Duration::from_millis(deadline_ms).min(LONGEST_JOB);
                let deadline = Deadline::at(self.now().plus(span));
                let patience = Patience::new(Arc::clone(&self.parts.clock), deadline);
                let ends = (Arc::clone(&self.nudge), self.parts.speaker.clone());
                self.start(&device, Job::new(id, task, patience, ends));
            }
            AgentMessage::Part {
                id,
                attachment,
                data,
                last,
            } => self.with_job(id, |job| job.add_part(attachment, &data, last)),
            AgentMessage::Answer { id, ask, answer } => {
                self.with_job(id, |job| job.answer(ask, answer));
            }
            AgentMessage::Received { id, n } => self.with_job(id, |job| job.receive(n)),
            AgentMessage::Act { id, act } => self.with_job(id, |job| job.act(act)),
            AgentMessage::Cancel { id } => self.with_job(id, Job::cancel),
        }
        None
    }

    fn welcome(&mut self, protocol: u32, settings: Option<serde_json::Value>) -> Option<Exit> {
        if protocol != PROTOCOL_VERSION {
            tracing::error!(protocol, "the agent chose a version that was not offered");
            return Some(Exit::Version);
        }
        if self.welcomed {
            tracing::warn!("the agent said welcome twice");
            return None;
        }
        if let Err(why) = self.parts.floor.settle(settings) {
            tracing::error!(why, "the settings cannot be used");
            return Some(Exit::Settings);
        }
        self.welcomed = true;
        for id in self.parts.floor.standing() {
            if let Err(code) = self.device(&id) {
                tracing::error!(device = id, fault = code.as_str(), "not started");
            }
        }
        None
    }

    /// Crossing with the job's end is ordinary.
    fn with_job(&self, id: u64, say: impl FnOnce(&Job)) {
        let mut jobs = self.devices.values().filter_map(Device::job);
        match jobs.find(|job| job.id == id) {
            Some(job) => say(job),
            None => tracing::debug!(job = id, "word for a job that is not running"),
        }
    }

    fn start(&mut self, device: &str, job: Job) {
        let job = Arc::new(job);
        let taken = if !self.welcomed {
            tracing::error!(job = job.id, "job before the version was agreed");
            Err(FaultCode::HostUnusable)
        } else if let Some(code) = self.parts.floor.refuse(&job.task) {
            Err(code)
        } else {
            let busy = self.parts.floor.busy();
            self.device(device)
                .and_then(|device| device.take_on(Arc::clone(&job), busy))
        };
        if let Err(code) = taken {
            let fault = fault(code, "job was not taken on");
            job.finish(Outcome::Failed { fault });
        }
    }

    /// The device of that id, with its thread.
    fn device(&mut self, id: &str) -> Result<&mut Device, FaultCode> {
        self.parts.floor.find(id)?;
        if !self.devices.contains_key(id) {
            let post = self.parts.floor.post(id).ok_or(FaultCode::DeviceGone)?;
            let device = self.start_device(id, post).map_err(|error| {
                tracing::error!(%error, "no thread for a device");
                FaultCode::AgentInternal
            })?;
            self.devices.insert(id.to_owned(), device);
        }
        self.devices.get_mut(id).ok_or(FaultCode::AgentInternal)
    }

    fn start_device(&self, id: &str, post: Box<dyn Post>) -> std::io::Result<Device> {
        let events = self.parts.events.clone();
        let idle_id = id.to_owned();
        let on_idle = Box::new(move || {
            if events.send(Event::Idle(idle_id.clone())).is_err() {
                tracing::debug!("the host has ended");
            }
        });
        Device::start(id, post, &self.parts.clock, on_idle)
    }

    fn idle(&mut self, id: &str) {
        if let Some(device) = self.devices.get_mut(id) {
            device.idle();
        }
        self.forget_devices_that_are_gone();
    }

    /// A device that is plugged in under ever new names must not leave a thread behind for each.
    fn forget_devices_that_are_gone(&mut self) {
        let floor = &self.parts.floor;
        self.devices
            .retain(|id, device| !device.is_idle() || floor.find(id).is_ok());
    }

    /// Gives up on threads that are stuck. Returns when to look again.
    fn look_after_devices(&mut self) -> Option<Moment> {
        let now = self.now();
        let stuck = |devices: &BTreeMap<String, Device>| {
            devices
                .values()
                .filter(|device| device.stuck().is_some())
                .count()
        };
        let before = stuck(&self.devices);
        let next = self
            .devices
            .values_mut()
            .filter_map(|device| device.watch(now))
            .min();
        if stuck(&self.devices) != before {
            self.tell_devices();
        }
        next
    }

    /// Tells the agent the whole list, where it has changed and somebody listens.
    fn tell_devices(&mut self) {
        if !self.welcomed || !self.parts.floor.is_known() {
            return;
        }
        let devices = self.parts.floor.devices();
        let now = HostMessage::Devices {
            service: self.parts.floor.service(),
            devices: devices.into_iter().map(|told| self.shown(told)).collect(),
        };
        if self.told.as_ref() != Some(&now) {
            self.parts.speaker.say(&now);
            self.told = Some(now);
        }
    }

    fn shown(&self, told: DeviceDescription) -> DeviceDescription {
        match self.devices.get(&told.id).and_then(Device::stuck) {
            Some(stuck) => DeviceDescription {
                state: stuck.state,
                ..told
            },
            None => told,
        }
    }

    /// Ends all jobs, so that their devices are let go of, and does not wait for long.
    fn farewell(&mut self, events: &Receiver<Event>) -> Exit {
        for job in self.devices.values().filter_map(Device::job) {
            job.cancel();
        }
        let until = Deadline::at(self.now().plus(FAREWELL));
        while self.devices.values().any(|device| device.job().is_some()) {
            let Some(left) = until.remaining(self.now()) else {
                tracing::warn!("a device does not let go; the end of this process frees it");
                break;
            };
            match events.recv_timeout(left) {
                Ok(Event::Idle(id)) => self.idle(&id),
                Ok(Event::Heard(_) | Event::Seen | Event::Unheard) => {}
                Err(_timeout_or_closed) => break,
            }
        }
        self.parts
            .speaker
            .written(until.remaining(self.now()).unwrap_or_default());
        Exit::Done
    }

    fn now(&self) -> Moment {
        self.parts.clock.now()
    }
}
