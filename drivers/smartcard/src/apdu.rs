//! Command and response APDUs (ISO/IEC 7816-4, clause 5), with their sensitivity.
//!
//! A [`Command`] knows whether what it carries, or what it will be answered, is secret.
//! Everything that could write bytes down (log, recording) asks the command, never the caller.
//! A command is sent by value: one that carries a PIN cannot be sent a second time.

use std::fmt;

use device_api::Secret;
use zeroize::Zeroizing;

/// A command APDU before it is encoded.
pub struct Command {
    pub(crate) header: [u8; 4],
    pub(crate) data: Payload,
    pub(crate) expected: Option<usize>,
    pub(crate) answer: Sensitivity,
}

/// The data field of a command.
pub(crate) enum Payload {
    /// No data field.
    None,
    /// Bytes that may be written down.
    Plain(Vec<u8>),
    /// Bytes that must not.
    Secret(Secret),
}

/// Whether bytes may be written to a log or a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitivity {
    /// They may.
    Open,
    /// They say something about a citizen or are a secret; only their length may be written.
    Personal,
}

impl Command {
    /// A command without data field and without expected answer data (case 1).
    #[must_use]
    pub const fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self {
            header: [cla, ins, p1, p2],
            data: Payload::None,
            expected: None,
            answer: Sensitivity::Open,
        }
    }

    /// With a data field that may be written down.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = Payload::Plain(data.into());
        self
    }

    /// With a secret data field, such as a PIN.
    #[must_use]
    pub fn with_secret(mut self, secret: Secret) -> Self {
        self.data = Payload::Secret(secret);
        self
    }

    /// Expecting up to `length` bytes of answer: 256 or fewer stay short, more make the command extended.
    #[must_use]
    pub const fn expecting(mut self, length: usize) -> Self {
        self.expected = Some(length);
        self
    }

    /// Marks the answer as personal, so that it is neither logged nor recorded.
    #[must_use]
    pub const fn answered_with_personal_data(mut self) -> Self {
        self.answer = Sensitivity::Personal;
        self
    }

    /// Class, instruction and the two parameters.
    #[must_use]
    pub const fn header(&self) -> [u8; 4] {
        self.header
    }

    /// The data field, for a channel that carries it; whether it is secret says [`Self::data_sensitivity`].
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match &self.data {
            Payload::None => &[],
            Payload::Plain(bytes) => bytes,
            Payload::Secret(secret) => secret.expose(),
        }
    }

    /// How many bytes of answer are expected at most, for a channel that carries the command.
    #[must_use]
    pub const fn expected(&self) -> Option<usize> {
        self.expected
    }

    /// Whether the data field may be written down.
    #[must_use]
    pub const fn data_sensitivity(&self) -> Sensitivity {
        match self.data {
            Payload::None | Payload::Plain(_) => Sensitivity::Open,
            Payload::Secret(_) => Sensitivity::Personal,
        }
    }

    /// Whether the answer may be written down.
    #[must_use]
    pub const fn answer_sensitivity(&self) -> Sensitivity {
        self.answer
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [cla, ins, p1, p2] = self.header;
        write!(f, "Command({cla:02X} {ins:02X} {p1:02X} {p2:02X}")?;
        match &self.data {
            Payload::None => {}
            Payload::Plain(bytes) => write!(f, ", {} bytes", bytes.len())?,
            Payload::Secret(secret) => write!(f, ", {} secret bytes", secret.len())?,
        }
        f.write_str(")")
    }
}

/// A card's answer: data and status word. The data are erased when dropped.
pub struct Response {
    data: Zeroizing<Vec<u8>>,
    status: StatusWord,
}

impl Response {
    /// An answer of `data` and `status`.
    #[must_use]
    pub fn new(data: Vec<u8>, status: StatusWord) -> Self {
        Self {
            data: Zeroizing::new(data),
            status,
        }
    }

    /// The data field.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The status word.
    #[must_use]
    pub const fn status(&self) -> StatusWord {
        self.status
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} bytes, {})", self.data.len(), self.status)
    }
}

/// A status word SW1 SW2 (ISO/IEC 7816-4, 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// Normal ending.
    pub const OK: Self = Self(0x9000);

    /// Whether this is the normal ending.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == Self::OK.0
    }

    /// For `63Cx`: the number x.
    #[must_use]
    pub const fn tries_left(self) -> Option<u8> {
        match self.0.to_be_bytes() {
            [0x63, low @ 0xC0..=0xCF] => Some(low & 0x0F),
            _ => None,
        }
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}
