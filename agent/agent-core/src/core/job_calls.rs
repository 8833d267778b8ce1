//! Requests about jobs.
//!
//! Invariants: a job's owner is the only one who sees it and takes its result, and only with the rights
//! that it takes to start it; one key gives one job; a nonce is spent only by a call that then succeeds.

use std::collections::BTreeSet;
use std::time::Duration;

use device_api::{FaultCode, Moment, Secret};

use super::{Core, Stop};
use crate::access::{Caller, scope_to_answer, scope_to_start};
use crate::chance;
use crate::effect::Answer;
use crate::event::{JobAnswer, Refusal};
use crate::ids::JobId;
use crate::jobs::{Job, Phase};
use crate::sealed::Sealed;
use crate::task::{Credential, Field, JobOrder, QuestionKind, Task};
use crate::words::WORDS;

/// The shortest and the longest time that a job can be given.
const WITHIN: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(600);

/// The longest time for which codes can be waited for: a long day at a counter.
const WATCH: Duration = Duration::from_secs(12 * 60 * 60);

/// The longest name of a ticket, visit, form or template, in characters.
const MAX_SUBJECT: usize = 64;

/// The longest purpose, in characters.
const MAX_PURPOSE: usize = 200;

/// The longest idempotency key.
const MAX_KEY: usize = 64;

type Outcome<R> = Result<Answer<R>, Refusal>;

impl<R> Core<R> {
    pub(super) fn start_job(
        &mut self,
        caller: &Caller,
        (key, order, content): (String, JobOrder, Option<Sealed<R>>),
        now: Moment,
    ) -> Outcome<R> {
        check_order(&key, &order)?;
        let need = scope_to_start(&order.task);
        self.access.check(caller, &need)?;
        if let Some(known) = self.jobs.by_key(&caller.owner, &key) {
            if known.order != order {
                return Err(Refusal::about(FaultCode::DoorConflict, "idempotency-key"));
            }
            return Ok(Answer::Started {
                job: Box::new(known.view()),
                new: false,
            });
        }
        if self.stop != Stop::No {
            return Err(FaultCode::AgentStopping.into());
        }
        if self.locked {
            return Err(FaultCode::AgentLocked.into());
        }
        let held = self.leases.held(&order.lease, &caller.owner);
        let (device, _fence) = held
            .filter(|(_, fence)| *fence == order.fence)
            .ok_or(FaultCode::LeaseLost)?;
        let device = device.clone();
        if self.devices.class_of(&device) != Some(order.task.class()) {
            return Err(Refusal::about(FaultCode::DoorConflict, "task"));
        }
        let answers = order.task.minds_no_trouble() && self.devices.answers(&device);
        if let Some(trouble) = self.devices.trouble(&device).filter(|_| !answers) {
            return Err(trouble.into());
        }
        let calibrates = matches!(order.task, Task::CalibrateTablet { .. });
        if calibrates && !self.devices.calibrates(&device) {
            return Err(FaultCode::DeviceUnsupported.into());
        }
        let session = self.leases.session_of(&order.lease);
        if order.task.needs_session() && session.is_none() {
            return Err(Refusal::about(FaultCode::DoorConflict, "session"));
        }
        if !self.can_show(&caller.owner, &order.task, self.devices.pen_of(&device)) {
            return Err(FaultCode::SignatureNoScreen.into());
        }
        if !self.documents.wait_for(&order.documents, &caller.owner) {
            return Err(Refusal::about(FaultCode::DoorNotFound, "document"));
        }
        if needs_screen(&order.task) && !self.screens.reachable(&caller.owner) {
            return Err(FaultCode::PinNoScreen.into());
        }
        if needs_keys(&order.task) && !self.devices.has_keys(&device) {
            return Err(FaultCode::PinNoPad.into());
        }
        self.jobs.make_room(&device)?;
        self.access.confirm(caller, &need, now)?;
        let documents = self.documents.use_up(&order.documents);
        let job = self.new_job(caller, key, order, now);
        let id = job.id.clone();
        self.jobs.add(Job {
            device,
            session,
            content,
            documents,
            ..job
        });
        self.start_waiting_jobs(now);
        self.publish_job(&id);
        let started = self.jobs.find(&id).ok_or(FaultCode::AgentInternal)?;
        Ok(Answer::Started {
            job: Box::new(started.view()),
            new: true,
        })
    }

    pub(super) fn show_job(&self, caller: &Caller, job: &JobId) -> Outcome<R> {
        Ok(Answer::Job(Box::new(self.own_job(caller, job)?.view())))
    }

    pub(super) fn cancel_job(&mut self, caller: &Caller, job: &JobId, now: Moment) -> Outcome<R> {
        self.own_job(caller, job)?;
        self.want_end(job, FaultCode::JobCancelled, now);
        self.show_job(caller, job)
    }

    pub(super) fn answer_job(
        &mut self,
        caller: &Caller,
        (job, ask): (&JobId, u32),
        answer: JobAnswer,
        now: Moment,
    ) -> Outcome<R> {
        let found = self.jobs.find(job).ok_or(FaultCode::DoorNotFound)?;
        // A colleague with the right may come to this counter and allow the last try; all else is the
        // owner's alone.
        let colleague =
            matches!(answer, JobAnswer::AllowLastTry) && found.owner.same_counter(&caller.owner);
        if found.owner != caller.owner && !colleague {
            return Err(FaultCode::DoorNotFound.into());
        }
        let open = found
            .question
            .as_ref()
            .filter(|question| question.ask == ask);
        let question = open.ok_or(Refusal::about(FaultCode::DoorConflict, "ask"))?;
        let need = scope_to_answer(question.kind, &answer);
        self.access.check(caller, &need)?;
        match &answer {
            JobAnswer::Decline => {}
            JobAnswer::AllowLastTry if question.last_try_allowed || question.tries_left != 1 => {
                return Err(Refusal::about(FaultCode::DoorConflict, "ask"));
            }
            JobAnswer::AllowLastTry => {}
            JobAnswer::Secret(_)
                if matches!(
                    question.kind,
                    QuestionKind::PinOnScreen | QuestionKind::PinOnDevice
                ) =>
            {
                return Err(Refusal::about(FaultCode::DoorConflict, "kind"));
            }
            JobAnswer::Secret(_) if question.locked() => {
                let tries_left = Some(question.tries_left);
                return Err(Refusal {
                    code: FaultCode::PinLastTry,
                    tries_left,
                    detail: None,
                });
            }
            JobAnswer::Secret(value) if !is_digits(value, question.secret.digits()) => {
                return Err(FaultCode::PinFormat.into());
            }
            JobAnswer::Secret(_) => {}
        }
        self.access.confirm(caller, &need, now)?;
        match answer {
            JobAnswer::Decline => self.decline(job, now),
            JobAnswer::AllowLastTry => self.allow_last_try(job, &caller.owner.staff),
            JobAnswer::Secret(value) => self.hand_over(job, value, None),
        }
        let answered = self.jobs.find(job).ok_or(FaultCode::AgentInternal)?;
        Ok(Answer::Job(Box::new(answered.view())))
    }

    pub(super) fn take_result(&mut self, caller: &Caller, job: &JobId) -> Outcome<R> {
        self.own_job(caller, job)?;
        let found = self.jobs.find_mut(job).ok_or(FaultCode::AgentInternal)?;
        let Phase::Ended(ended) = &mut found.phase else {
            return Err(Refusal::about(FaultCode::DoorConflict, "state"));
        };
        if let Some(fault) = ended.fault {
            return Err(fault.into());
        }
        let result = ended.result.take().ok_or(FaultCode::DoorGone)?;
        self.publish_job(job);
        Ok(Answer::Result(result))
    }

    fn own_job(&self, caller: &Caller, job: &JobId) -> Result<&Job<R>, FaultCode> {
        let mut own = self.jobs.iter().filter(|known| known.owner == caller.owner);
        let found = own
            .find(|known| known.id == *job)
            .ok_or(FaultCode::DoorNotFound)?;
        self.access
            .check(caller, &scope_to_start(&found.order.task))?;
        Ok(found)
    }

    pub(super) fn may_see_job(&self, caller: &Caller, job: &Job<R>) -> bool {
        let need = scope_to_start(&job.order.task);
        job.owner == caller.owner && self.access.check(caller, &need).is_ok()
    }

    fn new_job(&mut self, caller: &Caller, key: String, order: JobOrder, now: Moment) -> Job<R> {
        let count = u32::try_from(WORDS.len()).unwrap_or(1);
        let start = usize::try_from(chance::below(&mut *self.chance, count)).unwrap_or_default();
        Job {
            id: JobId::new(chance::name(&mut *self.chance)),
            word: self.jobs.free_word(&WORDS, start),
            key,
            owner: caller.owner.clone(),
            deadline: now.plus(order.within),
            device: device_api::DeviceId::new(""),
            order,
            session: None,
            phase: Phase::Queued,
            began: None,
            step: None,
            card: None,
            question: None,
            last_ask: 0,
            typed_on: None,
            last_try_allowed_by: None,
            secrets_used: 0,
            content: None,
            documents: Vec::new(),
            last_item: 0,
            last_received: 0,
            items: 0,
            shown_on: None,
        }
    }
}

/// Whether a secret is exactly so many ASCII digits. Its length is no secret.
pub(super) fn is_digits(value: &Secret, digits: usize) -> bool {
    value.len() == digits && value.expose().iter().all(u8::is_ascii_digit)
}

const fn needs_screen(task: &Task) -> bool {
    matches!(
        task,
        Task::ReadMyNumberCard {
            credential: Credential::PinOnScreen { .. },
            ..
        }
    )
}

const fn needs_keys(task: &Task) -> bool {
    matches!(
        task,
        Task::ReadMyNumberCard {
            credential: Credential::PinOnDevice,
            ..
        }
    )
}

fn check_order(key: &str, order: &JobOrder) -> Result<(), Refusal> {
    let wrong = |part| Err(Refusal::about(FaultCode::DoorSchema, part));
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("idempotency-key");
    }
    let purpose = order.purpose.trim();
    if purpose.is_empty() || order.purpose.chars().count() > MAX_PURPOSE {
        return wrong("purpose");
    }
    if order.purpose.chars().any(char::is_control) {
        return wrong("purpose");
    }
    let longest = if order.task == Task::ScanCodes {
        WATCH
    } else {
        *WITHIN.end()
    };
    if order.within < *WITHIN.start() || order.within > longest {
        return wrong("deadlineMs");
    }
    let named =
        |text: &str| text.chars().count() <= MAX_SUBJECT && !text.chars().any(char::is_control);
    if !order
        .task
        .subject()
        .is_none_or(|subject| !subject.is_empty() && named(subject))
    {
        return wrong("task");
    }
    let Task::ReadMyNumberCard { fields, credential } = &order.task else {
        return Ok(());
    };
    let different: BTreeSet<&Field> = fields.iter().collect();
    if fields.is_empty() || different.len() != fields.len() {
        return wrong("fields");
    }
    // 照合番号B opens the four attributes only.
    if *credential == Credential::VerificationNumberB && fields.contains(&Field::IndividualNumber) {
        return wrong("credential");
    }
    Ok(())
}
