//! A whole simulated counter in one process: citizens' cards on virtual readers, the counter
//! application's backend, and a bench from which a person moves the cards.
//!
//! ```text
//!  bench page, tests --HTTP--> control surface -> [Counter: slots, cards] ==vpcd==> pcscd
//!  browser ----------HTTP--> counter application: its page, its configuration, its tokens
//! ```
//!
//! [`CounterSim::start`] runs it inside a test or a demonstration; the program of the same name adds
//! flags and signals.
//! Beside it stands [`fleet`], thousands of devices that report to a broker.
//!
//! # What it refuses to do
//!
//! It listens on loopback alone, answers only requests that name it by a loopback host, and none
//! that a page of another origin sends.
//! It shows PINs and verification numbers of its synthetic citizens, because somebody has to type them,
//! and writes neither to a log.
//!
//! # Guarantees
//!
//! `counter-sim.json` in the state folder names every address and appears only when all of them answer.
//! Keys and retry counters in the state folder outlive the process; starting again makes nothing anew.
//! When the value is dropped, cards are lifted, sockets closed, threads ended and the file is gone.

mod bench;
mod clock;
mod control;
mod counter;
mod counter_app;
mod devices;
pub mod fleet;
mod issuer;
mod local_only;
mod port_file;
mod refusal;
mod running;
mod service;
mod settings;

pub use counter::{CardView, Counter, CounterError};
pub use issuer::{Issuer, IssuerError, TokenWish};
pub use running::{CounterSim, StartError};
pub use settings::{Agent, Settings, SettingsError, SettingsFile};
