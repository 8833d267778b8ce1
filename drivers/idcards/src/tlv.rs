//! Tag-length-value objects as cards hold them, read without trusting a single byte.
//!
//! Two codings occur on a My Number card: [`simple`] in the common application's records and [`ber`] in
//! the files of the other applications.
//! Invariant: no input makes these functions panic, loop or return bytes outside the input.

use thiserror::Error;

/// Bytes that are no object. Says nothing of their content.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum TlvError {
    /// The input ends inside a tag, a length or a value.
    #[error("object ends too early")]
    Truncated,
    /// A tag of more than two bytes, or one that no object may have.
    #[error("tag has no form that a card uses")]
    Tag,
    /// A length without end, or of more than two bytes.
    #[error("length has no form that a card uses")]
    Length,
}

/// Simple TLV (JICSAP 4.4.1 (1), ISO/IEC 7816-4): tag of one byte; length of one byte, or `FF` and two.
pub mod simple {
    use super::TlvError;

    /// One object.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct Object<'a> {
        /// Its tag; neither `00` nor `FF`.
        pub tag: u8,
        /// Its value.
        pub value: &'a [u8],
    }

    impl std::fmt::Debug for Object<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "Object({:02X}, {} bytes)", self.tag, self.value.len())
        }
    }

    /// The first object and what stands behind it.
    ///
    /// # Errors
    /// See [`TlvError`].
    pub fn split(input: &[u8]) -> Result<(Object<'_>, &[u8]), TlvError> {
        let (&tag, rest) = input.split_first().ok_or(TlvError::Truncated)?;
        if matches!(tag, 0x00 | 0xFF) {
            return Err(TlvError::Tag);
        }
        let (length, rest) = match rest {
            [0xFF, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            [0xFF, ..] | [] => return Err(TlvError::Truncated),
            [length, rest @ ..] => (usize::from(*length), rest),
        };
        let (value, behind) = rest.split_at_checked(length).ok_or(TlvError::Truncated)?;
        Ok((Object { tag, value }, behind))
    }
}

/// BER-TLV (ISO/IEC 7816-4, 5.2.2.2) with tags of one or two bytes and lengths up to `82 FF FF`.
///
/// Lengths in a longer form than needed are taken: real cards use them.
pub mod ber {
    use super::TlvError;

    /// One object.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct Object<'a> {
        /// Its tag: one byte, or two as a big-endian number.
        pub tag: u16,
        /// Its value.
        pub value: &'a [u8],
    }

    impl std::fmt::Debug for Object<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "Object({:04X}, {} bytes)", self.tag, self.value.len())
        }
    }

    /// The first object and what stands behind it.
    ///
    /// # Errors
    /// See [`TlvError`].
    pub fn split(input: &[u8]) -> Result<(Object<'_>, &[u8]), TlvError> {
        let (tag, length, rest) = header(input)?;
        let (value, behind) = rest.split_at_checked(length).ok_or(TlvError::Truncated)?;
        Ok((Object { tag, value }, behind))
    }

    /// All objects of an input that holds objects and nothing else.
    ///
    /// # Errors
    /// See [`TlvError`].
    pub fn all(mut input: &[u8]) -> Result<Vec<Object<'_>>, TlvError> {
        let mut objects = Vec::new();
        while !input.is_empty() {
            let (object, behind) = split(input)?;
            objects.push(object);
            input = behind;
        }
        Ok(objects)
    }

    /// How many bytes the first object takes, header included, whether or not all of them are there.
    ///
    /// # Errors
    /// See [`TlvError`]; [`TlvError::Truncated`] only when the header itself is not complete.
    pub fn total_length(input: &[u8]) -> Result<usize, TlvError> {
        let (_tag, length, rest) = header(input)?;
        let header = input.len().saturating_sub(rest.len());
        header.checked_add(length).ok_or(TlvError::Length)
    }

    /// Tag, length and what stands behind them.
    fn header(input: &[u8]) -> Result<(u16, usize, &[u8]), TlvError> {
        let (tag, rest) = match input {
            // The low five bits all set announce a second byte, whose top bit announces a third.
            [first, second, rest @ ..] if first & 0x1F == 0x1F => {
                if second & 0x80 != 0 {
                    return Err(TlvError::Tag);
                }
                (u16::from_be_bytes([*first, *second]), rest)
            }
            [first] if first & 0x1F == 0x1F => return Err(TlvError::Truncated),
            [first, rest @ ..] => (u16::from(*first), rest),
            [] => return Err(TlvError::Truncated),
        };
        let (length, rest) = match rest {
            [length @ 0x00..=0x7F, rest @ ..] => (usize::from(*length), rest),
            [0x81, length, rest @ ..] => (usize::from(*length), rest),
            [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            [] | [0x81] | [0x82] | [0x82, _] => return Err(TlvError::Truncated),
            [_, ..] => return Err(TlvError::Length),
        };
        Ok((tag, length, rest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{TlvError, ber, simple};

    /// An object in the shortest form, written from ISO/IEC 7816-4.
    fn write_ber(tag: u16, value: &[u8]) -> Vec<u8> {
        let tag = match tag.to_be_bytes() {
            [0, low] => vec![low],
            both => both.to_vec(),
        };
        let [high, low] = u16::try_from(value.len()).unwrap().to_be_bytes();
        let length = match value.len() {
            0..=0x7F => vec![low],
            0x80..=0xFF => vec![0x81, low],
            _ => vec![0x82, high, low],
        };
        [tag, length, value.to_vec()].concat()
    }

    fn tags() -> impl Strategy<Value = u16> {
        let one = any::<u8>().prop_filter("announces a second byte", |tag| tag & 0x1F != 0x1F);
        let two = (0..8_u16, 0..0x80_u16).prop_map(|(class, low)| class << 13 | 0x1F00 | low);
        prop_oneof![one.prop_map(u16::from), two]
    }

    proptest! {
        #[test]
        fn a_written_object_reads_back_and_leaves_what_follows(
            tag in tags(),
            value in prop::collection::vec(any::<u8>(), 0..700),
            behind in prop::collection::vec(any::<u8>(), 0..8),
        ) {
            let written = write_ber(tag, &value);
            let input = [&written[..], &behind].concat();
            let (object, rest) = ber::split(&input).unwrap();
            prop_assert_eq!((object.tag, object.value, rest), (tag, &value[..], &behind[..]));
            prop_assert_eq!(ber::total_length(&input), Ok(written.len()));
        }

        #[test]
        fn every_truncation_is_told(tag in tags(), value in prop::collection::vec(any::<u8>(), 0..300)) {
            let written = write_ber(tag, &value);
            for length in 0..written.len() {
                prop_assert_eq!(ber::split(&written[..length]), Err(TlvError::Truncated));
            }
        }

        #[test]
        fn any_bytes_give_objects_or_an_error(input in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(objects) = ber::all(&input) {
                let held: usize = objects.iter().map(|object| object.value.len()).sum();
                prop_assert!(held <= input.len());
            }
            if let Ok((object, rest)) = simple::split(&input) {
                prop_assert!(object.value.len() + rest.len() < input.len());
            }
        }

        #[test]
        fn a_simple_object_reads_back(tag in 1..0xFF_u8, value in prop::collection::vec(any::<u8>(), 0..700)) {
            let length = u16::try_from(value.len()).unwrap().to_be_bytes();
            let length = if value.len() < 0xFF { vec![length[1]] } else { [&[0xFF][..], &length].concat() };
            let written = [&[tag][..], &length, &value].concat();
            let (object, rest) = simple::split(&written).unwrap();
            prop_assert_eq!((object.tag, object.value, rest.len()), (tag, &value[..], 0));
            for length in 0..written.len() {
                prop_assert_eq!(simple::split(&written[..length]), Err(TlvError::Truncated));
            }
        }
    }

    #[test]
    fn forms_that_no_card_uses_are_refused() {
        for (input, error) in [
            (&[0xDF, 0x81, 0x01, 0x00][..], TlvError::Tag),
            (&[0x30, 0x80, 0x00, 0x00], TlvError::Length),
            (&[0x30, 0x83, 0x00, 0x00, 0x01, 0x00], TlvError::Length),
            (&[0x30, 0xFF], TlvError::Length),
            (&[], TlvError::Truncated),
        ] {
            assert_eq!(ber::split(input), Err(error), "{input:02X?}");
        }
        for filler in [0x00, 0xFF] {
            assert_eq!(simple::split(&[filler, 0x00]), Err(TlvError::Tag));
        }
    }

    #[test]
    fn a_real_file_with_a_length_longer_than_needed_reads() {
        // EF0005 of a test card says `82 00 80` where `81 80` would do.
        let file = include_bytes!("../tests/fixtures/jlis-test-card/text-0005.bin");
        let (outer, rest) = ber::split(file).unwrap();
        let objects = ber::all(outer.value).unwrap();
        assert_eq!((outer.tag, rest.len()), (0xFF40, 0));
        let found: Vec<_> = objects
            .iter()
            .map(|object| (object.tag, object.value.len()))
            .collect();
        assert_eq!(found, [(0xDF41, 4), (0xDF42, 16), (0xDF43, 128)]);
    }
}
