//! Words on the pad's own screen, drawn with a font that the settings name.
//!
//! Only fixed words of ours are drawn (buttons and one hint), so a glyph that is missing is a wrong font, and
//! said when the font is opened.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use ab_glyph::{Font as _, FontVec, PxScale, ScaleFont as _};
use thiserror::Error;

use crate::picture::{Area, Picture, Rgb};

/// The font of Debian's package `fonts-morisawa-bizud-gothic`.
pub const DEFAULT_FONT: &str = "/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Regular.ttf";
/// The largest Japanese fonts have some 60 MiB.
const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// Why there is no font.
#[derive(Debug, Error)]
pub enum FontError {
    /// The file cannot be read.
    #[error("font {path} cannot be read")]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no font, or lacks a letter that the pad must show.
    #[error("{path} is no font with the letters of the buttons")]
    Unusable {
        /// Its path.
        path: PathBuf,
    },
}

/// A font.
pub(crate) struct Font(FontVec);

impl fmt::Debug for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Font")
    }
}

impl Font {
    /// Opens a font that has every letter of `words`.
    ///
    /// # Errors
    /// Says why it cannot be used.
    pub(crate) fn open(path: &Path, words: &[&str]) -> Result<Self, FontError> {
        let read = |source| FontError::Read {
            path: path.to_owned(),
            source,
        };
        let unusable = || FontError::Unusable {
            path: path.to_owned(),
        };
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
            .map_err(read)?;
        let font = FontVec::try_from_vec(bytes).ok().ok_or_else(unusable)?;
        let complete = words
            .iter()
            .flat_map(|word| word.chars())
            .all(|letter| font.glyph_id(letter).0 != 0);
        complete.then_some(Self(font)).ok_or_else(unusable)
    }

    /// Draws a word in the middle of an area, as large as it fits, at most `size` pixels high.
    pub(crate) fn draw(
        &self,
        picture: &mut Picture,
        word: &str,
        area: Area,
        size: f32,
        colour: Rgb,
    ) {
        let wanted = self.width(word, size);
        let room = small(area.width);
        let size = if wanted > room {
            size * room / wanted
        } else {
            size
        };
        let font = self.0.as_scaled(PxScale::from(size));
        let mut x = small(area.x) + (room - self.width(word, size)) / 2.0;
        let middle = small(area.y) + small(area.height) / 2.0;
        let baseline = middle + f32::midpoint(font.ascent(), font.descent());
        for letter in word.chars() {
            let glyph = self
                .0
                .glyph_id(letter)
                .with_scale_and_position(PxScale::from(size), ab_glyph::point(x, baseline));
            x += font.h_advance(glyph.id);
            let Some(outline) = self.0.outline_glyph(glyph) else {
                continue;
            };
            let corner = outline.px_bounds().min;
            outline.draw(|column, row, cover| {
                let at = pixel(corner.x, column).zip(pixel(corner.y, row));
                if let Some(at) = at {
                    picture.blend(at, colour, coverage(cover));
                }
            });
        }
    }

    fn width(&self, word: &str, size: f32) -> f32 {
        let font = self.0.as_scaled(PxScale::from(size));
        word.chars()
            .map(|letter| font.h_advance(self.0.glyph_id(letter)))
            .sum()
    }
}

/// A length of a picture, which has at most 8192 pixels a side, as ab_glyph counts.
fn small(length: u32) -> f32 {
    f32::from(u16::try_from(length).unwrap_or(u16::MAX))
}

fn pixel(corner: f32, offset: u32) -> Option<u32> {
    let corner = crate::mapping::whole(f64::from(corner));
    u32::try_from(corner).ok()?.checked_add(offset)
}

fn coverage(cover: f32) -> u8 {
    let cover = crate::mapping::whole(f64::from(cover) * 255.0);
    u8::try_from(cover.clamp(0, 255)).unwrap_or(0xFF)
}
