//! Keyboard scanners, which each operating system hands out differently.
//!
//! On Linux the keyboard is taken away from the desktop with an exclusive grab. On Windows no program can
//! take one keyboard of several for itself, so there is nothing here: the scanner is set to its USB-COM
//! or HID POS mode (`docs/devices/code-scanners.md` says how).

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::keyboard;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::keyboard;
