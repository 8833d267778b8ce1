//! HID POS: readings as input reports of a bar code scanner (usage page 8C).
//!
//! USB-IF, HID Point of Sale Usage Tables 1.02, clause 4: a scanned data report holds three symbology
//! identifiers, decoded data, and whether the data go on in the next report; most devices put the number
//! of bytes in front (Byte Count, usage 3B of page 01).
//! Where each of them stands is taken from the report descriptor. The usual layout of 64 bytes is used
//! only for devices that a quirk names, because a wrong guess delivers wrong content.
//! Invariant: at most `longest` bytes of content are held.

use std::time::Duration;

use device_api::Moment;
use thiserror::Error;
use zeroize::Zeroizing;

use super::aim::AimId;
use super::descriptor::{Descriptor, DescriptorError, Place, Usage};

const SCANNER: Usage = Usage::of(0x8C, 0x02);
const BYTE_COUNT: Usage = Usage::of(0x01, 0x3B);
const IDENTIFIERS: [Usage; 3] = [
    Usage::of(0x8C, 0xFB),
    Usage::of(0x8C, 0xFC),
    Usage::of(0x8C, 0xFD),
];
const DECODED_DATA: Usage = Usage::of(0x8C, 0xFE);
const CONTINUED: Usage = Usage::of(0x8C, 0xFF);

/// Where things stand in a scanner's reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    data: Place,
    count: Option<Place>,
    identifiers: Option<[Place; 3]>,
    continued: Option<Place>,
    vendor: Option<Place>,
    /// Whether some devices put one more byte before identifier and data.
    may_shift: bool,
}

/// Why a device's reports cannot be read.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum LayoutError {
    /// Its descriptor makes no sense.
    #[error("the report descriptor cannot be read")]
    Descriptor(#[from] DescriptorError),
    /// It is no bar code scanner.
    #[error("the device does not describe itself as a code scanner")]
    NoScanner,
    /// Its descriptor names no decoded data in bytes.
    #[error("the report descriptor names no decoded data")]
    NoData,
}

/// Why a reading did not come whole.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ReportError {
    /// A report is shorter than what it must hold, or claims more data than it can hold.
    #[error("a report of {length} bytes cannot hold what it claims")]
    Short {
        /// Its length.
        length: usize,
    },
    /// More came than a reading may hold.
    #[error("a reading is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// A report said that more follows, and nothing did.
    #[error("a reading stopped after {had} bytes")]
    Unfinished {
        /// How many bytes of content had come.
        had: usize,
    },
}

/// What one report holds.
#[derive(PartialEq, Eq)]
pub struct Piece {
    /// Content.
    pub data: Zeroizing<Vec<u8>>,
    /// What the device says of the symbol.
    pub aim: Option<AimId>,
    /// The vendor's own number of the symbology.
    pub vendor: Option<u8>,
    /// Whether the reading goes on in the next report.
    pub continued: bool,
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Piece")
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("aim", &self.aim)
            .field("vendor", &self.vendor)
            .field("continued", &self.continued)
            .finish()
    }
}

impl Layout {
    /// The layout that a report descriptor describes.
    ///
    /// # Errors
    /// Where the device is no code scanner, or does not say where its data stand.
    pub fn described(descriptor: &[u8]) -> Result<Self, LayoutError> {
        let descriptor = Descriptor::read(descriptor)?;
        if !descriptor.is_a(SCANNER) {
            return Err(LayoutError::NoScanner);
        }
        let data = descriptor
            .find(DECODED_DATA)
            .filter(|data| data.size == 8 && data.bit % 8 == 0)
            .ok_or(LayoutError::NoData)?;
        let beside = |usage| {
            descriptor
                .find(usage)
                .filter(|place| place.report == data.report)
        };
        let [first, second, third] = IDENTIFIERS.map(beside);
        Ok(Self {
            data,
            count: beside(BYTE_COUNT),
            identifiers: first
                .zip(second)
                .zip(third)
                .map(|((first, second), third)| [first, second, third]),
            continued: beside(CONTINUED),
            vendor: descriptor.find_vendor(data.report, 8),
            may_shift: false,
        })
    }

    /// The usual layout of 64 bytes, for devices whose descriptor says less: report 02, number of bytes,
    /// identifier, 56 bytes, vendor's symbology, a reserved byte, continuation in bit 0.
    ///
    /// Access-IS ATR110 and LSR118 manuals; the public library webhid-barcode-scanner reads the same, and
    /// has met devices with one more byte before the identifier.
    #[must_use]
    pub const fn usual() -> Self {
        const fn byte(index: usize, count: usize) -> Place {
            Place {
                report: Some(2),
                bit: index * 8,
                size: 8,
                count,
            }
        }
        Self {
            data: byte(5, 56),
            count: Some(byte(1, 1)),
            identifiers: Some([byte(2, 1), byte(3, 1), byte(4, 1)]),
            continued: Some(Place {
                size: 1,
                ..byte(63, 1)
            }),
            vendor: Some(byte(61, 1)),
            may_shift: true,
        }
    }

    /// What `report` holds; `None` where it is another report of the device.
    ///
    /// # Errors
    /// [`ReportError::Short`].
    pub fn piece(&self, report: &[u8]) -> Result<Option<Piece>, ReportError> {
        if self
            .data
            .report
            .is_some_and(|id| report.first() != Some(&id))
        {
            return Ok(None);
        }
        let short = || ReportError::Short {
            length: report.len(),
        };
        let shift = self.shift(report);
        let room = report
            .get(self.data.bit / 8 + shift..)
            .map(|data| data.get(..self.data.count).unwrap_or(data))
            .ok_or_else(short)?;
        let data = match &self.count {
            Some(count) => {
                let count = count.value(report, 0).ok_or_else(short)?;
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                room.get(..count).ok_or_else(short)?
            }
            // Without a number, what is filled up with zeroes ends before them.
            None => {
                let used = room.iter().rposition(|byte| *byte != 0);
                room.get(..used.map_or(0, |last| last + 1)).unwrap_or(room)
            }
        };
        let continued = self.goes_on(report).ok_or_else(short)?;
        Ok(Some(Piece {
            data: Zeroizing::new(data.to_vec()),
            aim: self.identifier(report, shift),
            vendor: self.vendor.and_then(|place| {
                let value = u8::try_from(place.value(report, 0)?).ok()?;
                (value != 0).then_some(value)
            }),
            continued,
        }))
    }

    /// Whether `report` says that the reading goes on in the next one; `None` where it is too short to say.
    fn goes_on(&self, report: &[u8]) -> Option<bool> {
        match &self.continued {
            Some(continued) => Some(continued.value(report, 0)? != 0),
            None => Some(false),
        }
    }

    fn identifier(&self, report: &[u8], shift: usize) -> Option<AimId> {
        let mut identifier = [0u8; 3];
        for (byte, place) in identifier.iter_mut().zip(self.identifiers.as_ref()?) {
            let shifted = Place {
                bit: place.bit + shift * 8,
                ..*place
            };
            *byte = u8::try_from(shifted.value(report, 0)?).ok()?;
        }
        AimId::split(&identifier).map(|(aim, _)| aim)
    }

    fn shift(&self, report: &[u8]) -> usize {
        let shifted = self.may_shift
            && self.identifier(report, 0).is_none()
            && self.identifier(report, 1).is_some();
        usize::from(shifted)
    }
}

/// Joins the reports of one reading.
///
/// ```text
/// between -- continued --> collecting -- last report --> between   (a reading)
///    |                          |
///    |  a bad report, too long  |  unless it is the last
///    '------> discarding <------'  -- last report, silence --> between
/// ```
#[derive(Debug)]
pub struct Reports {
    layout: Layout,
    longest: usize,
    silence: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    Between,
    /// What has come so far, and when its latest report came.
    Collecting(Piece, Moment),
    /// The rest of a reading that is spoilt, which was told; when its latest report came.
    Discarding(Moment),
}

impl Reports {
    /// Joins reports to readings of at most `longest` bytes, between whose reports no longer pause than
    /// `silence` lies.
    #[must_use]
    pub const fn new(layout: Layout, longest: usize, silence: Duration) -> Self {
        Self {
            layout,
            longest,
            silence,
            state: State::Between,
        }
    }

    /// Takes a report that came at `at`, and returns the reading that it completes, or what it spoils.
    ///
    /// After a report that cannot be read, what follows is the rest of the same reading, unless the report
    /// says that none follows.
    pub fn push(&mut self, report: &[u8], at: Moment) -> Vec<Result<Piece, ReportError>> {
        let mut done: Vec<_> = self.tick(at).map(Err).into_iter().collect();
        match self.layout.piece(report) {
            Ok(Some(piece)) => done.extend(self.join(piece, at)),
            Ok(None) => {}
            Err(error) => {
                self.state = match self.layout.goes_on(report) {
                    Some(false) => State::Between,
                    Some(true) | None => State::Discarding(at),
                };
                done.push(Err(error));
            }
        }
        done
    }

    /// Takes the passing of time: gives up a reading whose next report does not come.
    pub fn tick(&mut self, now: Moment) -> Option<ReportError> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        match std::mem::replace(&mut self.state, State::Between) {
            State::Collecting(begun, _) => Some(ReportError::Unfinished {
                had: begun.data.len(),
            }),
            State::Between | State::Discarding(_) => None,
        }
    }

    /// When a reading that has begun is given up.
    #[must_use]
    pub fn due(&self) -> Option<Moment> {
        match &self.state {
            State::Between => None,
            State::Collecting(_, last) | State::Discarding(last) => Some(last.plus(self.silence)),
        }
    }

    fn join(&mut self, piece: Piece, at: Moment) -> Option<Result<Piece, ReportError>> {
        let continued = piece.continued;
        let joined = match std::mem::replace(&mut self.state, State::Between) {
            State::Discarding(_) => {
                if continued {
                    self.state = State::Discarding(at);
                }
                return None;
            }
            State::Collecting(mut begun, _) => {
                begun.data.extend_from_slice(&piece.data);
                begun.continued = continued;
                begun
            }
            State::Between if continued => self.with_room(piece),
            State::Between => piece,
        };
        if joined.data.len() > self.longest {
            if continued {
                self.state = State::Discarding(at);
            }
            return Some(Err(ReportError::TooLong {
                limit: self.longest,
            }));
        }
        if continued {
            self.state = State::Collecting(joined, at);
            return None;
        }
        (!joined.data.is_empty()).then_some(Ok(joined))
    }

    /// The piece in a buffer that never grows: growing would leave copies behind that nobody erases.
    fn with_room(&self, piece: Piece) -> Piece {
        let most = self.longest.saturating_add(self.layout.data.count);
        let mut data = Zeroizing::new(Vec::with_capacity(most.max(piece.data.len())));
        data.extend_from_slice(&piece.data);
        Piece { data, ..piece }
    }
}

#[cfg(test)]
mod tests;
