//! The thread of telemetry: what happens in the agent goes in, what the broker says comes out.
//!
//! A thread of its own, because the store waits for the disk, and the agent's loop must not.
//! Notices are taken without waiting; where too many wait already, the newest is dropped, which costs a
//! count and never a state, because the next notice of devices tells all of them.

use std::sync::Arc;
use std::thread::JoinHandle;

use device_api::Clock;
use telemetry::Word;
use telemetry::link::MqttConnector;
use telemetry::message::presence::LeavingReason;
use telemetry::name::Digest;
use telemetry::station::{Means, Reporter, Station};
use tokio::sync::{mpsc, oneshot};

use super::clerk::{self, Clerk};
use super::control::ThisMachine;
use super::effects::{Findings, Toolbox};
use super::opening::{self, ReportingError};
use super::succession;
use super::work::{Channels, Work};
use super::{Machine, MachineFacts, Notice};
use crate::config::telemetry::Telemetry;
use crate::input;
use crate::recorder::Scribe;
use crate::state_dir::StateDir;

/// The stack of the thread.
const STACK: usize = 1 << 20;
/// Notices that may wait.
const NOTICES_WAITING: usize = 1024;
/// What may wait for the clerk.
const SAID_WAITING: usize = 256;

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
        let (identity, certificate_ends) = opening::identity(around.settings)?;
        let outbox = opening::outbox(around)?;
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
        let (station, reporter, happenings) =
            Station::new(opening::profile(around, identity), means);
        let (notices, received) = mpsc::channel(NOTICES_WAITING);
        let (end, told) = oneshot::channel();
        let (done, ended) = oneshot::channel();
        let (to_clerk, said) = mpsc::channel(SAID_WAITING);
        let (ask, asked) = mpsc::channel(1);
        state_again(around, &reporter);
        let clerk = clerk(around, reporter.clone(), ask);
        let machine = Machine::new(MachineFacts {
            configuration: around.configuration.clone(),
            certificate_ends,
            state_dir: around.dir.path().to_owned(),
        });
        let to_clerk = clerk.is_some().then_some(to_clerk);
        let work = Work::new(around, reporter, machine, to_clerk);
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

/// States the key that waits for the monitor's word, in case the statement before was dropped or never made.
fn state_again(around: &Surroundings<'_>, reporter: &Reporter) {
    match succession::unanswered(around.dir.as_ref(), &around.settings.name) {
        // Whether it is kept shows at the next start.
        Ok(Some(statement)) => drop(reporter.report(statement)),
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "the next key is not stated"),
    }
}

/// Who keeps commands; none where their journal cannot be used, because then none must be carried out.
fn clerk(
    around: &Surroundings<'_>,
    reporter: Reporter,
    findings: mpsc::Sender<oneshot::Sender<Findings>>,
) -> Option<Clerk> {
    let settings = around.settings;
    let (statements, stated) = mpsc::channel(1);
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
            device: settings.name.clone(),
            statements,
        },
        findings,
        closed: settings.closed,
        version: Word::or_unnamed(env!("CARGO_PKG_VERSION")),
        configuration: around.configuration.clone(),
    };
    let who = (settings.name.clone(), settings.authority.clone());
    match Clerk::open(around.dir.path(), who, (means, stated)) {
        Ok(clerk) => Some(clerk),
        Err(error) => {
            clerk::journal_failed(&error);
            tracing::error!("no command is carried out");
            None
        }
    }
}
