//! What differs between operating systems: permissions, names that are given once, folders, waiting.

use std::{fs, io, path::Path};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{FolderEvents, Sign, new_file, open_plain, publish, sync_folder};
#[cfg(windows)]
pub(crate) use windows::{FolderEvents, Sign, new_file, open_plain, publish, sync_folder};

/// Why a file did not get its final name.
#[derive(Debug)]
pub(crate) struct Unpublished {
    /// What the system answered.
    pub(crate) source: io::Error,
    /// Whether it is certain. A server can carry a change out and then fail to say so.
    pub(crate) certain: bool,
}

impl Unpublished {
    /// After a rename that failed: only a hidden file that is still there proves that nothing was published.
    pub(crate) fn rename(source: io::Error, hidden: &Path) -> Self {
        let certain = fs::symlink_metadata(hidden).is_ok();
        Self { source, certain }
    }
}
