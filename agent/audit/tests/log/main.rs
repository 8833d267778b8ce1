//! The log as its users see it: written, reopened, tampered with, verified.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod bench;
mod documented;
mod opening;
mod tampering;
mod unfinished;
