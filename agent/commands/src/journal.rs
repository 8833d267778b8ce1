//! What became of every order, so that no power cut makes us forget one or do it twice.
//!
//! ```text
//!             .-> refused
//! proved -> accepted -(on disk)-> running -(on disk)-> the effect begins -> done | failed
//!                                    '-> unknown: the agent ended in its middle
//! ```
//!
//! Each line is `CRC-32 in hexadecimal, space, records with tabs between`; the first says the format.
//! A line is one change, which a power cut leaves whole or not at all.
//! An id is kept until its order has expired and a day more; then, or when [`MOST`] are kept, the finished
//! one that expires first is forgotten, and all counters of its issuer up to its own count as used: so no
//! order is ever new twice, and the memory is bounded.
//! Invariants: what [`Journal::write`] was given is on the disk before it returns, and is believed only
//! then; a line that a power cut tore off is dropped, a damaged line before others is an error.

mod record;

use std::collections::BTreeMap;
use std::io;

use journal_file::Line;
use telemetry::message::outcome::CommandId;
use telemetry::name::Label;
use thiserror::Error;

use crate::storage::Storage;

pub use record::{Entry, Fetched, Record, State};

/// The first line: what this is, and its format number.
const FORMAT: &str = "madoguchi-command-journal 1";
/// After so many lines the journal is written anew, with one line for each order.
const LINES_BEFORE_COMPACTION: usize = 2_000;
/// So many orders are known by their ids.
pub const MOST: usize = 1_000;
/// How long an id is kept after its order has expired, in seconds.
pub const KEPT_AFTER_EXPIRY: u64 = 86_400;

/// Why the journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Reading or writing failed.
    #[error("{attempted} the journal of commands")]
    Storage {
        /// What was being attempted.
        attempted: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is of another format.
    #[error("the journal of commands is of a format that this version does not know")]
    Format,
    /// A line is damaged although others follow it.
    #[error("line {line} of the journal of commands is damaged")]
    Damaged {
        /// Counted from 1.
        line: usize,
    },
}

/// The journal of one agent's commands.
#[derive(Debug)]
pub struct Journal {
    storage: Box<dyn Storage>,
    entries: BTreeMap<CommandId, Entry>,
    floors: BTreeMap<Label, u64>,
    length: u64,
    lines: usize,
    /// A write failed somewhere in its middle.
    torn: bool,
    /// Writing anew failed somewhere in its middle.
    stale: bool,
}

impl Journal {
    /// Reads the journal, or begins one; orders that were running are as they were.
    ///
    /// # Errors
    /// Where it cannot be read, is damaged, or cannot be repaired.
    pub fn open(mut storage: Box<dyn Storage>) -> Result<Self, JournalError> {
        let bytes = storage.load().map_err(while_("reading"))?;
        let mut journal = Self {
            storage,
            entries: BTreeMap::new(),
            floors: BTreeMap::new(),
            length: 0,
            lines: 0,
            torn: false,
            stale: false,
        };
        let good = journal.read(&bytes)?;
        journal.length = good;
        if bytes.is_empty() {
            journal.rewrite()?;
        } else if good == 0 {
            // The first line is never appended, so no power cut tears it: this is somebody else's file.
            return Err(JournalError::Format);
        } else if good < length(&bytes) {
            journal
                .storage
                .truncate(good)
                .map_err(while_("repairing"))?;
        }
        Ok(journal)
    }

    /// Keeps a change: appends it as one line, syncs, and only then believes it.
    ///
    /// # Errors
    /// Where it cannot be made durable; then nothing has changed.
    pub fn write(&mut self, records: Vec<Record>) -> Result<(), JournalError> {
        if records.is_empty() {
            return Ok(());
        }
        if self.stale {
            self.rewrite()?;
        }
        if self.torn {
            self.storage
                .truncate(self.length)
                .map_err(while_("repairing"))?;
            self.torn = false;
        }
        let texts: Vec<String> = records.iter().map(Record::text).collect();
        let text = Line::of(&texts.join(Record::SEPARATOR));
        self.torn = true;
        self.storage
            .append(text.as_bytes())
            .map_err(while_("writing"))?;
        self.storage.sync().map_err(while_("syncing"))?;
        self.torn = false;
        self.length += length(text.as_bytes());
        self.lines += 1;
        records.into_iter().for_each(|record| self.believe(record));
        if self.lines > LINES_BEFORE_COMPACTION + self.entries.len() {
            // The change is kept already: a failure now is told by the next change, which tries again.
            self.stale = self.rewrite().is_err();
        }
        Ok(())
    }

    /// What is known of an order.
    #[must_use]
    pub fn entry(&self, id: CommandId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// Every order that is known by its id.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Whether an issuer's counter was used.
    #[must_use]
    pub fn is_used(&self, issuer: &Label, counter: u64) -> bool {
        let floor = self.floors.get(issuer);
        let used = |entry: &Entry| {
            let order = entry.order();
            order.issuer == *issuer && order.counter == counter
        };
        floor.is_some_and(|floor| counter <= *floor) || self.entries.values().any(used)
    }

    /// What may be forgotten at a time, in seconds since 1970; `room` is needed for so many new orders.
    #[must_use]
    pub fn forgettable(&self, unix_seconds: u64, room: usize) -> Vec<Record> {
        let mut finished: Vec<&Entry> = self
            .entries
            .values()
            .filter(|entry| entry.state.is_final())
            .collect();
        finished.sort_by_key(|entry| (entry.order().expires, entry.order().counter));
        let surplus = (self.entries.len() + room).saturating_sub(MOST);
        let forgotten = finished.into_iter().enumerate().filter(|(place, entry)| {
            let over = entry.order().expires.saturating_add(KEPT_AFTER_EXPIRY) <= unix_seconds;
            *place < surplus || over && entry.told
        });
        forgotten
            .map(|(_, entry)| Record::Forgotten(entry.order().id))
            .collect()
    }

    fn believe(&mut self, record: Record) {
        match record {
            Record::Command(entry) => {
                self.entries.insert(entry.order().id, *entry);
            }
            Record::Forgotten(id) => {
                if let Some(entry) = self.entries.remove(&id) {
                    let order = entry.order();
                    self.raise(order.issuer.clone(), order.counter);
                }
            }
            Record::Floor(issuer, counter) => self.raise(issuer, counter),
        }
    }

    fn raise(&mut self, issuer: Label, counter: u64) {
        let floor = self.floors.entry(issuer).or_default();
        *floor = counter.max(*floor);
    }

    /// Believes every whole line; how many bytes they are.
    fn read(&mut self, bytes: &[u8]) -> Result<u64, JournalError> {
        let mut good = 0;
        let mut rest = bytes;
        let mut line = 0;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (text, after) = rest.split_at(end + 1);
            line += 1;
            let records = match (line, Line::content(text)) {
                (1, Some(content)) if content == FORMAT => Some(Vec::new()),
                (1, Some(_)) => return Err(JournalError::Format),
                (_, Some(content)) => Some(
                    // Its check sum is right, so no power cut wrote it.
                    content
                        .split(Record::SEPARATOR)
                        .map(Record::read)
                        .collect::<Option<Vec<_>>>()
                        .ok_or(JournalError::Damaged { line })?,
                ),
                (_, None) => None,
            };
            let Some(records) = records else {
                // A power cut damages the end only: what follows must not be older than it.
                let sound = after
                    .split_inclusive(|byte| *byte == b'\n')
                    .any(|text| Line::content(text).is_some());
                return if sound {
                    Err(JournalError::Damaged { line })
                } else {
                    Ok(good)
                };
            };
            records.into_iter().for_each(|record| self.believe(record));
            self.lines += 1;
            good += length(text);
            rest = after;
        }
        Ok(good)
    }

    fn rewrite(&mut self) -> Result<(), JournalError> {
        self.stale = true;
        let floors = self.floors.iter();
        let floors = floors.map(|(issuer, counter)| Record::Floor(issuer.clone(), *counter));
        let entries = self.entries.values().cloned();
        let entries = entries.map(|entry| Record::Command(Box::new(entry)));
        let lines = std::iter::once(FORMAT.to_owned())
            .chain(floors.chain(entries).map(|record| record.text()));
        self.length = self
            .storage
            .replace(&mut lines.map(|line| Line::of(&line)))
            .map_err(while_("compacting"))?;
        self.lines = self.entries.len();
        self.stale = false;
        self.torn = false;
        Ok(())
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn while_(attempted: &'static str) -> impl Fn(io::Error) -> JournalError {
    move |source| JournalError::Storage { attempted, source }
}

#[cfg(test)]
mod tests;
