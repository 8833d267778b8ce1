//! A clock that is moved by hand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use device_api::{Clock, Moment};

/// A clock that stands still until it is moved; all clones are one clock.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<Mutex<Moment>>);

impl ManualClock {
    /// A clock at its origin.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock on.
    pub fn advance(&self, span: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.plus(span);
    }

    /// Moves the clock to `moment`, unless it is later already.
    pub fn advance_to(&self, moment: Moment) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = moment.max(*now);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unix_millis(&self) -> u64 {
        u64::try_from(self.now().since_origin().as_millis()).unwrap_or(u64::MAX)
    }
}
