//! The real program: started, asked over its doors, and told to end.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod calibration;
mod lifetime;
mod running;
mod vendor;
