//! Words, strings and arrays of the SANE network protocol (SANE standard 1.06, chapter 5).
//!
//! A word is 32 bits, big-endian. A string is its length with the NUL, and its bytes; none is a length of
//! zero. An array is its length and its elements. A pointer is a word, zero where something follows.

use std::io;

use crate::line::Line;

/// No name or value of the protocol is longer.
const MOST_TEXT: u32 = 64 * 1024;

/// Reads what the client sends.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a Line);

impl Reader<'_> {
    /// A word; none at the end of the connection.
    pub(crate) fn maybe_word(&self) -> io::Result<Option<u32>> {
        let mut bytes = [0; 4];
        let mut place = 0;
        while place < bytes.len() {
            let length = self.0.read(bytes.get_mut(place..).unwrap_or_default())?;
            match (length, place) {
                (0, 0) => return Ok(None),
                (0, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => place += length,
            }
        }
        Ok(Some(u32::from_be_bytes(bytes)))
    }

    pub(crate) fn word(&self) -> io::Result<u32> {
        self.maybe_word()?
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// A string or an array of characters, without its NUL.
    pub(crate) fn text(&self) -> io::Result<String> {
        let length = self.word()?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 1024];
        let mut left = usize::try_from(length.min(MOST_TEXT)).unwrap_or(0);
        if length > MOST_TEXT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        while left > 0 {
            let room = buffer.get_mut(..left.min(1024)).unwrap_or_default();
            let read = self.0.read(room)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend(buffer.iter().take(read));
            left -= read;
        }
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        bytes.truncate(end);
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

/// Collects what the server answers.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn word(&mut self, word: u32) -> &mut Self {
        self.0.extend_from_slice(&word.to_be_bytes());
        self
    }

    pub(crate) fn words(&mut self, words: &[u32]) -> &mut Self {
        for word in words {
            self.word(*word);
        }
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.word(u32::try_from(text.len() + 1).unwrap_or(u32::MAX));
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        self
    }

    /// A string that is not there.
    pub(crate) fn nothing(&mut self) -> &mut Self {
        self.word(0)
    }

    /// An array of characters of a fixed size, padded with NUL.
    pub(crate) fn characters(&mut self, text: &str, size: usize) -> &mut Self {
        self.word(u32::try_from(size).unwrap_or(u32::MAX));
        self.0
            .extend(text.bytes().chain(std::iter::repeat(0)).take(size));
        self
    }
}
