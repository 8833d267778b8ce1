//! ISO/IEC 19794-7:2007, the general ("full") format: for systems that compare signatures.
//!
//! An export, not the archive: it has no device, no lost samples and 16-bit values.
//! The text of the standard was not at hand; the layout is the one that the public BioSignIn
//! project reads and writes, and that a reader of the Fraunhofer institute agrees with:
//!
//! ```text
//! "SDI\0"  " 10\0"  channels (16 bits, X first)
//! a description for each channel: which attributes (8 bits), 16 bits for each of them
//! reserved 0   extended data 0 or 1   number of points (24 bits)
//! points: 16 bits for each channel     [length (16 bits) and extended data]
//! ```
//!
//! Signed channels are stored with 32768 added. A scaling value is a 5-bit exponent, biased by 16,
//! and an 11-bit fraction; a stored value divided by it is in mm, s or degrees.

mod reader;

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

pub use reader::{IsoError, read};

use crate::ink::{Axis, Ink, Sample};

/// What a record opens with.
const MAGIC: &[u8; 8] = b"SDI\0 10\0";

/// Stored values of signed channels are this much higher.
const BIAS: i32 = 32_768;

/// Stored ticks in a second: a point's time is in milliseconds.
const TICKS: f64 = 1_000.0;

/// The channels of the format, in the order of the inclusion field, the highest bit first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the standard")]
pub enum Channel {
    X,
    Y,
    Z,
    Vx,
    Vy,
    Ax,
    Ay,
    T,
    Dt,
    F,
    S,
    Tx,
    Ty,
    Az,
    El,
    R,
}

/// All channels in their order.
const CHANNELS: [Channel; 16] = [
    Channel::X,
    Channel::Y,
    Channel::Z,
    Channel::Vx,
    Channel::Vy,
    Channel::Ax,
    Channel::Ay,
    Channel::T,
    Channel::Dt,
    Channel::F,
    Channel::S,
    Channel::Tx,
    Channel::Ty,
    Channel::Az,
    Channel::El,
    Channel::R,
];

/// What a record says of one channel; the values are as they are stored, without the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Which channel.
    pub channel: Channel,
    /// The scaling value, encoded.
    pub scale: Option<u16>,
    /// The lowest value.
    pub min: Option<i32>,
    /// The highest value.
    pub max: Option<i32>,
    /// The mean.
    pub mean: Option<i32>,
    /// The standard deviation.
    pub deviation: Option<u16>,
}

/// A record as it was read. Hides itself in `Debug`, erased when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The channels, in their order.
    pub channels: Vec<Description>,
    /// For each point a value for each channel.
    pub points: Vec<Vec<i32>>,
}

/// Why ink has no form in this format.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ExportError {
    /// The pen rested for longer than the format can say.
    #[error("more than 65 s lie between two samples")]
    Gap,
    /// The resolution is beyond what a scaling value can say.
    #[error("the resolution is out of the format's range")]
    Resolution,
}

impl Channel {
    /// What a stored value is lower by: signed channels are biased.
    fn bias(self) -> i32 {
        match self {
            Self::X | Self::Y | Self::Vx | Self::Vy | Self::Ax | Self::Ay | Self::Tx | Self::Ty => {
                BIAS
            }
            Self::Z | Self::T | Self::Dt | Self::F | Self::S | Self::Az | Self::El | Self::R => 0,
        }
    }

    /// Its bit in the inclusion field.
    fn bit(self) -> u16 {
        let place = CHANNELS.iter().position(|channel| *channel == self);
        0x8000_u16
            .checked_shr(
                place
                    .and_then(|place| u32::try_from(place).ok())
                    .unwrap_or(16),
            )
            .unwrap_or(0)
    }
}

impl Description {
    fn new(channel: Channel, scale: Option<u16>, range: Option<(i32, i32)>) -> Self {
        Self {
            channel,
            scale,
            min: range.map(|(min, _)| min),
            max: range.map(|(_, max)| max),
            mean: None,
            deviation: None,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let biased = |value: i32| value.saturating_add(self.channel.bias());
        let attributes = [
            self.scale.map(i32::from),
            self.min.map(biased),
            self.max.map(biased),
            self.mean.map(biased),
            self.deviation.map(i32::from),
        ];
        let mut present = 0_u8;
        for (bit, attribute) in [0x80, 0x40, 0x20, 0x10, 0x08].into_iter().zip(attributes) {
            present |= if attribute.is_some() { bit } else { 0 };
        }
        out.push(present);
        for value in attributes.into_iter().flatten() {
            push(out, value);
        }
    }
}

/// Writes ink as a record.
///
/// Y points upwards in the standard and downwards on a screen, so it is turned over.
/// Coordinates are counted from the middle of the digitizer; where it has more than 65,536 steps
/// they are made coarser, and the scaling value says so.
///
/// # Errors
/// Where the pen rested for more than 65 s, or the resolution cannot be expressed.
pub fn write(ink: &Ink) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let digitizer = ink.digitizer();
    let (x, y) = (Grid::new(digitizer.x), Grid::new(digitizer.y));
    let last = ink.samples().last().map_or(0, |sample| sample.t_us);
    // Absolute times hold 65 s; a longer capture is told by differences.
    let absolute = u16::try_from(millis(last)).is_ok();
    let ticks = scale(TICKS)?;
    let mut channels = vec![
        Description::new(Channel::X, Some(x.scale()?), Some(x.range())),
        Description::new(Channel::Y, Some(y.scale()?), Some(y.range())),
        Description::new(
            if absolute { Channel::T } else { Channel::Dt },
            Some(ticks),
            None,
        ),
    ];
    if let Some(most) = digitizer.pressure_max {
        // Newtons are not known, so the scaling value is 1.
        let range = (0, i32::from(most));
        channels.push(Description::new(Channel::F, Some(scale(1.0)?), Some(range)));
    }
    channels.push(Description::new(Channel::S, None, None));
    if digitizer.tilt {
        for channel in [Channel::Tx, Channel::Ty] {
            channels.push(Description::new(channel, Some(scale(100.0)?), None));
        }
    }
    let mut out = Zeroizing::new(Vec::with_capacity(
        ink.samples().len().saturating_mul(14) + 64,
    ));
    head(&mut out, &channels, ink.samples().len());
    let mut before = 0;
    for sample in ink.samples() {
        let time = millis(sample.t_us);
        let shown = if absolute { time } else { time - before };
        before = time;
        let time = u16::try_from(shown).map_err(|_long| ExportError::Gap)?;
        for channel in &channels {
            let channel = channel.channel;
            let value = match (channel == Channel::X, channel == Channel::Y) {
                (true, _) => x.value(sample.x),
                (_, true) => -y.value(sample.y),
                _ => value(channel, sample, time),
            };
            push(&mut out, value.saturating_add(channel.bias()));
        }
    }
    Ok(out)
}

fn head(out: &mut Vec<u8>, channels: &[Description], points: usize) {
    out.extend_from_slice(MAGIC);
    let included = channels.iter().fold(0, |all, one| all | one.channel.bit());
    out.extend_from_slice(&included.to_be_bytes());
    for channel in channels {
        channel.write(out);
    }
    out.extend_from_slice(&[0, 0]);
    // Ink has at most 200,000 samples.
    let count = u32::try_from(points).unwrap_or(0).to_be_bytes();
    out.extend(count.into_iter().skip(1));
}

fn value(channel: Channel, sample: &Sample, time: u16) -> i32 {
    match channel {
        Channel::T | Channel::Dt => i32::from(time),
        Channel::F => i32::from(sample.pressure),
        Channel::S => i32::from(sample.tip),
        Channel::Tx => i32::from(sample.tilt_x),
        // Towards the writer is down, and up is positive here.
        Channel::Ty => -i32::from(sample.tilt_y),
        Channel::X
        | Channel::Y
        | Channel::Z
        | Channel::Vx
        | Channel::Vy
        | Channel::Ax
        | Channel::Ay
        | Channel::Az
        | Channel::El
        | Channel::R => 0,
    }
}

fn millis(micros: u64) -> u64 {
    micros.saturating_add(500) / 1_000
}

/// Writes the low 16 bits; all callers have brought the value into 0..=65535.
fn push(out: &mut Vec<u8>, value: i32) {
    let value = u16::try_from(value.clamp(0, 65_535)).unwrap_or(0);
    out.extend_from_slice(&value.to_be_bytes());
}

/// How device units become stored ones.
struct Grid {
    middle: i64,
    reach: i64,
    divisor: i64,
    units_per_metre: Option<u32>,
}

impl Grid {
    fn new(axis: Axis) -> Self {
        let (min, max) = (i64::from(axis.min), i64::from(axis.max));
        let middle = min + (max - min) / 2;
        let reach = (max - middle).max(middle - min);
        Self {
            middle,
            reach,
            divisor: reach / 32_768 + 1,
            units_per_metre: axis.units_per_metre,
        }
    }

    fn value(&self, raw: i32) -> i32 {
        let value = (i64::from(raw) - self.middle) / self.divisor;
        i32::try_from(value).unwrap_or(0)
    }

    fn range(&self) -> (i32, i32) {
        let reach = i32::try_from(self.reach / self.divisor).unwrap_or(0);
        (-reach, reach)
    }

    /// Stored units in a millimetre; 1 where the device does not say how large it is.
    fn scale(&self) -> Result<u16, ExportError> {
        let divisor = i32::try_from(self.divisor).map_err(|_large| ExportError::Resolution)?;
        match self.units_per_metre {
            Some(units) => scale(f64::from(units) / 1_000.0 / f64::from(divisor)),
            None => scale(1.0),
        }
    }
}

/// The encoded scaling value next to `value` from below: (1 + fraction / 2048) * 2^(exponent - 16).
fn scale(value: f64) -> Result<u16, ExportError> {
    for exponent in 0..32_u16 {
        let power = 2_f64.powi(i32::from(exponent) - 16);
        if value >= power && value < power * 2.0 {
            let steps = ((value / power - 1.0) * 2_048.0).floor();
            let fraction = (0..2_048_u16)
                .rev()
                .find(|fraction| f64::from(*fraction) <= steps)
                .unwrap_or(0);
            return Ok(exponent << 11 | fraction);
        }
    }
    Err(ExportError::Resolution)
}

/// What an encoded scaling value means.
#[must_use]
pub fn scaling(encoded: u16) -> f64 {
    let exponent = i32::from(encoded >> 11) - 16;
    (1.0 + f64::from(encoded & 0x7FF) / 2_048.0) * 2_f64.powi(exponent)
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("points", &self.points.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.points.zeroize();
    }
}

#[cfg(test)]
mod tests;
