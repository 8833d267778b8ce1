//! What types on which desktop.
//!
//! X11 has a typist. Windows has none yet, and Wayland does not let programs type into others.

#[cfg(target_os = "linux")]
mod banner;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(target_os = "linux")]
pub use x11::X11Typist;
