//! A person's signature under an order, and what travels: one or two of them.
//!
//! ```text
//! message  = [1*2 approval]                                  at most 16 KiB
//! approval = 18([ << {1: -8, 4: key id, 15: {1: approver, 6: approved at}, -65538: 1} >>,
//!                 {}, document, signature ])                 external data: the bytes of the topic
//! ```
//! The label -65538 keeps an approval from passing for a message of telemetry, and the other way round.
//! Invariants: all approvals of a message carry the same bytes; there is one sequence of bytes for a
//! message, but for the order of its approvals.
//! An operator's side makes them with [`approve`] and [`join`], and reads with [`Approval::read`] what
//! another has approved before approving it too.

use ciborium::Value;
use telemetry::cbor;
use telemetry::name::Label;
use telemetry::sign1::{self, Claims, LONGEST, Sign1};
use telemetry::topic::{DownKind, DownTopic};
use telemetry::{KeyId, Signer, VerifyingKey};
use thiserror::Error;

use crate::document::{Document, DocumentError};

/// The label of an approval, in the range for private use.
const APPROVAL: i64 = -65_538;
/// The version of approvals.
const VERSION: u64 = 1;
/// How deeply the values of a message may lie in each other; payloads and headers are bytes in it.
const DEEPEST: usize = 6;
/// The most approvals of one order.
const MOST: usize = 2;

/// One approval, well formed; nothing in it is proved before [`Approval::is_signed_by`].
#[derive(Debug, Clone)]
pub struct Approval {
    approver: Label,
    document: Document,
    signed: Sign1,
    bytes: Vec<u8>,
}

/// What travels: approvals of one document.
#[derive(Debug, Clone)]
pub struct Message {
    first: Approval,
    second: Option<Approval>,
}

/// Bytes that are no approval, or no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ApprovalError {
    /// They are longer than 16 KiB.
    #[error("the message is too long")]
    TooLong,
    /// They are not written as the specification says.
    #[error("not one or two approvals, written in the one way")]
    Form,
    /// What is approved is no order.
    #[error("what is approved is no order")]
    Document(#[source] DocumentError),
    /// Two approvals carry different orders.
    #[error("the approvals are of different orders")]
    Differ,
}

/// An approval could not be made.
pub type ApproveError = sign1::SealError;

/// The approval of a document, by the approver of this name with this key.
///
/// # Errors
/// Where the key cannot be used.
pub fn approve(
    document: &Document,
    signer: &dyn Signer,
    approver: &Label,
    approved_at: u64,
) -> Result<Vec<u8>, ApproveError> {
    let claims = Claims {
        issuer: approver.to_string(),
        issued_at: approved_at,
        label: APPROVAL,
        value: Value::from(VERSION),
    };
    let bytes = document.bytes().to_vec();
    sign1::sign(signer, claims, &topic_of(document).to_string(), bytes)
}

/// The message of one or two approvals, to be published under [`topic_of`] its document, and not retained.
///
/// # Errors
/// Where they are no approvals, or of different documents.
pub fn join(approvals: &[Vec<u8>]) -> Result<Vec<u8>, ApprovalError> {
    let mut bytes = match approvals.len() {
        1 => vec![0x81],
        MOST => vec![0x82],
        _ => return Err(ApprovalError::Form),
    };
    bytes.extend(approvals.iter().flatten());
    Message::read(&bytes)?;
    Ok(bytes)
}

/// Where a document travels.
#[must_use]
pub fn topic_of(document: &Document) -> DownTopic {
    DownTopic {
        to: document.order().target.clone(),
        kind: DownKind::Command,
    }
}

impl Approval {
    /// Takes an approval apart.
    ///
    /// # Errors
    /// Each of [`ApprovalError`] but [`ApprovalError::Differ`].
    pub fn read(bytes: &[u8]) -> Result<Self, ApprovalError> {
        if bytes.len() > LONGEST {
            return Err(ApprovalError::TooLong);
        }
        let signed = Sign1::read(bytes).map_err(|_of_whatever_kind| ApprovalError::Form)?;
        let claims = signed.claims();
        if claims.label != APPROVAL || claims.value != Value::from(VERSION) {
            return Err(ApprovalError::Form);
        }
        let approver = claims
            .issuer
            .parse()
            .map_err(|_no_name| ApprovalError::Form)?;
        let document = Document::read(signed.payload()).map_err(ApprovalError::Document)?;
        Ok(Self {
            approver,
            document,
            signed,
            bytes: bytes.to_vec(),
        })
    }

    /// Who approved, by its own word.
    #[must_use]
    pub const fn approver(&self) -> &Label {
        &self.approver
    }

    /// When, by its own word, in seconds since 1970.
    #[must_use]
    pub const fn approved_at(&self) -> u64 {
        self.signed.claims().issued_at
    }

    /// By which key, by its own word.
    #[must_use]
    pub const fn key(&self) -> KeyId {
        self.signed.key()
    }

    /// What travels of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was approved.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Whether this key signed it, for this topic.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey, topic: &DownTopic) -> bool {
        self.signed.is_signed_by(key, &topic.to_string())
    }
}

impl Message {
    /// Takes a message apart.
    ///
    /// # Errors
    /// Each of [`ApprovalError`].
    pub fn read(bytes: &[u8]) -> Result<Self, ApprovalError> {
        if bytes.len() > LONGEST {
            return Err(ApprovalError::TooLong);
        }
        let value: Value = ciborium::de::from_reader_with_recursion_limit(bytes, DEEPEST)
            .map_err(|_no_cbor| ApprovalError::Form)?;
        let items = value.into_array().map_err(|_other| ApprovalError::Form)?;
        let approvals = items.iter().map(|item| {
            let bytes = cbor::write(item).map_err(|_unwritable| ApprovalError::Form)?;
            Approval::read(&bytes)
        });
        let mut approvals = approvals.collect::<Result<Vec<_>, _>>()?.into_iter();
        let message = match (approvals.next(), approvals.next(), approvals.next()) {
            (Some(first), second, None) => Self { first, second },
            _ => return Err(ApprovalError::Form),
        };
        if message.written() != bytes {
            return Err(ApprovalError::Form);
        }
        if message
            .approvals()
            .any(|one| one.document != message.first.document)
        {
            return Err(ApprovalError::Differ);
        }
        Ok(message)
    }

    /// What is approved.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.first.document
    }

    /// The approvals.
    pub fn approvals(&self) -> impl Iterator<Item = &Approval> {
        std::iter::once(&self.first).chain(&self.second)
    }

    /// The one way to write it.
    fn written(&self) -> Vec<u8> {
        let head = if self.second.is_some() { 0x82 } else { 0x81 };
        let approvals = self.approvals().flat_map(|one| one.bytes.iter().copied());
        std::iter::once(head).chain(approvals).collect()
    }
}

#[cfg(test)]
mod tests;
