//! The turns of telemetry: notices become reports, happenings reach whoever keeps commands.
//!
//! Invariant: what was given to the store and is refused by it is taken back, and comes again.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Moment};
use telemetry::Message;
use telemetry::message::presence::LeavingReason;
use telemetry::station::{Happening, NotKept, Reporter};
use tokio::sync::{mpsc, oneshot};

use super::clerk::Said;
use super::effects::Findings;
use super::{Change, Counts, Ledger, Machine, Notice, Surroundings, succession};
use crate::log;
use crate::state_dir::StateDir;

/// How often counts are reported, and what the disk refused is tried again.
const TURN: Duration = Duration::from_secs(60);
/// How often the machine is looked at.
const LOOK: Duration = Duration::from_secs(600);
/// How often everything is reported again, although nothing changed.
const AGAIN: Duration = Duration::from_secs(86_400);

/// From where the work hears.
pub(super) struct Channels {
    pub(super) received: mpsc::Receiver<Notice>,
    pub(super) happenings: mpsc::Receiver<Happening>,
    pub(super) told: oneshot::Receiver<LeavingReason>,
    pub(super) asked: mpsc::Receiver<oneshot::Sender<Findings>>,
}

/// What is done in turn.
pub(super) struct Work {
    started: Moment,
    clock: Arc<dyn Clock>,
    reporter: Reporter,
    machine: Machine,
    ledger: Ledger,
    counts: Counts,
    counted_at: Moment,
    given: Vec<(Confirmation, Given)>,
    clerk: Option<mpsc::Sender<Said>>,
    dir: Arc<StateDir>,
}

/// What the disk will say of a report.
type Confirmation = oneshot::Receiver<Result<(), NotKept>>;

/// What was given to the store, to be taken back if it cannot be kept.
enum Given {
    Change(Change),
    Counts(Counts),
}

impl Work {
    /// Nothing has happened yet; `clerk` keeps commands, where somebody does.
    pub(super) fn new(
        around: &Surroundings<'_>,
        reporter: Reporter,
        machine: Machine,
        clerk: Option<mpsc::Sender<Said>>,
    ) -> Self {
        let clock = Arc::clone(&around.clock);
        Self {
            started: clock.now(),
            counted_at: clock.now(),
            clock,
            reporter,
            machine,
            ledger: Ledger::default(),
            counts: Counts::default(),
            given: Vec::new(),
            clerk,
            dir: Arc::clone(around.dir),
        }
    }

    /// Works until it is told to end, and says farewell.
    pub(super) async fn work(mut self, mut channels: Channels) {
        let (mut turn, mut look, mut again) = (
            tokio::time::interval(TURN),
            tokio::time::interval(LOOK),
            tokio::time::interval(AGAIN),
        );
        let reason = loop {
            tokio::select! {
                biased;
                reason = &mut channels.told => break reason.unwrap_or(LeavingReason::Stopped),
                Some(notice) = channels.received.recv() => {
                    self.take(notice);
                    while let Ok(notice) = channels.received.try_recv() {
                        self.take(notice);
                    }
                    self.report_changes();
                }
                Some(happening) = channels.happenings.recv() => {
                    log_happening(&happening);
                    self.agree(&happening);
                    self.tell_clerk(happening);
                }
                Some(asker) = channels.asked.recv() => {
                    // It may have stopped waiting.
                    let (Ok(()) | Err(_)) = asker.send(self.findings());
                }
                _ = look.tick() => {
                    log::tidy();
                    self.report_machine();
                }
                _ = again.tick() => self.ledger.forget_kept_states(),
                _ = turn.tick() => {
                    // Refused where the station has ended, or is busy: a minute later is as good.
                    let (Ok(()) | Err(_)) = self.reporter.set_quality(Machine::time_quality());
                    self.settle();
                    self.report_changes();
                    self.report_counts();
                }
            }
        };
        self.settle();
        self.report_changes();
        self.report_counts();
        self.reporter.leave(reason).await;
    }

    fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Devices(view) => self.ledger.devices(&view),
            Notice::JobEnded {
                operation,
                fault,
                took,
            } => self.counts.ended(operation, fault, took),
            Notice::AgentFault { fault, raised } => self.ledger.agent_fault(fault, raised),
        }
    }

    /// Notes that the monitor knows the next key; where that cannot be noted, the next word says it again.
    fn agree(&self, happening: &Happening) {
        if let Happening::Acknowledged(ack) = happening
            && let Some(named) = &ack.next_key
        {
            match succession::agree(self.dir.as_ref(), named) {
                Ok(true) => {
                    tracing::warn!(key = %named.id(), "this key signs from the next start on")
                }
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "the next key"),
            }
        }
    }

    /// A clerk that cannot keep up is told again: commands are sent anew, and beats come every few seconds.
    fn tell_clerk(&self, happening: Happening) {
        let said = match happening {
            Happening::Beat(challenge) => Said::Beat(challenge, self.clock.now()),
            Happening::Command { topic, bytes } => Said::Command { topic, bytes },
            Happening::Acknowledged(ack) => Said::Floor(ack.time),
            Happening::Connected { .. }
            | Happening::Disconnected(_)
            | Happening::Rejected(_)
            | Happening::Untidy(_) => return,
        };
        if let Some(clerk) = &self.clerk
            && clerk.try_send(said).is_err()
        {
            tracing::warn!("commands cannot keep up");
        }
    }

    /// What a diagnostics bundle holds, but for the marks of the spool.
    fn findings(&self) -> Findings {
        let uptime = self.clock.now().since(self.started).as_secs();
        let state = self.machine.state(self.clock.unix_millis() / 1000, uptime);
        Findings {
            versions: state.versions,
            configuration: state.configuration,
            devices: self.ledger.states(),
            faults: self.ledger.fault_counts(),
            disk: state.disk,
            clock: state.clock,
            certificate_days: state.certificate_days,
            uptime_seconds: state.uptime_seconds,
            spool: Vec::new(),
        }
    }

    /// Gives what changed to the store.
    fn report_changes(&mut self) {
        for change in self.ledger.due() {
            self.ledger.kept(&change);
            let given = self.reporter.report(change.clone().into());
            self.await_word(given, Given::Change(change));
        }
    }

    fn report_counts(&mut self) {
        let now = self.clock.now();
        let seconds = now.since(self.counted_at).as_secs();
        self.counted_at = now;
        if !self.counts.is_empty() {
            let counts = std::mem::take(&mut self.counts);
            let report = counts.report(u32::try_from(seconds).unwrap_or(u32::MAX));
            let given = self.reporter.report(Message::Jobs(report));
            self.await_word(given, Given::Counts(counts));
        }
    }

    /// What cannot be kept of it is superseded by the next look.
    fn report_machine(&self) {
        let uptime = self.clock.now().since(self.started).as_secs();
        let now = self.clock.unix_millis() / 1000;
        let look = self.machine.look(now, uptime);
        if let Err(refused) = self.reporter.report(look) {
            tracing::warn!(%refused, "the state of the machine was not kept");
        }
    }

    fn await_word(&mut self, given: Result<Confirmation, NotKept>, what: Given) {
        match given {
            Ok(word) => self.given.push((word, what)),
            Err(refused) => self.take_back(&refused, what),
        }
    }

    /// Hears what the disk said of what was given; what it does not say yet is heard another time.
    fn settle(&mut self) {
        for (mut word, what) in std::mem::take(&mut self.given) {
            match word.try_recv() {
                Ok(Ok(())) => {}
                Ok(Err(refused)) => self.take_back(&refused, what),
                Err(oneshot::error::TryRecvError::Empty) => self.given.push((word, what)),
                Err(oneshot::error::TryRecvError::Closed) => self.take_back(&NotKept::Ended, what),
            }
        }
    }

    fn take_back(&mut self, refused: &NotKept, what: Given) {
        tracing::warn!(%refused, "a report was not kept; it is tried again");
        match what {
            Given::Change(change) => self.ledger.not_kept(&change),
            Given::Counts(counts) => self.counts.put_back(counts),
        }
    }
}

fn log_happening(happening: &Happening) {
    match happening {
        Happening::Connected { session } => tracing::info!(session, "connected to a broker"),
        Happening::Disconnected(failure) => tracing::warn!(%failure, "no broker"),
        Happening::Rejected(rejected) => tracing::error!(%rejected, "something false arrived"),
        Happening::Untidy(error) => tracing::error!(error, "the store of telemetry"),
        Happening::Command { .. } | Happening::Beat(_) | Happening::Acknowledged(_) => {}
    }
}
