//! Pictures in red, green and blue: what is shown, drawn and hashed.
//!
//! A picture knows its size and cannot be out of step with its bytes. Drawing outside it does nothing.
//! A PNG is read within limits and onto white; a picture is written as PNG always in the same way, so that
//! the same picture has the same hash.

use std::io::Cursor;

use ring::digest;
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest side of a picture.
pub const MAX_SIDE: u32 = 8192;
const MAX_PIXELS: u64 = 32 * 1024 * 1024;

/// A colour.
pub type Rgb = [u8; 3];

/// White.
pub const WHITE: Rgb = [0xFF; 3];
/// Black.
pub const BLACK: Rgb = [0; 3];

/// A SHA-256.
pub type Sha256 = [u8; 32];

/// A rectangle of pixels, from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Area {
    /// Whether a place, in pixels, lies within.
    #[must_use]
    pub fn holds(&self, x: f64, y: f64) -> bool {
        let (left, top) = (f64::from(self.x), f64::from(self.y));
        let (right, bottom) = (left + f64::from(self.width), top + f64::from(self.height));
        (left..right).contains(&x) && (top..bottom).contains(&y)
    }

    /// The pixel after the last, to the right.
    #[must_use]
    pub const fn right(&self) -> u32 {
        self.x.saturating_add(self.width)
    }

    /// The pixel after the last, downwards.
    #[must_use]
    pub const fn bottom(&self) -> u32 {
        self.y.saturating_add(self.height)
    }

    /// The same area without a margin on each side.
    #[must_use]
    pub const fn inset(&self, margin: u32) -> Self {
        Self {
            x: self.x.saturating_add(margin),
            y: self.y.saturating_add(margin),
            width: self.width.saturating_sub(margin.saturating_mul(2)),
            height: self.height.saturating_sub(margin.saturating_mul(2)),
        }
    }
}

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    /// No side may be 0 or longer than [`MAX_SIDE`], and there may be 32 million pixels.
    #[error("a picture of {width} x {height} pixels is not shown")]
    Size {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
    },
    /// The bytes are no PNG, or a broken one.
    #[error("PNG cannot be read")]
    Png(#[source] png::DecodingError),
    /// The PNG moves, so there is no one picture that is signed.
    #[error("PNG is animated")]
    Animated,
    /// The PNG's pixels are of a kind that was not asked for.
    #[error("PNG has pixels of an unknown kind")]
    Pixels,
    /// A picture could not be written as PNG.
    #[error("picture cannot be written as PNG")]
    Write(#[source] png::EncodingError),
}

/// A picture. Its content is a citizen's document, so it is erased when dropped and hidden in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

impl Picture {
    /// A picture of one colour.
    ///
    /// # Errors
    /// [`PictureError::Size`].
    pub fn plain(width: u32, height: u32, colour: Rgb) -> Result<Self, PictureError> {
        let pixels = pixels(width, height)?;
        Ok(Self {
            width,
            height,
            rgb: Zeroizing::new(colour.repeat(pixels)),
        })
    }

    /// A picture from rows of red, green and blue; `None` where the bytes do not fit the size.
    #[must_use]
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let rgb = Zeroizing::new(rgb);
        let fits = pixels(width, height).ok()?.checked_mul(3) == Some(rgb.len());
        fits.then_some(Self { width, height, rgb })
    }

    /// Reads a PNG; what is transparent becomes white.
    ///
    /// # Errors
    /// Says why it cannot be read; the size is checked before anything is unpacked.
    pub fn from_png(bytes: &[u8]) -> Result<Self, PictureError> {
        let limits = png::Limits {
            bytes: 256 * 1024 * 1024,
        };
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(PictureError::Png)?;
        let info = reader.info();
        let (width, height) = (info.width, info.height);
        if info.animation_control().is_some() {
            return Err(PictureError::Animated);
        }
        pixels(width, height)?;
        let size = reader
            .output_buffer_size()
            .ok_or(PictureError::Size { width, height })?;
        let mut raw = Zeroizing::new(vec![0; size]);
        let frame = reader.next_frame(&mut raw).map_err(PictureError::Png)?;
        let rgb = onto_white(&raw, frame.color_type).ok_or(PictureError::Pixels)?;
        Self::from_rgb(width, height, rgb).ok_or(PictureError::Pixels)
    }

    /// The picture as PNG.
    ///
    /// # Errors
    /// [`PictureError::Write`], for want of memory.
    pub fn to_png(&self) -> Result<Vec<u8>, PictureError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().map_err(PictureError::Write)?;
        writer
            .write_image_data(&self.rgb)
            .map_err(PictureError::Write)?;
        writer.finish().map_err(PictureError::Write)?;
        Ok(bytes)
    }

    /// Width in pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The rows of red, green and blue.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The colour of a pixel; `None` outside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<Rgb> {
        let at = self.offset(x, y)?;
        self.rgb.get(at..)?.first_chunk::<3>().copied()
    }

    /// Mixes a colour over a pixel, 0 not at all to 255 wholly.
    pub fn blend(&mut self, (x, y): (u32, u32), colour: Rgb, cover: u8) {
        let Some(at) = self.offset(x, y) else {
            return;
        };
        let Some(pixel) = self
            .rgb
            .get_mut(at..)
            .and_then(<[u8]>::first_chunk_mut::<3>)
        else {
            return;
        };
        for (old, new) in pixel.iter_mut().zip(colour) {
            *old = mix(*old, new, cover);
        }
    }

    /// Fills an area.
    pub fn fill(&mut self, area: Area, colour: Rgb) {
        let right = area.right().min(self.width);
        for y in area.y..area.bottom().min(self.height) {
            let (Some(from), Some(last)) = (
                self.offset(area.x, y),
                self.offset(right.wrapping_sub(1), y),
            ) else {
                return;
            };
            if let Some(row) = self.rgb.get_mut(from..last + 3) {
                row.as_chunks_mut::<3>().0.fill(colour);
            }
        }
    }

    /// Draws a frame of some thickness along the inside of an area.
    pub fn frame(&mut self, area: Area, thickness: u32, colour: Rgb) {
        let t = thickness.min(area.width).min(area.height);
        let side = |x, y, width, height| Area {
            x,
            y,
            width,
            height,
        };
        self.fill(side(area.x, area.y, area.width, t), colour);
        self.fill(side(area.x, area.bottom() - t, area.width, t), colour);
        self.fill(side(area.x, area.y, t, area.height), colour);
        self.fill(side(area.right() - t, area.y, t, area.height), colour);
    }

    /// Copies rows `from` and on of another picture, as they are, to an area's top left.
    pub fn paste(&mut self, other: &Self, from: u32, area: Area) {
        let columns = area
            .width
            .min(other.width)
            .min(self.width.saturating_sub(area.x));
        let Ok(bytes) = usize::try_from(columns.saturating_mul(3)) else {
            return;
        };
        for row in 0..area.height.min(other.height.saturating_sub(from)) {
            let source = other
                .offset(0, from + row)
                .and_then(|at| other.rgb.get(at..at + bytes));
            let target = self
                .offset(area.x, area.y + row)
                .and_then(|at| self.rgb.get_mut(at..at + bytes));
            if let (Some(source), Some(target)) = (source, target) {
                target.copy_from_slice(source);
            }
        }
    }

    /// The same picture made narrower, each new pixel the mean of those it stands for.
    ///
    /// # Errors
    /// [`PictureError::Size`].
    pub fn narrowed(&self, width: u32) -> Result<Self, PictureError> {
        let width = width.clamp(1, self.width);
        let scaled = u64::from(self.height) * u64::from(width) / u64::from(self.width);
        let height = u32::try_from(scaled).unwrap_or(0).max(1);
        let mut new = Self::plain(width, height, WHITE)?;
        for y in 0..height {
            let rows = part(y, height, self.height);
            for x in 0..width {
                let mean = self.mean(part(x, width, self.width), rows.clone());
                new.blend((x, y), mean, 0xFF);
            }
        }
        Ok(new)
    }

    fn mean(&self, columns: std::ops::Range<u32>, rows: std::ops::Range<u32>) -> Rgb {
        let mut sums = [0_u64; 3];
        let mut count = 0_u64;
        for y in rows {
            for pixel in columns.clone().filter_map(|x| self.pixel(x, y)) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += u64::from(value);
                }
                count += 1;
            }
        }
        sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(0xFF))
    }

    fn offset(&self, x: u32, y: u32) -> Option<usize> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let at = u64::from(y) * u64::from(self.width) + u64::from(x);
        usize::try_from(at).ok()?.checked_mul(3)
    }
}

/// The SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Sha256 {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest
        .as_ref()
        .first_chunk::<32>()
        .copied()
        .unwrap_or_default()
}

fn pixels(width: u32, height: u32) -> Result<usize, PictureError> {
    let size = PictureError::Size { width, height };
    let side = 1..=MAX_SIDE;
    if !side.contains(&width) || !side.contains(&height) {
        return Err(size);
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(size);
    }
    usize::try_from(pixels).ok().ok_or(size)
}

/// The old pixels that new pixel `place` of `new` stands for, at least one.
fn part(place: u32, new: u32, old: u32) -> std::ops::Range<u32> {
    let bound = |place: u32| {
        let at = u64::from(place) * u64::from(old) / u64::from(new.max(1));
        u32::try_from(at).unwrap_or(old)
    };
    let first = bound(place);
    first..bound(place.saturating_add(1)).max(first + 1)
}

fn onto_white(raw: &[u8], kind: png::ColorType) -> Option<Vec<u8>> {
    let over = |value: u8, alpha: u8| mix(0xFF, value, alpha);
    match kind {
        png::ColorType::Grayscale => Some(raw.iter().flat_map(|grey| [*grey; 3]).collect()),
        png::ColorType::GrayscaleAlpha => Some(
            raw.as_chunks::<2>()
                .0
                .iter()
                .flat_map(|[grey, alpha]| [over(*grey, *alpha); 3])
                .collect(),
        ),
        png::ColorType::Rgb => Some(raw.to_vec()),
        png::ColorType::Rgba => Some(
            raw.as_chunks::<4>()
                .0
                .iter()
                .flat_map(|[red, green, blue, alpha]| {
                    [*red, *green, *blue].map(|value| over(value, *alpha))
                })
                .collect(),
        ),
        png::ColorType::Indexed => None,
    }
}

fn mix(old: u8, new: u8, cover: u8) -> u8 {
    let (old, new, cover) = (u32::from(old), u32::from(new), u32::from(cover));
    u8::try_from((old * (255 - cover) + new * cover + 127) / 255).unwrap_or(0xFF)
}

#[cfg(test)]
mod tests;
