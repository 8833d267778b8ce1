//! A serial line through termios.
//!
//! No library: setting the line is twenty lines, and `poll` needs the descriptor anyway.

use core::ffi::c_int;
use std::sync::Arc;
use std::time::Duration;

use device_api::Clock;
use rustix::event::{Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::ioctl::{Getter, Opcode, ioctl};
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, Termios, ioctl_tiocexcl, isatty,
    tcflush, tcgetattr, tcsetattr,
};

use super::pipe::{Pipe, of_errno};
use crate::LinkError;
use crate::serial::{DataBits, FlowControl, Parity, SerialSettings, StopBits};

/// How long a line that is closed may go without taking a byte before what is left is thrown away.
const STALLED: Duration = Duration::from_millis(200);
/// How long what is left may take in all; 4 KiB, what the kernel keeps, are 0.4 seconds at 115,200 bits a second.
const LEAVING: Duration = Duration::from_secs(2);
/// How long is waited between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Opens and sets a line.
pub(crate) fn open_serial(
    settings: &SerialSettings,
    clock: Arc<dyn Clock>,
) -> Result<Pipe, LinkError> {
    // Without NONBLOCK, opening waits for a carrier that no scanner raises.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let line = open(&settings.path, flags, Mode::empty())
        .map_err(|errno| of_errno("opening the line", errno))?;
    if !isatty(&line) {
        return Err(LinkError::Malformed {
            attempted: "using it as a serial line",
        });
    }
    take(&line)?;
    set(&line, settings)?;
    tcflush(&line, QueueSelector::IFlush).map_err(|errno| of_errno("emptying the line", errno))?;
    Pipe::over_line(line, settings.path.display().to_string(), clock)
}

/// Throws away what the device does not take any more, before the line is closed.
///
/// Closing alone would have the kernel wait for it, up to 30 seconds (`closing_wait` of `setserial(8)`): a printer
/// that holds CTS low would keep its driver past every deadline. What the device does take still leaves, so that
/// the last words of a driver, such as those that empty a display, arrive.
/// A kernel driver without a way to throw bytes away, as that of some USB adapters, waits all the same.
pub(super) fn let_go(line: &OwnedFd) {
    let looks = std::iter::from_fn(|| {
        let left = unsent(line).ok();
        if left.is_some_and(|left| left > 0) {
            // Waits for nothing but time: no event says that a line is empty.
            let _over = poll(&mut [], Timespec::try_from(LOOK).ok().as_ref());
        }
        left
    });
    throw_away(line, looks);
}

/// The same, by how many bytes are left at each look.
fn throw_away(line: &OwnedFd, looks: impl Iterator<Item = c_int>) {
    if !leaves(looks) {
        let thrown = tcflush(line, QueueSelector::OFlush).is_ok();
        tracing::debug!(thrown, "a line was closed that took nothing more");
    }
}

/// Whether everything leaves; a line that cannot be asked has nothing that one could wait for.
fn leaves(mut looks: impl Iterator<Item = c_int>) -> bool {
    let (mut last, mut stalled, mut spent) = (None, Duration::ZERO, Duration::ZERO);
    while stalled < STALLED && spent < LEAVING {
        let left = looks.next().filter(|left| *left > 0);
        if left.is_none() {
            return true;
        }
        stalled = if last == left {
            stalled + LOOK
        } else {
            Duration::ZERO
        };
        spent += LOOK;
        last = left;
    }
    false
}

/// How many bytes the kernel keeps for the device.
#[expect(
    unsafe_code,
    reason = "no safe function asks for it, and only it tells a line that stands still"
)]
fn unsent(line: &OwnedFd) -> Result<c_int, Errno> {
    /// `asm-generic/ioctls.h`.
    const TIOCOUTQ: Opcode = 0x5411;
    // SAFETY: this ioctl writes one `int` to where it is told (tty_ioctl(4)).
    let question = unsafe { Getter::<TIOCOUTQ, c_int>::new() };
    // SAFETY: as above, and the place is the question's own.
    unsafe { ioctl(line, question) }
}

/// Takes the line for us: the lock keeps programs that ask away, the flag those that do not.
fn take(line: &OwnedFd) -> Result<(), LinkError> {
    match flock(line, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::AGAIN) => return Err(LinkError::Busy),
        Err(errno) => return Err(of_errno("taking the line", errno)),
    }
    ioctl_tiocexcl(line).map_err(|errno| of_errno("taking the line", errno))
}

fn set(line: impl AsFd, settings: &SerialSettings) -> Result<(), LinkError> {
    const SETTING: &str = "setting the line";
    let line = line.as_fd();
    let mut wanted = tcgetattr(line).map_err(|errno| of_errno(SETTING, errno))?;
    shape(&mut wanted, settings);
    wanted
        .set_speed(settings.baud)
        .map_err(|errno| of_errno(SETTING, errno))?;
    tcsetattr(line, OptionalActions::Now, &wanted).map_err(|errno| of_errno(SETTING, errno))?;
    // The call succeeds when any part of the setting was taken, so it is read back.
    let taken = tcgetattr(line).map_err(|errno| of_errno(SETTING, errno))?;
    let shape = ControlModes::CSIZE | ControlModes::PARENB | ControlModes::CSTOPB;
    if taken.output_speed() == settings.baud
        && (taken.control_modes & shape) == (wanted.control_modes & shape)
    {
        Ok(())
    } else {
        Err(LinkError::Malformed { attempted: SETTING })
    }
}

fn shape(termios: &mut Termios, settings: &SerialSettings) {
    // Raw also demands at least one byte of a read, so that an empty line says "not yet" and only one that
    // hung up says "end".
    termios.make_raw();
    let control = &mut termios.control_modes;
    control.remove(
        ControlModes::CSIZE
            | ControlModes::PARENB
            | ControlModes::PARODD
            | ControlModes::CSTOPB
            | ControlModes::CRTSCTS,
    );
    control.insert(ControlModes::CREAD | ControlModes::CLOCAL);
    control.insert(match settings.data_bits {
        DataBits::Seven => ControlModes::CS7,
        DataBits::Eight => ControlModes::CS8,
    });
    control.insert(match settings.parity {
        Parity::None => ControlModes::empty(),
        Parity::Even => ControlModes::PARENB,
        Parity::Odd => ControlModes::PARENB | ControlModes::PARODD,
    });
    if settings.stop_bits == StopBits::Two {
        control.insert(ControlModes::CSTOPB);
    }
    if settings.flow == FlowControl::Hardware {
        control.insert(ControlModes::CRTSCTS);
    }
    let pausing = InputModes::IXON | InputModes::IXOFF;
    termios
        .input_modes
        .set(pausing, settings.flow == FlowControl::Software);
}

#[cfg(test)]
mod tests;
