//! Chip cards over PC/SC: supervision of readers, exclusive sessions, APDUs, record and replay.
//!
//! **What it is for.** A driver host watches all readers of a machine with one [`watch`]er, and holds a
//! card for one job with a [`Session`], which is the [`CardChannel`] that card applications speak through.
//!
//! **What it refuses.** It knows no card application and no PIN; it repeats no command that failed, and
//! none whose data are secret for any reason; it never leaves a card powered behind.
//!
//! ```text
//! watcher thread --- puts up ---> Board <--- waits --- reader's thread --- Session ---> card
//!   own context                     ^                    own context
//!                                   '--- nudged by cancellations and answers
//! ```
//!
//! | module | job |
//! |---|---|
//! | [`apdu`], [`channel`] | commands, answers, and the way to a card as applications see it |
//! | [`board`], [`watcher`] | what is known of service, readers and cards, kept true by events |
//! | [`session`], [`presence`] | a card held for ourselves, and whether it is still the same |
//! | [`keypad`] | a PIN that is typed on the reader and never comes here |
//! | [`activity`] | which blocking call a thread is in |
//! | [`recording`] | what passed, written down without secrets, and played back |
//! | [`fault`] | errors and what people are told |
//!
//! **Guarantees.** Every exchange passes one function, which asks the exchange itself what may be written
//! down. A session ends with the card powered off, also when it is dropped. Waiting costs no processor
//! time.
//!
//! **Limits.** PC/SC calls have no timeout: a hung card hangs its thread, which [`activity`] makes
//! visible. A reader whose person was asked for a PIN can be stopped by that person only.

pub mod activity;
pub mod apdu;
mod backend;
pub mod board;
mod carrier;
pub mod channel;
mod encoding;
pub mod fault;
pub mod keypad;
pub mod platform;
pub mod presence;
pub mod recording;
pub mod session;
pub mod surroundings;
mod talk;
pub mod watcher;
mod wire;

pub use activity::{Activity, Call};
pub use apdu::{Command, Response, Sensitivity, StatusWord};
pub use board::{Board, ReaderCondition, ReaderSight, Service, Sighting};
pub use channel::{CardChannel, ChannelError};
pub use fault::{BeginError, channel_fault};
pub use platform::ServiceDoor;
pub use presence::Presence;
pub use recording::{Recorder, RecordingError, Replay};
pub use session::{Reader, Session};
pub use surroundings::Surroundings;
pub use watcher::{Refresher, watch};
