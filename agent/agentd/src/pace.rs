//! How many log lines one peer can cause.
//!
//! Whatever a peer can trigger at will is logged at most so often each second, and the next line that
//! passes tells how many did not.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use device_api::Moment;

/// Lines that pass each second.
pub const LINES_PER_SECOND: u32 = 20;

/// Lets a number of lines through each second and counts the others.
#[derive(Debug, Default)]
pub struct Pace(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    began: Moment,
    passed: u32,
    dropped: u32,
}

impl Pace {
    /// Where a line may pass at `now`: how many were dropped before it.
    pub fn admit(&self, now: Moment) -> Option<u32> {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(second.began) >= Duration::from_secs(1) {
            (second.began, second.passed) = (now, 0);
        }
        if second.passed == LINES_PER_SECOND {
            second.dropped += 1;
            return None;
        }
        second.passed += 1;
        Some(std::mem::take(&mut second.dropped))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use device_api::Moment;

    use super::{LINES_PER_SECOND, Pace};

    #[test]
    fn a_talkative_peer_is_counted_and_not_repeated() {
        let start = Moment::default();
        let pace = Pace::default();
        let passed = (0..100).filter(|_n| pace.admit(start).is_some()).count();
        assert_eq!(passed, LINES_PER_SECOND as usize);
        assert_eq!(pace.admit(start.plus(Duration::from_secs(1))), Some(80));
    }
}
