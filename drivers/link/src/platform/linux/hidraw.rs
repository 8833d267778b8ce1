//! `hidraw`, as the kernel's `Documentation/hid/hidraw.rst` describes it.
//!
//! No library: those there are keep the descriptor to themselves, so that one can only wait in slices,
//! and report errors as sentences, in which a device that left cannot be told from a report it lacks.

use std::path::Path;
use std::sync::Arc;

use device_api::{Clock, Deadline};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fstat, major, minor, open};
use rustix::io::{Errno, read, write};
use rustix::ioctl::{Direction, Ioctl, IoctlOutput, Opcode, ioctl, opcode};
use zeroize::{Zeroize as _, Zeroizing};

use super::pipe::of_errno;
use super::sysfs;
use super::wait::{Waited, Waiter};
use crate::descriptor::{Outline, outline};
use crate::wire::{self, Way};
use crate::{Frame, Interrupter, LinkError};

/// The longest report (the kernel's `HID_MAX_BUFFER_SIZE`), less one so that an ioctl can name it.
const LONGEST_REPORT: usize = 16 * 1024 - 1;

/// Long enough for every feature report that a driver asks for, and what some devices are asked for with.
const LONGEST_FEATURE: usize = 4096;

/// The ioctls of `linux/hidraw.h`: group, and the number of each.
const GROUP: u8 = b'H';
const SET_FEATURE: u8 = 0x06;
const GET_FEATURE: u8 = 0x07;

/// One open `hidraw` device; once gone it stays gone.
#[derive(Debug)]
pub(crate) struct HidPipe {
    descriptor: OwnedFd,
    waiter: Waiter,
    name: String,
    gone: bool,
    report_descriptor: Vec<u8>,
    outline: Outline,
    buffer: Zeroizing<Vec<u8>>,
}

impl HidPipe {
    pub(crate) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, LinkError> {
        const OPENING: &str = "opening the device";
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let descriptor =
            open(path, flags, Mode::empty()).map_err(|errno| of_errno(OPENING, errno))?;
        let device = fstat(&descriptor).map_err(|errno| of_errno(OPENING, errno))?;
        let (major, minor) = (major(device.st_rdev), minor(device.st_rdev));
        let report_descriptor = sysfs::report_descriptor(major, minor)?;
        Ok(Self {
            descriptor,
            waiter: Waiter::new(clock)?,
            name: path.display().to_string(),
            gone: false,
            outline: outline(&report_descriptor),
            report_descriptor,
            buffer: Zeroizing::new(vec![0; LONGEST_REPORT]),
        })
    }

    pub(crate) fn descriptor(&self) -> &[u8] {
        &self.report_descriptor
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        self.waiter.interrupter()
    }

    pub(crate) fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let result = self.read_report(deadline);
        if let Ok(frame) = &result {
            wire::note(&self.name, Way::In, frame);
        }
        self.remember(result)
    }

    pub(crate) fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        let result = self.write_report(frame, deadline);
        if result.is_ok() {
            wire::note(&self.name, Way::Out, frame);
        }
        self.remember(result)
    }

    pub(crate) fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        let result = self.read_feature(report, deadline);
        if let Ok(frame) = &result {
            wire::note(&self.name, Way::FeatureIn, frame);
        }
        self.remember(result)
    }

    pub(crate) fn set_feature(
        &mut self,
        frame: &Frame,
        deadline: Deadline,
    ) -> Result<(), LinkError> {
        let result = self.write_feature(frame, deadline);
        if result.is_ok() {
            wire::note(&self.name, Way::FeatureOut, frame);
        }
        self.remember(result)
    }

    fn read_report(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.still_there()?;
        loop {
            match self.waiter.readable(&self.descriptor, deadline) {
                Ok(Waited::Ready) => {}
                Ok(Waited::Interrupted) => return Err(LinkError::Interrupted),
                Ok(Waited::TimedOut) => return Err(LinkError::TimedOut),
                Err(errno) => return Err(of_errno("receiving a report", errno)),
            }
            match read(&self.descriptor, self.buffer.as_mut_slice()) {
                Ok(count) => {
                    let filled = self.buffer.get_mut(..count).unwrap_or_default();
                    let frame = Frame::personal(&*filled);
                    filled.zeroize();
                    return Ok(frame);
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(of_errno("receiving a report", errno)),
            }
        }
    }

    fn write_report(&self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        const SENDING: &str = "sending a report";
        self.in_time(deadline)?;
        // The kernel always expects an id in front, 0 where reports are not numbered.
        let mut report = Zeroizing::new(Vec::with_capacity(frame.bytes().len() + 1));
        if !self.outline.numbered {
            report.push(0);
        }
        report.extend_from_slice(frame.bytes());
        match write(&self.descriptor, &report) {
            Ok(taken) if taken == report.len() => Ok(()),
            Ok(_) => Err(LinkError::Malformed { attempted: SENDING }),
            Err(errno) => Err(self.of_refusal(SENDING, errno)),
        }
    }

    fn read_feature(&self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        self.in_time(deadline)?;
        let mut answer = Zeroizing::new(vec![0; LONGEST_FEATURE]);
        if let Some(first) = answer.first_mut() {
            *first = report;
        }
        let length = self
            .call(GET_FEATURE, &mut answer)
            .map_err(|errno| self.of_refusal("reading a feature report", errno))?;
        answer.truncate(length);
        Ok(Frame::personal(answer.as_slice()))
    }

    fn write_feature(&self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        const WRITING: &str = "writing a feature report";
        self.in_time(deadline)?;
        if frame.bytes().is_empty() || frame.bytes().len() > LONGEST_REPORT {
            return Err(LinkError::Malformed { attempted: WRITING });
        }
        let mut report = Zeroizing::new(frame.bytes().to_vec());
        self.call(SET_FEATURE, &mut report)
            .map_err(|errno| self.of_refusal(WRITING, errno))?;
        Ok(())
    }

    #[expect(
        unsafe_code,
        reason = "the kernel takes feature reports by ioctl alone, whose length is in its number"
    )]
    fn call(&self, number: u8, report: &mut [u8]) -> Result<usize, Errno> {
        let call = FeatureCall { number, report };
        // SAFETY: the kernel reads or writes at most as many bytes as the opcode says, which is the
        // length of the buffer that the call borrows.
        unsafe { ioctl(&self.descriptor, call) }
    }

    /// What a refused report means: a device that left, or one that lacks such a report.
    ///
    /// Both come as an input/output error; only the state of the descriptor tells them apart.
    fn of_refusal(&self, attempted: &'static str, errno: Errno) -> LinkError {
        match errno {
            Errno::IO | Errno::PIPE | Errno::INVAL | Errno::OVERFLOW if !self.hung_up() => {
                LinkError::Malformed { attempted }
            }
            // The kernel's own five seconds.
            Errno::TIMEDOUT if !self.hung_up() => LinkError::TimedOut,
            errno => of_errno(attempted, errno),
        }
    }

    fn hung_up(&self) -> bool {
        let mut one = [PollFd::new(&self.descriptor, PollFlags::IN)];
        let broken = PollFlags::HUP | PollFlags::ERR;
        match poll(&mut one, Some(&Timespec::default())) {
            Ok(_) => one.iter().any(|one| one.revents().intersects(broken)),
            Err(_errno) => true,
        }
    }

    fn in_time(&self, deadline: Deadline) -> Result<(), LinkError> {
        self.still_there()?;
        self.waiter.in_time(deadline)
    }

    fn still_there(&self) -> Result<(), LinkError> {
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

/// One ioctl over a feature report.
struct FeatureCall<'a> {
    number: u8,
    report: &'a mut [u8],
}

#[expect(
    unsafe_code,
    reason = "the kernel takes feature reports by ioctl alone, whose length is in its number"
)]
// SAFETY: the opcode carries the buffer's own length, and the buffer is borrowed for the call.
unsafe impl Ioctl for FeatureCall<'_> {
    type Output = usize;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::from_components(Direction::ReadWrite, GROUP, self.number, self.report.len())
    }

    fn as_ptr(&mut self) -> *mut core::ffi::c_void {
        self.report.as_mut_ptr().cast()
    }

    unsafe fn output_from_ptr(
        output: IoctlOutput,
        _: *mut core::ffi::c_void,
    ) -> rustix::io::Result<usize> {
        usize::try_from(output).map_err(|_negative| Errno::INVAL)
    }
}
