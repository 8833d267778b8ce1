//! What of a segment's bytes is sound: the reader of files that a power cut, a bad disk or a person changed.
//!
//! ```text
//! header | record | record | ### hole ### | record | ~~~ torn ~~~
//! ```
//! After damage every following byte is tried as the beginning of a record, so that one bad record costs
//! one record.
//! What follows the last sound record is `torn`: whether that is the ordinary end of a power cut or damage
//! depends on what follows the segment, which is not known here.
//! Invariants: records come in the order of (epoch, number); holes and records do not overlap, and together
//! with header and torn end are the whole file.

use super::frame::{self, number, wide32};
use crate::disk::wide;
use crate::lane::Lane;
use crate::ranges::Range;

/// The format of segments that this version writes.
const FORMAT: u16 = 1;
/// What a segment begins with.
const MAGIC: &[u8; 8] = b"MADOGSEG";
/// How long the header is.
pub(crate) const HEADER: usize = 32;

/// Which record a segment begins with, by its epoch and number; segments are named and ordered by it.
pub type First = (u64, u64);

/// Numbers in a row in one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Their epoch.
    pub epoch: u64,
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// Bytes in a segment that are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Where they begin.
    pub offset: u64,
    /// Where what follows them begins.
    pub end: u64,
}

/// What was found in a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// The records, as runs.
    pub runs: Vec<Run>,
    /// Bytes before a sound record that are none, a damaged header among them; an empty one at 0 where no
    /// header is there, and no bytes in its place.
    pub holes: Vec<Hole>,
    /// Where the last sound record ends; where the header ends if there is none.
    pub sound: u64,
    /// How many bytes follow it.
    pub torn: u64,
    /// How many records there are.
    pub records: u64,
    /// When the newest record was made, in seconds since 1970.
    pub newest: u64,
    /// The format that a sound header names, if it is newer than this software.
    pub newer: Option<u16>,
}

/// The header of a segment.
pub(crate) fn header(lane: Lane, first: First) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend(lane.code().as_bytes());
    bytes.extend(first.0.to_le_bytes());
    bytes.extend(first.1.to_le_bytes());
    let crc = crc32c::crc32c(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// Looks through all bytes of a segment.
#[must_use]
pub fn scan(lane: Lane, bytes: &[u8]) -> Scan {
    let mut found = Scan::default();
    let mut at = 0;
    match read_header(lane, bytes) {
        Some(FORMAT) => at = HEADER,
        Some(newer) if newer > FORMAT => found.newer = Some(newer),
        Some(_) | None => {}
    }
    found.sound = wide(at);
    let mut hole = (at == 0).then_some(0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        // A record that comes before its predecessor is none of this segment's.
        match frame::read(lane, rest).filter(|(record, _)| found.follows(&record.stamp)) {
            Some((record, length)) => {
                if let Some(offset) = hole.take() {
                    let end = wide(at);
                    found.holes.push(Hole { offset, end });
                }
                at += length;
                found.add(&record.stamp, wide(at));
            }
            None => {
                hole = hole.or_else(|| Some(wide(at)));
                at += 1;
            }
        }
    }
    found.torn = wide(bytes.len()).saturating_sub(found.sound);
    found
}

impl Scan {
    fn follows(&self, stamp: &crate::envelope::Stamp) -> bool {
        let last = self.runs.last().map(|run| (run.epoch, run.last));
        last.is_none_or(|last| last < (stamp.epoch, stamp.number))
    }

    fn add(&mut self, stamp: &crate::envelope::Stamp, end: u64) {
        extend(&mut self.runs, stamp.epoch, (stamp.number, stamp.number));
        self.records += 1;
        self.newest = self.newest.max(stamp.issued_at);
        self.sound = end;
    }
}

/// Adds numbers after all that are there.
pub(crate) fn extend(runs: &mut Vec<Run>, epoch: u64, (first, last): Range) {
    match runs.last_mut() {
        Some(run) if run.epoch == epoch && run.last.checked_add(1) == Some(first) => {
            run.last = last;
        }
        Some(_) | None => runs.push(Run { epoch, first, last }),
    }
}

/// The format that a sound header of this lane names.
fn read_header(lane: Lane, bytes: &[u8]) -> Option<u16> {
    let header = bytes.get(..HEADER)?;
    let (said, crc) = header.split_at_checked(HEADER - 4)?;
    let named = said.get(10..12)? == lane.code().as_bytes();
    let sound = said.starts_with(MAGIC) && wide32(crc32c::crc32c(said)) == number(crc)?;
    let format = u16::try_from(number(said.get(8..10)?)?).ok()?;
    (named && sound).then_some(format)
}
