//! What cannot be taken back: starting the machine anew, and erasing what the agent keeps.
//!
//! Behind a trait, so that no test can do either to the machine that it runs on.

use std::io;
use std::path::{Path, PathBuf};

use commands::Failure;

use crate::platform;

/// What is erased in the state folder: keys first. The journal of commands, the lock of the folder and its
/// port file stay.
const ERASED: [&str; 12] = [
    "telemetry-key.pk8",
    "telemetry-key-next.pk8",
    "telemetry-key-agreed.pk8",
    "agent-key.pk8",
    "pairings.json",
    "calibrations.json",
    "telemetry",
    "tickets",
    "logs",
    "audit",
    "fence.json",
    "out-of-service.json",
];

/// The machine, as operators' orders reach it.
pub trait MachineControl: Send + Sync + std::fmt::Debug {
    /// Starts it anew.
    ///
    /// # Errors
    /// Why the operating system has not taken the order.
    fn reboot(&self) -> Result<(), Failure>;

    /// Erases keys and all that is kept, but for the journal of commands.
    ///
    /// # Errors
    /// [`Failure::Storage`] where something may be left; everything was tried.
    fn wipe(&self) -> Result<(), Failure>;
}

/// The real one.
#[derive(Debug)]
pub struct ThisMachine {
    /// The state folder.
    pub state_dir: PathBuf,
    /// Keys that lie elsewhere.
    pub keys: Vec<PathBuf>,
}

impl MachineControl for ThisMachine {
    fn reboot(&self) -> Result<(), Failure> {
        platform::reboot().map_err(|error| {
            tracing::error!(%error, "the operating system does not start anew");
            Failure::Denied
        })
    }

    fn wipe(&self) -> Result<(), Failure> {
        let kept = ERASED.iter().map(|name| self.state_dir.join(name));
        let all = self.keys.iter().cloned().chain(kept);
        let failures = all.filter(|path| {
            let erased = erase(path);
            if let Err(error) = &erased {
                tracing::error!(%error, path = %path.display(), "not erased");
            }
            erased.is_err()
        });
        if failures.count() > 0 {
            return Err(Failure::Storage);
        }
        platform::sync_dir(&self.state_dir).map_err(|_unsynced| Failure::Storage)
    }
}

fn erase(path: &Path) -> io::Result<()> {
    let gone = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_file) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
