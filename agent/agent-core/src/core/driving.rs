//! Jobs on their way: to a host, to an end, into the audit log.
//!
//! Invariants: a device has one job at a time; a job's end is published, and its result released, only
//! after the audit log has answered.

use device_api::{FaultCode, Moment};

use super::Core;
use crate::effect::{Effect, Happening, HostAnswer, HostCommand, HostLoss, Report};
use crate::ids::{AuditTicket, HostRun, JobId};
use crate::jobs::{Due, End, Job, Phase, final_fault};
use crate::stream::Audience;
use crate::task::{CardFacts, Fault, Step};

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
            job.begin(run, work, now);
            let (within, task) = (job.deadline.since(now), job.order.task.clone());
            let command = HostCommand::Start {
                work,
                device,
                within,
                task,
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
        let ending = self
            .jobs
            .find(&id)
            .and_then(Job::work)
            .and_then(|at| at.ending);
        end.fault = match end.fault {
            Some(reported) => Some(final_fault(ending, reported)),
            None => ending.map(Fault::from),
        };
        self.finish(&id, end, now);
    }

    /// Ends a job because somebody or something here wants it.
    pub(super) fn want_end(&mut self, id: &JobId, why: FaultCode, now: Moment) {
        let Some(job) = self.jobs.find_mut(id) else {
            return;
        };
        if matches!(job.phase, Phase::Queued) {
            self.finish(
                id,
                End {
                    fault: Some(why.into()),
                    verdict: None,
                    result: None,
                },
                now,
            );
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
        if end
            .fault
            .is_some_and(|fault| fault.code == FaultCode::PinWrong)
        {
            self.tell_wrong(id);
        }
        let ticket = AuditTicket(self.next_ticket);
        self.next_ticket += 1;
        if let Some(job) = self.jobs.find_mut(id) {
            let entry = Box::new(job.record(ticket, end, now));
            self.out.push(Effect::AppendAudit { ticket, entry });
        }
    }

    /// The audit log has answered.
    pub(super) fn recorded(&mut self, wanted: AuditTicket, written: bool, now: Moment) {
        let waits = |job: &&mut Job<R>| matches!(job.phase, Phase::Recording { ticket, .. } if ticket == wanted);
        let Some(job) = self.jobs.iter_mut().find(waits) else {
            return;
        };
        job.recorded(written, now);
        let id = job.id.clone();
        if !written {
            self.out
                .push(Effect::Report(Report::AuditLost { job: id.clone() }));
        }
        self.publish_job(&id);
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
                Due::RecordLate => {
                    let ticket = self.jobs.find(&id).and_then(|job| match job.phase {
                        Phase::Recording { ticket, .. } => Some(ticket),
                        Phase::Queued | Phase::AtHost(_) | Phase::Ended(_) => None,
                    });
                    if let Some(ticket) = ticket {
                        self.recorded(ticket, false, now);
                    }
                }
                Due::Erase => self.erase_result(&id),
                Due::Forget => self.jobs.forget(&id),
            }
        }
    }

    pub(super) fn publish_job(&mut self, id: &JobId) {
        let Some(job) = self.jobs.find(id) else {
            return;
        };
        let (owner, view) = (job.owner.clone(), job.view());
        self.publish(Audience::Owner(owner), Happening::Job(Box::new(view)));
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
        !std::mem::replace(&mut at.accepted, true)
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
            self.finish(
                id,
                End {
                    fault: Some(code.into()),
                    verdict: None,
                    result: None,
                },
                now,
            );
            return;
        }
        let ask = job.question.as_ref().map(|question| question.ask);
        let Some(at) = job.work_mut() else { return };
        at.timed_out = true;
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
        if let Some(job) = self.jobs.find_mut(id)
            && let Phase::Ended(ended) = &mut job.phase
        {
            ended.result = None;
            self.publish_job(id);
        }
    }
}
