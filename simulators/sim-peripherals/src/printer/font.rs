//! Characters as dots, from an outline font of the machine.
//!
//! A printer's own fonts are not to be had. Without any font a character is a box, so that length and
//! layout of a paper are the same on every machine.

use std::path::{Path, PathBuf};

use ab_glyph::{Font as _, FontVec, PxScale, ScaleFont as _, point};

use crate::printer::sheet::Bitmap;

/// Where Debian has the gothic font of the package `fonts-morisawa-bizud-gothic`.
const USUAL: &str = "/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Regular.ttf";
/// Ink where at least this much of a dot is covered.
const COVERED: f32 = 0.45;

/// A font, or boxes.
pub(crate) struct Font(Option<FontVec>);

impl Font {
    /// The font at `path`, else a usual one, else boxes.
    pub(crate) fn load(path: Option<&Path>) -> Self {
        let given = path.map(Path::to_path_buf);
        let mut candidates = given.into_iter().chain([PathBuf::from(USUAL)]);
        let font = candidates.find_map(|path| {
            let bytes = std::fs::read(path).ok()?;
            FontVec::try_from_vec(bytes).ok()
        });
        if font.is_none() {
            tracing::info!("no font was found; characters are printed as boxes");
        }
        Self(font)
    }

    /// `character` in a cell of this size.
    pub(crate) fn cell(&self, character: char, width: usize, height: usize) -> Bitmap {
        let mut cell = Bitmap::new(width, height);
        if character.is_whitespace() {
            return cell;
        }
        if self.draw(character, &mut cell).is_none() {
            boxed(&mut cell);
        }
        cell
    }

    fn draw(&self, character: char, cell: &mut Bitmap) -> Option<()> {
        let font = self.0.as_ref()?;
        let id = font.glyph_id(character);
        if id.0 == 0 {
            return None;
        }
        let em = font.units_per_em()?;
        // Half-width characters fill half an em, so the cell's width says how an em is stretched.
        let advance = (font.h_advance_unscaled(id) / em).max(0.1);
        let scale = PxScale {
            x: pixels(cell.width) / advance,
            y: pixels(cell.height),
        };
        let unit = font.height_unscaled() / em;
        let scale = PxScale {
            x: scale.x * unit,
            y: scale.y,
        };
        let baseline = font.as_scaled(scale).ascent();
        let glyph = id.with_scale_and_position(scale, point(0.0, baseline));
        let outline = font.outline_glyph(glyph)?;
        let bounds = outline.px_bounds();
        outline.draw(|x, y, coverage| {
            let column = offset(bounds.min.x, x);
            let row = offset(bounds.min.y, y);
            if coverage >= COVERED
                && let (Some(column), Some(row)) = (column, row)
            {
                cell.blacken(column, row);
            }
        });
        Some(())
    }
}

impl std::fmt::Debug for Font {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Font(loaded: {})", self.0.is_some())
    }
}

fn boxed(cell: &mut Bitmap) {
    let (right, bottom) = (cell.width.saturating_sub(2), cell.height.saturating_sub(2));
    for x in 1..=right {
        cell.blacken(x, 1);
        cell.blacken(x, bottom);
    }
    for y in 1..=bottom {
        cell.blacken(1, y);
        cell.blacken(right, y);
    }
}

/// Cells are at most some hundred dots wide, which a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "sizes of cells are small")]
const fn pixels(length: usize) -> f32 {
    length as f32
}

/// A dot's place in its cell; none left of it or above.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bounds of a glyph in a cell are small whole numbers"
)]
fn offset(start: f32, step: u32) -> Option<usize> {
    usize::try_from(i64::from(step) + start.floor() as i64).ok()
}
