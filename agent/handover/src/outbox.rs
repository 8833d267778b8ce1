//! Files that appear whole, once, under a name that nothing had.
//!
//! The order of one hand-over, and what a crash after each step leaves:
//!
//! | step | after a crash |
//! |---|---|
//! | 1 content written to `.NAME.part`, synced | the hidden file is removed at the next start |
//! | 2 number recorded as begun, synced | the number is not given again; the hidden file is removed |
//! | 3 the file gets its final name, which must be free | the file is there; the record is corrected |
//! | 4 folder synced, record sent | - |
//!
//! A begun record without any file means that the receiver has taken it: step 2 comes after the hidden file.
//! Tests: `tests/outbox.rs`, and `tests/kill.rs`, which ends a writing process at random moments.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::{
    cell::Row,
    date::CivilDate,
    document::{Replacement, compose},
    error::HandoverError,
    ledger::{Ledger, Stage},
    platform::{self, Unpublished},
    template::{Permission, Template, check_counter},
};

const HALF_WRITTEN: &str = ".part";

/// The folders of a hand-over. All exist before; none is made, since a folder made in place of a share that is
/// gone would swallow files.
#[derive(Debug, Clone)]
pub struct Places {
    /// From where the receiver takes the files.
    pub outgoing: PathBuf,
    /// Where the receiver puts `NAME.ack` and `NAME.err`; may be the same folder.
    pub acknowledgements: PathBuf,
    /// The agent's own folder, on its own disk.
    pub state: PathBuf,
}

/// When a file is written.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The day at the counter, for the file's name.
    pub today: CivilDate,
    /// The wall clock, for the record.
    pub unix_millis: u64,
}

/// A file that was handed over.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u64,
    /// How many bytes it has.
    pub bytes: usize,
    /// What stands in it in place of characters that the receiver cannot take.
    pub replaced: Vec<Replacement>,
}

/// Hands over files by one template for one counter.
#[derive(Debug)]
pub struct Outbox {
    pub(crate) template: Template,
    pub(crate) places: Places,
    pub(crate) ledger: Ledger,
    counter: String,
}

impl Outbox {
    /// Takes up the work where an earlier process left it. No other process can open the same.
    ///
    /// # Errors
    /// A folder is missing or cannot be used, or another process has opened the same.
    pub fn open(template: Template, counter: &str, places: Places) -> Result<Self, HandoverError> {
        check_counter(counter)?;
        must_be_folder(&places.outgoing)?;
        must_be_folder(&places.acknowledgements)?;
        let records = places.state.join(format!("{}.{counter}", template.name));
        let outbox = Self {
            ledger: Ledger::open(records)?,
            template,
            places,
            counter: counter.to_owned(),
        };
        outbox.recover()?;
        Ok(outbox)
    }

    /// The template.
    #[must_use]
    pub const fn template(&self) -> &Template {
        &self.template
    }

    /// Checks rows as [`Self::write`] would, and writes nothing.
    ///
    /// # Errors
    /// As [`Self::write`], for values and characters.
    pub fn check(&self, rows: &[Row]) -> Result<Vec<Replacement>, HandoverError> {
        compose(&self.template, rows).map(|document| document.replaced)
    }

    /// Hands over one file. Blocks until it is on the disk.
    ///
    /// # Errors
    /// See [`HandoverError`]. Except with [`HandoverError::Unsettled`], no file has appeared. A failure after the
    /// number was taken costs the number.
    pub fn write(&mut self, rows: &[Row], stamp: Stamp) -> Result<Written, HandoverError> {
        let document = compose(&self.template, rows)?;
        must_be_folder(&self.places.outgoing)?;
        let name = self
            .template
            .file_name(&self.counter, stamp.today, self.ledger.next());
        let hidden = self.hidden(&name);
        let made = self.write_hidden(&hidden, &document.bytes);
        let outcome = made.and_then(|()| self.publish(&hidden, &name, stamp));
        if outcome.is_err() {
            remove_if_there(&hidden);
        }
        Ok(Written {
            number: outcome?,
            name,
            bytes: document.bytes.len(),
            replaced: document.replaced,
        })
    }

    fn write_hidden(&self, hidden: &Path, bytes: &[u8]) -> Result<(), HandoverError> {
        let group = self.template.permission == Permission::Group;
        let failed = || HandoverError::folder("write", hidden);
        let mut file = platform::new_file(hidden, group).map_err(failed())?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(failed())
    }

    fn publish(&mut self, hidden: &Path, name: &str, stamp: Stamp) -> Result<u64, HandoverError> {
        let number = self.ledger.begin(name, stamp.unix_millis)?;
        let published = platform::publish(hidden, &self.places.outgoing.join(name));
        let name = name.to_owned();
        if let Err(Unpublished { source, certain }) = published {
            if !certain {
                return Err(HandoverError::Unsettled { name, source });
            }
            self.ledger.advance(number, Stage::Begun, Stage::Done)?;
            return Err(if source.kind() == io::ErrorKind::AlreadyExists {
                HandoverError::Exists { name }
            } else {
                HandoverError::folder("publish", name)(source)
            });
        }
        let synced = platform::sync_folder(&self.places.outgoing);
        synced.map_err(|source| HandoverError::Unsettled { name, source })?;
        if let Err(error) = self.ledger.advance(number, Stage::Begun, Stage::Sent) {
            // The file is there and the next start corrects the record: this is not the clerk's to solve.
            tracing::warn!(%error, "the record of a file that was handed over is behind");
        }
        Ok(number)
    }

    /// Brings records and folder together after a crash.
    fn recover(&self) -> Result<(), HandoverError> {
        for entry in self.ledger.open_entries()? {
            if entry.stage != Stage::Begun {
                continue;
            }
            let hidden = self.hidden(&entry.name);
            let published = is_there(&self.places.outgoing.join(&entry.name))?;
            let stage = if published || !is_there(&hidden)? {
                Stage::Sent
            } else {
                Stage::Done
            };
            self.ledger.advance(entry.number, Stage::Begun, stage)?;
            remove_if_there(&hidden);
        }
        self.remove_unrecorded()
    }

    /// A crash before the record leaves a hidden file that only its name connects with us.
    fn remove_unrecorded(&self) -> Result<(), HandoverError> {
        let own = format!(".{}.{}~", self.template.name, self.counter);
        let failed = || HandoverError::folder("list", &self.places.outgoing);
        for entry in fs::read_dir(&self.places.outgoing).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name();
            let ours = name
                .to_str()
                .is_some_and(|name| name.starts_with(&own) && name.ends_with(HALF_WRITTEN));
            if ours {
                remove_if_there(&entry.path());
            }
        }
        Ok(())
    }

    /// Hidden, without the extension that a receiver looks for, and in the same folder, because a rename is
    /// atomic within one file system only.
    fn hidden(&self, name: &str) -> PathBuf {
        let (template, counter) = (&self.template.name, &self.counter);
        self.places
            .outgoing
            .join(format!(".{template}.{counter}~{name}{HALF_WRITTEN}"))
    }
}

fn must_be_folder(path: &Path) -> Result<(), HandoverError> {
    let found = fs::metadata(path).and_then(|found| {
        if found.is_dir() {
            Ok(())
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    });
    found.map_err(HandoverError::folder("use", path))
}

/// Whether anything has this name. A share that does not answer is an error, and not an absence.
pub(crate) fn is_there(path: &Path) -> Result<bool, HandoverError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(HandoverError::folder("look at", path)(error)),
    }
}

fn remove_if_there(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "a half-written file cannot be removed");
        }
        Ok(()) | Err(_) => {}
    }
}
