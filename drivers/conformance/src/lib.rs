//! The suite that a vendor runs against a driver host: every requirement of `docs/protocol/driver-host.md`
//! that can be seen from outside.
//!
//! It starts the host as the agent does, speaks the protocol over its pipes, and reports for each
//! requirement whether it passed, failed, or does not apply to this host.
//! It refuses to guess: what needs a person, a card or paper is not applicable, never passed.
//!
//! ```no_run
//! let subject = conformance::Subject::new("/opt/acme/scan-host", Vec::new());
//! let report = conformance::examine(&subject);
//! assert!(report.failed().is_empty(), "{}", report.text());
//! ```
//!
//! Guarantees: no process that it started is left behind; nothing a host writes makes it wait longer than
//! [`PATIENCE`] or keep more than [`host_protocol::MAX_LINE`] bytes of a line.
//! Each check starts a host of its own, so that one that fails cannot spoil the next.
//! Limits: of the jobs it runs only those that do nothing by themselves: waiting for a code, waiting for a
//! card. What a printer prints is for a person to judge.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a check waits for one message; any other is as wrong, whatever kinds there will be"
)]

mod checks;
mod feeder;
mod host;
mod report;
mod requirement;
mod transcript;

pub use checks::{examine, examine_only};
pub use feeder::FEEDER;
pub use host::{PATIENCE, Subject};
pub use report::{Finding, Report, Verdict};
pub use requirement::{REQUIREMENTS, Requirement, Seen};
