//! A disk in memory whose power goes at any step.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::Storage;

/// How much of what was not yet synced is there after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing.
    None,
    /// The first half of its bytes.
    Half,
    /// All of it.
    All,
}

/// A disk whose power goes at a step; every call of [`Storage`] that changes something is one.
///
/// Cheap to clone: clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    synced: Vec<u8>,
    unsynced: Vec<u8>,
    steps: u64,
    cut: Option<(u64, Part)>,
    dark: bool,
    failing: bool,
}

impl MemoryDisk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power goes at the step of this number, counted from now.
    pub fn cut_at(&self, step: u64, part: Part) {
        let mut inner = self.inner();
        inner.cut = Some((inner.steps + step, part));
    }

    /// Whether the power went; it is back after this.
    pub fn restore(&self) -> bool {
        let mut inner = self.inner();
        inner.cut = None;
        std::mem::take(&mut inner.dark)
    }

    /// The process ends and the machine lives: all that was written is there.
    pub fn process_ends(&self) {
        self.inner().sync();
    }

    /// From now on every change fails, or none; an append that fails leaves half of its bytes.
    pub fn fail(&self, failing: bool) {
        self.inner().failing = failing;
    }

    /// What is there after a power cut.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.inner().synced.clone()
    }

    /// Puts these bytes in the place of everything.
    pub fn put(&self, bytes: &[u8]) {
        self.inner().replace(bytes);
    }

    /// One step, in whose middle the power may go.
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
        inner.unsynced.truncate(kept);
        inner.sync();
        inner.dark = true;
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

impl Storage for MemoryDisk {
    fn load(&mut self) -> io::Result<Vec<u8>> {
        let inner = self.inner();
        if inner.dark {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok([inner.synced.as_slice(), &inner.unsynced].concat())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.failing && !inner.dark {
            inner.unsynced.extend(bytes.iter().take(bytes.len() / 2));
        }
        drop(inner);
        self.step(|inner| inner.unsynced.extend(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step(Inner::sync)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.step(|inner| {
            inner.sync();
            inner.synced.truncate(length);
        })
    }

    fn replace(&mut self, lines: &mut dyn Iterator<Item = String>) -> io::Result<u64> {
        let text: String = lines.collect();
        self.step(|inner| inner.replace(text.as_bytes()))?;
        Ok(u64::try_from(text.len()).unwrap_or(u64::MAX))
    }
}

impl Inner {
    fn sync(&mut self) {
        let rest = std::mem::take(&mut self.unsynced);
        self.synced.extend(rest);
    }

    fn replace(&mut self, bytes: &[u8]) {
        self.unsynced.clear();
        self.synced = bytes.to_vec();
    }
}
