//! A stream of bytes over any file descriptor that can be polled.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, ioctl_fionbio, read, write};
use rustix::net::sockopt;
use zeroize::{Zeroize as _, Zeroizing};

use super::serial;
use super::wait::{Waited, Waiter};
use crate::wire::{self, Way};
use crate::{Frame, Interrupter, LinkError};

/// The most that one call receives.
const MOST_AT_ONCE: usize = 16 * 1024;

/// A stream of bytes; once gone it stays gone.
#[derive(Debug)]
pub(crate) struct Pipe {
    descriptor: OwnedFd,
    waiter: Waiter,
    name: String,
    gone: bool,
    buffer: Zeroizing<Vec<u8>>,
    /// Whether closing it would wait for the device.
    line: bool,
}

impl Pipe {
    /// A pipe over a descriptor, which is made non-blocking.
    pub(crate) fn over(
        descriptor: OwnedFd,
        name: String,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LinkError> {
        ioctl_fionbio(&descriptor, true).map_err(|errno| of_errno("preparing to wait", errno))?;
        Ok(Self {
            descriptor,
            waiter: Waiter::new(clock)?,
            name,
            gone: false,
            buffer: Zeroizing::new(vec![0; MOST_AT_ONCE]),
            line: false,
        })
    }

    /// A pipe over a serial line, which is let go of without waiting for a device that takes nothing.
    pub(crate) fn over_line(
        descriptor: OwnedFd,
        name: String,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LinkError> {
        let mut pipe = Self::over(descriptor, name, clock)?;
        pipe.line = true;
        Ok(pipe)
    }

    /// A pipe over a connection, which is gone when the other machine has been silent for too long.
    pub(crate) fn over_tcp(
        stream: TcpStream,
        name: String,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LinkError> {
        notice_silence(&stream).map_err(|errno| of_errno("preparing the connection", errno))?;
        Self::over(stream.into(), name, clock)
    }

    pub(crate) fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        let result = self.write_all(frame.bytes(), deadline);
        if result.is_ok() {
            wire::note(&self.name, Way::Out, frame);
        }
        self.remember(result)
    }

    pub(crate) fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let result = self.read_some(deadline);
        if let Ok(frame) = &result {
            wire::note(&self.name, Way::In, frame);
        }
        self.remember(result)
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        self.waiter.interrupter()
    }

    fn write_all(&self, mut rest: &[u8], deadline: Deadline) -> Result<(), LinkError> {
        self.still_there()?;
        while !rest.is_empty() {
            match write(&self.descriptor, rest) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => match self.waiter.writable(&self.descriptor, deadline) {
                    Ok(Waited::TimedOut) => return Err(LinkError::TimedOut),
                    Ok(Waited::Ready | Waited::Interrupted) => {}
                    Err(errno) => return Err(of_errno("sending", errno)),
                },
                Err(errno) => return Err(of_errno("sending", errno)),
            }
        }
        Ok(())
    }

    fn read_some(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.still_there()?;
        loop {
            match self.waiter.readable(&self.descriptor, deadline) {
                Ok(Waited::Ready) => {}
                Ok(Waited::Interrupted) => return Err(LinkError::Interrupted),
                Ok(Waited::TimedOut) => return Err(LinkError::TimedOut),
                Err(errno) => return Err(of_errno("receiving", errno)),
            }
            match read(&self.descriptor, self.buffer.as_mut_slice()) {
                // The end of a stream: the other side closed, or the line hung up.
                Ok(0) => return Err(LinkError::Gone),
                Ok(count) => {
                    let filled = self.buffer.get_mut(..count).unwrap_or_default();
                    let frame = Frame::personal(&*filled);
                    filled.zeroize();
                    return Ok(frame);
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(of_errno("receiving", errno)),
            }
        }
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

impl Drop for Pipe {
    fn drop(&mut self) {
        if self.line {
            serial::let_go(&self.descriptor);
        }
    }
}

/// Has the kernel ask after a machine that is silent, and give up on one that does not answer: a printer
/// whose plug was pulled closes no connection, and would never be gone (tcp(7)).
fn notice_silence(stream: &TcpStream) -> Result<(), Errno> {
    const ASKED_AFTER: Duration = Duration::from_secs(10);
    const ASKED_EACH: Duration = Duration::from_secs(5);
    const TIMES: u32 = 3;
    const UNANSWERED: u32 = 25_000;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, ASKED_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, ASKED_EACH)?;
    sockopt::set_tcp_keepcnt(stream, TIMES)?;
    sockopt::set_tcp_user_timeout(stream, UNANSWERED)
}

/// What an error of the kernel means for a link.
///
/// A device that fails with an input/output error has left, or is as good as gone: the driver of the
/// kernel says so in as many ways as there are drivers.
pub(crate) fn of_errno(attempted: &'static str, errno: Errno) -> LinkError {
    match errno {
        Errno::IO
        | Errno::NODEV
        | Errno::NXIO
        | Errno::NOENT
        | Errno::PIPE
        | Errno::SHUTDOWN
        | Errno::CONNRESET
        | Errno::CONNABORTED
        | Errno::CONNREFUSED
        | Errno::NOTCONN
        // The kernel has given up on the other machine; a deadline of ours is no error of the kernel.
        | Errno::TIMEDOUT
        | Errno::HOSTUNREACH
        | Errno::NETUNREACH => LinkError::Gone,
        Errno::BUSY => LinkError::Busy,
        Errno::ACCESS | Errno::PERM => LinkError::Denied,
        errno => LinkError::Io {
            attempted,
            source: errno.into(),
        },
    }
}
