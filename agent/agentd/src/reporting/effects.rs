//! What operators' orders do to this machine.
//!
//! | verb | what it does here |
//! |---|---|
//! | `diagnostics` | the findings of the thread of telemetry, and the newest lines of the log and of the machine's |
//! | `restartDriver` | tells the loop, and waits until the host is in service again |
//! | `lockKiosk` `unlockKiosk` | a file of the state folder, then the loop: no job begins (`AGT-LOCKED`) |
//! | `reboot` `wipe` | [`MachineControl`] |
//! | `rotateKeys` | makes the next key that signs reports, and states it ([`succession`]) |
//! | `recalibrate` | has the loop forget how a tablet was calibrated, and waits until its host is in service without it |
//!
//! Everything here blocks and runs on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use commands::{Bundle, Effects, Failure};
use telemetry::{DeviceName, Message, Word};
use tokio::sync::mpsc;

pub(super) use commands::bundle::Findings;

use super::control::MachineControl;
use super::succession;
use crate::input::{Desk, Input, Ordered};
use crate::log;
use crate::state_dir::StateDir;
use crate::stored;

/// How long a driver host may take to be in service again.
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// How long the loop may take for anything else.
const TOLD_WITHIN: Duration = Duration::from_secs(10);
/// How long a statement may take to be on the disk.
const STATED_WITHIN: Duration = Duration::from_secs(60);
/// So many lines are looked at; most of them may have to stay.
const LINES: usize = 2 * commands::bundle::LINES;
/// So many lines of the machine's own log.
const SYSTEM_LINES: usize = commands::bundle::LINES / 5;

/// What effects are made with.
#[derive(Debug, Clone)]
pub(super) struct Toolbox {
    /// The way to the loop.
    pub(super) desk: Desk,
    /// The state folder.
    pub(super) dir: Arc<StateDir>,
    /// The machine itself.
    pub(super) control: Arc<dyn MachineControl>,
    /// Who the agent is.
    pub(super) device: DeviceName,
    /// The way to what is reported.
    pub(super) statements: mpsc::Sender<Statement>,
}

/// Something to report, and where to say whether it is on the disk.
#[derive(Debug)]
pub(super) struct Statement {
    /// What.
    pub(super) message: Message,
    /// Who waits for it.
    pub(super) kept: Sender<bool>,
}

/// What carries one order out.
#[derive(Debug)]
pub(super) struct Tools {
    toolbox: Toolbox,
    findings: Option<Findings>,
}

impl Toolbox {
    /// The tools for one order.
    pub(super) fn tools(&self, findings: Option<Findings>) -> Tools {
        Tools {
            toolbox: self.clone(),
            findings,
        }
    }
}

impl Tools {
    /// Tells the loop something, and waits for what comes of it.
    fn order(&self, within: Duration, input: impl FnOnce(Ordered) -> Input) -> Result<(), Failure> {
        let (done, heard): (Sender<_>, _) = channel();
        if !self.toolbox.desk.tell_blocking(input(done)) {
            return Err(Failure::TimedOut);
        }
        heard.recv_timeout(within).unwrap_or(Err(Failure::TimedOut))
    }

    fn set_locked(&self, locked: bool) -> Result<(), Failure> {
        stored::write_lock(&self.toolbox.dir, locked).map_err(|error| {
            tracing::error!(%error, locked, "the lock was not stored");
            Failure::Storage
        })?;
        self.order(TOLD_WITHIN, |done| Input::Lock { locked, done })
    }
}

impl Effects for Tools {
    fn collect(&mut self) -> Result<Bundle, Failure> {
        let findings = self.findings.take().ok_or(Failure::TimedOut)?;
        let folder = log::folder(self.toolbox.dir.path());
        let lines = match log::newest(&folder, LINES) {
            Ok(lines) => lines,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(_unreadable) => return Err(Failure::Storage),
        };
        let system = log::system::newest(SYSTEM_LINES);
        Ok(Bundle::new(findings, lines.into_iter().chain(system)))
    }

    fn restart_driver(&mut self, host: &Word) -> Result<(), Failure> {
        let host = host.as_str().to_owned();
        self.order(BACK_WITHIN, |done| Input::RestartHost { host, done })
    }

    fn recalibrate(&mut self, device: &Word) -> Result<(), Failure> {
        let device = device.as_str().to_owned();
        self.order(BACK_WITHIN, |done| Input::Recalibrate { device, done })
    }

    fn lock(&mut self) -> Result<(), Failure> {
        self.set_locked(true)
    }

    fn unlock(&mut self) -> Result<(), Failure> {
        self.set_locked(false)
    }

    fn rotate_keys(&mut self) -> Result<(), Failure> {
        let Toolbox { dir, device, .. } = &self.toolbox;
        let message = succession::make(dir.as_ref(), device)?;
        let (kept, heard) = channel();
        let statement = Statement { message, kept };
        let given = self.toolbox.statements.blocking_send(statement).is_ok();
        if given && heard.recv_timeout(STATED_WITHIN).unwrap_or(false) {
            return Ok(());
        }
        succession::take_back(dir.as_ref())
    }

    fn reboot(&mut self) -> Result<(), Failure> {
        self.toolbox.control.reboot()
    }

    fn wipe(&mut self) -> Result<(), Failure> {
        self.toolbox.control.wipe()
    }
}

#[cfg(test)]
mod tests;
