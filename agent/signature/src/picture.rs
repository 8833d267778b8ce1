//! Pictures of ink: for the eye. The data stay as they are; width by pressure is only for looks.

use std::fmt::Write as _;

use thiserror::Error;

use crate::ink::{Ink, Sample};

/// The widest and highest picture, in pixels.
pub const LARGEST: u32 = 4_096;

/// The thinnest line, as a part of the picture's height.
const THIN: f64 = 0.012;

/// How much wider a line of full pressure is.
const SWELL: f64 = 0.018;

/// What stays free on every side, as a part of the height.
const MARGIN: f64 = 0.05;

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    /// No width, no height, or more than [`LARGEST`].
    #[error("{width} x {height} is not a size for a picture")]
    Size {
        /// The width.
        width: u32,
        /// The height.
        height: u32,
    },
    /// The picture could not be encoded.
    #[error("the picture could not be encoded")]
    Encode(#[source] png::EncodingError),
}

/// A place of the pen in a box, y downwards, with the line's width there.
#[derive(Clone, Copy)]
pub(crate) struct Dot {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
}

/// Strokes that touch, not joined where samples are missing, brought into a box as the citizen saw them and with
/// the shape kept: in its middle, and never larger than life where the digitizer says how large it is and the
/// box is measured in `unit_mm`.
pub(crate) fn strokes(ink: &Ink, box_size: (f64, f64), unit_mm: Option<f64>) -> Vec<Vec<Dot>> {
    let place = |sample: &Sample| ink.turn().seen((f64::from(sample.x), f64::from(sample.y)));
    let touching = || ink.samples().iter().filter(|sample| sample.tip).map(place);
    let (left, right) = ends(touching().map(|(x, _)| x));
    let (top, bottom) = ends(touching().map(|(_, y)| y));
    let (width, height) = box_size;
    let margin = height.min(width) * MARGIN;
    // A single dot has no extent; one unit does.
    let fits = |room: f64, extent: f64| (room - 2.0 * margin).max(0.0) / extent.max(1.0);
    let mut scale = fits(width, right - left).min(fits(height, bottom - top));
    let life = ink.digitizer().x.units_per_metre.zip(unit_mm);
    if let Some((units, unit_mm)) = life {
        scale = scale.min(1_000.0 / f64::from(units) / unit_mm);
    }
    let (middle_x, middle_y) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
    let full = f64::from(ink.digitizer().pressure_max.unwrap_or(0));
    ink.runs()
        .filter(|run| run.first().is_some_and(|sample| sample.tip))
        // Nobody knows what the pen did in a gap.
        .flat_map(|run| run.chunk_by(|_, next| next.lost_before == 0))
        .map(|run| {
            let dots = run.iter().map(|sample| {
                let (x, y) = place(sample);
                Dot {
                    x: width / 2.0 + (x - middle_x) * scale,
                    y: height / 2.0 + (y - middle_y) * scale,
                    width: height * pressed(f64::from(sample.pressure), full),
                }
            });
            dots.collect()
        })
        .collect()
}

/// The part of the height that a line takes.
fn pressed(pressure: f64, full: f64) -> f64 {
    let part = if full > 0.0 { pressure / full } else { 0.5 };
    // Steps of an eighth, so that neighbours often share a width.
    THIN + SWELL * (part * 8.0).round() / 8.0
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

/// Parts of a stroke that are drawn with one width; each begins where the one before ends.
pub(crate) fn pieces(stroke: &[Dot]) -> impl Iterator<Item = (f64, &[Dot])> {
    let mut start = 0;
    stroke
        .chunk_by(|a, b| a.width.to_bits() == b.width.to_bits())
        .map(move |chunk| {
            let from = start;
            start += chunk.len();
            let width = chunk.first().map_or(0.0, |dot| dot.width);
            // One dot more than the chunk joins it to the next.
            let piece = stroke.get(from..=start).or_else(|| stroke.get(from..));
            (width, piece.unwrap_or_default())
        })
}

/// Draws ink as SVG: black lines on nothing.
///
/// # Errors
/// Where the size is none.
pub fn svg(ink: &Ink, width: u32, height: u32) -> Result<String, PictureError> {
    check(width, height)?;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n\
         <title>手書き署名</title>\n\
         <g fill=\"none\" stroke=\"#000\" stroke-linecap=\"round\" stroke-linejoin=\"round\">\n"
    );
    for stroke in strokes(ink, (f64::from(width), f64::from(height)), None) {
        for (line, piece) in pieces(&stroke) {
            // Writing to a string cannot fail.
            let _written = write!(out, "<path stroke-width=\"{line:.2}\" d=\"");
            for (number, dot) in piece.iter().enumerate() {
                let verb = if number == 0 { 'M' } else { 'L' };
                let _written = write!(out, "{verb}{:.2} {:.2}", dot.x, dot.y);
            }
            // A stroke of one dot shows only if it goes somewhere.
            out.push_str(if piece.len() == 1 {
                "h0\"/>\n"
            } else {
                "\"/>\n"
            });
        }
    }
    out.push_str("</g>\n</svg>\n");
    Ok(out)
}

/// Draws ink as PNG: black on white, in shades of grey.
///
/// # Errors
/// Where the size is none or too large.
pub fn png(ink: &Ink, width: u32, height: u32) -> Result<Vec<u8>, PictureError> {
    check(width, height)?;
    let mut canvas = Canvas::new(width, height);
    for stroke in strokes(ink, (f64::from(width), f64::from(height)), None) {
        for pair in stroke.windows(2) {
            if let [from, to] = pair {
                canvas.line(*from, *to);
            }
        }
        if let [dot] = stroke.as_slice() {
            canvas.line(*dot, *dot);
        }
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(PictureError::Encode)?;
    writer
        .write_image_data(&canvas.pixels)
        .map_err(PictureError::Encode)?;
    writer.finish().map_err(PictureError::Encode)?;
    Ok(out)
}

fn check(width: u32, height: u32) -> Result<(), PictureError> {
    let good = 1..=LARGEST;
    if good.contains(&width) && good.contains(&height) {
        Ok(())
    } else {
        Err(PictureError::Size { width, height })
    }
}

/// Grey pixels, white where nothing was drawn.
struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Canvas {
    fn new(width: u32, height: u32) -> Self {
        let row = usize::try_from(width).unwrap_or(0);
        let rows = usize::try_from(height).unwrap_or(0);
        Self {
            width,
            height,
            pixels: vec![255; row.saturating_mul(rows)],
        }
    }

    /// Darkens every pixel by how far it lies within the line.
    fn line(&mut self, from: Dot, to: Dot) {
        let half = from.width.max(to.width) / 2.0 + 1.0;
        let columns = span(from.x.min(to.x) - half, from.x.max(to.x) + half, self.width);
        let rows = span(
            from.y.min(to.y) - half,
            from.y.max(to.y) + half,
            self.height,
        );
        for row in rows {
            for column in columns.clone() {
                let (x, y) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
                let cover = cover(from, to, x, y);
                if cover > 0.0 {
                    self.darken(column, row, cover);
                }
            }
        }
    }

    fn darken(&mut self, column: u32, row: u32, cover: f64) {
        let place = u64::from(row) * u64::from(self.width) + u64::from(column);
        let pixel = usize::try_from(place)
            .ok()
            .and_then(|place| self.pixels.get_mut(place));
        if let Some(pixel) = pixel {
            *pixel = (*pixel).min(255 - shade(cover));
        }
    }
}

/// How much of a pixel with this middle a line covers, from 0 to 1.
fn cover(from: Dot, to: Dot, x: f64, y: f64) -> f64 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx * dx + dy * dy;
    let part = if length > 0.0 {
        (((x - from.x) * dx + (y - from.y) * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let distance = (x - from.x - part * dx).hypot(y - from.y - part * dy);
    let half = (from.width + (to.width - from.width) * part) / 2.0;
    (half.max(0.4) - distance + 0.5).clamp(0.0, 1.0)
}

/// Pixels from `low` to `high` within a picture.
fn span(low: f64, high: f64, size: u32) -> std::ops::Range<u32> {
    whole(low, size)..whole(high + 1.0, size)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the picture first; a value that is no number becomes 0"
)]
fn whole(value: f64, size: u32) -> u32 {
    value.clamp(0.0, f64::from(size)) as u32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 1 before it is multiplied"
)]
fn shade(cover: f64) -> u8 {
    (cover * 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::{LARGEST, pieces, png, strokes, svg};
    use crate::ink::{CapturedBy, Ink, Sample, Turn};
    use crate::sample_ink::{bare_ink, digitizer, ink};

    #[test]
    fn strokes_stay_in_their_box_and_are_never_larger_than_life() {
        for (ink, unit) in [(ink(), None), (ink(), Some(0.01)), (bare_ink(), None)] {
            let strokes = strokes(&ink, (300.0, 100.0), unit);
            // The second of three has a gap.
            assert_eq!(strokes.len(), 4);
            let dots = || strokes.iter().flatten();
            assert!(dots().all(|dot| (0.0..=300.0).contains(&dot.x)));
            assert!(dots().all(|dot| (0.0..=100.0).contains(&dot.y)));
        }
        // 4,073 units of 0.01 mm are 40.73 mm, in units of 1 mm of the box.
        let strokes = strokes(&ink(), (3_000.0, 1_000.0), Some(1.0));
        let right = strokes.iter().flatten().map(|dot| dot.x);
        let right = right.fold(f64::MIN, f64::max);
        assert!((right - 1_500.0 - 40.73 / 2.0).abs() < 0.01, "{right}");
    }

    #[test]
    fn ink_of_a_turned_tablet_is_drawn_upright() {
        // From the left, then down, as the citizen saw it on a tablet that stood turned.
        let seen = [(0.0, 0.0), (100.0, 0.0), (100.0, 50.0)];
        let raw = |turn: Turn, (x, y): (f64, f64)| match turn {
            Turn::None => (200.0 + x, 200.0 + y),
            Turn::Quarter => (200.0 + y, 200.0 - x),
            Turn::Half => (200.0 - x, 200.0 - y),
            Turn::ThreeQuarters => (200.0 - y, 200.0 + x),
        };
        for turn in [Turn::None, Turn::Quarter, Turn::Half, Turn::ThreeQuarters] {
            let samples = seen.iter().map(|place| {
                let (x, y) = raw(turn, *place);
                #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
                let (x, y) = (x as i32, y as i32);
                Sample {
                    x,
                    y,
                    tip: true,
                    in_range: true,
                    ..Sample::default()
                }
            });
            let ink = Ink::new(digitizer(), CapturedBy::Device, 0, samples.collect());
            let drawn = strokes(&ink.unwrap().turned(turn), (120.0, 70.0), None);
            let [stroke] = drawn.as_slice() else {
                panic!("{turn:?}: {} strokes", drawn.len())
            };
            let [from, corner, to] = stroke.as_slice() else {
                panic!("{turn:?}: {} places", stroke.len())
            };
            assert!(
                from.x < corner.x && (from.y - corner.y).abs() < 1e-9,
                "{turn:?}"
            );
            assert!(
                corner.y < to.y && (corner.x - to.x).abs() < 1e-9,
                "{turn:?}"
            );
        }
    }

    #[test]
    fn pieces_join_and_none_is_lost() {
        for stroke in strokes(&ink(), (300.0, 100.0), None) {
            let mut last: Option<f64> = None;
            let mut dots = 1;
            for (_, piece) in pieces(&stroke) {
                if let Some(last) = last {
                    assert!((last - piece[0].x).abs() < 1e-9);
                }
                last = piece.last().map(|dot| dot.x);
                dots += piece.len() - 1;
            }
            assert_eq!(dots, stroke.len());
        }
    }

    #[test]
    fn a_picture_shows_dark_lines_on_white() {
        let bytes = png(&ink(), 320, 120).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; 320 * 120];
        reader.next_frame(&mut pixels).unwrap();
        let dark = pixels.iter().filter(|pixel| **pixel < 64).count();
        assert!((500..6_000).contains(&dark), "{dark}");
        assert_eq!(pixels[0], 255);
        assert!(svg(&ink(), 320, 120).unwrap().matches("<path").count() > 3);
    }

    #[test]
    fn a_single_dot_is_drawn() {
        let dot = Sample {
            x: 5,
            y: 5,
            tip: true,
            in_range: true,
            ..Sample::default()
        };
        let ink = Ink::new(digitizer(), CapturedBy::Device, 0, vec![dot]).unwrap();
        assert!(svg(&ink, 40, 40).unwrap().contains("M20.00 20.00h0"));
        assert!(png(&ink, 40, 40).unwrap().len() > 60);
        assert!(png(&ink, 0, 40).is_err());
        assert!(svg(&ink, 40, LARGEST + 1).is_err());
    }
}
