//! Jobs: their states, their timers, and what may be told of them.
//!
//! ```text
//! queued -> at the host -> being recorded -> ended
//!    \___________________________^
//! ```
//! | phase | seen as | ends by |
//! |---|---|---|
//! | queued | accepted | the device is free; deadline, cancel, lease lost |
//! | at the host | accepted, then running | the host's last word, or the host's end |
//! | being recorded | running | the audit log's answer |
//! | ended | succeeded, failed, cancelled | forgotten after a while |
//!
//! Invariants: a job leaves each phase once and never returns; a result is kept only in an ended job
//! whose record was written, until it is taken or [`RESULT_LIFE`] is over; the table is bounded.
//!
//! Long because a job's states and every change between them are to be read in one place.

use std::time::Duration;

use device_api::{DeviceId, FaultCode, Moment};

use crate::access::Owner;
use crate::effect::{AuditEnd, AuditOrder};
use crate::event::{NewDocument, SecretKind};
use crate::ids::{AuditTicket, HostRun, JobId, ScreenId, ScreenLink, SessionLink};
use crate::sealed::Sealed;
use crate::task::{
    CardFacts, Credential, Fault, JobOrder, JobState, JobView, QuestionKind, QuestionView, Step,
    Task, Verdict,
};

mod timers;

pub(crate) use timers::Due;

/// Time for which a result waits to be taken.
pub(crate) const RESULT_LIFE: Duration = Duration::from_secs(60);

/// Time for which an ended job is remembered, so that a repeated request finds it.
const MEMORY: Duration = Duration::from_secs(600);

/// Time from start to the host's `accepted`, after which it is pinged.
const ACCEPT_WITHIN: Duration = Duration::from_secs(1);

/// Time that a host has after the deadline to end a job by itself, with the fault that it knows best.
const OWN_END_WITHIN: Duration = Duration::from_millis(500);

/// Time from cancel to the host's last word. A card takes up to a second for one signature.
const CANCEL_WITHIN: Duration = Duration::from_secs(3);

/// Time for the audit log to answer; a disk that hangs longer than this counts as failed.
const RECORD_WITHIN: Duration = Duration::from_secs(10);

/// How many jobs are remembered, ended ones included.
const MAX_JOBS: usize = 256;

/// How many jobs of one device can wait or run.
const MAX_PER_DEVICE: usize = 8;

/// All jobs, oldest first.
#[derive(Debug)]
pub(crate) struct Jobs<R> {
    jobs: Vec<Job<R>>,
}

/// One job.
#[derive(Debug)]
pub(crate) struct Job<R> {
    pub(crate) id: JobId,
    pub(crate) word: &'static str,
    pub(crate) key: String,
    pub(crate) owner: Owner,
    pub(crate) order: JobOrder,
    pub(crate) device: DeviceId,
    pub(crate) deadline: Moment,
    /// The session to which its lease was bound; its result dies with that.
    pub(crate) session: Option<SessionLink>,
    pub(crate) phase: Phase<R>,
    /// When it went to its host.
    pub(crate) began: Option<Moment>,
    pub(crate) step: Option<Step>,
    pub(crate) card: Option<CardFacts>,
    pub(crate) question: Option<Question>,
    pub(crate) last_ask: u32,
    /// The connection on which the last PIN was typed.
    pub(crate) typed_on: Option<ScreenLink>,
    pub(crate) last_try_allowed_by: Option<String>,
    pub(crate) secrets_used: u32,
    /// The task as it was handed in, until it goes to the host.
    pub(crate) content: Option<Sealed<R>>,
    /// The documents that it uses up, until they go to the host.
    pub(crate) documents: Vec<Sealed<R>>,
    /// The number of the last item that the host gave.
    pub(crate) last_item: u32,
    /// The number of the last item that was taken over.
    pub(crate) last_received: u32,
    /// How many items were taken over.
    pub(crate) items: u32,
    /// The citizen's page that shows its document.
    pub(crate) shown_on: Option<ScreenLink>,
}

/// Where a job stands.
#[derive(Debug)]
pub(crate) enum Phase<R> {
    Queued,
    AtHost(AtHost),
    Recording {
        ticket: AuditTicket,
        until: Moment,
        end: End<R>,
    },
    Ended(Ended<R>),
}

/// A job at its driver host.
#[derive(Debug)]
pub(crate) struct AtHost {
    pub(crate) run: HostRun,
    pub(crate) work: u64,
    pub(crate) accepted: bool,
    /// The record of its start, and until when it must be written; `None` once it is on the disk.
    pub(crate) intent: Option<(AuditTicket, Moment)>,
    /// A question that came before that record was written: nobody is asked for a secret until then.
    pub(crate) parked: Option<Question>,
    /// When the host gives cause for doubt; `None` once it has accepted or been pinged.
    pub(crate) doubt_at: Option<Moment>,
    /// Whether the open question was closed because the deadline had come.
    pub(crate) timed_out: bool,
    /// Why the agent wants the job ended, once it does.
    pub(crate) ending: Option<FaultCode>,
    /// When the host is killed for not having ended it.
    pub(crate) kill_at: Option<Moment>,
    /// Whether a secret was handed over and nothing was heard since.
    pub(crate) secret_out: bool,
}

/// How a job ends, before that is recorded.
#[derive(Debug)]
pub(crate) struct End<R> {
    pub(crate) fault: Option<Fault>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) result: Option<Sealed<R>>,
    /// The documents that the result names.
    pub(crate) documents: Vec<NewDocument<R>>,
    /// The digest of what came out.
    pub(crate) evidence: Option<[u8; 32]>,
    /// Which part of what was handed in is at fault.
    pub(crate) about: Option<String>,
}

impl<R> End<R> {
    /// An end without a result.
    pub(crate) const fn failed(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            verdict: None,
            result: None,
            documents: Vec::new(),
            evidence: None,
            about: None,
        }
    }
}

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Ended<R> {
    pub(crate) fault: Option<Fault>,
    pub(crate) about: Option<String>,
    pub(crate) result: Option<Sealed<R>>,
    pub(crate) erase_at: Moment,
    pub(crate) forget_at: Moment,
}

/// An open question.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) ask: u32,
    pub(crate) kind: QuestionKind,
    pub(crate) secret: SecretKind,
    pub(crate) tries_left: u8,
    pub(crate) last_try_allowed: bool,
    /// Whether the host has leave to take the PIN on the device, and the citizen may be typing it.
    pub(crate) entering: bool,
    /// The screen that shows it now.
    pub(crate) shown_on: Option<ScreenLink>,
    /// The screen that showed it and was lost, and until when only that one gets it again.
    pub(crate) kept_for: Option<(ScreenId, Moment)>,
}

impl Question {
    /// Whether the card has one try left and nobody allowed to spend it.
    pub(crate) const fn locked(&self) -> bool {
        self.tries_left <= 1 && !self.last_try_allowed
    }
}

impl<R> Jobs<R> {
    pub(crate) const fn new() -> Self {
        Self { jobs: Vec::new() }
    }

    /// Whether a job of this device can be added; forgets the oldest ended one where the table is full.
    pub(crate) fn make_room(&mut self, device: &DeviceId) -> Result<(), FaultCode> {
        let pending = self
            .jobs
            .iter()
            .filter(|job| job.device == *device && job.is_live())
            .count();
        if pending >= MAX_PER_DEVICE {
            return Err(FaultCode::DoorTooMany);
        }
        if self.jobs.len() >= MAX_JOBS {
            let ended = self.jobs.iter().position(|job| !job.is_live());
            self.jobs.remove(ended.ok_or(FaultCode::DoorTooMany)?);
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, job: Job<R>) {
        self.jobs.push(job);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job<R>> {
        self.jobs.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Job<R>> {
        self.jobs.iter_mut()
    }

    pub(crate) fn find(&self, id: &JobId) -> Option<&Job<R>> {
        self.jobs.iter().find(|job| job.id == *id)
    }

    pub(crate) fn find_mut(&mut self, id: &JobId) -> Option<&mut Job<R>> {
        self.jobs.iter_mut().find(|job| job.id == *id)
    }

    /// The job that an owner's idempotency key names.
    pub(crate) fn by_key(&self, owner: &Owner, key: &str) -> Option<&Job<R>> {
        self.jobs
            .iter()
            .find(|job| job.owner == *owner && job.key == key)
    }

    /// The job that a host means.
    pub(crate) fn at_host(&self, run: HostRun, work: u64) -> Option<&Job<R>> {
        self.jobs.iter().find(|job| {
            job.work()
                .is_some_and(|at| at.run == run && at.work == work)
        })
    }

    /// The next job of a device that is free.
    pub(crate) fn next_for(&self, device: &DeviceId) -> Option<&Job<R>> {
        let mut of_device = self.jobs.iter().filter(|job| job.device == *device);
        if of_device.clone().any(|job| job.work().is_some()) {
            return None;
        }
        of_device.find(|job| matches!(job.phase, Phase::Queued))
    }

    /// The jobs for which something is due.
    pub(crate) fn due(&self, now: Moment) -> Vec<(JobId, Due)> {
        let due = |job: &Job<R>| job.next_due().filter(|(at, _)| *at <= now);
        self.jobs
            .iter()
            .filter_map(|job| Some((job.id.clone(), due(job)?.1)))
            .collect()
    }

    pub(crate) fn next_wakeup(&self) -> Option<Moment> {
        self.jobs
            .iter()
            .filter_map(Job::next_due)
            .map(|(at, _)| at)
            .min()
    }

    pub(crate) fn forget(&mut self, id: &JobId) {
        self.jobs.retain(|job| job.id != *id);
    }

    /// A word that no other live job bears, counted on from `start`.
    pub(crate) fn free_word(&self, words: &[&'static str], start: usize) -> &'static str {
        let taken = |word: &str| {
            self.jobs
                .iter()
                .any(|job| job.is_live() && job.word == word)
        };
        let mut from_start = words.iter().cycle().skip(start).take(words.len());
        from_start
            .find(|word| !taken(word))
            .or_else(|| words.first())
            .copied()
            .unwrap_or_default()
    }
}

impl<R> Job<R> {
    /// Whether it has not ended.
    pub(crate) const fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Ended(_))
    }

    /// Its work at the host, while there is any.
    pub(crate) const fn work(&self) -> Option<&AtHost> {
        match &self.phase {
            Phase::AtHost(at) => Some(at),
            Phase::Queued | Phase::Recording { .. } | Phase::Ended(_) => None,
        }
    }

    /// Its work at the host, while there is any.
    pub(crate) const fn work_mut(&mut self) -> Option<&mut AtHost> {
        match &mut self.phase {
            Phase::AtHost(at) => Some(at),
            Phase::Queued | Phase::Recording { .. } | Phase::Ended(_) => None,
        }
    }

    /// Puts it at a host.
    pub(crate) fn begin(&mut self, (run, work): (HostRun, u64), ticket: AuditTicket, now: Moment) {
        self.began = Some(now);
        self.phase = Phase::AtHost(AtHost {
            run,
            work,
            accepted: false,
            intent: Some((ticket, now.plus(RECORD_WITHIN))),
            parked: None,
            doubt_at: Some(now.plus(ACCEPT_WITHIN)),
            timed_out: false,
            ending: None,
            kill_at: None,
            secret_out: false,
        });
    }

    /// Asks for its end at the host; false where that was asked before or it is not at a host.
    pub(crate) fn want_end(&mut self, why: FaultCode, now: Moment) -> bool {
        match self.work_mut() {
            Some(at) if at.ending.is_none() => {
                at.ending = Some(why);
                at.parked = None;
                at.kill_at = Some(now.plus(CANCEL_WITHIN));
                true
            }
            Some(_) | None => false,
        }
    }

    /// What the audit log keeps of its order.
    pub(crate) fn audit_order(&self) -> AuditOrder {
        let (fields, credential) =
            if let Task::ReadMyNumberCard { fields, credential } = &self.order.task {
                (fields.clone(), Some(*credential))
            } else {
                (Vec::new(), None)
            };
        AuditOrder {
            staff: self.owner.staff.clone(),
            origin: self.owner.origin.clone(),
            counter: self.owner.counter.clone(),
            device: self.device.clone(),
            purpose: self.order.purpose.clone(),
            operation: self.order.task.name(),
            subject: self.order.task.subject().map(str::to_owned),
            fields,
            credential,
        }
    }

    /// Its end is known and must be recorded; gives the record.
    pub(crate) fn record(&mut self, ticket: AuditTicket, end: End<R>, now: Moment) -> AuditEnd {
        let recorded = AuditEnd {
            fault: end.fault,
            verdict: end.verdict,
            last_try_allowed_by: self.last_try_allowed_by.clone(),
            secrets_used: self.secrets_used,
            items: self.items,
            evidence: end.evidence,
        };
        self.question = None;
        self.phase = Phase::Recording {
            ticket,
            until: now.plus(RECORD_WITHIN),
            end,
        };
        recorded
    }

    /// The audit log has answered: the job is over. Without a record nothing is handed out.
    /// Gives the documents that are to be kept for its owner.
    pub(crate) fn recorded(&mut self, written: bool, now: Moment) -> Vec<NewDocument<R>> {
        let phase = std::mem::replace(&mut self.phase, Phase::Queued);
        let Phase::Recording { end, .. } = phase else {
            self.phase = phase;
            return Vec::new();
        };
        let fault = match end.fault {
            None if !written => Some(Fault::from(FaultCode::AuditUnavailable)),
            known => known,
        };
        self.step = None;
        let good = fault.is_none();
        self.phase = Phase::Ended(Ended {
            result: end.result.filter(|_| good),
            fault,
            about: end.about,
            erase_at: now.plus(RESULT_LIFE),
            forget_at: now.plus(MEMORY),
        });
        if good { end.documents } else { Vec::new() }
    }

    /// The record of its start is written; true where a question can be put now.
    pub(crate) fn intent_written(&mut self) -> bool {
        let Some(at) = self.work_mut() else {
            return false;
        };
        at.intent = None;
        let Some(parked) = at.parked.take() else {
            return false;
        };
        self.question = Some(parked);
        true
    }

    /// Destroys its result; true where there was one.
    pub(crate) fn drop_result(&mut self) -> bool {
        match &mut self.phase {
            Phase::Ended(ended) => ended.result.take().is_some(),
            Phase::Queued | Phase::AtHost(_) | Phase::Recording { .. } => false,
        }
    }

    /// As its owner may see it.
    pub(crate) fn view(&self) -> JobView {
        let about = match &self.phase {
            Phase::Ended(ended) => ended.about.clone(),
            Phase::Queued | Phase::AtHost(_) | Phase::Recording { .. } => None,
        };
        let (state, fault, result_waiting) = match &self.phase {
            Phase::Queued => (JobState::Accepted, None, false),
            Phase::AtHost(at) if !at.accepted => (JobState::Accepted, None, false),
            Phase::AtHost(_) | Phase::Recording { .. } => (JobState::Running, None, false),
            Phase::Ended(ended) => (
                state_after(ended.fault),
                ended.fault,
                ended.result.is_some(),
            ),
        };
        JobView {
            id: self.id.clone(),
            word: self.word,
            device: self.device.clone(),
            state,
            step: self.step.filter(|_| state == JobState::Running),
            card: self.card.clone(),
            question: self.question.as_ref().map(|question| QuestionView {
                ask: question.ask,
                kind: question.kind,
                tries_left: question.tries_left,
                last_try_allowed: question.last_try_allowed,
            }),
            fault,
            about,
            result_waiting,
        }
    }

    /// Where and for what a secret of this kind is to be asked; `None` where the task has no use for it.
    pub(crate) fn question_kind(&self, secret: SecretKind) -> Option<QuestionKind> {
        let Task::ReadMyNumberCard { credential, .. } = &self.order.task else {
            return None;
        };
        match (credential, secret) {
            (Credential::PinOnScreen { .. }, SecretKind::Pin) => Some(QuestionKind::PinOnScreen),
            (Credential::PinByApi, SecretKind::Pin) => Some(QuestionKind::PinByApi),
            (Credential::PinOnDevice, SecretKind::PinOnDevice) => Some(QuestionKind::PinOnDevice),
            (Credential::VerificationNumberB, SecretKind::VerificationNumberB) => {
                Some(QuestionKind::VerificationNumberB)
            }
            (
                Credential::PinOnScreen { .. } | Credential::PinByApi,
                SecretKind::VerificationNumberB | SecretKind::PinOnDevice,
            )
            | (Credential::PinOnDevice, SecretKind::Pin | SecretKind::VerificationNumberB)
            | (Credential::VerificationNumberB, SecretKind::Pin | SecretKind::PinOnDevice) => None,
        }
    }

    /// Whether the keys of the PIN screen are to be shuffled.
    pub(crate) fn shuffled(&self) -> bool {
        matches!(
            &self.order.task,
            Task::ReadMyNumberCard {
                credential: Credential::PinOnScreen { shuffled: true },
                ..
            }
        )
    }
}

/// How an end is seen from outside.
fn state_after(fault: Option<Fault>) -> JobState {
    match fault.map(|fault| fault.code) {
        None => JobState::Succeeded,
        Some(FaultCode::JobCancelled | FaultCode::JobAbandoned) => JobState::Cancelled,
        Some(_) => JobState::Failed,
    }
}

/// The fault of a job that the agent wanted ended and for which the host reported `reported`.
///
/// What a card said about a PIN is told even so, because a try may have been spent; and a host that
/// ended at the deadline knows better than the agent why it took so long.
pub(crate) fn final_fault(ending: Option<FaultCode>, reported: Fault) -> Fault {
    let Some(wanted) = ending else {
        return reported;
    };
    let tells_of_a_try = matches!(
        reported.code,
        FaultCode::PinWrong | FaultCode::PinBlocked | FaultCode::PinUnknown
    );
    let knows_better = wanted == FaultCode::JobDeadline && reported.code != FaultCode::JobCancelled;
    if tells_of_a_try || knows_better {
        reported
    } else {
        Fault::from(wanted)
    }
}
