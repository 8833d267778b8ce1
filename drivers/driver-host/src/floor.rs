//! What the host's loop and a family of devices know of each other.
//!
//! ```text
//! Host (one loop) -- Floor (which devices there are) -- Post (one device, on a thread of its own)
//!        \------------ Watch (is that thread stuck?) ------/
//! ```
//! A family is a [`Floor`]; the loop knows nothing else of it.

use std::fmt;

use device_api::{FaultCode, Moment, Patience};
use host_protocol::{DeviceDescription, DeviceState, HostFault, Product, ServiceState, Task};

use crate::job::Job;

/// The devices of one family.
pub(crate) trait Floor: Send + fmt::Debug {
    /// Takes in the host's section of the agent's configuration. Called once, before any job.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    fn settle(&mut self, settings: Option<serde_json::Value>) -> Result<(), String>;

    /// The devices whose threads work from the beginning, whether or not there is a job.
    fn standing(&self) -> Vec<String>;

    /// Whether it is known yet which devices there are.
    fn is_known(&self) -> bool;

    /// What is told to whoever wants a device that has a job.
    fn busy(&self) -> FaultCode;

    /// The operating system's service under the devices.
    fn service(&self) -> ServiceState;

    /// The devices as they are now.
    fn devices(&self) -> Vec<DeviceDescription>;

    /// Whether a job can be taken to a device.
    ///
    /// # Errors
    /// Why there is no such device now.
    fn find(&self, id: &str) -> Result<(), FaultCode>;

    /// Why no device of this family takes such a task; `None` where one does.
    fn refuse(&self, task: &Task) -> Option<FaultCode>;

    /// The one who will work at a device that was found; `None` where it has gone meanwhile.
    fn post(&self, id: &str) -> Option<Box<dyn Post>>;

    /// Called from any thread to have those who wait inside a post look up.
    fn nudger(&self) -> Nudge;
}

/// Has those who wait inside a post look up.
pub(crate) type Nudge = std::sync::Arc<dyn Fn() + Send + Sync>;

/// The one who works at a device, on a thread of its own.
pub(crate) trait Post: Send {
    /// How the loop sees whether the thread is stuck.
    fn watch(&self) -> Box<dyn Watch>;

    /// Does what a job asks for.
    ///
    /// # Errors
    /// Why it could not be done; the device is as free as before.
    fn work(&mut self, job: &Job) -> Result<Product, HostFault>;

    /// Passes the time between two jobs, until `rest` is stopped.
    fn idle(&mut self, rest: &Patience) {
        let (wake, woken) = std::sync::mpsc::sync_channel(1);
        let _registered = rest.when_stopped(move || {
            // Woken once is enough.
            let _awake_already = wake.try_send(());
        });
        let _stopped = woken.recv();
    }
}

/// Sees whether a device's thread is stuck.
pub(crate) trait Watch: Send + fmt::Debug {
    /// What to do about a thread that works on a job.
    fn judge(&self, deadline: Moment, cancelled: bool, now: Moment) -> Verdict;
}

/// What to do about a device's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing before this moment.
    LookAgain(Moment),
    /// End its job with this fault; the thread may come back at any moment.
    GiveUp(FaultCode),
    /// The same, and the device is stuck until it does.
    Stuck(FaultCode, Stuck),
}

/// How a device is shown whose thread does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stuck {
    /// What is told to whoever wants it.
    pub(crate) refusal: FaultCode,
    /// Its state.
    pub(crate) state: DeviceState,
}
