//! Orders of operators: what arrives goes to the keeper, and what the keeper gives out is carried out in order.
//!
//! ```text
//! beat, command, floor --Said--> Clerk: CommandKeeper -> Step: audit log, Reporter, effect on a thread of its own
//!                                  '--- outcome <---------------------------------------'
//! ```
//! A task of its own on the thread of telemetry, so that nothing else waits for the disk of the audit log.
//! Invariants: an effect begins only once the record of `running` is in the audit log; an audit log that
//! cannot be written costs the effect; a final state is confirmed only once its report is kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use commands::journal::JournalError;
use commands::storage::Folder;
use commands::{
    Authority, CommandKeeper, Failure, Outcome, Situation, Start, Step, Verb, carry_out,
};
use device_api::{Clock, Moment};
use telemetry::message::machine::TimeQuality;
use telemetry::message::outcome::CommandId;
use telemetry::message::presence::Challenge;
use telemetry::name::Digest;
use telemetry::station::{NotKept, Reporter};
use telemetry::{DeviceName, Message, Word};
use tokio::sync::{mpsc, oneshot};

use super::effects::{Findings, Statement, Toolbox};
use super::machine::Machine;
use crate::config::telemetry::Closed;
use crate::input::Input;
use crate::recorder::Scribe;

/// The folder of the journal, within the state folder.
const JOURNAL_DIR: &str = "commands";
/// How long a report may wait for the disk before the next step.
const KEPT_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait where too many reports wait.
const AGAIN: Duration = Duration::from_millis(500);
/// The longest pause between two looks at what is due: a wall clock may be set meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long to wait for a journal that could not be written.
const JOURNAL_AGAIN: Duration = Duration::from_secs(5);
/// How long the findings of a bundle may take.
const FOUND_WITHIN: Duration = Duration::from_secs(5);

/// What the clerk is told.
#[derive(Debug)]
pub(super) enum Said {
    /// A beat has gone out.
    Beat(Challenge, Moment),
    /// Something about a command has arrived.
    Command {
        /// Where.
        topic: String,
        /// What.
        bytes: Vec<u8>,
    },
    /// This time has certainly passed, in seconds since 1970.
    Floor(u64),
}

/// What the clerk works with.
#[derive(Debug)]
pub(super) struct Means {
    /// Time.
    pub(super) clock: Arc<dyn Clock>,
    /// Where records go.
    pub(super) scribe: Scribe,
    /// Where reports go.
    pub(super) reporter: Reporter,
    /// What can be done.
    pub(super) toolbox: Toolbox,
    /// Asks for what a bundle holds.
    pub(super) findings: mpsc::Sender<oneshot::Sender<Findings>>,
    /// When the counter is closed.
    pub(super) closed: Option<Closed>,
    /// The agent's version.
    pub(super) version: Word,
    /// The SHA-256 of the configuration in force.
    pub(super) configuration: Digest,
}

/// Keeps commands and has them carried out.
#[derive(Debug)]
pub(super) struct Clerk {
    keeper: CommandKeeper,
    means: Means,
    floor: u64,
    running: Option<(Start, oneshot::Receiver<Outcome>)>,
    /// An outcome that is not in the journal yet.
    ended: Option<(Start, Outcome)>,
    first: Vec<Step>,
    /// What effects have reported.
    statements: mpsc::Receiver<Statement>,
}

impl Clerk {
    /// Opens the journal in the state folder.
    ///
    /// # Errors
    /// Where the journal cannot be used; no command must be carried out then.
    pub(super) fn open(
        state_dir: &Path,
        (me, authority): (DeviceName, Authority),
        (means, statements): (Means, mpsc::Receiver<Statement>),
    ) -> Result<Self, JournalError> {
        let folder = Folder::open(&state_dir.join(JOURNAL_DIR));
        let folder = folder.map_err(|source| JournalError::Storage {
            attempted: "open",
            source,
        })?;
        let (keeper, first) = CommandKeeper::open(Box::new(folder), me, authority)?;
        Ok(Self {
            keeper,
            means,
            floor: 0,
            running: None,
            ended: None,
            first,
            statements,
        })
    }

    /// Works until nobody tells it anything any more.
    pub(super) async fn run(mut self, mut said: mpsc::Receiver<Said>) {
        let first = std::mem::take(&mut self.first);
        self.carry_out(first).await;
        self.go_on().await;
        loop {
            let pause = self.pause();
            tokio::select! {
                biased;
                said = said.recv() => match said {
                    Some(said) => self.hear(said).await,
                    None => return,
                },
                Some(Statement { message, kept }) = self.statements.recv() => {
                    // The effect may have stopped waiting.
                    let (Ok(()) | Err(_)) = kept.send(self.means.report(message).await);
                }
                outcome = outcome_of(&mut self.running) => {
                    self.ended = self.running.take().map(|(start, _)| (start, outcome));
                    self.go_on().await;
                }
                () = tokio::time::sleep(pause) => self.go_on().await,
            }
        }
    }

    async fn hear(&mut self, said: Said) {
        match said {
            Said::Beat(challenge, at) => self.keeper.beat(challenge, at),
            Said::Floor(seconds) => self.floor = self.floor.max(seconds),
            Said::Command { topic, bytes } => {
                let Ok(topic) = topic.parse() else {
                    return;
                };
                let (floor, means) = (self.floor, &self.means);
                match self
                    .keeper
                    .receive(&bytes, &topic, &situation(means, floor))
                {
                    Ok(steps) => self.carry_out(steps).await,
                    Err(error) => journal_failed(&error),
                }
                self.go_on().await;
            }
        }
    }

    /// Tells what has ended, and begins what may begin, until nothing changes any more.
    async fn go_on(&mut self) {
        loop {
            if let Some((start, outcome)) = self.ended.take() {
                match self.keeper.finished(start.command, &outcome) {
                    Ok(steps) => self.carry_out(steps).await,
                    Err(error) => {
                        journal_failed(&error);
                        self.ended = Some((start, outcome));
                        return;
                    }
                }
                if start.verb == Verb::Wipe && outcome == Outcome::Done {
                    tracing::error!("wiped by order of two people; ends");
                    self.means.toolbox.desk.tell(Input::Terminate).await;
                }
            }
            let (floor, means) = (self.floor, &self.means);
            match self.keeper.due(&situation(means, floor)) {
                Ok(steps) => self.carry_out(steps).await,
                Err(error) => return journal_failed(&error),
            }
            if self.ended.is_none() {
                return;
            }
        }
    }

    async fn carry_out(&mut self, steps: Vec<Step>) {
        let (mut audited, mut kept) = (true, true);
        for step in steps {
            match step {
                Step::Audit(record) => audited = self.means.scribe.note(record).await,
                Step::Report(message) => kept &= self.means.report(*message).await,
                Step::Confirm(command) => {
                    if std::mem::replace(&mut kept, true)
                        && let Err(error) = self.keeper.told(command)
                    {
                        journal_failed(&error);
                    }
                }
                Step::Start(start) if audited => self.begin(start).await,
                Step::Start(start) => {
                    self.ended = Some((start, Outcome::Failed(Failure::Storage)));
                }
            }
        }
    }

    async fn begin(&mut self, start: Start) {
        let CommandId(id) = start.command;
        tracing::warn!(
            command = hex::encode(id),
            verb = start.verb.code(),
            "by order of an operator"
        );
        let findings = match start.verb {
            Verb::Diagnostics => self.means.find().await,
            Verb::RestartDriver { .. }
            | Verb::Recalibrate { .. }
            | Verb::LockKiosk
            | Verb::UnlockKiosk
            | Verb::RotateKeys
            | Verb::Reboot
            | Verb::Wipe => None,
        };
        let (done, outcome) = oneshot::channel();
        let mut tools = self.means.toolbox.tools(findings);
        let verb = start.verb.clone();
        tokio::task::spawn_blocking(move || {
            let outcome = carry_out(&mut tools, &verb);
            // Nobody waits for it any more while the agent ends; the next start calls it unknown.
            let (Ok(()) | Err(_)) = done.send(outcome);
        });
        self.running = Some((start, outcome));
    }

    fn pause(&self) -> Duration {
        if self.ended.is_some() {
            return JOURNAL_AGAIN;
        }
        let now = situation(&self.means, self.floor).unix_seconds;
        let next = self.keeper.next_due(now);
        next.map_or(Duration::MAX, |due| {
            Duration::from_secs(due.saturating_sub(now)).min(LONGEST_PAUSE)
        })
    }
}

impl Means {
    /// Whether the report is on the disk.
    async fn report(&self, message: Message) -> bool {
        let kept = async {
            loop {
                match self.reporter.report(message.clone()) {
                    Ok(word) => return matches!(word.await, Ok(Ok(()))),
                    Err(NotKept::Busy) => tokio::time::sleep(AGAIN).await,
                    Err(NotKept::Ended | NotKept::Store(_)) => return false,
                }
            }
        };
        let kept = tokio::time::timeout(KEPT_WITHIN, kept).await;
        kept.unwrap_or(false)
    }

    async fn find(&self) -> Option<Findings> {
        let found = async {
            let (told, heard) = oneshot::channel();
            self.findings.send(told).await.ok()?;
            let mut findings = heard.await.ok()?;
            findings.spool = self.reporter.marks().ok()?.await.ok()?;
            Some(findings)
        };
        tokio::time::timeout(FOUND_WITHIN, found).await.ok()?
    }
}

/// How things stand; `floor` has certainly passed.
fn situation(means: &Means, floor: u64) -> Situation<'_> {
    let wall = means.clock.unix_millis() / 1000;
    let quality = if wall < floor {
        TimeQuality::Floor
    } else {
        Machine::time_quality()
    };
    let unix_seconds = wall.max(floor);
    Situation {
        moment: means.clock.now(),
        unix_seconds,
        quality,
        open: !means.closed.is_some_and(|closed| closed.at(unix_seconds)),
        version: &means.version,
        configuration: &means.configuration,
    }
}

async fn outcome_of(running: &mut Option<(Start, oneshot::Receiver<Outcome>)>) -> Outcome {
    match running {
        // A thread that failed says nothing.
        Some((_start, outcome)) => outcome.await.unwrap_or(Outcome::Failed(Failure::TimedOut)),
        None => std::future::pending().await,
    }
}

pub(super) fn journal_failed(error: &JournalError) {
    let source = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, source, "the journal of commands");
}
