//! Finds the end of a log without reading all of it.
//!
//! Only the last line can be torn: each line was on the disk before the next was begun.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::record::{Line, MAX_LINE, NotALine, decode};
use crate::segment::Segment;

/// How much of a segment's end is looked at: the last two lines and a torn one fit in.
const WINDOW: u64 = 4 * (MAX_LINE as u64 + 1);

/// The end of a log.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// The last whole record; `None` in an empty log.
    pub(crate) last: Option<Line>,
    /// The last segment; `None` where there is none yet.
    pub(crate) segment: Option<Segment>,
    /// The length of the last segment's whole lines.
    pub(crate) whole: u64,
    /// What stands after them.
    pub(crate) torn: Vec<u8>,
}

/// Why the end cannot be found.
#[derive(Debug)]
pub(crate) enum TailError {
    /// The file cannot be read.
    Io(io::Error),
    /// More than one line makes no sense.
    Garbled,
    /// A line is of a newer format.
    Newer(u32),
}

impl From<io::Error> for TailError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Finds the end of a log.
pub(crate) fn find(segments: &[Segment]) -> Result<Tail, TailError> {
    let Some((last_segment, earlier)) = segments.split_last() else {
        return Ok(Tail::default());
    };
    let mut tail = end_of(last_segment)?;
    tail.segment = Some(last_segment.clone());
    if tail.last.is_none()
        && let Some(previous) = earlier.last()
    {
        let before = end_of(previous)?;
        if !before.torn.is_empty() || before.last.is_none() {
            return Err(TailError::Garbled);
        }
        tail.last = before.last;
    }
    Ok(tail)
}

fn end_of(segment: &Segment) -> Result<Tail, TailError> {
    let mut file = File::open(&segment.path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(WINDOW);
    file.seek(SeekFrom::Start(start))?;
    let mut window = Vec::new();
    file.take(WINDOW).read_to_end(&mut window)?;

    let whole = window
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let (lines, _) = window.split_at(whole);
    let mut keep = whole;
    let mut last = None;
    // A power loss can leave a line whose newline reached the disk and whose beginning did not.
    for attempt in 0..2 {
        let Some(line) = last_line(lines.get(..keep).unwrap_or_default()) else {
            break;
        };
        match decode(line) {
            Ok(line) => {
                last = Some(line);
                break;
            }
            Err(NotALine::Newer(format)) => return Err(TailError::Newer(format)),
            Err(NotALine::Garbled) if attempt == 0 => keep -= line.len() + 1,
            Err(NotALine::Garbled) => return Err(TailError::Garbled),
        }
    }
    if keep == 0 && start > 0 {
        return Err(TailError::Garbled);
    }
    let torn = window.split_off(keep);
    let whole = start + u64::try_from(keep).unwrap_or(u64::MAX);
    Ok(Tail {
        last,
        segment: None,
        whole,
        torn,
    })
}

/// The last of some whole lines, its newline left out.
fn last_line(lines: &[u8]) -> Option<&[u8]> {
    let ended = lines.strip_suffix(b"\n")?;
    ended.rsplit(|byte| *byte == b'\n').next()
}
