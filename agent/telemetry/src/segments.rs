//! The log of one lane: records at the end of a row of files, read from both ends, freed file by file.
//!
//! ```text
//! al-EPOCH-NUMBER.seg   al-EPOCH-NUMBER.seg   al-EPOCH-NUMBER.seg  <- records are added here
//! `- freed first                                  (16 hexadecimal digits, so that names sort)
//! ```
//! Invariants: a record counts once [`Segments::append`] has synced it, and the segment before it is whole by
//! then; what a failed append left is cut off before the next; for each segment there is one [`Segment`] in
//! memory, however many records it holds; bytes that are no record are passed over and never rewritten.

mod frame;
mod opening;
mod scan;

use std::collections::VecDeque;
use std::io;

use thiserror::Error;

use crate::disk::{Disk, wide};
use crate::envelope::Stamp;
use crate::lane::Lane;
use crate::message::Class;

pub(crate) use frame::LONGEST_FRAME;
pub use frame::Record;
pub use opening::{Damage, Found, OpenError};
pub use scan::{First, Hole, Run, Scan, scan};

/// How segments' names end.
const SUFFIX: &str = ".seg";
/// So much is read at once; most records are shorter.
const READ: usize = 1024;

/// The log of one lane.
#[derive(Debug)]
pub struct Segments {
    lane: Lane,
    segment_bytes: u64,
    /// In order; records are added to the last one, where it may grow.
    index: VecDeque<Segment>,
    /// Whether a failed append may have left bytes after the last segment's end.
    unclean: bool,
}

/// All that is held in memory of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The record that its name promises to come first.
    pub first: First,
    /// How many bytes count.
    pub length: u64,
    /// Which records it holds.
    pub runs: Vec<Run>,
    /// Bytes that are no records.
    pub holes: Vec<Hole>,
    /// When its newest record was made, in seconds since 1970.
    pub newest: u64,
    /// Whether nothing more is added.
    pub closed: bool,
}

/// A place between two records; it stays one while segments come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    segment: First,
    offset: u64,
}

/// Records of one epoch that wait for the disk.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// How long each is, with its stamp's number and time.
    frames: VecDeque<(usize, u64, u64)>,
    epoch: u64,
}

/// A record could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The disk reports an error.
    #[error("read a segment")]
    Disk {
        /// The segment.
        segment: First,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// What stands there is not what was written.
    #[error("a segment has changed since it was opened")]
    Changed {
        /// The segment.
        segment: First,
    },
}

/// Records could not be written; those that are left in the batch do not count.
#[derive(Debug, Error)]
#[error("write a segment: {doing}")]
pub struct WriteError {
    /// What was being attempted.
    pub doing: &'static str,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

impl Place {
    /// Before everything.
    pub const START: Self = Self {
        segment: (0, 0),
        offset: 0,
    };

    /// In which segment it lies.
    #[must_use]
    pub const fn segment(self) -> First {
        self.segment
    }
}

impl Batch {
    /// Adds a record.
    pub fn push(&mut self, stamp: Stamp, class: Class, envelope: &[u8]) {
        let length = frame::write(stamp, class, envelope, &mut self.bytes);
        self.epoch = stamp.epoch;
        let frame = (length, stamp.number, stamp.issued_at);
        self.frames.push_back(frame);
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> u64 {
        wide(self.bytes.len())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The number of the first record that waits.
    #[must_use]
    pub fn first_number(&self) -> Option<u64> {
        self.frames.front().map(|(_, number, _)| *number)
    }

    /// The bytes and count of the first records that fit into `room`; of one, if `room` is that of an empty
    /// segment.
    fn fitting(&self, room: u64, empty: bool) -> (usize, usize) {
        let (mut bytes, mut count) = (0, 0);
        for (length, ..) in &self.frames {
            let first_of_all = empty && count == 0;
            if wide(bytes + length) > room && !first_of_all {
                break;
            }
            bytes += length;
            count += 1;
        }
        (bytes, count)
    }
}

impl Segments {
    /// Which lane it is.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        self.lane
    }

    /// The segments, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.index.iter()
    }

    /// How many bytes they hold.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.index.iter().map(|segment| segment.length).sum()
    }

    /// After everything.
    #[must_use]
    pub fn end(&self) -> Place {
        self.index.back().map_or(Place::START, |last| Place {
            segment: last.first,
            offset: last.length,
        })
    }

    /// Adds all records of a batch, which is empty then; each file is synced once.
    ///
    /// # Errors
    /// Where the disk refuses; the records that are still in the batch do not count, and the next call
    /// tries them anew.
    pub fn append(&mut self, disk: &mut dyn Disk, batch: &mut Batch) -> Result<(), WriteError> {
        while !batch.is_empty() {
            self.clean_up(disk)?;
            let open = self.index.back().filter(|last| !last.closed);
            let room = open.map_or(0, |last| self.segment_bytes.saturating_sub(last.length));
            let (bytes, count) = batch.fitting(room, false);
            if open.is_some() && count > 0 {
                self.extend_last(disk, batch, (bytes, count))?;
            } else {
                let head = wide(scan::HEADER);
                let room = self.segment_bytes.saturating_sub(head);
                let part = batch.fitting(room, true);
                self.begin_segment(disk, batch, part)?;
            }
        }
        Ok(())
    }

    /// The first record at or after a place, and the place after it.
    ///
    /// # Errors
    /// Where it cannot be read; [`Self::reread`] finds what can.
    pub fn forwards(
        &self,
        disk: &mut dyn Disk,
        at: Place,
    ) -> Result<Option<(Record, Place)>, ReadError> {
        let from = self.index.partition_point(|have| have.first < at.segment);
        for segment in self.index.range(from..) {
            let here = segment.first == at.segment;
            let offset = if here { at.offset } else { 0 };
            let offset = segment.past_holes(offset.max(segment.start()));
            if offset < segment.length {
                let (record, length) = self.read(disk, segment, offset)?;
                let after = Place {
                    segment: segment.first,
                    offset: offset + wide(length),
                };
                return Ok(Some((record, after)));
            }
        }
        Ok(None)
    }

    /// The last record that ends at or before a place, and the place before it.
    ///
    /// # Errors
    /// As [`Self::forwards`].
    pub fn backwards(
        &self,
        disk: &mut dyn Disk,
        at: Place,
    ) -> Result<Option<(Record, Place)>, ReadError> {
        let to = self.index.partition_point(|have| have.first <= at.segment);
        for segment in self.index.range(..to).rev() {
            let here = segment.first == at.segment;
            let end = if here { at.offset } else { segment.length };
            let end = segment.before_holes(end.min(segment.length));
            if end > segment.start() {
                let tail = end.saturating_sub(wide(frame::TAIL));
                let tail = disk.read(&name(self.lane, segment.first), tail, frame::TAIL);
                let length = frame::length_before(&tail.map_err(unreadable(segment.first))?);
                let offset = length.and_then(|length| end.checked_sub(wide(length)));
                let offset = offset.ok_or_else(|| changed(segment.first))?;
                let (record, _) = self.read(disk, segment, offset)?;
                let before = Place {
                    segment: segment.first,
                    offset,
                };
                return Ok(Some((record, before)));
            }
        }
        Ok(None)
    }

    /// Removes a segment; whether it was there. The folder is synced by the caller.
    ///
    /// # Errors
    /// Where the disk refuses; it is still there then.
    pub fn remove(&mut self, disk: &mut dyn Disk, first: First) -> Result<bool, WriteError> {
        let place = self.index.iter().position(|segment| segment.first == first);
        let Some(place) = place else {
            return Ok(false);
        };
        disk.remove(&name(self.lane, first))
            .map_err(while_("remove a file"))?;
        self.index.remove(place);
        if place == self.index.len() {
            self.unclean = false;
        }
        Ok(true)
    }

    fn read(
        &self,
        disk: &mut dyn Disk,
        segment: &Segment,
        offset: u64,
    ) -> Result<(Record, usize), ReadError> {
        let first = segment.first;
        let name = name(self.lane, first);
        let mut bytes = disk.read(&name, offset, READ).map_err(unreadable(first))?;
        let length = frame::length(&bytes).ok_or_else(|| changed(first))?;
        if let Some(rest) = length.checked_sub(bytes.len()) {
            let offset = offset + wide(bytes.len());
            let rest = disk.read(&name, offset, rest);
            bytes.extend(rest.map_err(unreadable(first))?);
        }
        frame::read(self.lane, &bytes).ok_or_else(|| changed(first))
    }

    /// Cuts off what a failed append left.
    fn clean_up(&mut self, disk: &mut dyn Disk) -> Result<(), WriteError> {
        if let Some(last) = self.index.back().filter(|_| self.unclean) {
            let name = name(self.lane, last.first);
            disk.truncate(&name, last.length)
                .map_err(while_("cut off what a failed write left"))?;
            disk.sync(&name)
                .map_err(while_("sync after a failed write"))?;
        }
        self.unclean = false;
        Ok(())
    }

    fn extend_last(
        &mut self,
        disk: &mut dyn Disk,
        batch: &mut Batch,
        (bytes, count): (usize, usize),
    ) -> Result<(), WriteError> {
        let Some(last) = self.index.back_mut() else {
            return Ok(());
        };
        let name = name(self.lane, last.first);
        let part = batch.bytes.get(..bytes).unwrap_or_default();
        self.unclean = true;
        disk.write(&name, last.length, part)
            .map_err(while_("add records"))?;
        disk.sync(&name).map_err(while_("sync"))?;
        self.unclean = false;
        last.take(batch, bytes, count);
        Ok(())
    }

    /// Makes a segment whose name survives, with the first records of the batch.
    fn begin_segment(
        &mut self,
        disk: &mut dyn Disk,
        batch: &mut Batch,
        (bytes, count): (usize, usize),
    ) -> Result<(), WriteError> {
        let number = batch.first_number().unwrap_or(0);
        let first = (batch.epoch, number);
        let name = name(self.lane, first);
        let mut content = scan::header(self.lane, first);
        content.extend(batch.bytes.get(..bytes).unwrap_or_default());
        // An attempt that failed may have left it; its records are those of this batch.
        disk.create(&name).map_err(while_("begin a file"))?;
        disk.write(&name, 0, &content)
            .map_err(while_("write a new file"))?;
        disk.sync(&name).map_err(while_("sync a new file"))?;
        disk.sync_folder().map_err(while_("sync the folder"))?;
        let mut segment = Segment {
            first,
            length: wide(scan::HEADER),
            runs: Vec::new(),
            holes: Vec::new(),
            newest: 0,
            closed: false,
        };
        segment.take(batch, bytes, count);
        self.index.push_back(segment);
        Ok(())
    }
}

impl Segment {
    /// Where its records begin.
    fn start(&self) -> u64 {
        let header = wide(scan::HEADER);
        let damaged = self.holes.first().filter(|hole| hole.offset == 0);
        damaged.map_or(header, |hole| hole.end)
    }

    fn past_holes(&self, offset: u64) -> u64 {
        let hole = self
            .holes
            .iter()
            .find(|hole| (hole.offset..hole.end).contains(&offset));
        hole.map_or(offset, |hole| hole.end)
    }

    fn before_holes(&self, end: u64) -> u64 {
        let hole = self
            .holes
            .iter()
            .find(|hole| hole.offset < end && end <= hole.end);
        hole.map_or(end, |hole| hole.offset)
    }

    /// Takes what was synced out of the batch.
    fn take(&mut self, batch: &mut Batch, bytes: usize, count: usize) {
        for (_, number, issued_at) in batch.frames.drain(..count.min(batch.frames.len())) {
            scan::extend(&mut self.runs, batch.epoch, (number, number));
            self.newest = self.newest.max(issued_at);
        }
        batch.bytes.drain(..bytes.min(batch.bytes.len()));
        self.length += wide(bytes);
    }
}

/// What a segment is called.
pub(crate) fn name(lane: Lane, (epoch, number): First) -> String {
    format!("{}-{epoch:016x}-{number:016x}{SUFFIX}", lane.code())
}

/// The lane and first record in a segment's name.
pub(crate) fn read_name(file: &str) -> Option<(Lane, First)> {
    let mut parts = file.strip_suffix(SUFFIX)?.split('-');
    let lane = Lane::of_code(parts.next()?)?;
    let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
    let first = (number()?, number()?);
    // There is one name for a segment.
    (name(lane, first) == file).then_some((lane, first))
}

fn unreadable(segment: First) -> impl Fn(io::Error) -> ReadError {
    move |source| ReadError::Disk { segment, source }
}

const fn changed(segment: First) -> ReadError {
    ReadError::Changed { segment }
}

fn while_(doing: &'static str) -> impl Fn(io::Error) -> WriteError {
    move |source| WriteError { doing, source }
}

#[cfg(test)]
mod tests;
