//! What the last beats said, so that freshness needs no clock but the monotonic one.
//!
//! A challenge counts for five minutes after the beat that carried it left.
//! Invariants: at most 128 are known; none outlives the process, so after a restart an order needs a new
//! one.

use std::collections::VecDeque;
use std::time::Duration;

use device_api::Moment;
use telemetry::message::presence::Challenge;

/// How long a challenge counts.
pub const FRESH: Duration = Duration::from_secs(300);
/// How many are known; beats come every few seconds at most.
const MOST: usize = 128;

/// The challenges of the last beats.
#[derive(Debug, Clone, Default)]
pub struct Challenges(VecDeque<(Moment, Challenge)>);

impl Challenges {
    /// Remembers a challenge that a beat carries.
    pub fn given(&mut self, challenge: Challenge, at: Moment) {
        while self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((at, challenge));
    }

    /// Whether a beat of the last five minutes carried it.
    #[must_use]
    pub fn is_fresh(&self, challenge: &Challenge, now: Moment) -> bool {
        self.0
            .iter()
            .any(|(at, known)| known == challenge && now.since(*at) < FRESH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_counts_for_five_minutes_and_not_for_ever_many() {
        let at = |seconds| Moment::after_origin(Duration::from_secs(seconds));
        let mut challenges = Challenges::default();
        challenges.given(Challenge::new([1; 16]), at(10));
        assert!(challenges.is_fresh(&Challenge::new([1; 16]), at(309)));
        assert!(!challenges.is_fresh(&Challenge::new([1; 16]), at(310)));
        assert!(!challenges.is_fresh(&Challenge::new([2; 16]), at(10)));
        for number in 0..=255 {
            challenges.given(Challenge::new([number; 16]), at(20));
        }
        assert_eq!(challenges.0.len(), MOST);
        assert!(!challenges.is_fresh(&Challenge::new([1; 16]), at(20)));
    }
}
