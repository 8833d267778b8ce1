//! Which step comes next.
//!
//! ```text
//! receive(bytes) -> Audit, Report                     one change of the journal each,
//! due(now)       -> Audit, Report, Start              on the disk before the steps are given out
//! finished(id)   -> Audit, Report, Confirm
//! open()         -> what a crash left unsaid
//! ```
//! Steps are carried out in their order, each wholly before the next: so the audit record of a start is
//! written before its effect begins, and [`CommandKeeper::told`] is called when the reports before a
//! [`Step::Confirm`] are kept for sending. What a crash takes is given out again by [`CommandKeeper::open`]:
//! reports and audit records come at least once, effects at most once.
//! One effect runs at a time, the order whose time began first being the first; an order that waits is judged
//! anew before it begins.
//! Invariants: a [`Step::Start`] is given out at most once for an id, ever, and only after `running` is on
//! the disk; an error means that nothing has changed, and the call may be made again.
//! Messages that prove nothing cost neither disk nor, beyond one a minute, reports.

mod replies;

use device_api::Moment;
use telemetry::message::outcome::{CommandId, Progress};
use telemetry::message::presence::Challenge;
use telemetry::name::Digest;
use telemetry::topic::DownTopic;
use telemetry::{DeviceName, Message};

use crate::admission::{self, Judgement, Proved, Situation, TurnedAway};
use crate::authority::Authority;
use crate::bundle;
use crate::challenges::Challenges;
use crate::effects::{Failure, Outcome};
use crate::journal::{Entry, Fetched, Journal, JournalError, Record, State};
use crate::refusal::Refusal;
use crate::step::{self, Start, Step};
use crate::storage::Storage;
use replies::Replies;

/// So many orders may wait.
pub const MOST_WAITING: usize = 32;

/// Keeps an agent's commands.
#[derive(Debug)]
pub struct CommandKeeper {
    me: DeviceName,
    authority: Authority,
    challenges: Challenges,
    replies: Replies,
    journal: Journal,
}

impl CommandKeeper {
    /// Opens the journal; what was running ends as unknown, and what was not yet told is told again.
    ///
    /// # Errors
    /// Where the journal cannot be used; commands must not be carried out then.
    pub fn open(
        storage: Box<dyn Storage>,
        me: DeviceName,
        authority: Authority,
    ) -> Result<(Self, Vec<Step>), JournalError> {
        let mut journal = Journal::open(storage)?;
        let running = journal
            .entries()
            .filter(|entry| entry.state == State::Running);
        let unknown = running.map(|entry| changed(entry, State::Unknown));
        journal.write(unknown.collect())?;
        let untold = journal.entries().filter(|entry| !entry.told);
        let steps = untold.flat_map(step::of_entry).collect();
        let keeper = Self {
            me,
            authority,
            challenges: Challenges::default(),
            replies: Replies::default(),
            journal,
        };
        Ok((keeper, steps))
    }

    /// Takes a message; call [`Self::due`] next.
    ///
    /// A message of an order that is known has its state reported again.
    ///
    /// # Errors
    /// Where the order cannot be made durable; it is not known then.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        topic: &DownTopic,
        now: &Situation<'_>,
    ) -> Result<Vec<Step>, JournalError> {
        let proved = match admission::prove(bytes, topic, &self.me, &self.authority) {
            Ok(proved) => proved,
            Err(turned_away) => return Ok(self.turn_away(turned_away, now.moment)),
        };
        let order = proved.document.order();
        let of_message = |reason| TurnedAway {
            command: Some(order.id),
            reason,
        };
        match self.journal.entry(order.id) {
            Some(known) if known.document == proved.document => {
                let again = step::report(known);
                let allowed = self.replies.allow(now.moment);
                return Ok(allowed.then_some(again).into_iter().collect());
            }
            Some(_other) => {
                return Ok(self.turn_away(of_message(Refusal::AlreadyKnown), now.moment));
            }
            None => {}
        }
        if self.journal.is_used(&order.issuer, order.counter) {
            return Ok(self.turn_away(of_message(Refusal::CounterOld), now.moment));
        }
        let entry = self.admitted(proved, now);
        let mut records = self.journal.forgettable(now.unix_seconds, 1);
        records.push(Record::Command(Box::new(entry.clone())));
        self.journal.write(records)?;
        Ok(step::of_entry(&entry))
    }

    /// Begins what may begin, and refuses what may not begin any more.
    ///
    /// # Errors
    /// Where that cannot be made durable; nothing begins then.
    pub fn due(&mut self, now: &Situation<'_>) -> Result<Vec<Step>, JournalError> {
        let mut busy = self
            .journal
            .entries()
            .any(|entry| entry.state == State::Running);
        let mut waiting: Vec<&Entry> = self.waiting().collect();
        waiting.sort_by_key(|entry| (entry.order().not_before, entry.order().id));
        let mut changes = Vec::new();
        for entry in waiting {
            let order = entry.order();
            let (authority, challenges) = (&self.authority, &self.challenges);
            match admission::judge(order, &entry.approvers, authority, challenges, now) {
                Judgement::Begin if !busy => {
                    busy = true;
                    changes.push(with(entry, State::Running));
                }
                Judgement::Begin | Judgement::Wait => {}
                Judgement::Refuse(reason) => changes.push(with(entry, State::Refused(reason))),
            }
        }
        let mut records = self.journal.forgettable(now.unix_seconds, 0);
        records.extend(changes.iter().cloned().map(Box::new).map(Record::Command));
        self.journal.write(records)?;
        // What begins is the last step, so that no refusal waits for an effect.
        changes.sort_by_key(|entry| entry.state == State::Running);
        let steps = changes.iter().flat_map(|entry| {
            let start = Step::Start(Start {
                command: entry.order().id,
                verb: entry.order().verb.clone(),
            });
            let start = (entry.state == State::Running).then_some(start);
            step::of_entry(entry).into_iter().chain(start)
        });
        Ok(steps.collect())
    }

    /// Takes the outcome of an effect; call [`Self::due`] next.
    ///
    /// An outcome of what does not run says nothing.
    ///
    /// # Errors
    /// Where it cannot be made durable; call again then.
    pub fn finished(
        &mut self,
        command: CommandId,
        outcome: &Outcome,
    ) -> Result<Vec<Step>, JournalError> {
        let running = self.journal.entry(command);
        let Some(entry) = running.filter(|entry| entry.state == State::Running) else {
            return Ok(Vec::new());
        };
        let (state, parts) = match outcome {
            Outcome::Done => (State::Done(None), Vec::new()),
            Outcome::Failed(failure) => (State::Failed(*failure), Vec::new()),
            Outcome::Fetched(bundle) => match bundle.write() {
                Ok(bytes) => {
                    let parts = bundle::parts(command, &bytes);
                    let fetched = Fetched {
                        parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
                        digest: Digest::of(&bytes),
                    };
                    (State::Done(Some(fetched)), parts)
                }
                Err(_unwritable) => (State::Failed(Failure::Storage), Vec::new()),
            },
        };
        let entry = with(entry, state);
        let record = Record::Command(Box::new(entry.clone()));
        self.journal.write(vec![record])?;
        let parts = parts.into_iter().map(Message::Part).map(Box::new);
        let mut steps = step::of_entry(&entry);
        let confirm = steps.pop();
        steps.extend(parts.map(Step::Report));
        steps.extend(confirm);
        Ok(steps)
    }

    /// Takes note that the report of an order's final state is kept for sending.
    ///
    /// # Errors
    /// Where that cannot be made durable; the report is given out again then, after the next start.
    pub fn told(&mut self, command: CommandId) -> Result<(), JournalError> {
        let entry = self.journal.entry(command);
        let Some(entry) = entry.filter(|entry| entry.state.is_final() && !entry.told) else {
            return Ok(());
        };
        let told = Entry {
            told: true,
            ..entry.clone()
        };
        self.journal.write(vec![Record::Command(Box::new(told))])
    }

    /// Takes note of the challenge that a beat carries; call it before the beat leaves.
    pub fn beat(&mut self, challenge: Challenge, at: Moment) {
        self.challenges.given(challenge, at);
    }

    /// Takes another list of approvers; who is not on it any more is revoked.
    pub fn set_authority(&mut self, authority: Authority) {
        self.authority = authority;
    }

    /// When the next order that waits begins or expires, in seconds since 1970: a time for [`Self::due`].
    #[must_use]
    pub fn next_due(&self, unix_seconds: u64) -> Option<u64> {
        let times = self.waiting().flat_map(|entry| {
            let order = entry.order();
            [order.not_before, order.expires]
        });
        times.filter(|time| *time > unix_seconds).min()
    }

    /// How far an order has come.
    #[must_use]
    pub fn progress(&self, command: CommandId) -> Option<Progress> {
        self.journal
            .entry(command)
            .map(|entry| step::progress(&entry.state))
    }

    fn waiting(&self) -> impl Iterator<Item = &Entry> {
        self.journal
            .entries()
            .filter(|entry| entry.state == State::Accepted)
    }

    fn admitted(&self, proved: Proved, now: &Situation<'_>) -> Entry {
        let order = proved.document.order();
        let admitted = admission::admit(order, &self.challenges, now);
        let state = match admitted {
            Ok(()) if self.waiting().count() >= MOST_WAITING => State::Refused(Refusal::TooMany),
            Ok(()) => State::Accepted,
            Err(refusal) => State::Refused(refusal),
        };
        Entry {
            document: proved.document,
            approvers: proved.approvers,
            state,
            told: false,
        }
    }

    fn turn_away(&mut self, turned_away: TurnedAway, at: Moment) -> Vec<Step> {
        let others = self.replies.next(at);
        others.map_or_else(Vec::new, |others| step::of_message(turned_away, others))
    }
}

fn with(entry: &Entry, state: State) -> Entry {
    Entry {
        state,
        told: false,
        ..entry.clone()
    }
}

fn changed(entry: &Entry, state: State) -> Record {
    Record::Command(Box::new(with(entry, state)))
}

#[cfg(test)]
mod tests;
