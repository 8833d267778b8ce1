//! A PNG as black and white dots.
//!
//! Greys become patterns of dots (error diffusion after Floyd and Steinberg, 1976); what is black or white
//! already stays as it is. A dot of the file is a dot on the paper.
//!
//! What anybody could send: a small file that says it is huge. The size is looked at before anything is
//! unpacked.

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Transformations};
use printer::raster::MOST_ROWS;
use printer::ticket::Picture;
use thiserror::Error;

/// The most memory that unpacking may take beside the picture itself.
const MOST_MEMORY: usize = 16 * 1024 * 1024;
/// What counts as white, and the error that is shared out, are out of this.
const WHITE: i32 = 255;

/// Why a picture cannot be used.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PictureError {
    /// The file is no PNG, or a damaged one.
    #[error("the picture is no PNG that can be read")]
    NotPng,
    /// It is wider than the paper or longer than a ticket.
    #[error("the picture has more dots than the paper")]
    TooLarge,
}

/// The dots of a file for paper of so many dots.
///
/// # Errors
/// Where it cannot be printed as it is.
pub(super) fn dots(file: &[u8], paper: u16) -> Result<Picture, PictureError> {
    let limits = Limits { bytes: MOST_MEMORY };
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_transformations(Transformations::normalize_to_color8());
    // The decoder's own words are about the inside of a file, which nobody at a counter can mend.
    let mut reader = decoder.read_info().map_err(|_error| PictureError::NotPng)?;
    let (width, height) = reader.info().size();
    let rows = usize::try_from(height).map_err(|_error| PictureError::TooLarge)?;
    let width = u16::try_from(width).map_err(|_error| PictureError::TooLarge)?;
    if width > paper || rows > MOST_ROWS {
        return Err(PictureError::TooLarge);
    }
    let length = reader.output_buffer_size().ok_or(PictureError::TooLarge)?;
    let mut samples = vec![0; length];
    let frame = reader
        .next_frame(&mut samples)
        .map_err(|_error| PictureError::NotPng)?;
    let colour = frame.color_type;
    let samples = samples.chunks_exact(colour.samples());
    let lightness: Vec<i32> = samples.map(|dot| lightness(dot, colour)).collect();
    Ok(Picture {
        width,
        rows: diffuse(lightness, usize::from(width)),
    })
}

/// From 0, black, to [`WHITE`], on white paper.
fn lightness(dot: &[u8], colour: ColorType) -> i32 {
    let sample = |at: usize| dot.get(at).map_or(WHITE, |sample| i32::from(*sample));
    let (light, opacity) = match colour {
        // A palette was resolved by the decoder.
        ColorType::Grayscale | ColorType::Indexed => (sample(0), WHITE),
        ColorType::GrayscaleAlpha => (sample(0), sample(1)),
        ColorType::Rgb => (luma(sample(0), sample(1), sample(2)), WHITE),
        ColorType::Rgba => (luma(sample(0), sample(1), sample(2)), sample(3)),
    };
    WHITE - (WHITE - light) * opacity / WHITE
}

/// ITU-R BT.601.
const fn luma(red: i32, green: i32, blue: i32) -> i32 {
    (299 * red + 587 * green + 114 * blue) / 1000
}

/// Rows of bits, one is black; what rounding leaves over goes to the right and to the row below.
fn diffuse(mut light: Vec<i32>, width: usize) -> Vec<u8> {
    let stride = width.div_ceil(8);
    let rows = light.len().checked_div(width).unwrap_or(0);
    let mut bits = vec![0_u8; stride * rows];
    for y in 0..rows {
        for x in 0..width {
            let at = y * width + x;
            let wanted = light.get(at).copied().unwrap_or(WHITE);
            let white = wanted * 2 > WHITE;
            if !white && let Some(byte) = bits.get_mut(y * stride + x / 8) {
                *byte |= 0x80 >> (x % 8);
            }
            let left_over = wanted - if white { WHITE } else { 0 };
            let mut share = |at: Option<usize>, sixteenths: i32| {
                if let Some(dot) = at.and_then(|at| light.get_mut(at)) {
                    *dot += left_over * sixteenths / 16;
                }
            };
            let last = x + 1 == width;
            share((!last).then_some(at + 1), 7);
            share((x > 0).then(|| at + width - 1), 3);
            share(Some(at + width), 5);
            share((!last).then_some(at + width + 1), 1);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, Encoder};

    use super::*;

    fn file(size: (u32, u32), colour: ColorType, samples: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, size.0, size.1);
        encoder.set_color(colour);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(samples).unwrap();
        writer.finish().unwrap();
        file
    }

    #[test]
    fn black_and_white_stay_as_they_are() {
        let samples = [
            0, 255, 255, 0, 255, 255, 255, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 0,
        ];
        let picture = dots(&file((9, 2), ColorType::Grayscale, &samples), 16).unwrap();
        assert_eq!(picture.width, 9);
        assert_eq!(picture.rows, [0b1001_0000, 0x80, 0b0101_0101, 0x80]);
    }

    #[test]
    fn grey_becomes_as_many_dots_as_it_is_dark() {
        for (grey, wanted) in [(0_u8, 4096), (64, 3072), (128, 2048), (192, 1024), (255, 0)] {
            let picture = dots(&file((64, 64), ColorType::Grayscale, &[grey; 4096]), 64).unwrap();
            let black: u32 = picture.rows.iter().map(|byte| byte.count_ones()).sum();
            assert!(black.abs_diff(wanted) < 96, "{grey}: {black}");
        }
    }

    #[test]
    fn what_is_transparent_is_paper() {
        let samples = [0, 0, 0, 0, 0, 0, 0, 255];
        let picture = dots(&file((2, 1), ColorType::Rgba, &samples), 16).unwrap();
        assert_eq!(picture.rows, [0x40]);
        let samples = [0, 0, 0, 255, 255, 0, 255, 255, 255];
        let picture = dots(&file((3, 1), ColorType::Rgb, &samples), 16).unwrap();
        assert_eq!(picture.rows, [0x80]);
    }

    #[test]
    fn what_does_not_fit_or_is_cut_off_is_refused() {
        let wide = file((17, 1), ColorType::Grayscale, &[0; 17]);
        assert_eq!(dots(&wide, 16), Err(PictureError::TooLarge));
        let long = u32::try_from(MOST_ROWS).unwrap() + 1;
        let long = file((1, long), ColorType::Grayscale, &vec![0; MOST_ROWS + 1]);
        assert_eq!(dots(&long, 16), Err(PictureError::TooLarge));
        let whole = file((8, 8), ColorType::Grayscale, &[0; 64]);
        for end in 0..40 {
            assert_eq!(dots(&whole[..end], 16), Err(PictureError::NotPng), "{end}");
        }
        assert_eq!(dots(b"GIF89a", 16), Err(PictureError::NotPng));
    }
}
