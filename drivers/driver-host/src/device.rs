//! One device: its thread, and what the loop knows of it.
//!
//! ```text
//! idle --take_on--> busy --the thread returns--> idle
//!                    |
//!                    '--watch: too long--> stuck --the thread returns--> idle
//! ```
//! Between two jobs the thread rests at its post, which is how scanners hear and printers tell.

use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread,
    time::Duration,
};

use device_api::{Clock, Deadline, FaultCode, Moment, Patience};
use host_protocol::{HostFault, Outcome};

use crate::{
    floor::{Post, Stuck, Verdict, Watch},
    job::Job,
};

/// Tells the loop that the device's thread is idle again.
pub(crate) type OnIdle = Box<dyn Fn() + Send>;

/// One device, as the loop sees it.
pub(crate) struct Device {
    jobs: Option<SyncSender<Arc<Job>>>,
    rest: Arc<Mutex<Patience>>,
    watch: Box<dyn Watch>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    Busy(Arc<Job>),
    Stuck(Stuck),
}

impl Device {
    /// Starts the device's thread.
    pub(crate) fn start(
        name: &str,
        post: Box<dyn Post>,
        clock: &Arc<dyn Clock>,
        on_idle: OnIdle,
    ) -> io::Result<Self> {
        // One job may wait in the moment between the end of one and the thread's return for the next.
        let (jobs, queue) = sync_channel(1);
        let watch = post.watch();
        let rest = Arc::new(Mutex::new(endless(clock)));
        let desk = Desk {
            queue,
            rest: Arc::clone(&rest),
            clock: Arc::clone(clock),
            on_idle,
        };
        let named = name.to_owned();
        thread::Builder::new()
            .name(format!("device {name}"))
            .spawn(move || serve(&named, post, &desk))?;
        Ok(Self {
            jobs: Some(jobs),
            rest,
            watch,
            state: State::Idle,
        })
    }

    /// Hands the device a job.
    ///
    /// # Errors
    /// Says why the device cannot take it.
    pub(crate) fn take_on(&mut self, job: Arc<Job>, busy: FaultCode) -> Result<(), FaultCode> {
        match &self.state {
            State::Stuck(stuck) => return Err(stuck.refusal),
            State::Busy(current) if !current.is_finished() => return Err(busy),
            State::Busy(_) | State::Idle => {}
        }
        let jobs = self.jobs.as_ref().ok_or(busy)?;
        if jobs.try_send(Arc::clone(&job)).is_err() {
            return Err(busy);
        }
        self.end_rest();
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

    /// How the device is shown while its thread does not come back.
    pub(crate) const fn stuck(&self) -> Option<Stuck> {
        match self.state {
            State::Stuck(stuck) => Some(stuck),
            State::Idle | State::Busy(_) => None,
        }
    }

    /// Gives up on a thread that has been at a job for too long. Returns when to look again.
    pub(crate) fn watch(&mut self, now: Moment) -> Option<Moment> {
        let State::Busy(job) = &self.state else {
            return None;
        };
        if job.is_finished() {
            return None;
        }
        let deadline = job.patience.deadline().moment();
        let (code, stuck) = match self.watch.judge(deadline, job.is_cancelled(), now) {
            Verdict::LookAgain(moment) => return Some(moment),
            Verdict::GiveUp(code) => (code, None),
            Verdict::Stuck(code, stuck) => (code, Some(stuck)),
        };
        tracing::error!(job = job.id, fault = code.as_str(), ?stuck, "given up");
        job.finish(Outcome::Failed {
            fault: fault(code, "device does not return from a call"),
        });
        job.cancel();
        if let Some(stuck) = stuck {
            self.state = State::Stuck(stuck);
        }
        None
    }

    fn end_rest(&self) {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let resting = rest.clone();
        drop(rest);
        resting.stop();
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.jobs = None;
        self.end_rest();
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A fault that is the host's own finding.
pub(crate) fn fault(code: FaultCode, detail: &str) -> HostFault {
    HostFault {
        code: code.as_str().to_owned(),
        detail: detail.to_owned(),
        about: None,
        tries_left: None,
    }
}

/// What the device's thread sits at.
struct Desk {
    queue: Receiver<Arc<Job>>,
    rest: Arc<Mutex<Patience>>,
    clock: Arc<dyn Clock>,
    on_idle: OnIdle,
}

fn serve(name: &str, mut post: Box<dyn Post>, desk: &Desk) {
    loop {
        // Put down before the queue is looked at, so that a job that comes in between ends this rest.
        let rest = endless(&desk.clock);
        *desk.rest.lock().unwrap_or_else(PoisonError::into_inner) = rest.clone();
        match desk.queue.try_recv() {
            Ok(job) => {
                work(name, &mut *post, &job, desk);
                drop(job);
                (desk.on_idle)();
            }
            Err(TryRecvError::Disconnected) => return,
            Err(TryRecvError::Empty) => {
                let rested = catch_unwind(AssertUnwindSafe(|| post.idle(&rest)));
                if rested.is_err() {
                    tracing::error!(device = name, "a device's thread panicked between two jobs");
                    return;
                }
            }
        }
    }
}

fn work(name: &str, post: &mut dyn Post, job: &Job, desk: &Desk) {
    let span = tracing::info_span!("job", device = name, job = job.id);
    let _entered = span.enter();
    let began = desk.clock.now();
    job.accept();
    // A device whose job panicked is whole: its session was dropped while unwinding.
    let result = catch_unwind(AssertUnwindSafe(|| post.work(job)))
        .unwrap_or_else(|_panic| Err(fault(FaultCode::AgentInternal, "job panicked")));
    let outcome = match result {
        Ok(product) => Outcome::Done {
            product: Box::new(product),
        },
        Err(fault) => {
            tracing::info!(fault = %fault.code, detail = %fault.detail, "failed");
            Outcome::Failed { fault }
        }
    };
    let elapsed = desk.clock.now().since(began);
    if job.finish(outcome) {
        tracing::info!(
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "ended"
        );
    } else {
        tracing::warn!("thread returned after its job was given up");
    }
}

fn endless(clock: &Arc<dyn Clock>) -> Patience {
    let never = Moment::after_origin(Duration::MAX);
    Patience::new(Arc::clone(clock), Deadline::at(never))
}
