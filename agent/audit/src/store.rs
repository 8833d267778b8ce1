//! The log as its one writer sees it.
//!
//! ```text
//! append:  line -> disk (fdatasync)   then   head -> file          then   the caller is told
//! settle:                                    head -> disk
//! ```
//! The record is what the result waits for; the head may reach the disk a moment later, because a head
//! that is behind its log hides nothing: the next start signs what it finds in an unbroken chain.
//! Invariants: of the two heads at most one is not on the disk; after a failed append the file ends where
//! it ended before.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::clockwork::rfc3339;
use crate::head::{Head, HeadSigner, Slot, newest, read_slots, signed};
use crate::platform::{lock, private_file, sync_directory};
use crate::record::{Entry, Hash, NO_LINE, encode, hash};
use crate::segment::{Appendable, Segment, list};
use crate::tail::{self, Tail, TailError};
use crate::unfinished;

/// How a log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A segment gets no further line that would make it longer than this many bytes.
    pub segment_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // About 20,000 jobs: a year of a small city, and quickly verified.
        Self {
            segment_bytes: 16 * 1024 * 1024,
        }
    }
}

/// A log that is open for writing. No other process can open it meanwhile.
#[derive(Debug)]
pub struct AuditLog {
    directory: PathBuf,
    limits: Limits,
    signer: Box<dyn HeadSigner>,
    segment: Option<Box<dyn Appendable>>,
    length: u64,
    last: u64,
    hash: Hash,
    /// Whether a failed append may have left bytes after `length`.
    unclean: bool,
    /// The head that was written and is not known to be on the disk.
    unsettled: Option<File>,
    _lock: File,
}

/// A log that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: AuditLog,
    /// What had to be put right; to be told to people.
    pub recoveries: Vec<Recovery>,
}

/// What a crash left and opening put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// Part of a line was moved aside; a record says so.
    TornLine {
        /// How many bytes.
        bytes: u64,
        /// The file that holds them.
        kept_as: String,
    },
    /// The agent ended in the middle of a job. A record says so.
    JobUnknown {
        /// The job.
        job: String,
        /// The record of its start.
        started: u64,
    },
    /// The newest record was named by no head; it follows the named one. A record says so.
    HeadBehind {
        /// The record.
        record: u64,
    },
}

/// A record that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its number.
    pub seq: u64,
    /// The SHA-256 of its line, in hexadecimal digits.
    pub hash: String,
}

/// Why a log cannot be opened. Except for `Io` and `Busy`, people must look at it before it is written on.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A file cannot be read or written.
    #[error("open the audit log: {doing}")]
    Io {
        /// What was being attempted.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process writes it.
    #[error("another process writes this audit log")]
    Busy,
    /// It was written by newer software.
    #[error("the audit log has format {format}, which is newer than this software")]
    Newer {
        /// The format.
        format: u32,
    },
    /// There are records and no head that can be trusted.
    #[error("the head of the audit log is missing or damaged")]
    HeadMissing,
    /// The head is signed by another key than the agent's.
    #[error("the head of the audit log is signed by another key")]
    ForeignHead,
    /// Records that the head names are not there.
    #[error("the audit log ends with record {found}, but its head names record {head}")]
    RecordsMissing {
        /// The newest record that the head names.
        head: u64,
        /// The newest record that is there.
        found: u64,
    },
    /// The end of the log is not what the head signs.
    #[error("the end of the audit log was changed near record {seq}")]
    Changed {
        /// The record at which the chain breaks.
        seq: u64,
    },
}

/// Why a record could not be written. The log is as it was before.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The record is too long for a line.
    #[error("the audit record is too long")]
    TooLong,
    /// The disk refuses, for instance because it is full.
    #[error("write the audit log: {doing}")]
    Io {
        /// What was being attempted.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl AuditLog {
    /// Opens the log in `directory`, which exists; begins one where there is none.
    ///
    /// Puts right what a crash left, and tells what. Reads the two newest segments only; [`crate::verify`]
    /// reads all of it.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing has been changed then.
    pub fn open(
        directory: &Path,
        signer: Box<dyn HeadSigner>,
        limits: Limits,
        unix_millis: u64,
    ) -> Result<Opened, OpenError> {
        let held = lock(&directory.join("audit.lock")).map_err(while_opening("take its lock"))?;
        let lock = held.ok_or(OpenError::Busy)?;
        let slots = read_slots(directory).map_err(while_opening("read its head"))?;
        let segments = list(directory).map_err(while_opening("list its segments"))?;
        let tail = tail::find(&segments).map_err(|error| tail_error(error, &slots))?;
        let unnamed = check_end(&slots, &tail, &segments, &*signer)?;
        let unfinished =
            unfinished::find(&segments).map_err(while_opening("look for unfinished jobs"))?;

        let (last, hash) = tail
            .last
            .as_ref()
            .map_or((0, NO_LINE), |line| (line.seq, line.hash));
        let mut log = Self {
            directory: directory.to_owned(),
            limits,
            signer,
            segment: None,
            length: tail.whole,
            last,
            hash,
            unclean: false,
            unsettled: None,
            _lock: lock,
        };
        let mut recoveries = Vec::new();
        log.mend_heads(&slots, unnamed, unix_millis)
            .map_err(while_opening("write its head"))?;
        if unnamed {
            recoveries.push(Recovery::HeadBehind { record: last });
        }
        if let Some(segment) = &tail.segment {
            let mut file = segment
                .open()
                .map_err(while_opening("open its last segment"))?;
            if !tail.torn.is_empty() {
                let kept_as = log.move_aside(&tail.torn, unix_millis)?;
                file.shorten(tail.whole)
                    .map_err(while_opening("cut the torn line off"))?;
                file.sync()
                    .map_err(while_opening("sync its last segment"))?;
                let bytes = u64::try_from(tail.torn.len()).unwrap_or(u64::MAX);
                recoveries.push(Recovery::TornLine { bytes, kept_as });
            }
            log.segment = Some(Box::new(file));
        }
        let unknown = unfinished.into_jobs().into_iter();
        recoveries.extend(unknown.map(|(started, job)| Recovery::JobUnknown { job, started }));
        log.record_recoveries(&tail, &recoveries, unix_millis)?;
        Ok(Opened { log, recoveries })
    }

    /// Writes a record. Returns once it is on the disk; the head is written too, see [`Self::settle`].
    ///
    /// # Errors
    /// See [`AppendError`]; the log is as it was before, and the next call tries afresh.
    pub fn append(&mut self, entry: &Entry, unix_millis: u64) -> Result<Receipt, AppendError> {
        let seq = self.last + 1;
        let time = rfc3339(unix_millis);
        let mut line = encode(seq, &time, &self.hash, entry).ok_or(AppendError::TooLong)?;
        let line_hash = hash(&line);
        line.push(b'\n');
        self.settle()?;
        self.clean_up()?;
        self.make_room(line.len(), seq)?;

        self.unclean = true;
        let segment = self.segment.as_mut().ok_or_else(no_segment)?;
        let put = segment.put(&line).map_err(while_writing("write the line"));
        let synced = put.and_then(|()| segment.sync().map_err(while_writing("sync the line")));
        let head = Head::sign(seq, &line_hash, &time, &*self.signer);
        let named = synced.and_then(|()| {
            head.write(&self.directory)
                .map_err(while_writing("write the head"))
        });
        match named {
            Ok(file) => {
                self.unclean = false;
                self.unsettled = Some(file);
                self.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
                self.last = seq;
                self.hash = line_hash;
                Ok(Receipt {
                    seq,
                    hash: hex::encode(line_hash),
                })
            }
            Err(error) => {
                // Should this fail too, the next append begins with it.
                match self.clean_up() {
                    Ok(()) | Err(_) => Err(error),
                }
            }
        }
    }

    /// Returns once the newest head is on the disk. To be called when nobody waits for a record.
    ///
    /// # Errors
    /// The disk refuses; the records are safe, and the next append tries again.
    pub fn settle(&mut self) -> Result<(), AppendError> {
        if let Some(head) = &self.unsettled {
            head.sync_data().map_err(while_writing("sync the head"))?;
            self.unsettled = None;
        }
        Ok(())
    }

    /// The number of the newest record.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Cuts off what a failed append left.
    fn clean_up(&mut self) -> Result<(), AppendError> {
        if !self.unclean {
            return Ok(());
        }
        let segment = self.segment.as_mut().ok_or_else(no_segment)?;
        segment
            .shorten(self.length)
            .map_err(while_writing("cut a half-written line off"))?;
        segment
            .sync()
            .map_err(while_writing("sync after a failed write"))?;
        self.unclean = false;
        Ok(())
    }

    /// Begins a new segment where there is none or the present one is full.
    fn make_room(&mut self, line: usize, first: u64) -> Result<(), AppendError> {
        let after = self
            .length
            .saturating_add(u64::try_from(line).unwrap_or(u64::MAX));
        if self.segment.is_some() && (self.length == 0 || after <= self.limits.segment_bytes) {
            return Ok(());
        }
        let (_, file) =
            Segment::create(&self.directory, first).map_err(while_writing("begin a segment"))?;
        self.segment = Some(Box::new(file));
        self.length = 0;
        Ok(())
    }

    /// Signs the newest record where no head names it, and replaces heads that are no heads.
    fn mend_heads(&self, slots: &[Slot; 2], unnamed: bool, unix_millis: u64) -> io::Result<()> {
        let head = Head::sign(self.last, &self.hash, &rfc3339(unix_millis), &*self.signer);
        for (number, slot) in (0..).zip(slots) {
            let turn = unnamed && self.last % 2 == number;
            if turn || matches!(slot, Slot::Absent | Slot::Damaged) {
                head.write_into(&self.directory, number)?.sync_all()?;
                sync_directory(&self.directory)?;
            }
        }
        Ok(())
    }

    fn move_aside(&self, torn: &[u8], unix_millis: u64) -> Result<String, OpenError> {
        let name = format!("torn-{}-{unix_millis}.bin", self.last + 1);
        let write = || -> io::Result<()> {
            let path = self.directory.join(&name);
            let mut file = private_file()
                .create(true)
                .truncate(true)
                .write(true)
                .open(path)?;
            file.write_all(torn)?;
            file.sync_all()?;
            sync_directory(&self.directory)
        };
        write().map_err(while_opening("move the torn line aside"))?;
        Ok(name)
    }

    fn record_recoveries(
        &mut self,
        tail: &Tail,
        recoveries: &[Recovery],
        unix_millis: u64,
    ) -> Result<(), OpenError> {
        for recovery in recoveries {
            let entry = match recovery {
                Recovery::TornLine { bytes, kept_as } => Entry::Recovered {
                    torn_bytes: *bytes,
                    torn_sha256: hex::encode(hash(&tail.torn)),
                    kept_as: kept_as.clone(),
                },
                Recovery::HeadBehind { record } => Entry::SignedLate { record: *record },
                Recovery::JobUnknown { job, started } => Entry::Unknown {
                    job: job.clone(),
                    started: *started,
                },
            };
            let written = self.append(&entry, unix_millis).and_then(|_| self.settle());
            written.map_err(|error| match error {
                AppendError::Io { doing, source } => OpenError::Io { doing, source },
                AppendError::TooLong => OpenError::Changed { seq: self.last },
            })?;
        }
        Ok(())
    }
}

/// Holds the end of a log against its heads; tells whether one record is there that no head names.
fn check_end(
    slots: &[Slot; 2],
    tail: &Tail,
    segments: &[Segment],
    signer: &dyn HeadSigner,
) -> Result<bool, OpenError> {
    for slot in slots {
        if let Slot::Newer(format) = slot {
            return Err(OpenError::Newer { format: *format });
        }
    }
    let Some(head) = newest(slots) else {
        // The heads are on the disk before the first segment is made.
        let untouched = segments.is_empty();
        return if untouched {
            Ok(false)
        } else {
            Err(OpenError::HeadMissing)
        };
    };
    if !signed(slots).all(|head| head.is_by(&signer.public_key())) {
        return Err(OpenError::ForeignHead);
    }
    let (found, prev, hash) = tail.last.as_ref().map_or((0, NO_LINE, NO_LINE), |line| {
        (line.seq, line.prev, line.hash)
    });
    if head.seq > found {
        return Err(OpenError::RecordsMissing {
            head: head.seq,
            found,
        });
    }
    let behind = found - head.seq;
    // A power loss leaves at most one record without a head; more were added by somebody else.
    let fits = match behind {
        0 => head.names(&hash),
        1 => head.names(&prev),
        _ => false,
    };
    if fits {
        Ok(behind == 1)
    } else {
        Err(OpenError::Changed {
            seq: head.seq.max(1),
        })
    }
}

fn tail_error(error: TailError, slots: &[Slot; 2]) -> OpenError {
    match error {
        TailError::Io(source) => OpenError::Io {
            doing: "read its end",
            source,
        },
        TailError::Newer(format) => OpenError::Newer { format },
        TailError::Garbled => OpenError::Changed {
            seq: newest(slots).map_or(0, |head| head.seq),
        },
    }
}

fn while_opening(doing: &'static str) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { doing, source }
}

fn while_writing(doing: &'static str) -> impl FnOnce(io::Error) -> AppendError {
    move |source| AppendError::Io { doing, source }
}

/// Where no segment is open; `make_room` opens one before anything is written.
fn no_segment() -> AppendError {
    AppendError::Io {
        doing: "find the segment",
        source: io::ErrorKind::NotFound.into(),
    }
}

#[cfg(test)]
mod tests;
