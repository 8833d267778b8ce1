//! What differs between operating systems: permissions of a new file, and syncing a folder.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a file that only its owner may read.
#[cfg(unix)]
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    create(path, 0o600)
}

/// Creates a file that everybody may read.
#[cfg(unix)]
pub(crate) fn public_file(path: &Path) -> io::Result<File> {
    create(path, 0o644)
}

#[cfg(unix)]
fn create(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode).open(path)
}

/// Creates a file; on this system it inherits the permissions of its folder.
#[cfg(not(unix))]
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Creates a file; on this system it inherits the permissions of its folder.
#[cfg(not(unix))]
pub(crate) fn public_file(path: &Path) -> io::Result<File> {
    private_file(path)
}

/// Makes a folder's list of files survive a power cut.
#[cfg(unix)]
pub(crate) fn sync_directory(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// NTFS journals the list of files by itself and offers no call for it.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_folder: &Path) -> io::Result<()> {
    Ok(())
}
