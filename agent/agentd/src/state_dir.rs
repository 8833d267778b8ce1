//! The folder in which the agent keeps what must survive it.
//!
//! | name | holds |
//! |---|---|
//! | `agent-key.pk8` | the agent's private key |
//! | `audit/` | the audit log |
//! | `tickets/` | what became of the tickets of each printer; its driver host writes there |
//! | `commands/` | the journal of operators' commands |
//! | `logs/` | the newest lines of the log |
//! | `out-of-service.json` | whether an operator has taken the machine out of service |
//! | `telemetry/` | what was reported and is not yet acknowledged |
//! | `telemetry-key.pk8` | the private key that signs reports |
//! | `telemetry-key-next.pk8` | the one that is to follow it, until the monitor has named it |
//! | `telemetry-key-agreed.pk8` | the same from then on, until a start puts it in the place of the first |
//! | `calibrations.json` | how signature tablets were calibrated at the counter |
//! | `pairings.json` | which PIN screen belongs to which counter (digests of keys, never keys) |
//! | `ports.json` | the real addresses, while the agent runs |
//! | `lock` | held by the one agent that may use the folder |
//!
//! Invariant: two agents never use one folder, because two writers would tear the audit log.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::platform;

/// The folder of what became of tickets, within the state folder.
pub const TICKETS_DIR: &str = "tickets";

const LOCK_FILE: &str = "lock";
const PORT_FILE: &str = "ports.json";

/// The folder, locked for this process.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// A folder that cannot be used.
#[derive(Debug, Error)]
pub enum StateDirError {
    /// It can be neither used nor made.
    #[error("cannot use the state folder {path}")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its owner or mode lets others in.
    #[error("the state folder {path} is not safe: {reason}")]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another agent runs.
    #[error("another agent uses the state folder {path}")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

/// The real addresses of a running agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ports {
    /// The number of this shape.
    pub format: u32,
    /// The process.
    pub pid: u32,
    /// The API.
    pub api: SocketAddr,
    /// The PIN page.
    pub pin: SocketAddr,
}

impl StateDir {
    /// Makes the folder if needed and locks it.
    ///
    /// # Errors
    /// See [`StateDirError`].
    pub fn open(path: &Path) -> Result<Self, StateDirError> {
        let unusable = |source| StateDirError::Unusable {
            path: path.to_owned(),
            source,
        };
        platform::make_private_dir(path).map_err(unusable)?;
        if let Some(reason) = platform::faults_of_state_dir(path) {
            return Err(StateDirError::Unsafe {
                path: path.to_owned(),
                reason,
            });
        }
        platform::make_private_dir(&path.join(TICKETS_DIR)).map_err(unusable)?;
        let lock = File::create(path.join(LOCK_FILE)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(std::fs::TryLockError::WouldBlock) => Err(StateDirError::InUse {
                path: path.to_owned(),
            }),
            Err(std::fs::TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file so that a power cut leaves either the old or the new one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let next = self.path().join(format!("{name}.new"));
        // Left over from a start that was cut off.
        match std::fs::remove_file(&next) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut file = platform::private_file().open(&next)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&next, self.path().join(name))?;
        platform::sync_dir(self.path())
    }

    /// Says where the agent really listens.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&self, ports: &Ports) -> io::Result<()> {
        self.replace(PORT_FILE, &serde_json::to_vec(ports)?)
    }

    /// Takes the announcement back. It is only a convenience, so a failure is of no consequence.
    pub fn withdraw(&self) {
        if let Err(error) = std::fs::remove_file(self.path.join(PORT_FILE)) {
            tracing::debug!(%error, "the port file was not removed");
        }
    }
}

/// Where an agent says that it listens; `None` where none does.
#[must_use]
pub fn read_ports(state_dir: &Path) -> Option<Ports> {
    serde_json::from_slice(&std::fs::read(state_dir.join(PORT_FILE)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{StateDir, StateDirError};

    #[test]
    fn a_folder_serves_one_agent_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let first = StateDir::open(temp.path()).unwrap();
        assert!(matches!(
            StateDir::open(temp.path()),
            Err(StateDirError::InUse { .. })
        ));
        drop(first);
        assert!(StateDir::open(temp.path()).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(
            StateDir::open(temp.path()),
            Err(StateDirError::Unsafe { .. })
        ));
    }
}
