//! When to stop: a deadline that passes, or a person who changes their mind.
//!
//! Invariant: whoever waits inside a piece of work is woken when it is stopped, and only then.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Clock, Deadline};

/// How long a piece of work may go on.
///
/// Cheap to clone; all clones share one switch.
#[derive(Debug, Clone)]
pub struct Patience {
    clock: Arc<dyn Clock>,
    deadline: Deadline,
    switch: Arc<Switch>,
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
            switch: Arc::default(),
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

    /// Ends the work at its next step, and wakes it where it waits.
    pub fn stop(&self) {
        let wakers = {
            let mut state = self.switch.state();
            state.stopped = true;
            state.wakers.clone()
        };
        // Called without the lock, so that a waker may ask whether the work was stopped.
        for (_, wake) in wakers {
            wake();
        }
    }

    /// Has `wake` called when the work is stopped, for as long as the guard lives; at once where it is
    /// stopped already. `wake` must not block.
    #[must_use]
    pub fn when_stopped(&self, wake: impl Fn() + Send + Sync + 'static) -> WhenStopped {
        let wake: Waker = Arc::new(wake);
        let mut state = self.switch.state();
        let number = state.next;
        state.next += 1;
        state.wakers.push((number, Arc::clone(&wake)));
        let stopped = state.stopped;
        drop(state);
        if stopped {
            wake();
        }
        WhenStopped {
            switch: Arc::clone(&self.switch),
            number,
        }
    }

    /// Whether the work may go on.
    ///
    /// # Errors
    /// Says why it must stop.
    pub fn check(&self) -> Result<(), Stop> {
        if self.switch.state().stopped {
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

/// Keeps a waker registered; see [`Patience::when_stopped`].
#[derive(Debug)]
pub struct WhenStopped {
    switch: Arc<Switch>,
    number: u64,
}

impl Drop for WhenStopped {
    fn drop(&mut self) {
        let mut state = self.switch.state();
        state.wakers.retain(|(number, _)| *number != self.number);
    }
}

type Waker = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Switch(Mutex<State>);

#[derive(Default)]
struct State {
    stopped: bool,
    next: u64,
    wakers: Vec<(u64, Waker)>,
}

impl Switch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Switch")
            .field("stopped", &state.stopped)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::{Moment, SystemClock};

    fn patience() -> Patience {
        let deadline = Deadline::at(Moment::after_origin(Duration::from_secs(3600)));
        Patience::new(Arc::new(SystemClock::new()), deadline)
    }

    fn counting(patience: &Patience, count: &Arc<AtomicU32>) -> WhenStopped {
        let count = Arc::clone(count);
        patience.when_stopped(move || {
            count.fetch_add(1, Ordering::SeqCst);
        })
    }

    #[test]
    fn whoever_waits_is_woken_whether_the_stop_comes_before_or_after() {
        let (patience, count) = (patience(), Arc::default());
        let _early = counting(&patience, &count);
        patience.clone().stop();
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let _late = counting(&patience, &count);
        assert_eq!(count.load(Ordering::SeqCst), 2);
        assert_eq!(patience.check(), Err(Stop::Cancelled));
    }

    #[test]
    fn who_has_gone_on_is_not_woken() {
        let (patience, count) = (patience(), Arc::default());
        drop(counting(&patience, &count));
        patience.stop();
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_deadline_that_has_passed_ends_the_work() {
        let late = patience().no_later_than(Deadline::at(Moment::default()));
        assert_eq!(late.check(), Err(Stop::Deadline));
    }
}
