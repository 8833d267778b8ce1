//! A state that a handle and threads share, and waiting for it to change.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A state under a lock, with a bell.
#[derive(Debug, Default)]
pub(crate) struct Shared<S> {
    state: Mutex<S>,
    changed: Condvar,
}

impl<S> Shared<S> {
    pub(crate) const fn new(state: S) -> Self {
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// A panic in another thread leaves the state usable: every change is whole at each step.
    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and rings the bell.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        let outcome = change(&mut self.lock());
        self.changed.notify_all();
        outcome
    }

    /// Waits while `condition` holds.
    pub(crate) fn wait_while(&self, condition: impl Fn(&S) -> bool) -> MutexGuard<'_, S> {
        self.changed
            .wait_while(self.lock(), |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while `condition` holds, for `patience` at most.
    pub(crate) fn wait_while_for(
        &self,
        patience: Duration,
        condition: impl Fn(&S) -> bool,
    ) -> MutexGuard<'_, S> {
        self.changed
            .wait_timeout_while(self.lock(), patience, |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}
