//! What a container states, and its form as CBOR.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroize;

use super::sha256;
use crate::cbor::Value;
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

    /// Its form as CBOR.
    pub(super) fn to_value(&self) -> Value {
        let documents = self.documents.iter().map(Document::to_value).collect();
        let mut fields = vec![
            ("format", Value::Uint(FORMAT)),
            ("documents", Value::Array(documents)),
            ("device", self.device.to_value()),
            ("agent", Value::text(&self.agent)),
            ("staff", Value::text(&self.staff)),
            ("counter", Value::text(&self.counter)),
            ("visit", Value::text(&self.visit)),
            ("origin", Value::text(&self.origin)),
            ("purpose", Value::text(&self.purpose)),
            ("times", self.times.to_value()),
            ("attempts", Value::Uint(u64::from(self.attempts))),
            ("outcome", Value::text(self.outcome.word())),
        ];
        if let Some(ink) = self.ink() {
            fields.push(("ink", ink.to_value()));
        }
        map(fields)
    }

    /// Reads the form as CBOR; an unknown field is an error.
    pub(super) fn from_value(value: Value) -> Result<Self, StatementError> {
        let mut fields = Fields::new("", value)?;
        if fields.take("format")? != Value::Uint(FORMAT) {
            return Err(StatementError::Format);
        }
        let documents = fields.array("documents")?;
        let outcome = match fields.text("outcome")?.as_str() {
            "signed" => Outcome::Signed(InkPart::from_value(fields.take("ink")?)?),
            "declined" => Outcome::Declined,
            "timed-out" => Outcome::TimedOut,
            "cancelled" => Outcome::Cancelled,
            _ => return Err(StatementError::Field("outcome".to_owned())),
        };
        let statement = Self {
            documents: documents
                .into_iter()
                .enumerate()
                .map(|(index, value)| Document::from_value(index, value))
                .collect::<Result<_, _>>()?,
            device: Device::from_value(fields.take("device")?)?,
            agent: fields.text("agent")?,
            staff: fields.text("staff")?,
            counter: fields.text("counter")?,
            visit: fields.text("visit")?,
            origin: fields.text("origin")?,
            purpose: fields.text("purpose")?,
            times: Times::from_value(fields.take("times")?)?,
            attempts: u32::try_from(fields.unsigned("attempts")?)
                .map_err(|_large| StatementError::Field("attempts".to_owned()))?,
            outcome,
        };
        fields.end()?;
        statement.check()?;
        Ok(statement)
    }
}

impl Document {
    fn to_value(&self) -> Value {
        let pictures = self.pictures.iter().map(Picture::to_value).collect();
        map(vec![
            ("title", Value::text(&self.title)),
            ("source-sha256", Value::Bytes(self.source_sha256.to_vec())),
            ("pictures", Value::Array(pictures)),
        ])
    }

    fn from_value(index: usize, value: Value) -> Result<Self, StatementError> {
        let path = format!("documents.{index}.");
        let mut fields = Fields::new(&path, value)?;
        let document = Self {
            title: fields.text("title")?,
            source_sha256: fields.hash("source-sha256")?,
            pictures: fields
                .array("pictures")?
                .into_iter()
                .enumerate()
                .map(|(number, value)| {
                    Picture::from_value(&format!("{path}pictures.{number}."), value)
                })
                .collect::<Result<_, _>>()?,
        };
        fields.end()?;
        Ok(document)
    }
}

impl Picture {
    fn to_value(&self) -> Value {
        map(vec![
            ("picture-sha256", Value::Bytes(self.picture_sha256.to_vec())),
            (
                "uploaded-sha256",
                Value::Bytes(self.uploaded_sha256.to_vec()),
            ),
            ("shown-ms", Value::Uint(self.shown_ms)),
        ])
    }

    fn from_value(path: &str, value: Value) -> Result<Self, StatementError> {
        let mut fields = Fields::new(path, value)?;
        let picture = Self {
            picture_sha256: fields.hash("picture-sha256")?,
            uploaded_sha256: fields.hash("uploaded-sha256")?,
            shown_ms: fields.unsigned("shown-ms")?,
        };
        fields.end()?;
        Ok(picture)
    }
}

impl Device {
    fn to_value(&self) -> Value {
        let captured_by = if self.captured_by_page {
            "page"
        } else {
            "device"
        };
        map(vec![
            ("manufacturer", Value::text(&self.manufacturer)),
            ("model", Value::text(&self.model)),
            ("serial", Value::text(&self.serial)),
            ("firmware", Value::text(&self.firmware)),
            ("captured-by", Value::text(captured_by)),
        ])
    }

    fn from_value(value: Value) -> Result<Self, StatementError> {
        let mut fields = Fields::new("device.", value)?;
        let device = Self {
            manufacturer: fields.text("manufacturer")?,
            model: fields.text("model")?,
            serial: fields.text("serial")?,
            firmware: fields.text("firmware")?,
            captured_by_page: match fields.text("captured-by")?.as_str() {
                "page" => true,
                "device" => false,
                _ => return Err(fields.wrong("captured-by")),
            },
        };
        fields.end()?;
        Ok(device)
    }
}

impl Times {
    fn to_value(self) -> Value {
        map(vec![
            ("monotonic-start-us", Value::Uint(self.monotonic_start_us)),
            ("monotonic-end-us", Value::Uint(self.monotonic_end_us)),
            ("start-unix-ms", Value::integer(self.start_unix_ms)),
            ("end-unix-ms", Value::integer(self.end_unix_ms)),
        ])
    }

    fn from_value(value: Value) -> Result<Self, StatementError> {
        let mut fields = Fields::new("times.", value)?;
        let times = Self {
            monotonic_start_us: fields.unsigned("monotonic-start-us")?,
            monotonic_end_us: fields.unsigned("monotonic-end-us")?,
            start_unix_ms: fields.integer("start-unix-ms")?,
            end_unix_ms: fields.integer("end-unix-ms")?,
        };
        fields.end()?;
        Ok(times)
    }
}

impl InkPart {
    fn to_value(&self) -> Value {
        let mut fields = vec![
            ("media-type", Value::text(crate::inkml::MEDIA_TYPE)),
            ("sha256", Value::Bytes(self.sha256.to_vec())),
            ("length", Value::Uint(self.length)),
        ];
        if let Some(inkml) = &self.inkml {
            fields.push(("data", Value::Bytes(inkml.clone())));
        }
        map(fields)
    }

    fn from_value(value: Value) -> Result<Self, StatementError> {
        let mut fields = Fields::new("ink.", value)?;
        if fields.text("media-type")? != crate::inkml::MEDIA_TYPE {
            return Err(fields.wrong("media-type"));
        }
        let ink = Self {
            sha256: fields.hash("sha256")?,
            length: fields.unsigned("length")?,
            inkml: match fields.optional("data") {
                None => None,
                Some(value) => Some(value.into_bytes().ok_or_else(|| fields.wrong("data"))?),
            },
        };
        fields.end()?;
        Ok(ink)
    }
}

fn map(fields: Vec<(&str, Value)>) -> Value {
    let fields = fields.into_iter();
    Value::Map(
        fields
            .map(|(name, value)| (Value::text(name), value))
            .collect(),
    )
}

fn plain(text: &str) -> bool {
    text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control)
}

/// The fields of a map, taken one by one; what is left at the end is unknown.
struct Fields {
    path: String,
    fields: Vec<(Value, Value)>,
}

impl Fields {
    fn new(path: &str, value: Value) -> Result<Self, StatementError> {
        let path = path.to_owned();
        let Value::Map(fields) = value else {
            return Err(StatementError::Field(path));
        };
        Ok(Self { path, fields })
    }

    fn wrong(&self, name: &str) -> StatementError {
        StatementError::Field(format!("{}{name}", self.path))
    }

    fn optional(&mut self, name: &str) -> Option<Value> {
        let place = self
            .fields
            .iter()
            .position(|(key, _)| matches!(key, Value::Text(text) if text == name))?;
        Some(self.fields.swap_remove(place).1)
    }

    fn take(&mut self, name: &str) -> Result<Value, StatementError> {
        self.optional(name).ok_or_else(|| self.wrong(name))
    }

    fn text(&mut self, name: &str) -> Result<String, StatementError> {
        let value = self.take(name)?;
        value.into_text().ok_or_else(|| self.wrong(name))
    }

    fn array(&mut self, name: &str) -> Result<Vec<Value>, StatementError> {
        let value = self.take(name)?;
        value.into_array().ok_or_else(|| self.wrong(name))
    }

    fn unsigned(&mut self, name: &str) -> Result<u64, StatementError> {
        match self.take(name)? {
            Value::Uint(number) => Ok(number),
            Value::Negative(_)
            | Value::Bytes(_)
            | Value::Text(_)
            | Value::Array(_)
            | Value::Map(_)
            | Value::Tag(..)
            | Value::Null => Err(self.wrong(name)),
        }
    }

    fn integer(&mut self, name: &str) -> Result<i64, StatementError> {
        let value = self.take(name)?;
        value.as_integer().ok_or_else(|| self.wrong(name))
    }

    fn hash(&mut self, name: &str) -> Result<[u8; 32], StatementError> {
        self.take(name)?
            .into_bytes()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| self.wrong(name))
    }

    fn end(self) -> Result<(), StatementError> {
        match self.fields.first() {
            None => Ok(()),
            // The name of an unknown field is not repeated: it may be anything.
            Some(_) => Err(self.wrong("?")),
        }
    }
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
