//! How long a device's thread may stay in one call, decided without looking at a clock.
//!
//! | call | given up | told |
//! |---|---|---|
//! | connecting, waiting for our turn | when the job is cancelled or its deadline passes | `JOB-CANCELLED`, `RDR-BUSY` |
//! | an exchange without secret, powering off | after the limit, or soon after the deadline | `RDR-HUNG` |
//! | an exchange with a secret | the same | `PIN-UNKNOWN` |
//! | a person typing on the reader | after the limit, or soon after the deadline | `PIN-UNKNOWN` |
//! | none | well after the deadline, by which it should have ended by itself | `JOB-DEADLINE` |

use std::time::Duration;

use device_api::{FaultCode, Moment};
use smartcard::Call;

/// How long calls may last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// One exchange. A card signs within 1.5 seconds; the longest frame waiting time is 5 seconds.
    pub(crate) exchange: Duration,
    /// A person who types on the reader, which gives up by itself half a minute after the last key; a
    /// cancellation has to wait for that.
    pub(crate) typing: Duration,
    /// What an exchange that is under way at the deadline is still given.
    pub(crate) after_deadline: Duration,
    /// What a thread that is in no call is given to notice the deadline.
    pub(crate) to_notice: Duration,
}

impl Limits {
    pub(crate) const STANDARD: Self = Self {
        exchange: Duration::from_secs(5),
        typing: Duration::from_secs(60),
        after_deadline: Duration::from_millis(500),
        to_notice: Duration::from_secs(2),
    };

    /// What to do about a thread that has been in `call`.
    pub(crate) fn judge(
        &self,
        call: Option<(Call, Moment)>,
        deadline: Moment,
        cancelled: bool,
        now: Moment,
    ) -> Judgement {
        let (until, code) = match call {
            Some((Call::Connecting | Call::TakingTurn, _)) if cancelled => {
                (now, FaultCode::JobCancelled)
            }
            Some((Call::Connecting | Call::TakingTurn, _)) => (deadline, FaultCode::ReaderBusy),
            Some((Call::ExchangingSecret, since)) => (
                self.end_of(self.exchange, since, deadline),
                FaultCode::PinUnknown,
            ),
            Some((Call::Typing, since)) => (
                self.end_of(self.typing, since, deadline),
                FaultCode::PinUnknown,
            ),
            Some((Call::Exchanging | Call::Disconnecting, since)) => (
                self.end_of(self.exchange, since, deadline),
                FaultCode::ReaderHung,
            ),
            None => {
                let until = deadline.plus(self.to_notice);
                if now >= until {
                    return Judgement::GiveUp(FaultCode::JobDeadline);
                }
                // A call may begin right now, and must not outlast its limit or the deadline unseen.
                let soonest = if now < deadline { deadline } else { until };
                return Judgement::LookAgain(soonest.min(now.plus(self.exchange)));
            }
        };
        if now >= until {
            Judgement::GiveUp(code)
        } else {
            Judgement::LookAgain(until)
        }
    }

    fn end_of(&self, limit: Duration, since: Moment, deadline: Moment) -> Moment {
        // An exchange that begins just before the deadline is given the same moment as any other.
        let allowed = deadline
            .plus(self.after_deadline)
            .max(since.plus(self.after_deadline));
        since.plus(limit).min(allowed)
    }
}

/// What to do about a device's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Nothing before this moment.
    LookAgain(Moment),
    /// End its job without it.
    GiveUp(FaultCode),
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(millis))
    }

    fn judge(call: Option<(Call, Moment)>, cancelled: bool, now: Moment) -> Judgement {
        Limits::STANDARD.judge(call, at(60_000), cancelled, now)
    }

    #[test]
    fn an_exchange_is_given_up_after_its_limit() {
        let call = Some((Call::Exchanging, at(1_000)));
        assert_eq!(
            judge(call, false, at(5_999)),
            Judgement::LookAgain(at(6_000))
        );
        assert_eq!(
            judge(call, false, at(6_000)),
            Judgement::GiveUp(FaultCode::ReaderHung)
        );
    }

    #[test]
    fn a_secret_whose_exchange_hangs_has_an_unknown_outcome() {
        let call = Some((Call::ExchangingSecret, at(1_000)));
        assert_eq!(
            judge(call, true, at(6_000)),
            Judgement::GiveUp(FaultCode::PinUnknown)
        );
    }

    #[test]
    fn a_person_who_types_is_given_time_even_after_a_cancellation() {
        let call = Some((Call::Typing, at(1_000)));
        assert_eq!(
            judge(call, true, at(40_000)),
            Judgement::LookAgain(at(60_500))
        );
        assert_eq!(
            judge(call, false, at(60_500)),
            Judgement::GiveUp(FaultCode::PinUnknown)
        );
    }

    #[test]
    fn an_exchange_under_way_at_the_deadline_is_given_a_moment_more() {
        let call = Some((Call::Exchanging, at(59_990)));
        assert_eq!(
            judge(call, false, at(60_499)),
            Judgement::LookAgain(at(60_500))
        );
        assert_eq!(
            judge(call, false, at(60_500)),
            Judgement::GiveUp(FaultCode::ReaderHung)
        );
    }

    #[test]
    fn waiting_for_another_program_ends_with_the_deadline_or_a_cancellation() {
        let call = Some((Call::TakingTurn, at(0)));
        assert_eq!(
            judge(call, false, at(30_000)),
            Judgement::LookAgain(at(60_000))
        );
        assert_eq!(
            judge(call, false, at(60_000)),
            Judgement::GiveUp(FaultCode::ReaderBusy)
        );
        assert_eq!(
            judge(call, true, at(30_000)),
            Judgement::GiveUp(FaultCode::JobCancelled)
        );
    }

    #[test]
    fn a_thread_in_no_call_is_looked_at_before_a_call_could_outlast_its_limit() {
        assert_eq!(
            judge(None, false, at(1_000)),
            Judgement::LookAgain(at(6_000))
        );
        assert_eq!(
            judge(None, false, at(59_000)),
            Judgement::LookAgain(at(60_000))
        );
        assert_eq!(
            judge(None, false, at(60_000)),
            Judgement::LookAgain(at(62_000))
        );
        assert_eq!(
            judge(None, false, at(62_000)),
            Judgement::GiveUp(FaultCode::JobDeadline)
        );
    }
}
