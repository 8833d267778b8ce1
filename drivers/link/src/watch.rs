//! Which devices are there, kept true by the operating system's own events.
//!
//! A [`Watch`] first tells every device that is there, then every arrival and departure.
//! On Linux it listens to the kernel's messages, and to those of udev where it runs, so that a device is
//! told when its file has its permissions; nothing is polled.
//! It belongs to one thread, which may hand what it learns on.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use device_api::{Clock, Deadline};

use crate::identity::Found;
use crate::platform::DeviceEvents;
use crate::{Interrupter, LinkError};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A device is there.
    Arrived(Found),
    /// A device has left.
    Left(Found),
}

/// Watches devices come and go.
#[derive(Debug)]
pub struct Watch {
    source: Box<dyn Source>,
    coming: VecDeque<Event>,
    present: Vec<Found>,
}

impl Watch {
    /// Begins to watch the devices of this machine.
    ///
    /// # Errors
    /// [`LinkError::Io`] where the operating system gives no events.
    pub fn begin(clock: Arc<dyn Clock>) -> Result<Self, LinkError> {
        let (source, present) = DeviceEvents::begin(clock)?;
        Ok(Self::over(Box::new(source), present))
    }

    /// A watch over devices that a test plugs and unplugs. Its `next` never blocks: where nothing was
    /// plugged or unplugged, it says [`LinkError::TimedOut`].
    #[must_use]
    pub fn in_memory() -> (Sockets, Self) {
        let sockets = Sockets::default();
        let watch = Self::over(Box::new(sockets.clone()), Vec::new());
        (sockets, watch)
    }

    fn over(source: Box<dyn Source>, present: Vec<Found>) -> Self {
        Self {
            source,
            coming: present.into_iter().map(Event::Arrived).collect(),
            present: Vec::new(),
        }
    }

    /// What comes next; blocks until then.
    ///
    /// # Errors
    /// [`LinkError::TimedOut`] at the deadline, [`LinkError::Interrupted`] after
    /// [`Interrupter::interrupt`], [`LinkError::Io`] where the events end.
    pub fn next(&mut self, deadline: Deadline) -> Result<Event, LinkError> {
        loop {
            if let Some(event) = self.coming.pop_front() {
                self.keep(&event);
                return Ok(event);
            }
            self.coming.extend(self.source.more(deadline)?);
        }
    }

    /// What is there, as far as [`Watch::next`] has told it.
    #[must_use]
    pub fn present(&self) -> &[Found] {
        &self.present
    }

    /// Ends a `next` from another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.source.interrupter()
    }

    fn keep(&mut self, event: &Event) {
        match event {
            Event::Arrived(found) => self.present.push(found.clone()),
            Event::Left(found) => self.present.retain(|other| other != found),
        }
    }
}

/// Where events come from.
pub(crate) trait Source: Send + fmt::Debug {
    /// Waits for events; some, or an error.
    fn more(&mut self, deadline: Deadline) -> Result<Vec<Event>, LinkError>;

    /// Ends a wait.
    fn interrupter(&self) -> Interrupter;
}

/// The sockets of a machine that exists in a test only; see [`Watch::in_memory`].
#[derive(Debug, Clone, Default)]
pub struct Sockets(Arc<Mutex<Plugging>>);

#[derive(Debug, Default)]
struct Plugging {
    events: Vec<Event>,
    interruptions: u32,
}

impl Sockets {
    /// Plugs a device in.
    pub fn plug(&self, found: Found) {
        self.change(|plugging| plugging.events.push(Event::Arrived(found)));
    }

    /// Pulls a device out.
    pub fn unplug(&self, found: Found) {
        self.change(|plugging| plugging.events.push(Event::Left(found)));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Plugging) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Source for Sockets {
    fn more(&mut self, _: Deadline) -> Result<Vec<Event>, LinkError> {
        self.change(|plugging| {
            if plugging.interruptions > 0 {
                plugging.interruptions -= 1;
                return Err(LinkError::Interrupted);
            }
            if plugging.events.is_empty() {
                return Err(LinkError::TimedOut);
            }
            Ok(std::mem::take(&mut plugging.events))
        })
    }

    fn interrupter(&self) -> Interrupter {
        let sockets = self.clone();
        Interrupter::new(move || sockets.change(|plugging| plugging.interruptions += 1))
    }
}

#[cfg(test)]
mod tests {
    use device_api::Moment;

    use super::*;
    use crate::identity::{Identity, Way};

    fn device(address: u8) -> Found {
        Found {
            identity: Identity::default(),
            way: Way::Usb { bus: 1, address },
            interface: None,
        }
    }

    fn at_once() -> Deadline {
        Deadline::at(Moment::default())
    }

    #[test]
    fn what_comes_is_there_until_it_leaves_and_is_told_in_order() {
        let (sockets, mut watch) = Watch::in_memory();
        sockets.plug(device(1));
        sockets.plug(device(2));
        assert!(watch.present().is_empty());
        assert_eq!(watch.next(at_once()).unwrap(), Event::Arrived(device(1)));
        assert_eq!(watch.next(at_once()).unwrap(), Event::Arrived(device(2)));
        sockets.unplug(device(1));
        assert_eq!(watch.next(at_once()).unwrap(), Event::Left(device(1)));
        assert_eq!(watch.present(), [device(2)]);
        let nothing = watch.next(at_once());
        assert!(matches!(nothing, Err(LinkError::TimedOut)));
    }

    #[test]
    fn what_is_there_at_the_beginning_is_told_first() {
        let sockets = Sockets::default();
        let mut watch = Watch::over(Box::new(sockets.clone()), vec![device(1)]);
        sockets.plug(device(2));
        assert_eq!(watch.next(at_once()).unwrap(), Event::Arrived(device(1)));
        assert_eq!(watch.next(at_once()).unwrap(), Event::Arrived(device(2)));
    }

    #[test]
    fn each_interruption_ends_one_wait() {
        let (sockets, mut watch) = Watch::in_memory();
        watch.interrupter().interrupt();
        sockets.plug(device(1));
        let interrupted = watch.next(at_once());
        assert!(matches!(interrupted, Err(LinkError::Interrupted)));
        assert!(watch.next(at_once()).is_ok());
    }
}
