//! One reader and the one thread that uses it.
//!
//! ```text
//! idle --start--> busy --thread returns--> idle
//!                  |  loop gave up on the thread
//!                  v
//!                stuck --thread returns--> idle
//! ```
//!
//! A thread that is stuck in a call is left alone: its job is ended without it, the device shows as
//! unresponsive or in use, and everything is well again when the call returns, which a lifted card or an
//! ended service makes it do.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use device_api::{FaultCode, Moment};
use host_protocol::Outcome;
use smartcard::{Activity, Call, Reader, Surroundings};

use crate::{
    fault::JobError,
    job::Job,
    limits::{Limits, Verdict},
    reading::{Tools, work},
};

/// Tells the loop that the device's thread is idle again.
pub(crate) type OnIdle = Box<dyn Fn() + Send>;

/// One device, as the loop sees it.
#[derive(Debug)]
pub(crate) struct Device {
    jobs: SyncSender<Arc<Job>>,
    activity: Arc<Activity>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    Busy(Arc<Job>),
    Stuck(Call),
}

impl Device {
    /// Starts the device's thread.
    pub(crate) fn start(
        name: &str,
        surroundings: Surroundings,
        tools: Arc<Tools>,
        on_idle: OnIdle,
    ) -> io::Result<Self> {
        // One job may wait in the moment between the end of one and the thread's return for the next.
        let (jobs, queue) = sync_channel(1);
        let activity = Arc::clone(&surroundings.activity);
        let reader = Reader::new(name, surroundings);
        thread::Builder::new()
            .name(format!("reader {name}"))
            .spawn(move || serve(reader, &queue, &tools, &on_idle))?;
        Ok(Self {
            jobs,
            activity,
            state: State::Idle,
        })
    }

    /// Hands the device a job.
    ///
    /// # Errors
    /// Says why the device cannot take it.
    pub(crate) fn take_on(&mut self, job: Arc<Job>) -> Result<(), FaultCode> {
        match &self.state {
            State::Stuck(call) => return Err(stuck_code(*call)),
            State::Busy(current) if !current.is_finished() => return Err(FaultCode::ReaderBusy),
            State::Busy(_) | State::Idle => {}
        }
        if self.jobs.try_send(Arc::clone(&job)).is_err() {
            return Err(FaultCode::ReaderBusy);
        }
        self.state = State::Busy(job);
        Ok(())
    }

    /// The thread has returned from a job.
    pub(crate) fn idle(&mut self) {
        // With the next job already handed over, the thread is not idle for long.
        match &self.state {
            State::Busy(job) if !job.is_finished() => {}
            State::Busy(_) | State::Stuck(_) | State::Idle => self.state = State::Idle,
        }
    }

    /// The job in progress.
    pub(crate) fn job(&self) -> Option<&Arc<Job>> {
        match &self.state {
            State::Busy(job) => Some(job),
            State::Idle | State::Stuck(_) => None,
        }
    }

    /// Whether the thread can be let go of.
    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// In which call the thread is stuck.
    pub(crate) const fn stuck_in(&self) -> Option<Call> {
        match self.state {
            State::Stuck(call) => Some(call),
            State::Idle | State::Busy(_) => None,
        }
    }

    /// Gives up on a thread that has been in a call for too long. Returns when to look again.
    pub(crate) fn watch(&mut self, limits: &Limits, now: Moment) -> Option<Moment> {
        let State::Busy(job) = &self.state else {
            return None;
        };
        if job.is_finished() {
            return None;
        }
        let call = self.activity.current();
        match limits.judge(
            call,
            job.patience.deadline().moment(),
            job.is_cancelled(),
            now,
        ) {
            Verdict::LookAgain(moment) => Some(moment),
            Verdict::GiveUp(code) => {
                let fault = JobError::Stuck(code).fault(None);
                tracing::error!(job = job.id, call = ?call.map(|(call, _)| call), fault = %fault.code, "given up");
                job.finish(Outcome::Failed { fault });
                job.cancel();
                if let Some((call, _since)) = call {
                    self.state = State::Stuck(call);
                }
                None
            }
        }
    }
}

/// What is told to whoever wants a device whose thread is stuck.
const fn stuck_code(call: Call) -> FaultCode {
    match call {
        Call::Connecting | Call::TakingTurn => FaultCode::ReaderBusy,
        Call::Exchanging | Call::ExchangingSecret | Call::Disconnecting => FaultCode::ReaderHung,
    }
}

fn serve(mut reader: Reader, jobs: &Receiver<Arc<Job>>, tools: &Tools, on_idle: &OnIdle) {
    for job in jobs {
        let span = tracing::info_span!("job", device = reader.name(), job = job.id);
        let _entered = span.enter();
        let began = tools.clock.now();
        job.accept();
        // A reader whose job panicked is whole: its session was dropped while unwinding.
        let result = catch_unwind(AssertUnwindSafe(|| work(&job, &mut reader, tools)))
            .unwrap_or(Err(JobError::Panicked));
        let outcome = match result {
            Ok(product) => Outcome::Done {
                product: Box::new(product),
            },
            Err(error) => {
                let fault = error.fault(job.patience.check().err());
                tracing::info!(fault = %fault.code, detail = %fault.detail, "failed");
                Outcome::Failed { fault }
            }
        };
        let elapsed = tools.clock.now().since(began);
        if job.finish(outcome) {
            tracing::info!(
                elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                "ended"
            );
        } else {
            tracing::warn!("thread returned after its job was given up");
        }
        drop(job);
        on_idle();
    }
}
