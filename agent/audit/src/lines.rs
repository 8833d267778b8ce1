//! Reads the lines of all segments one after the other, in constant memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use crate::record::MAX_LINE;
use crate::segment::Segment;

/// A place in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The segment's file name.
    pub segment: String,
    /// The line in it, counted from 1.
    pub line: u64,
    /// Where that line begins, in bytes from the start of the file.
    pub offset: u64,
}

/// A line as it lies in its file.
#[derive(Debug)]
pub(crate) struct RawLine {
    pub(crate) place: Place,
    /// Its newline left out. At most one byte more than a line may have.
    pub(crate) bytes: Vec<u8>,
    /// Whether a newline ends it.
    pub(crate) complete: bool,
    /// Whether it is in the last segment, where the end may be torn.
    pub(crate) in_last_segment: bool,
}

/// The lines of some segments.
#[derive(Debug)]
pub(crate) struct Lines {
    segments: std::vec::IntoIter<Segment>,
    open: Option<(BufReader<File>, Place)>,
}

impl Lines {
    pub(crate) fn new(segments: Vec<Segment>) -> Self {
        Self {
            segments: segments.into_iter(),
            open: None,
        }
    }

    /// The next line; `None` after the last.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<RawLine>> {
        loop {
            let Some((reader, next)) = &mut self.open else {
                let Some(segment) = self.segments.next() else {
                    return Ok(None);
                };
                let reader = BufReader::with_capacity(64 * 1024, File::open(&segment.path)?);
                self.open = Some((
                    reader,
                    Place {
                        segment: segment.name(),
                        line: 1,
                        offset: 0,
                    },
                ));
                continue;
            };
            let mut bytes = Vec::new();
            let limit = u64::try_from(MAX_LINE)
                .unwrap_or(u64::MAX)
                .saturating_add(1);
            let length = reader.by_ref().take(limit).read_until(b'\n', &mut bytes)?;
            if length == 0 {
                self.open = None;
                continue;
            }
            let place = next.clone();
            next.line += 1;
            next.offset += u64::try_from(length).unwrap_or(u64::MAX);
            let complete = bytes.last() == Some(&b'\n');
            if complete {
                bytes.pop();
            }
            let in_last_segment = self.segments.len() == 0;
            return Ok(Some(RawLine {
                place,
                bytes,
                complete,
                in_last_segment,
            }));
        }
    }
}
