//! Words, strings and arrays as they travel on the control connection (SANE standard 1.06, clause 5.1).
//!
//! Invariant: a count is compared with its limit and with what is left before anything is allocated.

use crate::wire::{WireError, malformed};

/// The longest text of a reply. The longest seen is an option's description of some 600 bytes.
pub const TEXT: usize = 16 * 1024;

/// The most elements of one array. `saned` of a sheet-fed scanner has some 120 options.
pub const ELEMENTS: usize = 4096;

/// Takes fields off the front of a message.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from their beginning.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes have not been read.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    /// A word: 32 bits, big-endian.
    ///
    /// # Errors
    /// [`WireError::Incomplete`] where fewer than four bytes are left.
    pub fn word(&mut self) -> Result<u32, WireError> {
        let (word, rest) = self.rest.split_first_chunk().ok_or(WireError::Incomplete)?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*word))
    }

    /// A word as the signed number that it is in values.
    ///
    /// # Errors
    /// [`WireError::Incomplete`] where fewer than four bytes are left.
    pub fn int(&mut self) -> Result<i32, WireError> {
        Ok(i32::from_be_bytes(self.word()?.to_be_bytes()))
    }

    /// A count of at most `limit`.
    ///
    /// # Errors
    /// [`WireError::Beyond`] where it is larger.
    pub fn count(&mut self, what: &'static str, limit: usize) -> Result<usize, WireError> {
        match usize::try_from(self.word()?) {
            Ok(count) if count <= limit => Ok(count),
            Ok(_) | Err(_) => Err(WireError::Beyond { what, limit }),
        }
    }

    /// `len` bytes as they are.
    ///
    /// # Errors
    /// [`WireError::Incomplete`] where fewer are left.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(WireError::Incomplete)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A string: its length with the final zero, then its bytes; length zero for none at all.
    ///
    /// Bytes are taken as Latin-1, so that a name that goes back is the name that came, whatever its
    /// encoding was.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where the final zero is missing.
    pub fn string(&mut self) -> Result<String, WireError> {
        let len = self.count("length of a text", TEXT)?;
        let bytes = self.bytes(len)?;
        match bytes.iter().position(|byte| *byte == 0) {
            Some(end) => Ok(latin1(bytes.get(..end).unwrap_or_default())),
            None if bytes.is_empty() => Ok(String::new()),
            None => Err(malformed("text without its end")),
        }
    }

    /// Whether a pointer points at something; what it points at follows.
    ///
    /// # Errors
    /// [`WireError::Incomplete`] where fewer than four bytes are left.
    pub fn present(&mut self) -> Result<bool, WireError> {
        Ok(self.word()? == 0)
    }
}

/// Puts fields at the end of a message.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A word.
    #[must_use]
    pub fn word(mut self, word: u32) -> Self {
        self.bytes.extend_from_slice(&word.to_be_bytes());
        self
    }

    /// A word that is a signed number.
    #[must_use]
    pub fn int(mut self, int: i32) -> Self {
        self.bytes.extend_from_slice(&int.to_be_bytes());
        self
    }

    /// Bytes as they are, behind their number.
    #[must_use]
    pub fn counted(mut self, bytes: &[u8]) -> Self {
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self = self.word(count);
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A string with its length and its final zero.
    #[must_use]
    pub fn string(self, text: &str) -> Self {
        let mut bytes = to_latin1(text);
        bytes.push(0);
        self.counted(&bytes)
    }

    /// The message.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Each byte as the character of that number.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The way back; a character that has no such byte becomes a question mark.
pub(crate) fn to_latin1(text: &str) -> Vec<u8> {
    text.chars()
        .filter(|c| *c != '\0')
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}
