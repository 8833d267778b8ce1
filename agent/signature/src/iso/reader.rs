//! The strict reader of records.

use thiserror::Error;

use super::{CHANNELS, Channel, Description, MAGIC, Record};

/// The most points that are read.
const MOST_POINTS: usize = crate::ink::MOST_SAMPLES;

/// Why bytes are no record.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum IsoError {
    /// The bytes end too early.
    #[error("the record ends within {0}")]
    Short(&'static str),
    /// It is another format or another version.
    #[error("it does not open as a record of ISO/IEC 19794-7:2007")]
    Magic,
    /// The channels that every record has are not there, or two kinds of time are.
    #[error("the channels do not include x, y and one of t and dt")]
    Channels,
    /// An attribute that is reserved, or whose form is not known well enough to be read.
    #[error("channel {0:?} has an attribute that is not supported")]
    Attribute(Channel),
    /// What must be zero is not.
    #[error("a reserved field is not zero")]
    Reserved,
    /// More points than a signature has.
    #[error("{0} points are more than are read")]
    TooMany(usize),
    /// A tip switch that is neither 0 nor 1, or a value outside the stated range.
    #[error("channel {channel:?} of point {point} is out of its range")]
    OutOfRange {
        /// The channel.
        channel: Channel,
        /// The point, from 0.
        point: usize,
    },
    /// Bytes follow the record.
    #[error("{0} bytes follow the record")]
    Trailing(usize),
}

/// Reads one record to its last byte; extended data is refused, because nothing says what it is.
///
/// # Errors
/// Where anything is missing, unknown or left over.
pub fn read(bytes: &[u8]) -> Result<Record, IsoError> {
    let mut input = Input(bytes);
    if input.take(MAGIC.len(), "the header")? != MAGIC {
        return Err(IsoError::Magic);
    }
    let included = input.word("the channels")?;
    let mut channels = Vec::new();
    for channel in CHANNELS {
        if included & channel.bit() != 0 {
            channels.push(description(&mut input, channel)?);
        }
    }
    let has = |wanted| channels.iter().any(|one| one.channel == wanted);
    if !has(Channel::X) || !has(Channel::Y) || has(Channel::T) == has(Channel::Dt) {
        return Err(IsoError::Channels);
    }
    if input.take(2, "the header")? != [0, 0] {
        return Err(IsoError::Reserved);
    }
    let count = input
        .take(3, "the number of points")?
        .iter()
        .fold(0_usize, |all, byte| all << 8 | usize::from(*byte));
    if count > MOST_POINTS {
        return Err(IsoError::TooMany(count));
    }
    let mut record = Record {
        channels,
        points: Vec::new(),
    };
    for point in 0..count {
        let values = values(&mut input, &record.channels, point)?;
        record.points.push(values);
    }
    match input.0.len() {
        0 => Ok(record),
        more => Err(IsoError::Trailing(more)),
    }
}

fn description(input: &mut Input<'_>, channel: Channel) -> Result<Description, IsoError> {
    let present = input.take(1, "a channel's description")?;
    let present = present.first().copied().unwrap_or(0);
    // Constant channels and removed trends change what a point holds; readers disagree on how.
    if present & 0x07 != 0 {
        return Err(IsoError::Attribute(channel));
    }
    let mut attribute = |bit: u8| {
        (present & bit != 0)
            .then(|| input.word("a channel's description"))
            .transpose()
    };
    let plain = |stored: u16| i32::from(stored) - channel.bias();
    Ok(Description {
        channel,
        scale: attribute(0x80)?,
        min: attribute(0x40)?.map(plain),
        max: attribute(0x20)?.map(plain),
        mean: attribute(0x10)?.map(plain),
        deviation: attribute(0x08)?,
    })
}

fn values(
    input: &mut Input<'_>,
    channels: &[Description],
    point: usize,
) -> Result<Vec<i32>, IsoError> {
    let mut values = Vec::with_capacity(channels.len());
    for one in channels {
        let channel = one.channel;
        let value = i32::from(input.word("a point")?) - channel.bias();
        let low = one.min.unwrap_or(i32::MIN);
        let switch = (channel == Channel::S).then_some(1);
        let high = switch.or(one.max).unwrap_or(i32::MAX);
        if value < low || value > high {
            return Err(IsoError::OutOfRange { channel, point });
        }
        values.push(value);
    }
    Ok(values)
}

/// What is left of the bytes.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], IsoError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(IsoError::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self, what: &'static str) -> Result<u16, IsoError> {
        let bytes = self.take(2, what)?;
        Ok(bytes
            .iter()
            .fold(0, |all, byte| all << 8 | u16::from(*byte)))
    }
}
