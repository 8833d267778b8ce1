//! What a client asks, as bytes (SANE standard 1.06, clause 5.2).

use super::VERSION;
use super::option::Value;
use super::words::Writer;

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub enum Request<'a> {
    /// Begins the conversation.
    Init {
        /// Who asks; `saned` writes it into its log.
        user: &'a str,
    },
    /// Asks which scanners there are.
    Devices,
    /// Takes a scanner.
    Open {
        /// Its name, as in the list of scanners.
        device: &'a str,
    },
    /// Gives the scanner back.
    Close {
        /// What opening returned.
        handle: u32,
    },
    /// Asks what can be set.
    Options {
        /// What opening returned.
        handle: u32,
    },
    /// Asks for a value.
    Get {
        /// What opening returned.
        handle: u32,
        /// The option's number.
        option: u32,
        /// A value of the option's type and size; its content does not matter.
        shape: &'a Value,
    },
    /// Sets a value.
    Set {
        /// What opening returned.
        handle: u32,
        /// The option's number.
        option: u32,
        /// What it shall be.
        value: &'a Value,
    },
    /// Asks how the picture will look.
    Parameters {
        /// What opening returned.
        handle: u32,
    },
    /// Starts the scan of one frame.
    Start {
        /// What opening returned.
        handle: u32,
    },
    /// Ends the scan.
    Cancel {
        /// What opening returned.
        handle: u32,
    },
    /// Ends the conversation; nothing is answered.
    Exit,
}

impl Request<'_> {
    /// The bytes that travel.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let writer = Writer::default();
        match *self {
            Self::Init { user } => writer.word(0).word(VERSION).string(user),
            Self::Devices => writer.word(1),
            Self::Open { device } => writer.word(2).string(device),
            Self::Close { handle } => writer.word(3).word(handle),
            Self::Options { handle } => writer.word(4).word(handle),
            Self::Get {
                handle,
                option,
                shape,
            } => control(writer, handle, option).word(0).value(shape),
            Self::Set {
                handle,
                option,
                value,
            } => control(writer, handle, option).word(1).value(value),
            Self::Parameters { handle } => writer.word(6).word(handle),
            Self::Start { handle } => writer.word(7).word(handle),
            Self::Cancel { handle } => writer.word(8).word(handle),
            Self::Exit => writer.word(10),
        }
        .finish()
    }
}

fn control(writer: Writer, handle: u32, option: u32) -> Writer {
    writer.word(5).word(handle).word(option)
}

impl Writer {
    /// A value: type, size in bytes, then its elements behind their number.
    fn value(self, value: &Value) -> Self {
        let writer = self.word(value.kind().to_word()).word(value.size());
        match value {
            Value::Bool(words) | Value::Int(words) | Value::Fixed(words) => words.iter().fold(
                writer.word(u32::try_from(words.len()).unwrap_or(u32::MAX)),
                |writer, word| writer.int(*word),
            ),
            Value::Text(bytes) => writer.counted(bytes),
            Value::Button => writer,
        }
    }
}
