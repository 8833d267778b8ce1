//! When to stop: a deadline that passes, or a person who changes their mind.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use device_api::{Clock, Deadline};

use crate::board::Board;

/// How long a piece of work may go on.
///
/// Cheap to clone; all clones share one switch.
#[derive(Debug, Clone)]
pub struct Patience {
    clock: Arc<dyn Clock>,
    deadline: Deadline,
    stopped: Arc<AtomicBool>,
}

/// Why a piece of work must not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Somebody called [`Patience::stop`].
    Cancelled,
    /// The deadline has passed.
    Deadline,
}

impl Patience {
    /// Patience until `deadline` by `clock`, or until stopped.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, deadline: Deadline) -> Self {
        Self {
            clock,
            deadline,
            stopped: Arc::new(AtomicBool::new(false)),
        }
    }

    /// The same switch with an earlier deadline.
    #[must_use]
    pub fn no_later_than(&self, deadline: Deadline) -> Self {
        Self {
            deadline: self.deadline.min(deadline),
            ..self.clone()
        }
    }

    /// Ends the work at its next step, and wakes it if it waits on `board`.
    pub fn stop(&self, board: &Board) {
        self.stopped.store(true, Ordering::SeqCst);
        board.nudge();
    }

    /// Whether the work may go on.
    ///
    /// # Errors
    /// Says why it must stop.
    pub fn check(&self) -> Result<(), Stop> {
        if self.stopped.load(Ordering::SeqCst) {
            return Err(Stop::Cancelled);
        }
        match self.deadline.remaining(self.clock.now()) {
            Some(_) => Ok(()),
            None => Err(Stop::Deadline),
        }
    }

    /// The moment after which the work must have ended.
    #[must_use]
    pub const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// The clock that the deadline is measured by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}
