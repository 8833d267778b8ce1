//! The tamper-evident record of who read what, and why.
//!
//! Append-only: one JSON object a line, each carrying the SHA-256 of the line before it, the newest one
//! named by a head that the agent signs with its Ed25519 key.
//! `docs/protocol/audit-log.md` is the format's specification and shows how to verify a log with
//! `sha256sum` and `openssl` alone.
//!
//! ```text
//! segment-0000000000000001.jsonl   records 1 to 999
//! segment-0000000000001000.jsonl   records 1000 to ...; the chain goes on across segments
//! head-0.json  head-1.json         the two newest heads, signed; written in turn
//! torn-<time>.bin                  what a power loss left of a line, moved aside and recorded
//! audit.lock                       held by the one process that writes
//! ```
//!
//! Guarantees:
//! - [`AuditLog::append`] returns only after the record is on the disk.
//! - After a crash at any moment the log opens again with every record whose `append` returned; what was
//!   half written is moved aside and that is itself recorded.
//! - A job whose start was recorded and whose end was not is closed as unknown at the next opening.
//! - A failed `append` leaves nothing behind.
//! - [`verify`] finds any changed, missing, reordered or repeated record up to the head, and names it.
//!
//! What it refuses to do: hold a value that was read from a card; open a log of a newer format; go on
//! writing a log that somebody has shortened or changed, because signing it would hide that.
//!
//! Limits: whoever holds the agent's key can write another history; whoever kept an older state of the
//! whole directory can put it back. Both need a witness outside the machine to be noticed.

mod clockwork;
mod head;
mod lines;
mod platform;
mod record;
mod segment;
mod store;
mod tail;
mod unfinished;
mod verify;

pub use head::HeadSigner;
pub use record::{CommandRecord, Entry, JobOutcome, JobRecord, StartRecord};
pub use store::{AppendError, AuditLog, Limits, OpenError, Opened, Receipt, Recovery};
pub use verify::{Defect, Finding, Place, Report, VerifyError, verify};

/// The format of lines and heads that this crate writes.
pub const FORMAT: u32 = 1;
