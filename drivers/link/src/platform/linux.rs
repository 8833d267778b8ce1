//! Linux: everything is a file descriptor, and `poll` waits for it together with an `eventfd` that
//! interrupts. Nobody wakes up while nothing happens.

mod hidraw;
#[cfg(any(test, feature = "contract"))]
mod idle;
mod pipe;
mod serial;
mod sysfs;
mod uevent;
mod wait;

pub(crate) use hidraw::HidPipe;
#[cfg(any(test, feature = "contract"))]
pub(crate) use idle::wake_ups;
pub(crate) use pipe::Pipe;
pub(crate) use serial::open_serial;
pub(crate) use uevent::DeviceEvents;
