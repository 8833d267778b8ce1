//! What the monitor does, over real databases and as a real process.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints what it measured"
)]

mod acknowledgements;
mod alarms;
mod commands;
mod crash;
mod keys;
mod kit;
mod link;
mod throughput;
