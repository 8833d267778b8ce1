//! The agent's decisions: who holds which device, which job runs, who may do what, when a driver host is
//! restarted, which screen is asked for a PIN, when a result may leave.
//!
//! Pure: no I/O, no clock, no randomness of its own, no threads, no serialisation. Whatever happens comes
//! in as an [`Event`] with the moment at which it happened; whatever must be done goes out as a list of
//! [`Effect`]s; [`Core::next_wakeup`] says until when nothing needs doing, and is `None` when the agent is
//! idle.
//!
//! ```text
//! requests, sessions ─┐                                 ┌─> replies, events
//! PIN screens ────────┼─> Core::handle(event, moment) ──┼─> screens
//! driver hosts ───────┤                                 ├─> start, kill, commands
//! audit log, time ────┘                                 └─> records, reports
//! ```
//!
//! | module | decides |
//! |---|---|
//! | [`access`] | what a caller may do: grants, token claims, nonces |
//! | `devices` | which devices there are, and whether they can be used |
//! | `leases` | who has a device, and who is next |
//! | `jobs` | how far a job is, what it waits for, what may be told of it |
//! | `hosts` | which driver host lives, is doubted, is given up, is started again |
//! | `screens` | which PIN screen belongs to which counter, and what it is asked |
//! | `stream` | who hears of what, and what a client missed |
//! | `core` | how one leads to the other |
//!
//! Guarantees, each held by a test in `tests/behaviour`:
//! - One holder for each device, served first come, first served; every grant has a higher fence.
//! - A job has exactly one end and one record; its result is handed out once, to its owner, and only after
//!   `Event::AuditWritten`.
//! - A secret goes to a driver host at most once for each question, only from where it was asked for, and
//!   with one try left only after somebody with the right allowed it.
//! - Whatever a host, a page, a screen or the audit log does or leaves undone: every job ends, nothing of
//!   an owner that is gone is kept for longer than ten minutes, and every table is bounded.
//! - What was read from a card is [`Sealed`]: the core can hand it over and cannot print it.
//!
//! What it refuses to do: know a driver, a wire format, or what a result holds.
//!
//! Limits: a host that must be killed for one job takes its other jobs with it.
//!
//! The daemon's whole loop:
//!
//! ```
//! use agent_core::{Config, Core, Chance, Event};
//! use device_api::{Moment, Secret};
//!
//! #[derive(Debug)]
//! struct Dice;
//! impl Chance for Dice {
//!     fn fill(&mut self, bytes: &mut [u8]) {
//!         bytes.fill(4); // The daemon asks the operating system.
//!     }
//!     fn digest(&self, _secret: &Secret) -> [u8; 32] {
//!         [0; 32] // The daemon computes SHA-256.
//!     }
//! }
//!
//! let config = Config { hosts: 1, card_host: None, grants: Default::default(), first_fence: 1, pairings: vec![] };
//! let mut core: Core<String> = Core::new(config, Box::new(Dice));
//! let effects = core.handle(Event::Started, Moment::default());
//! assert_eq!(effects.len(), 1); // StartHost, for the daemon to execute.
//! assert!(core.next_wakeup().is_some()); // The host must say hello in time.
//! ```

pub mod access;
mod chance;
mod core;
mod devices;
mod documents;
pub mod effect;
pub mod event;
mod hosts;
pub mod ids;
mod jobs;
mod leases;
mod screens;
mod sealed;
mod stream;
pub mod task;
mod words;

pub use chance::Chance;
pub use core::{Config, Core};
pub use documents::DOCUMENT_LIFE;
pub use effect::Effect;
pub use event::Event;
pub use sealed::Sealed;
pub use stream::Position;
