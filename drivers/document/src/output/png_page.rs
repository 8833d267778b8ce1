//! A page as PNG (W3C Portable Network Graphics, third edition), with its resolution.

use super::Buffer;
use crate::ScanError;
use crate::image::{Kind, Picture};

/// The file, of at most `limit` bytes.
pub(super) fn encode(picture: &Picture, dpi: u32, limit: usize) -> Result<Vec<u8>, ScanError> {
    let mut buffer = Buffer::new(limit);
    write(picture, dpi, &mut buffer).map_err(|error| match error {
        png::EncodingError::IoError(_) => ScanError::TooLarge {
            what: "bytes of output",
            limit,
        },
        png::EncodingError::Format(_)
        | png::EncodingError::Parameter(_)
        | png::EncodingError::LimitsExceeded => ScanError::Writing { what: "PNG" },
    })?;
    Ok(buffer.take())
}

fn write(picture: &Picture, dpi: u32, buffer: &mut Buffer) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(buffer, picture.width(), picture.height());
    let (colour, depth, filter) = match picture.kind() {
        Kind::Bilevel => (
            png::ColorType::Grayscale,
            png::BitDepth::One,
            png::Filter::NoFilter,
        ),
        Kind::Gray => (
            png::ColorType::Grayscale,
            png::BitDepth::Eight,
            png::Filter::Adaptive,
        ),
        Kind::Colour => (
            png::ColorType::Rgb,
            png::BitDepth::Eight,
            png::Filter::Adaptive,
        ),
    };
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(filter);
    if picture.kind() == Kind::Colour {
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    }
    // 1 inch is 0.0254 metres.
    let per_metre = u32::try_from((u64::from(dpi) * 10_000 + 127) / 254).unwrap_or(0);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    match picture.kind() {
        Kind::Bilevel => writer.write_image_data(&picture.packed())?,
        Kind::Gray | Kind::Colour => writer.write_image_data(picture.samples())?,
    }
    writer.finish()
}

/// The compressed picture inside a PNG file: the content of its `IDAT` chunks, one after the other.
///
/// A PDF takes it as it is: `FlateDecode` with predictor 15 is this very format (ISO 32000-1, 7.4.4.4).
pub(super) fn image_data(file: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = file.get(8..)?;
    let mut data = Vec::new();
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (name, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (content, after) = after.split_at_checked(length)?;
        match name {
            b"IDAT" => data.push(content),
            b"IEND" => return Some(data),
            _ => {}
        }
        rest = after.get(4..)?;
    }
}
