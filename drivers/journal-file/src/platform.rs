//! What differs between operating systems: how a folder is synced.

use std::io;
use std::path::Path;

/// Makes a renamed file survive a power cut.
#[cfg(not(windows))]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// NTFS journals its folders by itself, and Windows opens no folder as a file.
#[cfg(windows)]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
