//! A small gray copy of a page, on which it is examined.
//!
//! Each of its elements is the mean of a square of the page's, so that dust is diluted and thin lines are
//! kept.

use zeroize::Zeroizing;

use super::{Kind, Picture, index};

/// A gray copy.
pub(crate) struct Luma {
    /// Elements from left to right.
    pub(crate) width: usize,
    /// Elements from top to bottom.
    pub(crate) height: usize,
    /// Brightness, line by line.
    pub(crate) samples: Zeroizing<Vec<u8>>,
}

impl Luma {
    /// A copy in which `side` by `side` elements of the page are one; what is left at right and bottom
    /// does not count.
    pub(crate) fn of(picture: &Picture, side: usize) -> Self {
        let side = side.max(1);
        let (width, height) = (
            index(picture.width()) / side,
            index(picture.height()) / side,
        );
        let mut samples = Vec::with_capacity(width * height);
        let mut sums = vec![0_u32; width];
        let area = u32::try_from(side * side).unwrap_or(u32::MAX);
        for (number, line) in picture.lines().take(height * side).enumerate() {
            match picture.kind() {
                Kind::Bilevel | Kind::Gray => add(&mut sums, line.iter().copied(), side),
                Kind::Colour => add(&mut sums, of_colour(line), side),
            }
            if number % side == side - 1 {
                samples.extend(
                    sums.iter_mut()
                        .map(|sum| u8::try_from(std::mem::take(sum) / area).unwrap_or(255)),
                );
            }
        }
        Self {
            width,
            height,
            samples: Zeroizing::new(samples),
        }
    }

    /// The lines from the top.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.samples.chunks_exact(self.width.max(1))
    }
}

fn add(sums: &mut [u32], line: impl Iterator<Item = u8>, side: usize) {
    let mut line = line;
    for sum in sums {
        *sum += line.by_ref().take(side).map(u32::from).sum::<u32>();
    }
}

/// Brightness by the weights of ITU-R BT.601.
pub(crate) fn of_colour(samples: &[u8]) -> impl Iterator<Item = u8> + '_ {
    samples.as_chunks().0.iter().map(|[red, green, blue]| {
        let sum = 77 * u32::from(*red) + 150 * u32::from(*green) + 29 * u32::from(*blue);
        u8::try_from(sum >> 8).unwrap_or(255)
    })
}

/// How often each brightness occurs.
pub(crate) fn histogram(samples: &[u8]) -> [u64; 256] {
    let mut counts = [0_u64; 256];
    for sample in samples {
        if let Some(count) = counts.get_mut(usize::from(*sample)) {
            *count += 1;
        }
    }
    counts
}

/// The brightness that best divides ink from paper: N. Otsu, IEEE Transactions on Systems, Man, and
/// Cybernetics 9 (1979), 62. What is brighter is paper.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of picture elements are far below 2^52"
)]
pub(crate) fn threshold(samples: &[u8]) -> u8 {
    let counts = histogram(samples);
    let all: f64 = counts.iter().map(|count| *count as f64).sum();
    let total: f64 = (0_u32..)
        .zip(&counts)
        .map(|(level, count)| f64::from(level) * *count as f64)
        .sum();
    let (mut below, mut sum, mut best, mut at) = (0.0_f64, 0.0_f64, -1.0_f64, 127_u8);
    for (level, count) in (0_u8..=255).zip(&counts) {
        below += *count as f64;
        sum += f64::from(level) * *count as f64;
        let above = all - below;
        if below == 0.0 || above <= 0.0 {
            continue;
        }
        let apart = sum / below - (total - sum) / above;
        let between = below * above * apart * apart;
        if between > best {
            (best, at) = (between, level);
        }
    }
    at
}
