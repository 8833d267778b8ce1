//! What the server answers (SANE standard 1.06, clause 5.2).
//!
//! Invariant: a decoder takes a whole reply and nothing behind it, because the server speaks only when
//! asked.

use super::Status;
use super::option::{Descriptor, Value};
use super::words::{ELEMENTS, Reader};
use crate::wire::{WireError, malformed};

/// A reply, and whether more bytes than its own were there.
type Decoded<T> = Result<T, WireError>;

/// The answer to [`Request::Init`](super::request::Request::Init).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Init {
    /// Whether we are welcome.
    pub status: Status,
    /// The server's version, as [`VERSION`](super::VERSION).
    pub version: u32,
}

/// A scanner in the server's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The name to open it by.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// What it is called.
    pub model: String,
}

/// The answer to [`Request::Open`](super::request::Request::Open).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What became of it.
    pub status: Status,
    /// What the scanner is called from here on.
    pub handle: u32,
    /// Whether a password is asked for.
    pub wants_password: bool,
}

/// The answer to getting or setting an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controlled {
    /// What became of it.
    pub status: Status,
    /// What else changed, as bits.
    pub info: u32,
    /// The value, as it is now.
    pub value: Value,
    /// Whether a password is asked for.
    pub wants_password: bool,
}

impl Controlled {
    /// Whether the list of options must be asked for again (bit 1).
    #[must_use]
    pub const fn options_changed(&self) -> bool {
        self.info & 0x02 != 0
    }
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Brightness.
    Gray,
    /// Red, green and blue of each picture element.
    Rgb,
    /// Red only; two more frames follow.
    Red,
    /// Green only.
    Green,
    /// Blue only.
    Blue,
}

/// How the picture looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// What the frame holds.
    pub frame: Frame,
    /// Whether no frame of this picture follows.
    pub last: bool,
    /// The length of a line; at least what its picture elements need.
    pub bytes_per_line: u32,
    /// Picture elements in a line.
    pub width: u32,
    /// Lines, or `None` where nobody knows until the end.
    pub lines: Option<u32>,
    /// Bits of a sample: 1, 8 or 16.
    pub depth: u32,
}

/// The answer to [`Request::Start`](super::request::Request::Start).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// What became of it.
    pub status: Status,
    /// Where the data connection is accepted.
    pub port: u16,
    /// Whether samples of 16 bits have their high byte first.
    pub big_endian: bool,
    /// Whether a password is asked for.
    pub wants_password: bool,
}

/// Reads the answer to `Init`.
///
/// # Errors
/// [`WireError`], as all functions of this module.
pub fn init(bytes: &[u8]) -> Decoded<Init> {
    whole(bytes, |reader| {
        Ok(Init {
            status: Status::from_word(reader.word()?),
            version: reader.word()?,
        })
    })
}

/// Reads the list of scanners.
///
/// # Errors
/// [`WireError`], as all functions of this module.
pub fn devices(bytes: &[u8]) -> Decoded<(Status, Vec<Device>)> {
    whole(bytes, |reader| {
        let status = Status::from_word(reader.word()?);
        let count = reader.count("scanners", ELEMENTS)?;
        let mut devices = Vec::new();
        for _ in 0..count {
            if reader.present()? {
                let (name, vendor, model) = (reader.string()?, reader.string()?, reader.string()?);
                let _kind = reader.string()?;
                devices.push(Device {
                    name,
                    vendor,
                    model,
                });
            }
        }
        Ok((status, devices))
    })
}

/// Reads the answer to `Open`.
///
/// # Errors
/// [`WireError`], as all functions of this module.
pub fn opened(bytes: &[u8]) -> Decoded<Opened> {
    whole(bytes, |reader| {
        Ok(Opened {
            status: Status::from_word(reader.word()?),
            handle: reader.word()?,
            wants_password: !reader.string()?.is_empty(),
        })
    })
}

/// Reads the answer to `Options`.
///
/// # Errors
/// [`WireError`], as all functions of this module.
pub fn options(bytes: &[u8]) -> Decoded<Vec<Descriptor>> {
    whole(bytes, |reader| {
        let count = reader.count("options", ELEMENTS)?;
        let mut options = Vec::new();
        for _ in 0..count {
            // An option's number is its place, so a hole would shift all that follow.
            // The list itself ends with an absent entry in some versions.
            if reader.present()? {
                options.push(Descriptor::decode(reader)?);
            }
        }
        Ok(options)
    })
}

/// Reads the answer to `Get` or `Set`.
///
/// # Errors
/// [`WireError`], as all functions of this module.
pub fn controlled(bytes: &[u8]) -> Decoded<Controlled> {
    whole(bytes, |reader| {
        Ok(Controlled {
            status: Status::from_word(reader.word()?),
            info: reader.word()?,
            value: Value::decode(reader)?,
            wants_password: !reader.string()?.is_empty(),
        })
    })
}

/// Reads the answer to `Parameters`.
///
/// # Errors
/// [`WireError`], as all functions of this module; also where a line is shorter than its picture elements.
pub fn parameters(bytes: &[u8]) -> Decoded<(Status, Option<Parameters>)> {
    whole(bytes, |reader| {
        let status = Status::from_word(reader.word()?);
        let (frame, last) = (reader.word()?, reader.word()? != 0);
        let (bytes_per_line, width) = (reader.word()?, reader.word()?);
        let (lines, depth) = (reader.int()?, reader.word()?);
        if status != Status::Good {
            return Ok((status, None));
        }
        let parameters = Parameters {
            frame: match frame {
                0 => Frame::Gray,
                1 => Frame::Rgb,
                2 => Frame::Red,
                3 => Frame::Green,
                4 => Frame::Blue,
                _ => return Err(malformed("kind of frame")),
            },
            last,
            bytes_per_line,
            width,
            lines: u32::try_from(lines).ok(),
            depth,
        };
        parameters.check()?;
        Ok((status, Some(parameters)))
    })
}

/// Reads the answer to `Start`.
///
/// # Errors
/// [`WireError`], as all functions of this module.
pub fn started(bytes: &[u8]) -> Decoded<Started> {
    whole(bytes, |reader| {
        let status = Status::from_word(reader.word()?);
        let port = reader.word()?;
        let order = reader.word()?;
        let wants_password = !reader.string()?.is_empty();
        let good = status == Status::Good && !wants_password;
        Ok(Started {
            status,
            port: match u16::try_from(port) {
                Ok(0) | Err(_) if good => return Err(malformed("port of the data")),
                Ok(port) => port,
                Err(_) => 0,
            },
            big_endian: match order {
                0x1234 => false,
                0x4321 => true,
                _ if good => return Err(malformed("order of bytes")),
                _ => false,
            },
            wants_password,
        })
    })
}

/// Reads the answer to `Cancel` and `Close`, which says nothing.
///
/// # Errors
/// [`WireError`], as all functions of this module.
pub fn dummy(bytes: &[u8]) -> Decoded<()> {
    whole(bytes, |reader| reader.word().map(|_| ()))
}

impl Parameters {
    /// Samples of each picture element in this frame.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        match self.frame {
            Frame::Rgb => 3,
            Frame::Gray | Frame::Red | Frame::Green | Frame::Blue => 1,
        }
    }

    fn check(&self) -> Result<(), WireError> {
        if !matches!(self.depth, 1 | 8 | 16) {
            return Err(malformed("depth"));
        }
        // A line of bits is filled up to whole bytes for each colour.
        let needed =
            (u64::from(self.width) * u64::from(self.depth)).div_ceil(8) * u64::from(self.samples());
        if self.width == 0 || u64::from(self.bytes_per_line) < needed {
            return Err(malformed("length of a line"));
        }
        Ok(())
    }
}

fn whole<T>(
    bytes: &[u8],
    decode: impl FnOnce(&mut Reader<'_>) -> Result<T, WireError>,
) -> Decoded<T> {
    let mut reader = Reader::new(bytes);
    let value = decode(&mut reader)?;
    match reader.left() {
        0 => Ok(value),
        _ => Err(malformed("reply with something behind it")),
    }
}
