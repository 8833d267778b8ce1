//! What became of every ticket, so that no power cut makes us forget or print twice.
//!
//! ```text
//! reserved --(on disk)--> sent --(on disk)--> the first byte leaves --> printed
//!    |                      | also at the next start                      ^ the printer says so later
//!    '--> unknown(neverSent)'--> unknown(interrupted|silent|printerError) '
//! ```
//!
//! Each line is `CRC-32 in hexadecimal, space, records with tabs between`; the first says the format.
//! A line is one change, which a power cut leaves whole or not at all.
//! A record of a ticket is its whole state, and the last one counts, so compaction keeps one line each.
//! Invariants: `sent` is on the disk before [`Journal::sent`] returns; a line that a power cut tore off is
//! dropped, a damaged line before others is an error.

mod record;

use std::collections::BTreeMap;
use std::io;

use journal_file::Line;
use thiserror::Error;

use crate::storage::Storage;
use crate::ticket::TicketId;
use crate::wire::ProcessId;
use record::Record;

pub use record::{Decision, Progress, Proof, Stored, Unsure, Wear};

/// The first line: what this is, and its format number.
const FORMAT: &str = "madoguchi-printer-journal 1";
/// After so many lines the journal is written anew, with one line for each ticket.
const LINES_BEFORE_COMPACTION: usize = 20_000;
/// So many finished papers are remembered, the newest; a name that comes again after that is not refused.
const REMEMBERED: usize = 10_000;

/// Why the journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Another process holds it.
    #[error("another process holds the journal")]
    Held,
    /// Reading or writing failed.
    #[error("{attempted} the journal")]
    Storage {
        /// What was being attempted.
        attempted: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is of another format.
    #[error("the journal is of a format that this version does not know")]
    Format,
    /// A line is damaged although others follow it.
    #[error("line {line} of the journal is damaged")]
    Damaged {
        /// Counted from 1.
        line: usize,
    },
}

/// The journal of one printer.
#[derive(Debug)]
pub struct Journal {
    storage: Box<dyn Storage>,
    entries: BTreeMap<(TicketId, u32), Entry>,
    ids: BTreeMap<ProcessId, (TicketId, u32)>,
    /// The finished papers by their order, the oldest first.
    finished: BTreeMap<u64, (TicketId, u32)>,
    next_id: u32,
    next_order: u64,
    holding: Option<ProcessId>,
    wear: Wear,
    length: u64,
    lines: usize,
    torn: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    stored: Stored,
    process: Option<ProcessId>,
    order: u64,
}

impl Journal {
    /// Reads the journal; tickets that were reserved and never sent are settled, and those that were sent are in
    /// doubt from here on, so that people can decide about them although the printer never comes back.
    ///
    /// What the printer may hold of them still waits for [`Journal::settle_sent`], and what it says late still
    /// proves them.
    ///
    /// # Errors
    /// Where it cannot be read, is damaged, or cannot be written.
    pub fn open(mut storage: Box<dyn Storage>) -> Result<Self, JournalError> {
        let bytes = storage.load().map_err(while_("read"))?;
        let mut journal = Self {
            storage,
            entries: BTreeMap::new(),
            ids: BTreeMap::new(),
            finished: BTreeMap::new(),
            next_id: 0,
            next_order: 0,
            holding: None,
            wear: Wear::default(),
            length: 0,
            lines: 0,
            torn: false,
        };
        let good = journal.read(&bytes)?;
        journal.length = good;
        if good == 0 {
            journal.rewrite()?;
        } else if good < u64::try_from(bytes.len()).unwrap_or(u64::MAX) {
            journal.storage.truncate(good).map_err(while_("repair"))?;
        }
        journal.settle(Progress::Reserved, Unsure::NeverSent)?;
        journal.settle(Progress::Sent, Unsure::Interrupted)?;
        Ok(journal)
    }

    /// Reserves a paper for a ticket; `copy` is 0 for the first, which carries no mark.
    ///
    /// # Errors
    /// Where it cannot be made durable; then it is not reserved.
    pub fn reserve(&mut self, ticket: &TicketId, copy: u32, at: u64) -> Result<(), JournalError> {
        let stored = Stored {
            ticket: ticket.clone(),
            copy,
            progress: Progress::Reserved,
            decision: None,
            at,
        };
        self.write(vec![Record::Ticket(stored, None)])
    }

    /// Says that the paper's bytes are about to leave, and what will have been used then; the id under which
    /// the printer will answer.
    ///
    /// # Errors
    /// Where it cannot be made durable; then nothing may be sent.
    pub fn sent(
        &mut self,
        ticket: &TicketId,
        copy: u32,
        wear: Wear,
    ) -> Result<ProcessId, JournalError> {
        let (number, id) = self.fresh_id();
        let records = self.changed(ticket, copy, |stored| stored.progress = Progress::Sent);
        let records = records.map(|stored| Record::Ticket(stored, Some(id)));
        let also = [
            Record::NextId(number),
            Record::Holding(Some(id)),
            Record::Wear(wear),
        ];
        self.write(records.into_iter().chain(also).collect())?;
        Ok(id)
    }

    /// An id for a fence: a question whose answer shows that the printer took everything before it.
    ///
    /// # Errors
    /// Where it cannot be made durable.
    pub fn fence(&mut self) -> Result<ProcessId, JournalError> {
        let (number, id) = self.fresh_id();
        self.write(vec![Record::NextId(number)])?;
        Ok(id)
    }

    /// Says that a paper came out.
    ///
    /// # Errors
    /// Where it cannot be made durable.
    pub fn printed(
        &mut self,
        ticket: &TicketId,
        copy: u32,
        proof: Proof,
    ) -> Result<(), JournalError> {
        let records = self.changed(ticket, copy, |stored| {
            stored.progress = Progress::Printed(proof)
        });
        let mut records: Vec<Record> = self.with_ids(records);
        let last = self
            .entries
            .get(&(ticket.clone(), copy))
            .and_then(|entry| entry.process);
        // The late proof of an older paper says nothing of what was sent after it.
        if last.is_some() && last == self.holding {
            records.push(Record::Holding(None));
        }
        self.write(records)
    }

    /// Says that nobody knows whether a paper came out.
    ///
    /// # Errors
    /// Where it cannot be made durable.
    pub fn unknown(
        &mut self,
        ticket: &TicketId,
        copy: u32,
        why: Unsure,
    ) -> Result<(), JournalError> {
        let records = self.changed(ticket, copy, |stored| {
            stored.progress = Progress::Unknown(why)
        });
        let records = self.with_ids(records);
        self.write(records)
    }

    /// Ends every ticket that was sent: the printer took everything that it had, and did not name them.
    ///
    /// # Errors
    /// Where it cannot be made durable.
    pub fn settle_sent(&mut self) -> Result<(), JournalError> {
        self.settle(Progress::Sent, Unsure::Interrupted)?;
        self.write(vec![Record::Holding(None)])
    }

    /// Keeps a person's decision about all papers of a ticket that are in doubt; where it is to print again,
    /// the next paper is reserved in the same breath, so that one decision makes one paper.
    ///
    /// # Errors
    /// Where it cannot be made durable.
    pub fn decide(
        &mut self,
        ticket: &TicketId,
        decision: Decision,
        at: u64,
    ) -> Result<(), JournalError> {
        let doubtful = self.of(ticket).into_iter().filter(Stored::is_unresolved);
        let decided = doubtful.map(|stored| Stored {
            decision: Some(decision),
            ..stored
        });
        let mut records = self.with_ids(decided);
        if let Decision::Reprint { copy } = decision {
            let stored = Stored {
                ticket: ticket.clone(),
                copy,
                progress: Progress::Reserved,
                decision: None,
                at,
            };
            records.push(Record::Ticket(stored, None));
        }
        self.write(records)
    }

    /// Keeps what was used.
    ///
    /// # Errors
    /// Where it cannot be made durable.
    pub fn used(&mut self, wear: Wear) -> Result<(), JournalError> {
        self.write(vec![Record::Wear(wear)])
    }

    /// Every paper of a ticket, the first one first.
    #[must_use]
    pub fn of(&self, ticket: &TicketId) -> Vec<Stored> {
        let papers = self
            .entries
            .range((ticket.clone(), 0)..=(ticket.clone(), u32::MAX));
        papers.map(|(_, entry)| entry.stored.clone()).collect()
    }

    /// One paper.
    #[must_use]
    pub fn paper(&self, ticket: &TicketId, copy: u32) -> Option<&Stored> {
        let entry = self.entries.get(&(ticket.clone(), copy));
        entry.map(|entry| &entry.stored)
    }

    /// The papers in doubt about which nobody decided yet, oldest first.
    #[must_use]
    pub fn unresolved(&self) -> Vec<Stored> {
        let mut found: Vec<&Entry> = self
            .entries
            .values()
            .filter(|entry| entry.stored.is_unresolved())
            .collect();
        found.sort_by_key(|entry| entry.order);
        found
            .into_iter()
            .map(|entry| entry.stored.clone())
            .collect()
    }

    /// The paper that this id was given to.
    #[must_use]
    pub fn named(&self, id: ProcessId) -> Option<&Stored> {
        let key = self.ids.get(&id)?;
        self.entries.get(key).map(|entry| &entry.stored)
    }

    /// Whether the printer may still hold bytes of an earlier ticket.
    #[must_use]
    pub const fn holding(&self) -> bool {
        self.holding.is_some()
    }

    /// What was used so far.
    #[must_use]
    pub const fn wear(&self) -> Wear {
        self.wear
    }

    fn settle(&mut self, from: Progress, why: Unsure) -> Result<(), JournalError> {
        let open = self
            .entries
            .values()
            .filter(|entry| entry.stored.progress == from);
        let settled: Vec<Record> = open
            .map(|entry| {
                let progress = Progress::Unknown(why);
                Record::Ticket(
                    Stored {
                        progress,
                        ..entry.stored.clone()
                    },
                    entry.process,
                )
            })
            .collect();
        if settled.is_empty() {
            Ok(())
        } else {
            self.write(settled)
        }
    }

    fn changed(
        &self,
        ticket: &TicketId,
        copy: u32,
        change: impl FnOnce(&mut Stored),
    ) -> Option<Stored> {
        let mut stored = self.paper(ticket, copy)?.clone();
        change(&mut stored);
        Some(stored)
    }

    fn with_ids(&self, papers: impl IntoIterator<Item = Stored>) -> Vec<Record> {
        let papers = papers.into_iter().map(|stored| {
            let entry = self.entries.get(&(stored.ticket.clone(), stored.copy));
            let process = entry.and_then(|entry| entry.process);
            Record::Ticket(stored, process)
        });
        papers.collect()
    }

    fn fresh_id(&self) -> (u32, ProcessId) {
        (
            (self.next_id + 1) % ProcessId::COUNT,
            ProcessId::numbered(self.next_id),
        )
    }

    /// Appends, syncs, and only then believes.
    fn write(&mut self, records: Vec<Record>) -> Result<(), JournalError> {
        if self.torn {
            // An earlier write failed somewhere in its middle.
            self.storage
                .truncate(self.length)
                .map_err(while_("repair"))?;
            self.torn = false;
        }
        // One line for all: a power cut leaves the whole of a change, or nothing.
        let texts: Vec<String> = records.iter().map(Record::text).collect();
        let text = Line::of(&texts.join(Record::SEPARATOR));
        self.torn = true;
        self.storage
            .append(text.as_bytes())
            .map_err(while_("write"))?;
        self.storage.sync().map_err(while_("sync"))?;
        self.torn = false;
        self.length += u64::try_from(text.len()).unwrap_or(0);
        self.lines += 1;
        for record in records {
            self.believe(record);
        }
        if self.lines > LINES_BEFORE_COMPACTION + self.entries.len() {
            self.rewrite()?;
        }
        Ok(())
    }

    fn believe(&mut self, record: Record) {
        match record {
            Record::Ticket(stored, process) => {
                let key = (stored.ticket.clone(), stored.copy);
                if let Some(id) = process {
                    self.ids.insert(id, key.clone());
                }
                let order = self.next_order;
                self.next_order += 1;
                if stored.is_finished() {
                    self.finished.insert(order, key.clone());
                }
                let entry = Entry {
                    stored,
                    process,
                    order,
                };
                if let Some(before) = self.entries.insert(key, entry) {
                    self.finished.remove(&before.order);
                }
                self.forget_oldest();
            }
            Record::NextId(number) => self.next_id = number,
            Record::Holding(holding) => self.holding = holding,
            Record::Wear(wear) => self.wear = wear,
        }
    }

    fn forget_oldest(&mut self) {
        while self.finished.len() > REMEMBERED
            && let Some((_, key)) = self.finished.pop_first()
        {
            let process = self.entries.remove(&key).and_then(|entry| entry.process);
            if let Some(id) = process
                && self.ids.get(&id) == Some(&key)
            {
                self.ids.remove(&id);
            }
        }
    }

    /// Believes every whole line; how many bytes they are.
    fn read(&mut self, bytes: &[u8]) -> Result<u64, JournalError> {
        let mut good = 0;
        let mut rest = bytes;
        let mut line = 0;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (text, after) = rest.split_at(end + 1);
            let record = Line::content(text);
            line += 1;
            let believed = match (line, record) {
                (1, Some(content)) if content == FORMAT => true,
                (1, Some(_)) => return Err(JournalError::Format),
                (_, Some(content)) => {
                    let records: Option<Vec<Record>> =
                        content.split(Record::SEPARATOR).map(Record::read).collect();
                    self.lines += 1;
                    records.is_some_and(|records| {
                        records.into_iter().for_each(|record| self.believe(record));
                        true
                    })
                }
                (_, None) => false,
            };
            if !believed {
                // A power cut damages the end only: what follows must not be older than it.
                let later = after.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
                let sound = later.into_iter().any(|mut text| {
                    text.push(b'\n');
                    Line::content(&text).is_some()
                });
                return if sound {
                    Err(JournalError::Damaged { line })
                } else {
                    Ok(good)
                };
            }
            good += u64::try_from(text.len()).unwrap_or(0);
            rest = after;
        }
        Ok(good)
    }

    fn rewrite(&mut self) -> Result<(), JournalError> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|entry| entry.order);
        let tickets = entries
            .into_iter()
            .map(|entry| Record::Ticket(entry.stored.clone(), entry.process).text());
        let rest = [
            Record::NextId(self.next_id).text(),
            Record::Holding(self.holding).text(),
            Record::Wear(self.wear).text(),
        ];
        let lines = std::iter::once(FORMAT.to_owned())
            .chain(tickets)
            .chain(rest);
        self.length = self
            .storage
            .replace(&mut lines.map(|line| Line::of(&line)))
            .map_err(while_("compact"))?;
        self.lines = self.entries.len();
        Ok(())
    }
}

fn while_(attempted: &'static str) -> impl Fn(io::Error) -> JournalError {
    move |source| JournalError::Storage { attempted, source }
}

#[cfg(test)]
mod tests;
