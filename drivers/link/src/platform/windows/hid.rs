//! HID devices through the system's HID class driver, by way of `hidapi`.
//!
//! The system keeps the report descriptor to itself; the library rebuilds one from what the system makes of
//! it, which has the same reports and fields.

use std::ffi::CString;
use std::path::Path;
use std::sync::Arc;

use device_api::{Clock, Deadline};
use hidapi::{HidApi, HidDevice, HidError};
use zeroize::{Zeroize as _, Zeroizing};

use super::Slices;
use crate::descriptor::{Outline, outline};
use crate::wire::{self, Way};
use crate::{Frame, Interrupter, LinkError};

/// The longest descriptor (`HID_API_MAX_REPORT_DESCRIPTOR_SIZE`), and longer than any report of a counter's
/// devices.
const LONGEST: usize = 4096;

/// One open HID device; once gone it stays gone.
pub(crate) struct HidPipe {
    device: HidDevice,
    slices: Slices,
    name: String,
    gone: bool,
    report_descriptor: Vec<u8>,
    outline: Outline,
    buffer: Zeroizing<Vec<u8>>,
}

impl HidPipe {
    pub(crate) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, LinkError> {
        const OPENING: &str = "opening the device";
        let name = path.display().to_string();
        let malformed = LinkError::Malformed { attempted: OPENING };
        let path = CString::new(name.as_bytes()).map_err(|_zero_inside| malformed)?;
        let api = HidApi::new().map_err(|error| of_error(OPENING, error))?;
        let device = api
            .open_path(&path)
            .map_err(|error| of_error(OPENING, error))?;
        let mut report_descriptor = vec![0; LONGEST];
        let length = device
            .get_report_descriptor(&mut report_descriptor)
            .map_err(|error| of_error(OPENING, error))?;
        report_descriptor.truncate(length);
        Ok(Self {
            device,
            slices: Slices::new(clock),
            name,
            gone: false,
            outline: outline(&report_descriptor),
            report_descriptor,
            buffer: Zeroizing::new(vec![0; LONGEST]),
        })
    }

    pub(crate) fn descriptor(&self) -> &[u8] {
        &self.report_descriptor
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        self.slices.interrupter()
    }

    pub(crate) fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.still_there()?;
        let Self {
            device,
            slices,
            buffer,
            ..
        } = self;
        let result = slices.until(deadline, |slice| {
            let slice = i32::try_from(slice.as_millis()).unwrap_or(i32::MAX);
            match device.read_timeout(buffer, slice) {
                Ok(0) => Ok(None),
                Ok(count) => {
                    let filled = buffer.get_mut(..count).unwrap_or_default();
                    let frame = Frame::personal(&*filled);
                    filled.zeroize();
                    Ok(Some(frame))
                }
                // A device whose reports cannot be read has left.
                Err(_any) => Err(LinkError::Gone),
            }
        });
        if let Ok(frame) = &result {
            wire::note(&self.name, Way::In, frame);
        }
        self.remember(result)
    }

    pub(crate) fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.in_time(deadline)?;
        // The library always expects an id in front, 0 where reports are not numbered.
        let mut report = Zeroizing::new(Vec::with_capacity(frame.bytes().len() + 1));
        if !self.outline.numbered {
            report.push(0);
        }
        report.extend_from_slice(frame.bytes());
        let written = self.device.write(&report);
        let result = written.map_err(|error| of_error("sending a report", error));
        self.remember(result)?;
        wire::note(&self.name, Way::Out, frame);
        Ok(())
    }

    pub(crate) fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        self.in_time(deadline)?;
        let mut answer = Zeroizing::new(vec![0; LONGEST]);
        if let Some(first) = answer.first_mut() {
            *first = report;
        }
        let read = self.device.get_feature_report(&mut answer);
        // A report that is not there and a device that left look alike; `receive` tells them apart.
        let length = read.map_err(|_any| LinkError::Malformed {
            attempted: "reading a feature report",
        })?;
        answer.truncate(length);
        let frame = Frame::personal(answer.as_slice());
        wire::note(&self.name, Way::FeatureIn, &frame);
        Ok(frame)
    }

    pub(crate) fn set_feature(
        &mut self,
        frame: &Frame,
        deadline: Deadline,
    ) -> Result<(), LinkError> {
        self.in_time(deadline)?;
        let written = self.device.send_feature_report(frame.bytes());
        written.map_err(|_any| LinkError::Malformed {
            attempted: "writing a feature report",
        })?;
        wire::note(&self.name, Way::FeatureOut, frame);
        Ok(())
    }

    fn in_time(&self, deadline: Deadline) -> Result<(), LinkError> {
        self.still_there()?;
        self.slices.left(deadline).map(drop)
    }

    const fn still_there(&self) -> Result<(), LinkError> {
        if self.gone {
            Err(LinkError::Gone)
        } else {
            Ok(())
        }
    }

    fn remember<T>(&mut self, result: Result<T, LinkError>) -> Result<T, LinkError> {
        self.gone |= matches!(result, Err(LinkError::Gone));
        result
    }
}

impl std::fmt::Debug for HidPipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HidPipe")
            .field("name", &self.name)
            .field("gone", &self.gone)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's own list of errors, most of them sentences; a device that fails has left"
)]
fn of_error(attempted: &'static str, error: HidError) -> LinkError {
    match error {
        HidError::InvalidZeroSizeData | HidError::IncompleteSendError { .. } => {
            LinkError::Malformed { attempted }
        }
        HidError::IoError { error: source } => super::pipe::of_io(attempted, source),
        _ => LinkError::Gone,
    }
}
