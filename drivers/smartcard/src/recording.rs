//! Recording what passed between us and a card, and playing it back in tests.
//!
//! A recording is JSON lines, one exchange a line, written by the one function that every exchange
//! passes; it holds what the log would hold and nothing more, so a PIN and a citizen's data are never in
//! it, only their lengths.
//! [`Replay`] is a [`CardChannel`] that answers as recorded; answers that were too personal to record are
//! supplied by the test.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    io::{self, BufRead, Write},
    sync::Arc,
};

use device_api::SystemClock;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    apdu::{Command, Response},
    channel::{CardChannel, ChannelError},
    encoding::{CardLengths, Exchange},
    talk::Talk,
    wire::{Carrier, hex_text},
};

/// One exchange, as it may be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) header: String,
    pub(crate) sent: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<usize>,
    pub(crate) received: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sw: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
    pub(crate) micros: u64,
}

/// Writes exchanges down as they happen.
pub struct Recorder {
    out: Option<Box<dyn Write + Send>>,
}

impl Recorder {
    /// Writes to `out`, one line for each exchange.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Some(out) }
    }

    /// Writes one line. The first failure ends the recording, never the card's work.
    pub(crate) fn write(&mut self, entry: &Entry) {
        let Some(out) = &mut self.out else { return };
        let written = serde_json::to_string(entry)
            .map_err(io::Error::from)
            .and_then(|line| writeln!(out, "{line}"))
            .and_then(|()| out.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "recording ended because it could not be written");
            self.out = None;
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("writing", &self.out.is_some())
            .finish()
    }
}

/// A card that answers as it was recorded.
///
/// A command that differs from the recorded one (header, length of data, open data) is answered as a
/// lost card, and [`Replay::departure`] says where.
#[derive(Debug)]
pub struct Replay {
    talk: Talk<Tape>,
}

impl Replay {
    /// Reads a recording.
    ///
    /// # Errors
    /// Names the line that is no exchange.
    pub fn read(lines: impl BufRead) -> Result<Self, RecordingError> {
        let mut entries = VecDeque::new();
        for (index, line) in lines.lines().enumerate() {
            let number = index + 1;
            let line = line.map_err(|source| RecordingError::Unreadable {
                line: number,
                source,
            })?;
            let entry =
                serde_json::from_str(&line).map_err(|source| RecordingError::Malformed {
                    line: number,
                    source,
                })?;
            entries.push_back(entry);
        }
        let tape = Tape {
            entries,
            played: 0,
            supplied: BTreeMap::new(),
            departure: None,
        };
        let clock = Arc::new(SystemClock::new());
        let talk = Talk::new(tape, "replay".to_owned(), clock, None);
        Ok(Self { talk })
    }

    /// Supplies the answer of exchange `number` (counted from 1), which was too personal to record.
    #[must_use]
    pub fn supplying(mut self, number: usize, answer: &[u8]) -> Self {
        let supplied = Zeroizing::new(answer.to_vec());
        self.talk.carrier_mut().supplied.insert(number, supplied);
        self
    }

    /// How many exchanges were played.
    #[must_use]
    pub fn played(&mut self) -> usize {
        self.talk.carrier_mut().played
    }

    /// Where the commands departed from the recording, if they did.
    #[must_use]
    pub fn departure(&mut self) -> Option<String> {
        self.talk.carrier_mut().departure.clone()
    }
}

impl CardChannel for Replay {
    fn transmit(&mut self, command: Command) -> Result<Response, ChannelError> {
        self.talk.transmit(&command, CardLengths::default())
    }

    fn takes_extended_length(&self) -> bool {
        false
    }
}

/// The entries that have not been played yet.
#[derive(Debug)]
struct Tape {
    entries: VecDeque<Entry>,
    played: usize,
    supplied: BTreeMap<usize, Zeroizing<Vec<u8>>>,
    departure: Option<String>,
}

impl Carrier for Tape {
    fn carry(&mut self, exchange: &Exchange<'_>) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        let number = self.played + 1;
        let Some(entry) = self.entries.pop_front() else {
            return self.depart(number, "the recording has ended");
        };
        self.played = number;
        if entry.header != hex_text(&exchange.header) || entry.sent != exchange.data.len() {
            return self.depart(number, "another command was recorded here");
        }
        if entry
            .data
            .as_ref()
            .is_some_and(|data| *data != hex_text(exchange.data))
        {
            return self.depart(number, "other data were recorded here");
        }
        let Some(status) = entry.sw.as_deref().and_then(bytes_of) else {
            return Err(ChannelError::Mute);
        };
        let supplied = self.supplied.remove(&number);
        let recorded = entry
            .answer
            .as_deref()
            .and_then(bytes_of)
            .map(Zeroizing::new);
        let Some(mut answer) = supplied.or(recorded) else {
            return self.depart(number, "the answer was not recorded and not supplied");
        };
        answer.extend_from_slice(&status);
        Ok(answer)
    }
}

impl Tape {
    fn depart<T>(&mut self, number: usize, why: &str) -> Result<T, ChannelError> {
        self.departure = Some(format!("exchange {number}: {why}"));
        Err(ChannelError::Mute)
    }
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
        source: io::Error,
    },
    /// A line is no exchange.
    #[error("line {line} of the recording is no exchange")]
    Malformed {
        /// Its number, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some((high << 4) | low),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
