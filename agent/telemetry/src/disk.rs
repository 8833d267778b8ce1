//! One folder of files, small enough that a test can fail, fill up or cut the power at every call.
//!
//! What was written survives a power cut only after [`Disk::sync`]; that a file is there, has another name
//! or is gone survives only after [`Disk::sync_folder`]; until then any part of it may.
//! [`Folder`] is the real one, [`memory::MemoryDisk`] the one of tests.
//!
//! Invariant: nothing here holds a file's content between two calls.

mod folder;
pub mod memory;
mod platform;

use std::fmt;
use std::io;

pub use folder::Folder;

/// What the unfinished copy of a file is called while it is replaced.
pub(crate) const UNFINISHED: &str = ".new";

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileInfo {
    /// Its name.
    pub name: String,
    /// How many bytes it holds.
    pub length: u64,
}

/// One folder of files.
pub trait Disk: Send + fmt::Debug {
    /// All files, by name.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    fn list(&mut self) -> io::Result<Vec<FileInfo>>;

    /// At most `length` bytes from `offset` on; fewer where the file ends.
    ///
    /// # Errors
    /// Where the file is not there ([`io::ErrorKind::NotFound`]), or cannot be read.
    fn read(&mut self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Makes a file without content; one of that name loses its content.
    ///
    /// # Errors
    /// Where it cannot be made.
    fn create(&mut self, name: &str) -> io::Result<()>;

    /// Writes bytes from `offset` on, which is where the file ends.
    ///
    /// # Errors
    /// Where they, or a part of them, could not be written.
    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Drops everything after the first `length` bytes.
    ///
    /// # Errors
    /// Where that fails.
    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()>;

    /// Makes a file's content survive (`fdatasync`).
    ///
    /// # Errors
    /// Where that is not certain; what was written since the last success must be written anew then,
    /// because a system may forget it and call the next attempt a success.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Gives a file another name; a file of that name is gone.
    ///
    /// # Errors
    /// Where that fails.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// Where that fails.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Makes names survive.
    ///
    /// # Errors
    /// Where that is not certain.
    fn sync_folder(&mut self) -> io::Result<()>;

    /// Puts `bytes` in the place of a file; after a power cut the old or the new is there, whole.
    ///
    /// # Errors
    /// Where that is not certain.
    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let unfinished = format!("{name}{UNFINISHED}");
        self.create(&unfinished)?;
        self.write(&unfinished, 0, bytes)?;
        self.sync(&unfinished)?;
        self.rename(&unfinished, name)?;
        self.sync_folder()
    }
}

/// Whether the disk, or the share of it that this user may fill, is full.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// A length as it is counted in files.
pub(crate) fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
