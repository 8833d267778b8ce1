//! Links without a device: one end for the driver, the other for the test, which plays the device.
//!
//! [`stream_pair`] and [`reports`] need no thread and take no time: a `receive` for which nothing is queued
//! moves the pair's own clock to the deadline and says [`LinkError::TimedOut`](crate::LinkError::TimedOut).
//! What the device sends is queued before, or comes from [`Device::answers`] as soon as the driver has sent
//! something.
//! [`stream_pair_on`] and [`reports_on`] take a clock and block on it instead, for tests with threads.
//!
//! ```
//! use link::{Frame, Link as _, memory};
//! # use device_api::{Clock as _, Deadline};
//! # use std::time::Duration;
//! let (device, mut link) = memory::stream_pair();
//! let soon = Deadline::at(device.clock().now().plus(Duration::from_secs(1)));
//! device.answers(|command| if command == [5] { vec![vec![6]] } else { vec![] });
//! link.send(&Frame::plain([5]), soon)?;
//! assert_eq!(link.receive(soon)?.bytes(), [6]);
//! device.vanishes();
//! assert!(link.receive(soon).is_err());
//! assert_eq!(device.sent(), [[5]]);
//! # Ok::<(), link::LinkError>(())
//! ```

mod clock;
mod device;
mod ends;
mod state;
#[cfg(test)]
mod tests;

pub use clock::ManualClock;
pub use device::{Device, Fate};
pub use ends::{MemoryLink, MemoryReportLink};

use std::sync::Arc;

use device_api::Clock;

use state::{Shared, Waiting};

/// A stream of bytes on a clock of its own, for tests without threads.
#[must_use]
pub fn stream_pair() -> (Device, MemoryLink) {
    let shared = Shared::new(Waiting::Jump(ManualClock::new()));
    (Device(Arc::clone(&shared)), MemoryLink(shared))
}

/// A stream of bytes that blocks by `clock`, for tests with threads.
#[must_use]
pub fn stream_pair_on(clock: Arc<dyn Clock>) -> (Device, MemoryLink) {
    let shared = Shared::new(Waiting::Block(clock));
    (Device(Arc::clone(&shared)), MemoryLink(shared))
}

/// A device of reports on a clock of its own, for tests without threads.
#[must_use]
pub fn reports(descriptor: impl Into<Vec<u8>>) -> (Device, MemoryReportLink) {
    let shared = Shared::new(Waiting::Jump(ManualClock::new()));
    report_ends(shared, descriptor.into())
}

/// A device of reports that blocks by `clock`, for tests with threads.
#[must_use]
pub fn reports_on(
    descriptor: impl Into<Vec<u8>>,
    clock: Arc<dyn Clock>,
) -> (Device, MemoryReportLink) {
    report_ends(Shared::new(Waiting::Block(clock)), descriptor.into())
}

fn report_ends(shared: Arc<Shared>, descriptor: Vec<u8>) -> (Device, MemoryReportLink) {
    let link = MemoryReportLink::new(Arc::clone(&shared), descriptor);
    (Device(shared), link)
}
