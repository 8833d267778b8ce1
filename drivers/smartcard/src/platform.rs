//! How each operating system says that the PC/SC service has come.
//!
//! Each has a `ServiceDoor` that is armed before the service is tried, so that nothing falls between, and
//! then waited at.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::ServiceDoor;
#[cfg(windows)]
pub use windows::ServiceDoor;

/// What ended a wait for the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Something happened that can mean that the service has come.
    Sign,
    /// The span that was to be waited has passed.
    Quiet,
}
