//! What differs between operating systems: permissions, names that are given once, folders, waiting.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{FolderEvents, Sign, new_file, open_plain, publish, sync_folder};
#[cfg(windows)]
pub(crate) use windows::{FolderEvents, Sign, new_file, open_plain, publish, sync_folder};
