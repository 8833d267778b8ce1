//! A link that plays a recording: it answers as the device did, and fails where the driver does something
//! else than was recorded.
//!
//! It takes no time: its clock stands where the recording stands.
//! At the first departure it is gone, and [`Replay::departure`] says where and why.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use device_api::{Clock, Deadline, Moment};

use crate::memory::ManualClock;
use crate::recording::{Entry, Way};
use crate::{Frame, Interrupter, Link, LinkError, ReportLink};

/// A device that answers as it was recorded.
#[derive(Debug)]
pub struct Replay {
    entries: VecDeque<Entry>,
    played: usize,
    descriptor: Vec<u8>,
    supplied: BTreeMap<usize, Frame>,
    departure: Option<Departure>,
    clock: ManualClock,
    interruptions: Arc<AtomicU32>,
}

/// Where and why a driver did something else than was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The number of the entry, from 1; one more than there are where the recording had ended.
    pub entry: usize,
    /// Why.
    pub why: &'static str,
}

impl Replay {
    /// Plays `entries`; see [`crate::recording::read`].
    #[must_use]
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut replay = Self {
            entries: entries.into_iter().collect(),
            played: 0,
            descriptor: Vec::new(),
            supplied: BTreeMap::new(),
            departure: None,
            clock: ManualClock::new(),
            interruptions: Arc::default(),
        };
        if let Some(entry) = replay
            .entries
            .pop_front_if(|entry| entry.way == Way::Descriptor)
        {
            replay.played = 1;
            replay.descriptor = entry
                .content()
                .map_or_else(Vec::new, |bytes| bytes.to_vec());
        }
        replay
    }

    /// Supplies the bytes of entry `number` (from 1), which were too personal to be written down.
    #[must_use]
    pub fn supplying(mut self, number: usize, bytes: impl Into<Vec<u8>>) -> Self {
        self.supplied.insert(number, Frame::personal(bytes));
        self
    }

    /// The clock of the recording: for deadlines, and for the driver.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    /// Where the driver did something else, if it did.
    #[must_use]
    pub const fn departure(&self) -> Option<&Departure> {
        self.departure.as_ref()
    }

    /// Whether everything was played.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.entries.is_empty() && self.departure.is_none()
    }

    /// The next entry, which must be of `way`.
    fn next(&mut self, way: Way) -> Result<Entry, LinkError> {
        if self.departure.is_some() {
            return Err(LinkError::Gone);
        }
        let Some(entry) = self.entries.pop_front() else {
            return self.depart("the recording has ended");
        };
        self.played += 1;
        if entry.way != way {
            return self.depart("something else was done here");
        }
        let at = Moment::after_origin(Duration::from_micros(entry.at));
        self.clock.advance_to(at);
        Ok(entry)
    }

    fn depart<T>(&mut self, why: &'static str) -> Result<T, LinkError> {
        let ended = usize::from(self.entries.is_empty() && why == "the recording has ended");
        self.departure = Some(Departure {
            entry: self.played + ended,
            why,
        });
        Err(LinkError::Gone)
    }

    fn sent(&mut self, way: Way, frame: &Frame) -> Result<(), LinkError> {
        let entry = self.next(way)?;
        if entry.length != frame.bytes().len() {
            return self.depart("another length was sent here");
        }
        if entry
            .content()
            .is_some_and(|bytes| bytes.as_slice() != frame.bytes())
        {
            return self.depart("other bytes were sent here");
        }
        entry.failure.map_or(Ok(()), |failure| Err(failure.again()))
    }

    fn received(&mut self, entry: &Entry) -> Result<Frame, LinkError> {
        if let Some(failure) = entry.failure {
            return Err(failure.again());
        }
        let supplied = self.supplied.remove(&self.played);
        let recorded = || {
            entry
                .content()
                .map(|bytes| Frame::personal(bytes.as_slice()))
        };
        match supplied.or_else(recorded) {
            Some(frame) => Ok(frame),
            None => self.depart("these bytes were not written down, and not supplied"),
        }
    }
}

impl Link for Replay {
    fn send(&mut self, frame: &Frame, _: Deadline) -> Result<(), LinkError> {
        self.sent(Way::Out, frame)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let pending = |count: u32| count.checked_sub(1);
        let interrupted =
            self.interruptions
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, pending);
        if interrupted.is_ok() {
            return Err(LinkError::Interrupted);
        }
        let entry = self.next(Way::In)?;
        let received = self.received(&entry);
        if matches!(received, Err(LinkError::TimedOut)) {
            // The driver's own deadline, which may be another than the recorded one was.
            self.clock.advance_to(deadline.moment());
        }
        received
    }

    fn interrupter(&self) -> Interrupter {
        let interruptions = Arc::clone(&self.interruptions);
        Interrupter::new(move || {
            interruptions.fetch_add(1, Ordering::AcqRel);
        })
    }
}

impl ReportLink for Replay {
    fn descriptor(&self) -> &[u8] {
        &self.descriptor
    }

    fn feature(&mut self, report: u8, _: Deadline) -> Result<Frame, LinkError> {
        let entry = self.next(Way::FeatureIn)?;
        if entry.report != Some(report) {
            return self.depart("another feature report was asked for here");
        }
        self.received(&entry)
    }

    fn set_feature(&mut self, frame: &Frame, _: Deadline) -> Result<(), LinkError> {
        self.sent(Way::FeatureOut, frame)
    }
}

#[cfg(test)]
mod tests;
