//! A counter application and the clerk before it, in one: asks for readings as a page does.
//!
//! One reading is: lease, job, events until its end, answers where the job asks, result, release.
//! The lease is given back in every case, so a failed reading leaves nothing to the next.

use agent_api::device::{DeviceList, DeviceState};
use agent_api::error::ErrorBody;
use agent_api::event::Event;
use agent_api::job::{
    Credential, Field, Job, JobAnswer, JobRequest, JobResult, JobState, QuestionKind, Task,
};
use agent_api::lease::{Lease, LeaseRequest, LeaseState};
use agent_api::secret::SecretText;
use anyhow::{Context as _, bail};
use harness::{ALL_SCOPES, Control, Counter, Door, DoorError, Events, Patience, TokenWish};

/// Longer than any job of a scenario may take.
const LONGEST_READING: u64 = 60;

/// A clerk at one counter, with one reader.
#[derive(Debug)]
pub struct Clerk {
    door: Door,
    control: Control,
    events: Events,
    device: String,
    readings: u64,
}

/// What a clerk asks for.
#[derive(Debug, Clone)]
pub struct Order {
    /// What to do.
    pub task: Task,
    /// The secret to hand in by API when asked; `None` where the citizen types on the screen.
    pub secret: Option<String>,
    /// Whether to allow the last try when only one is left.
    pub allow_last_try: bool,
    /// Milliseconds for the whole job.
    pub deadline_ms: u32,
}

impl Order {
    /// Identifies a card without any secret.
    #[must_use]
    pub fn identify() -> Self {
        Self::of(Task::IdentifyCard {}, None)
    }

    /// Reads the four attributes with a PIN handed in by API.
    #[must_use]
    pub fn attributes(pin: &str) -> Self {
        Self::read(vec![Field::FourAttributes], Credential::PinByApi, Some(pin))
    }

    /// Reads the four attributes and the individual number with a PIN handed in by API.
    #[must_use]
    pub fn with_number(pin: &str) -> Self {
        let fields = vec![Field::FourAttributes, Field::IndividualNumber];
        Self::read(fields, Credential::PinByApi, Some(pin))
    }

    /// Reads the four attributes with verification number B.
    #[must_use]
    pub fn by_number_b(number: &str) -> Self {
        let fields = vec![Field::FourAttributes];
        Self::read(fields, Credential::VerificationNumberB, Some(number))
    }

    /// Reads the four attributes; the citizen types the PIN on the paired screen.
    #[must_use]
    pub fn on_screen() -> Self {
        Self::read(vec![Field::FourAttributes], Credential::PinOnScreen, None)
    }

    /// The same, with less time.
    #[must_use]
    pub fn within_ms(mut self, deadline_ms: u32) -> Self {
        self.deadline_ms = deadline_ms;
        self
    }

    fn read(fields: Vec<Field>, credential: Credential, secret: Option<&str>) -> Self {
        Self::of(Task::ReadMyNumberCard { fields, credential }, secret)
    }

    fn of(task: Task, secret: Option<&str>) -> Self {
        Self {
            task,
            secret: secret.map(str::to_owned),
            allow_last_try: false,
            deadline_ms: 20_000,
        }
    }

    /// Whether starting the job needs a nonce.
    fn is_privileged(&self) -> bool {
        matches!(&self.task,
            Task::ReadMyNumberCard { fields, .. } if fields.contains(&Field::IndividualNumber))
    }
}

/// How a reading ended.
#[derive(Debug)]
pub enum Outcome {
    /// The result.
    Result(Box<JobResult>),
    /// The agent's or the card's reason.
    Failed(Box<ErrorBody>),
}

impl Outcome {
    /// The stable code of a failure.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Result(_) => None,
            Self::Failed(error) => Some(&error.code),
        }
    }
}

impl Clerk {
    /// A clerk of `counter` at its reader number `slot`.
    ///
    /// # Errors
    /// When the agent does not let the clerk in.
    pub fn at(counter: &Counter, slot: usize) -> anyhow::Result<Self> {
        let control = counter.control().clone();
        let token = control.token(&wish(None))?;
        let door = Door::new(counter.agent.addresses().api, counter.origin()).with_token(&token);
        let events = Events::open(door.address(), door.origin(), &token, None)?;
        let readers = counter.pcscd.readers();
        let reader = readers.get(slot).context("the counter has fewer readers")?;
        let mut clerk = Self {
            door,
            control,
            events,
            device: format!("pcsc:{reader}"),
            readings: 0,
        };
        // The agent answers before its driver host has listed the readers.
        clerk
            .wait_for_reader_that(|_| true)
            .context("the reader is not listed")?;
        Ok(clerk)
    }

    /// The door with this clerk's token.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// The clerk's event stream.
    pub fn events(&mut self) -> &mut Events {
        &mut self.events
    }

    /// The device that the clerk uses.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Waits until the agent sees the clerk's reader in this state.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn wait_for_reader(&mut self, state: DeviceState) -> anyhow::Result<()> {
        self.wait_for_reader_that(|seen| seen == state)
            .with_context(|| format!("the reader is not seen as {state:?}"))
    }

    fn wait_for_reader_that(&mut self, is_so: impl Fn(DeviceState) -> bool) -> anyhow::Result<()> {
        let device = self.device.clone();
        let listed = |list: &DeviceList| {
            let mut devices = list.devices.iter();
            devices.any(|seen| seen.id == device && is_so(seen.state))
        };
        if listed(&self.door.devices()?) {
            return Ok(());
        }
        let seen = self
            .events
            .wait_for(Patience::seconds(20), |event| match event {
                Event::Devices { devices } if listed(&devices) => Some(()),
                Event::Devices { .. }
                | Event::Lease { .. }
                | Event::LeaseEnded { .. }
                | Event::Job { .. }
                | Event::PinScreens { .. } => None,
            });
        seen.with_context(|| format!("instead: {:?}", self.door.devices()))
    }

    /// The door with a token for one privileged call.
    ///
    /// # Errors
    /// When the agent gives no nonce or the backend no token.
    pub fn privileged_door(&self) -> anyhow::Result<Door> {
        let nonce = self.door.nonce()?;
        let token = self.control.token(&wish(Some(nonce.nonce)))?;
        Ok(self.door.with_token(&token))
    }

    /// Fetches a new token, for a clerk who works longer than a token lives.
    ///
    /// # Errors
    /// When the backend gives no token or the stream has ended.
    pub fn renew_token(&mut self) -> anyhow::Result<()> {
        let token = self.control.token(&wish(None))?;
        self.events.renew_token(&token)?;
        self.door = self.door.with_token(&token);
        Ok(())
    }

    /// Does what `order` says and returns how it ended.
    ///
    /// # Errors
    /// When the agent does not behave as its API promises; a reading that fails is no error.
    pub fn read(&mut self, order: &Order) -> anyhow::Result<Outcome> {
        self.read_watching(order, &mut |_| Ok(()))
    }

    /// The same; `watch` sees the job at each of its changes and may act.
    ///
    /// # Errors
    /// When the agent does not behave as its API promises, or `watch` fails.
    pub fn read_watching(
        &mut self,
        order: &Order,
        watch: &mut dyn FnMut(&Job) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        let lease = self.take_lease()?;
        let outcome = self.read_under(&lease, order, watch);
        let released = self.door.release(&lease.id);
        let outcome = outcome?;
        match released {
            Ok(()) => Ok(outcome),
            // A driver host that died takes its leases' devices with it, and they come back unleased.
            Err(error) if error.code() == Some("DOR-NOT-FOUND") => Ok(outcome),
            Err(error) => Err(error).context("giving the lease back"),
        }
    }

    /// Takes the exclusive use of the reader, and waits until it is granted.
    ///
    /// # Errors
    /// When the lease is refused or does not come.
    pub fn take_lease(&mut self) -> anyhow::Result<Lease> {
        let request = LeaseRequest {
            device: self.device.clone(),
            ttl_ms: 120_000,
            session: Some(self.events.session().to_owned()),
        };
        let lease = self.door.lease(&request).context("taking a lease")?;
        if lease.state == LeaseState::Granted {
            return Ok(lease);
        }
        let wanted = lease.id;
        self.events
            .wait_for(Patience::seconds(LONGEST_READING), |event| match event {
                Event::Lease { lease }
                    if lease.id == wanted && lease.state == LeaseState::Granted =>
                {
                    Some(lease)
                }
                Event::Devices { .. }
                | Event::Lease { .. }
                | Event::LeaseEnded { .. }
                | Event::Job { .. }
                | Event::PinScreens { .. } => None,
            })
    }

    fn read_under(
        &mut self,
        lease: &Lease,
        order: &Order,
        watch: &mut dyn FnMut(&Job) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        self.readings += 1;
        let key = format!("{}-{}", self.events.session(), self.readings);
        let request = JobRequest {
            lease: lease.id.clone(),
            fence: lease.fence.context("a granted lease has a fence")?,
            purpose: "住民票の写しの交付".to_owned(),
            deadline_ms: order.deadline_ms,
            task: order.task.clone(),
        };
        let door = if order.is_privileged() {
            self.privileged_door()?
        } else {
            self.door.clone()
        };
        let job = match door.start_job(&key, &request) {
            Ok(job) => job,
            Err(DoorError::Refused { error, .. }) => return Ok(Outcome::Failed(error)),
            Err(error) => return Err(error).context("starting a job"),
        };
        self.follow(job, order, watch)
    }

    fn follow(
        &mut self,
        first: Job,
        order: &Order,
        watch: &mut dyn FnMut(&Job) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        let patience = Patience::seconds(LONGEST_READING);
        let id = first.id.clone();
        let mut job = first;
        let mut answered = 0;
        loop {
            watch(&job)?;
            match job.state {
                JobState::Accepted | JobState::Running => {}
                JobState::Succeeded => {
                    let result = self.door.take_result(&id).context("taking the result")?;
                    return Ok(Outcome::Result(Box::new(result)));
                }
                JobState::Failed | JobState::Cancelled => {
                    let error = job.error.context("a job that failed says why")?;
                    return Ok(Outcome::Failed(Box::new(error)));
                }
            }
            if let Some(refusal) = self.answer_if_asked(&job, order, &mut answered)? {
                return Ok(Outcome::Failed(refusal));
            }
            job = self.events.wait_for(patience, |event| match event {
                Event::Job { job } if job.id == id => Some(*job),
                Event::Devices { .. }
                | Event::Lease { .. }
                | Event::LeaseEnded { .. }
                | Event::Job { .. }
                | Event::PinScreens { .. } => None,
            })?;
        }
    }

    /// Hands in what the job asks for, once per question. A refusal of the answer cancels the job.
    fn answer_if_asked(
        &self,
        job: &Job,
        order: &Order,
        answered: &mut u32,
    ) -> anyhow::Result<Option<Box<ErrorBody>>> {
        let Some(question) = &job.question else {
            return Ok(None);
        };
        if question.ask <= *answered {
            return Ok(None);
        }
        *answered = question.ask;
        let sent = (|| {
            if question.tries_left == 1 && order.allow_last_try {
                let allow = JobAnswer::AllowLastTry { ask: question.ask };
                self.privileged_door()?.answer(&job.id, &allow)?;
            }
            let Some(secret) = &order.secret else {
                return anyhow::Ok(());
            };
            let value = SecretText::new(secret.clone());
            let answer = JobAnswer::Secret {
                ask: question.ask,
                value,
            };
            let door = match question.kind {
                QuestionKind::PinByApi => self.privileged_door()?,
                QuestionKind::VerificationNumberB => self.door.clone(),
                QuestionKind::PinOnScreen | QuestionKind::PinOnDevice => {
                    bail!("the citizen is asked, not the application")
                }
            };
            door.answer(&job.id, &answer)?;
            Ok(())
        })();
        let Err(error) = sent else { return Ok(None) };
        match error.downcast::<DoorError>() {
            // The job may have ended, or may end by itself, between the question and the answer.
            Ok(DoorError::Refused { error, .. }) if error.code == "DOR-CONFLICT" => Ok(None),
            Ok(DoorError::Refused { error, .. }) => {
                self.door.cancel(&job.id).context("cancelling")?;
                Ok(Some(error))
            }
            Ok(error) => Err(error).context("answering"),
            Err(error) => Err(error),
        }
    }
}

fn wish(nonce: Option<String>) -> TokenWish {
    TokenWish {
        scopes: ALL_SCOPES.to_vec(),
        nonce,
    }
}
