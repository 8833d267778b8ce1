//! Linux: everything is a file descriptor, and `poll` waits for it together with an `eventfd` that
//! interrupts. Nobody wakes up while nothing happens.

mod pipe;
mod serial;
mod wait;

pub(crate) use pipe::Pipe;
pub(crate) use serial::open_serial;
