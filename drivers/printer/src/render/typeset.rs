//! Elements one below the other.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment};

use super::fonts::{Cluster, Fonts, Glyph};
use super::lines::break_lines;
use super::{ContentError, Typeset};
use crate::raster::Raster;
use crate::ticket::{Align, Code, Element, Level, Picture, Text, Ticket};

/// The longest text of one element, in bytes: more than a metre of the smallest letters.
const LONGEST_TEXT: usize = 16 << 10;
/// The mark on every paper after the first.
pub const REISSUE: &str = "再発行";
/// The largest number, in points.
const LARGEST_NUMBER: f32 = 96.0;
/// From line to line, in ems.
const LEADING: f32 = 1.35;
/// From the top of a line to its baseline, in ems.
const ASCENT: f32 = 1.05;

/// Draws tickets with fonts.
#[derive(Debug)]
pub struct Typesetter {
    fonts: Fonts,
    width: usize,
    dpi: u16,
}

impl Typesetter {
    /// Draws for a printer of so many dots a line and dots an inch.
    #[must_use]
    pub const fn new(fonts: Fonts, width: usize, dpi: u16) -> Self {
        Self { fonts, width, dpi }
    }
}

impl Typeset for Typesetter {
    fn typeset(&self, ticket: &Ticket, reissue: Option<u32>) -> Result<Raster, ContentError> {
        if ticket.elements.is_empty() {
            return Err(ContentError::Empty);
        }
        let mut page = Page {
            setter: self,
            raster: Raster::new(self.width, 0),
        };
        if let Some(copy) = reissue {
            page.mark(&format!("{REISSUE} {copy}"), 0)?;
        }
        for (number, element) in ticket.elements.iter().enumerate() {
            page.element(element, number)?;
        }
        page.raster.scrub();
        Ok(page.raster)
    }
}

/// The picture as far as it is drawn.
struct Page<'a> {
    setter: &'a Typesetter,
    raster: Raster,
}

impl Page<'_> {
    fn element(&mut self, element: &Element, number: usize) -> Result<(), ContentError> {
        match element {
            Element::Text(text) => self.text(text, number),
            Element::Number(text) => self.number(text, number),
            Element::Rule => {
                let gap = self.dots(10.0);
                let top = self.room(gap * 2 + 2)?;
                let width = self.raster.width();
                self.raster.fill((0, top + gap), (width, 2));
                Ok(())
            }
            Element::Space(tenths) => self.room(self.dots(f32::from(*tenths))).map(drop),
            Element::Code(code) => self.code(code, number),
            Element::Picture(picture) => self.picture(picture, number),
            Element::Mark(text) => self.mark(text, number),
        }
    }

    fn text(&mut self, text: &Text, element: usize) -> Result<(), ContentError> {
        let em = self.em(f32::from(text.size.points()));
        let letters = self.letters(&text.content, text.bold, (em, element))?;
        let width = whole_to_f32(self.raster.width());
        for line in break_lines(&letters.clusters, &letters.widths, width) {
            let top = self.room(ceil(em * LEADING))?;
            let length: f32 = letters
                .widths
                .get(line.clone())
                .unwrap_or_default()
                .iter()
                .sum();
            let left = match text.align {
                Align::Left => 0.0,
                Align::Centre => (width - length).max(0.0) / 2.0,
                Align::Right => (width - length).max(0.0),
            };
            let baseline = whole_to_f32(top) + em * ASCENT;
            letters.draw(&mut self.raster, em, (line, left, baseline));
        }
        Ok(())
    }

    fn number(&mut self, text: &str, element: usize) -> Result<(), ContentError> {
        let probe = self.letters(text, true, (100.0, element))?;
        let length: f32 = probe.widths.iter().sum();
        let width = whole_to_f32(self.raster.width());
        let em = (width * 96.0 / length.max(1.0)).min(self.em(LARGEST_NUMBER));
        let letters = self.letters(text, true, (em, element))?;
        let length: f32 = letters.widths.iter().sum();
        let top = self.room(ceil(em * 1.15))?;
        let place = (
            0..letters.clusters.len(),
            (width - length) / 2.0,
            whole_to_f32(top) + em,
        );
        letters.draw(&mut self.raster, em, place);
        Ok(())
    }

    /// White on black, as a picture of its own that is inverted.
    fn mark(&mut self, text: &str, element: usize) -> Result<(), ContentError> {
        let em = self.em(18.0);
        let letters = self.letters(text, true, (em, element))?;
        let length: f32 = letters.widths.iter().sum();
        let width = whole_to_f32(self.raster.width());
        if length > width {
            return Err(ContentError::TooWide { element });
        }
        let height = ceil(em * LEADING);
        let mut letters_only = Raster::new(self.raster.width(), height);
        let place = (
            0..letters.clusters.len(),
            (width - length) / 2.0,
            em * ASCENT,
        );
        letters.draw(&mut letters_only, em, place);
        let top = self.room(height)?;
        for y in 0..height {
            for x in (0..self.raster.width()).filter(|x| !letters_only.is_black(*x, y)) {
                self.raster.blacken(x, top + y);
            }
        }
        Ok(())
    }

    fn code(&mut self, code: &Code, element: usize) -> Result<(), ContentError> {
        let level = match code.level {
            Level::L => QrCodeEcc::Low,
            Level::M => QrCodeEcc::Medium,
            Level::Q => QrCodeEcc::Quartile,
            Level::H => QrCodeEcc::High,
        };
        let segment = [QrSegment::make_bytes(&code.data)];
        let drawn = QrCode::encode_segments_advanced(
            &segment,
            level,
            qrcodegen::Version::MIN,
            qrcodegen::Version::MAX,
            None,
            false,
        );
        let Ok(drawn) = drawn else {
            return Err(ContentError::CodeTooLong { element });
        };
        let size = usize::try_from(drawn.size()).unwrap_or(0);
        let module = code
            .module
            .map_or_else(|| self.dots(5.0), usize::from)
            .max(1);
        // Four modules of white on each side (ISO/IEC 18004, 9.1); the paper's own edge does not count.
        let side = (size + 8) * module;
        if side > self.raster.width() {
            return Err(ContentError::TooWide { element });
        }
        let top = self.room(side)? + 4 * module;
        let left = (self.raster.width() - side) / 2 + 4 * module;
        for (y, row) in (0..drawn.size()).enumerate() {
            for (x, column) in (0..drawn.size()).enumerate() {
                if drawn.get_module(column, row) {
                    let corner = (left + x * module, top + y * module);
                    self.raster.fill(corner, (module, module));
                }
            }
        }
        Ok(())
    }

    fn picture(&mut self, picture: &Picture, element: usize) -> Result<(), ContentError> {
        let width = usize::from(picture.width);
        let stride = width.div_ceil(8);
        if stride == 0 || picture.rows.is_empty() || !picture.rows.len().is_multiple_of(stride) {
            return Err(ContentError::Picture { element });
        }
        if width > self.raster.width() {
            return Err(ContentError::TooWide { element });
        }
        let rows = picture.rows.chunks_exact(stride);
        let top = self.room(rows.len())?;
        let left = (self.raster.width() - width) / 2;
        for (y, row) in rows.enumerate() {
            for x in 0..width {
                let byte = row.get(x / 8).copied().unwrap_or(0);
                if byte & (0x80 >> (x % 8)) != 0 {
                    self.raster.blacken(left + x, top + y);
                }
            }
        }
        Ok(())
    }

    fn letters(
        &self,
        text: &str,
        bold: bool,
        (em, element): (f32, usize),
    ) -> Result<Letters, ContentError> {
        if text.len() > LONGEST_TEXT {
            return Err(ContentError::TooLong);
        }
        let missing = |place| ContentError::Character { element, place };
        let clusters = Cluster::divide(text).map_err(missing)?;
        let mut letters = Letters {
            clusters,
            glyphs: Vec::new(),
            widths: Vec::new(),
        };
        for cluster in &letters.clusters {
            if cluster.base == '\n' {
                letters.glyphs.push(None);
                letters.widths.push(0.0);
                continue;
            }
            let glyph = self.setter.fonts.glyph(cluster, bold);
            let glyph = glyph.ok_or_else(|| missing(cluster.place))?;
            letters.widths.push(glyph.advance(em));
            letters.glyphs.push(Some(glyph));
        }
        Ok(letters)
    }

    /// Makes room at the bottom; the first new row.
    fn room(&mut self, rows: usize) -> Result<usize, ContentError> {
        let top = self.raster.rows();
        if self.raster.extend(rows) {
            Ok(top)
        } else {
            Err(ContentError::TooLong)
        }
    }

    /// Points to dots.
    fn em(&self, points: f32) -> f32 {
        (points * f32::from(self.setter.dpi) / 72.0).round()
    }

    /// Tenths of a millimetre to dots.
    fn dots(&self, tenths: f32) -> usize {
        ceil(tenths * f32::from(self.setter.dpi) / 254.0)
    }
}

/// A text with the glyph and the width of each of its clusters.
struct Letters {
    clusters: Vec<Cluster>,
    glyphs: Vec<Option<Glyph>>,
    widths: Vec<f32>,
}

impl Letters {
    fn draw(
        &self,
        raster: &mut Raster,
        em: f32,
        (line, left, baseline): (std::ops::Range<usize>, f32, f32),
    ) {
        let mut x = left;
        for at in line {
            if let Some(Some(glyph)) = self.glyphs.get(at) {
                glyph.draw(raster, em, (x, baseline));
            }
            x += self.widths.get(at).copied().unwrap_or(0.0);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths on paper: some thousand dots at most, and a float cast saturates"
)]
fn ceil(length: f32) -> usize {
    length.ceil().max(0.0) as usize
}

#[expect(
    clippy::cast_precision_loss,
    reason = "lengths on paper: some thousand dots at most"
)]
const fn whole_to_f32(length: usize) -> f32 {
    length as f32
}

#[cfg(test)]
mod tests;
