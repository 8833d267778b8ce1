//! USB HID report descriptors (Device Class Definition for HID 1.11, clause 6.2.2): where each input value lies.
//!
//! Only what a reader of input reports needs: variable data fields with their usage, ranges and unit, and the
//! lengths of all reports. Arrays and padding are counted, not kept.
//!
//! Why not the `hidreport` crate: version 0.6 panics on items without data and on a usage before any usage page,
//! and collects usage ranges and counts of any size, so a device could end or fill the process. It is the second
//! opinion in the tests instead: both must find the same fields in real descriptors.

use thiserror::Error;

/// The longest descriptor that is read; Linux refuses longer ones too (`HID_MAX_DESCRIPTOR_SIZE`).
pub const MAX_BYTES: usize = 4096;
const MAX_FIELDS: usize = 2048;
const MAX_USAGES: usize = 256;
const MAX_DEPTH: usize = 32;
/// The longest report, in bits: 4 KiB as Linux has it in `HID_MAX_BUFFER_SIZE`, with room.
const MAX_REPORT_BITS: u32 = 8 * 16 * 1024;

/// Why a descriptor cannot be used.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum DescriptorError {
    /// Longer than [`MAX_BYTES`].
    #[error("report descriptor is too long")]
    TooLong,
    /// The last item is not whole.
    #[error("report descriptor ends within the item at byte {offset}")]
    Truncated {
        /// Where the item begins.
        offset: usize,
    },
    /// More nesting, usages, fields or bits than any real device has.
    #[error("report descriptor exceeds a limit at byte {offset}")]
    Excess {
        /// Where the item begins.
        offset: usize,
    },
    /// A collection ends that never began, or a pop without a push.
    #[error("report descriptor is unbalanced at byte {offset}")]
    Unbalanced {
        /// Where the item begins.
        offset: usize,
    },
}

/// A usage: what a value is of (HID Usage Tables).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Usage {
    /// The usage page.
    pub page: u16,
    /// The usage on that page.
    pub id: u16,
}

/// One value within an input report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The report's id; 0 where the device numbers no reports.
    pub report: u8,
    /// The first bit, counted from the report's first byte, its id included.
    pub bit: u32,
    /// How many bits, 1 to 32.
    pub size: u8,
    /// What it is.
    pub usage: Usage,
    /// The usage of the outermost collection around it.
    pub application: Usage,
    /// Smallest and largest value.
    pub logical: (i32, i32),
    /// What these two mean in the unit; the same as `logical` where the device does not say.
    pub physical: (i32, i32),
    /// The unit, as packed in the descriptor; 0 for none.
    pub unit: u32,
    /// The power of ten that the unit is multiplied by.
    pub exponent: i8,
}

impl Field {
    /// The value in `report`, which begins with its id where reports are numbered; `None` where the report is
    /// too short.
    #[must_use]
    pub fn value(&self, report: &[u8]) -> Option<i32> {
        let end = self.bit.checked_add(u32::from(self.size))?;
        let first = usize::try_from(self.bit / 8).ok()?;
        let last = usize::try_from(end.checked_sub(1)? / 8).ok()?;
        let bytes = report.get(first..=last)?;
        let mut raw: u64 = 0;
        for (place, byte) in bytes.iter().enumerate() {
            raw |= u64::from(*byte) << (8 * place);
        }
        let raw = (raw >> (self.bit % 8)) & ((1_u64 << self.size) - 1);
        let signed = self.logical.0 < 0 && raw >> (self.size - 1) == 1;
        let extended = if signed {
            raw | (u64::MAX << self.size)
        } else {
            raw
        };
        // An unsigned value above i32::MAX belongs to no position, pressure or switch.
        i32::try_from(extended.cast_signed()).ok()
    }
}

/// The fields and report lengths of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Descriptor {
    fields: Vec<Field>,
    lengths: Vec<Length>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Length {
    kind: Kind,
    report: u8,
    bits: u32,
}

/// The direction of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// From the device, by itself.
    Input,
    /// To the device.
    Output,
    /// Either way, on request.
    Feature,
}

impl Descriptor {
    /// Reads a descriptor.
    ///
    /// # Errors
    /// Says what is wrong with it; unknown items are skipped, as the specification wants.
    pub fn parse(bytes: &[u8]) -> Result<Self, DescriptorError> {
        if bytes.len() > MAX_BYTES {
            return Err(DescriptorError::TooLong);
        }
        let mut walk = Walk::default();
        let mut offset = 0;
        while offset < bytes.len() {
            let item = Item::at(bytes, offset).ok_or(DescriptorError::Truncated { offset })?;
            walk.take(&item, offset)?;
            offset += item.length;
        }
        Ok(walk.found)
    }

    /// The input values, in the descriptor's order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How long a report is in bytes, with its id where reports are numbered; `None` where there is none.
    #[must_use]
    pub fn length(&self, kind: Kind, report: u8) -> Option<usize> {
        let found = self
            .lengths
            .iter()
            .find(|length| length.kind == kind && length.report == report)?;
        usize::try_from(found.bits.div_ceil(8)).ok()
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Globals {
    page: u16,
    logical: (u32, u32),
    logical_sizes: (u8, u8),
    physical: (u32, u32),
    physical_sizes: (u8, u8),
    exponent: i8,
    unit: u32,
    size: u32,
    count: u32,
    report: u8,
}

#[derive(Debug, Default)]
struct Locals {
    usages: Vec<Usage>,
    minimum: Option<Usage>,
    maximum: Option<Usage>,
}

#[derive(Debug, Default)]
struct Walk {
    globals: Globals,
    pushed: Vec<Globals>,
    locals: Locals,
    collections: Vec<Usage>,
    found: Descriptor,
}

impl Walk {
    fn take(&mut self, item: &Item, offset: usize) -> Result<(), DescriptorError> {
        // The tag and type of a short item, its two size bits cleared.
        match item.tag {
            0x80 => self.data(Kind::Input, item.value, offset)?,
            0x90 => self.data(Kind::Output, item.value, offset)?,
            0xB0 => self.data(Kind::Feature, item.value, offset)?,
            0xA0 => {
                if self.collections.len() >= MAX_DEPTH {
                    return Err(DescriptorError::Excess { offset });
                }
                let none = Usage { page: 0, id: 0 };
                self.collections
                    .push(self.locals.usages.first().copied().unwrap_or(none));
                self.locals = Locals::default();
            }
            0xC0 => {
                self.collections
                    .pop()
                    .ok_or(DescriptorError::Unbalanced { offset })?;
                self.locals = Locals::default();
            }
            0xA4 => {
                if self.pushed.len() >= MAX_DEPTH {
                    return Err(DescriptorError::Excess { offset });
                }
                self.pushed.push(self.globals);
            }
            0xB4 => {
                self.globals = self
                    .pushed
                    .pop()
                    .ok_or(DescriptorError::Unbalanced { offset })?;
            }
            0x08 | 0x18 | 0x28 => self.local(item, offset)?,
            _ => self.global(item),
        }
        Ok(())
    }

    fn global(&mut self, item: &Item) {
        let globals = &mut self.globals;
        match item.tag {
            0x04 => globals.page = low16(item.value),
            0x14 => {
                globals.logical.0 = item.value;
                globals.logical_sizes.0 = item.size;
            }
            0x24 => {
                globals.logical.1 = item.value;
                globals.logical_sizes.1 = item.size;
            }
            0x34 => {
                globals.physical.0 = item.value;
                globals.physical_sizes.0 = item.size;
            }
            0x44 => {
                globals.physical.1 = item.value;
                globals.physical_sizes.1 = item.size;
            }
            0x54 => globals.exponent = exponent(item.value),
            0x64 => globals.unit = item.value,
            0x74 => globals.size = item.value,
            0x84 => globals.report = item.value.to_le_bytes()[0],
            0x94 => globals.count = item.value,
            // Reserved, long, and locals such as designators and strings.
            _ => {}
        }
    }

    fn local(&mut self, item: &Item, offset: usize) -> Result<(), DescriptorError> {
        // Four bytes of data bring their own page in the upper half (clause 6.2.2.8).
        let usage = Usage {
            page: if item.size == 4 {
                low16(item.value >> 16)
            } else {
                self.globals.page
            },
            id: low16(item.value),
        };
        match item.tag {
            0x08 => {
                if self.locals.usages.len() >= MAX_USAGES {
                    return Err(DescriptorError::Excess { offset });
                }
                self.locals.usages.push(usage);
            }
            0x18 => self.locals.minimum = Some(usage),
            _ => self.locals.maximum = Some(usage),
        }
        Ok(())
    }

    fn data(&mut self, kind: Kind, flags: u32, offset: usize) -> Result<(), DescriptorError> {
        let excess = DescriptorError::Excess { offset };
        let globals = self.globals;
        let locals = std::mem::take(&mut self.locals);
        let bits = globals.size.checked_mul(globals.count).ok_or(excess)?;
        let start = self.grow(kind, bits).ok_or(excess)?;
        // Bit 0: constant, bit 1: variable (clause 6.2.2.5).
        let kept = kind == Kind::Input && flags & 1 == 0 && flags & 2 != 0;
        if !kept || globals.size == 0 {
            return Ok(());
        }
        // A value of more bits is no position, pressure or switch; its place has been counted.
        let Some(size) = u8::try_from(globals.size).ok().filter(|size| *size <= 32) else {
            return Ok(());
        };
        for place in 0..globals.count {
            if self.found.fields.len() >= MAX_FIELDS {
                return Err(excess);
            }
            let Some(usage) = locals.usage(place) else {
                continue;
            };
            let bit = start + place * globals.size;
            self.found.fields.push(self.field(usage, bit, size));
        }
        Ok(())
    }

    fn field(&self, usage: Usage, bit: u32, size: u8) -> Field {
        let globals = &self.globals;
        let none = Usage { page: 0, id: 0 };
        let logical = range(globals.logical, globals.logical_sizes);
        let physical = range(globals.physical, globals.physical_sizes);
        Field {
            report: globals.report,
            bit,
            size,
            usage,
            application: self.collections.first().copied().unwrap_or(none),
            logical,
            // Both zero means "not said" (clause 6.2.2.7).
            physical: if physical == (0, 0) {
                logical
            } else {
                physical
            },
            unit: globals.unit,
            exponent: globals.exponent,
        }
    }

    /// Makes room for `bits` in the report that is being described, and says where they begin.
    fn grow(&mut self, kind: Kind, bits: u32) -> Option<u32> {
        let report = self.globals.report;
        let lengths = &mut self.found.lengths;
        let known = lengths
            .iter()
            .position(|length| length.kind == kind && length.report == report);
        let place = known.unwrap_or(lengths.len());
        if known.is_none() {
            // A numbered report begins with its id.
            let bits = if report == 0 { 0 } else { 8 };
            lengths.push(Length { kind, report, bits });
        }
        let length = lengths.get_mut(place)?;
        let start = length.bits;
        length.bits = start
            .checked_add(bits)
            .filter(|bits| *bits <= MAX_REPORT_BITS)?;
        Some(start)
    }
}

impl Locals {
    /// The usage of the `place`th value: the list's, its last again where the list is short, or the range's.
    fn usage(&self, place: u32) -> Option<Usage> {
        let place = usize::try_from(place).ok()?;
        if let Some(usage) = self.usages.get(place).or_else(|| self.usages.last()) {
            return Some(*usage);
        }
        let (minimum, maximum) = (self.minimum?, self.maximum?);
        let id = minimum.id.saturating_add(u16::try_from(place).ok()?);
        Some(Usage {
            page: minimum.page,
            id: id.min(maximum.id),
        })
    }
}

/// One item: its tag with the size bits cleared, its data, and how many bytes it takes.
struct Item {
    tag: u8,
    value: u32,
    size: u8,
    length: usize,
}

impl Item {
    fn at(bytes: &[u8], offset: usize) -> Option<Self> {
        let rest = bytes.get(offset..)?;
        let head = *rest.first()?;
        // A long item (clause 6.2.2.3): its length, its tag, its data. None are defined; skipped.
        if head == 0xFE {
            let data = usize::from(*rest.get(1)?);
            let length = data + 3;
            rest.get(..length)?;
            return Some(Self {
                tag: 0xFC,
                value: 0,
                size: 0,
                length,
            });
        }
        let size = match head & 3 {
            3 => 4,
            small => small,
        };
        let data = rest.get(1..=usize::from(size))?;
        let value = data
            .iter()
            .rev()
            .fold(0, |value: u32, byte| value << 8 | u32::from(*byte));
        Some(Self {
            tag: head & 0xFC,
            value,
            size,
            length: 1 + usize::from(size),
        })
    }
}

/// A minimum and a maximum. The minimum is signed by its own length; the maximum is signed where the minimum is
/// negative, because devices write 255 as one byte (as Linux reads it in `hid_parser_global`).
fn range(values: (u32, u32), sizes: (u8, u8)) -> (i32, i32) {
    let minimum = signed(values.0, sizes.0);
    let maximum = if minimum < 0 {
        signed(values.1, sizes.1)
    } else {
        i32::try_from(values.1).unwrap_or(i32::MAX)
    };
    (minimum, maximum)
}

fn signed(value: u32, size: u8) -> i32 {
    let unused = 32 - 8 * u32::from(size.min(4));
    if unused == 32 {
        return 0;
    }
    (value << unused).cast_signed() >> unused
}

/// A power of ten in four bits (clause 6.2.2.7); some devices write it as a whole byte.
fn exponent(value: u32) -> i8 {
    let low = value.to_le_bytes()[0];
    match low {
        8..=15 => low.cast_signed() - 16,
        whole => whole.cast_signed(),
    }
}

fn low16(value: u32) -> u16 {
    let [low, high, ..] = value.to_le_bytes();
    u16::from_le_bytes([low, high])
}

#[cfg(test)]
mod tests;
