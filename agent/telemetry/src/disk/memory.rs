//! A folder in memory that fails on purpose; for tests, in this crate and in others.
//!
//! ```text
//! write, truncate --> what the system shows      sync -->        what survives
//! create, rename, remove --> names it shows      sync_folder --> names that survive
//! ```
//! [`MemoryDisk::cut_power`] keeps what survives, and of the rest an arbitrary beginning: of each file on
//! its own, so that a later file may be newer than an earlier one, the last write torn or full of zeros.
//! A sync that failed has forgotten what it should have written, as Linux does: the next one succeeds
//! without it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, FileInfo, wide};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The device reports an error; nothing of the call happens.
    Io,
    /// The device reports an error after half of the bytes of a write.
    Torn,
    /// The power is cut before the call; all later calls fail too.
    PowerCut,
}

/// A folder in memory; clones show the same one.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    files: BTreeMap<u64, File>,
    next_file: u64,
    names: BTreeMap<String, u64>,
    lasting_names: BTreeMap<String, u64>,
    /// Changes of names since the folder was synced.
    renamed: Vec<Change>,
    capacity: Option<u64>,
    calls: u64,
    faults: BTreeMap<u64, Fault>,
    unreadable: Vec<String>,
    off: bool,
}

#[derive(Debug, Clone, Default)]
struct File {
    shown: Vec<u8>,
    lasting: Vec<u8>,
    /// Writes since the file was synced.
    written: Vec<Written>,
}

#[derive(Debug, Clone)]
enum Written {
    At(usize, Vec<u8>),
    Cut(usize),
}

#[derive(Debug, Clone)]
enum Change {
    Named(String, u64),
    /// From one name to another, in one step: no power cut leaves both names, or none.
    Renamed(String, String, u64),
    Unnamed(String),
}

impl MemoryDisk {
    /// An empty folder on a disk without limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many calls that change something were made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Lets the call of this number fail, counted from 0 over all calls that change something.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.state().faults.insert(call, fault);
    }

    /// Lets all files together hold at most so many bytes; `None` lifts the limit.
    pub fn limit(&self, capacity: Option<u64>) {
        self.state().capacity = capacity;
    }

    /// How many bytes all files hold together.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Lets every read of a file fail.
    pub fn make_unreadable(&self, name: &str) {
        self.state().unreadable.push(name.to_owned());
    }

    /// Changes a file's content as if it had been so all the time; the file is made if it is not there.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let id = state.named_or_new(name);
        state.lasting_names.insert(name.to_owned(), id);
        if let Some(file) = state.files.get_mut(&id) {
            change(&mut file.shown);
            file.lasting.clone_from(&file.shown);
            file.written.clear();
        }
    }

    /// What is left when the power goes now: the same folder after the next start.
    ///
    /// `chance` decides what of the unsynced survives; the same number decides the same.
    #[must_use]
    pub fn cut_power(&self, chance: u64) -> Self {
        let state = self.state();
        let mut dice = Dice(chance);
        let mut left = State {
            capacity: state.capacity,
            next_file: state.next_file,
            lasting_names: state.lasting_names.clone(),
            ..State::default()
        };
        let kept = dice.up_to(state.renamed.len());
        for change in state.renamed.iter().take(kept) {
            change.apply(&mut left.lasting_names);
        }
        left.names.clone_from(&left.lasting_names);
        for id in left.names.values() {
            let content = state.files.get(id).map(|file| file.survives(&mut dice));
            let content = content.unwrap_or_default();
            let file = File {
                shown: content.clone(),
                lasting: content,
                written: Vec::new(),
            };
            left.files.insert(*id, file);
        }
        Self {
            state: Arc::new(Mutex::new(left)),
        }
    }

    /// The same folder after the process, and not the machine, has ended: everything it wrote is there.
    #[must_use]
    pub fn restart(&self) -> Self {
        let mut state = self.state().clone();
        state.faults.clear();
        state.off = false;
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that changes something, and fails it where that is planned; a torn write goes on.
    fn begin(&self) -> io::Result<(MutexGuard<'_, State>, bool)> {
        let mut state = self.state();
        if state.off {
            return Err(io::Error::other("the power is off"));
        }
        let call = state.calls;
        state.calls += 1;
        match state.faults.remove(&call) {
            None => Ok((state, false)),
            Some(Fault::Torn) => Ok((state, true)),
            Some(Fault::Io) => Err(io::Error::other("the device reports an error")),
            Some(Fault::PowerCut) => {
                state.off = true;
                Err(io::Error::other("the power is off"))
            }
        }
    }
}

impl State {
    fn used(&self) -> u64 {
        let files = self.names.values().filter_map(|id| self.files.get(id));
        files.map(|file| wide(file.shown.len())).sum()
    }

    fn named_or_new(&mut self, name: &str) -> u64 {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = self.next_file;
        self.next_file += 1;
        self.files.insert(id, File::default());
        self.change(Change::Named(name.to_owned(), id));
        id
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.renamed.push(change);
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let file = self.names.get(name).and_then(|id| self.files.get_mut(id));
        file.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Named(name, id) => {
                names.insert(name.clone(), *id);
            }
            Self::Renamed(from, to, id) => {
                names.remove(from);
                names.insert(to.clone(), *id);
            }
            Self::Unnamed(name) => {
                names.remove(name);
            }
        }
    }
}

impl File {
    fn put(&mut self, change: Written) {
        change.apply(&mut self.shown);
        self.written.push(change);
    }

    fn survives(&self, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.lasting.clone();
        let whole = dice.up_to(self.written.len());
        for change in self.written.iter().take(whole) {
            change.apply(&mut content);
        }
        if let Some(Written::At(offset, bytes)) = self.written.get(whole) {
            let mut torn = bytes.clone();
            torn.truncate(dice.up_to(bytes.len()));
            // Some systems note the new length before the bytes.
            if dice.up_to(3) == 0 {
                let old = content.len().saturating_sub(*offset);
                torn.iter_mut().skip(old).for_each(|byte| *byte = 0);
            }
            Written::At(*offset, torn).apply(&mut content);
        }
        content
    }
}

impl Written {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Cut(length) => content.truncate(*length),
            Self::At(offset, bytes) => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                if let Some(place) = content.get_mut(*offset..end) {
                    place.copy_from_slice(bytes);
                }
            }
        }
    }
}

impl Disk for MemoryDisk {
    fn list(&mut self) -> io::Result<Vec<FileInfo>> {
        let state = self.state();
        if state.off {
            return Err(io::Error::other("the power is off"));
        }
        let length = |id| state.files.get(id).map_or(0, |file| wide(file.shown.len()));
        let files = state.names.iter().map(|(name, id)| FileInfo {
            name: name.clone(),
            length: length(id),
        });
        Ok(files.collect())
    }

    fn read(&mut self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        if state.off || state.unreadable.iter().any(|bad| bad == name) {
            return Err(io::Error::other("the device reports an error"));
        }
        let file = state.file(name)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = file.shown.get(from..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest).to_vec())
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let (mut state, _) = self.begin()?;
        state.named_or_new(name);
        state.file(name)?.put(Written::Cut(0));
        Ok(())
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut state, torn) = self.begin()?;
        let room = state.capacity.map(|all| all.saturating_sub(state.used()));
        let file = state.file(name)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let wanted = if torn { bytes.len() / 2 } else { bytes.len() };
        let room = room.map_or(wanted, |room| {
            let already = file.shown.len().saturating_sub(offset);
            usize::try_from(room)
                .unwrap_or(usize::MAX)
                .saturating_add(already)
        });
        let fits = wanted.min(room);
        let taken = bytes.get(..fits).unwrap_or_default();
        file.put(Written::At(offset, taken.to_vec()));
        if fits < wanted {
            Err(io::ErrorKind::StorageFull.into())
        } else if torn {
            Err(io::Error::other("the device reports an error"))
        } else {
            Ok(())
        }
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        let (mut state, _) = self.begin()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        state.file(name)?.put(Written::Cut(length));
        Ok(())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let begun = self.begin().map(|(_, torn)| torn);
        let mut state = self.state();
        let off = state.off;
        let file = state.file(name)?;
        match begun {
            Ok(false) => {
                for change in std::mem::take(&mut file.written) {
                    change.apply(&mut file.lasting);
                }
                Ok(())
            }
            Ok(true) | Err(_) if off => Err(io::Error::other("the power is off")),
            Ok(true) | Err(_) => {
                file.written.clear();
                Err(io::Error::other("the device reports an error"))
            }
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (mut state, _) = self.begin()?;
        let id = state.names.get(from).copied();
        let id = id.ok_or(io::ErrorKind::NotFound)?;
        state.change(Change::Renamed(from.to_owned(), to.to_owned(), id));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let (mut state, _) = self.begin()?;
        if state.names.contains_key(name) {
            state.change(Change::Unnamed(name.to_owned()));
        }
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        let (mut state, _) = self.begin()?;
        state.lasting_names = state.names.clone();
        state.renamed.clear();
        Ok(())
    }
}

/// Numbers that look random and come again (SplitMix64).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// From 0 to `most`, both included.
    fn up_to(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed >> 11) % wide(most).saturating_add(1)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
