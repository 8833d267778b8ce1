//! The key that follows the one that signs reports: made by order, stated, named by the monitor, and put in
//! force at a start.
//!
//! ```text
//!                  make                      an ack names it                   a start
//! (nothing) ---------------> ...-next.pk8 -------------------> ...-agreed.pk8 ---------> telemetry-key.pk8
//!               stated now and at every start                                  in the place of the old one
//! ```
//! Each arrow is one rename of a whole file within one folder, so a power cut leaves what was before it or
//! what is after it, and one key is in force at every moment.
//! Invariants: nothing is signed with a key that no monitor has named; a file that holds no key never takes
//! the place of one that does; the key changes before an epoch begins and never within one.

use std::io;

use commands::Failure;
use telemetry::message::key::KeyStatement;
use telemetry::signer::{Signer as _, SoftwareSigner, VerifyingKey};
use telemetry::{DeviceName, Message};

use super::key::{self, KEY_FILE, KeyError, KeyFolder};

/// A key that is stated.
const NEXT_FILE: &str = "telemetry-key-next.pk8";
/// A key that the monitor has named.
const AGREED_FILE: &str = "telemetry-key-agreed.pk8";

/// Makes the next key; what states it.
///
/// # Errors
/// [`Failure::Busy`] where one waits already, [`Failure::Storage`]; no key was made then.
pub(super) fn make(folder: &dyn KeyFolder, device: &DeviceName) -> Result<Message, Failure> {
    let failed = |error: KeyError| {
        tracing::error!(%error, "no next key was made");
        Failure::Storage
    };
    for file in [NEXT_FILE, AGREED_FILE] {
        // One that is damaged will never be in force, and is replaced.
        if key::stored(folder, file).map_err(failed)?.is_some() {
            return Err(Failure::Busy);
        }
    }
    let next = key::make(folder, NEXT_FILE).map_err(failed)?;
    state(folder, device, &next).map_err(failed)
}

/// Takes back a key that could not be stated; done where the monitor has named it nevertheless.
///
/// # Errors
/// [`Failure::Storage`], with or without the key: it is never in force without having been stated.
pub(super) fn take_back(folder: &dyn KeyFolder) -> Result<(), Failure> {
    match folder.remove(NEXT_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(()) | Err(_) => Err(Failure::Storage),
    }
}

/// What states the key that waits for the monitor's word; none where no key does.
///
/// # Errors
/// Where the files cannot be read.
pub(super) fn unanswered(
    folder: &dyn KeyFolder,
    device: &DeviceName,
) -> Result<Option<Message>, KeyError> {
    let next = key::stored(folder, NEXT_FILE)?;
    next.map(|next| state(folder, device, &next)).transpose()
}

/// The monitor has named a key; whether it is the one that waited for that.
///
/// # Errors
/// Where the file cannot be renamed for good; the next acknowledgement names the key again.
pub(super) fn agree(folder: &dyn KeyFolder, named: &VerifyingKey) -> Result<bool, KeyError> {
    let next = key::stored(folder, NEXT_FILE)?;
    let waited = next.is_some_and(|next| next.verifying_key() == *named);
    if waited {
        rename(folder, NEXT_FILE, AGREED_FILE)?;
    }
    Ok(waited)
}

/// Puts the key in force that the monitor has named, before an epoch begins; whether there is one.
///
/// # Errors
/// Where the file cannot be renamed for good: which of both keys is in force shows at the next start, and
/// nothing may be signed until then.
pub(super) fn take_over(folder: &dyn KeyFolder) -> Result<bool, KeyError> {
    let agreed = key::stored(folder, AGREED_FILE)?;
    if let Some(agreed) = &agreed {
        rename(folder, AGREED_FILE, KEY_FILE)?;
        tracing::warn!(key = %agreed.verifying_key().id(), "the next key is in force");
    }
    Ok(agreed.is_some())
}

fn state(
    folder: &dyn KeyFolder,
    device: &DeviceName,
    next: &SoftwareSigner,
) -> Result<Message, KeyError> {
    let current = key::signer(folder)?.verifying_key();
    let statement = KeyStatement::new(next, &device.urn(), &current);
    let statement = statement.map_err(|source| KeyError::Damaged {
        path: folder.place(NEXT_FILE),
        source,
    })?;
    Ok(Message::Key(statement))
}

fn rename(folder: &dyn KeyFolder, from: &str, to: &str) -> Result<(), KeyError> {
    folder.rename(from, to).map_err(|source| KeyError::File {
        path: folder.place(from),
        source,
    })
}

#[cfg(test)]
mod tests;
