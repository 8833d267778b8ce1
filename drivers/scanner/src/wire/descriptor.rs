//! HID report descriptors: which bits of an input report are which usage.
//!
//! USB Device Class Definition for HID 1.11, clause 6.2.2.
//! A reader of our own, because a descriptor is written by the device: a public parser that was tried
//! (`hidreport` 0.6, the oracle of the tests below) ends the process over a usage without a page, and
//! allocates one entry for each of up to four thousand million repetitions.
//! Invariant: what is kept grows with the descriptor's length, never with the numbers in it.

use std::ops::RangeInclusive;

use thiserror::Error;

/// Linux accepts no longer descriptor (`HID_MAX_DESCRIPTOR_SIZE`).
const LONGEST: usize = 4096;
/// Linux accepts no longer report (`HID_MAX_BUFFER_SIZE`), here in bits.
const MOST_BITS: usize = 16 * 1024 * 8;
/// Deeper nesting of Push is no device's.
const DEEPEST: usize = 16;

/// A usage with its page in the upper half, as HID writes it in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usage(pub u32);

impl Usage {
    /// The usage `id` of `page`.
    #[must_use]
    pub const fn of(page: u16, id: u16) -> Self {
        Self(((page as u32) << 16) | id as u32)
    }

    /// Its page.
    #[must_use]
    pub const fn page(self) -> u32 {
        self.0 >> 16
    }
}

/// Where values of one usage stand in an input report, its id included where reports are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The report's id, where the device numbers its reports.
    pub report: Option<u8>,
    /// The first bit.
    pub bit: usize,
    /// Bits of each value.
    pub size: usize,
    /// How many values.
    pub count: usize,
}

impl Place {
    /// Value `index` in `report`; values of more than 32 bits are not read.
    #[must_use]
    pub fn value(&self, report: &[u8], index: usize) -> Option<u32> {
        if index >= self.count || self.size > 32 {
            return None;
        }
        let first = self.bit.checked_add(self.size.checked_mul(index)?)?;
        (0..self.size).try_fold(0u32, |value, offset| {
            let bit = first + offset;
            let byte = report.get(bit / 8)?;
            Some(value | (u32::from((byte >> (bit % 8)) & 1) << offset))
        })
    }
}

/// What a descriptor says of input and feature reports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Descriptor {
    controls: Vec<Control>,
    applications: Vec<Usage>,
    features: Vec<u8>,
}

/// One main item: some controls in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Control {
    usages: Vec<RangeInclusive<u32>>,
    place: Place,
    variable: bool,
}

/// Why a descriptor cannot be used.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum DescriptorError {
    /// No operating system would have accepted it.
    #[error("the report descriptor is longer than {LONGEST} bytes")]
    TooLong,
    /// An item ends behind the descriptor.
    #[error("the item at byte {at} of the report descriptor is cut off")]
    CutOff {
        /// Where the item begins.
        at: usize,
    },
    /// More or larger fields than a report can have, or too many of something.
    #[error("the item at byte {at} of the report descriptor goes beyond what a report can hold")]
    TooLarge {
        /// Where the item begins.
        at: usize,
    },
}

#[derive(Debug, Clone, Copy, Default)]
struct Globals {
    page: u16,
    size: usize,
    count: usize,
    report: Option<u8>,
}

#[derive(Debug, Default)]
struct Locals {
    usages: Vec<RangeInclusive<u32>>,
    minimum: Option<u32>,
}

#[derive(Debug, Default)]
struct Reader {
    globals: Globals,
    pushed: Vec<Globals>,
    locals: Locals,
    depth: usize,
    /// How long each input report is so far, in bits.
    lengths: Vec<(Option<u8>, usize)>,
    found: Descriptor,
}

impl Descriptor {
    /// Reads a descriptor.
    ///
    /// # Errors
    /// Where it is cut off or goes beyond every limit. What is merely strange is kept as it is.
    pub fn read(bytes: &[u8]) -> Result<Self, DescriptorError> {
        if bytes.len() > LONGEST {
            return Err(DescriptorError::TooLong);
        }
        let mut reader = Reader::default();
        let mut rest = bytes;
        while let Some((prefix, after)) = rest.split_first() {
            let at = bytes.len() - rest.len();
            let cut_off = || DescriptorError::CutOff { at };
            if *prefix == 0xFE {
                // A long item (6.2.2.3); none is defined.
                let (head, after) = after.split_first_chunk::<2>().ok_or_else(cut_off)?;
                let [length, _tag] = *head;
                rest = after.get(usize::from(length)..).ok_or_else(cut_off)?;
                continue;
            }
            let size = match prefix & 3 {
                3 => 4,
                size => usize::from(size),
            };
            let data = after.get(..size).ok_or_else(cut_off)?;
            rest = after.get(size..).ok_or_else(cut_off)?;
            reader
                .item(prefix & 0xFC, data)
                .ok_or(DescriptorError::TooLarge { at })?;
        }
        Ok(reader.found)
    }

    /// Whether the device is a `usage` as a whole (an application collection).
    #[must_use]
    pub fn is_a(&self, usage: Usage) -> bool {
        self.applications.contains(&usage)
    }

    /// Where `usage` stands, in the first input report that has it.
    #[must_use]
    pub fn find(&self, usage: Usage) -> Option<Place> {
        self.controls.iter().find_map(|control| control.find(usage))
    }

    /// Where the first usage of a page that vendors define (FF00 and above) stands in input report `report`,
    /// in values of `size` bits.
    #[must_use]
    pub fn find_vendor(&self, report: Option<u8>, size: usize) -> Option<Place> {
        self.controls
            .iter()
            .filter(|control| control.place.report == report && control.place.size == size)
            .find(|control| {
                let first = control.usages.first().map(|range| Usage(*range.start()));
                first.is_some_and(|usage| usage.page() >= 0xFF00)
            })
            .map(|control| Place {
                count: 1,
                ..control.place
            })
    }

    /// Whether the device has feature report `id`.
    #[must_use]
    pub fn has_feature(&self, id: u8) -> bool {
        self.features.contains(&id)
    }
}

impl Control {
    fn find(&self, usage: Usage) -> Option<Place> {
        let mut before = 0usize;
        for (index, range) in self.usages.iter().enumerate() {
            let length = usize::try_from(range.end().saturating_sub(*range.start())).ok()? + 1;
            if range.contains(&usage.0) {
                if !self.variable {
                    return Some(self.place);
                }
                let within = usize::try_from(usage.0 - range.start()).ok()?;
                let skipped = before.checked_add(within)?;
                let left = self
                    .place
                    .count
                    .checked_sub(skipped)
                    .filter(|left| *left > 0)?;
                // The last usage holds for all controls that are left (6.2.2.8).
                let last = index + 1 == self.usages.len() && within + 1 == length;
                return Some(Place {
                    bit: self.place.bit + skipped * self.place.size,
                    count: if last { left } else { 1 },
                    ..self.place
                });
            }
            before = before.checked_add(length)?;
        }
        None
    }
}

impl Reader {
    /// Takes one short item; `None` where it goes beyond a limit.
    fn item(&mut self, kind: u8, data: &[u8]) -> Option<()> {
        let value = data
            .iter()
            .rev()
            .fold(0u32, |value, byte| (value << 8) | u32::from(*byte));
        let low = u16::try_from(value & 0xFFFF).ok()?;
        match kind {
            // Main: input, output, feature, collection, end of collection.
            0x80 => self.input(value)?,
            0xB0 => self.found.features.extend(self.globals.report),
            0xA0 => self.collection(value),
            0xC0 => self.depth = self.depth.saturating_sub(1),
            // Global: usage page, report size, id, count, push, pop.
            0x04 => self.globals.page = low,
            0x74 => self.globals.size = usize::try_from(value).ok()?,
            0x84 => self.globals.report = Some(u8::try_from(value).ok()?),
            0x94 => self.globals.count = usize::try_from(value).ok()?,
            0xA4 => {
                self.pushed.push(self.globals);
                return (self.pushed.len() <= DEEPEST).then_some(());
            }
            0xB4 => self.globals = self.pushed.pop()?,
            // Local: usage, minimum, maximum.
            0x08 => {
                let usage = self.usage(value, data.len());
                self.locals.usages.push(usage..=usage);
            }
            0x18 => self.locals.minimum = Some(self.usage(value, data.len())),
            0x28 => {
                let (minimum, maximum) = (self.locals.minimum?, self.usage(value, data.len()));
                self.locals.usages.push(minimum..=maximum.max(minimum));
            }
            _ => {}
        }
        if kind & 0x0C == 0 {
            self.locals = Locals::default();
        }
        Some(())
    }

    fn usage(&self, value: u32, length: usize) -> u32 {
        if length == 4 {
            value
        } else {
            Usage::of(self.globals.page, 0).0 | value
        }
    }

    fn collection(&mut self, kind: u32) {
        if self.depth == 0 && kind == 1 {
            let usages = self.locals.usages.iter();
            self.found
                .applications
                .extend(usages.map(|range| Usage(*range.start())));
        }
        self.depth = self.depth.saturating_add(1);
    }

    fn input(&mut self, flags: u32) -> Option<()> {
        let Globals {
            size,
            count,
            report,
            ..
        } = self.globals;
        let bits = size.checked_mul(count).filter(|bits| *bits <= MOST_BITS)?;
        let known = self.lengths.iter().position(|(id, _)| *id == report);
        let index = known.unwrap_or_else(|| {
            // Behind its id, where reports are numbered.
            let first = if report.is_some() { 8 } else { 0 };
            self.lengths.push((report, first));
            self.lengths.len() - 1
        });
        let (_, length) = self.lengths.get_mut(index)?;
        let bit = *length;
        *length = length.checked_add(bits).filter(|bits| *bits <= MOST_BITS)?;
        let constant = flags & 1 != 0;
        if !constant && bits > 0 {
            self.found.controls.push(Control {
                usages: std::mem::take(&mut self.locals.usages),
                place: Place {
                    report,
                    bit,
                    size,
                    count,
                },
                variable: flags & 2 != 0,
            });
        }
        Some(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
