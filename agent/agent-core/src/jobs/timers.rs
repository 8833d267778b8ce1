//! What a job waits for, and until when.
//!
//! Invariant: a job that has not been forgotten always waits for something, so none stays for ever.

use device_api::Moment;

use super::{AtHost, Job, OWN_END_WITHIN, Phase};

/// What a job waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The host has not accepted it.
    Doubt,
    /// Its deadline.
    Deadline,
    /// The host's own end after the deadline did not come.
    Late,
    /// The host's end after a cancel did not come.
    Overdue,
    /// The screen that is waited for did not come back.
    ScreenLost,
    /// The record of its start is not written.
    IntentLate,
    /// The audit log does not answer.
    RecordLate,
    /// Nobody took the result.
    Erase,
    /// Long over.
    Forget,
}

impl<R> Job<R> {
    /// What it waits for next, and until when.
    pub(crate) fn next_due(&self) -> Option<(Moment, Due)> {
        match &self.phase {
            Phase::Queued => Some((self.deadline, Due::Deadline)),
            Phase::AtHost(at) => [
                at.doubt_at.map(|moment| (moment, Due::Doubt)),
                at.kill_at.map(|moment| (moment, Due::Overdue)),
                self.screen_due(),
                self.intent_due(at),
                at.ending.is_none().then(|| self.deadline_due(at)),
            ]
            .into_iter()
            .flatten()
            .min_by_key(|(moment, _)| *moment),
            Phase::Recording { until, .. } => Some((*until, Due::RecordLate)),
            Phase::Ended(ended) if ended.result.is_some() => Some((ended.erase_at, Due::Erase)),
            Phase::Ended(ended) => Some((ended.forget_at, Due::Forget)),
        }
    }

    /// With an unanswered question the deadline closes that first; the host then has a moment to end by
    /// itself.
    fn deadline_due(&self, at: &AtHost) -> (Moment, Due) {
        // Of an entry on the device the host has its answer; it ends that entry by itself.
        let asked = self.question.as_ref().is_some_and(|asked| !asked.entering);
        if (asked || at.parked.is_some()) && !at.timed_out {
            return (self.deadline, Due::Deadline);
        }
        (self.deadline.plus(OWN_END_WITHIN), Due::Late)
    }

    fn intent_due(&self, at: &AtHost) -> Option<(Moment, Due)> {
        let (_, until) = at.intent.filter(|_| at.ending.is_none())?;
        Some((until, Due::IntentLate))
    }

    fn screen_due(&self) -> Option<(Moment, Due)> {
        let kept_for = self.question.as_ref()?.kept_for.as_ref()?;
        Some((kept_for.1, Due::ScreenLost))
    }
}
