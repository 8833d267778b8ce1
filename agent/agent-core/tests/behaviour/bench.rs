//! A core with a clock moved by hand, foreseeable randomness, and the daemon's part played by the test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use agent_core::access::{Caller, Owner, Proof, Scope};
use agent_core::effect::{
    Answer, AuditEnd, AuditOrder, AuditStage, Happening, HostCommand, LeaseView, Place, ScreenTell,
};
use agent_core::event::{
    Call, DeviceReport, DeviceState, HostSays, Refusal, ScreenSays, SecretKind, ServiceState,
};
use agent_core::ids::{
    AuditTicket, HostId, HostRun, JobId, LeaseId, Origin, RequestId, ScreenLink, SessionId,
    SessionLink,
};
use agent_core::task::{Credential, Field, JobOrder, JobView, Task};
use agent_core::{Chance, Config, Core, Effect, Event, Sealed};
use device_api::{DeviceClass, DeviceId, Moment, Secret};

/// What a job gives in these tests; the number tells results apart.
pub(crate) type Reading = u64;

pub(crate) const PAGE: &str = "https://madoguchi.city.example.jp";
pub(crate) const READER: &str = "pcsc:Reader 0";
pub(crate) const OTHER_READER: &str = "pcsc:Reader 1";

/// Foreseeable bytes: xorshift64*.
#[derive(Debug)]
struct Foreseeable(u64);

impl Chance for Foreseeable {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            *byte = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D).to_be_bytes()[0];
        }
    }

    fn digest(&self, secret: &Secret) -> [u8; 32] {
        let mut digest = [0_u8; 32];
        for (place, byte) in secret.expose().iter().enumerate() {
            let slot = &mut digest[place % 32];
            *slot = slot.wrapping_mul(31).wrapping_add(*byte);
        }
        digest
    }
}

/// The core and what came out of it.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) core: Core<Reading>,
    pub(crate) now: Moment,
    /// Effects of the last event that no helper has used up.
    pub(crate) out: Vec<Effect<Reading>>,
    /// Whether records of starts are left to the test; otherwise each is written at once.
    pub(crate) holds_starts: bool,
    next_request: u64,
}

impl Bench {
    /// A core with one host and every right for [`PAGE`].
    pub(crate) fn new() -> Self {
        Self::with_hosts(1)
    }

    pub(crate) fn with_hosts(hosts: u16) -> Self {
        let all: BTreeSet<Scope> = Scope::ALL.iter().copied().collect();
        let config = Config {
            hosts,
            card_host: Some(HostId(0)),
            grants: BTreeMap::from([(Origin::new(PAGE), all)]),
            first_fence: 1000,
            pairings: Vec::new(),
        };
        let core = Core::new(config, Box::new(Foreseeable(0x9E37_79B9_7F4A_7C15)));
        let now = Moment::after_origin(Duration::from_secs(1));
        Self {
            core,
            now,
            out: Vec::new(),
            holds_starts: false,
            next_request: 1,
        }
    }

    /// A core whose host is in service with two readers.
    pub(crate) fn ready() -> Self {
        let mut bench = Self::new();
        bench.event(Event::Started);
        bench.hello(run(1));
        bench.readers(run(1), DeviceState::Empty);
        bench
    }

    pub(crate) fn event(&mut self, event: Event<Reading>) -> &[Effect<Reading>] {
        self.out = self.core.handle(event, self.now);
        self.write_starts();
        &self.out
    }

    fn write_starts(&mut self) {
        while let Some(place) = self
            .out
            .iter()
            .position(is_start)
            .filter(|_| !self.holds_starts)
        {
            let Effect::AppendAudit { ticket, .. } = self.out.remove(place) else {
                panic!("no record")
            };
            let more = self.core.handle(Event::AuditWritten { ticket }, self.now);
            self.out.extend(more);
        }
    }

    pub(crate) fn call(
        &mut self,
        caller: &Caller,
        call: Call<Reading>,
    ) -> Result<Answer<Reading>, Refusal> {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.event(Event::Request {
            id,
            caller: caller.clone(),
            call,
        });
        let place = self
            .out
            .iter()
            .position(|effect| matches!(effect, Effect::Reply { request, .. } if *request == id))
            .unwrap();
        let Effect::Reply { outcome, .. } = self.out.remove(place) else {
            panic!("no reply")
        };
        outcome
    }

    /// Moves the clock, waking the core exactly when it wants to be woken; gives all effects.
    pub(crate) fn pass(&mut self, span: Duration) -> Vec<Effect<Reading>> {
        let end = self.now.plus(span);
        let mut all = Vec::new();
        while let Some(due) = self.core.next_wakeup().filter(|due| *due <= end) {
            self.now = due;
            self.event(Event::Woken);
            all.append(&mut self.out);
            assert!(
                self.core.next_wakeup().is_none_or(|next| next > due),
                "woken in vain"
            );
        }
        self.now = end;
        all
    }

    pub(crate) fn hello(&mut self, run: HostRun) {
        self.event(Event::HostSaid {
            run,
            said: HostSays::Hello { protocols: vec![1] },
        });
    }

    pub(crate) fn host(&mut self, run: HostRun, said: HostSays<Reading>) {
        self.event(Event::HostSaid { run, said });
    }

    pub(crate) fn readers(&mut self, run: HostRun, state: DeviceState) {
        let devices = vec![
            reader(READER, state),
            reader(OTHER_READER, DeviceState::Empty),
        ];
        self.host(
            run,
            HostSays::Devices {
                service: ServiceState::Up,
                devices,
            },
        );
    }

    pub(crate) fn session(&mut self, link: u64, caller: &Caller) -> SessionId {
        let caller = caller.clone();
        self.event(Event::SessionOpened {
            link: SessionLink(link),
            caller,
            after: None,
        });
        let welcome = self.out.iter().find_map(|effect| match effect {
            Effect::Welcome { session, .. } => Some(session.clone()),
            _ => None,
        });
        welcome.unwrap()
    }

    pub(crate) fn lease(&mut self, caller: &Caller, session: Option<SessionId>) -> LeaseView {
        let call = Call::TakeLease {
            device: DeviceId::new(READER),
            ttl: Duration::from_secs(600),
            session,
        };
        match self.call(caller, call) {
            Ok(Answer::Lease(view)) => view,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn start(&mut self, caller: &Caller, key: &str, order: JobOrder) -> JobView {
        match self.call(
            caller,
            Call::StartJob {
                key: key.to_owned(),
                order,
                content: None,
            },
        ) {
            Ok(Answer::Started { job, .. }) => *job,
            other => panic!("{other:?}"),
        }
    }

    /// Takes a lease and starts a job; gives the job and its number at the host.
    pub(crate) fn started(&mut self, caller: &Caller, task: Task) -> (JobView, u64) {
        let lease = self.lease(caller, None);
        let job = self.start(caller, "key-1", order(&lease, task));
        (job, self.sent_start().unwrap())
    }

    /// The number of the job that the last event sent to a host.
    pub(crate) fn sent_start(&self) -> Option<u64> {
        self.out.iter().find_map(|effect| match effect {
            Effect::SendToHost {
                command: HostCommand::Start { work, .. },
                ..
            } => Some(*work),
            _ => None,
        })
    }

    pub(crate) fn ask(&mut self, run: HostRun, work: u64, ask: u32, tries_left: u8) {
        let secret = SecretKind::Pin;
        self.host(
            run,
            HostSays::Ask {
                work,
                ask,
                secret,
                tries_left,
            },
        );
    }

    pub(crate) fn done(&mut self, run: HostRun, work: u64, reading: Reading) {
        let result = Sealed::new(reading);
        self.host(
            run,
            HostSays::Done {
                work,
                verdict: None,
                result,
                documents: Vec::new(),
                evidence: None,
            },
        );
    }

    pub(crate) fn view(&mut self, caller: &Caller, job: &JobId) -> JobView {
        match self.call(caller, Call::Job(job.clone())) {
            Ok(Answer::Job(view)) => *view,
            other => panic!("{other:?}"),
        }
    }

    /// Answers the record that the last event sent to the audit log.
    pub(crate) fn audit(&mut self, written: bool) -> AuditEnd {
        let (ticket, _, end) = ended(&self.out).unwrap();
        let event = if written {
            Event::AuditWritten { ticket }
        } else {
            Event::AuditFailed { ticket }
        };
        self.event(event);
        end
    }

    /// Connects a new screen and pairs it with the caller's counter; gives its key.
    pub(crate) fn pair(&mut self, link: u64, caller: &Caller) -> Secret {
        let code = self.show_code(link);
        let answer = self.call(caller, Call::PairScreen { code });
        assert!(matches!(answer, Ok(Answer::PinScreens(_))), "{answer:?}");
        let told = std::mem::take(&mut self.out)
            .into_iter()
            .find_map(|effect| match effect {
                Effect::TellScreen {
                    tell: ScreenTell::Paired { key, .. },
                    ..
                } => key,
                _ => None,
            });
        told.unwrap()
    }

    pub(crate) fn show_code(&mut self, link: u64) -> String {
        let said = ScreenSays::Register { key: None };
        self.event(Event::ScreenSaid {
            link: ScreenLink(link),
            said,
        });
        let code = self.out.iter().find_map(|effect| match effect {
            Effect::TellScreen {
                tell: ScreenTell::Pairing { code },
                ..
            } => Some(code.clone()),
            _ => None,
        });
        code.unwrap()
    }

    pub(crate) fn type_pin(&mut self, link: u64, job: &JobId, ask: u32, pin: &str) {
        let value = Secret::from(pin.to_owned());
        let said = ScreenSays::Secret {
            job: job.clone(),
            ask,
            value,
        };
        self.event(Event::ScreenSaid {
            link: ScreenLink(link),
            said,
        });
    }

    /// A fresh nonce in the caller's token.
    pub(crate) fn with_nonce(&mut self, caller: &Caller) -> Caller {
        match self.call(caller, Call::NewNonce) {
            Ok(Answer::Nonce { nonce, .. }) => Caller {
                proof: Proof::Nonce(nonce),
                ..caller.clone()
            },
            other => panic!("{other:?}"),
        }
    }
}

/// The `life`-th life of the only host.
pub(crate) const fn run(life: u64) -> HostRun {
    HostRun {
        host: HostId(0),
        run: life,
    }
}

/// Somebody at counter 3 with every scope, whose token lasts longer than any test.
pub(crate) fn caller(staff: &str) -> Caller {
    caller_at(staff, "3")
}

pub(crate) fn caller_at(staff: &str, counter: &str) -> Caller {
    Caller {
        owner: Owner {
            origin: Origin::new(PAGE),
            counter: counter.to_owned(),
            staff: staff.to_owned(),
        },
        scopes: Scope::ALL.iter().copied().collect(),
        proof: Proof::Token,
        until: None,
    }
}

pub(crate) fn reader(id: &str, state: DeviceState) -> DeviceReport {
    DeviceReport {
        id: DeviceId::new(id),
        class: DeviceClass::CardReader,
        name: id.to_owned(),
        state,
        fault: None,
        warnings: Vec::new(),
        facts: device_api::DeviceFacts {
            capabilities: device_api::Capabilities {
                pin_pad: false,
                ..device_api::Capabilities::default()
            },
            ..device_api::DeviceFacts::default()
        },
    }
}

pub(crate) fn read_on_screen() -> Task {
    read(Credential::PinOnScreen { shuffled: false })
}

pub(crate) fn read(credential: Credential) -> Task {
    Task::ReadMyNumberCard {
        fields: vec![Field::FourAttributes],
        credential,
    }
}

pub(crate) fn order(lease: &LeaseView, task: Task) -> JobOrder {
    let Place::Granted { fence } = lease.place else {
        panic!("not granted: {lease:?}")
    };
    order_with(lease.id.clone(), fence, task)
}

pub(crate) fn order_with(lease: LeaseId, fence: u64, task: Task) -> JobOrder {
    let purpose = "住民票の写しの交付".to_owned();
    JobOrder {
        lease,
        fence,
        purpose,
        within: Duration::from_secs(60),
        task,
        digest: [0; 32],
        documents: Vec::new(),
    }
}

/// What records were ordered.
pub(crate) fn stages(out: &[Effect<Reading>]) -> Vec<AuditStage> {
    let stage = |effect: &Effect<Reading>| match effect {
        Effect::AppendAudit { entry, .. } => Some(entry.stage.clone()),
        _ => None,
    };
    out.iter().filter_map(stage).collect()
}

/// The first record of a job's end among some effects.
pub(crate) fn ended(out: &[Effect<Reading>]) -> Option<(AuditTicket, AuditOrder, AuditEnd)> {
    out.iter().find_map(|effect| match effect {
        Effect::AppendAudit { ticket, entry } => match &entry.stage {
            AuditStage::Ended(order, end) => Some((*ticket, order.clone(), end.clone())),
            AuditStage::Started(_) | AuditStage::Withheld => None,
        },
        _ => None,
    })
}

fn is_start(effect: &Effect<Reading>) -> bool {
    matches!(effect, Effect::AppendAudit { entry, .. } if matches!(entry.stage, AuditStage::Started(_)))
}

/// The answers that went to the host.
pub(crate) fn answers(out: &[Effect<Reading>]) -> Vec<String> {
    let answer = |effect: &Effect<Reading>| match effect {
        Effect::SendToHost {
            command: HostCommand::Answer { answer, .. },
            ..
        } => Some(format!("{answer:?}")),
        _ => None,
    };
    out.iter().filter_map(answer).collect()
}

/// What screens were told, without what is drawn.
pub(crate) fn told(out: &[Effect<Reading>]) -> Vec<(u64, String)> {
    let tell = |effect: &Effect<Reading>| match effect {
        Effect::TellScreen { link, tell } => Some((
            link.0,
            match tell {
                ScreenTell::Pairing { .. } => "pairing".to_owned(),
                ScreenTell::Paired { key, .. } => format!("paired, new key {}", key.is_some()),
                ScreenTell::Idle { last } => format!("idle {last:?}"),
                ScreenTell::Ask {
                    ask,
                    tries_left,
                    last_try,
                    ..
                } => {
                    format!("ask {ask}, {tries_left} left, last try {last_try}")
                }
            },
        )),
        Effect::CloseScreen { link } => Some((link.0, "close".to_owned())),
        _ => None,
    };
    out.iter().filter_map(tell).collect()
}

/// The events for sessions.
pub(crate) fn published(out: &[Effect<Reading>]) -> Vec<(u64, u64, Happening)> {
    let event = |effect: &Effect<Reading>| match effect {
        Effect::Publish {
            link,
            seq,
            happening,
        } => Some((link.0, *seq, happening.clone())),
        _ => None,
    };
    out.iter().filter_map(event).collect()
}
