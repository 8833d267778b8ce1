//! What lies on a page, and how it looks when it is scanned.
//!
//! A generated page is drawn once at [`BASE`] dots an inch; a scan samples it at any resolution, turned by
//! the page's skew. Places and sizes are in three hundredths of an inch, as eSCL gives them.

use serde::{Deserialize, Serialize};
use sim_kit::Random;

use crate::document::jpeg;
use crate::picture;
use crate::printer::font::Font;

/// Dots an inch at which pages are drawn.
const BASE: u16 = 150;
/// A4 in three hundredths of an inch.
pub(crate) const WIDTH: u32 = 2480;
pub(crate) const HEIGHT: u32 = 3508;
/// Beyond a page's edge.
const BACKING: [u8; 3] = [0xE8; 3];
const PAPER: [u8; 3] = [0xFC; 3];
const INK: [u8; 3] = [0x18; 3];
const SEAL: [u8; 3] = [0xC8, 0x20, 0x20];
/// A page that is given as a picture is at most this large.
const MOST_PIXELS: usize = 40_000_000;

/// What lies on one side of a sheet.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PageContent {
    /// Nothing.
    Blank,
    /// Lines of text and a red seal, by seed.
    Text {
        /// Which text.
        seed: u64,
        /// By how many degrees the page lies askew, clockwise.
        #[serde(default)]
        skew: f32,
    },
    /// A PNG file, stretched over the whole page.
    #[serde(skip)]
    Png(Vec<u8>),
}

/// A document may be a citizen's.
impl std::fmt::Debug for PageContent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blank => write!(formatter, "Blank"),
            Self::Text { seed, skew } => write!(formatter, "Text(seed {seed}, skew {skew})"),
            Self::Png(file) => write!(formatter, "Png({} bytes)", file.len()),
        }
    }
}

/// How colours are scanned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ColourMode {
    /// One bit.
    Lineart,
    /// Eight bits of grey.
    #[default]
    Grey,
    /// Eight bits each of red, green and blue.
    Colour,
}

/// What is scanned of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Default for Area {
    fn default() -> Self {
        Self {
            left: 0,
            top: 0,
            width: WIDTH,
            height: HEIGHT,
        }
    }
}

/// A scanned page.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) mode: ColourMode,
    pub(crate) dpi: u16,
    /// Rows of bits (1 is black), of grey, or of red, green and blue.
    pub(crate) pixels: Vec<u8>,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Image({}x{})", self.width, self.height)
    }
}

impl Image {
    /// How many pixels an area has at a resolution.
    pub(crate) fn size(area: Area, dpi: u16) -> (usize, usize) {
        let side = |length: u32| {
            usize::try_from(length * u32::from(dpi) / 300)
                .unwrap_or(0)
                .max(1)
        };
        (side(area.width), side(area.height))
    }

    /// Bytes of one row.
    pub(crate) fn row(width: usize, mode: ColourMode) -> usize {
        match mode {
            ColourMode::Lineart => width.div_ceil(8),
            ColourMode::Grey => width,
            ColourMode::Colour => width * 3,
        }
    }

    pub(crate) fn jpeg(&self) -> Vec<u8> {
        let size = (self.width, self.height);
        match self.mode {
            // JPEG knows no single bits.
            ColourMode::Lineart => jpeg::encode(size, 1, &self.grey(), self.dpi),
            ColourMode::Grey => jpeg::encode(size, 1, &self.pixels, self.dpi),
            ColourMode::Colour => jpeg::encode(size, 3, &self.pixels, self.dpi),
        }
    }

    pub(crate) fn png(&self) -> Vec<u8> {
        match self.mode {
            ColourMode::Lineart => picture::one_bit_png(self.width, self.height, &self.pixels),
            ColourMode::Grey => picture::grey_png(self.width, self.height, &self.pixels),
            ColourMode::Colour => picture::rgb_png(self.width, self.height, &self.pixels),
        }
    }

    fn grey(&self) -> Vec<u8> {
        let rows = self.pixels.chunks(self.width.div_ceil(8));
        let pixel = |byte: u8, place: usize| if byte & (0x80 >> place) == 0 { 255 } else { 0 };
        rows.flat_map(|row| {
            let bits = row
                .iter()
                .flat_map(|byte| (0..8).map(move |place| pixel(*byte, place)));
            bits.take(self.width)
        })
        .collect()
    }
}

/// Scans a side of a sheet.
pub(crate) fn scan(
    content: &PageContent,
    font: &Font,
    area: Area,
    (dpi, mode): (u16, ColourMode),
) -> Image {
    let base = Base::draw(content, font);
    let (width, height) = Image::size(area, dpi);
    let mut pixels = Vec::with_capacity(Image::row(width, mode) * height);
    let skew = match content {
        PageContent::Text { skew, .. } => skew.to_radians(),
        PageContent::Blank | PageContent::Png(_) => 0.0,
    };
    for y in 0..height {
        let colour = |x| base.at(x, y, (area, dpi, skew));
        match mode {
            ColourMode::Colour => pixels.extend((0..width).flat_map(colour)),
            ColourMode::Grey => pixels.extend((0..width).map(colour).map(grey)),
            ColourMode::Lineart => {
                for first in (0..width).step_by(8) {
                    let bits = (first..width.min(first + 8)).zip(0..);
                    let bits = bits.map(|(x, place)| {
                        if grey(colour(x)) < 128 {
                            0x80_u8 >> place
                        } else {
                            0
                        }
                    });
                    pixels.push(bits.sum());
                }
            }
        }
    }
    Image {
        width,
        height,
        mode,
        dpi,
        pixels,
    }
}

fn grey([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114;
    u8::try_from(sum / 1000).unwrap_or(u8::MAX)
}

/// A page as drawn.
struct Base {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Base {
    fn draw(content: &PageContent, font: &Font) -> Self {
        let (width, height) = Image::size(Area::default(), BASE);
        let mut base = Self {
            width,
            height,
            pixels: vec![PAPER; width * height],
        };
        match content {
            PageContent::Blank => {}
            PageContent::Text { seed, .. } => base.write(*seed, font),
            PageContent::Png(file) => {
                if let Some(picture) = decode(file) {
                    base = picture;
                }
            }
        }
        base
    }

    /// Lines of words, a heading, and a seal.
    fn write(&mut self, seed: u64, font: &Font) {
        let mut random = Random::new(seed);
        self.line("住民票の写し等交付請求書", (150, 120), 40, font);
        let words = [
            "住所",
            "氏名",
            "生年月日",
            "届出の理由",
            "世帯主",
            "続柄",
            "本籍",
            "令和",
        ];
        for row in 0..24 {
            let mut text = format!("{:02} ", row + 1);
            for _ in 0..4 + random.byte() % 4 {
                let word = words.get(usize::from(random.byte()) % words.len());
                text.push_str(word.copied().unwrap_or_default());
                text.push_str(&format!(" {:03} ", random.byte()));
            }
            self.line(&text, (150, 240 + row * 58), 24, font);
        }
        let (centre, radius) = ((1030_i32, 160_i32), 46_i32);
        for y in -radius..=radius {
            for x in -radius..=radius {
                let distance = x * x + y * y;
                if distance <= radius * radius && distance >= (radius - 5) * (radius - 5) {
                    self.set(centre.0 + x, centre.1 + y, SEAL);
                }
            }
        }
    }

    fn line(&mut self, text: &str, (left, top): (i32, i32), size: usize, font: &Font) {
        let mut x = left;
        for character in text.chars() {
            let width = if character.is_ascii() { size / 2 } else { size };
            let cell = font.cell(character, width, size);
            for (row, y) in (0..size).zip(top..) {
                for (column, x) in (0..width).zip(x..) {
                    if cell.is_black(column, row) {
                        self.set(x, y, INK);
                    }
                }
            }
            x += i32::try_from(width).unwrap_or(0);
        }
    }

    fn set(&mut self, x: i32, y: i32, colour: [u8; 3]) {
        if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
            && x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = colour;
        }
    }

    /// The colour under a pixel of the scan.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "places on a page are small numbers, and those outside it are sorted out first"
    )]
    fn at(&self, x: usize, y: usize, (area, dpi, skew): (Area, u16, f32)) -> [u8; 3] {
        let scale = 300.0 / f32::from(dpi);
        let across = area.left as f32 + (x as f32 + 0.5) * scale - WIDTH as f32 / 2.0;
        let down = area.top as f32 + (y as f32 + 0.5) * scale - HEIGHT as f32 / 2.0;
        let (sine, cosine) = skew.sin_cos();
        let page_x = across * cosine + down * sine + WIDTH as f32 / 2.0;
        let page_y = down * cosine - across * sine + HEIGHT as f32 / 2.0;
        let column = page_x / WIDTH as f32 * self.width as f32;
        let row = page_y / HEIGHT as f32 * self.height as f32;
        if column < 0.0 || row < 0.0 || column >= self.width as f32 {
            return BACKING;
        }
        let place = row as usize * self.width + column as usize;
        self.pixels.get(place).copied().unwrap_or(BACKING)
    }
}

/// A PNG of eight bits as pixels; none where it is no such file.
fn decode(file: &[u8]) -> Option<Base> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = {
        let info = reader.info();
        (
            usize::try_from(info.width).ok()?,
            usize::try_from(info.height).ok()?,
        )
    };
    if width * height > MOST_PIXELS {
        return None;
    }
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut bytes).ok()?;
    let samples = frame.color_type.samples();
    let pixels = bytes
        .chunks_exact(samples)
        .take(width * height)
        .map(|pixel| match pixel {
            [red, green, blue, ..] => [*red, *green, *blue],
            [grey, ..] => [*grey; 3],
            [] => PAPER,
        });
    Some(Base {
        width,
        height,
        pixels: pixels.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dark(image: &Image) -> usize {
        image.pixels.iter().filter(|level| **level < 128).count()
    }

    #[test]
    fn pages_differ_as_their_contents_do() {
        let font = Font::load(None);
        let grey =
            |content: &PageContent| scan(content, &font, Area::default(), (75, ColourMode::Grey));
        let blank = grey(&PageContent::Blank);
        assert_eq!((blank.width, blank.height, dark(&blank)), (620, 877, 0));
        let text = grey(&PageContent::Text { seed: 1, skew: 0.0 });
        let skewed = grey(&PageContent::Text { seed: 1, skew: 3.0 });
        assert!(dark(&text) > 2000);
        assert_ne!(text.pixels, skewed.pixels);
        assert_eq!(
            skewed.pixels[0], BACKING[0],
            "the corner lies beside the page"
        );
        let again = grey(&PageContent::Png(text.png()));
        assert!(dark(&again).abs_diff(dark(&text)) < 50);
    }

    #[test]
    fn modes_and_areas_have_their_sizes() {
        let font = Font::load(None);
        let area = Area {
            left: 0,
            top: 0,
            width: 300,
            height: 150,
        };
        for (mode, bytes) in [
            (ColourMode::Lineart, 13 * 50),
            (ColourMode::Grey, 100 * 50),
            (ColourMode::Colour, 300 * 50),
        ] {
            let image = scan(&PageContent::Blank, &font, area, (100, mode));
            assert_eq!(
                (image.width, image.height, image.pixels.len()),
                (100, 50, bytes)
            );
        }
    }
}
