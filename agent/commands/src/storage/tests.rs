//! The folder, and a disk in memory whose power goes at any step.

use std::sync::{Arc, Mutex, MutexGuard};

use super::*;

/// How much of what was not yet synced is there after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    None,
    Half,
    All,
}

/// A disk whose power goes at a step; every call of [`Storage`] that changes something is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    synced: Vec<u8>,
    unsynced: Vec<u8>,
    steps: u64,
    cut: Option<(u64, Part)>,
    dark: bool,
    failing: bool,
}

impl Disk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// The power goes at the step of this number, counted from now.
    pub(crate) fn cut_at(&self, step: u64, part: Part) {
        let mut inner = self.inner();
        inner.cut = Some((inner.steps + step, part));
    }

    /// Whether the power went; it is back after this.
    pub(crate) fn restore(&self) -> bool {
        let mut inner = self.inner();
        inner.cut = None;
        std::mem::take(&mut inner.dark)
    }

    /// The process ends and the machine lives: all that was written is there.
    pub(crate) fn process_ends(&self) {
        let mut inner = self.inner();
        let rest = std::mem::take(&mut inner.unsynced);
        inner.synced.extend(rest);
    }

    /// From now on every change fails, or none.
    pub(crate) fn fail(&self, failing: bool) {
        self.inner().failing = failing;
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.inner().synced.clone()
    }

    pub(crate) fn put(&self, bytes: &[u8]) {
        self.inner().synced = bytes.to_vec();
    }

    /// One step; `all` and `none` are what the disk holds if the power goes after it or before it.
    fn step(&self, change: impl FnOnce(&mut Inner)) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.dark || inner.failing {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let now = inner.steps;
        inner.steps += 1;
        let Some((_, part)) = inner.cut.filter(|(at, _)| *at == now) else {
            change(&mut inner);
            return Ok(());
        };
        if part != Part::None {
            change(&mut inner);
        }
        let kept = match part {
            Part::None => 0,
            Part::Half => inner.unsynced.len() / 2,
            Part::All => inner.unsynced.len(),
        };
        let rest = std::mem::take(&mut inner.unsynced);
        inner.synced.extend(&rest[..kept]);
        inner.dark = true;
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

impl Storage for Disk {
    fn load(&mut self) -> io::Result<Vec<u8>> {
        let inner = self.inner();
        if inner.dark {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok([inner.synced.as_slice(), &inner.unsynced].concat())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.step(|inner| inner.unsynced.extend(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step(|inner| {
            let rest = std::mem::take(&mut inner.unsynced);
            inner.synced.extend(rest);
        })
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.step(|inner| {
            let rest = std::mem::take(&mut inner.unsynced);
            inner.synced.extend(rest);
            inner.synced.truncate(usize::try_from(length).unwrap());
        })
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.step(|inner| {
            inner.unsynced.clear();
            inner.synced = bytes.to_vec();
        })
    }
}

#[test]
fn a_folder_keeps_replaces_and_is_held_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut storage = Folder::open(folder.path()).unwrap();
    let second = Folder::open(folder.path()).unwrap_err();
    assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
    storage.append(b"one\ntwo\n").unwrap();
    storage.sync().unwrap();
    storage.truncate(4).unwrap();
    storage.append(b"three\n").unwrap();
    assert_eq!(storage.load().unwrap(), b"one\nthree\n");
    storage.replace(b"new\n").unwrap();
    storage.append(b"more\n").unwrap();
    drop(storage);
    let mut again = Folder::open(folder.path()).unwrap();
    assert_eq!(again.load().unwrap(), b"new\nmore\n");
}
