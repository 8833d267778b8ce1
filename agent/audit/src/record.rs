//! Records, and the lines that they become.
//!
//! Invariants: a record holds no value that was read from a card; a line is one JSON object without a
//! newline in it; its hash is the SHA-256 of exactly its bytes, the newline left out.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::FORMAT;

/// The longest line, in bytes, its newline left out. A job's record has about 700.
pub(crate) const MAX_LINE: usize = 16 * 1024;

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// The hash before the first record.
pub(crate) const NO_LINE: Hash = [0; 32];

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Entry {
    /// A job goes to its device; written before anybody is asked for a secret.
    Started(Box<StartRecord>),
    /// A job has ended.
    Job(Box<JobRecord>),
    /// The record of a job's success was written too late, so nothing was handed out.
    Withheld {
        /// The job.
        job: String,
    },
    /// The agent ended in the middle of a job: how that ended, and whether a try was spent, is unknown.
    Unknown {
        /// The job.
        job: String,
        /// The record of its start.
        started: u64,
    },
    /// The log was opened after a power loss, and part of a line was moved aside.
    Recovered {
        /// How many bytes.
        torn_bytes: u64,
        /// Their SHA-256, in hexadecimal digits.
        torn_sha256: String,
        /// The file that holds them.
        kept_as: String,
    },
    /// The log was opened after a power loss, and its newest record had no signed head yet.
    SignedLate {
        /// That record.
        record: u64,
    },
    /// An order of an operator has come this far; `running` is written before its effect begins.
    Command(Box<CommandRecord>),
    /// A message that should have been an order proved nothing.
    TurnedAway {
        /// The order that it names, by its own word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<String>,
        /// Why: a word of `docs/protocol/commands.md`.
        reason: String,
        /// How many others were turned away since the last such record, and have none.
        others: u64,
    },
}

/// An order of an operator: what, by whom, how far. Never a value of a person but the approvers' names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandRecord {
    /// Its id.
    pub command: String,
    /// What is ordered, such as `restartDriver`.
    pub verb: String,
    /// The driver host or the device that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who ordered it.
    pub issuer: String,
    /// Who approved it.
    pub approvers: Vec<String>,
    /// SHA-256 of the document that they signed, as lower-case hexadecimal digits.
    pub document: String,
    /// How far it has come: `accepted`, `refused`, `running`, `done`, `failed`, `unknown`.
    pub progress: String,
    /// Why, where it was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A job that begins: who, where, for what, which fields, by which secret. Never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartRecord {
    /// The job.
    pub job: String,
    /// The staff id.
    pub staff: String,
    /// The counter application's origin, or the local user.
    pub origin: String,
    /// The counter.
    pub counter: String,
    /// The device.
    pub device: String,
    /// Why the data are needed, as the application said.
    pub purpose: String,
    /// What is to be done, such as `readMyNumberCard`.
    pub operation: String,
    /// What it was about, where that is no person: a ticket, a visit, a form or a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Which fields are asked for.
    pub fields: Vec<String>,
    /// Which secret is to open the card, and how it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// A job: who, where, for what, which fields, how it ended. Never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobRecord {
    /// The job.
    pub job: String,
    /// The staff id.
    pub staff: String,
    /// The counter application's origin, or the local user.
    pub origin: String,
    /// The counter.
    pub counter: String,
    /// The device.
    pub device: String,
    /// Why the data were needed, as the application said.
    pub purpose: String,
    /// What was done, such as `readMyNumberCard`.
    pub operation: String,
    /// What it was about, where that is no person: a ticket, a visit, a form or a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Which fields were asked for.
    pub fields: Vec<String>,
    /// Which secret was to open the card, and how it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// How it ended.
    pub outcome: JobOutcome,
    /// Why it did not succeed: the code of `docs/errors.md`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How many PIN tries the card had left, where the fault tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
    /// Whether the data can be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Who allowed the last PIN try, where someone did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_try_allowed_by: Option<String>,
    /// How often a secret was handed over for the card.
    pub secrets_used: u32,
    /// How many items, such as scanned codes, were taken over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items: u32,
    /// SHA-256 of what came out, where that is to be proved later, as lower-case hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// Whether a count is left out of a record.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum JobOutcome {
    /// Its result could be handed out.
    Succeeded,
    /// It failed.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

/// A line as it is written. The order of the fields is the order in the file.
#[derive(Debug, Serialize)]
struct Written<'a> {
    format: u32,
    seq: u64,
    time: &'a str,
    prev: String,
    entry: &'a Entry,
}

/// A line's envelope as it is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    format: u32,
    seq: u64,
    time: String,
    prev: String,
    entry: ReadEntry,
}

/// As much of an entry as its neighbours need; the rest belongs to whoever reads it.
#[derive(Debug, Deserialize)]
struct ReadEntry {
    kind: String,
    #[serde(default)]
    job: Option<String>,
}

/// What a line means for the job that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// It begins.
    Start(String),
    /// It is over.
    End(String),
    /// It is over, and nobody knows how.
    Lost(String),
    /// Nothing.
    Other,
}

/// What is needed of a line that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) time: String,
    pub(crate) prev: Hash,
    pub(crate) hash: Hash,
    pub(crate) about: About,
}

/// Why bytes are no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotALine {
    /// They make no sense.
    Garbled,
    /// They are of a newer format.
    Newer(u32),
}

/// Makes a line, its newline left out; `None` where it would be too long.
pub(crate) fn encode(seq: u64, time: &str, prev: &Hash, entry: &Entry) -> Option<Vec<u8>> {
    let written = Written {
        format: FORMAT,
        seq,
        time,
        prev: hex::encode(prev),
        entry,
    };
    // Strings and numbers only: serialising cannot fail.
    let bytes = serde_json::to_vec(&written).ok()?;
    (bytes.len() <= MAX_LINE).then_some(bytes)
}

/// Reads a line, its newline left out.
pub(crate) fn decode(bytes: &[u8]) -> Result<Line, NotALine> {
    let read: Read = serde_json::from_slice(bytes).map_err(|_error| newer_or_garbled(bytes))?;
    if read.format != FORMAT {
        return Err(newer_or_garbled(bytes));
    }
    let mut prev = NO_LINE;
    hex::decode_to_slice(&read.prev, &mut prev).map_err(|_error| NotALine::Garbled)?;
    Ok(Line {
        seq: read.seq,
        time: read.time,
        prev,
        hash: hash(bytes),
        about: about(read.entry),
    })
}

fn about(entry: ReadEntry) -> About {
    match (entry.kind.as_str(), entry.job) {
        ("started", Some(job)) => About::Start(job),
        ("job", Some(job)) => About::End(job),
        ("unknown", Some(job)) => About::Lost(job),
        _ => About::Other,
    }
}

/// A newer format may have other fields, so only its number is looked at.
fn newer_or_garbled(bytes: &[u8]) -> NotALine {
    #[derive(Deserialize)]
    struct Numbered {
        format: u32,
    }
    match serde_json::from_slice::<Numbered>(bytes) {
        Ok(numbered) if numbered.format > FORMAT => NotALine::Newer(numbered.format),
        Ok(_) | Err(_) => NotALine::Garbled,
    }
}

/// The SHA-256 of some bytes.
pub(crate) fn hash(bytes: &[u8]) -> Hash {
    let mut hash = NO_LINE;
    for (to, from) in hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *to = *from;
    }
    hash
}
