//! Jobs on their way: to a host, to an end, into the audit log.
//!
//! Invariants: a device has one job at a time; nobody is asked for a secret before the record of the
//! job's start is written; a job's end is published, and its result released, only after the audit log
//! has answered; where that answer comes too late, the log is told that nothing was handed out.

use std::time::Duration;

use device_api::{FaultCode, Moment};

use super::Core;
use crate::access::scope_to_start;
use crate::effect::{
    AuditEntry, AuditStage, Closed, Effect, Happening, HostAnswer, HostCommand, HostLoss, Report,
};
use crate::ids::{AuditTicket, HostRun, JobId, SessionLink};
use crate::jobs::{Due, End, Job, Phase, final_fault};
use crate::stream::Audience;
use crate::task::{CardFacts, Fault, Step, Task};

impl<R> Core<R> {
    /// Gives every free device its next job.
    pub(super) fn start_waiting_jobs(&mut self, now: Moment) {
        let queued = self
            .jobs
            .iter()
            .filter(|job| matches!(job.phase, Phase::Queued));
        let mut devices: Vec<_> = queued.map(|job| job.device.clone()).collect();
        devices.dedup();
        for device in devices {
            let Some(run) = self
                .devices
                .host_of(&device)
                .and_then(|host| self.hosts.ready(host))
            else {
                continue;
            };
            let Some(next) = self.jobs.next_for(&device).map(|job| job.id.clone()) else {
                continue;
            };
            let work = self.next_work;
            self.next_work += 1;
            let Some(job) = self.jobs.find_mut(&next) else {
                continue;
            };
            let ticket = AuditTicket(self.next_ticket);
            self.next_ticket += 1;
            job.begin((run, work), ticket, now);
            let (within, task) = (job.deadline.since(now), job.order.task.clone());
            let order = job.audit_order();
            let (content, documents) = (job.content.take(), std::mem::take(&mut job.documents));
            let stage = AuditStage::Started(order.clone());
            let entry = Box::new(AuditEntry { job: next, stage });
            self.out.push(Effect::AppendAudit { ticket, entry });
            let command = HostCommand::Start {
                work,
                device,
                within,
                task,
                order: Box::new(order),
                content,
                documents,
            };
            self.out.push(Effect::SendToHost { run, command });
        }
    }

    pub(super) fn accepted(&mut self, run: HostRun, work: u64, now: Moment) {
        let Some(id) = self.job_at(run, work, now) else {
            return;
        };
        if self.heard_of(&id) {
            self.publish_job(&id);
        }
    }

    pub(super) fn progressed(
        &mut self,
        run: HostRun,
        work: u64,
        (step, card): (Step, Option<CardFacts>),
        now: Moment,
    ) {
        let Some(id) = self.job_at(run, work, now) else {
            return;
        };
        self.heard_of(&id);
        if let Some(job) = self.jobs.find_mut(&id) {
            job.step = Some(step);
            job.card = card.or_else(|| job.card.take());
        }
        self.publish_job(&id);
    }

    /// The host's last word on a job.
    pub(super) fn work_done(&mut self, run: HostRun, work: u64, mut end: End<R>, now: Moment) {
        let Some(id) = self.job_at(run, work, now) else {
            return;
        };
        let job = self.jobs.find(&id);
        let watching = job.is_some_and(|job| job.order.task == Task::ScanCodes);
        let ending = job.and_then(Job::work).and_then(|at| at.ending);
        // Being cancelled is how waiting for codes ends well.
        let ordinary = |code: &FaultCode| watching && *code == FaultCode::JobCancelled;
        end.fault = match end.fault {
            Some(reported) => Some(final_fault(ending, reported)),
            None => ending.filter(|code| !ordinary(code)).map(Fault::from),
        };
        self.finish(&id, end, now);
    }

    /// Ends a job because somebody or something here wants it.
    pub(super) fn want_end(&mut self, id: &JobId, why: FaultCode, now: Moment) {
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        if matches!(job.phase, Phase::Queued) {
            self.finish(id, End::failed(why.into()), now);
            return;
        }
        if !job.want_end(why, now) {
            return;
        }
        if let Some((run, work)) = job.work().map(|at| (at.run, at.work)) {
            self.out.push(Effect::SendToHost {
                run,
                command: HostCommand::Cancel { work },
            });
        }
        if self.close_question(id) {
            self.publish_job(id);
        }
    }

    /// A job's end is known: it goes to the audit log before anybody hears of it.
    pub(super) fn finish(&mut self, id: &JobId, end: End<R>, now: Moment) {
        self.close_question(id);
        let closed = if end.fault.is_none() {
            Closed::Entered
        } else {
            Closed::Cancelled
        };
        self.take_down(id, closed);
        if end
            .fault
            .is_some_and(|fault| fault.code == FaultCode::PinWrong)
        {
            self.tell_wrong(id);
        }
        let ticket = AuditTicket(self.next_ticket);
        if let Some(job) = self.jobs.find_mut(id) {
            let order = job.audit_order();
            let ended = Report::JobEnded {
                operation: order.operation,
                fault: end.fault.map(|fault| fault.code),
                took: job.began.map_or(Duration::ZERO, |began| now.since(began)),
            };
            let stage = AuditStage::Ended(order, job.record(ticket, end, now));
            self.append(id.clone(), stage);
            self.out.push(Effect::Report(ended));
        }
    }

    fn append(&mut self, job: JobId, stage: AuditStage) {
        let ticket = AuditTicket(self.next_ticket);
        self.next_ticket += 1;
        let entry = Box::new(AuditEntry { job, stage });
        self.out.push(Effect::AppendAudit { ticket, entry });
    }

    /// The audit log has answered.
    pub(super) fn recorded(&mut self, wanted: AuditTicket, written: bool, now: Moment) {
        let waits = |job: &&mut Job<R>| matches!(job.phase, Phase::Recording { ticket, .. } if ticket == wanted);
        let Some(job) = self.jobs.iter_mut().find(waits) else {
            self.recorded_otherwise(wanted, written, now);
            return;
        };
        let documents = job.recorded(written, now);
        let id = job.id.clone();
        let heir = (job.owner.clone(), scope_to_start(&job.order.task).scopes);
        let orphaned = job.session.is_some_and(|link| !self.stream.is_open(link));
        if orphaned {
            job.drop_result();
        } else {
            for document in documents {
                self.documents.keep_for_page(document, heir.clone(), now);
            }
        }
        if !written {
            self.out
                .push(Effect::Report(Report::AuditLost { job: id.clone() }));
        }
        self.publish_job(&id);
    }

    /// The answer concerns the record of a start, or comes too late.
    fn recorded_otherwise(&mut self, wanted: AuditTicket, written: bool, now: Moment) {
        let waits = |job: &&Job<R>| {
            let intent = job.work().and_then(|at| at.intent);
            intent.is_some_and(|(ticket, _)| ticket == wanted)
        };
        let starting = self.jobs.iter().find(waits).map(|job| job.id.clone());
        if let Some(id) = starting {
            if !written {
                self.intent_lost(&id, now);
            } else if self.jobs.find_mut(&id).is_some_and(Job::intent_written) {
                self.permit_entry(&id);
                self.publish_job(&id);
            }
            return;
        }
        if let Some(job) = self.late.remove(&wanted)
            && written
        {
            self.append(job, AuditStage::Withheld);
        }
    }

    /// Without a record of its start a job asks for no secret, so it ends.
    fn intent_lost(&mut self, id: &JobId, now: Moment) {
        self.out
            .push(Effect::Report(Report::AuditLost { job: id.clone() }));
        self.want_end(id, FaultCode::AuditUnavailable, now);
    }

    /// The result of a job whose end was not recorded in time is destroyed; should the record be written
    /// even so, another one puts it right.
    fn record_late(&mut self, id: &JobId, now: Moment) {
        let Some((ticket, succeeded)) = self.jobs.find(id).and_then(|job| match &job.phase {
            Phase::Recording { ticket, end, .. } => Some((*ticket, end.fault.is_none())),
            Phase::Queued | Phase::AtHost(_) | Phase::Ended(_) => None,
        }) else {
            return;
        };
        if succeeded {
            self.late.insert(ticket, id.clone());
        }
        self.recorded(ticket, false, now);
    }

    pub(super) fn serve_job_timers(&mut self, now: Moment) {
        for (id, due) in self.jobs.due(now) {
            match due {
                Due::Doubt => self.doubt(&id, now),
                Due::Deadline => self.deadline_came(&id, now),
                Due::Late => self.want_end(&id, FaultCode::JobDeadline, now),
                Due::Overdue => {
                    if let Some(run) = self.jobs.find(&id).and_then(Job::work).map(|at| at.run) {
                        self.kill_host(run, HostLoss::Overdue, now);
                    }
                }
                Due::ScreenLost => self.give_up_screen(&id),
                Due::IntentLate => self.intent_lost(&id, now),
                Due::RecordLate => self.record_late(&id, now),
                Due::Erase => self.erase_result(&id),
                Due::Forget => self.jobs.forget(&id),
            }
        }
    }

    pub(super) fn publish_job(&mut self, id: &JobId) {
        let Some(job) = self.jobs.find(id) else {
            return;
        };
        let audience = Audience::Owner(job.owner.clone(), scope_to_start(&job.order.task).scopes);
        let view = Box::new(job.view());
        self.publish(audience, Happening::Job(view));
    }

    /// Finds the job that a host speaks of; a host that speaks of none is out of turn.
    pub(super) fn job_at(&mut self, run: HostRun, work: u64, now: Moment) -> Option<JobId> {
        let found = self.jobs.at_host(run, work).map(|job| job.id.clone());
        if found.is_none() {
            self.out_of_turn(run, now);
        }
        found
    }

    /// The host has spoken of a job, so it took it on; true where that is news.
    pub(super) fn heard_of(&mut self, id: &JobId) -> bool {
        let Some(at) = self.jobs.find_mut(id).and_then(Job::work_mut) else {
            return false;
        };
        at.doubt_at = None;
        at.secret_out = false;
        let news = !std::mem::replace(&mut at.accepted, true);
        // A host that was given leave for an entry on the device speaks again when that is over.
        if let Some(job) = self.jobs.find_mut(id) {
            job.question.take_if(|question| question.entering);
        }
        news
    }

    fn doubt(&mut self, id: &JobId, now: Moment) {
        let Some(at) = self.jobs.find_mut(id).and_then(Job::work_mut) else {
            return;
        };
        at.doubt_at = None;
        let run = at.run;
        if let Some(n) = self.hosts.suspect(run, now) {
            self.out.push(Effect::SendToHost {
                run,
                command: HostCommand::Ping { n },
            });
        }
    }

    fn deadline_came(&mut self, id: &JobId, now: Moment) {
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        if matches!(job.phase, Phase::Queued) {
            // Where the device could not be used all that time, that is what the clerk must know.
            let code = self
                .devices
                .trouble(&job.device)
                .unwrap_or(FaultCode::JobDeadline);
            self.finish(id, End::failed(code.into()), now);
            return;
        }
        let shown = job.question.as_ref().map(|question| question.ask);
        let Some(at) = job.work_mut() else { return };
        at.timed_out = true;
        let ask = shown.or_else(|| Some(at.parked.take()?.ask));
        let (run, work) = (at.run, at.work);
        if let Some(ask) = ask {
            let command = HostCommand::Answer {
                work,
                ask,
                answer: HostAnswer::TimedOut,
            };
            self.out.push(Effect::SendToHost { run, command });
            self.close_question(id);
            self.publish_job(id);
        }
    }

    fn erase_result(&mut self, id: &JobId) {
        if self.jobs.find_mut(id).is_some_and(Job::drop_result) {
            self.publish_job(id);
        }
    }

    /// Results go no other way than to the page that waited for them: they end with its session.
    pub(super) fn erase_results_of(&mut self, session: SessionLink) {
        let of_session = self.jobs.iter().filter(|job| job.session == Some(session));
        let jobs: Vec<_> = of_session.map(|job| job.id.clone()).collect();
        for job in jobs {
            self.erase_result(&job);
        }
    }
}
