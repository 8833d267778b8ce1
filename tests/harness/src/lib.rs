//! Starts the real parts of a counter for scenarios, demo and measurements.
//!
//! Everything here is a real process: a `pcscd` of our own with virtual readers.
//! Nothing sleeps: every wait blocks on an event and has a deadline.
//! Linux only, as the services it starts are.

mod binaries;
mod door;
mod events;
mod figures;
mod patience;
mod pcscd;
mod ports;
mod process;
mod watch;

pub use binaries::binary;
pub use door::{Door, DoorError};
pub use events::{Events, PinQuestion, PinScreen};
pub use figures::{ProcessFigures, process_tree};
pub use patience::Patience;
pub use pcscd::PrivatePcscd;
pub use process::Process;
