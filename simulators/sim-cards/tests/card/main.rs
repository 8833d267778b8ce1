//! The simulated My Number card from outside: its rules, and somebody else's reader.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as expected"
)]

mod bench;
mod independent_reader;
mod rules;
