//! What a container states, and its form as CBOR.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroize;

use super::sha256;
use crate::ink::{CapturedBy, Digitizer};

/// The format of the statements that are written and read.
pub const FORMAT: u64 = 1;

/// The longest text, in bytes.
pub const LONGEST_TEXT: usize = 512;

/// The most documents of one signature.
pub const MOST_DOCUMENTS: usize = 64;

/// The most pictures of one document.
pub const MOST_PICTURES: usize = 512;

/// What is sealed. Names a visit, so it hides itself in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    /// What was shown.
    pub documents: Vec<Document>,
    /// With what was written.
    pub device: Device,
    /// The agent whose key seals.
    pub agent: String,
    /// The member of staff who asked for the signature.
    pub staff: String,
    /// The counter.
    pub counter: String,
    /// The visit; a number or pseudonym, not a name.
    pub visit: String,
    /// The origin of the counter application.
    pub origin: String,
    /// Why the signature was asked for.
    pub purpose: String,
    /// When.
    pub times: Times,
    /// How often the citizen began: 1, and 1 more each time it was cleared.
    pub attempts: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// A document of which pictures were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// A title, not of a person.
    pub title: String,
    /// SHA-256 of the document itself.
    pub source_sha256: [u8; 32],
    /// What of it was shown, in the order of showing.
    pub pictures: Vec<Picture>,
}

/// One picture on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// SHA-256 of the picture as it was shown: the bytes that were handed to the screen.
    pub picture_sha256: [u8; 32],
    /// SHA-256 of the bytes that the counter application uploaded for it.
    pub uploaded_sha256: [u8; 32],
    /// For how long it was shown.
    pub shown_ms: u64,
}

/// The digitizer, as the statement names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Who made it; may be empty.
    pub manufacturer: String,
    /// Which model.
    pub model: String,
    /// Its serial number; may be empty.
    pub serial: String,
    /// Its firmware; may be empty.
    pub firmware: String,
    /// Whether the page of `origin` captured, not a driver.
    pub captured_by_page: bool,
}

/// The span of the capture by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The monotonic clock at the first picture, in microseconds.
    pub monotonic_start_us: u64,
    /// The monotonic clock at the end.
    pub monotonic_end_us: u64,
    /// The wall clock at the first picture, in milliseconds since 1970.
    pub start_unix_ms: i64,
    /// The wall clock at the end.
    pub end_unix_ms: i64,
}

/// How it ended.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The citizen signed.
    Signed(InkPart),
    /// The citizen declined.
    Declined,
    /// Nothing came in time.
    TimedOut,
    /// Staff or the page ended it.
    Cancelled,
}

/// The ink of a statement: its hash, and the InkML unless it is kept elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct InkPart {
    /// SHA-256 of the InkML.
    pub sha256: [u8; 32],
    /// The length of the InkML.
    pub length: u64,
    /// The InkML, unless it is detached.
    pub inkml: Option<Vec<u8>>,
}

/// What is wrong with a statement.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum StatementError {
    /// It is of another format.
    #[error("the statement has a format that is not known")]
    Format,
    /// A field is missing, unknown, of another type or beyond its bounds.
    #[error("the field {0} is missing, unknown or not permitted")]
    Field(String),
}

impl InkPart {
    /// Ink that travels inside the container.
    #[must_use]
    pub fn inside(inkml: &[u8]) -> Self {
        Self {
            inkml: Some(inkml.to_vec()),
            ..Self::detached(inkml)
        }
    }

    /// Ink that is kept elsewhere.
    #[must_use]
    pub fn detached(inkml: &[u8]) -> Self {
        Self {
            sha256: sha256(inkml),
            length: u64::try_from(inkml.len()).unwrap_or(u64::MAX),
            inkml: None,
        }
    }
}

impl Device {
    /// The device of a capture.
    #[must_use]
    pub fn of(digitizer: &Digitizer, captured_by: &CapturedBy) -> Self {
        Self {
            manufacturer: digitizer.manufacturer.clone(),
            model: digitizer.model.clone(),
            serial: digitizer.serial.clone(),
            firmware: digitizer.firmware.clone(),
            captured_by_page: matches!(captured_by, CapturedBy::Page { .. }),
        }
    }
}

impl Outcome {
    /// The word of the format.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Signed(_) => "signed",
            Self::Declined => "declined",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Statement {
    /// The ink, where the citizen signed.
    #[must_use]
    pub fn ink(&self) -> Option<&InkPart> {
        match &self.outcome {
            Outcome::Signed(ink) => Some(ink),
            Outcome::Declined | Outcome::TimedOut | Outcome::Cancelled => None,
        }
    }

    /// The texts that must not be empty, with their names.
    fn texts(&self) -> [(&'static str, &str); 7] {
        [
            ("device.model", &self.device.model),
            ("agent", &self.agent),
            ("staff", &self.staff),
            ("counter", &self.counter),
            ("visit", &self.visit),
            ("origin", &self.origin),
            ("purpose", &self.purpose),
        ]
    }

    /// Checks what types do not.
    pub(super) fn check(&self) -> Result<(), StatementError> {
        let wrong = |path: &str| Err(StatementError::Field(path.to_owned()));
        for (path, text) in self.texts() {
            if text.is_empty() || !plain(text) {
                return wrong(path);
            }
        }
        let device = &self.device;
        if ![&device.manufacturer, &device.serial, &device.firmware]
            .iter()
            .all(|text| plain(text))
        {
            return wrong("device");
        }
        if self.documents.len() > MOST_DOCUMENTS {
            return wrong("documents");
        }
        for (index, document) in self.documents.iter().enumerate() {
            if !plain(&document.title) || document.title.is_empty() {
                return wrong(&format!("documents.{index}.title"));
            }
            if document.pictures.len() > MOST_PICTURES {
                return wrong(&format!("documents.{index}.pictures"));
            }
        }
        let span = self.times.monotonic_start_us..=self.times.monotonic_end_us;
        if span.is_empty() {
            return wrong("times");
        }
        if self.attempts == 0 && self.ink().is_some() {
            return wrong("attempts");
        }
        Ok(())
    }
}

fn plain(text: &str) -> bool {
    text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control)
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("counter", &self.counter)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Debug for InkPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InkPart")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Drop for InkPart {
    fn drop(&mut self) {
        self.inkml.zeroize();
    }
}
