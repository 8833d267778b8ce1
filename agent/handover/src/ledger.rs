//! What was handed over: one small record for each number, on the agent's own disk.
//!
//! | record | meaning |
//! |---|---|
//! | `0000000012.begun` | the number is taken; its file is whole under a temporary name, or published |
//! | `0000000012.sent` | the file is published |
//! | `0000000012.rejected` | the receiver has rejected the file, and a person deals with it |
//! | `0000000012.done` | nothing is open any more; kept while it holds the highest number |
//!
//! The record is made, and synced, before the file gets its name: so a number that a file ever carried is in a
//! record, and is not given again.
//! A record holds a file name and a time, and nothing of a citizen.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{error::HandoverError, platform};

const FORMAT: u32 = 1;
const LOCK: &str = "lock";
/// A record is a hundred bytes.
const MAX_RECORD: u64 = 4096;

/// The records of one template at one counter, held by this process alone.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: PathBuf,
    last: u64,
    _lock: File,
}

/// How far a number has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Begun,
    Sent,
    Rejected,
    Done,
}

/// One number and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) stage: Stage,
    pub(crate) name: String,
    pub(crate) at: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    format: u32,
    name: String,
    unix_millis: u64,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Begun, Self::Sent, Self::Rejected, Self::Done];

    const fn extension(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Sent => "sent",
            Self::Rejected => "rejected",
            Self::Done => "done",
        }
    }
}

impl Ledger {
    /// Opens the records in `folder`, which is made where it is missing.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, HandoverError> {
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(HandoverError::folder("make", folder)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let path = folder.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = lock.map_err(HandoverError::folder("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(HandoverError::InUse { path }),
            Err(fs::TryLockError::Error(error)) => {
                return Err(HandoverError::folder("lock", path)(error));
            }
        }
        let mut ledger = Self {
            folder,
            last: 0,
            _lock: lock,
        };
        let numbers = ledger.names()?.into_iter().map(|(number, _)| number);
        ledger.last = numbers.max().unwrap_or(0);
        Ok(ledger)
    }

    /// The number that the next file gets.
    pub(crate) const fn next(&self) -> u64 {
        self.last + 1
    }

    /// Takes the next number for a file.
    pub(crate) fn begin(&mut self, name: &str, at: u64) -> Result<u64, HandoverError> {
        let number = self.next();
        let path = self.path(number, Stage::Begun);
        let record = Record {
            format: FORMAT,
            name: name.to_owned(),
            unix_millis: at,
        };
        let failed = || HandoverError::folder("record a hand-over in", &path);
        let bytes = serde_json::to_vec(&record)
            .map_err(io::Error::from)
            .map_err(failed())?;
        let mut file = platform::new_file(&path, false).map_err(failed())?;
        // From here the name is taken, whether the content arrived or not.
        self.last = number;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(failed())?;
        platform::sync_folder(&self.folder).map_err(failed())?;
        Ok(number)
    }

    /// Moves a number on.
    pub(crate) fn advance(&self, number: u64, from: Stage, to: Stage) -> Result<(), HandoverError> {
        let path = self.path(number, from);
        fs::rename(&path, self.path(number, to))
            .and_then(|()| platform::sync_folder(&self.folder))
            .map_err(HandoverError::folder("update", path))
    }

    /// Removes records that tell nothing any more; the highest number stays.
    pub(crate) fn forget_done(&self) -> Result<(), HandoverError> {
        for (number, stage) in self.names()? {
            if stage == Stage::Done && number != self.last {
                let path = self.path(number, stage);
                fs::remove_file(&path).map_err(HandoverError::folder("remove", path))?;
            }
        }
        Ok(())
    }

    /// Everything that is open, in the order of the numbers.
    pub(crate) fn open_entries(&self) -> Result<Vec<Entry>, HandoverError> {
        let mut entries = Vec::new();
        for (number, stage) in self.names()? {
            if stage != Stage::Done {
                entries.extend(self.read(number, stage)?);
            }
        }
        entries.sort_by_key(|entry| entry.number);
        Ok(entries)
    }

    fn names(&self) -> Result<Vec<(u64, Stage)>, HandoverError> {
        let failed = || HandoverError::folder("list", &self.folder);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed())? {
            let name = entry.map_err(failed())?.file_name();
            names.extend(name.to_str().and_then(parse_name));
        }
        Ok(names)
    }

    /// `None` for a record that was cut off while it was made: its file was never published.
    fn read(&self, number: u64, stage: Stage) -> Result<Option<Entry>, HandoverError> {
        let path = self.path(number, stage);
        let bytes =
            read_at_most(&path, MAX_RECORD).map_err(HandoverError::folder("read", &path))?;
        match serde_json::from_slice::<Record>(&bytes) {
            Ok(record) if record.format == FORMAT => Ok(Some(Entry {
                number,
                stage,
                name: record.name,
                at: record.unix_millis,
            })),
            Err(_) if stage == Stage::Begun => {
                self.advance(number, stage, Stage::Done)?;
                Ok(None)
            }
            Ok(_) | Err(_) => Err(HandoverError::Damaged { path }),
        }
    }

    fn path(&self, number: u64, stage: Stage) -> PathBuf {
        self.folder
            .join(format!("{number:010}.{}", stage.extension()))
    }
}

fn parse_name(name: &str) -> Option<(u64, Stage)> {
    let (number, extension) = name.split_once('.')?;
    let stage = Stage::ALL
        .into_iter()
        .find(|stage| stage.extension() == extension)?;
    Some((number.parse().ok()?, stage))
}

/// Reads a file's beginning.
pub(crate) fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    platform::open_plain(path)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
