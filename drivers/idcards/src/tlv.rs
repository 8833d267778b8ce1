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
