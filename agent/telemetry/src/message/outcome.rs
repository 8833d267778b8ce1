//! What became of a command, and what it fetched.

use serde::{Deserialize, Serialize};

use crate::name::{Digest, Word};

/// A command's id: sixteen bytes, as 32 hexadecimal digits (a UUID without its dashes, RFC 9562).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommandId(pub [u8; 16]);

/// How far a command has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandState {
    /// Which one.
    pub command: CommandId,
    /// How far.
    pub progress: Progress,
    /// Why, where it was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Word>,
    /// How many parts follow with what it fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// The SHA-256 of what it fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Progress {
    /// It has arrived, and waits for its time.
    Accepted,
    /// It will not be carried out.
    Refused,
    /// It is being carried out.
    Running,
    /// It was carried out.
    Done,
    /// It was tried, and failed.
    Failed,
    /// The agent ended in its middle; whether it took effect is not known, and it is not tried again.
    Unknown,
}

/// A part of what a command fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Which command fetched it.
    pub command: CommandId,
    /// Which part, from 0.
    pub part: u32,
    /// How many there are.
    pub of: u32,
    /// The bytes.
    pub bytes: Bytes,
}

/// Bytes that travel as bytes in CBOR, and as hexadecimal digits in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

impl TryFrom<String> for CommandId {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl From<CommandId> for String {
    fn from(id: CommandId) -> Self {
        hex::encode(id.0)
    }
}

impl std::fmt::Display for CommandId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.serialize_str(&hex::encode(&self.0))
        } else {
            to.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }

        from.deserialize_byte_buf(Visitor)
    }
}
