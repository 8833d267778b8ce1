//! Reads bytes that are written in the one way, head by head, and refuses every other way at once.
//!
//! Nothing is built and nothing is copied: a monitor reads thousands of messages a second.

use super::{CborError, DEEPEST};

/// A place in bytes.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

/// The major types of RFC 8949, section 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Major {
    Unsigned,
    Negative,
    Bytes,
    Text,
    Array,
    Map,
    Tag,
    Other,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may follow.
    pub(crate) const fn end(&self) -> Result<(), CborError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CborError::NotDeterministic)
        }
    }

    /// A head: its major type, and its argument in the shortest form.
    pub(crate) fn head(&mut self) -> Result<(Major, u64), CborError> {
        let [first] = self.array()?;
        let major = major(first);
        let (argument, least) = match first & 0x1F {
            // false, true, null; what else is simple has no meaning here.
            info @ (0..20 | 24) if major == Major::Other => return Err(unknown(info)),
            23 if major == Major::Other => return Err(CborError::NotDeterministic),
            info @ 0..24 => (u64::from(info), 0),
            24 => (u64::from(u8::from_be_bytes(self.array()?)), 24),
            25 => (u64::from(u16::from_be_bytes(self.array()?)), 0x100),
            26 => (u64::from(u32::from_be_bytes(self.array()?)), 0x1_0000),
            27 => (u64::from_be_bytes(self.array()?), 0x1_0000_0000),
            info => return Err(unknown(info)),
        };
        let is_float = major == Major::Other && least > 0;
        if argument < least || is_float {
            return Err(CborError::NotDeterministic);
        }
        Ok((major, argument))
    }

    /// The bytes of a string whose head was just read.
    pub(crate) fn take(&mut self, length: u64) -> Result<&'a [u8], CborError> {
        let length = usize::try_from(length).map_err(|_longer| CborError::Malformed)?;
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(CborError::Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The bytes of one whole value.
    pub(crate) fn value(&mut self) -> Result<&'a [u8], CborError> {
        let whole = self.rest;
        self.pass(DEEPEST)?;
        let length = whole.len() - self.rest.len();
        Ok(whole.get(..length).unwrap_or_default())
    }

    fn pass(&mut self, depth: usize) -> Result<(), CborError> {
        let depth = depth.checked_sub(1).ok_or(CborError::Malformed)?;
        let (major, argument) = self.head()?;
        match major {
            Major::Unsigned | Major::Negative | Major::Other => Ok(()),
            Major::Bytes => self.take(argument).map(drop),
            Major::Text => match std::str::from_utf8(self.take(argument)?) {
                Ok(_text) => Ok(()),
                Err(_other) => Err(CborError::Malformed),
            },
            Major::Array => (0..argument).try_for_each(|_item| self.pass(depth)),
            Major::Map => {
                let mut before: &[u8] = &[];
                (0..argument).try_for_each(|_entry| {
                    let whole = self.rest;
                    self.pass(depth)?;
                    let length = whole.len() - self.rest.len();
                    let key = whole.get(..length).unwrap_or_default();
                    // No key is written in no bytes, so that the first one comes after nothing.
                    if key <= before {
                        return Err(CborError::NotDeterministic);
                    }
                    before = key;
                    self.pass(depth)
                })
            }
            Major::Tag => Err(CborError::NotDeterministic),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CborError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(CborError::Malformed)?;
        self.rest = rest;
        Ok(*taken)
    }
}

const fn major(first: u8) -> Major {
    match first >> 5 {
        0 => Major::Unsigned,
        1 => Major::Negative,
        2 => Major::Bytes,
        3 => Major::Text,
        4 => Major::Array,
        5 => Major::Map,
        6 => Major::Tag,
        _ => Major::Other,
    }
}

/// 31 is an indefinite length, which has a definite one; the others have no meaning.
const fn unknown(info: u8) -> CborError {
    if info == 31 {
        CborError::NotDeterministic
    } else {
        CborError::Malformed
    }
}
