//! Waiting for a file descriptor, an interruption or a deadline, whichever comes first.

use std::sync::Arc;

use device_api::{Clock, Deadline};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, read, write};

use crate::{Interrupter, LinkError};

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The descriptor is ready, or broken: the next call on it tells.
    Ready,
    /// Somebody interrupted.
    Interrupted,
    /// The deadline has passed.
    TimedOut,
}

/// What a link waits with.
#[derive(Debug)]
pub(crate) struct Waiter {
    clock: Arc<dyn Clock>,
    wake: Arc<OwnedFd>,
}

impl Waiter {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Result<Self, LinkError> {
        // As a semaphore it counts: each interruption ends one wait.
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE;
        let wake = eventfd(0, flags).map_err(|errno| LinkError::Io {
            attempted: "making something to wait with",
            source: errno.into(),
        })?;
        Ok(Self {
            clock,
            wake: Arc::new(wake),
        })
    }

    /// Fails where the deadline has passed.
    pub(crate) fn in_time(&self, deadline: Deadline) -> Result<(), LinkError> {
        match deadline.remaining(self.clock.now()) {
            Some(_) => Ok(()),
            None => Err(LinkError::TimedOut),
        }
    }

    pub(crate) fn interrupter(&self) -> Interrupter {
        let wake = Arc::clone(&self.wake);
        Interrupter::new(move || {
            // It cannot fail: the counter holds more interruptions than a machine can make.
            if let Err(errno) = write(&wake, &1_u64.to_ne_bytes()) {
                tracing::warn!(%errno, "an interruption was lost");
            }
        })
    }

    /// Waits until `descriptor` has something to read, or is broken.
    pub(crate) fn readable(
        &self,
        descriptor: impl AsFd,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        loop {
            let both = [
                (self.wake.as_fd(), PollFlags::IN),
                (descriptor.as_fd(), PollFlags::IN),
            ];
            match self.poll(both, deadline)? {
                Some([interrupted, _]) if !interrupted.is_empty() => {
                    if self.take_interruption()? {
                        return Ok(Waited::Interrupted);
                    }
                }
                Some([_, ready]) if !ready.is_empty() => return Ok(Waited::Ready),
                Some(_) => {}
                None => return Ok(Waited::TimedOut),
            }
        }
    }

    /// Waits until `descriptor` takes bytes, or is broken; cannot be interrupted.
    pub(crate) fn writable(
        &self,
        descriptor: impl AsFd,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        let one = [(descriptor.as_fd(), PollFlags::OUT)];
        Ok(match self.poll(one, deadline)? {
            Some(_) => Waited::Ready,
            None => Waited::TimedOut,
        })
    }

    /// What happened to which descriptor; `None` at the deadline.
    fn poll<const N: usize>(
        &self,
        waited: [(BorrowedFd<'_>, PollFlags); N],
        deadline: Deadline,
    ) -> Result<Option<[PollFlags; N]>, Errno> {
        let mut waited =
            waited.map(|(descriptor, flags)| PollFd::from_borrowed_fd(descriptor, flags));
        loop {
            let left = deadline.remaining(self.clock.now()).unwrap_or_default();
            // A time that the kernel cannot count is for ever.
            let timeout = Timespec::try_from(left).ok();
            match poll(&mut waited, timeout.as_ref()) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(Some(waited.map(|one| one.revents()))),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    fn take_interruption(&self) -> Result<bool, Errno> {
        match read(&self.wake, &mut [0_u8; 8]) {
            Ok(_) => Ok(true),
            Err(Errno::AGAIN) => Ok(false),
            Err(errno) => Err(errno),
        }
    }
}
