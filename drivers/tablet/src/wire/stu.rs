//! The reports of Wacom's STU signature pads, over USB HID.
//!
//! Numbers, lengths and byte orders are those of the maker's own open C++ library (WacomGSS STU SDK,
//! `Protocol.hpp` and `Protocol.cpp`, found in public repositories); the places of the pen's flags were doubtful
//! in a script that others copied (pabloko/Wacom-STU-WebHID), corrected in its successor
//! (netas-ch/Wacom-STU-WebHID) and confirmed by that library: bit 15 ready, bits 14-12 switches, 12 bits of
//! pressure. They are data of the model ([`PenFlags`]) all the same, until seen on hardware.
//!
//! | report | direction | here |
//! |---|---|---|
//! | 01, 34 | pen, plain / with time and sequence | [`pen`] |
//! | 03 | status | [`Status`] |
//! | 08, 09, 0B, 0F | model and firmware, capability, ids | [`Information`], [`Capability`], [`text`] |
//! | 15, 16 | begin and end *encrypted* capture | only the end is sent, to leave what another program left on |
//! | 20, 21, 2A | clear, ink on the pad's screen, where ink shows | [`clear`], [`inking`], [`ink_area`] |
//! | 25, 26, 27 | picture: begin, block, end | [`begin_picture`], [`blocks`], [`end_picture`] |
//! | 32, 0E | what pen reports carry | [`TIMED`] |
//!
//! A capture session (15) would turn encryption on and fails without keys, so plain capture does without it.

use thiserror::Error;

/// Report ids.
pub mod report {
    /// Pen data: flags and pressure, X, Y.
    pub const PEN: u8 = 0x01;
    /// Status.
    pub const STATUS: u8 = 0x03;
    /// Model and firmware.
    pub const INFORMATION: u8 = 0x08;
    /// Ranges and screen.
    pub const CAPABILITY: u8 = 0x09;
    /// A serial number of ten characters, on older models.
    pub const UID2: u8 = 0x0B;
    /// How ink is drawn; on the STU-540 also whether reports carry time and sequence.
    pub const WRITING_MODE: u8 = 0x0E;
    /// The serial number on the housing, thirteen characters.
    pub const ESERIAL: u8 = 0x0F;
    /// Encrypted pen data.
    pub const PEN_ENCRYPTED: u8 = 0x10;
    /// Ends an encrypted capture.
    pub const END_CAPTURE: u8 = 0x16;
    /// Clears the screen.
    pub const CLEAR: u8 = 0x20;
    /// Ink on the screen, on or off.
    pub const INKING: u8 = 0x21;
    /// Begins a picture.
    pub const PICTURE_BEGIN: u8 = 0x25;
    /// A block of a picture.
    pub const PICTURE_BLOCK: u8 = 0x26;
    /// Ends a picture.
    pub const PICTURE_END: u8 = 0x27;
    /// Where the pad draws ink.
    pub const INK_AREA: u8 = 0x2A;
    /// What pen reports carry.
    pub const PEN_MODE: u8 = 0x32;
    /// Encrypted pen data with time and sequence.
    pub const PEN_TIMED_ENCRYPTED: u8 = 0x33;
    /// Pen data with time and sequence.
    pub const PEN_TIMED: u8 = 0x34;
}

/// How many bytes of a picture fit in one block of the plain HID report.
pub const BLOCK: usize = 253;
/// The most that any model takes in one block (STU-540).
pub const LONGEST_BLOCK: usize = 2557;
/// The settings by which pen reports come to carry time and sequence, and their values: the pen's option mode of
/// the maker's library (430, 530, 540), and where a pad has none, the writing mode by which the scripts for the
/// STU-540 get the same reports. The library calls the latter the rendering of ink on the pad's own screen, so it
/// is the second choice; samples are the device's own either way.
pub const TIMED: [(u8, u8); 2] = [(report::PEN_MODE, 3), (report::WRITING_MODE, 1)];

/// A report that is not what its number promises.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("report {report:#04X} is not as long as it must be")]
pub struct BadReport {
    /// The report that was asked for or came.
    pub report: u8,
}

/// Where a pen report has its flags, within its first two bytes taken as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PenFlags {
    /// The pen is near.
    pub ready: u16,
    /// The tip or a switch is pressed.
    pub touch: u16,
    /// The pressure.
    pub pressure: u16,
}

/// What a pen report says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PenState {
    /// X, in the pad's units.
    pub x: u16,
    /// Y.
    pub y: u16,
    /// Pressure.
    pub pressure: u16,
    /// Whether the pen is near.
    pub ready: bool,
    /// Whether the tip touches.
    pub touch: bool,
    /// The pad's clock in milliseconds, and the report's number; both wrap at 65536.
    pub timed: Option<(u16, u16)>,
}

impl std::fmt::Debug for PenState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PenState(timed: {})", self.timed.is_some())
    }
}

/// An input report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Of the pen.
    Pen(PenState),
    /// Of the pen, encrypted.
    Encrypted,
    /// Anything else.
    Other,
}

/// Reads an input report.
///
/// # Errors
/// [`BadReport`] where a pen report is too short.
pub fn pen(bytes: &[u8], flags: PenFlags) -> Result<Input, BadReport> {
    let report = bytes.first().copied().unwrap_or(0);
    let timed = match report {
        report::PEN => false,
        report::PEN_TIMED => true,
        report::PEN_ENCRYPTED | report::PEN_TIMED_ENCRYPTED => return Ok(Input::Encrypted),
        _ => return Ok(Input::Other),
    };
    let word = |at| big16(bytes, at).ok_or(BadReport { report });
    let first = word(1)?;
    let state = PenState {
        x: word(3)?,
        y: word(5)?,
        pressure: first & flags.pressure,
        ready: first & flags.ready != 0,
        touch: first & flags.touch != 0,
        timed: if timed {
            Some((word(7)?, word(9)?))
        } else {
            None
        },
    };
    Ok(Input::Pen(state))
}

/// What the pad is doing, and how the last command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// What it is doing.
    pub activity: Activity,
    /// 0 where the last command succeeded.
    pub result: u8,
}

/// What a pad is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Ready for commands, sending pen data.
    Ready,
    /// Taking a picture.
    Picture,
    /// In an encrypted capture.
    Capture,
    /// Busy by itself: computing, showing its start picture, writing memory, resetting.
    Busy,
}

impl Status {
    /// Reads report 03.
    ///
    /// # Errors
    /// [`BadReport`] where it is no such report.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadReport> {
        let [report::STATUS, code, result, ..] = *bytes else {
            return Err(BadReport {
                report: report::STATUS,
            });
        };
        let activity = match code {
            0 => Activity::Ready,
            1 => Activity::Picture,
            2 => Activity::Capture,
            _ => Activity::Busy,
        };
        Ok(Self { activity, result })
    }
}

/// Model and firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Information {
    /// The model, such as `540`.
    pub model: String,
    /// The firmware's version.
    pub firmware: (u8, u8),
}

impl Information {
    /// Reads report 08.
    ///
    /// # Errors
    /// [`BadReport`] where it is no such report.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadReport> {
        let bad = BadReport {
            report: report::INFORMATION,
        };
        let model = text(bytes, report::INFORMATION, 9)?;
        let major = *bytes.get(10).ok_or(bad)?;
        let minor = *bytes.get(11).ok_or(bad)?;
        Ok(Self {
            model,
            firmware: (major, minor),
        })
    }

    /// The firmware's version as people write it; the minor byte is two hexadecimal digits.
    #[must_use]
    pub fn version(&self) -> String {
        let (major, minor) = self.firmware;
        format!("{major}.{}.{}", minor >> 4, minor & 0x0F)
    }
}

/// Ranges and screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// The largest X.
    pub max_x: u16,
    /// The largest Y.
    pub max_y: u16,
    /// The largest pressure.
    pub max_pressure: u16,
    /// The screen's width in pixels.
    pub width: u16,
    /// The screen's height in pixels.
    pub height: u16,
    /// Reports in a second; 0 where the model does not say.
    pub rate: u8,
    /// Units in an inch; 0 where the model does not say.
    pub per_inch: u16,
    /// What pictures it takes: 2 one bit, 4 sixteen bits, 8 twenty-four bits.
    pub encodings: u8,
}

impl Capability {
    /// Reads report 09, whose numbers are big-endian.
    ///
    /// # Errors
    /// [`BadReport`] where it is no such report, or describes no screen or no surface.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadReport> {
        let bad = BadReport {
            report: report::CAPABILITY,
        };
        if bytes.first() != Some(&report::CAPABILITY) {
            return Err(bad);
        }
        let word = |at| big16(bytes, at).ok_or(bad);
        let capability = Self {
            max_x: word(1)?,
            max_y: word(3)?,
            max_pressure: word(5)?,
            width: word(7)?,
            height: word(9)?,
            rate: *bytes.get(11).ok_or(bad)?,
            per_inch: word(12)?,
            encodings: *bytes.get(14).ok_or(bad)?,
        };
        // The largest model has 1024 x 600 pixels; more than 4096 is no pad, and would take memory.
        let screen = 64..=4096;
        let plausible = capability.max_x > 0
            && capability.max_y > 0
            && screen.contains(&capability.width)
            && screen.contains(&capability.height);
        plausible.then_some(capability).ok_or(bad)
    }
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A bit for each pixel, white is 1, the leftmost in the highest bit, rows filled to bytes.
    Mono,
    /// Blue, green, red.
    Bgr24,
}

impl Encoding {
    const fn code(self) -> u8 {
        match self {
            Self::Mono => 0x00,
            Self::Bgr24 => 0x04,
        }
    }

    /// The picture's bytes as the pad wants them, from rows of `width` pixels of red, green and blue.
    #[must_use]
    pub fn encode(self, rgb: &[u8], width: u32) -> Vec<u8> {
        match self {
            Self::Bgr24 => rgb
                .as_chunks::<3>()
                .0
                .iter()
                .flat_map(|[red, green, blue]| [*blue, *green, *red])
                .collect(),
            Self::Mono => {
                let row = usize::try_from(width).unwrap_or(usize::MAX).max(1);
                let pixels = rgb.as_chunks::<3>().0;
                pixels.chunks(row).flat_map(mono_row).collect()
            }
        }
    }
}

fn mono_row(row: &[[u8; 3]]) -> impl Iterator<Item = u8> {
    row.chunks(8).map(|eight| {
        let mut byte = 0xFF;
        for (place, [red, green, blue]) in eight.iter().enumerate() {
            // Brightness by ITU-R BT.601, so that grey text of a document does not vanish.
            let bright = 299 * u32::from(*red) + 587 * u32::from(*green) + 114 * u32::from(*blue);
            if bright < 160 * 1000 {
                byte &= !(0x80_u8 >> place);
            }
        }
        byte
    })
}

/// Begins a picture of the whole screen.
#[must_use]
pub fn begin_picture(encoding: Encoding) -> Vec<u8> {
    vec![report::PICTURE_BEGIN, encoding.code()]
}

/// The blocks of a picture: length, little-endian, and data, filled to the report's full size.
pub fn blocks(picture: &[u8], block: usize) -> impl Iterator<Item = Vec<u8>> {
    let block = block.clamp(1, LONGEST_BLOCK);
    picture.chunks(block).map(move |data| {
        let length = u16::try_from(data.len()).unwrap_or(0).to_le_bytes();
        let mut report = Vec::with_capacity(3 + block);
        report.push(report::PICTURE_BLOCK);
        report.extend_from_slice(&length);
        report.extend_from_slice(data);
        report.resize(3 + block, 0);
        report
    })
}

/// Ends a picture: shows it, or abandons it.
#[must_use]
pub fn end_picture(show: bool) -> Vec<u8> {
    vec![report::PICTURE_END, u8::from(!show)]
}

/// Clears the screen to its background.
#[must_use]
pub fn clear() -> Vec<u8> {
    vec![report::CLEAR, 0]
}

/// Lets the pad draw ink by itself, or not.
#[must_use]
pub fn inking(on: bool) -> Vec<u8> {
    vec![report::INKING, u8::from(on)]
}

/// Where the pad draws ink: left, top, right, bottom in pixels, little-endian unlike everything else.
#[must_use]
pub fn ink_area(edges: [u16; 4]) -> Vec<u8> {
    let mut bytes = vec![report::INK_AREA];
    bytes.extend(edges.iter().flat_map(|edge| edge.to_le_bytes()));
    bytes
}

/// Ends an encrypted capture that another program began.
#[must_use]
pub fn end_capture() -> Vec<u8> {
    vec![report::END_CAPTURE, 0]
}

/// Reads a report that is text of up to `length` characters: printable ASCII, ended by a zero byte or its length.
///
/// # Errors
/// [`BadReport`] where it is no such report.
pub fn text(bytes: &[u8], report: u8, length: usize) -> Result<String, BadReport> {
    let bad = BadReport { report };
    if bytes.first() != Some(&report) {
        return Err(bad);
    }
    let field = bytes.get(1..=length).ok_or(bad)?;
    Ok(field
        .iter()
        .take_while(|byte| **byte != 0)
        .filter(|byte| byte.is_ascii_graphic() || **byte == b' ')
        .map(|byte| char::from(*byte))
        .collect::<String>()
        .trim()
        .to_owned())
}

fn big16(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*pair))
}

#[cfg(test)]
mod tests;
