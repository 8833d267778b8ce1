//! The thread of telemetry: what happens in the agent goes in, what the broker says comes out.
//!
//! A thread of its own, because the store waits for the disk, and the agent's loop must not.
//! Notices are taken without waiting; where too many wait already, the newest is dropped, which costs a
//! count and never a state, because the next notice of devices tells all of them.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use device_api::{Clock, Moment, Secret};
use telemetry::disk::Folder;
use telemetry::link::{
    BackoffLimits, Connection, Identity, IdentityError, MqttConnector, ProtocolChoice, Security,
};
use telemetry::message::presence::LeavingReason;
use telemetry::name::Digest;
use telemetry::outbox::{OpenError, Outbox, Settings};
use telemetry::signer::Signer as _;
use telemetry::station::{Happening, Means, NotKept, Profile, Reporter, Station};
use telemetry::{Message, Word};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use trust::TrustError;

use super::clerk::{self, Clerk, Said};
use super::control::ThisMachine;
use super::effects::{Findings, Toolbox};
use super::key::{self, KeyError};
use super::{Change, Counts, Ledger, Machine, MachineFacts, Notice};
use crate::config::telemetry::Telemetry;
use crate::recorder::Scribe;
use crate::state_dir::StateDir;
use crate::{input, log};

/// The folder of what is kept, within the state folder.
const STORE_DIR: &str = "telemetry";
/// The stack of the thread.
const STACK: usize = 1 << 20;
/// Notices that may wait.
const NOTICES_WAITING: usize = 1024;
/// What may wait for the clerk.
const SAID_WAITING: usize = 256;
/// How often counts are reported, and what the disk refused is tried again.
const TURN: Duration = Duration::from_secs(60);
/// How often the machine is looked at.
const LOOK: Duration = Duration::from_secs(600);
/// How often everything is reported again, although nothing changed.
const AGAIN: Duration = Duration::from_secs(86_400);

/// Why nothing can be reported.
#[derive(Debug, Error)]
pub enum ReportingError {
    /// A file of the settings cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Certificate and key for the broker cannot be used.
    #[error("cannot use the certificate for the broker")]
    Identity(#[source] IdentityError),
    /// The certificate cannot be read.
    #[error("cannot read the certificate for the broker")]
    Certificate(#[source] TrustError),
    /// The key that signs cannot be used.
    #[error("cannot use the key of reports")]
    Key(#[source] KeyError),
    /// The store cannot be opened.
    #[error("cannot open the store of telemetry")]
    Store(#[source] OpenError),
    /// The system gives no thread.
    #[error("cannot start the thread of telemetry")]
    Thread(#[source] io::Error),
}

/// The way in.
#[derive(Debug)]
pub struct Desk {
    notices: mpsc::Sender<Notice>,
    end: oneshot::Sender<LeavingReason>,
    ended: oneshot::Receiver<()>,
    thread: JoinHandle<()>,
}

/// What reporting needs of the agent.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The settings.
    pub settings: &'a Telemetry,
    /// The SHA-256 of the whole configuration.
    pub configuration: Digest,
    /// Where state is kept.
    pub dir: &'a Arc<StateDir>,
    /// The way to the loop, for what operators order.
    pub desk: &'a input::Desk,
    /// Where records of commands go.
    pub scribe: Scribe,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Desk {
    /// Opens the store and starts the thread.
    ///
    /// # Errors
    /// Each of [`ReportingError`]; an agent that cannot keep what it should report does not start, so that
    /// nobody believes that it is watched.
    pub fn start(around: &Surroundings<'_>) -> Result<Self, ReportingError> {
        let certificate = read(&around.settings.certificate)?;
        let identity = identity(around.settings, &certificate)?;
        let ends = certificate_ends(&certificate)?;
        let signer = key::signer(around.dir).map_err(ReportingError::Key)?;
        tracing::info!(key = %signer.verifying_key().id(), device = %around.settings.name, "telemetry");
        let folder = around.dir.path().join(STORE_DIR);
        let disk = Folder::open(&folder).map_err(|source| ReportingError::File {
            path: folder.display().to_string(),
            source,
        })?;
        let settings = Settings {
            quota_bytes: around.settings.store,
            ..Settings::default()
        };
        let (mut outbox, recovery) = Outbox::open(
            Box::new(disk),
            around.settings.name.clone(),
            Box::new(signer),
            Arc::clone(&around.clock),
            settings,
        )
        .map_err(ReportingError::Store)?;
        outbox.set_quality(Machine::time_quality());
        tracing::info!(
            epoch = outbox.epoch(),
            ?recovery,
            "the store of telemetry is open"
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ReportingError::Thread)?;
        let means = Means {
            outbox,
            connector: Box::new(MqttConnector::new(runtime.handle().clone())),
            clock: Arc::clone(&around.clock),
            random: Arc::new(ring::rand::SystemRandom::new()),
        };
        let (station, reporter, happenings) = Station::new(profile(around, identity), means);
        let (notices, received) = mpsc::channel(NOTICES_WAITING);
        let (end, told) = oneshot::channel();
        let (done, ended) = oneshot::channel();
        let (to_clerk, said) = mpsc::channel(SAID_WAITING);
        let (ask, asked) = mpsc::channel(1);
        let clerk = clerk(around, reporter.clone(), ask);
        let machine = Machine::new(MachineFacts {
            configuration: around.configuration.clone(),
            certificate_ends: ends,
            state_dir: around.dir.path().to_owned(),
        });
        let work = Work {
            started: around.clock.now(),
            clock: Arc::clone(&around.clock),
            reporter,
            machine,
            ledger: Ledger::default(),
            counts: Counts::default(),
            counted_at: around.clock.now(),
            given: Vec::new(),
            clerk: clerk.is_some().then_some(to_clerk),
        };
        let thread = std::thread::Builder::new()
            .name("telemetry".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let channels = Channels {
                    received,
                    happenings,
                    told,
                    asked,
                };
                runtime.block_on(async {
                    let station = tokio::spawn(station.run());
                    // It ends by itself when nobody tells it anything any more.
                    drop(clerk.map(|clerk| tokio::spawn(clerk.run(said))));
                    work.work(channels).await;
                    let (Ok(()) | Err(_)) = station.await;
                });
                // An effect that still runs is not waited for; the next start calls it unknown.
                runtime.shutdown_background();
                let (Ok(()) | Err(())) = done.send(());
            })
            .map_err(ReportingError::Thread)?;
        Ok(Self {
            notices,
            end,
            ended,
            thread,
        })
    }

    /// Takes a notice; does not wait.
    pub fn tell(&self, notice: Notice) {
        if self.notices.try_send(notice).is_err() {
            tracing::warn!("telemetry cannot keep up; a notice was dropped");
        }
    }

    /// Reports the last counts, says farewell, and ends the thread; waits a few seconds at most.
    pub async fn end(self, reason: LeavingReason) {
        let (Ok(()) | Err(_)) = self.end.send(reason);
        let (Ok(()) | Err(_)) = self.ended.await;
        if self.thread.join().is_err() {
            tracing::error!("the thread of telemetry has failed");
        }
    }
}

struct Channels {
    received: mpsc::Receiver<Notice>,
    happenings: mpsc::Receiver<Happening>,
    told: oneshot::Receiver<LeavingReason>,
    asked: mpsc::Receiver<oneshot::Sender<Findings>>,
}

struct Work {
    started: Moment,
    clock: Arc<dyn Clock>,
    reporter: Reporter,
    machine: Machine,
    ledger: Ledger,
    counts: Counts,
    counted_at: Moment,
    given: Vec<(Confirmation, Given)>,
    clerk: Option<mpsc::Sender<Said>>,
}

/// What the disk will say of a report.
type Confirmation = oneshot::Receiver<Result<(), NotKept>>;

/// What was given to the store, to be taken back if it cannot be kept.
enum Given {
    Change(Change),
    Counts(Counts),
}

impl Work {
    async fn work(mut self, mut channels: Channels) {
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
        let state = self
            .machine
            .state(self.clock.unix_millis() / 1000, uptime, 0);
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
        let look = self.machine.look(now, uptime, 0);
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

/// Who keeps commands; none where their journal cannot be used, because then none must be carried out.
fn clerk(
    around: &Surroundings<'_>,
    reporter: Reporter,
    findings: mpsc::Sender<oneshot::Sender<Findings>>,
) -> Option<Clerk> {
    let settings = around.settings;
    let machine = ThisMachine {
        state_dir: around.dir.path().to_owned(),
        keys: vec![settings.key.clone()],
    };
    let means = clerk::Means {
        clock: Arc::clone(&around.clock),
        scribe: around.scribe.clone(),
        reporter,
        toolbox: Toolbox {
            desk: around.desk.clone(),
            dir: Arc::clone(around.dir),
            control: Arc::new(machine),
        },
        findings,
        closed: settings.closed,
        version: Word::cleaned(env!("CARGO_PKG_VERSION")).unwrap_or_default(),
        configuration: around.configuration.clone(),
    };
    let who = (settings.name.clone(), settings.authority.clone());
    match Clerk::open(around.dir.path(), who, means) {
        Ok(clerk) => Some(clerk),
        Err(error) => {
            clerk::journal_failed(&error);
            tracing::error!("no command is carried out");
            None
        }
    }
}

fn profile(around: &Surroundings<'_>, identity: Identity) -> Profile {
    let settings = around.settings;
    let word = |text: &str| Word::cleaned(text).unwrap_or_default();
    Profile {
        name: settings.name.clone(),
        version: word(env!("CARGO_PKG_VERSION")),
        platform: word(&format!(
            "{}-{}",
            std::env::consts::OS,
            std::env::consts::ARCH
        )),
        configuration: around.configuration.clone(),
        beat: settings.beat,
        monitors: settings.monitors.clone(),
        connection: Connection {
            endpoints: settings.brokers.clone(),
            security: Security::MutualTls(identity),
            client_id: settings.name.device.to_string(),
            keep_alive: settings.beat,
            will: None,
            subscriptions: Vec::new(),
            window: Connection::MOST_UNDER_WAY,
            protocol: ProtocolChoice::Newest,
        },
        backoff: BackoffLimits::default(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ReportingError> {
    std::fs::read(path).map_err(|source| ReportingError::File {
        path: path.display().to_string(),
        source,
    })
}

fn identity(settings: &Telemetry, certificate: &[u8]) -> Result<Identity, ReportingError> {
    let authorities = read(&settings.authorities)?;
    let key = Secret::new(read(&settings.key)?);
    Identity::from_pem(&authorities, certificate, &key).map_err(ReportingError::Identity)
}

fn certificate_ends(certificate: &[u8]) -> Result<i64, ReportingError> {
    let text = String::from_utf8_lossy(certificate);
    let facts = trust::read_certificate(&text).map_err(ReportingError::Certificate)?;
    Ok(facts.not_after())
}
