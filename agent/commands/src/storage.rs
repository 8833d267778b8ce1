//! Where the journal lies, small enough that a test can cut the power at every call.
//!
//! Invariant: a folder is held by one process; the second is told so.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::platform::sync_folder;

/// A place for one journal.
///
/// What was appended survives a power cut only after [`Storage::sync`]; until then any part of it may.
pub trait Storage: Send + std::fmt::Debug {
    /// Everything that is kept.
    ///
    /// # Errors
    /// Where it cannot be read, or is longer than a journal can be.
    fn load(&mut self) -> io::Result<Vec<u8>>;

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// Where they, or a part of them, could not be written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was appended survive.
    ///
    /// # Errors
    /// Where that is not certain.
    fn sync(&mut self) -> io::Result<()>;

    /// Drops everything after the first `length` bytes, and makes that survive.
    ///
    /// # Errors
    /// Where that is not certain.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Puts `bytes` in the place of everything; after a power cut the old or the new is there, whole.
    ///
    /// # Errors
    /// Where that is not certain.
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// The longest journal that is read.
pub const LONGEST_JOURNAL: u64 = 16 << 20;

/// A journal in a folder of its own, locked against a second process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    file: File,
    _lock: File,
}

impl Folder {
    const NAME: &str = "commands";

    /// Opens the journal of this folder, or begins one.
    ///
    /// # Errors
    /// Where the folder cannot be used, or another process holds it ([`io::ErrorKind::WouldBlock`]).
    pub fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))?;
        lock.try_lock().map_err(io::Error::from)?;
        let file = Self::file(path)?;
        sync_folder(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            _lock: lock,
        })
    }

    fn file(path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join(Self::NAME))
    }
}

impl Storage for Folder {
    fn load(&mut self) -> io::Result<Vec<u8>> {
        if self.file.metadata()?.len() > LONGEST_JOURNAL {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.file.rewind()?;
        let mut bytes = Vec::new();
        let mut limited = Read::take(&self.file, LONGEST_JOURNAL);
        limited.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.sync_all()
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.join("commands.new");
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&new, self.path.join(Self::NAME))?;
        sync_folder(&self.path)?;
        self.file = Self::file(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
