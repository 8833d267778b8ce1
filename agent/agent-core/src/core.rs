//! The core: one state, one way in, one way out.
//!
//! `handle` serves the timers that are due, takes the event in, and then settles: devices that became
//! free get their next job, free screens get their next question, owners hear of their leases.
//! The parts keep their own rules; this file and those below it only lead from one part to the next.
//!
//! | file | leads |
//! |---|---|
//! | `calls.rs` | requests about devices, leases, screens and nonces |
//! | `job_calls.rs` | requests about jobs |
//! | `driving.rs` | jobs through hosts and into the audit log |
//! | `supervising.rs` | driver hosts |
//! | `asking.rs` | questions to citizens' screens and answers back |
//! | `streaming.rs` | items of jobs to pages and screens, what citizens do back |

mod asking;
mod calls;
mod driving;
mod job_calls;
mod streaming;
mod supervising;

use std::collections::BTreeMap;

use device_api::{DeviceId, FaultCode, Moment};

use crate::access::{Access, Caller, Grants, Owner, Scope};
use crate::chance::{self, Chance};
use crate::devices::Devices;
use crate::documents::Documents;
use crate::effect::{Effect, Happening, HostLoss, Pairing};
use crate::event::{Event, Refusal};
use crate::hosts::Hosts;
use crate::ids::{AuditTicket, HostId, JobId, SessionId, SessionLink};
use crate::jobs::Jobs;
use crate::leases::{LeaseChange, LeaseEnd, Leases};
use crate::screens::Screens;
use crate::stream::{Audience, Position, Stream};

/// What the core is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How many driver hosts there are: `HostId(0)` to `HostId(hosts - 1)`.
    pub hosts: u16,
    /// The one that serves card readers, where there is one.
    pub card_host: Option<HostId>,
    /// What each origin may do.
    pub grants: Grants,
    /// The first fence of this run; must be above every fence of every earlier run.
    pub first_fence: u64,
    /// The pairings that the last `Effect::StorePairings` stored.
    pub pairings: Vec<Pairing>,
}

/// Decides everything, does nothing.
#[derive(Debug)]
pub struct Core<R> {
    access: Access,
    devices: Devices,
    documents: Documents<R>,
    leases: Leases,
    jobs: Jobs<R>,
    hosts: Hosts,
    screens: Screens,
    stream: Stream,
    chance: Box<dyn Chance>,
    out: Vec<Effect<R>>,
    next_work: u64,
    next_ticket: u64,
    /// Records of successes whose jobs were ended because they did not come in time.
    late: BTreeMap<AuditTicket, JobId>,
    /// An operator has taken the machine out of service.
    locked: bool,
    stop: Stop,
}

/// How far the end of the agent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    Wanted,
    Drained,
}

impl<R> Core<R> {
    /// A core in which nothing has happened yet.
    #[must_use]
    pub fn new(config: Config, mut chance: Box<dyn Chance>) -> Self {
        let run = chance::name(&mut *chance);
        Self {
            access: Access::new(config.grants),
            devices: Devices::new(config.card_host),
            documents: Documents::new(),
            leases: Leases::new(config.first_fence),
            jobs: Jobs::new(),
            hosts: Hosts::new(config.hosts),
            screens: Screens::new(config.pairings),
            stream: Stream::new(run),
            chance,
            out: Vec::new(),
            next_work: 1,
            next_ticket: 1,
            late: BTreeMap::new(),
            locked: false,
            stop: Stop::No,
        }
    }

    /// Whether a driver host is in the middle of a job.
    #[must_use]
    pub fn is_serving(&self, host: HostId) -> bool {
        let at_work = |job: &crate::jobs::Job<R>| {
            job.is_live() && job.work().is_some_and(|at| at.run.host == host)
        };
        self.jobs.iter().any(at_work)
    }

    /// Takes in what happened at `now` and tells what to do, in order.
    ///
    /// `now` never goes back. Timers that are due at `now` are served first.
    pub fn handle(&mut self, event: Event<R>, now: Moment) -> Vec<Effect<R>> {
        self.serve_timers(now);
        self.take_in(event, now);
        self.settle(now);
        self.serve_timers(now);
        std::mem::take(&mut self.out)
    }

    /// When `Event::Woken` is next needed; `None` while nothing waits for time.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Moment> {
        let parts = [
            self.hosts.next_wakeup(),
            self.leases.next_wakeup(),
            self.jobs.next_wakeup(),
            self.screens.next_wakeup(),
            self.documents.next_wakeup(),
            self.stream.next_wakeup(),
        ];
        parts.into_iter().flatten().min()
    }

    fn take_in(&mut self, event: Event<R>, now: Moment) {
        match event {
            Event::Started => {
                self.hosts.start_all(now);
                self.supervise(now);
            }
            Event::Woken => {}
            Event::RestartHost { host } => {
                if let Some(run) = self.hosts.ready(host) {
                    self.kill_host(run, HostLoss::Ordered, now);
                }
            }
            Event::Lock { locked } => self.locked = locked,
            Event::Request { id, caller, call } => {
                let outcome = self.call(&caller, call, now);
                self.out.push(Effect::Reply {
                    request: id,
                    outcome,
                });
            }
            Event::SessionOpened {
                link,
                caller,
                after,
            } => self.open_session(link, caller, after),
            Event::SessionRenewed { link, caller } => {
                if let Err(code) = self.stream.renew(link, caller) {
                    self.refuse_session(link, code, now);
                }
            }
            Event::SessionSaid { link, said } => self.session_said(link, said),
            Event::SessionClosed { link } => self.end_session(link, now),
            Event::ScreenSaid { link, said } => self.screen_said(link, said, now),
            Event::ScreenClosed { link } => self.screen_closed(link, now),
            Event::HostSaid { run, said } => self.host_said(run, said, now),
            Event::HostGarbled { run } => self.host_garbled(run, now),
            Event::HostExited { run } => self.host_exited(run, now),
            Event::AuditWritten { ticket } => self.recorded(ticket, true, now),
            Event::AuditFailed { ticket } => self.recorded(ticket, false, now),
            Event::Stop => self.stop(now),
        }
    }

    /// Serves whatever is due, and whatever becomes due by that.
    fn serve_timers(&mut self, now: Moment) {
        // Each timer that is served lies later afterwards, so the rounds are few; the bound only keeps a
        // mistake here from holding the daemon.
        for _round in 0..32 {
            if self.next_wakeup().is_none_or(|due| due > now) {
                return;
            }
            self.supervise(now);
            self.leases.expire(now);
            self.documents.expire(now);
            self.serve_job_timers(now);
            self.replace_stale_codes(now);
            for link in self.stream.expired(now) {
                self.refuse_session(link, FaultCode::DoorTokenExpired, now);
            }
            self.settle(now);
        }
    }

    /// Leads on whatever the last change made possible.
    fn settle(&mut self, now: Moment) {
        for change in self.leases.drain_changes() {
            self.lease_changed(change, now);
        }
        self.start_waiting_jobs(now);
        self.show_waiting_questions();
        if self.stop == Stop::Wanted && !self.jobs.iter().any(|job| job.is_live()) {
            self.stop = Stop::Drained;
            self.out.push(Effect::Drained);
        }
    }

    fn lease_changed(&mut self, change: LeaseChange, now: Moment) {
        match change {
            LeaseChange::Moved(id, owner) => {
                if let Some(view) = self.leases.view(&id, &owner, now) {
                    let audience = self.to_holder(owner, &view.device);
                    self.publish(audience, Happening::Lease(view));
                }
            }
            LeaseChange::Ended(id, owner, device, end) => {
                let why = match end {
                    LeaseEnd::Released => FaultCode::JobCancelled,
                    LeaseEnd::Expired => FaultCode::LeaseLost,
                    LeaseEnd::SessionGone => FaultCode::JobAbandoned,
                };
                let of_lease = self
                    .jobs
                    .iter()
                    .filter(|job| job.order.lease == id && job.is_live());
                let jobs: Vec<_> = of_lease.map(|job| job.id.clone()).collect();
                for job in jobs {
                    self.want_end(&job, why, now);
                }
                let audience = self.to_holder(owner, &device);
                self.publish(audience, Happening::LeaseEnded(id));
            }
        }
    }

    fn open_session(&mut self, link: SessionLink, caller: Caller, after: Option<Position>) {
        let session = SessionId::new(chance::name(&mut *self.chance));
        if let Err(code) = self.stream.open(link, session.clone(), caller) {
            self.out.push(Effect::RefuseSession {
                link,
                refusal: Refusal::from(code),
            });
            return;
        }
        let replay = after
            .as_ref()
            .map(|after| self.stream.replay(link, after, &self.access));
        // With a replay the client stands where it stood, and the events lead it on from there.
        let (position, missed, events) = match (after, replay) {
            (Some(after), Some(Some(events))) => (after, false, events),
            (None, _) => (self.stream.position(), false, Vec::new()),
            (Some(_), _) => (self.stream.position(), true, Vec::new()),
        };
        self.out.push(Effect::Welcome {
            link,
            session,
            position,
            missed,
        });
        self.deliver(events);
    }

    fn refuse_session(&mut self, link: SessionLink, code: FaultCode, now: Moment) {
        self.out.push(Effect::RefuseSession {
            link,
            refusal: Refusal::from(code),
        });
        self.end_session(link, now);
    }

    fn end_session(&mut self, link: SessionLink, now: Moment) {
        if self.stream.close(link) {
            self.leases.session_gone(link, now);
            self.erase_results_of(link);
        }
    }

    fn stop(&mut self, now: Moment) {
        if self.stop != Stop::No {
            return;
        }
        self.stop = Stop::Wanted;
        self.hosts.stop();
        let live: Vec<_> = self
            .jobs
            .iter()
            .filter(|job| job.is_live())
            .map(|job| job.id.clone())
            .collect();
        for job in live {
            self.want_end(&job, FaultCode::AgentStopping, now);
        }
    }

    /// The owner of a lease, as long as the device may be seen.
    fn to_holder(&self, owner: Owner, device: &DeviceId) -> Audience {
        let see = self.devices.class_of(device).map(Scope::to_see);
        Audience::Owner(owner, see.into_iter().collect())
    }

    fn publish(&mut self, audience: Audience, happening: Happening) {
        let told = self.stream.publish(audience, happening, &self.access);
        self.deliver(told);
    }

    fn deliver(&mut self, events: Vec<crate::stream::Delivery>) {
        let effects = events
            .into_iter()
            .map(|(link, seq, happening)| Effect::Publish {
                link,
                seq,
                happening,
            });
        self.out.extend(effects);
    }
}
