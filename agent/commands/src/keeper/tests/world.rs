//! A counter with two operators, a machine that records, and a disk whose power can go.

use std::collections::BTreeSet;
use std::time::Duration;

use journal_file::memory::MemoryDisk;
use telemetry::message::machine::TimeQuality;
use telemetry::message::outcome::{CommandState, Part};
use telemetry::topic::DownKind;
use telemetry::{SoftwareSigner, VerifyingKey, Word};

use super::*;
use crate::bundle::tests::findings;
use crate::document::{Document, Order};
use crate::effects::{Effects, carry_out};
use crate::step::AuditRecord;
use crate::verb::{Danger, Verb};
use crate::{Approver, Bundle, approve, join};

pub(super) use crate::document::tests::order;

/// The challenge of the newest beat.
pub(super) const CHALLENGE: [u8; 16] = [0xC5; 16];

pub(super) struct World {
    pub(super) disk: MemoryDisk,
    pub(super) keeper: CommandKeeper,
    pub(super) authority: Authority,
    pub(super) moment: Moment,
    pub(super) unix: u64,
    pub(super) quality: TimeQuality,
    pub(super) open: bool,
    pub(super) log: Vec<String>,
    pub(super) failure: Option<Failure>,
    /// Every effect that began, in all lives.
    pub(super) started: Vec<Start>,
    /// What the machine was told, in all lives.
    pub(super) touched: Vec<&'static str>,
    /// Effects that have begun in this life, and whose end is not kept, with their outcome.
    running: Vec<(Start, Option<Outcome>)>,
    /// Every state that was reported, in all lives.
    pub(super) states: Vec<CommandState>,
    pub(super) parts: Vec<Part>,
    pub(super) audited: Vec<(CommandId, Progress)>,
    pub(super) turned_away: Vec<(Refusal, u64)>,
}

/// A machine that records.
struct Machine<'a>(&'a mut World);

pub(super) fn signer(name: &str) -> SoftwareSigner {
    let seed = name.bytes().fold(0_u8, u8::wrapping_add);
    SoftwareSigner::from_seed(&[seed; 32]).unwrap()
}

pub(super) fn approver(name: &str, may: &[Danger]) -> Approver {
    use telemetry::Signer as _;
    Approver {
        name: name.parse().unwrap(),
        key: signer(name).verifying_key(),
        may: may.iter().copied().collect::<BTreeSet<_>>(),
    }
}

pub(super) fn topic() -> DownTopic {
    DownTopic {
        to: order(0, Verb::Wipe).target,
        kind: DownKind::Command,
    }
}

impl World {
    pub(super) fn new() -> Self {
        let all = [Danger::ReadOnly, Danger::Reversible, Danger::Destructive];
        let authority = Authority::new([
            approver("sato", &all),
            approver("suzuki", &all),
            approver("tanaka", &[Danger::ReadOnly]),
        ])
        .unwrap();
        let disk = MemoryDisk::default();
        let (keeper, steps) =
            CommandKeeper::open(Box::new(disk.clone()), topic().to, authority.clone()).unwrap();
        assert_eq!(steps, []);
        let mut world = Self {
            disk,
            keeper,
            authority,
            moment: Moment::after_origin(Duration::from_secs(1_000)),
            unix: 1_795_000_000,
            quality: TimeQuality::Synchronised,
            open: false,
            log: vec!["a line".to_owned()],
            failure: None,
            started: Vec::new(),
            touched: Vec::new(),
            running: Vec::new(),
            states: Vec::new(),
            parts: Vec::new(),
            audited: Vec::new(),
            turned_away: Vec::new(),
        };
        world.beat();
        world
    }

    pub(super) fn beat(&mut self) {
        self.keeper.beat(Challenge::new(CHALLENGE), self.moment);
    }

    /// The order with the newest challenge, if its class takes one.
    pub(super) fn fresh(&self, mut order: Order) -> Order {
        if order.verb.danger().needs_challenge() {
            order.challenge = Some(Challenge::new(CHALLENGE));
        }
        order
    }

    pub(super) fn approve(&self, document: &Document, name: &str) -> Vec<u8> {
        approve(document, &signer(name), &name.parse().unwrap(), self.unix).unwrap()
    }

    /// The message of an order, with as many approvals as its class takes.
    pub(super) fn message(&self, order: &Order) -> Vec<u8> {
        let document = Document::new(order.clone()).unwrap();
        let names = ["sato", "suzuki"].into_iter();
        let approvals = names
            .take(order.verb.danger().approvers())
            .map(|name| self.approve(&document, name));
        join(&approvals.collect::<Vec<_>>()).unwrap()
    }

    fn with_situation<T>(
        &mut self,
        call: impl FnOnce(&mut CommandKeeper, &Situation<'_>) -> T,
    ) -> T {
        let version = "0.1.0".parse().unwrap();
        let configuration = Digest::of(b"configuration");
        let situation = Situation {
            moment: self.moment,
            unix_seconds: self.unix,
            quality: self.quality,
            open: self.open,
            version: &version,
            configuration: &configuration,
        };
        call(&mut self.keeper, &situation)
    }

    pub(super) fn receive(&mut self, message: &[u8]) -> Result<Vec<Step>, JournalError> {
        self.with_situation(|keeper, now| keeper.receive(message, &topic(), now))
    }

    pub(super) fn receive_by(&mut self, message: &[u8], topic: &DownTopic) -> Vec<Step> {
        let steps = self.with_situation(|keeper, now| keeper.receive(message, topic, now));
        steps.unwrap()
    }

    pub(super) fn due(&mut self) -> Result<Vec<Step>, JournalError> {
        self.with_situation(|keeper, now| keeper.due(now))
    }

    /// Carries steps out; effects begin and do not end.
    pub(super) fn carry(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Audit(AuditRecord::Command {
                    command, progress, ..
                }) => self.audited.push((command, progress)),
                Step::Audit(AuditRecord::TurnedAway { reason, others, .. }) => {
                    self.turned_away.push((reason, others));
                }
                #[expect(
                    clippy::wildcard_enum_match_arm,
                    reason = "every other class is a mistake"
                )]
                Step::Report(message) => match *message {
                    Message::Command(state) => self.states.push(state),
                    Message::Part(part) => self.parts.push(part),
                    _ => panic!("nothing else is reported"),
                },
                // A disk that fails now has the report told again after the next start.
                Step::Confirm(command) => drop(self.keeper.told(command)),
                Step::Start(start) => {
                    self.started.push(start.clone());
                    self.running.push((start, None));
                }
            }
        }
    }

    /// A message comes, and what may begin begins.
    pub(super) fn deliver(&mut self, message: &[u8]) {
        if let Ok(steps) = self.receive(message) {
            self.carry(steps);
        }
        self.tick();
    }

    pub(super) fn tick(&mut self) {
        if let Ok(steps) = self.due() {
            self.carry(steps);
        }
    }

    /// Every effect that runs ends.
    pub(super) fn end(&mut self) {
        for (start, outcome) in std::mem::take(&mut self.running) {
            let outcome = outcome.unwrap_or_else(|| carry_out(&mut Machine(self), &start.verb));
            match self.keeper.finished(start.command, &outcome) {
                Ok(steps) => self.carry(steps),
                Err(_on_disk) => self.running.push((start, Some(outcome))),
            }
        }
        self.tick();
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.unix += seconds;
        self.moment = self.moment.plus(Duration::from_secs(seconds));
        self.tick();
    }

    /// The agent ends without a word and starts again; its monotonic time begins anew.
    pub(super) fn crash(&mut self) {
        self.running.clear();
        if !self.disk.restore() {
            self.disk.process_ends();
        }
        self.moment = Moment::after_origin(Duration::from_secs(1));
        loop {
            let disk = Box::new(self.disk.clone());
            match CommandKeeper::open(disk, topic().to, self.authority.clone()) {
                Ok((keeper, steps)) => {
                    self.keeper = keeper;
                    self.carry(steps);
                    return;
                }
                Err(error) => assert!(self.disk.restore(), "{error:?}"),
            }
        }
    }

    /// What was reported of the order of this number.
    pub(super) fn told_of(&self, number: u8) -> Vec<Progress> {
        let id = order(number, Verb::Wipe).id;
        let states = self.states.iter().filter(|state| state.command == id);
        states.map(|state| state.progress).collect()
    }

    /// What the audit log says of the order of this number.
    pub(super) fn audited_of(&self, number: u8) -> Vec<Progress> {
        let id = order(number, Verb::Wipe).id;
        let records = self.audited.iter().filter(|(command, _)| *command == id);
        records.map(|(_, progress)| *progress).collect()
    }

    /// A key that nobody has.
    pub(super) fn nobody() -> VerifyingKey {
        VerifyingKey::new([9; 32])
    }
}

impl Machine<'_> {
    fn touch(&mut self, what: &'static str) -> Result<(), Failure> {
        self.0.touched.push(what);
        self.0.failure.map_or(Ok(()), Err)
    }
}

impl Effects for Machine<'_> {
    fn collect(&mut self) -> Result<Bundle, Failure> {
        self.touch("diagnostics")?;
        Ok(Bundle::new(findings(), self.0.log.clone()))
    }

    fn restart_driver(&mut self, _host: &Word) -> Result<(), Failure> {
        self.touch("restartDriver")
    }

    fn recalibrate(&mut self, _device: &Word) -> Result<(), Failure> {
        self.touch("recalibrate")
    }

    fn lock(&mut self) -> Result<(), Failure> {
        self.touch("lockKiosk")
    }

    fn unlock(&mut self) -> Result<(), Failure> {
        self.touch("unlockKiosk")
    }

    fn rotate_keys(&mut self) -> Result<(), Failure> {
        self.touch("rotateKeys")
    }

    fn reboot(&mut self) -> Result<(), Failure> {
        self.touch("reboot")
    }

    fn wipe(&mut self) -> Result<(), Failure> {
        self.touch("wipe")
    }
}
