//! What must be found again after a restart: pairings of PIN screens, the last fence, whether it serves, and how
//! tablets were calibrated.
//!
//! Each file carries a format number; a number that is not ours refuses the start, because an older agent
//! must not misread and then overwrite what a newer one wrote.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use agent_core::effect::Pairing;
use agent_core::ids::{Origin, ScreenId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::calibrations::Kept;
use crate::state_dir::StateDir;

const FORMAT: u32 = 1;
const PAIRINGS_FILE: &str = "pairings.json";
const FENCE_FILE: &str = "fence.json";
const LOCK_FILE: &str = "out-of-service.json";
const CALIBRATIONS_FILE: &str = "calibrations.json";
/// Fences that one run may give out: far more than there are leases in the life of a machine.
const FENCES_PER_RUN: u64 = 1_000_000;

/// Stored state that cannot be used.
#[derive(Debug, Error)]
pub enum StoredError {
    /// The file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file does not hold what it should.
    #[error("{path} is damaged; it can be removed, and what it kept be set up again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file was written by a newer agent.
    #[error("{path} has format {found}, and this agent knows format {FORMAT}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<T> {
    format: u32,
    content: T,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPairing {
    screen: String,
    key_sha256: String,
    origin: String,
    counter: String,
}

/// Reads the pairings.
///
/// # Errors
/// See [`StoredError`].
pub fn read_pairings(dir: &StateDir) -> Result<Vec<Pairing>, StoredError> {
    let stored: Vec<StoredPairing> = read(dir, PAIRINGS_FILE)?.unwrap_or_default();
    Ok(stored.into_iter().filter_map(pairing).collect())
}

/// Replaces the pairings.
///
/// # Errors
/// The file cannot be written; the old one is still there.
pub fn write_pairings(dir: &StateDir, pairings: &[Pairing]) -> Result<(), StoredError> {
    let content: Vec<StoredPairing> = pairings
        .iter()
        .map(|pairing| StoredPairing {
            screen: pairing.screen.as_str().to_owned(),
            key_sha256: hex::encode(pairing.digest),
            origin: pairing.origin.as_str().to_owned(),
            counter: pairing.counter.clone(),
        })
        .collect();
    write(dir, PAIRINGS_FILE, content)
}

/// Reads how tablets were calibrated. A damaged file says nothing: no counter stays closed for a calibration,
/// which a person makes again in a minute.
///
/// # Errors
/// See [`StoredError`].
pub fn read_calibrations(dir: &StateDir) -> Result<BTreeMap<String, Kept>, StoredError> {
    match read(dir, CALIBRATIONS_FILE) {
        Ok(stored) => Ok(stored.unwrap_or_default()),
        Err(StoredError::Damaged { path, source }) => {
            tracing::warn!(
                file = %path.display(),
                %source,
                "the calibrations of signature tablets are damaged and count no more; calibrate the tablets again"
            );
            Ok(BTreeMap::new())
        }
        Err(error) => Err(error),
    }
}

/// Replaces how tablets were calibrated.
///
/// # Errors
/// The file cannot be written; the old one is still there.
pub fn write_calibrations(
    dir: &StateDir,
    kept: &BTreeMap<String, Kept>,
) -> Result<(), StoredError> {
    write(dir, CALIBRATIONS_FILE, kept)
}

/// Whether an operator has taken the machine out of service.
///
/// # Errors
/// See [`StoredError`].
pub fn read_lock(dir: &StateDir) -> Result<bool, StoredError> {
    Ok(read(dir, LOCK_FILE)?.unwrap_or(false))
}

/// Remembers whether the machine is out of service.
///
/// # Errors
/// The file cannot be written; what it said before still counts.
pub fn write_lock(dir: &StateDir, locked: bool) -> Result<(), StoredError> {
    write(dir, LOCK_FILE, locked)
}

/// Reserves the fences of this run, on the disk, before the first is given out.
///
/// # Errors
/// See [`StoredError`].
pub fn reserve_fences(dir: &StateDir) -> Result<u64, StoredError> {
    let reserved: u64 = read(dir, FENCE_FILE)?.unwrap_or(0);
    write(dir, FENCE_FILE, reserved.saturating_add(FENCES_PER_RUN))?;
    Ok(reserved.saturating_add(1))
}

/// A pairing whose digest is no digest can match no key; leaving it out says the same.
fn pairing(stored: StoredPairing) -> Option<Pairing> {
    let digest = hex::decode(&stored.key_sha256).ok()?.try_into().ok()?;
    Some(Pairing {
        screen: ScreenId::new(stored.screen),
        digest,
        origin: Origin::new(stored.origin),
        counter: stored.counter,
    })
}

fn read<T: DeserializeOwned>(dir: &StateDir, name: &str) -> Result<Option<T>, StoredError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }

    let path = dir.path().join(name);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoredError::File { path, source }),
    };
    let damaged = |source| StoredError::Damaged {
        path: path.clone(),
        source,
    };
    let Format { format } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if format != FORMAT {
        return Err(StoredError::Newer {
            path,
            found: format,
        });
    }
    let stored: Stored<T> = serde_json::from_slice(&bytes).map_err(damaged)?;
    Ok(Some(stored.content))
}

fn write<T: Serialize>(dir: &StateDir, name: &str, content: T) -> Result<(), StoredError> {
    let failed = |source| StoredError::File {
        path: dir.path().join(name),
        source,
    };
    let bytes = serde_json::to_vec(&Stored {
        format: FORMAT,
        content,
    });
    dir.replace(name, &bytes.map_err(|error| failed(error.into()))?)
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use agent_core::effect::Pairing;
    use agent_core::ids::{Origin, ScreenId};

    use super::{
        CALIBRATIONS_FILE, FENCE_FILE, StoredError, read_calibrations, read_pairings,
        reserve_fences, write_pairings,
    };
    use crate::state_dir::StateDir;

    #[test]
    fn a_fence_is_never_given_out_in_two_runs() {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(temp.path()).unwrap();
        let first = reserve_fences(&dir).unwrap();
        let second = reserve_fences(&dir).unwrap();
        assert!(second >= first + super::FENCES_PER_RUN);
    }

    #[test]
    fn pairings_come_back_as_they_were() {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(temp.path()).unwrap();
        assert_eq!(read_pairings(&dir).unwrap(), []);
        let pairing = Pairing {
            screen: ScreenId::new("s"),
            digest: [7; 32],
            origin: Origin::new("https://a.test"),
            counter: "3".to_owned(),
        };
        write_pairings(&dir, std::slice::from_ref(&pairing)).unwrap();
        assert_eq!(read_pairings(&dir).unwrap(), [pairing]);
    }

    #[test]
    fn what_a_newer_agent_wrote_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(temp.path()).unwrap();
        std::fs::write(temp.path().join(FENCE_FILE), br#"{"format":2,"fences":{}}"#).unwrap();
        assert!(matches!(
            reserve_fences(&dir),
            Err(StoredError::Newer { found: 2, .. })
        ));
    }

    #[test]
    fn damaged_calibrations_keep_no_counter_closed() {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(temp.path()).unwrap();
        let file = temp.path().join(CALIBRATIONS_FILE);
        for damaged in [
            &b""[..],
            b"{\"format\":1,\"content\":{\"desk\":{}}}",
            b"\0\0\0",
        ] {
            std::fs::write(&file, damaged).unwrap();
            assert!(read_calibrations(&dir).unwrap().is_empty());
        }
        std::fs::write(&file, br#"{"format":2,"content":{}}"#).unwrap();
        assert!(matches!(
            read_calibrations(&dir),
            Err(StoredError::Newer { found: 2, .. })
        ));
    }
}
