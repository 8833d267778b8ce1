//! What passed a link, as lines of JSON: the form that [`crate::record`] writes and [`crate::replay`] plays.
//!
//! ```text
//! {"way":"out","at":0,"length":2,"bytes":"1b40"}
//! {"way":"in","at":1804,"length":64}
//! {"way":"in","at":2210,"failure":"gone"}
//! ```
//!
//! Bytes that were not written down because they are of a citizen leave their length.
//! [`minimise`] drops what a problem does not need, so that what remains can be read.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::LinkError;

/// One thing that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it was.
    pub way: Way,
    /// When, in microseconds since the recording began.
    pub at: u64,
    /// The id of the feature report that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<u8>,
    /// How many bytes.
    #[serde(default)]
    pub length: usize,
    /// The bytes, as hexadecimal digits; absent where they may not be written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    /// How it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What passed, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The report descriptor; it stands first, where there is one.
    Descriptor,
    /// Bytes or a report to the device.
    Out,
    /// Bytes or a report from the device.
    In,
    /// A feature report to the device.
    FeatureOut,
    /// A feature report from the device.
    FeatureIn,
}

/// How something failed; the names of [`LinkError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// [`LinkError::Gone`].
    Gone,
    /// [`LinkError::TimedOut`].
    TimedOut,
    /// [`LinkError::Interrupted`].
    Interrupted,
    /// [`LinkError::Busy`].
    Busy,
    /// [`LinkError::Denied`].
    Denied,
    /// [`LinkError::Malformed`].
    Malformed,
    /// [`LinkError::Io`].
    Io,
}

impl Failure {
    pub(crate) const fn of(error: &LinkError) -> Self {
        match error {
            LinkError::Gone => Self::Gone,
            LinkError::TimedOut => Self::TimedOut,
            LinkError::Interrupted => Self::Interrupted,
            LinkError::Busy => Self::Busy,
            LinkError::Denied => Self::Denied,
            LinkError::Malformed { .. } => Self::Malformed,
            LinkError::Io { .. } => Self::Io,
        }
    }

    pub(crate) fn again(self) -> LinkError {
        const REPLAYED: &str = "what was recorded";
        match self {
            Self::Gone => LinkError::Gone,
            Self::TimedOut => LinkError::TimedOut,
            Self::Interrupted => LinkError::Interrupted,
            Self::Busy => LinkError::Busy,
            Self::Denied => LinkError::Denied,
            Self::Malformed => LinkError::Malformed {
                attempted: REPLAYED,
            },
            Self::Io => LinkError::Io {
                attempted: REPLAYED,
                source: io::Error::from(io::ErrorKind::Other),
            },
        }
    }
}

impl Entry {
    /// The bytes, where they were written down.
    pub(crate) fn content(&self) -> Option<Zeroizing<Vec<u8>>> {
        bytes_of(self.bytes.as_deref()?).map(Zeroizing::new)
    }
}

/// Reads a recording.
///
/// # Errors
/// Names the line that is no part of one.
pub fn read(lines: impl BufRead) -> Result<Vec<Entry>, RecordingError> {
    let mut entries = Vec::new();
    for (index, line) in lines.lines().enumerate() {
        let number = index + 1;
        let line = line.map_err(|source| RecordingError::Unreadable {
            line: number,
            source,
        })?;
        let entry: Entry =
            serde_json::from_str(&line).map_err(|source| RecordingError::Malformed {
                line: number,
                source,
            })?;
        let whole = entry.bytes.as_deref().map(bytes_of);
        let fits = whole.is_none_or(|bytes| bytes.is_some_and(|bytes| bytes.len() == entry.length));
        if !fits {
            return Err(RecordingError::WrongLength { line: number });
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Writes a recording.
///
/// # Errors
/// Where it cannot be written.
pub fn write(entries: &[Entry], mut out: impl Write) -> io::Result<()> {
    for entry in entries {
        writeln!(out, "{}", serde_json::to_string(entry)?)?;
    }
    out.flush()
}

/// The shortest recording found of which `shows` still says that it shows the problem.
///
/// It is tried without ever smaller parts of it (Zeller and Hildebrandt, "Simplifying and Isolating
/// Failure-Inducing Input", 2002): without any single entry of the result the problem is not shown.
/// A descriptor is never dropped, since nothing can be read without it.
pub fn minimise(entries: &[Entry], mut shows: impl FnMut(&[Entry]) -> bool) -> Vec<Entry> {
    let mut kept = entries.to_vec();
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let before = kept.len();
        let mut at = 0;
        while at < kept.len() {
            let end = (at + size).min(kept.len());
            let without = |(index, entry): (usize, &Entry)| {
                let stays = !(at..end).contains(&index) || entry.way == Way::Descriptor;
                stays.then(|| entry.clone())
            };
            let shorter: Vec<Entry> = kept.iter().enumerate().filter_map(without).collect();
            if shorter.len() < kept.len() && shows(&shorter) {
                kept = shorter;
            } else {
                at = end;
            }
        }
        // Single entries are tried until none can be dropped.
        if size > 1 {
            size = size.div_ceil(2).min(size - 1);
        } else if kept.len() == before {
            size = 0;
        }
    }
    kept
}

/// A recording that cannot be played.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// A line could not be read.
    #[error("line {line} of the recording cannot be read")]
    Unreadable {
        /// Its number, from 1.
        line: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is no entry.
    #[error("line {line} of the recording is no entry")]
    Malformed {
        /// Its number, from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The bytes of a line are not as many as it says.
    #[error("line {line} of the recording has other bytes than it says")]
    WrongLength {
        /// Its number, from 1.
        line: usize,
    },
}

pub(crate) fn hex_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 0x0f] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |text: &u8| {
        char::from(*text)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: usize) -> Entry {
        Entry {
            way: Way::In,
            at: 0,
            report: None,
            length: number,
            bytes: None,
            failure: None,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut entries = vec![entry(3), entry(0), entry(2)];
        entries[0].failure = Some(Failure::TimedOut);
        entries[2].bytes = Some(hex_of(&[0x1b, 0xff]));
        entries[2].report = Some(7);
        let mut text = Vec::new();
        write(&entries, &mut text).unwrap();
        assert_eq!(read(text.as_slice()).unwrap(), entries);
        assert_eq!(entries[2].content().unwrap().as_slice(), [0x1b, 0xff]);
    }

    #[test]
    fn lines_that_are_none_are_named() {
        let good = r#"{"way":"in","at":1,"length":1,"bytes":"00"}"#;
        for bad in [
            "",
            "{}",
            r#"{"way":"up","at":1}"#,
            r#"{"way":"in","at":1,"length":2,"bytes":"00"}"#,
            r#"{"way":"in","at":1,"length":1,"bytes":"0x"}"#,
            r#"{"way":"in","at":1,"length":1,"bytes":"000"}"#,
            r#"{"way":"in","at":1,"sound":"beep"}"#,
        ] {
            let text = format!("{good}\n{bad}\n");
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with("line 2"), "{bad}: {error}");
        }
    }

    #[test]
    fn what_a_problem_does_not_need_is_dropped_and_nothing_else() {
        let entries: Vec<Entry> = (0..100).map(entry).collect();
        let needs = [3, 57, 58, 99];
        let mut asked = 0;
        let short = minimise(&entries, |some| {
            asked += 1;
            needs
                .iter()
                .all(|need| some.iter().any(|one| one.length == *need))
        });
        let lengths: Vec<_> = short.iter().map(|one| one.length).collect();
        assert_eq!(lengths, needs);
        assert!(asked < 200, "{asked}");
    }

    #[test]
    fn what_always_shows_shrinks_to_its_descriptor_and_what_never_does_stays() {
        let mut entries: Vec<Entry> = (0..9).map(entry).collect();
        entries[0].way = Way::Descriptor;
        assert_eq!(minimise(&entries, |_| true), entries[..1]);
        assert_eq!(minimise(&entries, |_| false), entries);
        assert_eq!(minimise(&[], |_| true), []);
    }
}
