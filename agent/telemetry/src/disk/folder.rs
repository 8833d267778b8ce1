//! The real folder.
//!
//! It is held by one process (`lock`), and keeps the two files open that were used last: a segment is
//! written and another one is read, thousands of times in a row.
//! What lies around the bytes that were read last is kept as well, because records are read one after the
//! other from either end; what is written or cut is forgotten.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::platform::{lock, private_file, sync_folder};
use super::{Disk, FileInfo, wide};

/// The file by which one process holds a folder.
const LOCK: &str = "lock";
/// So many files stay open.
const OPEN: usize = 2;
/// So much is read at once, from a multiple of half of it on.
const BLOCK: u64 = 16 << 10;

/// A real folder, held by this process.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The file that was used last comes last.
    open: Vec<(String, File)>,
    block: Option<Block>,
    _lock: File,
}

/// A part of a file.
#[derive(Debug)]
struct Block {
    name: String,
    offset: u64,
    bytes: Vec<u8>,
    /// Whether nothing comes after it.
    ends: bool,
}

impl Folder {
    /// Opens a folder, and makes it where there is none.
    ///
    /// # Errors
    /// Where it cannot be used, or another process holds it ([`io::ErrorKind::WouldBlock`]).
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let lock = lock(&path.join(LOCK))?;
        sync_folder(path)?;
        Ok(Self {
            path: path.to_owned(),
            open: Vec::new(),
            block: None,
            _lock: lock,
        })
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let file = match self.open.iter().position(|(open, _)| open == name) {
            Some(place) => self.open.remove(place).1,
            None => {
                let path = self.path.join(name);
                private_file().read(true).write(true).open(path)?
            }
        };
        self.keep(name, file)
    }

    fn keep(&mut self, name: &str, file: File) -> io::Result<&mut File> {
        self.close(name);
        if self.open.len() >= OPEN {
            self.open.remove(0);
        }
        self.open.push((name.to_owned(), file));
        let kept = self.open.last_mut().map(|(_, file)| file);
        kept.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn close(&mut self, name: &str) {
        self.open.retain(|(open, _)| open != name);
    }

    /// What was read of this file may not be so any more.
    fn forget(&mut self, name: &str) {
        self.block = self.block.take().filter(|block| block.name != name);
    }

    /// The bytes from `offset` on, at most so many.
    fn bytes(&mut self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = self.file(name)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::with_capacity(length.min(1 << 20));
        Read::take(&mut *file, wide(length)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads what lies around these bytes.
    fn read_block(&mut self, name: &str, offset: u64, length: usize) -> io::Result<()> {
        let start = offset - offset % (BLOCK / 2);
        let wanted = BLOCK.max(offset - start + wide(length));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let bytes = self.bytes(name, start, wanted)?;
        self.block = Some(Block {
            name: name.to_owned(),
            offset: start,
            ends: bytes.len() < wanted,
            bytes,
        });
        Ok(())
    }
}

impl Block {
    /// The bytes from `offset` on, at most so many; `None` where they do not all lie here.
    fn part(&self, name: &str, offset: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        let to = from.checked_add(length)?;
        if self.name != name || (to > self.bytes.len() && !self.ends) {
            return None;
        }
        let to = to.min(self.bytes.len());
        Some(self.bytes.get(from.min(to)..to).unwrap_or_default())
    }
}

impl Disk for Folder {
    fn list(&mut self) -> io::Result<Vec<FileInfo>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if let Ok(name) = entry.file_name().into_string()
                && metadata.is_file()
                && name != LOCK
            {
                let length = metadata.len();
                files.push(FileInfo { name, length });
            }
        }
        files.sort();
        Ok(files)
    }

    fn read(&mut self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        for _ in 0..2 {
            let held = self.block.as_ref();
            if let Some(part) = held.and_then(|block| block.part(name, offset, length)) {
                return Ok(part.to_vec());
            }
            if self.read_block(name, offset, length).is_err() {
                // What cannot be read may lie beside what was asked for.
                break;
            }
        }
        self.bytes(name, offset, length)
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        self.forget(name);
        let path = self.path.join(name);
        let file = private_file()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(path)?;
        self.keep(name, file).map(|_| ())
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.forget(name);
        let file = self.file(name)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.forget(name);
        self.file(name)?.set_len(length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        for name in [from, to] {
            self.close(name);
            self.forget(name);
        }
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.close(name);
        self.forget(name);
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        sync_folder(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written_last() {
        let place = tempfile::tempdir().unwrap();
        let mut disk = Folder::open(place.path()).unwrap();
        let mut file: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
        disk.create("a").unwrap();
        disk.write("a", 0, &file).unwrap();
        for step in 0..2_000_u64 {
            // Forwards, backwards, across blocks, beyond the end; and changes between them.
            let offset = (step * 7_919) % 100_100;
            let length = ((step * 31) % 20_000) as usize;
            let from = (offset as usize).min(file.len());
            let to = (from + length).min(file.len());
            assert_eq!(disk.read("a", offset, length).unwrap(), file[from..to]);
            match step % 50 {
                7 => {
                    disk.write("a", offset.min(90_000), b"changed").unwrap();
                    let at = offset.min(90_000) as usize;
                    file.resize(file.len().max(at + 7), 0);
                    file[at..at + 7].copy_from_slice(b"changed");
                }
                23 => {
                    file.truncate(file.len() - 10);
                    disk.truncate("a", wide(file.len())).unwrap();
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_folder_keeps_replaces_and_is_held_by_one() {
        let place = tempfile::tempdir().unwrap();
        let mut disk = Folder::open(place.path()).unwrap();
        let second = Folder::open(place.path()).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
        for name in ["a", "b", "c"] {
            disk.create(name).unwrap();
            disk.write(name, 0, b"one two").unwrap();
        }
        disk.truncate("a", 3).unwrap();
        disk.write("a", 3, b" three").unwrap();
        disk.sync("a").unwrap();
        assert_eq!(disk.read("a", 2, 4).unwrap(), b"e th");
        assert_eq!(disk.read("a", 8, 100).unwrap(), b"e");
        disk.replace("b", b"new").unwrap();
        disk.rename("c", "d").unwrap();
        disk.remove("d").unwrap();
        disk.remove("d").unwrap();
        disk.sync_folder().unwrap();
        drop(disk);
        let mut again = Folder::open(place.path()).unwrap();
        let files = again.list().unwrap();
        let names: Vec<_> = files.iter().map(|f| (f.name.as_str(), f.length)).collect();
        assert_eq!(names, [("a", 9), ("b", 3)]);
        let missing = again.read("c", 0, 1).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
