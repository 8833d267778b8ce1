//! A picture of black and white dots, as it goes to the paper.
//!
//! Invariant: no dot pattern reads as a real-time command once [`Raster::scrub`] has run.
//!
//! A printer looks for real-time commands (DLE EOT, DLE ENQ, DLE DC4) in everything that it receives,
//! image data included, and the manuals of TM-T88III, TM-T90, TM-L90 and Citizen CT-S warn of exactly that.
//! So one dot beside such a pattern is blackened.

use std::fmt;

use crate::wire::{DC4, DLE, ENQ, EOT};

/// The longest picture: more than a metre of paper at 203 dpi.
pub const MOST_ROWS: usize = 8192;

/// Black and white dots, row by row, most significant bit leftmost.
#[derive(Clone, PartialEq, Eq)]
pub struct Raster {
    stride: usize,
    bytes: Vec<u8>,
}

impl Raster {
    /// A white picture; the width is rounded up to whole bytes, the height cut at [`MOST_ROWS`].
    #[must_use]
    pub fn new(width: usize, rows: usize) -> Self {
        let stride = width.div_ceil(8).max(1);
        Self {
            stride,
            bytes: vec![0; stride * rows.min(MOST_ROWS)],
        }
    }

    /// Blackens a dot; beyond the edges nothing happens.
    pub fn blacken(&mut self, x: usize, y: usize) {
        if x >= self.width() {
            return;
        }
        if let Some(byte) = self.bytes.get_mut(y * self.stride + x / 8) {
            *byte |= 0x80 >> (x % 8);
        }
    }

    /// Blackens a rectangle.
    pub fn fill(&mut self, (x, y): (usize, usize), (width, height): (usize, usize)) {
        for row in y..y.saturating_add(height).min(self.rows()) {
            for column in x..x.saturating_add(width).min(self.width()) {
                self.blacken(column, row);
            }
        }
    }

    /// Copies the black dots of `other` with its upper left corner at the given place.
    pub fn stamp(&mut self, other: &Self, (x, y): (usize, usize)) {
        for row in 0..other.rows() {
            for column in (0..other.width()).filter(|column| other.is_black(*column, row)) {
                self.blacken(x + column, y + row);
            }
        }
    }

    /// Makes the picture longer by white rows, up to [`MOST_ROWS`]; says whether there was room.
    pub fn extend(&mut self, rows: usize) -> bool {
        let wanted = self.rows() + rows;
        let length = self.stride * wanted.min(MOST_ROWS);
        self.bytes.resize(length, 0);
        wanted <= MOST_ROWS
    }

    /// Changes dots so that the bytes hold no real-time command, not even across rows.
    ///
    /// After DLE, EOT becomes 06, ENQ becomes 07 and DC4 becomes 1C: one black dot beside a black dot.
    pub fn scrub(&mut self) {
        let mut last = 0;
        for byte in &mut self.bytes {
            if last == DLE {
                *byte = match *byte {
                    EOT => 0x06,
                    ENQ => 0x07,
                    DC4 => 0x1C,
                    other => other,
                };
            }
            last = *byte;
        }
    }

    /// Whether a dot is black; white beyond the edges.
    #[must_use]
    pub fn is_black(&self, x: usize, y: usize) -> bool {
        let byte = self.bytes.get(y * self.stride + x / 8);
        x < self.width() && byte.is_some_and(|byte| byte & (0x80 >> (x % 8)) != 0)
    }

    /// Dots in a row.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.stride * 8
    }

    /// Bytes in a row.
    #[must_use]
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// How many rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.bytes.len() / self.stride
    }

    /// The rows, one after the other.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Shows the size only: a ticket can hold a citizen's name.
impl fmt::Debug for Raster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raster({} x {})", self.width(), self.rows())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dots_beyond_the_edges_are_ignored() {
        let mut raster = Raster::new(9, 2);
        assert_eq!((raster.width(), raster.rows()), (16, 2));
        raster.blacken(16, 0);
        raster.blacken(0, 2);
        assert_eq!(raster.bytes(), [0; 4]);
        raster.blacken(15, 1);
        assert_eq!(raster.bytes(), [0, 0, 0, 1]);
        assert!(raster.is_black(15, 1) && !raster.is_black(16, 1));
    }

    #[test]
    fn a_picture_never_grows_without_bound() {
        let mut raster = Raster::new(8, usize::MAX);
        assert_eq!(raster.rows(), MOST_ROWS);
        assert!(!raster.extend(1));
        assert_eq!(raster.rows(), MOST_ROWS);
    }

    proptest! {
        #[test]
        fn scrubbing_only_blackens_and_leaves_no_command(
            bytes in proptest::collection::vec(prop_oneof![Just(0x10), Just(0x04), Just(0x05), Just(0x14), any::<u8>()], 0..400),
            stride in 1_usize..9,
        ) {
            let rows = bytes.len() / stride;
            let mut raster = Raster { stride, bytes: bytes[..rows * stride].to_vec() };
            let before = raster.clone();
            raster.scrub();
            for pair in raster.bytes().windows(2) {
                prop_assert!(!(pair[0] == DLE && [EOT, ENQ, DC4].contains(&pair[1])));
            }
            for (old, new) in before.bytes().iter().zip(raster.bytes()) {
                prop_assert_eq!(old & new, *old);
                prop_assert!((old ^ new).count_ones() <= 1);
            }
        }
    }
}
