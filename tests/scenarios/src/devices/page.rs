//! A counter application's page with a lease that is bound to its session.

use agent_api::device::{Device, DeviceState};
use agent_api::event::Event;
use agent_api::item::Item;
use agent_api::job::{Job, JobRequest, JobResult, JobState, Step, Task};
use agent_api::lease::LeaseRequest;
use anyhow::{Context as _, bail, ensure};
use harness::{ALL_SCOPES, Counter, Door, DoorError, Events, Heard, Patience};

/// Longer than anything that a page waits for.
const LONGEST: u64 = 30;

/// A page at the counter.
#[derive(Debug)]
pub struct Page {
    /// Its calls.
    pub door: Door,
    /// Its event stream.
    pub events: Events,
    keys: u64,
}

/// A device that a page holds.
#[derive(Debug)]
pub struct Held {
    /// The lease.
    pub lease: String,
    /// Its fence.
    pub fence: u64,
    /// The device.
    pub device: String,
}

impl Page {
    /// Opens a page that may do everything.
    ///
    /// # Errors
    /// When the agent refuses.
    pub fn open(counter: &Counter) -> anyhow::Result<Self> {
        let token = counter.token(&ALL_SCOPES)?;
        let api = counter.agent.addresses().api;
        let door = Door::new(api, counter.origin()).with_token(&token);
        let events = Events::open(api, counter.origin(), &token, None)?;
        let keys = 0;
        Ok(Self { door, events, keys })
    }

    /// Waits for a device of this class in this state.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn wait_for_device(&mut self, class: &str, state: DeviceState) -> anyhow::Result<Device> {
        let fits = |device: &&Device| device.class == class && device.state == state;
        if let Some(found) = self.door.devices()?.devices.iter().find(fits) {
            return Ok(found.clone());
        }
        let patience = Patience::seconds(LONGEST);
        self.events
            .wait_for(patience, |event| match event {
                Event::Devices { devices } => devices.devices.iter().find(fits).cloned(),
                Event::Lease { .. }
                | Event::LeaseEnded { .. }
                | Event::Job { .. }
                | Event::PinScreens { .. } => None,
            })
            .with_context(|| format!("no {class} became {state:?}"))
    }

    /// Takes the device of this class, bound to this page's session.
    ///
    /// # Errors
    /// When there is none, or somebody has it.
    pub fn take(&mut self, class: &str) -> anyhow::Result<Held> {
        let list = self.door.devices()?;
        let found = list.devices.iter().find(|device| device.class == class);
        let device = found.with_context(|| format!("no {class}"))?.id.clone();
        let lease = self.door.lease(&LeaseRequest {
            device: device.clone(),
            ttl_ms: 120_000,
            session: Some(self.events.session().to_owned()),
        })?;
        let fence = match lease.fence {
            Some(fence) => fence,
            None => self.wait_for_turn(&lease.id)?,
        };
        Ok(Held {
            fence,
            lease: lease.id,
            device,
        })
    }

    /// Waits until those before have given the device back.
    fn wait_for_turn(&mut self, wanted: &str) -> anyhow::Result<u64> {
        // It may have come between the answer and now.
        if let Some(fence) = self.door.look_at_lease(wanted)?.fence {
            return Ok(fence);
        }
        let patience = Patience::seconds(LONGEST);
        self.events.wait_for(patience, |event| match event {
            Event::Lease { lease } if lease.id == wanted => lease.fence,
            Event::Lease { .. }
            | Event::LeaseEnded { .. }
            | Event::Devices { .. }
            | Event::Job { .. }
            | Event::PinScreens { .. } => None,
        })
    }

    /// Starts a job.
    ///
    /// # Errors
    /// The agent's refusal.
    pub fn start(&mut self, held: &Held, task: Task, deadline_ms: u32) -> Result<Job, DoorError> {
        self.keys += 1;
        let request = JobRequest {
            lease: held.lease.clone(),
            fence: held.fence,
            purpose: "転入届".to_owned(),
            deadline_ms,
            task,
        };
        self.door
            .start_job(&format!("{}-{}", held.lease, self.keys), &request)
    }

    /// Waits until a job has come to a step.
    ///
    /// # Errors
    /// When it ends before, or does not come to it.
    pub fn wait_for_step(&mut self, job: &Job, step: Step) -> anyhow::Result<()> {
        let patience = Patience::seconds(LONGEST);
        let there = self.comes_to(job, patience, |now| now.step == Some(step))?;
        ensure!(there, "no {step:?}");
        Ok(())
    }

    /// Whether a job comes to where `is_so` holds before the patience ends.
    ///
    /// # Errors
    /// When it ends elsewhere.
    pub fn comes_to(
        &mut self,
        job: &Job,
        patience: Patience,
        is_so: impl Fn(&Job) -> bool,
    ) -> anyhow::Result<bool> {
        loop {
            let now = self.door.job(&job.id)?;
            if is_so(&now) {
                return Ok(true);
            }
            ensure!(!is_over(&now), "the job ended: {now:?}");
            if self.events.next(patience).is_err() {
                return Ok(false);
            }
        }
    }

    /// Waits for the next item of a job.
    ///
    /// # Errors
    /// When the job ends before, or nothing comes.
    pub fn item(&mut self, job: &Job) -> anyhow::Result<(u32, Item)> {
        let patience = Patience::seconds(LONGEST);
        loop {
            match self.events.hear(patience)? {
                Heard::Item { job: of, n, item } if of == job.id => return Ok((n, *item)),
                Heard::Event(Event::Job { job: now }) if now.id == job.id && is_over(&now) => {
                    bail!("the job ended: {now:?}");
                }
                Heard::Item { .. } | Heard::Event(_) => {}
            }
        }
    }

    /// Waits until a job is over.
    ///
    /// # Errors
    /// When it does not end.
    pub fn wait_for_end(&mut self, job: &Job) -> anyhow::Result<Job> {
        let now = self.door.job(&job.id)?;
        if is_over(&now) {
            return Ok(now);
        }
        let patience = Patience::seconds(LONGEST);
        self.events.wait_for(patience, |event| match event {
            Event::Job { job: now } if now.id == job.id && is_over(&now) => Some(*now),
            Event::Job { .. }
            | Event::Devices { .. }
            | Event::Lease { .. }
            | Event::LeaseEnded { .. }
            | Event::PinScreens { .. } => None,
        })
    }

    /// Waits until a job has succeeded, and takes its result.
    ///
    /// # Errors
    /// When it fails.
    pub fn result(&mut self, job: &Job) -> anyhow::Result<JobResult> {
        let ended = self.wait_for_end(job)?;
        ensure!(ended.state == JobState::Succeeded, "{ended:?}");
        Ok(self.door.take_result(&job.id)?)
    }

    /// Waits until a job has failed, and gives the code.
    ///
    /// # Errors
    /// When it succeeds.
    pub fn fault(&mut self, job: &Job) -> anyhow::Result<String> {
        let ended = self.wait_for_end(job)?;
        let error = ended
            .error
            .with_context(|| format!("did not fail: {:?}", ended.state))?;
        Ok(error.code)
    }

    /// Gives a device back.
    ///
    /// # Errors
    /// When the lease is not the page's.
    pub fn release(&mut self, held: &Held) -> anyhow::Result<()> {
        Ok(self.door.release(&held.lease)?)
    }
}

fn is_over(job: &Job) -> bool {
    match job.state {
        JobState::Accepted | JobState::Running => false,
        JobState::Succeeded | JobState::Failed | JobState::Cancelled => true,
    }
}
