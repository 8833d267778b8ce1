//! The one loop: whatever happens becomes an event, the core decides, the effects are carried out.
//!
//! ```text
//! input or timer -> Event -> Core::handle(event, now) -> [Effect] -> carried out, in order
//! ```
//! The loop decides nothing and never waits: a peer that does not take what it is told is dropped, a
//! driver host that does not is killed, files are written by the [`crate::recorder`]'s thread.
//! It sleeps until the next input or exactly until `Core::next_wakeup`; with nothing to do it does nothing.
//!
//! Long because every input and every effect passes through this one place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use agent_api::event::ServerMessage;
use agent_api::item::Item;
use agent_api::pin_screen::ScreenInstruction;
use agent_core::effect::{AuditOrder, HostCommand, Report};
use agent_core::ids::{HostId, HostRun, JobId, RequestId, ScreenLink, SessionLink};
use agent_core::task::Task;
use agent_core::{Core, Effect, Event, Sealed};
use commands::Failure;
use device_api::{Clock, FaultCode, Moment};
use host_protocol::HostMessage;
use host_protocol::settings::Mapping;
use signature::Turn;
use telemetry::message::presence::LeavingReason;
use tokio::sync::{mpsc, oneshot};

use crate::calibrations::{self, Calibrations};
use crate::config;
use crate::driver::Driver;
use crate::hearing::{Begun, Heard, Hearing};
use crate::input::{Desk, Input, Ordered, Outcome};
use crate::outlet::{Ink, Outlet};
use crate::parcel::{Content, Parcel};
use crate::recorder::Recorder;
use crate::refusal::Refusal;
use crate::reporting::{self, Notice};
use crate::sealing::Seal;
use crate::translate;

/// How long jobs and hosts may take to end before the agent ends without them.
const STOP_WITHIN: Duration = Duration::from_millis(1000);

/// How long driver hosts may take to release their devices, after that.
const HOSTS_END_WITHIN: Duration = Duration::from_millis(250);

/// How long the monitor's farewell may take, after that.
const FAREWELL_WITHIN: Duration = Duration::from_millis(250);

/// When the loop ends whatever the disk does, from the moment it was told to; connections follow, and two
/// seconds are the promise.
const ENDED_WITHIN: Duration = Duration::from_millis(1600);

/// What the loop is made of.
#[derive(Debug)]
pub struct Parts {
    /// The decisions.
    pub core: Core<Parcel>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How hosts are started, in the order of their ids.
    pub hosts: Vec<config::Host>,
    /// How tablets were calibrated.
    pub calibrations: Calibrations,
    /// What seals signatures.
    pub seal: Seal,
    /// Who writes files.
    pub recorder: Recorder,
    /// The way in.
    pub desk: Desk,
    /// Where the PIN page is served.
    pub pin_address: String,
    /// Where what happens is reported, where it is.
    pub reporting: Option<reporting::Desk>,
}

/// The loop and everybody it speaks to.
#[derive(Debug)]
pub struct EventLoop {
    parts: Parts,
    waiting: BTreeMap<RequestId, oneshot::Sender<Outcome>>,
    sessions: BTreeMap<SessionLink, Outlet<ServerMessage>>,
    screens: BTreeMap<ScreenLink, Outlet<ScreenInstruction>>,
    drivers: BTreeMap<HostRun, Driver>,
    hearing: Hearing,
    restarting: BTreeMap<HostId, Ordered>,
    /// Whether the newest record could not be written.
    audit_fails: bool,
    requests: u64,
    drained: bool,
}

impl EventLoop {
    /// A loop in which nothing has happened.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            waiting: BTreeMap::new(),
            sessions: BTreeMap::new(),
            screens: BTreeMap::new(),
            drivers: BTreeMap::new(),
            hearing: Hearing::default(),
            restarting: BTreeMap::new(),
            audit_fails: false,
            requests: 0,
            drained: false,
        }
    }

    /// Starts the driver hosts. Called once, before [`Self::run`].
    pub fn begin(&mut self) {
        self.happen(Event::Started);
    }

    /// Runs until told to terminate, then until everything has ended or its time is over.
    pub async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        let (mut give_up, mut told) = (None, None);
        while !self.drained {
            let wakeup = self.parts.core.next_wakeup();
            let until = [wakeup, give_up].into_iter().flatten().min();
            let now = self.parts.clock.now();
            let timer = async {
                match until {
                    Some(moment) => tokio::time::sleep(moment.since(now)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                input = inputs.recv() => match input {
                    Some(Input::Terminate) | None if give_up.is_none() => {
                        let now = self.parts.clock.now();
                        (give_up, told) = (Some(now.plus(STOP_WITHIN)), Some(now));
                        self.happen(Event::Stop);
                    }
                    Some(input) => self.take_in(input),
                    None => break,
                },
                () = timer => {
                    if give_up.is_some_and(|moment| moment <= self.parts.clock.now()) {
                        tracing::warn!("ended before everything had ended");
                        break;
                    }
                    self.happen(Event::Woken);
                }
            }
        }
        let told = told.unwrap_or_else(|| self.parts.clock.now());
        self.end(inputs, told.plus(ENDED_WITHIN)).await;
    }

    /// Lets everybody go: hosts see the end of their input, clients the end of their connection.
    async fn end(mut self, mut inputs: mpsc::Receiver<Input>, latest: Moment) {
        for session in self.sessions.values_mut() {
            let refusal = Refusal::new(FaultCode::AgentStopping);
            let error = refusal.body("stop");
            // A client that has no room for this message notices the closing itself.
            let _told = session.tell(ServerMessage::Refused { error });
        }
        self.sessions.clear();
        self.screens.clear();
        self.waiting.clear();
        self.drivers.values_mut().for_each(Driver::end_input);
        let ended = async {
            while !self.drivers.is_empty() {
                match inputs.recv().await {
                    Some(Input::HostExited { run }) => drop(self.drivers.remove(&run)),
                    Some(_other) => {}
                    None => return,
                }
            }
        };
        if tokio::time::timeout(HOSTS_END_WITHIN, ended).await.is_err() {
            tracing::warn!("a driver host had to be killed");
        }
        if let Some(desk) = self.parts.reporting {
            let farewell = desk.end(LeavingReason::Stopped);
            if tokio::time::timeout(FAREWELL_WITHIN, farewell)
                .await
                .is_err()
            {
                tracing::warn!("the monitor was not told that this agent ends");
            }
        }
        // Nobody takes the recorder's reports any more; with the queue open it could wait for room.
        drop(inputs);
        let left = latest.since(self.parts.clock.now());
        self.parts.recorder.finish(left).await;
    }

    fn take_in(&mut self, input: Input) {
        match input {
            Input::Request {
                caller,
                call,
                reply,
            } => {
                self.requests += 1;
                let id = RequestId(self.requests);
                self.waiting.insert(id, reply);
                let call = *call;
                self.happen(Event::Request { id, caller, call });
            }
            Input::SessionOpened {
                link,
                caller,
                after,
                out,
            } => {
                self.sessions.insert(link, Outlet::new(out));
                self.happen(Event::SessionOpened {
                    link,
                    caller,
                    after,
                });
            }
            Input::SessionRenewed { link, caller } => {
                self.happen(Event::SessionRenewed { link, caller });
            }
            Input::SessionClosed { link } => {
                self.sessions.remove(&link);
                self.happen(Event::SessionClosed { link });
            }
            Input::ScreenOpened { link, said, out } => {
                self.screens.insert(link, Outlet::new(out));
                self.happen(Event::ScreenSaid { link, said });
            }
            Input::ScreenSaid { link, said } => self.happen(Event::ScreenSaid { link, said }),
            Input::ScreenClosed { link } => {
                self.screens.remove(&link);
                self.happen(Event::ScreenClosed { link });
            }
            Input::SessionSaid { link, said } => self.happen(Event::SessionSaid { link, said }),
            Input::HostSaid { run, message } => self.hear(run, *message),
            Input::Sealed { run, said } => self.happen(Event::HostSaid { run, said: *said }),
            Input::HostGarbled { run } => self.happen(Event::HostGarbled { run }),
            Input::HostExited { run } => {
                self.drivers.remove(&run);
                self.hearing.forget_host(run);
                self.happen(Event::HostExited { run });
            }
            Input::Recorded { ticket, written } => {
                self.audit_log(written);
                self.happen(if written {
                    Event::AuditWritten { ticket }
                } else {
                    Event::AuditFailed { ticket }
                });
            }
            Input::RestartHost { host, done } => self.restart_host(&host, done),
            Input::Recalibrate { device, done } => self.recalibrate(&device, done),
            Input::Lock { locked, done } => {
                self.lock(locked);
                // Whoever ordered it may have ended.
                let (Ok(()) | Err(_)) = done.send(Ok(()));
            }
            Input::Terminate => {}
        }
    }

    /// Takes the machine out of service, or puts it back.
    pub fn lock(&mut self, locked: bool) {
        self.happen(Event::Lock { locked });
        self.agent_fault(FaultCode::AgentLocked, locked);
    }

    /// Whether the audit log can be written; said when it changes.
    fn audit_log(&mut self, written: bool) {
        if self.audit_fails == written {
            self.audit_fails = !written;
            self.agent_fault(FaultCode::AuditUnavailable, !written);
        }
    }

    /// A fault of the agent itself came or went.
    fn agent_fault(&self, fault: FaultCode, raised: bool) {
        if let Some(desk) = &self.parts.reporting {
            desk.tell(Notice::AgentFault { fault, raised });
        }
    }

    /// Ends a driver host that serves nobody; `done` hears when it is in service again.
    fn restart_host(&mut self, name: &str, done: Ordered) {
        let host = self.parts.hosts.iter().position(|host| host.name == name);
        let host = host.and_then(|at| u16::try_from(at).ok()).map(HostId);
        let answer = match host {
            None => Err(Failure::NotThere),
            Some(host) if self.parts.core.is_serving(host) => Err(Failure::Busy),
            Some(host) => {
                self.restarting.insert(host, done);
                return self.happen(Event::RestartHost { host });
            }
        };
        let (Ok(()) | Err(_)) = done.send(answer);
    }

    /// Forgets how a tablet was calibrated, and starts its host anew, which takes it as it is configured then.
    fn recalibrate(&mut self, device: &str, done: Ordered) {
        let parts = &mut self.parts;
        let host = parts.hosts.iter().position(calibrations::is_of_tablets);
        let id = host.and_then(|at| u16::try_from(at).ok()).map(HostId);
        let serves = id.is_some_and(|id| parts.core.is_serving(id));
        let forgotten = host
            .filter(|_| !serves)
            .and_then(|at| parts.hosts.get_mut(at))
            .and_then(|host| parts.calibrations.forget(device, host));
        let failure = match forgotten {
            Some(kept) => {
                parts.recorder.store_calibrations(kept.clone());
                return self.restart_host(config::TABLETS, done);
            }
            None if !calibrations::is_tablet(device) => Failure::Unsupported,
            None if serves => Failure::Busy,
            None => Failure::NotThere,
        };
        let (Ok(()) | Err(_)) = done.send(Err(failure));
    }

    fn today(&self) -> String {
        translate::today_in_japan(self.parts.clock.unix_millis())
    }

    fn hear(&mut self, run: HostRun, message: HostMessage) {
        let today = self.today();
        let vendor = self.host(run).and_then(config::Host::vendor);
        let message = translate::host::only_own(message, vendor);
        match self.hearing.hear(run, message, &today) {
            Heard::Said(said) => self.happen(Event::HostSaid { run, said }),
            Heard::Calibrated {
                device,
                mapping,
                said,
            } => {
                self.keep_calibration(run, &device, mapping);
                self.happen(Event::HostSaid { run, said });
            }
            Heard::Part => {}
            Heard::Garbled => self.happen(Event::HostGarbled { run }),
            Heard::ToSeal(to_seal) => {
                let (seal, desk) = (self.parts.seal.clone(), self.parts.desk.clone());
                let host = self.parts.hosts.get(usize::from(run.host.0));
                let device = to_seal.signing.audit.device.as_str();
                let turn = host.map_or_else(Turn::default, |host| calibrations::turn(device, host));
                let unix_millis = self.parts.clock.unix_millis();
                tokio::task::spawn_blocking(move || {
                    let said = Box::new(seal.seal(&to_seal, turn, unix_millis));
                    desk.tell_blocking(Input::Sealed { run, said });
                });
            }
        }
    }

    /// Has a calibration outlive the host and this run of the agent.
    fn keep_calibration(&mut self, run: HostRun, device: &str, mapping: Mapping) {
        let parts = &mut self.parts;
        let host = parts.hosts.get_mut(usize::from(run.host.0));
        let kept = host.and_then(|host| parts.calibrations.keep(device, mapping, host));
        if let Some(kept) = kept {
            tracing::info!(device, "a tablet was calibrated");
            parts.recorder.store_calibrations(kept.clone());
        }
    }

    fn happen(&mut self, event: Event<Parcel>) {
        let now = self.parts.clock.now();
        for effect in self.parts.core.handle(event, now) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<Parcel>) {
        match effect {
            Effect::StartHost { run } => self.start_host(run),
            Effect::KillHost { run } => {
                if let Some(driver) = self.drivers.get_mut(&run) {
                    driver.kill();
                }
            }
            Effect::SendToHost { run, command } => self.send_to_host(run, command),
            Effect::Reply { request, outcome } => {
                if let Some(reply) = self.waiting.remove(&request) {
                    // The client may have gone; the core learns that from its session.
                    let _delivered = reply.send(outcome.map_err(Refusal::from));
                }
            }
            Effect::Welcome {
                link,
                session,
                position,
                missed,
            } => {
                let session = session.as_str().to_owned();
                let position = translate::api::position_out(position);
                self.publish(
                    link,
                    ServerMessage::Welcome {
                        session,
                        position,
                        missed,
                    },
                );
            }
            Effect::RefuseSession { link, refusal } => {
                let error = Refusal::from(refusal).body(&format!("s-{}", link.0));
                self.publish(link, ServerMessage::Refused { error });
                self.sessions.remove(&link);
            }
            Effect::Publish {
                link,
                seq,
                happening,
            } => {
                let event = translate::api::happening(happening, &self.parts.pin_address);
                self.publish(link, ServerMessage::Event { seq, event });
            }
            Effect::Pass {
                job,
                n,
                session,
                screen,
                item,
            } => {
                if let Parcel::Item(item) = item.open() {
                    self.pass((&job, n), session, screen, *item);
                }
            }
            Effect::TellScreen { link, tell } => {
                self.tell_screen(link, translate::api::screen_tell(tell));
            }
            Effect::CloseScreen { link } => {
                self.screens.remove(&link);
            }
            Effect::StorePairings { pairings } => self.parts.recorder.store_pairings(pairings),
            Effect::AppendAudit { ticket, entry } => self.parts.recorder.append(ticket, entry),
            Effect::Report(report) => {
                if let Report::HostReady { run } = &report
                    && let Some(done) = self.restarting.remove(&run.host)
                {
                    let (Ok(()) | Err(_)) = done.send(Ok(()));
                }
                self.report(&report);
            }
            Effect::Drained => self.drained = true,
        }
    }

    fn report(&self, report: &Report) {
        log_report(report);
        if let Some(desk) = &self.parts.reporting
            && let Some(notice) = Notice::of(report)
        {
            desk.tell(notice);
        }
    }

    fn publish(&mut self, link: SessionLink, message: ServerMessage) {
        self.at_session(link, |session| session.tell(message));
    }

    /// A reader that lets its queue fill up is dropped; it comes back and asks for what it missed.
    fn at_session(
        &mut self,
        link: SessionLink,
        tell: impl FnOnce(&mut Outlet<ServerMessage>) -> bool,
    ) {
        if self.sessions.get_mut(&link).map(tell) == Some(false) {
            tracing::warn!(link = link.0, "a client that reads too slowly was dropped");
            self.sessions.remove(&link);
        }
    }

    fn tell_screen(&mut self, link: ScreenLink, instruction: ScreenInstruction) {
        self.at_screen(link, |screen| screen.tell(instruction));
    }

    fn at_screen(
        &mut self,
        link: ScreenLink,
        tell: impl FnOnce(&mut Outlet<ScreenInstruction>) -> bool,
    ) {
        if self.screens.get_mut(&link).map(tell) == Some(false) {
            self.screens.remove(&link);
        }
    }

    /// Passes an item on.
    fn pass(
        &mut self,
        (job, n): (&JobId, u32),
        session: Option<SessionLink>,
        screen: Option<(ScreenLink, &'static str)>,
        item: Item,
    ) {
        if let Item::Ink { samples } = item {
            let job = job.as_str().to_owned();
            let ink = Ink { job, n, samples };
            if let Some((link, _word)) = screen {
                self.at_screen(link, |screen| screen.draw(ink.clone()));
            }
            if let Some(link) = session {
                self.at_session(link, |session| session.draw(ink));
            }
            return;
        }
        if let Some((link, word)) = screen
            && let Some(instruction) = translate::api::screen_item(job, word, item.clone())
        {
            self.tell_screen(link, instruction);
        }
        if let Some(link) = session {
            let message = ServerMessage::Item {
                job: job.as_str().to_owned(),
                n,
                item: Box::new(item),
            };
            self.publish(link, message);
        }
    }

    fn host(&self, run: HostRun) -> Option<&config::Host> {
        self.parts.hosts.get(usize::from(run.host.0))
    }

    fn start_host(&mut self, run: HostRun) {
        let parts = &self.parts;
        let Some(host) = self.host(run) else {
            return;
        };
        match Driver::start(&host.command, run, &parts.desk, &parts.clock) {
            Ok(driver) => {
                self.drivers.insert(run, driver);
            }
            Err(error) => {
                let program = host.command.program.display();
                tracing::error!(%error, %program, host = host.name, "a driver host cannot be started");
                self.happen(Event::HostExited { run });
            }
        }
    }

    /// The task in the host's words, with its documents described; remembers what a signature needs later.
    fn assign(
        &mut self,
        of: (HostRun, u64),
        order: &AuditOrder,
        (task, content, contents): (Task, Option<Parcel>, Vec<Content>),
    ) -> Option<(host_protocol::Task, Vec<Content>)> {
        let Some(Parcel::Assignment(mut assignment)) = content else {
            let task = translate::host::card_task(task, &self.today())?;
            return Some((task, contents));
        };
        translate::work::describe_attachments(&mut assignment.task, &contents);
        let begun = Begun {
            order,
            contents: &contents,
            unix_millis: self.parts.clock.unix_millis(),
        };
        self.hearing.begin(of, &assignment, begun);
        Some((assignment.task, contents))
    }

    fn send_to_host(&mut self, run: HostRun, command: HostCommand<Parcel>) {
        let told = match command {
            HostCommand::Start {
                work,
                device,
                within,
                task,
                order,
                content,
                documents,
            } => {
                if matches!(task, Task::CalibrateTablet { .. }) {
                    self.hearing.begin_calibration((run, work), device.as_str());
                }
                let contents = documents.into_iter().filter_map(content_of).collect();
                let assigned = (task, content.map(Sealed::open), contents);
                self.assign((run, work), &order, assigned)
                    .map(|(task, contents)| {
                        translate::host::start((work, &device, within), task, contents)
                    })
            }
            command @ (HostCommand::Welcome { .. }
            | HostCommand::Received { .. }
            | HostCommand::Act { .. }
            | HostCommand::Answer { .. }
            | HostCommand::Cancel { .. }
            | HostCommand::Ping { .. }) => {
                let settings = self.host(run).and_then(|host| host.settings.as_ref());
                translate::host::command(command, settings)
            }
        };
        let Some(told) = told else {
            tracing::error!(host = run.host.0, "a command without its content");
            return;
        };
        let Some(driver) = self.drivers.get_mut(&run) else {
            return;
        };
        if !driver.send(told) {
            tracing::warn!(
                host = run.host.0,
                run = run.run,
                "a driver host reads nothing any more"
            );
            driver.kill();
        }
    }
}

fn content_of(sealed: Sealed<Parcel>) -> Option<Content> {
    if let Parcel::Content(content) = sealed.open() {
        Some(content)
    } else {
        None
    }
}

fn log_report(report: &Report) {
    match report {
        Report::HostReady { run } => {
            tracing::info!(
                host = run.host.0,
                run = run.run,
                "a driver host is in service"
            );
        }
        Report::HostLost {
            run,
            why,
            in_a_row,
            restart_in,
        } => {
            let restart_in_ms = translate::api::millis(*restart_in);
            tracing::warn!(
                host = run.host.0,
                run = run.run,
                ?why,
                in_a_row,
                restart_in_ms,
                "a driver host was lost"
            );
        }
        Report::DeviceOfferedTwice { host, device } => {
            tracing::error!(host = host.0, %device, "two driver hosts offer the same device");
        }
        Report::HostOutOfTurn { run } => {
            tracing::warn!(
                host = run.host.0,
                run = run.run,
                "a driver host spoke out of turn"
            );
        }
        Report::Devices(view) => {
            tracing::debug!(devices = view.devices.len(), "devices changed");
        }
        Report::JobEnded {
            operation,
            fault,
            took,
        } => {
            let fault = fault.map(device_api::FaultCode::as_str);
            let took_ms = translate::api::millis(*took);
            tracing::debug!(operation, fault, took_ms, "a job has ended");
        }
        Report::AuditLost { job } => {
            tracing::error!(%job, "the audit log cannot be written; results are withheld");
        }
        Report::PairingGuesses { origin, counter } => {
            tracing::error!(%origin, counter, "somebody guesses pairing codes");
        }
    }
}
