//! Reports of HID devices, through the operating system's own driver: `hidraw` on Linux.
//!
//! Reading blocks without waking up. Writing a report and asking for a feature report are calls of the
//! kernel that know no deadline: the deadline is looked at before, and the kernel ends a call to which
//! the device does not answer after five seconds (USB control transfers and uhid alike).

use std::path::Path;
use std::sync::Arc;

use device_api::{Clock, Deadline};

use crate::platform::HidPipe;
use crate::{Frame, Interrupter, Link, LinkError, ReportLink};

/// Opens a device by its file, as [`crate::identity::Way::Hid`] has it.
///
/// # Errors
/// [`LinkError::Gone`] where it has left meanwhile, [`LinkError::Denied`], [`LinkError::Malformed`] where
/// it is no HID device.
pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<HidrawLink, LinkError> {
    HidPipe::open(path, clock).map(HidrawLink)
}

/// A link to one HID device.
///
/// Frames begin with the report's id where the device numbers its reports, and with the first byte of
/// data where it does not. Frames of feature reports always begin with the id, 0 where there is none.
#[derive(Debug)]
pub struct HidrawLink(HidPipe);

impl Link for HidrawLink {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.0.send(frame, deadline)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.0.receive(deadline)
    }

    fn interrupter(&self) -> Interrupter {
        self.0.interrupter()
    }
}

impl ReportLink for HidrawLink {
    fn descriptor(&self) -> &[u8] {
        self.0.descriptor()
    }

    fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        self.0.feature(report, deadline)
    }

    fn set_feature(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.0.set_feature(frame, deadline)
    }
}
