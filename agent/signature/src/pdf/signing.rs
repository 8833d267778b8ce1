//! The signature dictionary: written with empty places, filled when every byte has its place.

use ring::digest::{Context, SHA256};

use super::increment::Finished;
use super::{PdfError, Signing};
use crate::calendar;
use crate::cms;

/// What stands in the dictionary before the places are filled; both have their final length.
const BYTE_RANGE: &str = "[0 0000000000 0000000000 0000000000]";

/// The dictionary before it is filled, and where its places are.
pub(super) struct Space {
    dictionary: Vec<u8>,
    range_at: usize,
    contents_at: usize,
    contents_length: usize,
}

impl Space {
    /// Lays out the dictionary (ISO 32000-1 §12.8.1; ETSI EN 319 142-1 §5.3).
    pub(super) fn new(signing: &Signing<'_>) -> Result<Self, PdfError> {
        let name = signing
            .name
            .encode_utf16()
            .fold(String::from("FEFF"), |text, unit| {
                text + &format!("{unit:04X}")
            });
        let mut text = format!(
            "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M({})/Name<{name}>/ByteRange ",
            date(signing.unix_s)?
        );
        let range_at = text.len();
        text.push_str(BYTE_RANGE);
        text.push_str("/Contents ");
        let contents_at = text.len();
        let digits = cms::longest(signing.identity).saturating_mul(2);
        text.push('<');
        text.extend(std::iter::repeat_n('0', digits));
        text.push('>');
        let contents_length = text.len() - contents_at;
        text.push_str(">>");
        Ok(Self {
            dictionary: text.into_bytes(),
            range_at,
            contents_at,
            contents_length,
        })
    }

    /// The dictionary with empty places.
    pub(super) fn dictionary(&self) -> Vec<u8> {
        self.dictionary.clone()
    }
}

/// Fills the byte range, signs all but the contents, and fills in the contents.
pub(super) fn fill(
    finished: Finished,
    space: &Space,
    signing: &Signing<'_>,
) -> Result<Vec<u8>, PdfError> {
    let lost = || PdfError::Damaged("the signature's place");
    let mut bytes = finished.bytes;
    let at = finished.raw_at.ok_or_else(lost)?;
    let from = at + space.contents_at;
    let to = from + space.contents_length;
    let rest = bytes.len().checked_sub(to).ok_or_else(lost)?;
    let range = format!("[0 {from:010} {to:010} {rest:010}]");
    write_at(&mut bytes, at + space.range_at, range.as_bytes()).ok_or_else(lost)?;
    let mut context = Context::new(&SHA256);
    context.update(bytes.get(..from).ok_or_else(lost)?);
    context.update(bytes.get(to..).ok_or_else(lost)?);
    let mut digest = [0; 32];
    for (to, from) in digest.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    let signature = cms::sign(&digest, signing.identity, signing.random).map_err(PdfError::Sign)?;
    let digits = hex::encode(signature);
    // Behind the opening bracket; what is left stays zero.
    if digits.len() + 2 > space.contents_length {
        return Err(lost());
    }
    write_at(&mut bytes, from + 1, digits.as_bytes()).ok_or_else(lost)?;
    Ok(bytes)
}

fn write_at(bytes: &mut [u8], at: usize, text: &[u8]) -> Option<()> {
    let end = at.checked_add(text.len())?;
    bytes.get_mut(at..end)?.copy_from_slice(text);
    Some(())
}

/// A date of the format (§7.9.4), in UTC.
fn date(unix_s: i64) -> Result<String, PdfError> {
    let (year, month, day) = calendar::date(unix_s.div_euclid(86_400));
    if !(1970..=9999).contains(&year) {
        return Err(PdfError::Time);
    }
    let second = unix_s.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    Ok(format!(
        "D:{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z"
    ))
}
