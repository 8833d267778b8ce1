//! BER-TLV as the card's files use it (ISO/IEC 7816-4, 5.2.2), with tags of one or two bytes and
//! lengths of one to three.
//!
//! Most objects have the shortest length form; EF 0005 of the card-surface input application has the
//! three-byte form throughout, as the published dump shows, so both are offered.
//!
//! Invariant: what does not follow these rules is an error, never a guess.

use thiserror::Error;

/// One object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tlv<'a> {
    /// The tag; a one-byte tag has a high byte of zero.
    pub(crate) tag: u16,
    /// The value.
    pub(crate) value: &'a [u8],
    /// The whole object as written, header included.
    pub(crate) whole: &'a [u8],
}

/// Bytes that are no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TlvError {
    /// The bytes end before the object does.
    #[error("the object is cut short")]
    CutShort,
    /// A length form that no file of the card uses.
    #[error("the length form {0:02X} is not used by the card")]
    LengthForm(u8),
}

/// An object with the shortest possible length.
#[must_use]
pub(crate) fn encode(tag: u16, value: &[u8]) -> Vec<u8> {
    let mut object = tag_bytes(tag);
    match u8::try_from(value.len()) {
        Ok(length @ 0..=0x7F) => object.push(length),
        Ok(length) => object.extend_from_slice(&[0x81, length]),
        Err(_) => object.extend_from_slice(&wide_length(value)),
    }
    object.extend_from_slice(value);
    object
}

/// An object whose length has the three-byte form whatever its size.
#[must_use]
pub(crate) fn encode_wide(tag: u16, value: &[u8]) -> Vec<u8> {
    let mut object = tag_bytes(tag);
    object.extend_from_slice(&wide_length(value));
    object.extend_from_slice(value);
    object
}

/// Takes the first object off `bytes`. Returns it and what follows.
///
/// # Errors
///
/// When the bytes do not begin with an object.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Tlv<'_>, &[u8]), TlvError> {
    let (&first, mut rest) = bytes.split_first().ok_or(TlvError::CutShort)?;
    let mut tag = u16::from(first);
    if first & 0x1F == 0x1F {
        let (&second, after) = rest.split_first().ok_or(TlvError::CutShort)?;
        tag = u16::from_be_bytes([first, second]);
        rest = after;
    }
    let (length, rest) = match rest {
        [] => return Err(TlvError::CutShort),
        [short @ 0..=0x7F, rest @ ..] => (usize::from(*short), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [0x81 | 0x82, ..] => return Err(TlvError::CutShort),
        [form, ..] => return Err(TlvError::LengthForm(*form)),
    };
    let (value, rest) = rest.split_at_checked(length).ok_or(TlvError::CutShort)?;
    let whole = bytes
        .get(..bytes.len() - rest.len())
        .ok_or(TlvError::CutShort)?;
    Ok((Tlv { tag, value, whole }, rest))
}

fn tag_bytes(tag: u16) -> Vec<u8> {
    match tag.to_be_bytes() {
        [0, tag] => vec![tag],
        both => both.to_vec(),
    }
}

/// Values longer than the form can say do not occur: a card's file is at most 32 KB.
fn wide_length(value: &[u8]) -> [u8; 3] {
    let [high, low] = u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes();
    [0x82, high, low]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shortest_length_form_is_chosen() {
        assert_eq!(encode(0xDF25, b"1"), [0xDF, 0x25, 1, b'1']);
        assert_eq!(encode(0x90, &[1, 0, 1]), [0x90, 3, 1, 0, 1]);
        assert_eq!(encode(0xDF22, &[7; 200])[..4], [0xDF, 0x22, 0x81, 200]);
        assert_eq!(encode(0xFF20, &[7; 256])[..5], [0xFF, 0x20, 0x82, 1, 0]);
        assert_eq!(
            encode_wide(0xDF43, &[7; 128])[..5],
            [0xDF, 0x43, 0x82, 0, 0x80]
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for bytes in [
            &[][..],
            &[0xDF],
            &[0xDF, 0x25],
            &[0x90, 3, 1, 0],
            &[0x90, 0x82, 1],
            &[0x90, 0x81],
        ] {
            assert_eq!(parse(bytes), Err(TlvError::CutShort), "{bytes:02X?}");
        }
        assert_eq!(
            parse(&[0x90, 0x83, 0, 0, 1, 1]),
            Err(TlvError::LengthForm(0x83))
        );
        assert_eq!(parse(&[0x90, 0x80, 0, 0]), Err(TlvError::LengthForm(0x80)));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_parsed_again(
            tag in prop::sample::select(vec![0x90_u16, 0xA1, 0xDF22, 0xFF20, 0x5F4E, 0x7F21]),
            value in prop::collection::vec(any::<u8>(), 0..700),
            tail in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            for mut bytes in [encode(tag, &value), encode_wide(tag, &value)] {
                let length = bytes.len();
                bytes.extend_from_slice(&tail);
                let (tlv, rest) = parse(&bytes).unwrap();
                prop_assert_eq!((tlv.tag, tlv.value, tlv.whole.len()), (tag, &value[..], length));
                prop_assert_eq!(rest, &tail[..]);
                for end in 0..length {
                    prop_assert!(parse(&bytes[..end]).is_err());
                }
            }
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok((tlv, rest)) = parse(&bytes) {
                prop_assert_eq!(tlv.whole.len() + rest.len(), bytes.len());
            }
        }
    }
}
