//! Reads a whole log and tells whether it is what was written.
//!
//! Each line is held against its predecessor by the chain, and the newest against the heads.
//! Where they disagree, one line more is read to tell which of the two was touched.
//! Memory is constant however long the log is, except for the jobs whose end is not recorded.

use std::io;
use std::path::Path;

use thiserror::Error;

use crate::head::{Head, Slot, newest, read_slots, signed};
pub use crate::lines::Place;
use crate::lines::{Lines, RawLine};
use crate::record::{Hash, Line, NO_LINE, NotALine, decode};
use crate::segment::list;
use crate::unfinished::Unfinished;

/// What a log is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many records are proved, from the first on.
    pub records: u64,
    /// The time of the first record.
    pub first_time: Option<String>,
    /// The time of the last record that is proved.
    pub last_time: Option<String>,
    /// How many segments there are.
    pub segments: usize,
    /// The key that signed the head, in hexadecimal digits.
    pub key: Option<String>,
    /// Records at the end that no head names yet: at most one, after a power loss, or more while the
    /// agent is writing.
    pub unnamed: u64,
    /// Bytes of a half-written line at the end, after a power loss.
    pub torn_bytes: usize,
    /// The records of starts whose jobs have no record of an end: running now, or to be closed as unknown
    /// at the agent's next start.
    pub unfinished: Vec<u64>,
    /// How many jobs were closed as unknown, because the agent ended in the middle of them.
    pub unknown: u64,
    /// The first thing that is wrong; `None` where the log is intact.
    pub finding: Option<Finding>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub defect: Defect,
    /// Where; `None` where it is no place in a segment.
    pub place: Option<Place>,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// This record is not as it was written.
    Changed {
        /// The record.
        seq: u64,
    },
    /// These records are not there.
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// This record stands before one that was written earlier.
    Reordered {
        /// The record.
        seq: u64,
    },
    /// This record stands here again.
    Repeated {
        /// The record.
        seq: u64,
    },
    /// The records form a chain, but not the one that the agent signed.
    Rewritten,
    /// There is no head.
    HeadMissing,
    /// A head is damaged, or its signature does not fit. Just after a power loss one of the two can be
    /// half written; the agent's next start puts that right.
    HeadDamaged {
        /// Which of the two files, 0 or 1.
        slot: usize,
    },
    /// The head is signed by another key than the one that was named.
    ForeignKey,
    /// Records at the end were added without the agent's key.
    NotSigned {
        /// The first of them.
        from: u64,
    },
    /// Something is of a format that is newer than this software.
    Newer {
        /// The format.
        format: u32,
    },
}

/// Why a log cannot be read.
#[derive(Debug, Error)]
#[error("read the audit log")]
pub struct VerifyError(#[from] io::Error);

/// Verifies the log in `directory`; the head's key must be `key` where one is given.
///
/// The agent may be writing meanwhile.
///
/// # Errors
/// A file cannot be read. What the files say is never an error but a finding.
pub fn verify(directory: &Path, key: Option<&[u8; 32]>) -> Result<Report, VerifyError> {
    let slots = read_slots(directory)?;
    let segments = list(directory)?;
    let count = segments.len();
    let mut walk = Walk::new(&slots);
    walk.heads(&slots, key);
    if walk.finding.is_none() {
        walk.lines(Lines::new(segments))?;
    }
    if walk.finding.is_none() {
        walk.compare_end(directory)?;
    }
    Ok(Report {
        records: walk.last,
        first_time: walk.first_time,
        last_time: walk.last_time,
        segments: count,
        key: newest(&slots).map(|head| head.key().to_owned()),
        unnamed: walk
            .last
            .saturating_sub(newest(&slots).map_or(0, |head| head.seq)),
        torn_bytes: walk.torn_bytes,
        unfinished: walk.unfinished.starts(),
        unknown: walk.unfinished.lost(),
        finding: walk.finding,
    })
}

/// What is known while going from line to line.
#[derive(Debug)]
struct Walk<'a> {
    /// Each head, and whether the line that it names was as it says.
    heads: Vec<(&'a Head, bool)>,
    last: u64,
    hash: Hash,
    place: Option<Place>,
    first_time: Option<String>,
    last_time: Option<String>,
    torn_bytes: usize,
    unfinished: Unfinished,
    finding: Option<Finding>,
}

impl<'a> Walk<'a> {
    fn new(slots: &'a [Slot; 2]) -> Self {
        // The head of an empty log names the hash before the first record.
        let heads = signed(slots)
            .map(|head| (head, head.seq == 0 && head.names(&NO_LINE)))
            .collect();
        Self {
            heads,
            last: 0,
            hash: NO_LINE,
            place: None,
            first_time: None,
            last_time: None,
            torn_bytes: 0,
            unfinished: Unfinished::default(),
            finding: None,
        }
    }

    fn heads(&mut self, slots: &[Slot; 2], key: Option<&[u8; 32]>) {
        for (slot, content) in slots.iter().enumerate() {
            match content {
                Slot::Damaged => self.found(Defect::HeadDamaged { slot }, None),
                Slot::Newer(format) => self.found(Defect::Newer { format: *format }, None),
                Slot::Absent | Slot::Signed(_) => {}
            }
        }
        let Some(newest) = newest(slots) else {
            self.found(Defect::HeadMissing, None);
            return;
        };
        // The agent makes both files before the first record.
        if slots.contains(&Slot::Absent) {
            self.found(Defect::HeadMissing, None);
        }
        let by_one_key = signed(slots).all(|head| head.key() == newest.key());
        if !by_one_key || key.is_some_and(|key| !newest.is_by(key)) {
            self.found(Defect::ForeignKey, None);
        }
    }

    fn lines(&mut self, mut lines: Lines) -> io::Result<()> {
        let mut next = lines.next_line()?;
        while let Some(raw) = next {
            next = lines.next_line()?;
            if !raw.complete && raw.in_last_segment && next.is_none() {
                self.torn_bytes = raw.bytes.len();
                return Ok(());
            }
            match decode(&raw.bytes) {
                Ok(line) if raw.complete && line.prev == self.hash && line.seq == self.last + 1 => {
                    self.proved(line, raw.place);
                }
                Ok(line) if raw.complete => {
                    let (defect, place) = self.tell(&line, &raw, next.as_ref());
                    self.found(defect, place);
                }
                Ok(_) | Err(NotALine::Garbled) => {
                    let changed = Defect::Changed { seq: self.last + 1 };
                    self.found(changed, Some(raw.place));
                }
                Err(NotALine::Newer(format)) => {
                    self.found(Defect::Newer { format }, Some(raw.place))
                }
            }
            if self.finding.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn proved(&mut self, line: Line, place: Place) {
        for (head, fits) in &mut self.heads {
            if head.seq == line.seq {
                *fits = head.names(&line.hash);
            }
        }
        self.last = line.seq;
        self.hash = line.hash;
        self.unfinished.learn(line.seq, line.about);
        self.place = Some(place);
        if self.first_time.is_none() {
            self.first_time = Some(line.time.clone());
        }
        self.last_time = Some(line.time);
    }

    /// A line does not follow the one before it: tells why, with the help of the one after it.
    fn tell(&self, line: &Line, raw: &RawLine, next: Option<&RawLine>) -> (Defect, Option<Place>) {
        let here = Some(raw.place.clone());
        let expected = self.last + 1;
        let next = next.and_then(|raw| decode(&raw.bytes).ok());
        if line.seq == expected {
            // Whoever comes after, a record or a head, knows this line as it was written.
            let vouched = match &next {
                Some(next) => next.prev == line.hash,
                None => self
                    .heads
                    .iter()
                    .any(|(head, _)| head.seq == line.seq && head.names(&line.hash)),
            };
            return if vouched && self.last > 0 {
                (Defect::Changed { seq: self.last }, self.place.clone())
            } else {
                (Defect::Changed { seq: expected }, here)
            };
        }
        if line.prev == self.hash {
            return (Defect::Changed { seq: expected }, here);
        }
        if line.seq < expected {
            return (Defect::Repeated { seq: line.seq }, here);
        }
        if next.is_some_and(|next| next.seq >= expected && next.seq < line.seq) {
            return (Defect::Reordered { seq: line.seq }, here);
        }
        (
            Defect::Missing {
                from: expected,
                to: line.seq - 1,
            },
            here,
        )
    }

    /// The chain is unbroken to its end: is it the one that was signed, and all of it?
    fn compare_end(&mut self, directory: &Path) -> io::Result<()> {
        let newest = self
            .heads
            .iter()
            .map(|(head, _)| head.seq)
            .max()
            .unwrap_or(0);
        if newest > self.last {
            let missing = Defect::Missing {
                from: self.last + 1,
                to: newest,
            };
            self.found(missing, self.place.clone());
            return Ok(());
        }
        let misfits = self
            .heads
            .iter()
            .filter(|(_, fits)| !fits)
            .map(|(head, _)| head.seq);
        let misfits: Vec<u64> = misfits.collect();
        match misfits.as_slice() {
            [] => {}
            [one] if *one == newest && newest == self.last => {
                self.found(Defect::Changed { seq: *one }, self.place.clone());
            }
            _ => self.found(Defect::Rewritten, None),
        }
        let unnamed = self.last - newest;
        if unnamed > 1 && self.finding.is_none() {
            // The agent may have gone on while the lines were read: then it has signed since.
            let now = read_slots(directory)?;
            if signed(&now).all(|head| head.seq <= newest) {
                self.found(Defect::NotSigned { from: newest + 1 }, self.place.clone());
            }
        }
        Ok(())
    }

    /// Keeps the first finding.
    fn found(&mut self, defect: Defect, place: Option<Place>) {
        if self.finding.is_none() {
            self.finding = Some(Finding { defect, place });
        }
    }
}
