//! What differs between operating systems: file permissions and syncing a directory.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Options for a file that only the agent's own user may read: it says who read whose card, and why.
#[cfg(unix)]
pub(crate) fn private_file() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Options for a file; on this system it inherits the permissions of the agent's directory.
#[cfg(not(unix))]
pub(crate) fn private_file() -> OpenOptions {
    OpenOptions::new()
}

/// Makes a directory's list of files survive a power loss.
#[cfg(unix)]
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// NTFS journals the list of files by itself and offers no call for it.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// Takes the lock of a log, which the operating system gives back when the process ends; `None` where
/// another process holds it.
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = private_file()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}
