//! Signed telemetry: what an agent reports, so that whoever reads it knows who said it, that nothing is
//! missing, and how old it is.
//!
//! ```text
//! Message -> sealed by a Signer under (epoch, lane, seq) and its topic -> Envelope -> broker -> opened
//! ```
//! `docs/protocol/telemetry.md` is the specification, `docs/protocol/telemetry.cddl` its grammar.
//!
//! | module | its one job |
//! |---|---|
//! | [`name`] | words that can stand in topics and payloads, and can hold no person's data |
//! | [`topic`] | where a message travels |
//! | [`lane`] | how urgent it is, and what becomes of it while nobody can be reached |
//! | [`message`] | all that can be said upwards |
//! | [`down`] | all that can be said downwards, but for commands |
//! | [`cbor`] | the one way in which a value is written |
//! | [`signer`] | keys that sign, and keys that verify |
//! | [`sign1`] | what is signed, in its one encoding |
//! | [`envelope`] | a message, signed under its number and bound to its topic |
//! | [`disk`] | one folder of files |
//! | [`segments`] | the log of one lane |
//! | [`epoch`] | which life of its counters a device is in |
//! | [`outbox`] | what is said and not yet acknowledged |
//! | [`link`] | one connection to a broker |
//! | [`pump`] | what is sent next, and what is sent again |
//! | [`station`] | all of it at work, from a report to the monitor's word |
//!
//! What it refuses to do: carry free text; open an envelope that is written in any way but the one; say
//! that a message arrived because a broker said so.

pub mod cbor;
pub mod disk;
pub mod down;
pub mod envelope;
pub mod epoch;
pub mod lane;
pub mod link;
pub mod message;
pub mod name;
pub mod outbox;
pub mod pump;
mod ranges;
pub mod segments;
pub mod sign1;
pub mod signer;
mod slots;
pub mod station;
pub mod topic;

pub use envelope::{Envelope, Header, Stamp};
pub use lane::Lane;
pub use message::{Class, Message};
pub use name::{DeviceName, Word};
pub use signer::{KeyId, Signer, SoftwareSigner, VerifyingKey};
pub use topic::{DownTopic, UpTopic};
