//! Questions to people and their answers.
//!
//! Invariants: a question is shown on one screen at a time; a secret is taken from that screen only, for
//! exactly the job and question that it shows; it goes to the host once; with one try left it does not
//! go at all before somebody with the right has allowed it; nobody is asked before the record of the
//! job's start is written. Leave to type it on the device is given under the same conditions, and its
//! question stays open until the host speaks again.

use std::time::Duration;

use device_api::{FaultCode, Moment, Secret};

use super::Core;
use super::job_calls::is_digits;
use crate::access::Owner;
use crate::chance;
use crate::effect::{Closed, Effect, HostAnswer, HostCommand, ScreenTell};
use crate::event::{ScreenSays, SecretKind};
use crate::ids::{HostRun, JobId, ScreenId, ScreenLink};
use crate::jobs::{Job, Question};
use crate::screens::Registered;
use crate::task::QuestionKind;

/// Time for which a question waits for the screen that showed it, before another screen gets it.
const SCREEN_GRACE: Duration = Duration::from_secs(3);

impl<R> Core<R> {
    /// A host needs something from a person.
    pub(super) fn asked(
        &mut self,
        run: HostRun,
        work: u64,
        (ask, secret, tries_left): (u32, SecretKind, u8),
        now: Moment,
    ) {
        let Some(id) = self.job_at(run, work, now) else {
            return;
        };
        self.heard_of(&id);
        let Some(job) = self.jobs.find(&id) else {
            return;
        };
        let Some(at) = job.work() else { return };
        if at.ending.is_some() {
            return;
        }
        if at.timed_out {
            let answer = HostAnswer::TimedOut;
            self.out.push(Effect::SendToHost {
                run,
                command: HostCommand::Answer { work, ask, answer },
            });
            return;
        }
        let kind = job.question_kind(secret);
        let open = job.question.is_some() || at.parked.is_some();
        if open || ask <= job.last_ask || kind.is_none() {
            self.want_end(&id, FaultCode::HostUnusable, now);
            self.out_of_turn(run, now);
            return;
        }
        if tries_left == 0 {
            self.want_end(&id, FaultCode::PinBlocked, now);
            return;
        }
        // Asking again after an answer means that the answer was wrong.
        self.tell_wrong(&id);
        if let Some(job) = self.jobs.find_mut(&id) {
            job.last_ask = ask;
            let question = kind.map(|kind| Question {
                ask,
                kind,
                secret,
                tries_left,
                last_try_allowed: false,
                entering: false,
                shown_on: None,
                kept_for: None,
            });
            // A try must not be spent of which no record tells.
            match job.work_mut() {
                Some(at) if at.intent.is_some() => at.parked = question,
                Some(_) | None => job.question = question,
            }
        }
        self.permit_entry(&id);
        self.publish_job(&id);
    }

    /// Gives the host leave to have the PIN typed on the device, where that is what it asks for. Nobody
    /// has to answer that, except where it could spend the last try.
    pub(super) fn permit_entry(&mut self, id: &JobId) {
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        let asked = job.question.as_mut().filter(|question| {
            question.kind == QuestionKind::PinOnDevice && !question.locked() && !question.entering
        });
        let Some(question) = asked else { return };
        question.entering = true;
        let (ask, last_try_allowed) = (question.ask, question.last_try_allowed);
        let Some(at) = job.work_mut() else { return };
        // From here on the citizen may type at any moment, and a try be spent that nobody tells of.
        at.secret_out = true;
        let (run, work) = (at.run, at.work);
        job.secrets_used = job.secrets_used.saturating_add(1);
        let answer = HostAnswer::EnterOnDevice { last_try_allowed };
        let command = HostCommand::Answer { work, ask, answer };
        self.out.push(Effect::SendToHost { run, command });
    }

    /// Hands a secret to the host. The caller has checked where it comes from and that it may go.
    pub(super) fn hand_over(&mut self, id: &JobId, value: Secret, typed_on: Option<ScreenLink>) {
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        let Some(question) = job.question.take() else {
            return;
        };
        let Some(at) = job.work_mut() else { return };
        at.secret_out = true;
        let (run, work) = (at.run, at.work);
        job.secrets_used = job.secrets_used.saturating_add(1);
        job.typed_on = typed_on;
        let answer = HostAnswer::Secret {
            value,
            last_try_allowed: question.last_try_allowed,
        };
        let command = HostCommand::Answer {
            work,
            ask: question.ask,
            answer,
        };
        self.out.push(Effect::SendToHost { run, command });
        if let Some(link) = question.shown_on {
            self.rest(link, Closed::Entered);
        }
        self.publish_job(id);
    }

    /// The citizen declined. An entry on the device that is under way is ended like the job.
    pub(super) fn decline(&mut self, id: &JobId, now: Moment) {
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        if job.question.as_ref().is_some_and(|asked| asked.entering) {
            self.want_end(id, FaultCode::PinDeclined, now);
            return;
        }
        let Some(question) = job.question.take() else {
            return;
        };
        let Some((run, work)) = job.work().map(|at| (at.run, at.work)) else {
            return;
        };
        let command = HostCommand::Answer {
            work,
            ask: question.ask,
            answer: HostAnswer::Declined,
        };
        self.out.push(Effect::SendToHost { run, command });
        if let Some(link) = question.shown_on {
            self.rest(link, Closed::Cancelled);
        }
        self.publish_job(id);
    }

    /// Somebody with the right allowed the last try.
    pub(super) fn allow_last_try(&mut self, id: &JobId, staff: &str) {
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        let Some(question) = &mut job.question else {
            return;
        };
        question.last_try_allowed = true;
        let shown_on = question.shown_on;
        job.last_try_allowed_by = Some(staff.to_owned());
        if let Some(link) = shown_on {
            self.show(id, link);
        }
        self.permit_entry(id);
        self.publish_job(id);
    }

    pub(super) fn screen_said(&mut self, link: ScreenLink, said: ScreenSays<R>, now: Moment) {
        match said {
            ScreenSays::Register { key } => self.register(link, key, now),
            ScreenSays::Secret { job, ask, value } => {
                if self.screens.is_asked(link, &job, ask) {
                    self.typed(link, &job, value);
                }
            }
            ScreenSays::Act { job, act } => self.screen_acted(link, &job, act),
            ScreenSays::Decline { job, ask } => {
                if self.screens.is_asked(link, &job, ask) {
                    self.decline(&job, now);
                }
            }
        }
    }

    pub(super) fn screen_closed(&mut self, link: ScreenLink, now: Moment) {
        self.document_out_of_sight(link, now);
        if let Some(pairing) = self.screens.close(link) {
            self.take_question_from(link, Some(pairing.screen), now);
            self.publish_screens(&place(pairing.origin, pairing.counter));
        }
    }

    /// The question that a lost screen showed is open again; for a while only for the screen `keep_for`.
    pub(super) fn take_question_from(
        &mut self,
        link: ScreenLink,
        keep_for: Option<ScreenId>,
        now: Moment,
    ) {
        let questions = self.jobs.iter_mut().filter_map(|job| job.question.as_mut());
        for question in questions.filter(|question| question.shown_on == Some(link)) {
            question.shown_on = None;
            question.kept_for = keep_for
                .clone()
                .map(|screen| (screen, now.plus(SCREEN_GRACE)));
        }
    }

    /// The screen did not come back: any other screen of the counter may show the question.
    pub(super) fn give_up_screen(&mut self, id: &JobId) {
        if let Some(question) = self.jobs.find_mut(id).and_then(|job| job.question.as_mut()) {
            question.kept_for = None;
        }
    }

    /// Shows every question that waits for a screen, oldest job first.
    pub(super) fn show_waiting_questions(&mut self) {
        let waits = |job: &&Job<R>| {
            job.question.as_ref().is_some_and(|question| {
                question.kind == QuestionKind::PinOnScreen && question.shown_on.is_none()
            })
        };
        let waiting: Vec<JobId> = self
            .jobs
            .iter()
            .filter(waits)
            .map(|job| job.id.clone())
            .collect();
        for id in waiting {
            let Some(job) = self.jobs.find(&id) else {
                continue;
            };
            let kept_for = job
                .question
                .as_ref()
                .and_then(|question| question.kept_for.as_ref());
            if let Some(link) = self
                .screens
                .free(&job.owner, kept_for.map(|(screen, _)| screen))
            {
                self.show(&id, link);
            }
        }
    }

    /// Closes the open question of a job without an answer; true where there was one.
    pub(super) fn close_question(&mut self, id: &JobId) -> bool {
        let Some(question) = self.jobs.find_mut(id).and_then(|job| job.question.take()) else {
            return false;
        };
        if let Some(link) = question.shown_on {
            self.rest(link, Closed::Cancelled);
        }
        true
    }

    /// Lets the citizen know that the card refused what was typed.
    pub(super) fn tell_wrong(&mut self, id: &JobId) {
        let Some(link) = self.jobs.find_mut(id).and_then(|job| job.typed_on.take()) else {
            return;
        };
        if self.screens.is_idle(link) {
            self.rest(link, Closed::Wrong);
        }
    }

    /// Gives a new code to each screen whose code is too old or was guessed at too often.
    pub(super) fn replace_stale_codes(&mut self, now: Moment) {
        for link in self.screens.stale_codes(now) {
            self.show_new_code(link, now);
        }
    }

    fn register(&mut self, link: ScreenLink, key: Option<Secret>, now: Moment) {
        let digest = key.map(|key| self.chance.digest(&key));
        match self.screens.register(link, digest) {
            Registered::Refused => self.out.push(Effect::CloseScreen { link }),
            Registered::Unpaired => self.show_new_code(link, now),
            Registered::Paired { counter, replaced } => {
                if let Some(older) = replaced {
                    self.take_question_from(older, None, now);
                    self.document_out_of_sight(older, now);
                    self.out.push(Effect::CloseScreen { link: older });
                }
                let tell = ScreenTell::Paired { key: None, counter };
                self.out.push(Effect::TellScreen { link, tell });
                self.out.push(Effect::TellScreen {
                    link,
                    tell: ScreenTell::Idle { last: None },
                });
                if let Some(pairing) = self.screens.pairing_of(link).cloned() {
                    self.publish_screens(&place(pairing.origin, pairing.counter));
                }
            }
        }
    }

    fn show_new_code(&mut self, link: ScreenLink, now: Moment) {
        // With a million codes and a few dozen screens a free one is found at once.
        for _draw in 0..16 {
            let code = chance::code(&mut *self.chance);
            if self.screens.show_code(link, &code, now) {
                self.out.push(Effect::TellScreen {
                    link,
                    tell: ScreenTell::Pairing { code },
                });
                return;
            }
        }
        self.screens.close(link);
        self.out.push(Effect::CloseScreen { link });
    }

    /// A PIN was typed on the screen that shows the question. What cannot go to the card is asked again.
    fn typed(&mut self, link: ScreenLink, id: &JobId, value: Secret) {
        let Some(question) = self.jobs.find(id).and_then(|job| job.question.as_ref()) else {
            return;
        };
        if question.locked() || !is_digits(&value, question.secret.digits()) {
            self.show(id, link);
            return;
        }
        self.hand_over(id, value, Some(link));
    }

    fn show(&mut self, id: &JobId, link: ScreenLink) {
        let Some(job) = self.jobs.find(id) else {
            return;
        };
        let keys = if job.shuffled() {
            chance::shuffled_digits(&mut *self.chance)
        } else {
            PLAIN_KEYS
        };
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        let (word, job_id) = (job.word, job.id.clone());
        let Some(question) = &mut job.question else {
            return;
        };
        question.shown_on = Some(link);
        question.kept_for = None;
        let tell = ScreenTell::Ask {
            job: job_id.clone(),
            ask: question.ask,
            word,
            tries_left: question.tries_left,
            last_try: question.last_try_allowed,
            keys,
        };
        self.screens.set_asked(link, Some((job_id, question.ask)));
        self.out.push(Effect::TellScreen { link, tell });
    }

    fn rest(&mut self, link: ScreenLink, last: Closed) {
        if self.screens.set_asked(link, None) {
            self.out.push(Effect::TellScreen {
                link,
                tell: ScreenTell::Idle { last: Some(last) },
            });
        }
    }
}

/// The keys as on a telephone: 1 to 9, and 0 at the bottom.
const PLAIN_KEYS: [u8; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0];

/// Anybody at a counter, for telling all who sit there.
fn place(origin: crate::ids::Origin, counter: String) -> Owner {
    Owner {
        origin,
        counter,
        staff: String::new(),
    }
}
