//! How often a message that changes nothing is answered.
//!
//! A broker, or whoever can publish, may send rubbish and old commands without end; each answer costs an
//! audit record and a signed report. Sixteen are answered at once, then one a minute; the others are counted.

use std::time::Duration;

use device_api::Moment;

/// Answers at once.
const AT_ONCE: u32 = 16;
/// Then one in each such span.
const SPAN: Duration = Duration::from_secs(60);

/// Answers that may still be given.
#[derive(Debug, Clone)]
pub(super) struct Replies {
    left: u32,
    since: Moment,
    silent: u64,
}

impl Default for Replies {
    fn default() -> Self {
        Self {
            left: AT_ONCE,
            since: Moment::default(),
            silent: 0,
        }
    }
}

impl Replies {
    /// Whether an answer may be given now; where not, it is counted.
    pub(super) fn allow(&mut self, now: Moment) -> bool {
        while self.left < AT_ONCE && now.since(self.since) >= SPAN {
            self.left += 1;
            self.since = self.since.plus(SPAN);
        }
        if self.left == AT_ONCE {
            self.since = now;
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        self.silent += u64::from(!allowed);
        allowed
    }

    /// The number of messages that went unanswered before this one, if this one may be answered.
    pub(super) fn next(&mut self, now: Moment) -> Option<u64> {
        self.allow(now).then(|| std::mem::take(&mut self.silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_answered_a_little_and_counted() {
        let at = |seconds| Moment::after_origin(Duration::from_secs(seconds));
        let mut replies = Replies::default();
        let answered = (0..100).filter(|_| replies.next(at(1_000)).is_some());
        assert_eq!(answered.count(), 16);
        assert_eq!(replies.next(at(1_059)), None);
        assert_eq!(replies.next(at(1_060)), Some(85));
        assert_eq!(replies.next(at(1_061)), None);
        assert_eq!(replies.next(at(9_000)), Some(1));
        assert!((0..15).all(|_| replies.next(at(9_000)) == Some(0)));
        assert_eq!(replies.next(at(9_000)), None);
    }
}
