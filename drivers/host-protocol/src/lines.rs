//! Lines from a stream whose other end may send anything.
//!
//! Invariants: never more than [`MAX_LINE`] bytes are kept, however long a line is; every byte that was
//! held is erased, because any line can hold a PIN.

use std::{
    fmt,
    io::{self, ErrorKind, Read},
};

use zeroize::{Zeroize, Zeroizing};

use crate::MAX_LINE;

const CHUNK: usize = 8 * 1024;

/// One line, without its newline.
#[derive(PartialEq, Eq)]
pub enum Line {
    /// A line that may be a message.
    Whole(Zeroizing<Vec<u8>>),
    /// A line that was thrown away because it is longer than [`MAX_LINE`].
    TooLong {
        /// How long it was.
        length: usize,
    },
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::TooLong { length } => write!(f, "TooLong({length} bytes)"),
        }
    }
}

/// Reads a stream line by line.
///
/// Give it an unbuffered source: a buffer of its own keeps copies that nobody erases.
pub struct LineReader<R> {
    source: R,
    chunk: Zeroizing<Vec<u8>>,
    /// The part of `chunk` that was read and not yet looked at.
    unread: std::ops::Range<usize>,
    line: Zeroizing<Vec<u8>>,
    /// Length of the present line, including what was thrown away.
    length: usize,
}

impl<R: Read> LineReader<R> {
    /// Reads from `source`.
    pub fn new(source: R) -> Self {
        Self {
            source,
            chunk: Zeroizing::new(vec![0; CHUNK]),
            unread: 0..0,
            line: Zeroizing::new(Vec::with_capacity(CHUNK)),
            length: 0,
        }
    }

    /// The next line, or `None` at the end of the stream. A last line without newline is no line.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            if self.unread.is_empty() && !self.refill()? {
                return Ok(None);
            }
            let fresh = self.chunk.get(self.unread.clone()).unwrap_or_default();
            let newline = fresh.iter().position(|byte| *byte == b'\n');
            let part = fresh
                .get(..newline.unwrap_or(fresh.len()))
                .unwrap_or_default();
            self.length = self.length.saturating_add(part.len());
            if self.length <= MAX_LINE {
                append(&mut self.line, part);
            }
            self.unread.start += part.len() + usize::from(newline.is_some());
            if newline.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        let length = std::mem::replace(&mut self.length, 0);
        let next = Zeroizing::new(Vec::with_capacity(CHUNK));
        let line = std::mem::replace(&mut self.line, next);
        if length <= MAX_LINE {
            Line::Whole(line)
        } else {
            Line::TooLong { length }
        }
    }

    fn refill(&mut self) -> io::Result<bool> {
        self.chunk.as_mut_slice().zeroize();
        loop {
            match self.source.read(&mut self.chunk) {
                Ok(count) => {
                    self.unread = 0..count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R> fmt::Debug for LineReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineReader").finish_non_exhaustive()
    }
}

/// Appends without leaving an unerased copy behind when the buffer must grow.
fn append(line: &mut Zeroizing<Vec<u8>>, part: &[u8]) {
    let needed = line.len() + part.len();
    if needed > line.capacity() {
        let roomy = (line.capacity() * 2).clamp(needed, (MAX_LINE).max(needed));
        let mut larger = Zeroizing::new(Vec::with_capacity(roomy));
        larger.extend_from_slice(line);
        *line = larger;
    }
    line.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out a few bytes at a time, as pipes do.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lines(bytes: &[u8], at_a_time: usize) -> Vec<Line> {
        let mut reader = LineReader::new(Dribble(bytes, at_a_time));
        std::iter::from_fn(|| reader.next_line().unwrap()).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn lines_come_out_however_the_stream_is_cut() {
        for at_a_time in 1..12 {
            let found = lines(b"one\n\nthree\nunfinished", at_a_time);
            assert_eq!(
                found,
                [whole("one"), whole(""), whole("three")],
                "{at_a_time} at a time"
            );
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_counted_and_the_next_one_is_whole() {
        let mut stream = vec![b'x'; MAX_LINE + 1];
        stream.extend_from_slice(b"\nnext\n");
        let found = lines(&stream, 5000);
        assert_eq!(
            found,
            [
                Line::TooLong {
                    length: MAX_LINE + 1
                },
                whole("next")
            ]
        );
    }

    #[test]
    fn the_longest_line_is_still_whole() {
        let mut stream = vec![b'x'; MAX_LINE];
        stream.push(b'\n');
        assert!(matches!(&lines(&stream, 8192)[..], [Line::Whole(line)] if line.len() == MAX_LINE));
    }

    #[test]
    fn endless_bytes_without_newline_are_not_kept() {
        let stream = vec![b'x'; 4 * MAX_LINE];
        let mut reader = LineReader::new(stream.as_slice());
        assert_eq!(reader.next_line().unwrap(), None);
        assert!(reader.line.capacity() <= MAX_LINE);
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", whole("1234")), "Whole(4 bytes)");
    }
}
