//! Windows: the libraries give nothing to wait for together with an interruption, so waits are cut into
//! slices, between which an interruption and the deadline are looked for.
//!
//! Overlapped input/output with an event of our own would need no slices; it needs unsafe calls for each
//! of sockets, serial lines and HID devices, and a machine with Windows to prove them on.

mod events;
mod hid;
mod pipe;
mod serial;

pub(crate) use events::DeviceEvents;
pub(crate) use hid::HidPipe;
pub(crate) use pipe::Pipe;
pub(crate) use serial::open_serial;

/// How often this thread has woken up: Windows does not tell.
#[cfg(any(test, feature = "contract"))]
pub(crate) const fn wake_ups() -> Option<u64> {
    None
}

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use device_api::{Clock, Deadline};

use crate::{Interrupter, LinkError};

/// The longest time until an interruption is seen.
const SLICE: Duration = Duration::from_millis(50);

/// What a link waits with.
#[derive(Debug)]
struct Slices {
    clock: Arc<dyn Clock>,
    interruptions: Arc<AtomicU32>,
}

impl Slices {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            interruptions: Arc::default(),
        }
    }

    fn interrupter(&self) -> Interrupter {
        let interruptions = Arc::clone(&self.interruptions);
        Interrupter::new(move || {
            interruptions.fetch_add(1, Ordering::AcqRel);
        })
    }

    /// Tries `attempt` for one slice after the other, until it has something. The last slice, at the
    /// deadline, is a short look.
    fn until<T>(
        &self,
        deadline: Deadline,
        mut attempt: impl FnMut(Duration) -> Result<Option<T>, LinkError>,
    ) -> Result<T, LinkError> {
        let pending = |count: u32| count.checked_sub(1);
        loop {
            let interrupted =
                self.interruptions
                    .fetch_update(Ordering::AcqRel, Ordering::Acquire, pending);
            if interrupted.is_ok() {
                return Err(LinkError::Interrupted);
            }
            let left = deadline.remaining(self.clock.now());
            let slice = left.unwrap_or_default().min(SLICE);
            // Nothing at all means "for ever" to some of the calls.
            if let Some(done) = attempt(slice.max(Duration::from_millis(1)))? {
                return Ok(done);
            }
            if left.is_none() {
                return Err(LinkError::TimedOut);
            }
        }
    }

    /// What is left until the deadline.
    fn left(&self, deadline: Deadline) -> Result<Duration, LinkError> {
        deadline
            .remaining(self.clock.now())
            .map(|left| left.max(Duration::from_millis(1)))
            .ok_or(LinkError::TimedOut)
    }
}
