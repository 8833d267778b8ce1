//! Pictures of pages: made from what the scanner sent, examined, straightened, turned.
//!
//! Invariant: a picture has exactly `width * height * channels` samples and no more than [`SAMPLES`];
//! whatever holds samples of a page is erased when dropped, and hides them in `Debug`.
//!
//! | module | job |
//! |---|---|
//! | [`raw`] | pictures from the frames of SANE |
//! | [`coded`] | pictures from JPEG and PNG |
//! | [`luma`] | a small gray copy, on which pages are examined |
//! | [`skew`] | by how much a page lies askew |
//! | [`blank`] | whether anything is on it |
//! | [`turn`] | quarter turns, and small ones |

pub mod blank;
pub mod coded;
pub mod luma;
pub mod raw;
pub mod skew;
pub mod turn;

use std::fmt;

use ring::digest;
use zeroize::Zeroizing;

/// The most samples of a picture: A3 at 600 dots per inch in colours has 209 million, A4 104 million.
pub const SAMPLES: usize = 256 * 1024 * 1024;

/// The longest side of a picture.
pub const SIDE: u32 = 40_000;

/// What the samples of a picture are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One sample, 0 for black or 255 for white.
    Bilevel,
    /// One sample, 0 for black to 255 for white.
    Gray,
    /// Red, green and blue.
    Colour,
}

impl Kind {
    /// Samples of each picture element.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Bilevel | Self::Gray => 1,
            Self::Colour => 3,
        }
    }
}

/// A page, uncompressed.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    kind: Kind,
    samples: Zeroizing<Vec<u8>>,
}

impl Picture {
    /// A picture of these samples; `None` where their number does not fit, or exceeds what is accepted.
    #[must_use]
    pub fn new(width: u32, height: u32, kind: Kind, samples: Zeroizing<Vec<u8>>) -> Option<Self> {
        let fits = area(width, height, kind)? == samples.len();
        fits.then_some(Self {
            width,
            height,
            kind,
            samples,
        })
    }

    /// A white picture.
    #[must_use]
    pub fn white(width: u32, height: u32, kind: Kind) -> Option<Self> {
        let samples = vec![0xFF; area(width, height, kind)?];
        Self::new(width, height, kind, Zeroizing::new(samples))
    }

    /// Picture elements from left to right.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Picture elements from top to bottom.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// What its samples are.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its samples, line by line from the top.
    #[must_use]
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// Its lines, from the top.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let length = index(self.width) * self.kind.channels();
        self.samples.chunks_exact(length.max(1))
    }

    /// The same with one bit a sample, eight to a byte, each line filled up to whole bytes; 1 is white.
    #[must_use]
    pub fn packed(&self) -> Zeroizing<Vec<u8>> {
        let mut packed = Vec::with_capacity(index(self.width).div_ceil(8) * index(self.height));
        for line in self.lines() {
            for eight in line.chunks(8) {
                let bits = eight
                    .iter()
                    .enumerate()
                    .fold(0_u8, |bits, (place, sample)| {
                        bits | (u8::from(*sample >= 128) << (7 - place))
                    });
                packed.push(bits);
            }
        }
        Zeroizing::new(packed)
    }

    /// The same in black and white.
    #[must_use]
    pub fn bilevel(&self) -> Self {
        let gray = self.gray();
        let threshold = luma::threshold(&gray.samples);
        let samples = gray
            .samples
            .iter()
            .map(|sample| if *sample > threshold { 255 } else { 0 })
            .collect();
        Self {
            kind: Kind::Bilevel,
            samples: Zeroizing::new(samples),
            ..gray
        }
    }

    /// The same in gray, by the weights of ITU-R BT.601.
    #[must_use]
    pub fn gray(&self) -> Self {
        let samples = match self.kind {
            Kind::Bilevel | Kind::Gray => self.samples.clone(),
            Kind::Colour => Zeroizing::new(luma::of_colour(&self.samples).collect()),
        };
        Self {
            width: self.width,
            height: self.height,
            kind: match self.kind {
                Kind::Bilevel => Kind::Bilevel,
                Kind::Gray | Kind::Colour => Kind::Gray,
            },
            samples,
        }
    }

    /// The SHA-256 of width, height and channels as words, big-endian, and the samples.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        let channels = match self.kind {
            Kind::Bilevel | Kind::Gray => 1_u32,
            Kind::Colour => 3,
        };
        for word in [self.width, self.height, channels] {
            context.update(&word.to_be_bytes());
        }
        context.update(&self.samples);
        sha256(&context.finish())
    }

    /// The place of a picture element's first sample.
    pub(crate) fn at(&self, x: usize, y: usize) -> usize {
        (y * index(self.width) + x) * self.kind.channels()
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Picture({} x {}, {:?})",
            self.width, self.height, self.kind
        )
    }
}

/// How many samples a picture has; `None` where that is nothing, or more than is accepted.
pub(crate) fn area(width: u32, height: u32, kind: Kind) -> Option<usize> {
    if width == 0 || height == 0 || width > SIDE || height > SIDE {
        return None;
    }
    index(width)
        .checked_mul(index(height))?
        .checked_mul(kind.channels())
        .filter(|samples| *samples <= SAMPLES)
}

/// A number of picture elements as an index.
pub(crate) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The hash of bytes as they are.
pub(crate) fn hash_of(bytes: &[u8]) -> [u8; 32] {
    sha256(&digest::digest(&digest::SHA256, bytes))
}

fn sha256(digest: &digest::Digest) -> [u8; 32] {
    digest.as_ref().try_into().unwrap_or([0; 32])
}

#[cfg(test)]
mod tests;
