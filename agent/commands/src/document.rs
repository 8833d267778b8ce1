//! One order: for whom, by whom, from when until when, under which conditions.
//!
//! Its bytes are deterministic CBOR and are what approvers sign; a [`Document`] keeps them.
//! Invariants: a document has one encoding, and [`Document::read`] refuses every other one and every field
//! that it does not know, because a condition that is passed over is a condition that is broken; its id is
//! a UUID of version 7 (RFC 9562, 5.7); it is valid for at most [`LONGEST_VALIDITY`] seconds, so that ids
//! need not be kept for ever.

use serde::{Deserialize, Serialize};
use telemetry::message::outcome::CommandId;
use telemetry::message::presence::Challenge;
use telemetry::name::{Digest, Label};
use telemetry::{DeviceName, Word, cbor};
use thiserror::Error;

use crate::verb::Verb;

/// The format of the document.
const FORMAT: u8 = 1;
/// The longest time between `not_before` and `expires`, in seconds: seven days.
pub const LONGEST_VALIDITY: u64 = 7 * 86_400;

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    /// Its id, see [`command_id`].
    pub id: CommandId,
    /// Who is to carry it out.
    #[serde(with = "Target")]
    pub target: DeviceName,
    /// Who ordered it; one of the approvers.
    pub issuer: Label,
    /// A number that the issuer gives to no other order, and that grows.
    pub counter: u64,
    /// From when on it may begin, in seconds since 1970.
    pub not_before: u64,
    /// From when on it may not begin any more, in seconds since 1970.
    pub expires: u64,
    /// What is to be done.
    pub verb: Verb,
    /// What must be so for it to begin.
    #[serde(default, skip_serializing_if = "Preconditions::is_empty")]
    pub preconditions: Preconditions,
    /// What a beat of the device carried, which makes the order newer than that beat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
}

/// What must be so for an order to begin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preconditions {
    /// The agent has this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Word>,
    /// The configuration in force has this SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Digest>,
}

/// An order with the bytes that are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    order: Order,
    bytes: Vec<u8>,
}

/// What is no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// It is not written as the specification says.
    #[error("the document is not written in the one way")]
    Encoding,
    /// Its id is no UUID of version 7.
    #[error("the id is no UUID of version 7")]
    Id,
    /// It expires before it begins, or is valid for too long.
    #[error("the order must expire after it begins, and within seven days of that")]
    Validity,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    format: u8,
    order: &'a Order,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Read {
    format: u8,
    order: Order,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "DeviceName", rename_all = "camelCase", deny_unknown_fields)]
struct Target {
    tenant: Label,
    device: Label,
}

impl Document {
    /// The document of an order.
    ///
    /// # Errors
    /// Where the order is none that a device would take.
    pub fn new(order: Order) -> Result<Self, DocumentError> {
        if !is_version_7(order.id) {
            return Err(DocumentError::Id);
        }
        let validity = order.expires.checked_sub(order.not_before);
        if !validity.is_some_and(|seconds| (1..=LONGEST_VALIDITY).contains(&seconds)) {
            return Err(DocumentError::Validity);
        }
        let written = Written {
            format: FORMAT,
            order: &order,
        };
        let bytes = cbor::encode(&written).map_err(|_unwritable| DocumentError::Encoding)?;
        Ok(Self { order, bytes })
    }

    /// The document of these bytes.
    ///
    /// # Errors
    /// Where they are written in any way but the one, or no device would take the order.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let read: Read =
            cbor::decode(bytes).map_err(|_of_whatever_kind| DocumentError::Encoding)?;
        let document = Self::new(read.order)?;
        // A field that is there and says nothing, or capital digits, would be a second encoding.
        if read.format == FORMAT && document.bytes == bytes {
            Ok(document)
        } else {
            Err(DocumentError::Encoding)
        }
    }

    /// What it orders.
    #[must_use]
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// What is signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of what is signed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

impl Preconditions {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.version.is_none() && self.configuration.is_none()
    }

    /// Whether they hold for an agent of this version with this configuration.
    #[must_use]
    pub fn hold(&self, version: &Word, configuration: &Digest) -> bool {
        let same_version = self.version.as_ref().is_none_or(|wanted| wanted == version);
        let same_configuration = self
            .configuration
            .as_ref()
            .is_none_or(|wanted| wanted == configuration);
        same_version && same_configuration
    }
}

/// A new id: a UUID of version 7 of this time and these random bytes.
#[must_use]
pub fn command_id(unix_millis: u64, random: [u8; 10]) -> CommandId {
    let mut id = [0; 16];
    let time = unix_millis.to_be_bytes();
    let bytes = time.iter().skip(2).chain(&random);
    id.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut id;
    *version = *version & 0x0F | 0x70;
    *variant = *variant & 0x3F | 0x80;
    CommandId(id)
}

const fn is_version_7(id: CommandId) -> bool {
    let [_, _, _, _, _, _, version, _, variant, ..] = id.0;
    version >> 4 == 7 && variant >> 6 == 2
}

#[cfg(test)]
pub(crate) mod tests;
