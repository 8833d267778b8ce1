//! Jobs whose secret is at hand: everything that needs a person or a backend is fetched before the clock
//! starts.
//!
//! ```text
//! lease, nonces, tokens | POST job -> question -> POST answer -> finished -> POST result | release
//!                       `---------------------- measured ------------------------------'
//! ```

use std::time::Duration;

use agent_api::event::Event;
use agent_api::job::{
    Credential, Field, Job, JobAnswer, JobRequest, JobResult, JobState, Task, Verdict,
};
use agent_api::lease::Lease;
use agent_api::secret::SecretText;
use anyhow::{Context as _, bail, ensure};
use device_api::{Clock as _, SystemClock};
use harness::{Counter, Door, Patience};
use scenarios::clerk::{Clerk, Order};

/// Longer than any of these jobs takes.
const LONGEST_JOB: u64 = 30;

/// A clerk whose citizens are quick.
#[derive(Debug)]
pub(crate) struct Supplier {
    clerk: Clerk,
    jobs: u64,
}

/// How long the parts of one job took, as the application sees them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stages {
    /// Until the job was taken on.
    pub(crate) accepted: Duration,
    /// From there until the question for the secret.
    pub(crate) asked: Duration,
    /// From there until the answer was taken.
    pub(crate) answered: Duration,
    /// From there until a result waits.
    pub(crate) finished: Duration,
    /// From there until the result is in hand.
    pub(crate) handed_out: Duration,
}

impl Stages {
    /// All of it.
    pub(crate) fn whole(&self) -> Duration {
        self.accepted + self.asked + self.answered + self.finished + self.handed_out
    }
}

/// What is ready before the clock starts.
struct Ready {
    lease: Lease,
    starting: Door,
    answering: Door,
    request: JobRequest,
    secret: SecretText,
}

impl Supplier {
    /// At the reader number `slot`.
    pub(crate) fn at(counter: &Counter, slot: usize) -> anyhow::Result<Self> {
        let clerk = Clerk::at(counter, slot)?;
        Ok(Self { clerk, jobs: 0 })
    }

    /// Does a reading that must succeed and be genuine.
    pub(crate) fn job(&mut self, order: &Order) -> anyhow::Result<Stages> {
        let ready = self.prepare(order)?;
        let stages = self.measure(&ready);
        self.clerk.door().release(&ready.lease.id)?;
        stages
    }

    fn prepare(&mut self, order: &Order) -> anyhow::Result<Ready> {
        let lease = self.clerk.take_lease()?;
        let Task::ReadMyNumberCard { fields, credential } = &order.task else {
            bail!("only readings have a secret");
        };
        let door = |privileged: bool| {
            if privileged {
                self.clerk.privileged_door()
            } else {
                Ok(self.clerk.door().clone())
            }
        };
        Ok(Ready {
            starting: door(fields.contains(&Field::IndividualNumber))?,
            answering: door(*credential == Credential::PinByApi)?,
            request: JobRequest {
                lease: lease.id.clone(),
                fence: lease.fence.context("a granted lease has a fence")?,
                purpose: "住民票の写しの交付".to_owned(),
                deadline_ms: order.deadline_ms,
                task: order.task.clone(),
            },
            secret: SecretText::new(order.secret.clone().context("no secret is at hand")?),
            lease,
        })
    }

    fn measure(&mut self, ready: &Ready) -> anyhow::Result<Stages> {
        self.jobs += 1;
        let key = format!("bench-{}-{}", self.clerk.events().session(), self.jobs);
        let clock = SystemClock::new();
        let job = ready.starting.start_job(&key, &ready.request)?;
        let accepted = clock.now();
        let ask = self.wait_for_job(&job.id, |job| {
            let question = job.question.as_ref();
            question.map(|question| question.ask)
        })?;
        let asked = clock.now();
        let value = ready.secret.clone();
        let answer = JobAnswer::Secret { ask, value };
        ready.answering.answer(&job.id, &answer)?;
        let answered = clock.now();
        self.wait_for_job(&job.id, |job| job.result_waiting.then_some(()))?;
        let finished = clock.now();
        let result = self.clerk.door().take_result(&job.id)?;
        let handed_out = clock.now();
        must_be_genuine(&result)?;
        Ok(Stages {
            accepted: accepted.since_origin(),
            asked: asked.since(accepted),
            answered: answered.since(asked),
            finished: finished.since(answered),
            handed_out: handed_out.since(finished),
        })
    }

    fn wait_for_job<T>(
        &mut self,
        id: &str,
        mut wanted: impl FnMut(&Job) -> Option<T>,
    ) -> anyhow::Result<T> {
        let patience = Patience::seconds(LONGEST_JOB);
        let seen = self
            .clerk
            .events()
            .wait_for(patience, |event| match event {
                Event::Job { job } if job.id == id => match job.state {
                    JobState::Failed | JobState::Cancelled => Some(Err(job)),
                    JobState::Accepted | JobState::Running | JobState::Succeeded => {
                        wanted(&job).map(Ok)
                    }
                },
                Event::Devices { .. }
                | Event::Lease { .. }
                | Event::LeaseEnded { .. }
                | Event::Job { .. }
                | Event::PinScreens { .. } => None,
            })?;
        seen.map_err(|job| anyhow::anyhow!("the job did not succeed: {:?}", job.error))
    }
}

fn must_be_genuine(result: &JobResult) -> anyhow::Result<()> {
    let JobResult::Reading { authenticity, .. } = result else {
        bail!("a result of another kind");
    };
    ensure!(
        authenticity.verdict == Verdict::Genuine,
        "the card was not found genuine"
    );
    Ok(())
}
