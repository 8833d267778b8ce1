//! The host's one loop: everything that can happen arrives here as an [`Event`].
//!
//! ```text
//! agent's lines --\
//! watcher ---------+--> Host::run --> devices' threads --> agent
//! devices idle ----/        |
//!                       moments of Limits
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

use device_api::{Deadline, DeviceClass, FaultCode, Moment, Patience};
use host_protocol::{
    AgentMessage, Credential, DeviceDescription, DeviceState, HostFault, HostMessage, HostName,
    Outcome, PROTOCOL_VERSION, ServiceState, Task,
};
use smartcard::{
    Activity, Board, Call, ReaderCondition, Refresher, Service, Sighting, Surroundings,
};

use crate::{
    device::Device, exit::Exit, input::Heard, job::Job, limits::Limits, output::Speaker,
    reading::Tools,
};

/// Before the name of a PC/SC reader in a device's id.
const ID_PREFIX: &str = "pcsc:";
/// How long jobs are given to end when the agent has gone.
const FAREWELL: Duration = Duration::from_millis(700);
/// The longest time a job may be given: a day.
const LONGEST_JOB: Duration = Duration::from_secs(24 * 60 * 60);

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// The agent said something, or has gone.
    Heard(Heard),
    /// The watcher saw a change.
    Seen,
    /// The thread of the reader of this name has returned from a job.
    Idle(String),
    /// Nothing can be said to the agent any more.
    Unheard,
}

/// What the host is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) board: Arc<Board>,
    pub(crate) refresher: Refresher,
    pub(crate) tools: Arc<Tools>,
    pub(crate) speaker: Speaker,
    pub(crate) events: SyncSender<Event>,
}

/// The host.
#[derive(Debug)]
pub(crate) struct Host {
    parts: Parts,
    welcomed: bool,
    devices: BTreeMap<String, Device>,
    told: Option<HostMessage>,
}

impl Host {
    pub(crate) const fn new(parts: Parts) -> Self {
        Self {
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
                Event::Seen => self.forget_readers_that_are_gone(),
                Event::Idle(name) => self.idle(&name),
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
            AgentMessage::Welcome {
                protocol: PROTOCOL_VERSION,
            } => self.welcomed = true,
            AgentMessage::Welcome { protocol } => {
                tracing::error!(protocol, "the agent chose a version that was not offered");
                return Some(Exit::Version);
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
                let patience = Patience::new(Arc::clone(&self.parts.tools.clock), deadline);
                let ends = (Arc::clone(&self.parts.board), self.parts.speaker.clone());
                self.start(&device, Job::new(id, task, patience, ends));
            }
            AgentMessage::Answer { id, ask, answer } => match self.job(id) {
                Some(job) => job.answer(ask, answer),
                // Crossing with the job's end is ordinary.
                None => tracing::debug!(job = id, "answer for a job that is not running"),
            },
            AgentMessage::Cancel { id } => match self.job(id) {
                Some(job) => job.cancel(),
                None => tracing::debug!(job = id, "cancellation of a job that is not running"),
            },
        }
        None
    }

    fn start(&mut self, device: &str, job: Job) {
        let job = Arc::new(job);
        let taken = if !self.welcomed {
            tracing::error!(job = job.id, "job before the version was agreed");
            Err(FaultCode::HostUnusable)
        } else if needs_keys(&job.task) {
            Err(FaultCode::PinNoPad)
        } else {
            self.device(device)
                .and_then(|device| device.take_on(Arc::clone(&job)))
        };
        if let Err(code) = taken {
            let fault = HostFault {
                code: code.as_str().to_owned(),
                detail: "job was not taken on".to_owned(),
                tries_left: None,
            };
            job.finish(Outcome::Failed { fault });
        }
    }

    /// The device of that id, with its thread.
    fn device(&mut self, id: &str) -> Result<&mut Device, FaultCode> {
        let sighting = self.parts.board.sighting();
        match sighting.service {
            Service::Up => {}
            Service::Unknown | Service::Down => return Err(FaultCode::ServiceAbsent),
            Service::Denied => return Err(FaultCode::ReaderDenied),
        }
        let name = id.strip_prefix(ID_PREFIX).ok_or(FaultCode::ReaderGone)?;
        if sighting.reader(name).is_none() {
            return Err(FaultCode::ReaderGone);
        }
        if !self.devices.contains_key(name) {
            let device = self.start_device(name).map_err(|error| {
                tracing::error!(%error, "no thread for a device");
                FaultCode::AgentInternal
            })?;
            self.devices.insert(name.to_owned(), device);
        }
        self.devices.get_mut(name).ok_or(FaultCode::AgentInternal)
    }

    fn start_device(&self, name: &str) -> std::io::Result<Device> {
        let clock = Arc::clone(&self.parts.tools.clock);
        let surroundings = Surroundings {
            board: Arc::clone(&self.parts.board),
            refresher: self.parts.refresher.clone(),
            activity: Arc::new(Activity::new(Arc::clone(&clock))),
            clock,
        };
        let events = self.parts.events.clone();
        let idle_name = name.to_owned();
        let on_idle = Box::new(move || {
            if events.send(Event::Idle(idle_name.clone())).is_err() {
                tracing::debug!("the host has ended");
            }
        });
        Device::start(name, surroundings, Arc::clone(&self.parts.tools), on_idle)
    }

    fn job(&self, id: u64) -> Option<&Arc<Job>> {
        self.devices
            .values()
            .filter_map(Device::job)
            .find(|job| job.id == id)
    }

    fn idle(&mut self, name: &str) {
        if let Some(device) = self.devices.get_mut(name) {
            device.idle();
        }
        self.forget_readers_that_are_gone();
    }

    /// A reader that is plugged in under ever new names must not leave a thread behind for each.
    fn forget_readers_that_are_gone(&mut self) {
        let sighting = self.parts.board.sighting();
        self.devices
            .retain(|name, device| !device.is_idle() || sighting.reader(name).is_some());
    }

    /// Gives up on threads that are stuck. Returns when to look again.
    fn look_after_devices(&mut self) -> Option<Moment> {
        let now = self.now();
        let stuck = |devices: &BTreeMap<String, Device>| {
            devices
                .values()
                .filter(|device| device.stuck_in().is_some())
                .count()
        };
        let before = stuck(&self.devices);
        let next = self
            .devices
            .values_mut()
            .filter_map(|device| device.watch(&Limits::STANDARD, now))
            .min();
        if stuck(&self.devices) != before {
            self.tell_devices();
        }
        next
    }

    /// Tells the agent of all devices, if anything has changed since it was told.
    fn tell_devices(&mut self) {
        let sighting = self.parts.board.sighting();
        if !self.welcomed || sighting.service == Service::Unknown {
            return;
        }
        let message = self.describe(&sighting);
        if self.told.as_ref() != Some(&message) {
            self.parts.speaker.say(&message);
            self.told = Some(message);
        }
    }

    fn describe(&self, sighting: &Sighting) -> HostMessage {
        let describe = |reader: &smartcard::ReaderSight| DeviceDescription {
            id: format!("{ID_PREFIX}{}", reader.name),
            class: DeviceClass::CardReader.as_str().to_owned(),
            name: reader.name.clone(),
            state: self.state(&reader.name, reader.state),
            // The keys of a reader are not driven here, so none are offered; see `needs_keys`.
            pin_pad: false,
        };
        HostMessage::Devices {
            service: service_state(sighting.service),
            devices: sighting.readers.iter().map(describe).collect(),
        }
    }

    fn state(&self, name: &str, seen: ReaderCondition) -> DeviceState {
        match self.devices.get(name).and_then(Device::stuck_in) {
            Some(Call::Connecting | Call::TakingTurn) => return DeviceState::InUse,
            Some(Call::Exchanging | Call::ExchangingSecret | Call::Disconnecting) => {
                return DeviceState::Unresponsive;
            }
            None => {}
        }
        match seen {
            ReaderCondition::Empty => DeviceState::Empty,
            ReaderCondition::Present => DeviceState::CardPresent,
            ReaderCondition::Mute => DeviceState::CardMute,
            ReaderCondition::InUse => DeviceState::InUse,
            ReaderCondition::Unavailable => DeviceState::Unresponsive,
        }
    }

    /// Ends all jobs, so that their cards are powered off, and does not wait for long.
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
                Ok(Event::Idle(name)) => self.idle(&name),
                Ok(Event::Heard(_) | Event::Seen | Event::Unheard) => {}
                Err(_timeout_or_closed) => break,
            }
        }
        Exit::InputEnded
    }

    fn now(&self) -> Moment {
        self.parts.tools.clock.now()
    }
}

/// Whether a task wants the PIN typed on the reader, which no reader of this host offers.
const fn needs_keys(task: &Task) -> bool {
    matches!(
        task,
        Task::ReadMyNumberCard {
            credential: Credential::PinOnDevice,
            ..
        }
    )
}

/// What the agent is told of the service; a service that nobody has looked for yet counts as down.
const fn service_state(seen: Service) -> ServiceState {
    match seen {
        Service::Up => ServiceState::Up,
        Service::Unknown | Service::Down => ServiceState::Down,
        Service::Denied => ServiceState::Denied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_refuses_is_told_apart_from_one_that_does_not_run() {
        for (seen, told) in [
            (Service::Up, ServiceState::Up),
            (Service::Down, ServiceState::Down),
            (Service::Denied, ServiceState::Denied),
        ] {
            assert_eq!(service_state(seen), told);
        }
    }
}
