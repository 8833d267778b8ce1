//! What differs between operating systems: waiting for bytes and for an interruption together, setting a
//! serial line, finding and opening devices.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(all(target_os = "linux", any(test, feature = "contract")))]
pub(crate) use linux::wake_ups;
#[cfg(target_os = "linux")]
pub(crate) use linux::{DeviceEvents, HidPipe, Pipe, open_serial};
#[cfg(all(windows, any(test, feature = "contract")))]
pub(crate) use windows::wake_ups;
#[cfg(windows)]
pub(crate) use windows::{DeviceEvents, HidPipe, Pipe, open_serial};
