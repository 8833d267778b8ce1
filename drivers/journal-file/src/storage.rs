//! Where a journal lies, small enough that a test can cut the power at every call.
//!
//! Invariant: a folder is held by one process; the second is told so.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IntoInnerError, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use crate::platform::sync_folder;

/// A place for one journal.
///
/// What was appended survives a power cut only after [`Storage::sync`]; until then any part of it may.
pub trait Storage: Send + fmt::Debug {
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

    /// Puts `lines` in the place of everything, and returns how many bytes they are; after a power cut the old or
    /// the new is there, whole. No more than a few of them are in memory at a time.
    ///
    /// # Errors
    /// Where that is not certain.
    fn replace(&mut self, lines: &mut dyn Iterator<Item = String>) -> io::Result<u64>;
}

/// A kind of journal: files of one kind are called the same and grow equally long.
pub trait Kind: Send + fmt::Debug {
    /// What its file is called.
    const NAME: &'static str;
    /// How long a journal can be that is read.
    const LONGEST: u64;
}

/// A journal in a folder of its own, locked against a second process.
#[derive(Debug)]
pub struct Folder<K> {
    path: PathBuf,
    file: File,
    _lock: File,
    kind: PhantomData<K>,
}

impl<K: Kind> Folder<K> {
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
            kind: PhantomData,
        })
    }

    fn file(path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join(K::NAME))
    }
}

impl<K: Kind> Storage for Folder<K> {
    fn load(&mut self) -> io::Result<Vec<u8>> {
        if self.file.metadata()?.len() > K::LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.file.rewind()?;
        let mut bytes = Vec::new();
        let mut limited = Read::take(&self.file, K::LONGEST);
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

    fn replace(&mut self, lines: &mut dyn Iterator<Item = String>) -> io::Result<u64> {
        let new = self.path.join(format!("{}.new", K::NAME));
        let mut writer = BufWriter::new(File::create(&new)?);
        for line in lines {
            writer.write_all(line.as_bytes())?;
        }
        let file = writer.into_inner().map_err(IntoInnerError::into_error)?;
        file.sync_all()?;
        let length = file.metadata()?.len();
        drop(file);
        std::fs::rename(&new, self.path.join(K::NAME))?;
        sync_folder(&self.path)?;
        self.file = Self::file(&self.path)?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    enum Notes {}

    impl Kind for Notes {
        const NAME: &'static str = "notes";
        const LONGEST: u64 = 32;
    }

    fn open(path: &Path) -> io::Result<Folder<Notes>> {
        Folder::open(path)
    }

    #[test]
    fn a_folder_keeps_replaces_and_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = open(folder.path()).unwrap();
        let second = open(folder.path()).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
        storage.append(b"one\ntwo\n").unwrap();
        storage.sync().unwrap();
        storage.truncate(4).unwrap();
        storage.append(b"three\n").unwrap();
        assert_eq!(storage.load().unwrap(), b"one\nthree\n");
        let mut new = ["new\n", "er\n"].map(str::to_owned).into_iter();
        assert_eq!(storage.replace(&mut new).unwrap(), 7);
        storage.append(b"more\n").unwrap();
        drop(storage);
        let mut again = open(folder.path()).unwrap();
        assert_eq!(again.load().unwrap(), b"new\ner\nmore\n");
        let kept = std::fs::read(folder.path().join("notes")).unwrap();
        assert_eq!(kept, b"new\ner\nmore\n");
    }

    #[test]
    fn what_is_too_long_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = open(folder.path()).unwrap();
        storage.append(&[b'x'; 32]).unwrap();
        assert_eq!(storage.load().unwrap().len(), 32);
        storage.append(b"x").unwrap();
        let error = storage.load().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
