//! What a driver host asks of the operating system: its two pipes, and that its memory stays its own.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{create_private, keep_memory_private, protocol_pipes, service_door, typist};
#[cfg(windows)]
pub(crate) use windows::{
    create_private, keep_memory_private, protocol_pipes, service_door, typist,
};

/// The two ends of the protocol.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) from_agent: std::fs::File,
    pub(crate) to_agent: std::fs::File,
}
