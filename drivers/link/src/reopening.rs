//! Opening a device that comes and goes, and one that comes twice.
//!
//! A pen display that is plugged in arrives with the kernel's general driver, and again a moment later,
//! when udev has loaded the driver made for it: who opened the first one finds it gone.
//! So a device is opened at its arrival, and when it goes it is opened at its next arrival; nothing waits
//! for a time to pass. How often it may go before it has proved itself is bounded, so that a device with
//! a loose contact ends as a fault and not as a loop.

use std::fmt;

use device_api::{Deadline, Moment};
use thiserror::Error;

use crate::LinkError;
use crate::identity::Found;
use crate::watch::{Event, Watch};

/// How often a device may be opened and go before it counts as unsteady.
const USUAL_ATTEMPTS: u32 = 5;

type Wanted = Box<dyn Fn(&Found) -> bool + Send>;

/// Opens a device whenever it is there.
pub struct Reopening<F> {
    wanted: Wanted,
    open: F,
    attempts: u32,
    spent: u32,
    refused: Vec<Found>,
}

impl<L, F: FnMut(&Found) -> Result<L, LinkError>> Reopening<F> {
    /// Opens what `wanted` says yes to by `open`.
    #[must_use]
    pub fn new(wanted: impl Fn(&Found) -> bool + Send + 'static, open: F) -> Self {
        Self {
            wanted: Box::new(wanted),
            open,
            attempts: USUAL_ATTEMPTS,
            spent: 0,
            refused: Vec::new(),
        }
    }

    /// Another number of attempts than the usual one.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Opens the device, now or at its next arrival; blocks until then.
    ///
    /// To be called first, and again whenever the link says [`LinkError::Gone`].
    ///
    /// # Errors
    /// [`ReopenError::Unsteady`] where it went too often; [`ReopenError::Waiting`] with
    /// [`LinkError::TimedOut`] where it did not come, or how the watch failed; [`ReopenError::Refused`]
    /// where it is there and could not be opened until the deadline.
    pub fn acquire(
        &mut self,
        watch: &mut Watch,
        deadline: Deadline,
    ) -> Result<(Found, L), ReopenError> {
        // What has happened meanwhile, before anything that has left is tried.
        while let Ok(event) = watch.next(Deadline::at(Moment::default())) {
            self.learn(&event);
        }
        let mut refusal = None;
        loop {
            let mut present = watch.present().iter();
            let next = present
                .rfind(|found| (self.wanted)(found) && !self.refused.contains(found))
                .cloned();
            if let Some(found) = next {
                self.spend()?;
                match (self.open)(&found) {
                    Ok(link) => return Ok((found, link)),
                    Err(error) => refusal = Some(error),
                }
                self.refused.push(found);
                continue;
            }
            match watch.next(deadline) {
                Ok(event) => self.learn(&event),
                Err(LinkError::TimedOut) if refusal.is_some() => break,
                Err(error) => return Err(ReopenError::Waiting(error)),
            }
        }
        Err(refusal.map_or(
            ReopenError::Waiting(LinkError::TimedOut),
            ReopenError::Refused,
        ))
    }

    /// The device has proved itself: something whole came from it.
    pub const fn settled(&mut self) {
        self.spent = 0;
    }

    /// How often it was opened since it last proved itself.
    #[must_use]
    pub const fn spent(&self) -> u32 {
        self.spent
    }

    fn spend(&mut self) -> Result<(), ReopenError> {
        if self.spent >= self.attempts {
            return Err(ReopenError::Unsteady {
                attempts: self.spent,
            });
        }
        self.spent += 1;
        Ok(())
    }

    /// Whatever came or went may be tried anew.
    fn learn(&mut self, event: &Event) {
        let (Event::Arrived(found) | Event::Left(found)) = event;
        self.refused.retain(|refused| refused != found);
    }
}

impl<F> fmt::Debug for Reopening<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reopening")
            .field("attempts", &self.attempts)
            .field("spent", &self.spent)
            .finish_non_exhaustive()
    }
}

/// Why a device is not open.
#[derive(Debug, Error)]
pub enum ReopenError {
    /// It went again and again.
    #[error("the device went {attempts} times before anything came from it")]
    Unsteady {
        /// How often it was opened.
        attempts: u32,
    },
    /// It is there and cannot be opened.
    #[error("the device cannot be opened")]
    Refused(#[source] LinkError),
    /// It did not come.
    #[error("the device did not come")]
    Waiting(#[source] LinkError),
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::path::PathBuf;

    use super::*;
    use crate::identity::{Identity, Usage, Way};

    fn pen(path: &str) -> Found {
        Found {
            identity: Identity::default(),
            way: Way::Hid {
                path: PathBuf::from(path),
                usages: vec![Usage::PEN],
            },
            interface: None,
        }
    }

    fn never() -> Deadline {
        Deadline::at(Moment::default())
    }

    type Outcomes = VecDeque<Result<u32, LinkError>>;

    fn opening(
        outcomes: impl Into<Outcomes>,
    ) -> Reopening<impl FnMut(&Found) -> Result<u32, LinkError>> {
        let mut outcomes: Outcomes = outcomes.into();
        Reopening::new(
            |found| found.has_usage(Usage::PEN),
            move |_: &Found| outcomes.pop_front().unwrap_or(Err(LinkError::Gone)),
        )
    }

    #[test]
    fn a_device_that_another_driver_takes_over_is_opened_at_its_second_arrival() {
        let (sockets, mut watch) = Watch::in_memory();
        let mut pens = opening([Err(LinkError::Gone), Ok(7)]);
        sockets.plug(pen("hidraw0"));
        sockets.unplug(pen("hidraw0"));
        sockets.plug(pen("hidraw1"));
        // Both arrivals are known at once here, so the first is never tried.
        let first = pens.acquire(&mut watch, never());
        assert!(matches!(first, Err(ReopenError::Refused(LinkError::Gone))));
        sockets.unplug(pen("hidraw1"));
        sockets.plug(pen("hidraw0"));
        let (found, link) = pens.acquire(&mut watch, never()).unwrap();
        assert_eq!((found, link), (pen("hidraw0"), 7));
    }

    #[test]
    fn the_same_file_is_tried_again_only_after_it_came_again() {
        let (sockets, mut watch) = Watch::in_memory();
        let mut pens = opening([Err(LinkError::Denied), Ok(1)]);
        sockets.plug(pen("hidraw0"));
        let denied = pens.acquire(&mut watch, never());
        assert!(matches!(
            denied,
            Err(ReopenError::Refused(LinkError::Denied))
        ));
        let still = pens.acquire(&mut watch, never());
        assert!(matches!(
            still,
            Err(ReopenError::Waiting(LinkError::TimedOut))
        ));
        sockets.unplug(pen("hidraw0"));
        sockets.plug(pen("hidraw0"));
        assert!(pens.acquire(&mut watch, never()).is_ok());
        assert_eq!(pens.spent(), 2);
    }

    #[test]
    fn a_loose_contact_ends_as_a_fault_unless_the_device_proves_itself_between() {
        let (sockets, mut watch) = Watch::in_memory();
        let outcomes: Vec<_> = (0..20).map(Ok).collect();
        let mut pens = opening(outcomes).with_attempts(3);
        sockets.plug(pen("hidraw0"));
        for _ in 0..3 {
            assert!(pens.acquire(&mut watch, never()).is_ok());
        }
        let fourth = pens.acquire(&mut watch, never());
        assert!(matches!(fourth, Err(ReopenError::Unsteady { attempts: 3 })));
        pens.settled();
        assert!(pens.acquire(&mut watch, never()).is_ok());
    }

    #[test]
    fn what_is_not_wanted_is_not_opened() {
        let (sockets, mut watch) = Watch::in_memory();
        let mut pens = opening([Ok(1)]);
        let mut other = pen("hidraw0");
        other.way = Way::Serial {
            path: PathBuf::from("ttyUSB0"),
        };
        sockets.plug(other);
        let waited = pens.acquire(&mut watch, never());
        assert!(matches!(
            waited,
            Err(ReopenError::Waiting(LinkError::TimedOut))
        ));
        assert_eq!(watch.present().len(), 1);
    }
}
