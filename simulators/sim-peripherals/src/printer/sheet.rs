//! Paper as dots: what the head has burnt so far, and finished papers.
//!
//! A dot is one bit, the leftmost dot of a row the highest bit of its first byte, black is 1, as in
//! ESC/POS raster data.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};
use serde::Serialize;

use crate::picture;

/// 3 metres at 8 dots a millimetre: a host that feeds for ever gets a new paper.
const MOST_ROWS: usize = 24_000;
/// Text of a paper that is kept.
const MOST_TEXT: usize = 16_384;

/// A rectangle of dots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bitmap {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) bits: Vec<u8>,
}

impl Bitmap {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            bits: vec![0; width.div_ceil(8) * height],
        }
    }

    /// Dots from raster data; missing bytes are white.
    pub(crate) fn from_raster(width_bytes: usize, height: usize, data: &[u8]) -> Self {
        let mut bits = data.to_vec();
        bits.resize(width_bytes * height, 0);
        Self {
            width: width_bytes * 8,
            height,
            bits,
        }
    }

    pub(crate) fn is_black(&self, x: usize, y: usize) -> bool {
        let stride = self.width.div_ceil(8);
        let byte = self.bits.get(y * stride + x / 8).copied().unwrap_or(0);
        x < self.width && byte & (0x80 >> (x % 8)) != 0
    }

    pub(crate) fn blacken(&mut self, x: usize, y: usize) {
        let stride = self.width.div_ceil(8);
        if x < self.width
            && let Some(byte) = self.bits.get_mut(y * stride + x / 8)
        {
            *byte |= 0x80 >> (x % 8);
        }
    }

    /// The same with each dot as a rectangle.
    pub(crate) fn scaled(&self, across: usize, down: usize) -> Self {
        if across <= 1 && down <= 1 {
            return self.clone();
        }
        let mut scaled = Self::new(self.width * across, self.height * down);
        for y in 0..scaled.height {
            for x in 0..scaled.width {
                if self.is_black(x / across, y / down) {
                    scaled.blacken(x, y);
                }
            }
        }
        scaled
    }

    /// Black for white.
    pub(crate) fn inverted(&self) -> Self {
        let mut inverted = Self::new(self.width, self.height);
        for y in 0..self.height {
            for x in 0..self.width {
                if !self.is_black(x, y) {
                    inverted.blacken(x, y);
                }
            }
        }
        inverted
    }
}

/// The paper that hangs in the printer.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    width: usize,
    bits: Vec<u8>,
    rows: usize,
    text: String,
}

impl Sheet {
    pub(crate) const fn new(width: usize) -> Self {
        Self {
            width,
            bits: Vec::new(),
            rows: 0,
            text: String::new(),
        }
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.rows >= MOST_ROWS
    }

    /// Feeds white paper.
    pub(crate) fn feed(&mut self, rows: usize) {
        self.rows = (self.rows + rows).min(MOST_ROWS);
        self.bits.resize(self.rows * self.width.div_ceil(8), 0);
    }

    /// Burns `bitmap` with its left edge at `left`; what does not fit is cut off, as by a real head.
    pub(crate) fn burn(&mut self, bitmap: &Bitmap, left: usize) {
        let top = self.rows;
        self.feed(bitmap.height);
        self.overlay(bitmap, left, top);
    }

    /// Burns over rows that were fed already.
    pub(crate) fn overlay(&mut self, bitmap: &Bitmap, left: usize, top: usize) {
        let stride = self.width.div_ceil(8);
        for y in 0..bitmap.height {
            for x in 0..bitmap.width {
                let column = left + x;
                if column < self.width
                    && bitmap.is_black(x, y)
                    && let Some(byte) = self.bits.get_mut((top + y) * stride + column / 8)
                {
                    *byte |= 0x80 >> (column % 8);
                }
            }
        }
    }

    /// Notes a line of text beside the dots.
    pub(crate) fn note(&mut self, line: &str) {
        if self.text.len() + line.len() < MOST_TEXT {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// Takes the paper away.
    pub(crate) fn finish(&mut self, number: u64, end: PaperEnd) -> Paper {
        let sheet = std::mem::replace(self, Self::new(self.width));
        Paper { number, end, sheet }
    }

    pub(crate) fn png(&self) -> Vec<u8> {
        picture::one_bit_png(self.width, self.rows, &self.bits)
    }

    /// SHA-256 over width and height as 32-bit big-endian numbers, and the rows.
    pub(crate) fn sha256(&self) -> String {
        let mut bytes = Vec::with_capacity(self.bits.len() + 8);
        for side in [self.width, self.rows] {
            bytes.extend_from_slice(&u32::try_from(side).unwrap_or(u32::MAX).to_be_bytes());
        }
        bytes.extend_from_slice(&self.bits);
        let hash = digest(&SHA256, &bytes);
        hash.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _written = write!(text, "{byte:02x}");
            text
        })
    }

    pub(crate) fn view(&self, number: u64, end: PaperEnd) -> PaperView {
        PaperView {
            number,
            end,
            width: self.width,
            height: self.rows,
            sha256: self.sha256(),
            text: self.text.clone(),
        }
    }
}

/// A paper that has left the printer.
#[derive(Debug, Clone)]
pub(crate) struct Paper {
    pub(crate) number: u64,
    pub(crate) end: PaperEnd,
    pub(crate) sheet: Sheet,
}

/// How a paper ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PaperEnd {
    /// It still hangs in the printer.
    Hanging,
    /// Cut off.
    Cut,
    /// Cut but for a point in the middle.
    PartialCut,
    /// Half printed when the power went; not cut.
    PowerCut,
    /// Torn off by a person; not cut.
    TornOff,
    /// Longer than anybody wants; not cut.
    TooLong,
}

/// A paper as shown to others. What is printed is a citizen's business, and so stays out of logs.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaperView {
    /// Counted from 1 since the simulator started.
    pub number: u64,
    /// How it ended.
    pub end: PaperEnd,
    /// Dots across.
    pub width: usize,
    /// Dots down.
    pub height: usize,
    /// SHA-256 over width and height as 32-bit big-endian numbers, and the rows, 8 dots a byte.
    pub sha256: String,
    /// What was printed as text, line by line; images and codes are not in it.
    pub text: String,
}

impl std::fmt::Debug for PaperView {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "PaperView({}, {:?}, {}x{})",
            self.number, self.end, self.width, self.height
        )
    }
}
