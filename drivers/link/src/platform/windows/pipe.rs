//! A stream of bytes over whatever reads and writes within a time.

use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline};
use zeroize::{Zeroize as _, Zeroizing};

use super::Slices;
use crate::wire::{self, Way};
use crate::{Frame, Interrupter, LinkError};

/// The most that one call receives.
const MOST_AT_ONCE: usize = 16 * 1024;

/// Something that reads and writes within a time.
pub(super) trait Timed: Send {
    fn read_within(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize>;
    fn write_within(&mut self, bytes: &[u8], within: Duration) -> io::Result<usize>;
}

impl Timed for TcpStream {
    fn read_within(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        self.set_read_timeout(Some(within))?;
        match self.read(buffer)? {
            0 => Err(ErrorKind::ConnectionReset.into()),
            count => Ok(count),
        }
    }

    fn write_within(&mut self, bytes: &[u8], within: Duration) -> io::Result<usize> {
        self.set_write_timeout(Some(within))?;
        self.write(bytes)
    }
}

/// A stream of bytes; once gone it stays gone.
pub(crate) struct Pipe {
    carrier: Box<dyn Timed>,
    slices: Slices,
    name: String,
    gone: bool,
    buffer: Zeroizing<Vec<u8>>,
}

impl Pipe {
    pub(super) fn over(carrier: Box<dyn Timed>, name: String, clock: Arc<dyn Clock>) -> Self {
        Self {
            carrier,
            slices: Slices::new(clock),
            name,
            gone: false,
            buffer: Zeroizing::new(vec![0; MOST_AT_ONCE]),
        }
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "on other systems there is something to wait with, and getting it can fail"
    )]
    pub(crate) fn over_tcp(
        stream: TcpStream,
        name: String,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LinkError> {
        Ok(Self::over(Box::new(stream), name, clock))
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
        self.slices.interrupter()
    }

    fn write_all(&mut self, mut rest: &[u8], deadline: Deadline) -> Result<(), LinkError> {
        self.still_there()?;
        while !rest.is_empty() {
            let left = self.slices.left(deadline)?;
            match self.carrier.write_within(rest, left) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(error) => return Err(of_io("sending", error)),
            }
        }
        Ok(())
    }

    fn read_some(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.still_there()?;
        let Self {
            carrier,
            slices,
            buffer,
            ..
        } = self;
        slices.until(deadline, |slice| match carrier.read_within(buffer, slice) {
            Ok(count) => {
                let filled = buffer.get_mut(..count).unwrap_or_default();
                let frame = Frame::personal(&*filled);
                filled.zeroize();
                Ok(Some(frame))
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) => match of_io("receiving", error) {
                LinkError::TimedOut => Ok(None),
                error => Err(error),
            },
        })
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

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("name", &self.name)
            .field("gone", &self.gone)
            .finish_non_exhaustive()
    }
}

/// What an error means for a link; a device whose driver reports an error has left.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the standard library's own list of errors; the rest is a device that fails"
)]
pub(super) fn of_io(attempted: &'static str, source: io::Error) -> LinkError {
    match source.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => LinkError::TimedOut,
        ErrorKind::PermissionDenied => LinkError::Denied,
        ErrorKind::ResourceBusy => LinkError::Busy,
        ErrorKind::InvalidInput | ErrorKind::Unsupported => LinkError::Malformed { attempted },
        ErrorKind::OutOfMemory => LinkError::Io { attempted, source },
        _ => LinkError::Gone,
    }
}
