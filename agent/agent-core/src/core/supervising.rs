//! Driver hosts: started, watched, given up, started again.

use std::collections::BTreeSet;

use device_api::{DeviceClass, FaultCode, Moment};

use super::Core;
use crate::effect::{Effect, Happening, HostCommand, HostLoss, Report};
use crate::event::HostSays;
use crate::hosts::{HostEnd, HostStep};
use crate::ids::HostRun;
use crate::jobs::{AtHost, End};
use crate::stream::Audience;
use crate::task::Fault;

impl<R> Core<R> {
    /// Starts and gives up what is due.
    pub(super) fn supervise(&mut self, now: Moment) {
        for step in self.hosts.due(now) {
            match step {
                HostStep::Start(run) => self.out.push(Effect::StartHost { run }),
                HostStep::Kill(run, why) => self.kill_host(run, why, now),
            }
        }
    }

    pub(super) fn host_said(&mut self, run: HostRun, said: HostSays<R>, now: Moment) {
        if !self.hosts.is_alive(run) {
            return;
        }
        if let HostSays::Hello { protocols } = said {
            match self.hosts.hello(run, &protocols, now) {
                Ok(protocol) => {
                    self.out.push(Effect::SendToHost {
                        run,
                        command: HostCommand::Welcome { protocol },
                    });
                    self.out.push(Effect::Report(Report::HostReady { run }));
                }
                Err(why) => self.kill_host(run, why, now),
            }
            return;
        }
        if !self.hosts.is_ready(run) {
            self.out_of_turn(run, now);
            return;
        }
        match said {
            HostSays::Hello { .. } => {}
            HostSays::Devices { service, devices } => {
                let reported = self.devices.report(run.host, service, devices);
                for device in reported.offered_twice {
                    self.out.push(Effect::Report(Report::DeviceOfferedTwice {
                        host: run.host,
                        device,
                    }));
                }
                self.publish_devices(reported.changed);
            }
            HostSays::Pong { n } => self.hosts.pong(run, n),
            HostSays::Accepted { work } => self.accepted(run, work, now),
            HostSays::Progress { work, step, card } => {
                self.progressed(run, work, (step, card), now)
            }
            HostSays::Ask {
                work,
                ask,
                secret,
                tries_left,
            } => {
                self.asked(run, work, (ask, secret, tries_left), now);
            }
            HostSays::Done {
                work,
                verdict,
                result,
                documents,
                evidence,
            } => {
                self.work_done(
                    run,
                    work,
                    End {
                        fault: None,
                        verdict,
                        result: Some(result),
                        documents,
                        evidence,
                        about: None,
                    },
                    now,
                );
            }
            HostSays::Item {
                work,
                n,
                kind,
                item,
            } => self.item_came((run, work), (n, kind), item, now),
            HostSays::Failed { work, fault, about } => {
                self.work_done(
                    run,
                    work,
                    End {
                        about,
                        ..End::failed(fault)
                    },
                    now,
                );
            }
        }
    }

    /// A line that is no message.
    pub(super) fn host_garbled(&mut self, run: HostRun, now: Moment) {
        if self.hosts.is_alive(run) && self.hosts.garbled(run) {
            self.kill_host(run, HostLoss::Unusable, now);
        }
    }

    /// A message that does not fit the state.
    pub(super) fn out_of_turn(&mut self, run: HostRun, now: Moment) {
        self.out.push(Effect::Report(Report::HostOutOfTurn { run }));
        self.host_garbled(run, now);
    }

    pub(super) fn host_exited(&mut self, run: HostRun, now: Moment) {
        if let Some(end) = self.hosts.exited(run, now) {
            self.host_over(run, HostLoss::Died, &end, now);
        }
    }

    /// Gives up a life of a host. Its other jobs end with it: that is the price of a process that cannot
    /// be trusted to let go of a device in any gentler way.
    pub(super) fn kill_host(&mut self, run: HostRun, why: HostLoss, now: Moment) {
        if let Some(end) = self.hosts.killed(run, now) {
            self.out.push(Effect::KillHost { run });
            self.host_over(run, why, &end, now);
        }
    }

    fn host_over(&mut self, run: HostRun, why: HostLoss, end: &HostEnd, now: Moment) {
        let &HostEnd {
            in_a_row,
            restart_in,
        } = end;
        self.out.push(Effect::Report(Report::HostLost {
            run,
            why,
            in_a_row,
            restart_in,
        }));
        let orphans = self.jobs.iter().filter_map(|job| {
            let at = job.work().filter(|at| at.run == run)?;
            Some((job.id.clone(), fault_of_orphan(at, why)))
        });
        let orphans: Vec<_> = orphans.collect();
        for (job, code) in orphans {
            self.finish(&job, End::failed(Fault::from(code)), now);
        }
        let changed = self.devices.host_lost(run.host);
        self.publish_devices(changed);
    }

    fn publish_devices(&mut self, changed: BTreeSet<DeviceClass>) {
        if changed.is_empty() {
            return;
        }
        let everything = self.devices.view(|_class| true);
        self.out
            .push(Effect::Report(Report::Devices(everything.clone())));
        self.publish(
            Audience::DeviceViewers(changed),
            Happening::Devices(everything),
        );
    }
}

/// Why a job ended whose host is gone.
fn fault_of_orphan(at: &AtHost, why: HostLoss) -> FaultCode {
    if at.secret_out {
        // The card may have counted the try or not; only it can tell.
        return FaultCode::PinUnknown;
    }
    match (at.ending, why) {
        // The host had its time and did not even let go: what it waits for is the device.
        (Some(FaultCode::JobDeadline), HostLoss::Overdue) => FaultCode::ReaderHung,
        (Some(wanted), _) => wanted,
        (None, HostLoss::Died | HostLoss::Overdue | HostLoss::Deaf | HostLoss::Ordered) => {
            FaultCode::HostDied
        }
        (None, HostLoss::Silent | HostLoss::WrongVersion | HostLoss::Unusable) => {
            FaultCode::HostUnusable
        }
    }
}
