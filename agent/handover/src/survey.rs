//! What has become of the files: taken, acknowledged, rejected, overdue; and when they are deleted.
//!
//! The receiver says that it is done with `NAME` by making `NAME.ack`, or by moving the file there under that
//! name; it says that it could not use it by `NAME.err`, whose first line is the reason.
//! Where both exist, the rejection counts, because a person must look; that person settles it by removing the
//! file and `NAME.err`.

use std::{fmt, fs, io, path::Path, time::Duration};

use encoding_rs::SHIFT_JIS;
use zeroize::Zeroizing;

use crate::{
    error::HandoverError,
    ledger::{Entry, Stage, read_at_most},
    outbox::{Outbox, is_there},
};

/// A reason is a line; what a receiver writes beyond is not for us.
const MAX_REASON: u64 = 1024;
const MILLIS_PER_DAY: u64 = 86_400_000;

/// A file that was handed over, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u64,
    /// When it was written, in milliseconds since 1970.
    pub unix_millis: u64,
    /// What has become of it.
    pub state: State,
    /// Whether the receiver has had it for longer than it should without a word.
    pub overdue: bool,
}

/// What has become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It lies where it was put.
    Waiting,
    /// It was taken away, and not acknowledged.
    Taken,
    /// The receiver has confirmed it.
    Acknowledged,
    /// The receiver could not use it. It stays until a person has removed it and its rejection.
    Rejected(Reason),
}

/// Why a receiver could not use a file, in its own words.
///
/// It may quote a citizen's data, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason(Zeroizing<String>);

impl Reason {
    /// The first line, without control characters; may be empty.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// UTF-8 if it is that, and CP932 otherwise: receivers on Windows write either.
    fn from_bytes(bytes: &[u8]) -> Self {
        let line = bytes
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .next()
            .unwrap_or_default();
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        let text = match std::str::from_utf8(line) {
            Ok(text) => text.to_owned(),
            Err(_) => SHIFT_JIS.decode_without_bom_handling(line).0.into_owned(),
        };
        Self(Zeroizing::new(
            text.chars().filter(|one| !one.is_control()).collect(),
        ))
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reason(..)")
    }
}

impl Outbox {
    /// Everything that was handed over and is not deleted yet, in the order of the numbers.
    ///
    /// # Errors
    /// A folder or file cannot be read; a share that is gone is an error, and not an empty answer.
    pub fn survey(
        &self,
        unix_millis: u64,
        patience: Duration,
    ) -> Result<Vec<Handed>, HandoverError> {
        let mut all = Vec::new();
        self.folders_answer()?;
        for entry in self.ledger.open_entries()? {
            let state = self.state_of(&entry.name)?;
            let silent = matches!(state, State::Waiting | State::Taken);
            let since = Duration::from_millis(unix_millis.saturating_sub(entry.at));
            all.push(Handed {
                overdue: silent && since > patience,
                name: entry.name,
                number: entry.number,
                unix_millis: entry.at,
                state,
            });
        }
        Ok(all)
    }

    /// Those without an answer yet.
    ///
    /// # Errors
    /// As [`Self::survey`].
    pub fn pending(
        &self,
        unix_millis: u64,
        patience: Duration,
    ) -> Result<Vec<Handed>, HandoverError> {
        let mut all = self.survey(unix_millis, patience)?;
        all.retain(|handed| matches!(handed.state, State::Waiting | State::Taken));
        Ok(all)
    }

    /// Those that the receiver has confirmed.
    ///
    /// # Errors
    /// As [`Self::survey`].
    pub fn acknowledged(&self, unix_millis: u64) -> Result<Vec<Handed>, HandoverError> {
        let mut all = self.survey(unix_millis, Duration::MAX)?;
        all.retain(|handed| handed.state == State::Acknowledged);
        Ok(all)
    }

    /// Deletes files, with their acknowledgements, that were acknowledged `days` days ago or earlier, and
    /// returns their names. What is rejected or unanswered stays.
    ///
    /// A rejected file that is gone together with its rejection was settled by a person, in whatever order, and
    /// counts no more. Only a rejection that a sweep has seen counts.
    ///
    /// # Errors
    /// A file cannot be looked at or removed; what was deleted before stays deleted.
    pub fn sweep(&mut self, unix_millis: u64, days: u32) -> Result<Vec<String>, HandoverError> {
        let span = MILLIS_PER_DAY.saturating_mul(u64::from(days));
        let mut swept = Vec::new();
        self.folders_answer()?;
        for entry in self.ledger.open_entries()? {
            let advance = |to| self.ledger.advance(entry.number, entry.stage, to);
            match (self.state_of(&entry.name)?, entry.stage) {
                (State::Acknowledged, _) => {}
                (State::Rejected(_), Stage::Begun | Stage::Sent) => {
                    advance(Stage::Rejected)?;
                    continue;
                }
                (State::Taken, Stage::Rejected) => {
                    advance(Stage::Done)?;
                    continue;
                }
                (State::Waiting | State::Taken | State::Rejected(_), _) => continue,
            }
            let ack = self
                .places
                .acknowledgements
                .join(format!("{}.ack", entry.name));
            if unix_millis.saturating_sub(changed_at(&ack)?) < span {
                continue;
            }
            self.remove(&entry)?;
            swept.push(entry.name);
        }
        self.ledger.forget_done()?;
        Ok(swept)
    }

    /// Without its folder, every file looks as if it had been removed.
    fn folders_answer(&self) -> Result<(), HandoverError> {
        for folder in [&self.places.outgoing, &self.places.acknowledgements] {
            fs::read_dir(folder).map_err(HandoverError::folder("list", folder))?;
        }
        Ok(())
    }

    fn state_of(&self, name: &str) -> Result<State, HandoverError> {
        let answers = &self.places.acknowledgements;
        let rejection = answers.join(format!("{name}.err"));
        if is_there(&rejection)? {
            let reason = read_at_most(&rejection, MAX_REASON);
            let reason = reason.map_err(HandoverError::folder("read", &rejection))?;
            return Ok(State::Rejected(Reason::from_bytes(&reason)));
        }
        if is_there(&answers.join(format!("{name}.ack")))? {
            return Ok(State::Acknowledged);
        }
        let there = is_there(&self.places.outgoing.join(name))?;
        Ok(if there { State::Waiting } else { State::Taken })
    }

    /// The data first: a crash in between leaves an acknowledgement without data, which is swept again.
    fn remove(&self, entry: &Entry) -> Result<(), HandoverError> {
        let answers = &self.places.acknowledgements;
        remove(&self.places.outgoing.join(&entry.name))?;
        self.ledger
            .advance(entry.number, entry.stage, Stage::Done)?;
        remove(&answers.join(format!("{}.err", entry.name)))?;
        remove(&answers.join(format!("{}.ack", entry.name)))
    }
}

/// When the receiver answered, by the clock of the folder's machine.
fn changed_at(path: &Path) -> Result<u64, HandoverError> {
    let modified = fs::symlink_metadata(path).and_then(|found| found.modified());
    let modified = modified.map_err(HandoverError::folder("look at", path))?;
    let since = modified
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn remove(path: &Path) -> Result<(), HandoverError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(HandoverError::folder("remove", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
