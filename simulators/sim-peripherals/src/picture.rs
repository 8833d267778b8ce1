//! Pictures as PNG: papers, the tablet's screen, scanned pages.

use png::{BitDepth, ColorType, Encoder};

/// Dots (1 is black) as a PNG of one bit.
pub(crate) fn one_bit_png(width: usize, height: usize, bits: &[u8]) -> Vec<u8> {
    // In a grey PNG a set bit is white.
    let inverted: Vec<u8> = bits.iter().map(|byte| !byte).collect();
    encode(
        (width, height),
        (ColorType::Grayscale, BitDepth::One),
        &inverted,
    )
}

/// Grey pixels as a PNG.
pub(crate) fn grey_png(width: usize, height: usize, pixels: &[u8]) -> Vec<u8> {
    encode(
        (width, height),
        (ColorType::Grayscale, BitDepth::Eight),
        pixels,
    )
}

/// Red, green and blue pixels as a PNG.
pub(crate) fn rgb_png(width: usize, height: usize, pixels: &[u8]) -> Vec<u8> {
    encode((width, height), (ColorType::Rgb, BitDepth::Eight), pixels)
}

/// A picture of no height becomes one white row, because PNG knows no empty pictures.
fn encode(size: (usize, usize), kind: (ColorType, BitDepth), pixels: &[u8]) -> Vec<u8> {
    let side = |length: usize| u32::try_from(length.max(1)).unwrap_or(u32::MAX);
    let (width, height) = (side(size.0), side(size.1));
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(kind.0);
    encoder.set_depth(kind.1);
    let row = match kind {
        (_, BitDepth::One) => size.0.max(1).div_ceil(8),
        (ColorType::Rgb, _) => size.0.max(1) * 3,
        _ => size.0.max(1),
    };
    let mut whole = pixels.to_vec();
    whole.resize(row * size.1.max(1), 0xFF);
    let written = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&whole));
    if let Err(error) = written {
        // Sizes fit and memory does not fail; a picture that cannot be shown is no reason to stop.
        tracing::error!(%error, "a picture could not be made");
    }
    file
}
