//! What both ends of a pair share.
//!
//! Invariant: whatever changes it notifies all who wait.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use device_api::{Clock, Deadline, Moment};

use super::clock::ManualClock;
use super::device::Fate;
use crate::{Frame, Interrupter, LinkError};

/// What a `receive` does while nothing is there.
#[derive(Debug)]
pub(super) enum Waiting {
    /// Moves this clock to what comes first, and never blocks.
    Jump(ManualClock),
    /// Blocks by this clock.
    Block(Arc<dyn Clock>),
}

type Answers = Box<dyn FnMut(&[u8]) -> Vec<Vec<u8>> + Send>;
type Features = Box<dyn FnMut(u8) -> Option<Vec<u8>> + Send>;

#[derive(Default)]
pub(super) struct State {
    /// What the device has sent, and when it arrives.
    pub(super) coming: VecDeque<(Moment, Vec<u8>)>,
    pub(super) sent: Vec<Frame>,
    pub(super) features_set: Vec<Frame>,
    pub(super) answers: Option<Answers>,
    pub(super) features: Option<Features>,
    pub(super) gone: bool,
    pub(super) hanging: bool,
    pub(super) truncate_next: Option<usize>,
    pub(super) fate: Option<(usize, Fate)>,
    interruptions: u32,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("coming", &self.coming.len())
            .field("sent", &self.sent)
            .field("gone", &self.gone)
            .field("hanging", &self.hanging)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) waiting: Waiting,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub(super) fn new(waiting: Waiting) -> Arc<Self> {
        Arc::new(Self {
            waiting,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        match &self.waiting {
            Waiting::Jump(clock) => clock,
            Waiting::Block(clock) => clock.as_ref(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes whoever waits.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.changed.notify_all();
        changed
    }

    pub(super) fn interrupter(self: &Arc<Self>) -> Interrupter {
        let shared = Arc::clone(self);
        Interrupter::new(move || {
            shared.change(|state| state.interruptions = state.interruptions.saturating_add(1));
        })
    }

    pub(super) fn receive(&self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.until(deadline, |state, now| {
            if state.interruptions > 0 {
                state.interruptions -= 1;
                return Found::Done(Err(LinkError::Interrupted));
            }
            match state.coming.front() {
                Some(_) if state.hanging => Found::Nothing,
                Some((due, _)) if *due > now => Found::At(*due),
                Some(_) => {
                    let bytes = state.coming.pop_front().map(|(_, bytes)| bytes);
                    Found::Done(Ok(Frame::personal(bytes.unwrap_or_default())))
                }
                // What had arrived before it left is still received, as by a kernel's queue.
                None if state.gone => Found::Done(Err(LinkError::Gone)),
                None => Found::Nothing,
            }
        })
    }

    pub(super) fn send(&self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.usable(deadline)?;
        self.take(frame)?;
        // Without the lock, so that what answers may use the device's end.
        let answers = self.state().answers.take();
        let Some(mut answers) = answers else {
            return Ok(());
        };
        let answered = answers(frame.bytes());
        let now = self.clock().now();
        self.change(|state| {
            // Unless what answered has put another in its place.
            if state.answers.is_none() {
                state.answers = Some(answers);
            }
            state
                .coming
                .extend(answered.into_iter().map(|bytes| (now, bytes)));
        });
        Ok(())
    }

    /// Waits until the device takes and gives, which is at once unless it hangs.
    pub(super) fn usable(&self, deadline: Deadline) -> Result<(), LinkError> {
        self.until(deadline, |state, _| {
            if state.gone {
                Found::Done(Err(LinkError::Gone))
            } else if state.hanging {
                Found::Nothing
            } else {
                Found::Done(Ok(()))
            }
        })
    }

    /// The device takes as much of a frame as its fate lets it.
    fn take(&self, frame: &Frame) -> Result<(), LinkError> {
        self.change(|state| {
            let Some((left, fate)) = &mut state.fate else {
                state.sent.push(frame.clone());
                return Ok(());
            };
            let length = frame.bytes().len();
            if let Some(after) = left.checked_sub(length) {
                *left = after;
                state.sent.push(frame.clone());
                return Ok(());
            }
            let taken = frame.bytes().get(..*left).unwrap_or_default();
            let (taken, fate) = (frame.with_bytes(taken), *fate);
            state.sent.push(taken);
            state.fate = None;
            match fate {
                Fate::Vanish => state.gone = true,
                Fate::Hang => state.hanging = true,
            }
            Err(match fate {
                Fate::Vanish => LinkError::Gone,
                Fate::Hang => LinkError::TimedOut,
            })
        })
    }

    /// Looks again at every change until `look` is done or the deadline has passed.
    fn until<T>(
        &self,
        deadline: Deadline,
        mut look: impl FnMut(&mut State, Moment) -> Found<Result<T, LinkError>>,
    ) -> Result<T, LinkError> {
        let mut state = self.state();
        loop {
            let now = self.clock().now();
            let next = match look(&mut state, now) {
                Found::Done(result) => return result,
                Found::At(moment) => Deadline::at(moment).min(deadline),
                Found::Nothing => deadline,
            };
            let Some(left) = next.remaining(now) else {
                return Err(LinkError::TimedOut);
            };
            match &self.waiting {
                Waiting::Jump(clock) => clock.advance_to(next.moment()),
                Waiting::Block(_) => {
                    let waited = self.changed.wait_timeout(state, left);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

/// What a look found.
enum Found<T> {
    /// That is it.
    Done(T),
    /// Something will be there at this moment.
    At(Moment),
    /// Nothing, until something changes.
    Nothing,
}
