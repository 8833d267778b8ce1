//! What the pen did: samples as the device gave them, and the device that gave them.
//!
//! Nothing is smoothed, joined or left out: an examiner wants what the digitizer said.
//! Pressure means something only together with the device, so the device is part of the ink.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroize;

/// The most samples of one signature: a quarter of an hour at 200 Hz.
pub const MOST_SAMPLES: usize = 200_000;

/// The longest capture, in microseconds: an hour.
pub const LONGEST_US: u64 = 3_600_000_000;

/// The longest name of a maker, a model, a serial number or a firmware, in bytes.
pub const LONGEST_NAME: usize = 128;

/// The most units in a metre that a digitizer may claim: a unit of 10 nm.
const FINEST: u32 = 100_000_000;

/// The highest rate that a digitizer may claim, in thousandths of a hertz.
const FASTEST: u32 = 100_000_000;

/// The steepest tilt, in hundredths of a degree.
const STEEPEST: i16 = 9_000;

/// A pen signature as it was captured. It belongs to a citizen: it hides itself in `Debug` and is
/// erased when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Ink {
    digitizer: Digitizer,
    captured_by: CapturedBy,
    turn: Turn,
    started_unix_ms: i64,
    samples: Vec<Sample>,
}

/// How the digitizer stood before the citizen, clockwise: its samples stay as they came, and whoever draws them
/// turns them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Turn {
    /// As built: right is right, and down is down.
    #[default]
    None,
    /// By a quarter.
    Quarter,
    /// Upside down.
    Half,
    /// By three quarters.
    ThreeQuarters,
}

impl Turn {
    /// A place of the digitizer as the citizen saw it, but for where it lies.
    #[must_use]
    pub fn seen(self, (x, y): (f64, f64)) -> (f64, f64) {
        match self {
            Self::None => (x, y),
            Self::Quarter => (-y, x),
            Self::Half => (-x, -y),
            Self::ThreeQuarters => (y, -x),
        }
    }
}

/// One report of the pen.
#[derive(Clone, Copy, Default, PartialEq, Eq, Zeroize)]
pub struct Sample {
    /// Microseconds since the capture began, by the clock that the digitizer's description names.
    pub t_us: u64,
    /// To the right, in the digitizer's units.
    pub x: i32,
    /// Downwards, in the digitizer's units.
    pub y: i32,
    /// Raw pressure; 0 where the digitizer measures none.
    pub pressure: u16,
    /// Tilt to the right in hundredths of a degree; 0 where the digitizer measures none.
    pub tilt_x: i16,
    /// Tilt towards the writer in hundredths of a degree; 0 where the digitizer measures none.
    pub tilt_y: i16,
    /// The tip touches.
    pub tip: bool,
    /// The pen is near enough to be seen; where it is not, the position is the last one known.
    pub in_range: bool,
    /// How many samples are known to be missing before this one.
    pub lost_before: u32,
}

/// The digitizer, as far as it told who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digitizer {
    /// Who made it; empty where unknown.
    pub manufacturer: String,
    /// Which model.
    pub model: String,
    /// The serial number; empty where unknown.
    pub serial: String,
    /// The firmware; empty where unknown.
    pub firmware: String,
    /// The range of x.
    pub x: Axis,
    /// The range of y.
    pub y: Axis,
    /// The highest raw pressure, where pressure is measured.
    pub pressure_max: Option<u16>,
    /// Whether tilt is measured.
    pub tilt: bool,
    /// The rate that the maker states, in thousandths of a hertz.
    pub nominal_rate_mhz: Option<u32>,
    /// The rate that was measured during this capture, in thousandths of a hertz.
    pub measured_rate_mhz: Option<u32>,
    /// Whose clock stamped the samples.
    pub clock: ClockSource,
}

/// The range of one coordinate, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// The lowest value.
    pub min: i32,
    /// The highest value.
    pub max: i32,
    /// Units in a metre (1,000 times the units in a millimetre); unknown where a page captured.
    pub units_per_metre: Option<u32>,
}

/// Whose clock stamped the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSource {
    /// The digitizer's own.
    Device,
    /// This machine's, when a report arrived.
    Host,
    /// The browser's, in `PointerEvent.timeStamp`.
    Page,
}

/// Who captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CapturedBy {
    /// A driver of this project, from the device itself.
    Device,
    /// A page, through Pointer Events; it is believed as much as its origin is.
    Page {
        /// The page's origin, such as `https://counter.example.jp`.
        origin: String,
    },
}

/// Why samples are no ink.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum InkError {
    /// Too many samples.
    #[error("{0} samples are more than {MOST_SAMPLES}")]
    TooMany(usize),
    /// Nothing was written.
    #[error("no sample touches")]
    NothingWritten,
    /// A sample is earlier than the one before it.
    #[error("sample {0} is earlier than the one before it")]
    Backwards(usize),
    /// The capture is longer than [`LONGEST_US`].
    #[error("sample {0} is later than an hour after the start")]
    TooLate(usize),
    /// A value lies outside the digitizer's range.
    #[error("{channel} of sample {index} is out of the digitizer's range")]
    OutOfRange {
        /// Which sample, from 0.
        index: usize,
        /// Which value.
        channel: &'static str,
    },
    /// A pen that touches is not in range.
    #[error("sample {0} touches and is out of range")]
    TouchFromAfar(usize),
    /// The description of the digitizer cannot be true.
    #[error("{0} of the digitizer is not usable")]
    Digitizer(&'static str),
    /// The start is not within the years 1970 to 9999.
    #[error("the start is not a time from 1970 to 9999")]
    Start,
}

impl Ink {
    /// Takes samples as ink; `started_unix_ms` is the wall clock at `t_us` 0.
    ///
    /// # Errors
    /// Where a value is out of the digitizer's range, time runs backwards, nothing was written or
    /// the amount is beyond the bounds; nothing is corrected.
    pub fn new(
        digitizer: Digitizer,
        captured_by: CapturedBy,
        started_unix_ms: i64,
        samples: Vec<Sample>,
    ) -> Result<Self, InkError> {
        let ink = Self {
            digitizer,
            captured_by,
            turn: Turn::None,
            started_unix_ms,
            samples,
        };
        ink.digitizer.check()?;
        ink.captured_by.check()?;
        // 9999-12-31T23:59:59.999Z
        if !(0..=253_402_300_799_999).contains(&ink.started_unix_ms) {
            return Err(InkError::Start);
        }
        ink.check_samples()?;
        Ok(ink)
    }

    /// The same of a digitizer that stood so.
    #[must_use]
    pub fn turned(mut self, turn: Turn) -> Self {
        self.turn = turn;
        self
    }

    /// How the digitizer stood.
    #[must_use]
    pub fn turn(&self) -> Turn {
        self.turn
    }

    /// The digitizer.
    #[must_use]
    pub fn digitizer(&self) -> &Digitizer {
        &self.digitizer
    }

    /// Who captured.
    #[must_use]
    pub fn captured_by(&self) -> &CapturedBy {
        &self.captured_by
    }

    /// The wall clock at `t_us` 0, in milliseconds since 1970.
    #[must_use]
    pub fn started_unix_ms(&self) -> i64 {
        self.started_unix_ms
    }

    /// All samples, pen up and pen down.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Runs of samples with the same tip state; the runs joined are all samples.
    pub fn runs(&self) -> impl Iterator<Item = &[Sample]> {
        self.samples.chunk_by(|a, b| a.tip == b.tip)
    }

    /// How many strokes touch.
    #[must_use]
    pub fn strokes(&self) -> usize {
        self.runs()
            .filter(|run| run.first().is_some_and(|sample| sample.tip))
            .count()
    }

    /// How many samples are known to be missing.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.samples
            .iter()
            .map(|sample| u64::from(sample.lost_before))
            .sum()
    }

    fn check_samples(&self) -> Result<(), InkError> {
        if self.samples.len() > MOST_SAMPLES {
            return Err(InkError::TooMany(self.samples.len()));
        }
        let mut before = 0;
        for (index, sample) in self.samples.iter().enumerate() {
            if sample.t_us < before {
                return Err(InkError::Backwards(index));
            }
            if sample.t_us > LONGEST_US {
                return Err(InkError::TooLate(index));
            }
            before = sample.t_us;
            self.digitizer.check_sample(index, sample)?;
        }
        if self.strokes() == 0 {
            return Err(InkError::NothingWritten);
        }
        Ok(())
    }
}

impl Digitizer {
    fn check(&self) -> Result<(), InkError> {
        let names = [
            ("the manufacturer", &self.manufacturer),
            ("the model", &self.model),
            ("the serial number", &self.serial),
            ("the firmware", &self.firmware),
        ];
        for (what, name) in names {
            if !is_name(name) {
                return Err(InkError::Digitizer(what));
            }
        }
        if self.model.is_empty() {
            return Err(InkError::Digitizer("the model"));
        }
        for (what, axis) in [("the range of x", self.x), ("the range of y", self.y)] {
            let unit = axis.units_per_metre.unwrap_or(1);
            if axis.min >= axis.max || unit == 0 || unit > FINEST {
                return Err(InkError::Digitizer(what));
            }
        }
        if self.pressure_max == Some(0) {
            return Err(InkError::Digitizer("the range of pressure"));
        }
        let mut rates = [self.nominal_rate_mhz, self.measured_rate_mhz]
            .into_iter()
            .flatten();
        if rates.any(|rate| rate == 0 || rate > FASTEST) {
            return Err(InkError::Digitizer("the rate"));
        }
        Ok(())
    }

    fn check_sample(&self, index: usize, sample: &Sample) -> Result<(), InkError> {
        let tilt = if self.tilt { STEEPEST } else { 0 };
        let ranges = [
            ("x", self.x.holds(sample.x)),
            ("y", self.y.holds(sample.y)),
            (
                "pressure",
                sample.pressure <= self.pressure_max.unwrap_or(0),
            ),
            ("tilt x", (-tilt..=tilt).contains(&sample.tilt_x)),
            ("tilt y", (-tilt..=tilt).contains(&sample.tilt_y)),
        ];
        for (channel, holds) in ranges {
            if !holds {
                return Err(InkError::OutOfRange { index, channel });
            }
        }
        if sample.tip && !sample.in_range {
            return Err(InkError::TouchFromAfar(index));
        }
        Ok(())
    }
}

impl CapturedBy {
    fn check(&self) -> Result<(), InkError> {
        match self {
            Self::Device => Ok(()),
            Self::Page { origin } if is_name(origin) && !origin.is_empty() => Ok(()),
            Self::Page { .. } => Err(InkError::Digitizer("the origin of the page")),
        }
    }
}

impl Axis {
    fn holds(self, value: i32) -> bool {
        (self.min..=self.max).contains(&value)
    }
}

/// Short, and written with characters that any format can carry; spaces only in the middle, because
/// XML may take them away at the ends.
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.trim() == text
        && !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

impl fmt::Debug for Ink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ink")
            .field("model", &self.digitizer.model)
            .field("samples", &self.samples.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sample(..)")
    }
}

impl Drop for Ink {
    fn drop(&mut self) {
        self.samples.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::{CapturedBy, Ink, InkError, MOST_SAMPLES, Sample};
    use crate::sample_ink::{digitizer, written};

    fn ink(samples: Vec<Sample>) -> Result<Ink, InkError> {
        Ink::new(digitizer(), CapturedBy::Device, 1_795_240_800_000, samples)
    }

    #[test]
    fn what_was_written_is_kept_as_it_came() {
        let samples = written();
        let ink = ink(samples.clone()).unwrap();
        assert_eq!(ink.samples(), samples);
        assert_eq!(ink.strokes(), 3);
        assert_eq!(ink.lost(), 2);
        assert_eq!(
            ink.runs().map(<[Sample]>::len).sum::<usize>(),
            samples.len()
        );
    }

    #[test]
    fn what_cannot_have_been_is_refused_with_its_place() {
        let change = |index: usize, change: fn(&mut Sample)| {
            let mut samples = written();
            change(&mut samples[index]);
            ink(samples).unwrap_err()
        };
        let out = |index, channel| InkError::OutOfRange { index, channel };
        assert_eq!(change(5, |s| s.t_us = 1), InkError::Backwards(5));
        assert_eq!(change(5, |s| s.t_us = u64::MAX), InkError::TooLate(5));
        assert_eq!(change(5, |s| s.x = -1), out(5, "x"));
        assert_eq!(change(5, |s| s.y = 99_999), out(5, "y"));
        assert_eq!(change(5, |s| s.pressure = 9_000), out(5, "pressure"));
        assert_eq!(change(5, |s| s.tilt_x = 9_001), out(5, "tilt x"));
        assert_eq!(change(5, |s| s.tilt_y = i16::MIN), out(5, "tilt y"));
        assert_eq!(
            change(5, |s| s.in_range = false),
            InkError::TouchFromAfar(5)
        );
        assert_eq!(ink(Vec::new()).unwrap_err(), InkError::NothingWritten);
        let many = vec![Sample::default(); MOST_SAMPLES + 1];
        assert_eq!(ink(many).unwrap_err(), InkError::TooMany(MOST_SAMPLES + 1));
    }

    #[test]
    fn a_description_that_no_format_can_carry_is_refused() {
        let refused = |change: fn(&mut super::Digitizer)| {
            let mut digitizer = digitizer();
            change(&mut digitizer);
            Ink::new(digitizer, CapturedBy::Device, 0, written()).unwrap_err()
        };
        assert_eq!(
            refused(|d| d.serial = "a\u{0}".into()),
            InkError::Digitizer("the serial number")
        );
        assert_eq!(
            refused(|d| d.model.clear()),
            InkError::Digitizer("the model")
        );
        assert_eq!(
            refused(|d| d.x.max = d.x.min),
            InkError::Digitizer("the range of x")
        );
        assert_eq!(
            refused(|d| d.measured_rate_mhz = Some(0)),
            InkError::Digitizer("the rate")
        );
        let page = CapturedBy::Page {
            origin: String::new(),
        };
        assert!(Ink::new(digitizer(), page, 0, written()).is_err());
        assert_eq!(
            Ink::new(digitizer(), CapturedBy::Device, -1, written()).unwrap_err(),
            InkError::Start
        );
    }

    #[test]
    fn nobody_reads_a_signature_in_a_log() {
        let ink = ink(written()).unwrap();
        let text = format!("{ink:?} {:?}", ink.samples()[0]);
        assert!(!text.contains("12000"), "{text}");
        assert!(!text.contains("t_us"), "{text}");
    }
}
