//! The banner as a picture: what everybody at the machine must be able to read.
//!
//! Drawn with a font that is given, because the server's own fonts need not have Japanese.

use ab_glyph::{Font, FontVec, PxScale, ScaleFont, point};

use crate::typist::TypistError;

/// What the banner says.
pub(crate) const TEXT: &str = "窓口エージェントが入力しています　Escで中止";
/// Its height.
pub(crate) const HEIGHT: u16 = 56;
const SIZE: f32 = 32.0;
/// White on dark red: a contrast of more than 8 to 1 (WCAG 2.2, 1.4.6 asks for 7).
const INK: [u8; 3] = [0xFF, 0xFF, 0xFF];
const GROUND: [u8; 3] = [0xA0, 0x00, 0x20];

/// The banner in rows of four bytes a pixel: blue, green, red, unused.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: u16,
    pub(crate) pixels: Vec<u8>,
}

/// Reads a font that has every character of the banner.
pub(crate) fn font(bytes: Vec<u8>) -> Result<FontVec, TypistError> {
    let font = FontVec::try_from_vec_and_index(bytes, 0);
    // The error says no more than that the bytes are no font.
    let font = font.ok().ok_or(TypistError::Banner {
        why: "the font cannot be read",
    })?;
    if TEXT.chars().any(|one| font.glyph_id(one).0 == 0) {
        return Err(TypistError::Banner {
            why: "the font lacks a character",
        });
    }
    Ok(font)
}

/// Draws the banner, as wide as the screen.
pub(crate) fn draw(font: &FontVec, width: u16) -> Picture {
    let mut picture = Picture {
        width,
        pixels: Vec::with_capacity(usize::from(width) * usize::from(HEIGHT) * 4),
    };
    for _ in 0..usize::from(width) * usize::from(HEIGHT) {
        picture.pixels.extend([GROUND[2], GROUND[1], GROUND[0], 0]);
    }
    let wide: f32 = TEXT.chars().map(|one| advance(font, SIZE, one)).sum();
    let size = SIZE * (f32::from(width) * 0.96 / wide).min(1.0);
    let scaled = font.as_scaled(PxScale::from(size));
    let mut x = (f32::from(width)
        - TEXT
            .chars()
            .map(|one| advance(font, size, one))
            .sum::<f32>())
        / 2.0;
    let y = (f32::from(HEIGHT) + scaled.ascent() + scaled.descent()) / 2.0;
    for one in TEXT.chars() {
        let glyph = font
            .glyph_id(one)
            .with_scale_and_position(PxScale::from(size), point(x, y));
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, coverage| {
                picture.mix(offset(corner.x, dx), offset(corner.y, dy), coverage);
            });
        }
        x += advance(font, size, one);
    }
    picture
}

impl Picture {
    /// Lays ink over a pixel; what lies outside is left out.
    fn mix(&mut self, x: Option<usize>, y: Option<usize>, coverage: f32) {
        let width = usize::from(self.width);
        let (Some(x), Some(y)) = (x.filter(|x| *x < width), y) else {
            return;
        };
        let start = (y * width + x) * 4;
        let Some(pixel) = self.pixels.get_mut(start..start + 3) else {
            return;
        };
        let ink = [INK[2], INK[1], INK[0]];
        for (value, ink) in pixel.iter_mut().zip(ink) {
            let (from, to) = (f32::from(*value), f32::from(ink));
            *value = rounded(from + (to - from) * coverage.clamp(0.0, 1.0));
        }
    }
}

/// A glyph's corner lies on whole pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative and huge values are cut off"
)]
fn offset(corner: f32, by: u32) -> Option<usize> {
    let sum = corner + by as f32;
    (sum >= 0.0).then_some(sum as usize)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value lies between 0 and 255"
)]
fn rounded(value: f32) -> u8 {
    value.round() as u8
}

fn advance(font: &FontVec, size: f32, one: char) -> f32 {
    font.as_scaled(PxScale::from(size))
        .h_advance(font.glyph_id(one))
}
