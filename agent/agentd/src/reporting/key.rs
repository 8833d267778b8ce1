//! The key that signs reports: one file of the state folder, made at the first start.

use std::io;
use std::path::{Path, PathBuf};

use telemetry::signer::{SignError, Signer as _, SoftwareSigner, VerifyingKey};
use thiserror::Error;

use crate::state_dir::{StateDir, StateDirError};

/// The file, PKCS #8.
const KEY_FILE: &str = "telemetry-key.pk8";

/// The key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The state folder cannot be used.
    #[error("cannot use the state folder")]
    Folder(#[source] StateDirError),
    /// The file cannot be read or written.
    #[error("cannot use the key file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no key. It is never replaced by itself: the monitor would take this machine for another.
    #[error(
        "{path} holds no key; restore it, or remove it and register the new one at the monitor"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SignError,
    },
}

/// The public half of the key in a state folder, which no running agent uses; the key is made if needed.
///
/// # Errors
/// Each of [`KeyError`].
pub fn public_key(state_dir: &Path) -> Result<VerifyingKey, KeyError> {
    let dir = StateDir::open(state_dir).map_err(KeyError::Folder)?;
    signer(&dir).map(|signer| signer.verifying_key())
}

/// The key, made if needed.
pub(super) fn signer(dir: &StateDir) -> Result<SoftwareSigner, KeyError> {
    let path = dir.path().join(KEY_FILE);
    let unusable = |source| KeyError::File {
        path: path.clone(),
        source,
    };
    let damaged = |source| KeyError::Damaged {
        path: path.clone(),
        source,
    };
    let document = match std::fs::read(&path) {
        Ok(document) => document,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let document = SoftwareSigner::generate().map_err(damaged)?;
            dir.replace(KEY_FILE, &document).map_err(unusable)?;
            document
        }
        Err(error) => return Err(unusable(error)),
    };
    SoftwareSigner::from_pkcs8(&document).map_err(damaged)
}
