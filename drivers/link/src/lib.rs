//! Pipes to devices: bytes over serial lines, USB and TCP, reports over hidraw, and all of them in memory.
//!
//! A driver speaks to its device through a [`Link`], so the same driver runs on hardware, on a simulator
//! at the wire, and in a test on an in-memory pair.
//!
//! # What it refuses to do
//! It knows no device and no protocol; what the bytes mean is the driver's business.
//! It never waits without a deadline, and never retries.
//!
//! | module | job |
//! |---|---|
//! | [`tcp`], [`serial`], [`usb`] | streams of bytes |
//! | [`hidraw`], [`hid_stream`] | reports: of the kernel's HID devices, and of simulated ones |
//! | [`memory`] | both kinds without a device, for tests |
//! | [`watch`], [`identity`] | which devices are there, and which is which |
//! | [`reopening`], [`quirks`] | a device that comes back, and one that differs from its kind |
//! | [`record`], [`recording`], [`replay`] | what passed, written down, and played back |
//! | `contract` | what every link must do, as checks that run on any of them (feature `contract`) |
//!
//! # What is promised
//! A link that is gone stays gone: a device that comes back is opened anew ([`reopening`]).
//! Whatever arrived before a device left is still received.
//! On Linux, waiting wakes nobody, but for [`usb`], which wakes every 50 ms.
//! What is received counts as of a citizen: it is erased when dropped, and neither logged nor recorded.
//!
//! # Limits
//! Who reads reports too slowly loses the oldest: the kernel keeps 64.
//! Feature reports are calls of the kernel, which ends them after five seconds whatever the deadline.
//! On Windows, links and watch wait in slices, and have been built and never run.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod descriptor;
mod error;
mod frame;
pub mod hid_stream;
pub mod hidraw;
pub mod identity;
pub mod memory;
mod platform;
pub mod quirks;
pub mod record;
pub mod recording;
pub mod reopening;
pub mod replay;
pub mod serial;
pub mod tcp;
pub mod usb;
pub mod watch;
mod wire;

pub use error::LinkError;
pub use frame::{Frame, Sensitivity};

use std::fmt;
use std::sync::Arc;

use device_api::Deadline;

/// A pipe to one device.
///
/// A stream link (serial, TCP, USB bulk) receives whatever bytes are there, at least one.
/// A report link (hidraw) receives one whole input report a call, with its report id in front where the
/// device numbers its reports.
pub trait Link: Send + fmt::Debug {
    /// Sends the whole frame, or fails; a failure leaves open how much has left.
    ///
    /// # Errors
    /// [`LinkError::TimedOut`] at the deadline, [`LinkError::Gone`] where the device has left.
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError>;

    /// Receives what comes next; blocks until then.
    ///
    /// # Errors
    /// [`LinkError::TimedOut`] at the deadline, [`LinkError::Interrupted`] after
    /// [`Interrupter::interrupt`], [`LinkError::Gone`] where the device has left.
    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError>;

    /// Ends a `receive` from another thread.
    fn interrupter(&self) -> Interrupter;
}

/// A link whose device describes its reports, as USB HID devices do.
pub trait ReportLink: Link {
    /// The report descriptor, as the device gave it (USB HID 1.11, clause 6.2.2).
    fn descriptor(&self) -> &[u8];

    /// Reads a feature report; the answer begins with the report id.
    ///
    /// # Errors
    /// As [`Link::receive`], but never [`LinkError::Interrupted`]; [`LinkError::Malformed`] where the device has no
    /// such report.
    fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError>;

    /// Writes a feature report; the frame begins with the report id.
    ///
    /// # Errors
    /// As [`Link::send`].
    fn set_feature(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError>;
}

impl<L: Link + ?Sized> Link for Box<L> {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        (**self).send(frame, deadline)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        (**self).receive(deadline)
    }

    fn interrupter(&self) -> Interrupter {
        (**self).interrupter()
    }
}

impl<L: ReportLink + ?Sized> ReportLink for Box<L> {
    fn descriptor(&self) -> &[u8] {
        (**self).descriptor()
    }

    fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        (**self).feature(report, deadline)
    }

    fn set_feature(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        (**self).set_feature(frame, deadline)
    }
}

/// Makes the current or, where none is under way, the next `receive` of a link end with
/// [`LinkError::Interrupted`]; once for each call.
#[derive(Clone)]
pub struct Interrupter(Arc<dyn Fn() + Send + Sync>);

impl Interrupter {
    /// An interrupter that calls `interrupt`, which must not block.
    #[must_use]
    pub fn new(interrupt: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(interrupt))
    }

    /// Interrupts.
    pub fn interrupt(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupter")
    }
}
