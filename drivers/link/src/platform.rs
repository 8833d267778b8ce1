//! What differs between operating systems: waiting for bytes and for an interruption together, setting a
//! serial line, finding and opening devices.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Pipe, open_serial};
#[cfg(windows)]
pub(crate) use windows::{Pipe, open_serial};
