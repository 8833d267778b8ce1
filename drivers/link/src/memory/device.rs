//! The device's end of a pair.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Moment};

use super::state::{Shared, State, Waiting};
use crate::Frame;

/// The device's end: what the driver sent is seen here, and what the device does is said here.
///
/// Cheap to clone; all clones are one device.
#[derive(Debug, Clone)]
pub struct Device(pub(super) Arc<Shared>);

/// What becomes of a device in the middle of what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It leaves, as by a pulled plug.
    Vanish,
    /// It takes nothing more and says nothing more, until [`Device::resumes`].
    Hang,
}

impl Device {
    /// The clock of the pair: for deadlines, and for the driver under test.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        match &self.0.waiting {
            Waiting::Jump(clock) => Arc::new(clock.clone()),
            Waiting::Block(clock) => Arc::clone(clock),
        }
    }

    /// Sends bytes: what one `receive` gets; an input report where the device has reports.
    pub fn sends(&self, bytes: impl Into<Vec<u8>>) {
        self.sends_after(Duration::ZERO, bytes);
    }

    /// Sends bytes that arrive `delay` from now, and after all that was sent before.
    pub fn sends_after(&self, delay: Duration, bytes: impl Into<Vec<u8>>) {
        let due = self.0.clock().now().plus(delay);
        self.0.change(|state| state.enqueue(due, bytes.into()));
    }

    /// Cuts what it sends next to `length` bytes, where that is longer.
    pub fn truncates_next(&self, length: usize) {
        self.0.change(|state| state.truncate_next = Some(length));
    }

    /// Calls `answers` with every frame that the driver sends, and sends what it returns.
    pub fn answers(&self, answers: impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static) {
        self.0
            .change(|state| state.answers = Some(Box::new(answers)));
    }

    /// Answers requests for feature reports, by their id; `None` where it has no such report. The answer
    /// begins with the id.
    pub fn answers_features(&self, features: impl FnMut(u8) -> Option<Vec<u8>> + Send + 'static) {
        self.0
            .change(|state| state.features = Some(Box::new(features)));
    }

    /// Takes and gives nothing any more, as a device whose firmware hangs.
    pub fn hangs(&self) {
        self.0.change(|state| state.hanging = true);
    }

    /// Ends what [`Device::hangs`] began.
    pub fn resumes(&self) {
        self.0.change(|state| state.hanging = false);
    }

    /// Leaves, for ever. What had arrived before can still be received.
    pub fn vanishes(&self) {
        self.0.change(|state| {
            state.gone = true;
            state.hanging = false;
        });
    }

    /// Takes `bytes` more of what it is sent, and then meets its fate.
    pub fn meets_after(&self, bytes: usize, fate: Fate) {
        self.0.change(|state| state.fate = Some((bytes, fate)));
    }

    /// What the driver sent, frame by frame, since it was last taken with [`Device::take_sent`].
    #[must_use]
    pub fn sent(&self) -> Vec<Vec<u8>> {
        bytes_of(&self.0.state().sent)
    }

    /// What the driver sent, all in one, for streams in which frames have no meaning.
    #[must_use]
    pub fn sent_bytes(&self) -> Vec<u8> {
        self.sent().concat()
    }

    /// The frames that the driver sent, with their sensitivity.
    #[must_use]
    pub fn sent_frames(&self) -> Vec<Frame> {
        self.0.state().sent.clone()
    }

    /// Takes what the driver sent, and forgets it.
    #[must_use]
    pub fn take_sent(&self) -> Vec<Vec<u8>> {
        bytes_of(&std::mem::take(&mut self.0.state().sent))
    }

    /// The feature reports that the driver wrote, each with its id in front.
    #[must_use]
    pub fn features_set(&self) -> Vec<Vec<u8>> {
        bytes_of(&self.0.state().features_set)
    }
}

impl State {
    fn enqueue(&mut self, due: Moment, mut bytes: Vec<u8>) {
        if let Some(length) = self.truncate_next.take() {
            bytes.truncate(length);
        }
        let due = self
            .coming
            .back()
            .map_or(due, |(before, _)| due.max(*before));
        self.coming.push_back((due, bytes));
    }
}

fn bytes_of(frames: &[Frame]) -> Vec<Vec<u8>> {
    frames.iter().map(|frame| frame.bytes().to_vec()).collect()
}
