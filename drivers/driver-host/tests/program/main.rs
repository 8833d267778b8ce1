//! The real binary at the other end of its pipes, with what each class of devices needs there.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of an integration test fail by panicking"
)]

mod checking;
mod document;
mod host;
mod printer;
mod protocol;
mod scanner;
