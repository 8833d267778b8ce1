//! The form of a statement as CBOR: every field by its name, none that is unknown.

use super::statement::{
    Device, Document, FORMAT, InkPart, Outcome, Picture, Statement, StatementError, Times,
};
use crate::cbor::Value;

impl Statement {
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
