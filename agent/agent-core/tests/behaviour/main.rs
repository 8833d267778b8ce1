//! The core as the daemon uses it: events in, effects out, a clock moved by hand.
//!
//! `journeys_*.rs` walk through single situations; `invariants.rs` plays random sequences of events and
//! checks what must hold after each.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on fails, and looks for the one effect that it is about"
)]

mod bench;
mod invariants;
mod journeys_devices;
mod journeys_hosts;
mod journeys_jobs;
mod journeys_leases;
mod journeys_pad;
mod journeys_screens;
mod journeys_secrets;
mod journeys_streaming;
mod steps;
