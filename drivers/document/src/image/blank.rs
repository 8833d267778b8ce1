//! Whether anything is on a page.
//!
//! A page is examined in cells of half a millimetre. The paper's brightness is that of the brighter half
//! of the cells; a cell that is darker than the paper by [`CONTRAST`] is ink. A page is blank where no
//! connected group of ink reaches [`GROUP`] cells, that is about one and a half millimetres.
//!
//! So dust, single specks and the shine of the reverse side do not count, and a single letter of 8 points
//! does. In doubt a page is not blank, because one page too many costs paper and one too few costs an
//! application: punched holes and folded corners count as content.
//! The outermost [`MARGIN`] cells are left out: scanners draw their own edge there.

use super::Picture;
use super::luma::{Luma, histogram};

/// How many levels of 256 a cell must be darker than the paper.
///
/// A pencil line of 0.3 millimetres at a contrast of 80 darkens its cell by 48; a speck of dust of 0.1
/// millimetres by 8.
pub const CONTRAST: u8 = 24;

/// How many cells of ink must hang together.
pub const GROUP: usize = 3;

/// How many cells at each edge do not count: 3 millimetres.
pub const MARGIN: usize = 6;

/// Cells in an inch.
const CELLS: u32 = 51;

/// Whether nothing is on this page.
#[must_use]
pub fn is_blank(picture: &Picture, dpi: u32) -> bool {
    let side = super::index((dpi + CELLS / 2) / CELLS).max(1);
    let luma = Luma::of(picture, side);
    let counts = histogram(&luma.samples);
    let half = u64::try_from(luma.samples.len() / 2).unwrap_or(0);
    // The median of the brighter half: the paper, unless most of the page is ink.
    let mut seen = 0;
    let paper = (0_u8..=255)
        .rev()
        .zip(counts.iter().rev())
        .find(|(_, count)| {
            seen += **count;
            seen > half / 2
        })
        .map_or(255, |(level, _)| level);
    let ink: Vec<bool> = luma
        .samples
        .iter()
        .map(|sample| paper.saturating_sub(*sample) >= CONTRAST)
        .collect();
    // A page that is dark all over has no paper to compare with, and is not blank.
    paper >= 64 && !has_group(ink, luma.width, luma.height)
}

/// Whether enough cells hang together, by edge or corner.
fn has_group(mut ink: Vec<bool>, width: usize, height: usize) -> bool {
    let columns = MARGIN..width.saturating_sub(MARGIN);
    let lines = MARGIN..height.saturating_sub(MARGIN);
    let mut open: Vec<(usize, usize)> = Vec::new();
    for y in lines.clone() {
        for x in columns.clone() {
            let mut group = 0;
            open.push((x, y));
            while let Some((x, y)) = open.pop() {
                let Some(cell) = ink.get_mut(y * width + x) else {
                    continue;
                };
                if !std::mem::take(cell) {
                    continue;
                }
                group += 1;
                if group >= GROUP {
                    return true;
                }
                for (across, down) in NEIGHBOURS {
                    let next = (x.wrapping_add_signed(across), y.wrapping_add_signed(down));
                    if columns.contains(&next.0) && lines.contains(&next.1) {
                        open.push(next);
                    }
                }
            }
        }
    }
    false
}

const NEIGHBOURS: [(isize, isize); 8] = [
    (-1, -1),
    (0, -1),
    (1, -1),
    (-1, 0),
    (1, 0),
    (-1, 1),
    (0, 1),
    (1, 1),
];
