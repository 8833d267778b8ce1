//! Time as a value that is passed in.
//!
//! Code that decides takes a [`Moment`]; code that waits takes a [`Deadline`]; only a composition root
//! owns a [`SystemClock`].
//! Tests pass a clock that they move by hand, so no test sleeps.

use std::time::{Duration, Instant, SystemTime};

/// A point of monotonic time, counted from an origin that the clock chose.
///
/// Moments of two clocks must not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// The moment that lies `since_origin` after the clock's origin.
    #[must_use]
    pub const fn after_origin(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// Time since the clock's origin.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// Time from `earlier` to this moment; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `span` later; the far future instead of an overflow.
    #[must_use]
    pub const fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

/// The moment after which an operation must have ended, one way or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Moment);

impl Deadline {
    /// A deadline at `moment`.
    #[must_use]
    pub const fn at(moment: Moment) -> Self {
        Self(moment)
    }

    /// The moment at which the deadline falls.
    #[must_use]
    pub const fn moment(self) -> Moment {
        self.0
    }

    /// What is left at `now`, or `None` when the deadline has passed.
    #[must_use]
    pub fn remaining(self, now: Moment) -> Option<Duration> {
        (now < self.0).then(|| self.0.since(now))
    }
}

/// Where time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Monotonic time: never goes back, unaffected by the wall clock being set.
    fn now(&self) -> Moment;

    /// Wall-clock time in milliseconds since 1970-01-01T00:00:00Z, for records that people read.
    fn unix_millis(&self) -> u64;
}

/// The machine's own clock. The one place of the product that reads ambient time.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose origin is now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment(self.origin.elapsed())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn unix_millis(&self) -> u64 {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()
            .and_then(|since| u64::try_from(since.as_millis()).ok())
            .unwrap_or(0)
    }
}
