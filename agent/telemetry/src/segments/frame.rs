//! One record as it stands in a segment.
//!
//! ```text
//! length u32 | CRC-32C u32 | epoch u64 | number u64 | monotonic u64 | issued at u64
//!            | quality u8 | length of class u8 | class | envelope | length u32
//! ```
//! All little-endian; `length` counts what lies between the CRC and the second `length`, and the CRC covers
//! that and the first `length`.
//! The length stands at both ends so that a log can be read backwards.
//! The stamp stands beside the envelope that repeats it, so that reading costs no CBOR.

use std::iter;

use crate::envelope::{LONGEST, Stamp};
use crate::lane::Lane;
use crate::message::Class;
use crate::message::machine::TimeQuality;

/// Before the body: its length and checksum.
pub(crate) const HEAD: usize = 8;
/// After the body: its length.
pub(crate) const TAIL: usize = 4;
/// The shortest body: the stamp, and a class of one letter, and nothing enveloped.
const SHORTEST_BODY: usize = 35;
/// The longest body.
const LONGEST_BODY: usize = LONGEST + 64;
/// The longest record, with its ends.
pub(crate) const LONGEST_FRAME: usize = HEAD + LONGEST_BODY + TAIL;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What makes it one of a kind.
    pub stamp: Stamp,
    /// What it says, which gives its topic.
    pub class: Class,
    /// The envelope.
    pub bytes: Vec<u8>,
}

/// Adds a record to bytes that are going to be written; how many it takes.
pub(crate) fn write(stamp: Stamp, class: Class, envelope: &[u8], to: &mut Vec<u8>) -> usize {
    let code = class.code().as_bytes();
    let length = 34 + code.len() + envelope.len();
    // An envelope is shorter than this by far.
    let length_bytes = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let code_length = u8::try_from(code.len()).unwrap_or(u8::MAX);
    let start = to.len();
    to.extend(length_bytes);
    to.extend([0; 4]);
    for field in [
        stamp.epoch,
        stamp.number,
        stamp.monotonic_millis,
        stamp.issued_at,
    ] {
        to.extend(field.to_le_bytes());
    }
    to.extend([quality_code(stamp.quality), code_length]);
    to.extend(code);
    to.extend(envelope);
    let body = to.get(start + HEAD..).unwrap_or_default();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&length_bytes), body);
    let place = to.iter_mut().skip(start + 4);
    place
        .zip(crc.to_le_bytes())
        .for_each(|(to, from)| *to = from);
    to.extend(length_bytes);
    HEAD + length + TAIL
}

/// How long the record is that begins with these bytes; `None` where none does.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    whole(number(bytes.get(..4)?)?)
}

/// How long the record is that ends with these four bytes; `None` where none does.
pub(crate) fn length_before(tail: &[u8]) -> Option<usize> {
    whole(number(tail)?)
}

/// The record that these bytes begin with, and how many of them it takes.
pub(crate) fn read(lane: Lane, bytes: &[u8]) -> Option<(Record, usize)> {
    let whole = length(bytes)?;
    let frame = bytes.get(..whole)?;
    let (head, rest) = frame.split_at_checked(HEAD)?;
    let (body, tail) = rest.split_at_checked(rest.len().checked_sub(TAIL)?)?;
    let (length, crc) = head.split_at_checked(4)?;
    let sum = crc32c::crc32c_append(crc32c::crc32c(length), body);
    if length != tail || number(crc)? != wide32(sum) {
        return None;
    }
    let mut rest = body;
    let mut fields = iter::from_fn(|| {
        let (field, after) = rest.split_at_checked(8)?;
        rest = after;
        number(field)
    });
    let (epoch, number) = (fields.next()?, fields.next()?);
    let (monotonic_millis, issued_at) = (fields.next()?, fields.next()?);
    let after = body.get(32..)?;
    let ([quality, code_length], after) = after.split_first_chunk::<2>()?;
    let (code, envelope) = after.split_at_checked(usize::from(*code_length))?;
    let class = Class::of_code(str::from_utf8(code).ok()?)?;
    if class.lane() != lane || number == 0 {
        return None;
    }
    let stamp = Stamp {
        epoch,
        lane,
        number,
        monotonic_millis,
        issued_at,
        quality: quality_of(*quality)?,
    };
    let bytes = envelope.to_vec();
    let record = Record {
        stamp,
        class,
        bytes,
    };
    Some((record, whole))
}

fn whole(length: u64) -> Option<usize> {
    let length = usize::try_from(length).ok()?;
    (SHORTEST_BODY..=LONGEST_BODY)
        .contains(&length)
        .then_some(HEAD + length + TAIL)
}

/// The little-endian number in at most eight bytes.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    let mut padded = [0; 8];
    padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(padded))
}

pub(crate) fn wide32(number: u32) -> u64 {
    u64::from(number)
}

const fn quality_code(quality: TimeQuality) -> u8 {
    match quality {
        TimeQuality::Synchronised => 0,
        TimeQuality::Free => 1,
        TimeQuality::Floor => 2,
    }
}

const fn quality_of(code: u8) -> Option<TimeQuality> {
    match code {
        0 => Some(TimeQuality::Synchronised),
        1 => Some(TimeQuality::Free),
        2 => Some(TimeQuality::Floor),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp {
            epoch: 3,
            lane: Lane::Alerts,
            number: 9,
            monotonic_millis: 70,
            issued_at: 1_795_000_000,
            quality: TimeQuality::Floor,
        }
    }

    #[test]
    fn a_record_is_read_back_and_every_bit_counts() {
        let mut bytes = Vec::new();
        let length = write(stamp(), Class::Fault, b"envelope", &mut bytes);
        assert_eq!(bytes.len(), length);
        let (record, taken) = read(Lane::Alerts, &bytes).unwrap();
        assert_eq!((record.stamp, record.class), (stamp(), Class::Fault));
        assert_eq!((record.bytes.as_slice(), taken), (&b"envelope"[..], length));
        assert_eq!(length_before(&bytes[length - 4..]), Some(length));
        assert_eq!(read(Lane::State, &bytes), None);
        for place in 0..bytes.len() {
            assert_eq!(read(Lane::Alerts, &bytes[..place]), None);
            for bit in 0..8 {
                let mut spoilt = bytes.clone();
                spoilt[place] ^= 1 << bit;
                assert_eq!(read(Lane::Alerts, &spoilt), None, "bit {bit} of {place}");
            }
        }
    }
}
