//! Everything that can wake the daemon, as one enum.
//!
//! Whoever has something to say to the [`crate::event_loop`] says it as an [`Input`]; there is no other way
//! in, so this file is the complete list of what the agent reacts to besides time.
//! Requests are bounded by [`Desk::ask`], which refuses at once where too many wait already.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use agent_api::event::ServerMessage;
use agent_api::pin_screen::ScreenInstruction;
use agent_core::Position;
use agent_core::access::Caller;
use agent_core::effect::Answer;
use agent_core::event::{Call, HostSays, ScreenSays, SessionSays};
use agent_core::ids::{AuditTicket, HostRun, Origin, ScreenLink, SessionLink};
use commands::Failure;
use device_api::FaultCode;
use host_protocol::HostMessage;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::limits::{MAX_OUTSTANDING, MAX_OUTSTANDING_PER_ORIGIN};
use crate::parcel::Parcel;
use crate::refusal::Refusal;

/// Inputs that may wait; more than this and the sources wait themselves.
const QUEUE: usize = 256;

/// What came of a request.
pub type Outcome = Result<Answer<Parcel>, Refusal>;

/// Something that happened outside of the loop.
#[derive(Debug)]
pub enum Input {
    /// A client asks for something.
    Request {
        /// Who asks.
        caller: Caller,
        /// What is asked.
        call: Box<Call<Parcel>>,
        /// Where the answer goes.
        reply: oneshot::Sender<Outcome>,
    },
    /// A client said its hello on an event stream.
    SessionOpened {
        /// The connection.
        link: SessionLink,
        /// Who it is.
        caller: Caller,
        /// Where it left off.
        after: Option<Position>,
        /// What it is told; dropping this closes the connection.
        out: mpsc::Sender<ServerMessage>,
    },
    /// A client replaced its token.
    SessionRenewed {
        /// The connection.
        link: SessionLink,
        /// Who it is by the new token.
        caller: Caller,
    },
    /// A client said something on its event stream.
    SessionSaid {
        /// The connection.
        link: SessionLink,
        /// What it said.
        said: SessionSays<Parcel>,
    },
    /// An event stream has ended.
    SessionClosed {
        /// The connection.
        link: SessionLink,
    },
    /// A PIN page said its first word.
    ScreenOpened {
        /// The connection.
        link: ScreenLink,
        /// The first word.
        said: ScreenSays<Parcel>,
        /// What it is told; dropping this closes the connection.
        out: mpsc::Sender<ScreenInstruction>,
    },
    /// A PIN page said something more.
    ScreenSaid {
        /// The connection.
        link: ScreenLink,
        /// What it said.
        said: ScreenSays<Parcel>,
    },
    /// A PIN page has gone.
    ScreenClosed {
        /// The connection.
        link: ScreenLink,
    },
    /// A driver host wrote a message.
    HostSaid {
        /// Which life of which host.
        run: HostRun,
        /// The message.
        message: Box<HostMessage>,
    },
    /// A signature that a driver host gave was sealed, or could not be.
    Sealed {
        /// Which life of which host.
        run: HostRun,
        /// What the core is to hear.
        said: Box<HostSays<Parcel>>,
    },
    /// A driver host wrote a line that is no message.
    HostGarbled {
        /// Which life of which host.
        run: HostRun,
    },
    /// A driver host's process has ended and was reaped.
    HostExited {
        /// Which life of which host.
        run: HostRun,
    },
    /// The audit log has dealt with a record.
    Recorded {
        /// The record.
        ticket: AuditTicket,
        /// Whether it is on the disk.
        written: bool,
    },
    /// An operator has a driver host started anew.
    RestartHost {
        /// Its name.
        host: String,
        /// Hears when it is in service again.
        done: Ordered,
    },
    /// An operator has a device's calibration set aside.
    Recalibrate {
        /// Its id.
        device: String,
        /// Hears when it is in service without it.
        done: Ordered,
    },
    /// An operator takes the machine out of service, or puts it back.
    Lock {
        /// Whether it is out of service.
        locked: bool,
        /// Hears when no job begins any more, or again.
        done: Ordered,
    },
    /// The agent is to end.
    Terminate,
}

/// Who hears how an operator's order ended.
pub type Ordered = std::sync::mpsc::Sender<Result<(), Failure>>;

/// The way into the loop. Clones lead to the same loop.
#[derive(Debug, Clone)]
pub struct Desk {
    inputs: mpsc::Sender<Input>,
    free: Arc<Semaphore>,
    waiting: Arc<Mutex<BTreeMap<Origin, usize>>>,
    links: Arc<AtomicU64>,
}

/// One origin's place among those who wait; given back when it is dropped, whether answered or not.
struct Waiting<'a> {
    desk: &'a Desk,
    origin: Origin,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self
            .desk
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.origin) {
            *count = count.saturating_sub(1);
        }
    }
}

impl Desk {
    /// A desk, and the end at which the loop sits.
    #[must_use]
    pub fn open() -> (Self, mpsc::Receiver<Input>) {
        let (inputs, received) = mpsc::channel(QUEUE);
        let free = Arc::new(Semaphore::new(MAX_OUTSTANDING));
        (
            Self {
                inputs,
                free,
                waiting: Arc::default(),
                links: Arc::new(AtomicU64::new(1)),
            },
            received,
        )
    }

    /// Asks the core and waits for its answer.
    ///
    /// # Errors
    /// The core's refusal; `DOR-TOO-MANY` where too many wait already; `AGT-STOPPING` where the loop has
    /// ended.
    pub async fn ask(&self, caller: Caller, call: Call<Parcel>) -> Outcome {
        let Ok(_place) = self.free.try_acquire() else {
            return Err(Refusal::new(FaultCode::DoorTooMany).because("outstanding requests"));
        };
        let Some(_waiting) = self.wait_as(&caller.owner.origin) else {
            return Err(
                Refusal::new(FaultCode::DoorTooMany).because("outstanding requests of the origin")
            );
        };
        let stopping = Refusal::new(FaultCode::AgentStopping);
        let (reply, answer) = oneshot::channel();
        if !self
            .tell(Input::Request {
                caller,
                call: Box::new(call),
                reply,
            })
            .await
        {
            return Err(stopping);
        }
        answer.await.unwrap_or(Err(stopping))
    }

    /// A place for one more request of an origin, where it has not too many waiting. Only enrolled origins
    /// come as far as here, so the table stays small.
    fn wait_as(&self, origin: &Origin) -> Option<Waiting<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(origin.clone()).or_default();
        let free = *count < MAX_OUTSTANDING_PER_ORIGIN;
        *count += usize::from(free);
        free.then(|| Waiting {
            desk: self,
            origin: origin.clone(),
        })
    }

    /// Tells the loop something; `false` where it has ended.
    pub async fn tell(&self, input: Input) -> bool {
        self.inputs.send(input).await.is_ok()
    }

    /// The same, from a thread outside of the runtime.
    pub fn tell_blocking(&self, input: Input) -> bool {
        self.inputs.blocking_send(input).is_ok()
    }

    /// A number that no connection had before.
    #[must_use]
    pub fn next_link(&self) -> u64 {
        self.links.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Desk, MAX_OUTSTANDING_PER_ORIGIN, Origin};

    #[test]
    fn the_waiting_of_one_origin_leave_room_for_another() {
        let (desk, _inputs) = Desk::open();
        let page = Origin::new("https://a.test");
        let mut waiting: Vec<_> = (0..MAX_OUTSTANDING_PER_ORIGIN)
            .map(|_n| desk.wait_as(&page).unwrap())
            .collect();
        assert!(desk.wait_as(&page).is_none());
        assert!(desk.wait_as(&Origin::new("https://b.test")).is_some());
        waiting.pop();
        assert!(desk.wait_as(&page).is_some());
    }
}
