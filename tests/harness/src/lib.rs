//! Starts the real parts of a counter for scenarios, demo and measurements.
//!
//! Everything here is a real process: a `pcscd` of our own with virtual readers, the simulated counter,
//! the agent with its driver host.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use harness::{Counter, Options};
//!
//! let counter = Counter::start(&Options::default())?;
//! counter.control().insert(0, "sato-hanako")?;
//! let devices = counter.door()?.devices()?;
//! counter.stop()
//! # }
//! ```
//!
//! | type | is |
//! |---|---|
//! | [`Counter`] | everything together |
//! | [`PrivatePcscd`] | the PC/SC service; can be killed and started again |
//! | [`AgentProcess`] | the agent; can be killed and started again on the same state |
//! | [`Control`] | what is done to cards, and what the cards have counted |
//! | [`Door`], [`Events`], [`PinScreen`] | the agent as its pages see it |
//! | [`broker`] | real MQTT brokers and clusters, and clients that none of us wrote |
//! | [`Signals`] | what ends a program that has started all this |
//! | [`ProcessFigures`] | memory, threads, descriptors, processor time |
//!
//! Nothing sleeps: every wait blocks on an event and has a deadline ([`Patience`]).
//! What is dropped has ended.
//! Linux only, as the services it starts are.

mod agent;
mod binaries;
pub mod broker;
mod control;
mod counter;
mod devices;
mod door;
mod events;
mod figures;
mod killing;
mod oversight;
mod patience;
mod pcscd;
mod ports;
mod process;
mod signals;
mod simulation;
mod watch;

pub use agent::{AGENT_ID, Addresses, AgentProcess};
pub use binaries::binary;
pub use control::{CardCounters, CardExchange, CardView, Control, TokenWish};
pub use counter::{ALL_SCOPES, Counter, Desk, Options};
pub use door::{Door, DoorError};
pub use events::{Events, Heard, PinQuestion, PinScreen};
pub use figures::{ProcessFigures, process_tree, process_tree_with};
pub use oversight::{Oversight, Told};
pub use patience::Patience;
pub use pcscd::PrivatePcscd;
pub use process::Process;
pub use signals::Signals;
pub use watch::FolderWatch;
