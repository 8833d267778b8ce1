//! Pictures from the frames of SANE.
//!
//! Meaning of the samples: SANE standard 1.06, clause 3.2. In a gray frame of depth 1 a set bit is black;
//! in a frame of one or three colours it is full light.
//!
//! Samples of 16 bits are cut to 8, because no document needs more.

use zeroize::Zeroizing;

use super::{Kind, Picture, SAMPLES, index};
use crate::wire::sane::reply::{Frame, Parameters};
use crate::wire::{WireError, malformed};

/// The most bytes of one frame: 16 bits for each sample.
pub const FRAME_BYTES: usize = 2 * SAMPLES;

/// A frame while it comes.
pub struct RawFrame {
    parameters: Parameters,
    big_endian: bool,
    limit: usize,
    bytes: Zeroizing<Vec<u8>>,
}

impl RawFrame {
    /// An empty frame.
    ///
    /// # Errors
    /// [`WireError::Beyond`] where it would be larger than any page.
    pub fn new(parameters: Parameters, big_endian: bool) -> Result<Self, WireError> {
        const TOO_LARGE: WireError = WireError::Beyond {
            what: "bytes of a frame",
            limit: FRAME_BYTES,
        };
        let line = index(parameters.bytes_per_line);
        let limit = match parameters.lines {
            Some(lines) => line.checked_mul(index(lines)).ok_or(TOO_LARGE)?,
            None => FRAME_BYTES,
        };
        if limit > FRAME_BYTES || line > FRAME_BYTES {
            return Err(TOO_LARGE);
        }
        // Memory follows what has come, not what was announced; the first megabyte is free.
        let bytes = Vec::with_capacity(limit.min(1 << 20));
        Ok(Self {
            parameters,
            big_endian,
            limit,
            bytes: Zeroizing::new(bytes),
        })
    }

    /// Takes what comes next.
    ///
    /// # Errors
    /// [`WireError`] where more comes than was announced, or than any page has.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let room = self.limit - self.bytes.len();
        if bytes.len() > room {
            return Err(match self.parameters.lines {
                Some(_) => malformed("frame with more lines than announced"),
                None => WireError::Beyond {
                    what: "bytes of a frame",
                    limit: FRAME_BYTES,
                },
            });
        }
        // Growing a vector leaves a copy behind that nobody erases, so it is moved by hand.
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            let wanted = (self.bytes.capacity() * 2)
                .max(self.bytes.len() + bytes.len())
                .min(self.limit);
            let mut larger = Zeroizing::new(Vec::with_capacity(wanted));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// How much of it has come, in thousandths, where its size is known.
    #[must_use]
    pub fn per_mille(&self) -> Option<u16> {
        self.parameters.lines?;
        let part = self.bytes.len().checked_mul(1000)? / self.limit.max(1);
        u16::try_from(part).ok()
    }

    /// What was announced.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whether fewer lines came than were announced.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.parameters.lines.is_some() && self.bytes.len() < self.limit
    }

    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The samples of this frame in 8 bits; black is 0.
    fn samples(&self) -> Zeroizing<Vec<u8>> {
        let line = index(self.parameters.bytes_per_line).max(1);
        let (width, channels) = (
            index(self.parameters.width),
            index(self.parameters.samples()),
        );
        let lines = self.bytes.chunks_exact(line);
        let mut samples = Vec::with_capacity(width * channels * lines.len());
        for line in lines {
            match self.parameters.depth {
                1 => samples.extend(bits(line, width, channels, self.parameters.frame)),
                16 => {
                    let high = usize::from(!self.big_endian);
                    let wide = line.iter().skip(high).step_by(2);
                    samples.extend(wide.take(width * channels));
                }
                _ => samples.extend(line.iter().take(width * channels)),
            }
        }
        Zeroizing::new(samples)
    }

    /// Its height, in whole lines.
    fn height(&self) -> u32 {
        let lines = self.bytes.len() / index(self.parameters.bytes_per_line).max(1);
        u32::try_from(lines).unwrap_or(u32::MAX)
    }
}

impl std::fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawFrame")
            .field("parameters", &self.parameters)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Samples of depth 1: of each eight elements one byte for each colour.
fn bits(line: &[u8], width: usize, channels: usize, frame: Frame) -> impl Iterator<Item = u8> + '_ {
    let set_is_black = frame == Frame::Gray;
    (0..width).flat_map(move |x| {
        (0..channels).map(move |channel| {
            let byte = line.get(x / 8 * channels + channel).copied().unwrap_or(0);
            let set = byte & (0x80 >> (x % 8)) != 0;
            if set == set_is_black { 0 } else { 255 }
        })
    })
}

/// The picture that these frames make.
///
/// # Errors
/// [`WireError::Malformed`] where they do not make one.
pub fn assemble(frames: &[RawFrame]) -> Result<Picture, WireError> {
    const WHAT: WireError = malformed("picture");
    let first = frames.first().ok_or(WHAT)?;
    let (width, height) = (first.parameters.width, first.height());
    let line = index(first.parameters.bytes_per_line).max(1);
    let whole = |frame: &RawFrame| {
        frame.bytes.len().is_multiple_of(line)
            && frame.height() == height
            && frame.parameters.width == width
            && frame.parameters.bytes_per_line == first.parameters.bytes_per_line
            && frame.parameters.depth == first.parameters.depth
    };
    if !frames.iter().all(whole) {
        return Err(malformed("frames of one picture that differ"));
    }
    let kind = match (first.parameters.frame, first.parameters.depth) {
        (Frame::Gray, 1) => Kind::Bilevel,
        (Frame::Gray, _) => Kind::Gray,
        (Frame::Rgb | Frame::Red | Frame::Green | Frame::Blue, _) => Kind::Colour,
    };
    super::area(width, height, kind).ok_or(WHAT)?;
    let samples = match frames {
        [one] if matches!(one.parameters.frame, Frame::Gray | Frame::Rgb) => one.samples(),
        [_, _, _] => interleave(frames).ok_or(WHAT)?,
        _ => return Err(WHAT),
    };
    Picture::new(width, height, kind, samples).ok_or(WHAT)
}

/// One picture from a red, a green and a blue one, in whichever order they came.
fn interleave(frames: &[RawFrame]) -> Option<Zeroizing<Vec<u8>>> {
    let of = |wanted: Frame| {
        let frame = frames.iter().find(|one| one.parameters.frame == wanted)?;
        Some(frame.samples())
    };
    let (red, green, blue) = (of(Frame::Red)?, of(Frame::Green)?, of(Frame::Blue)?);
    let mut samples = Vec::with_capacity(red.len() * 3);
    for ((red, green), blue) in red.iter().zip(green.iter()).zip(blue.iter()) {
        samples.extend_from_slice(&[*red, *green, *blue]);
    }
    Some(Zeroizing::new(samples))
}
