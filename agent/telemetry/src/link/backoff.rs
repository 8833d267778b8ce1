//! How long to wait before the next attempt to connect.
//!
//! Decorrelated jitter (Marc Brooker, "Exponential Backoff And Jitter", 2015): each wait is drawn between the
//! base and three times the wait before, and never exceeds the cap.
//! A thousand counters that lose their broker at the same moment thus do not come back at the same moment.

use std::time::Duration;

/// Between which bounds the waits lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffLimits {
    /// The shortest wait, and the first one.
    pub base: Duration,
    /// The longest wait.
    pub cap: Duration,
}

impl Default for BackoffLimits {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(5 * 60),
        }
    }
}

/// The waits of one connection that fails again and again.
#[derive(Debug, Clone)]
pub struct Backoff {
    limits: BackoffLimits,
    last: Duration,
}

impl Backoff {
    /// Begins with the shortest wait.
    #[must_use]
    pub const fn new(limits: BackoffLimits) -> Self {
        Self {
            limits,
            last: limits.base,
        }
    }

    /// The next wait, from 64 random bits.
    pub fn next(&mut self, random: impl FnOnce() -> u64) -> Duration {
        let base = self.limits.base.min(self.limits.cap);
        let upper = self.last.saturating_mul(3).min(self.limits.cap).max(base);
        self.last = base.saturating_add(fraction(upper.saturating_sub(base), random()));
        self.last
    }

    /// Begins anew, because a connection held.
    ///
    /// Call it when a connection has been ready for a while, not when it becomes ready: a broker that accepts
    /// and closes at once would otherwise be asked once a second for ever.
    pub const fn reset(&mut self) {
        self.last = self.limits.base;
    }
}

/// `span` times `random` / 2^64.
fn fraction(span: Duration, random: u64) -> Duration {
    let nanos = span.as_nanos().min(u128::from(u64::MAX));
    let part = (nanos * u128::from(random)) >> 64;
    Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_draws_grow_threefold_until_the_cap() {
        let mut backoff = Backoff::new(BackoffLimits::default());
        let waits: Vec<u128> = (0..7)
            .map(|_| backoff.next(|| u64::MAX).as_nanos().div_ceil(1_000_000_000))
            .collect();
        assert_eq!(waits, [3, 9, 27, 81, 243, 300, 300]);
    }

    #[test]
    fn the_smallest_draw_is_the_base() {
        let mut backoff = Backoff::new(BackoffLimits::default());
        for _ in 0..5 {
            backoff.next(|| u64::MAX);
        }
        assert_eq!(backoff.next(|| 0), Duration::from_secs(1));
    }

    #[test]
    fn a_connection_that_held_begins_anew() {
        let mut backoff = Backoff::new(BackoffLimits::default());
        for _ in 0..5 {
            backoff.next(|| u64::MAX);
        }
        backoff.reset();
        assert!(backoff.next(|| u64::MAX) <= Duration::from_secs(3));
    }

    proptest! {
        #[test]
        fn every_wait_is_between_base_and_cap(
            base in 0_u64..10_000, cap in 0_u64..1_000_000, draws in prop::collection::vec(any::<u64>(), 0..50),
        ) {
            let limits = BackoffLimits {
                base: Duration::from_millis(base),
                cap: Duration::from_millis(cap),
            };
            let mut backoff = Backoff::new(limits);
            for draw in draws {
                let wait = backoff.next(|| draw);
                prop_assert!(wait <= limits.cap);
                prop_assert!(wait >= limits.base.min(limits.cap));
            }
        }
    }
}
