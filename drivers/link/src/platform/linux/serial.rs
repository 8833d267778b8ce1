//! A serial line through termios.
//!
//! No library: setting the line is twenty lines, and `poll` needs the descriptor anyway.

use std::sync::Arc;

use device_api::Clock;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, Termios, ioctl_tiocexcl, isatty,
    tcflush, tcgetattr, tcsetattr,
};

use super::pipe::{Pipe, of_errno};
use crate::LinkError;
use crate::serial::{DataBits, FlowControl, Parity, SerialSettings, StopBits};

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
    Pipe::over(line, settings.path.display().to_string(), clock)
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
