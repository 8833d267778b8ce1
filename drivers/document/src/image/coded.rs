//! Pictures from JPEG and PNG, as eSCL devices send them.
//!
//! A picture's size is read and compared with what is accepted before anything is decoded.

use std::io::Cursor;

use zeroize::Zeroizing;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Kind, Picture, SIDE, area, index};
use crate::wire::{WireError, malformed};

/// What stands at the beginning of a JPEG file: start of image, and the next marker.
const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF];

/// What stands at the beginning of a PNG file.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// JPEG, by its first bytes.
    Jpeg,
    /// PNG, by its first bytes.
    Png,
}

impl Coding {
    /// The coding that the first bytes show; what a device says of them does not count.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            bytes if bytes.starts_with(JPEG) => Some(Self::Jpeg),
            bytes if bytes.starts_with(PNG) => Some(Self::Png),
            _ => None,
        }
    }
}

/// Decodes JPEG: gray, or colours of any arrangement with three of them.
///
/// # Errors
/// [`WireError`] where it is damaged, cut off or too large.
pub fn decode_jpeg(bytes: &[u8]) -> Result<Picture, WireError> {
    const WHAT: WireError = malformed("JPEG");
    // Without its end the last lines would come out gray, and nobody would know.
    if !ends_properly(bytes) {
        return Err(malformed("JPEG without its end"));
    }
    let options = DecoderOptions::default()
        .set_max_width(index(SIDE))
        .set_max_height(index(SIDE))
        .set_use_unsafe(false)
        .set_strict_mode(true)
        .jpeg_set_max_scans(100);
    let headers = |options: DecoderOptions| {
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder
            .decode_headers()
            .map(|()| decoder)
            .map_err(|_damage| WHAT)
    };
    let decoder = headers(options)?;
    let info = decoder.info().ok_or(WHAT)?;
    let (kind, out) = match info.components {
        1 => (Kind::Gray, ColorSpace::Luma),
        3 => (Kind::Colour, ColorSpace::RGB),
        _ => return Err(malformed("number of colours")),
    };
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let size = area(width, height, kind).ok_or(WireError::Beyond {
        what: "samples",
        limit: super::SAMPLES,
    })?;
    let mut decoder = headers(options.jpeg_set_out_colorspace(out))?;
    if decoder.output_buffer_size() != Some(size) {
        return Err(WHAT);
    }
    let mut samples = Zeroizing::new(vec![0; size]);
    decoder.decode_into(&mut samples).map_err(|_damage| WHAT)?;
    Picture::new(width, height, kind, samples).ok_or(WHAT)
}

/// Whether the marker of the end stands at the end; devices fill up with zeros behind it.
fn ends_properly(bytes: &[u8]) -> bool {
    let end = bytes.iter().rposition(|byte| *byte != 0);
    end.and_then(|end| bytes.get(..=end))
        .is_some_and(|bytes| bytes.ends_with(&[0xFF, 0xD9]))
}

/// Decodes PNG; transparency is dropped, because no scanner has any.
///
/// # Errors
/// [`WireError`] where it is damaged, cut off or too large.
pub fn decode_png(bytes: &[u8]) -> Result<Picture, WireError> {
    const WHAT: WireError = malformed("PNG");
    let limits = png::Limits {
        bytes: 2 * super::SAMPLES,
    };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|_damage| WHAT)?;
    let (width, height) = (reader.info().width, reader.info().height);
    area(width, height, Kind::Colour).ok_or(WireError::Beyond {
        what: "samples",
        limit: super::SAMPLES,
    })?;
    let size = reader.output_buffer_size().ok_or(WHAT)?;
    let mut decoded = Zeroizing::new(vec![0; size]);
    let info = reader.next_frame(&mut decoded).map_err(|_damage| WHAT)?;
    decoded.truncate(info.buffer_size());
    let (kind, samples) = match info.color_type {
        png::ColorType::Grayscale => (Kind::Gray, decoded),
        png::ColorType::Rgb => (Kind::Colour, decoded),
        png::ColorType::GrayscaleAlpha => (Kind::Gray, without_last::<2>(&decoded)),
        png::ColorType::Rgba => (Kind::Colour, without_last::<4>(&decoded)),
        png::ColorType::Indexed => return Err(WHAT),
    };
    Picture::new(width, height, kind, samples).ok_or(WHAT)
}

/// The samples without each N-th.
fn without_last<const N: usize>(samples: &[u8]) -> Zeroizing<Vec<u8>> {
    let (elements, _) = samples.as_chunks::<N>();
    let mut kept = Vec::with_capacity(elements.len() * (N - 1));
    for element in elements {
        kept.extend_from_slice(element.get(..N - 1).unwrap_or_default());
    }
    Zeroizing::new(kept)
}
