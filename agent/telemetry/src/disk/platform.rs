//! What differs between operating systems: file permissions, and syncing a folder.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Options for a file that only the agent's own user may read.
#[cfg(unix)]
pub(super) fn private_file() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Options for a file; on this system it inherits the permissions of the agent's folder.
#[cfg(not(unix))]
pub(super) fn private_file() -> OpenOptions {
    OpenOptions::new()
}

/// Makes a folder's list of files survive a power cut.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// NTFS journals the list of files by itself and offers no call for it.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Takes the lock of a folder, which the operating system gives back when the process ends.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] where another process holds it.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let file = private_file()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.try_lock().map_err(io::Error::from)?;
    Ok(file)
}
