//! The key that signs reports: one file of the state folder, made at the first start.

use std::io;
use std::path::{Path, PathBuf};

use telemetry::signer::{SignError, Signer as _, SoftwareSigner, VerifyingKey};
use thiserror::Error;

use crate::platform;
use crate::state_dir::{StateDir, StateDirError};

/// The file, PKCS #8.
pub(super) const KEY_FILE: &str = "telemetry-key.pk8";

/// Where keys lie: each call happens as a whole or not at all, also where the power goes in its middle, and
/// lasts when it has returned.
pub(super) trait KeyFolder {
    /// Where a file lies, for people.
    fn place(&self, name: &str) -> PathBuf;

    /// A file's bytes; none where it does not exist.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Writes a file that nobody else can read.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file another name, in the place of whatever had that name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
}

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

/// The key in force, made if needed.
pub(super) fn signer(folder: &dyn KeyFolder) -> Result<SoftwareSigner, KeyError> {
    match read(folder, KEY_FILE)? {
        Some(document) => {
            SoftwareSigner::from_pkcs8(&document).map_err(|source| KeyError::Damaged {
                path: folder.place(KEY_FILE),
                source,
            })
        }
        None => make(folder, KEY_FILE),
    }
}

/// The key in a file; none where the file does not exist, or holds none.
pub(super) fn stored(
    folder: &dyn KeyFolder,
    name: &str,
) -> Result<Option<SoftwareSigner>, KeyError> {
    let Some(document) = read(folder, name)? else {
        return Ok(None);
    };
    let key = SoftwareSigner::from_pkcs8(&document);
    if let Err(error) = &key {
        tracing::error!(%error, path = %folder.place(name).display(), "a file that should hold a key");
    }
    Ok(key.ok())
}

/// A new key, in a file of its own.
pub(super) fn make(folder: &dyn KeyFolder, name: &str) -> Result<SoftwareSigner, KeyError> {
    let damaged = |source| KeyError::Damaged {
        path: folder.place(name),
        source,
    };
    let document = SoftwareSigner::generate().map_err(damaged)?;
    folder
        .write(name, &document)
        .map_err(|source| KeyError::File {
            path: folder.place(name),
            source,
        })?;
    SoftwareSigner::from_pkcs8(&document).map_err(damaged)
}

fn read(folder: &dyn KeyFolder, name: &str) -> Result<Option<Vec<u8>>, KeyError> {
    folder.read(name).map_err(|source| KeyError::File {
        path: folder.place(name),
        source,
    })
}

impl KeyFolder for StateDir {
    fn place(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.place(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace(name, bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.place(from), self.place(to))?;
        platform::sync_dir(self.path())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.place(name))?;
        platform::sync_dir(self.path())
    }
}
