//! Random sequences of events, and what must hold after each of them.
//!
//! The test plays clients, screens, a driver host that also lies and dies, and an audit log that also
//! fails. What it knows it learns from effects alone, as the daemon does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use agent_core::access::Caller;
use agent_core::effect::{
    Answer, AuditEntry, AuditStage, Effect, HostAnswer, HostCommand, LeaseView, Place, ScreenTell,
};
use agent_core::event::{
    Call, DeviceReport, DeviceState, HostSays, JobAnswer, ScreenSays, SecretKind, ServiceState,
};
use agent_core::ids::{AuditTicket, HostRun, JobId, LeaseId, ScreenLink, SessionId, SessionLink};
use agent_core::task::{Credential, JobOrder, JobState, Step as JobStep, Task};
use agent_core::{Event, Sealed};
use device_api::{DeviceId, FaultCode, Moment, Secret};
use proptest::prelude::*;

use crate::bench::{
    Bench, OTHER_READER, READER, Reading, caller, caller_at, order_with, read, read_on_screen, run,
};
use crate::steps::{Step, step};

mod learning;

/// A job at a host that has not said its last word.
#[derive(Debug, Clone)]
struct Work {
    run: HostRun,
    work: u64,
    device: DeviceId,
    asked: u32,
    /// Whether a well-behaved host would ask now, and for what.
    may_ask: bool,
    secret: SecretKind,
}

/// What the test knows.
#[derive(Debug)]
struct World {
    bench: Bench,
    callers: Vec<Caller>,
    alive: Option<HostRun>,
    killed: BTreeMap<HostRun, Moment>,
    newest_run: u64,
    works: Vec<Work>,
    leases: Vec<(LeaseView, usize)>,
    fences: BTreeMap<LeaseId, u64>,
    /// The leases that are granted now, each with its fence and owner.
    granted: Vec<(LeaseId, u64, usize)>,
    jobs: BTreeMap<JobId, usize>,
    /// The jobs that wait for an answer, and those whose result waits, each with its owner.
    asking: Vec<(JobId, usize)>,
    waiting: Vec<(JobId, usize)>,
    ended: BTreeMap<JobId, JobState>,
    tickets: Vec<(AuditTicket, JobId)>,
    recorded: BTreeMap<JobId, bool>,
    /// The records of starts that wait to be written, and those that were.
    starts: Vec<(AuditTicket, JobId)>,
    begun: BTreeSet<JobId>,
    /// The job of each work, as the record before its start says.
    job_of: BTreeMap<u64, JobId>,
    starting: Option<JobId>,
    taken: BTreeSet<JobId>,
    sessions: Vec<(SessionLink, SessionId, usize)>,
    screens: BTreeMap<ScreenLink, Shown>,
    /// Tries left of each question that was put.
    asks: BTreeMap<(u64, u32), u8>,
    secrets: BTreeSet<(u64, u32)>,
    last_tries_allowed: usize,
    last_tries_spent: usize,
    seq: u64,
    next: u64,
    /// What a well-behaved host says next; most of the time ours does.
    duties: Vec<HostSays<Reading>>,
}

#[derive(Debug, Clone)]
enum Shown {
    Code(String),
    Nothing,
    Ask(JobId, u32),
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            bench: Bench::new(),
            callers: vec![caller("a"), caller("b"), caller_at("c", "4")],
            alive: None,
            killed: BTreeMap::new(),
            newest_run: 0,
            works: Vec::new(),
            leases: Vec::new(),
            fences: BTreeMap::new(),
            granted: Vec::new(),
            jobs: BTreeMap::new(),
            asking: Vec::new(),
            waiting: Vec::new(),
            ended: BTreeMap::new(),
            tickets: Vec::new(),
            recorded: BTreeMap::new(),
            starts: Vec::new(),
            begun: BTreeSet::new(),
            job_of: BTreeMap::new(),
            starting: None,
            taken: BTreeSet::new(),
            sessions: Vec::new(),
            screens: BTreeMap::new(),
            asks: BTreeMap::new(),
            secrets: BTreeSet::new(),
            last_tries_allowed: 0,
            last_tries_spent: 0,
            seq: 0,
            next: 1,
            duties: Vec::new(),
        };
        world.bench.holds_starts = true;
        world.event(Event::Started);
        // A screen at each counter, so that most jobs come as far as a PIN.
        for who in [0, 2] {
            world.play(&Step::Screen);
            world.play(&Step::Pair(who));
        }
        world
    }

    fn event(&mut self, event: Event<Reading>) {
        let now = self.bench.now;
        let out = self.bench.core.handle(event, now);
        self.learn(out);
        let due = self.bench.core.next_wakeup();
        assert!(due.is_none_or(|due| due > now), "woken at once");
        for duty in std::mem::take(&mut self.duties) {
            self.host(duty);
        }
        // Most records of starts are written at once; some wait for the step that writes records.
        let prompt = self.starts.iter().position(|(ticket, _)| ticket.0 % 4 != 0);
        if let Some(place) = prompt {
            let (ticket, job) = self.starts.remove(place);
            self.begun.insert(job);
            self.event(Event::AuditWritten { ticket });
        }
        let reaped = self.killed.keys().find(|run| run.run % 5 != 0).copied();
        if let Some(run) = reaped {
            self.killed.remove(&run);
            self.event(Event::HostExited { run });
        }
    }

    fn call(&mut self, who: usize, call: Call<Reading>) -> Option<Answer<Reading>> {
        let outcome = self.bench.call(&self.callers[who].clone(), call);
        let out = std::mem::take(&mut self.bench.out);
        assert!(
            !out.iter()
                .any(|effect| matches!(effect, Effect::Reply { .. })),
            "one reply each"
        );
        self.learn(out);
        outcome.ok()
    }

    fn host(&mut self, said: HostSays<Reading>) {
        if let Some(run) = self.alive {
            self.event(Event::HostSaid { run, said });
        }
    }

    fn devices(&mut self, variety: u8) {
        let states = [
            DeviceState::Empty,
            DeviceState::CardPresent,
            DeviceState::Unresponsive,
        ];
        let state = states.get(usize::from(variety)).copied();
        let mut devices = vec![with_keys(OTHER_READER, DeviceState::Empty)];
        devices.extend(state.map(|state| with_keys(READER, state)));
        self.host(HostSays::Devices {
            service: match variety {
                0..3 => ServiceState::Up,
                3 => ServiceState::Down,
                _ => ServiceState::Denied,
            },
            devices,
        });
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn work(&self, choice: usize) -> Option<Work> {
        pick(&self.works, choice).cloned()
    }

    fn job(&self, choice: usize) -> Option<(JobId, usize)> {
        let jobs: Vec<_> = self.jobs.iter().collect();
        pick(&jobs, choice).map(|(id, who)| ((*id).clone(), **who))
    }

    fn play(&mut self, step: &Step) {
        match *step {
            Step::Pass(millis) => self.pass(Duration::from_millis(millis)),
            Step::Exit => {
                let reaped = self.killed.keys().next().copied();
                if let Some(run) = self.alive.take().or(reaped) {
                    self.killed.remove(&run);
                    self.works.retain(|work| work.run != run);
                    self.event(Event::HostExited { run });
                }
            }
            Step::Recover => {
                if self.alive.is_none() {
                    self.pass(Duration::from_secs(31));
                }
            }
            Step::Hello => self.host(HostSays::Hello { protocols: vec![1] }),
            Step::Devices(variety) => self.devices(variety),
            Step::Accept(_)
            | Step::Progress(_)
            | Step::Ask(..)
            | Step::Done(_)
            | Step::Fail(..)
            | Step::Nonsense
            | Step::LateWord => self.play_host(step),
            Step::OpenSession(_)
            | Step::CloseSession(_)
            | Step::Screen
            | Step::Pair(_)
            | Step::Type(..)
            | Step::Decline(_)
            | Step::CloseScreen(_) => self.play_connections(step),
            Step::Audit(choice, written) => {
                if let Some((ticket, job)) = self.starts.pop() {
                    let event = if written {
                        self.begun.insert(job);
                        Event::AuditWritten { ticket }
                    } else {
                        Event::AuditFailed { ticket }
                    };
                    self.event(event);
                } else if !self.tickets.is_empty() {
                    let (ticket, job) = self.tickets.remove(choice % self.tickets.len());
                    self.recorded.insert(job, written);
                    let event = if written {
                        Event::AuditWritten { ticket }
                    } else {
                        Event::AuditFailed { ticket }
                    };
                    self.event(event);
                }
            }
            Step::Lease(..)
            | Step::Renew(_)
            | Step::Release(_)
            | Step::Start(..)
            | Step::Cancel(_)
            | Step::Answer(..)
            | Step::Take(..) => self.play_client(step),
        }
    }

    fn pass(&mut self, span: Duration) {
        let end = self.bench.now.plus(span);
        while let Some(due) = self.bench.core.next_wakeup().filter(|due| *due <= end) {
            self.bench.now = due;
            // A record that was not answered for so long counts as failed.
            self.event(Event::Woken);
        }
        self.bench.now = end;
    }

    fn play_host(&mut self, step: &Step) {
        match *step {
            Step::Accept(choice) => {
                if let Some(Work { work, .. }) = self.work(choice) {
                    self.host(HostSays::Accepted { work });
                }
            }
            Step::Progress(choice) => {
                if let Some(Work { work, .. }) = self.work(choice) {
                    self.host(HostSays::Progress {
                        work,
                        step: JobStep::Reading,
                        card: None,
                    });
                }
            }
            Step::Ask(choice, tries_left) => {
                let lies = choice == 0;
                let asking: Vec<u64> = self
                    .works
                    .iter()
                    .filter(|known| known.may_ask || lies)
                    .map(|known| known.work)
                    .collect();
                let Some(work) = pick(&asking, choice).copied() else {
                    return;
                };
                let known = self
                    .works
                    .iter_mut()
                    .find(|known| known.work == work)
                    .unwrap();
                known.asked += 1;
                known.may_ask = false;
                let (ask, secret) = (known.asked, known.secret);
                self.asks.insert((work, ask), tries_left);
                self.host(HostSays::Ask {
                    work,
                    ask,
                    secret,
                    tries_left,
                });
            }
            Step::Done(choice) => {
                if let Some(Work { work, .. }) = self.work(choice) {
                    self.works.retain(|known| known.work != work);
                    let result = Sealed::new(work);
                    self.host(HostSays::Done {
                        work,
                        verdict: None,
                        result,
                        documents: Vec::new(),
                        evidence: None,
                    });
                }
            }
            Step::Fail(choice, code) => {
                if let Some(Work { work, .. }) = self.work(choice) {
                    self.works.retain(|known| known.work != work);
                    let code = FaultCode::ALL[code % FaultCode::ALL.len()];
                    self.host(HostSays::Failed {
                        work,
                        fault: code.into(),
                        about: None,
                    });
                }
            }
            Step::Nonsense => self.host(HostSays::Accepted { work: 1_000_000 }),
            _ => {
                let old = run(self.newest_run.saturating_sub(1));
                let result = Sealed::new(0);
                let said = HostSays::Done {
                    work: self.newest_run,
                    verdict: None,
                    result,
                    documents: Vec::new(),
                    evidence: None,
                };
                self.event(Event::HostSaid { run: old, said });
            }
        }
    }

    fn play_connections(&mut self, step: &Step) {
        match *step {
            Step::OpenSession(who) => {
                let (link, who) = (SessionLink(self.number()), who % self.callers.len());
                if self.sessions.len() < 8 {
                    self.sessions.push((link, SessionId::new(""), who));
                    let caller = self.callers[who].clone();
                    self.event(Event::SessionOpened {
                        link,
                        caller,
                        after: None,
                    });
                }
            }
            Step::CloseSession(choice) if !self.sessions.is_empty() => {
                let (link, ..) = self.sessions.remove(choice % self.sessions.len());
                self.event(Event::SessionClosed { link });
            }
            Step::Screen => {
                let link = ScreenLink(self.number());
                if self.screens.len() < 8 {
                    self.screens.insert(link, Shown::Nothing);
                    let said = ScreenSays::Register { key: None };
                    self.event(Event::ScreenSaid { link, said });
                }
            }
            Step::Pair(who) => {
                let code = self.screens.values().find_map(|shown| match shown {
                    Shown::Code(code) => Some(code.clone()),
                    _ => None,
                });
                let code = code.unwrap_or_else(|| "000000".to_owned());
                self.call(who % self.callers.len(), Call::PairScreen { code });
            }
            Step::Type(choice, good) => {
                if let Some((link, job, ask)) = self.asked_screen(choice) {
                    let value = Secret::from(if good { "1234" } else { "12" }.to_owned());
                    self.event(Event::ScreenSaid {
                        link,
                        said: ScreenSays::Secret { job, ask, value },
                    });
                }
            }
            Step::Decline(choice) => {
                if let Some((link, job, ask)) = self.asked_screen(choice) {
                    self.event(Event::ScreenSaid {
                        link,
                        said: ScreenSays::Decline { job, ask },
                    });
                }
            }
            Step::CloseScreen(choice) => {
                let links: Vec<ScreenLink> = self.screens.keys().copied().collect();
                if let Some(link) = pick(&links, choice).copied() {
                    self.screens.remove(&link);
                    self.event(Event::ScreenClosed { link });
                }
            }
            _ => {}
        }
    }

    fn asked_screen(&self, choice: usize) -> Option<(ScreenLink, JobId, u32)> {
        let asked = self.screens.iter().filter_map(|(link, shown)| match shown {
            Shown::Ask(job, ask) => Some((*link, job.clone(), *ask)),
            _ => None,
        });
        let asked: Vec<_> = asked.collect();
        pick(&asked, choice).cloned()
    }

    fn play_client(&mut self, step: &Step) {
        match *step {
            Step::Lease(who, other, bound) => {
                let who = who % self.callers.len();
                let device = DeviceId::new(if other { OTHER_READER } else { READER });
                let own = self
                    .sessions
                    .iter()
                    .find(|(_, _, owner)| *owner == who && bound);
                let session = own.map(|(_, session, _)| session.clone());
                let ttl = Duration::from_secs(300);
                if let Some(Answer::Lease(lease)) = self.call(
                    who,
                    Call::TakeLease {
                        device,
                        ttl,
                        session,
                    },
                ) {
                    self.leases.push((lease, who));
                }
            }
            Step::Renew(choice) => {
                if let Some((lease, who)) = pick(&self.leases, choice).cloned() {
                    let ttl = Duration::from_secs(60);
                    self.call(
                        who,
                        Call::RenewLease {
                            lease: lease.id,
                            ttl,
                        },
                    );
                }
            }
            Step::Release(choice) => {
                if let Some((lease, who)) = pick(&self.leases, choice).cloned() {
                    self.call(who, Call::ReleaseLease(lease.id));
                }
            }
            Step::Start(choice, task, key) => {
                let Some((lease, fence, who)) = pick(&self.granted, choice).cloned() else {
                    return;
                };
                let task = match task {
                    0 => Task::IdentifyCard,
                    1 => read(Credential::PinByApi),
                    2 => read(Credential::PinOnDevice),
                    _ => read_on_screen(),
                };
                let order = JobOrder {
                    within: Duration::from_secs(20),
                    ..order_with(lease, fence, task)
                };
                let key = format!("{fence}-{key}");
                if let Some(Answer::Started { job, new }) = self.call(
                    who,
                    Call::StartJob {
                        key,
                        order,
                        content: None,
                    },
                ) {
                    assert_eq!(new, !self.jobs.contains_key(&job.id), "new is new");
                    self.jobs.insert(job.id, who);
                }
            }
            Step::Cancel(choice) => {
                if let Some((job, who)) = self.job(choice) {
                    self.call(who, Call::CancelJob(job));
                }
            }
            Step::Answer(choice, kind) => self.answer(choice, kind),
            Step::Take(choice, waiting) => {
                let found = if waiting {
                    pick(&self.waiting, choice).cloned()
                } else {
                    self.job(choice)
                };
                if let Some((job, who)) = found
                    && let Some(Answer::Result(_)) = self.call(who, Call::TakeResult(job.clone()))
                {
                    assert_eq!(
                        self.recorded.get(&job),
                        Some(&true),
                        "no result without a record"
                    );
                    assert!(self.taken.insert(job), "a result is taken once");
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, choice: usize, kind: u8) {
        let Some((job, who)) = pick(&self.asking, choice).cloned() else {
            return;
        };
        let Some(Answer::Job(view)) = self.call(who, Call::Job(job.clone())) else {
            return;
        };
        let Some(question) = view.question else {
            return;
        };
        let answer = match kind {
            0 => JobAnswer::Decline,
            1 => JobAnswer::AllowLastTry,
            _ => JobAnswer::Secret(Secret::from("1234".to_owned())),
        };
        let plain = self.callers[who].clone();
        let allows = matches!(answer, JobAnswer::AllowLastTry);
        let with_nonce = self.bench.with_nonce(&plain);
        // Noted before, because the effects of the call are looked at first.
        self.last_tries_allowed += usize::from(allows);
        self.callers[who] = with_nonce;
        let answered = self.call(
            who,
            Call::AnswerJob {
                job,
                ask: question.ask,
                answer,
            },
        );
        self.callers[who] = plain;
        self.last_tries_allowed -= usize::from(allows && answered.is_none());
    }

    /// What must hold whenever nothing is under way.
    fn check(&mut self) {
        let mut holders: BTreeMap<DeviceId, LeaseId> = BTreeMap::new();
        let mut present = BTreeMap::new();
        self.granted.clear();
        self.asking.clear();
        self.waiting.clear();
        for who in 0..self.callers.len() {
            let Some(Answer::Leases(leases)) = self.call(who, Call::Leases) else {
                panic!()
            };
            for lease in leases {
                if let Place::Granted { fence } = lease.place {
                    let other = holders.insert(lease.device.clone(), lease.id.clone());
                    assert_eq!(other, None, "one holder for each device");
                    self.check_fence(&lease.id, fence);
                    self.granted.push((lease.id.clone(), fence, who));
                }
                present.insert(lease.id.clone(), lease);
            }
            self.check_jobs(who);
        }
        // Who asked first is served first: nobody who still waits asked before the holder.
        for (device, holder) in &holders {
            let queue = self
                .leases
                .iter()
                .filter(|(lease, _)| lease.device == *device);
            let first = queue
                .map(|(lease, _)| &lease.id)
                .find(|id| present.contains_key(id));
            assert_eq!(first, Some(holder), "first come, first served");
        }
        for (lease, _) in &self.leases {
            let free = present.contains_key(&lease.id) && !holders.contains_key(&lease.device);
            assert!(!free, "nobody waits for a free device");
        }
    }

    fn check_fence(&mut self, lease: &LeaseId, fence: u64) {
        match self.fences.get(lease) {
            Some(known) => assert_eq!(*known, fence, "a fence does not change"),
            None => {
                assert!(
                    !self.fences.values().any(|known| *known == fence),
                    "a fence is new"
                );
                self.fences.insert(lease.clone(), fence);
            }
        }
    }

    fn check_jobs(&mut self, who: usize) {
        let Some(Answer::Jobs(jobs)) = self.call(who, Call::Jobs) else {
            panic!()
        };
        assert!(jobs.len() <= 256);
        for job in jobs {
            if job.question.is_some() {
                self.asking.push((job.id.clone(), who));
            }
            if job.result_waiting {
                self.waiting.push((job.id.clone(), who));
            }
            let over = !matches!(job.state, JobState::Accepted | JobState::Running);
            if let Some(before) = self.ended.get(&job.id) {
                assert_eq!(*before, job.state, "an end is final");
            } else if over {
                self.ended.insert(job.id.clone(), job.state);
            }
            assert_eq!(
                over,
                job.state == JobState::Succeeded || job.fault.is_some()
            );
            assert!(!job.result_waiting || self.recorded.get(&job.id) == Some(&true));
            assert!(job.state != JobState::Succeeded || self.recorded.get(&job.id) == Some(&true));
        }
    }

    /// Everybody leaves, and time passes: nothing may be left.
    fn leave(&mut self) {
        while let Some((link, ..)) = self.sessions.pop() {
            self.event(Event::SessionClosed { link });
        }
        for link in self.screens.clone().into_keys() {
            self.screens.remove(&link);
            self.event(Event::ScreenClosed { link });
        }
        let end = self.bench.now.plus(Duration::from_secs(3600));
        while let Some(due) = self.bench.core.next_wakeup().filter(|due| *due <= end) {
            self.bench.now = due;
            self.event(Event::Woken);
            // A host that is started is healthy from here on.
            self.host(HostSays::Hello { protocols: vec![1] });
        }
        for who in 0..self.callers.len() {
            let leases = self.call(who, Call::Leases);
            assert!(matches!(leases, Some(Answer::Leases(left)) if left.is_empty()));
            let jobs = self.call(who, Call::Jobs);
            assert!(matches!(jobs, Some(Answer::Jobs(left)) if left.is_empty()));
        }
        assert_eq!(
            self.bench.core.next_wakeup(),
            None,
            "an idle agent has no timer"
        );
        let records: BTreeSet<&JobId> = self
            .recorded
            .keys()
            .chain(self.tickets.iter().map(|(_, job)| job))
            .collect();
        assert_eq!(
            records,
            self.jobs.keys().collect(),
            "each job has exactly one record"
        );
    }
}

/// A reader on which every kind of job can be started.
fn with_keys(id: &str, state: DeviceState) -> DeviceReport {
    DeviceReport {
        fault: None,
        warnings: Vec::new(),
        facts: device_api::DeviceFacts {
            capabilities: device_api::Capabilities {
                pin_pad: true,
                ..device_api::Capabilities::default()
            },
            ..device_api::DeviceFacts::default()
        },
        ..crate::bench::reader(id, state)
    }
}

fn all_present() -> HostSays<Reading> {
    let devices = [READER, OTHER_READER].map(|id| with_keys(id, DeviceState::Empty));
    HostSays::Devices {
        service: ServiceState::Up,
        devices: devices.into(),
    }
}

fn pick<T>(from: &[T], choice: usize) -> Option<&T> {
    from.get(choice % from.len().max(1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_invariants_hold(steps in prop::collection::vec(step(), 50..300)) {
        let mut world = World::new();
        for step in &steps {
            world.play(step);
            world.check();
        }
        world.leave();
    }
}
