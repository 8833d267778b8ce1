//! Everything that can happen to the agent, as one enum: the only way into the core.
//!
//! The daemon turns requests, connections, driver hosts, timers and the audit log into these values.

use std::time::Duration;

use device_api::{DeviceId, FaultCode, Secret};

use crate::access::Caller;
use crate::ids::{
    AuditTicket, HostRun, JobId, LeaseId, RequestId, ScreenId, ScreenLink, SessionId, SessionLink,
};
use crate::sealed::Sealed;
use crate::stream::Position;
use crate::task::{CardFacts, Fault, JobOrder, Step, Verdict};

/// What happened. `R` is the result of a job, closed to the core.
#[derive(Debug)]
pub enum Event<R> {
    /// The daemon is ready; said once, first.
    Started,
    /// The moment of [`crate::Core::next_wakeup`] has come.
    Woken,
    /// A client asks for something; answered by exactly one `Effect::Reply`.
    Request {
        /// The request.
        id: RequestId,
        /// Who asks; already authenticated.
        caller: Caller,
        /// What is asked.
        call: Call,
    },
    /// A client opened an event stream and said its `hello`.
    SessionOpened {
        /// The connection.
        link: SessionLink,
        /// Who it is; already authenticated.
        caller: Caller,
        /// The last event that it saw, after a reconnect.
        after: Option<Position>,
    },
    /// A client replaced its token on an open stream.
    SessionRenewed {
        /// The connection.
        link: SessionLink,
        /// Who it is by the new token.
        caller: Caller,
    },
    /// An event stream has ended, whoever ended it.
    SessionClosed {
        /// The connection.
        link: SessionLink,
    },
    /// A PIN page spoke. Its first word must be `Register`.
    ScreenSaid {
        /// The connection.
        link: ScreenLink,
        /// What it said.
        said: ScreenSays,
    },
    /// A PIN page's connection has ended, whoever ended it.
    ScreenClosed {
        /// The connection.
        link: ScreenLink,
    },
    /// A driver host spoke.
    HostSaid {
        /// Which life of which host.
        run: HostRun,
        /// What it said.
        said: HostSays<R>,
    },
    /// A driver host wrote a line that is no message.
    HostGarbled {
        /// Which life of which host.
        run: HostRun,
    },
    /// A driver host's process has ended and been reaped, or could not be started at all.
    HostExited {
        /// Which life of which host.
        run: HostRun,
    },
    /// A record is on the disk.
    AuditWritten {
        /// Which record.
        ticket: AuditTicket,
    },
    /// A record could not be written.
    AuditFailed {
        /// Which record.
        ticket: AuditTicket,
    },
    /// The daemon wants to end: no new work, running jobs end, then `Effect::Drained`.
    Stop,
}

/// What a client can ask for.
#[derive(Debug)]
pub enum Call {
    /// The devices that the caller may see.
    Devices,
    /// The exclusive use of a device.
    TakeLease {
        /// The device.
        device: DeviceId,
        /// How long it lasts unless renewed; 1 s to 600 s.
        ttl: Duration,
        /// The session whose end also ends it.
        session: Option<SessionId>,
    },
    /// A lease of the caller.
    Lease(LeaseId),
    /// All leases of the caller.
    Leases,
    /// More time for a lease.
    RenewLease {
        /// The lease.
        lease: LeaseId,
        /// From now on; 1 s to 600 s.
        ttl: Duration,
    },
    /// The end of a lease.
    ReleaseLease(LeaseId),
    /// A job.
    StartJob {
        /// Names the attempt: the same key again gives the same job.
        key: String,
        /// What is wanted.
        order: JobOrder,
    },
    /// A job of the caller.
    Job(JobId),
    /// All jobs of the caller that are still known.
    Jobs,
    /// The end of a job.
    CancelJob(JobId),
    /// An answer to a job's question.
    AnswerJob {
        /// The job.
        job: JobId,
        /// The number of the question.
        ask: u32,
        /// The answer.
        answer: JobAnswer,
    },
    /// The result of a job, once.
    TakeResult(JobId),
    /// The PIN screens of the caller's counter.
    PinScreens,
    /// Pairs the screen that shows this code with the caller's counter.
    PairScreen {
        /// Six digits.
        code: String,
    },
    /// Ends a pairing of the caller's counter.
    UnpairScreen(ScreenId),
    /// A nonce for one privileged call.
    NewNonce,
}

/// An answer to a job's question, by API.
#[derive(Debug)]
pub enum JobAnswer {
    /// The secret that was asked for.
    Secret(Secret),
    /// Allows the last try to be spent.
    AllowLastTry,
    /// The citizen declined.
    Decline,
}

/// What a PIN page says.
#[derive(Debug)]
pub enum ScreenSays {
    /// The first word.
    Register {
        /// The key from an earlier pairing.
        key: Option<Secret>,
    },
    /// The citizen typed the PIN.
    Secret {
        /// The job.
        job: JobId,
        /// The question.
        ask: u32,
        /// What was typed.
        value: Secret,
    },
    /// The citizen declined.
    Decline {
        /// The job.
        job: JobId,
        /// The question.
        ask: u32,
    },
}

/// What a driver host says.
#[derive(Debug)]
pub enum HostSays<R> {
    /// The first word.
    Hello {
        /// The versions of the protocol that it speaks.
        protocols: Vec<u32>,
    },
    /// All its devices, whenever any of them changed.
    Devices {
        /// The operating system's service under them.
        service: ServiceState,
        /// All of them.
        devices: Vec<DeviceReport>,
    },
    /// The job was taken on.
    Accepted {
        /// The job, by the number of `HostCommand::Start`.
        work: u64,
    },
    /// The job has come a step further.
    Progress {
        /// The job.
        work: u64,
        /// Where it stands.
        step: Step,
        /// What the card says of itself, once known.
        card: Option<CardFacts>,
    },
    /// The job needs something from a person.
    Ask {
        /// The job.
        work: u64,
        /// The number of the question.
        ask: u32,
        /// Which secret.
        secret: SecretKind,
        /// Tries left, read from the card just now.
        tries_left: u8,
    },
    /// The job has ended well.
    Done {
        /// The job.
        work: u64,
        /// Whether the data can be believed, where the task says so.
        verdict: Option<Verdict>,
        /// What came out.
        result: Sealed<R>,
    },
    /// The job has failed. A code that `FaultCode::from_code` does not know is `HostUnusable`.
    Failed {
        /// The job.
        work: u64,
        /// Why.
        fault: Fault,
    },
    /// The answer to a ping.
    Pong {
        /// As it was sent.
        n: u64,
    },
}

/// Which secret a driver host asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// The citizen's 4-digit PIN.
    Pin,
    /// The same PIN, typed on the keys of the device: only leave to do so is asked for.
    PinOnDevice,
    /// Verification number B, 14 digits.
    VerificationNumberB,
}

impl SecretKind {
    /// How many digits it has.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            Self::Pin | Self::PinOnDevice => 4,
            Self::VerificationNumberB => 14,
        }
    }
}

/// The operating system's service under the devices of a host, from well to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceState {
    /// It answers.
    Up,
    /// It does not run.
    Down,
    /// It runs and refuses the user under whom the host runs: that does not mend itself.
    Denied,
}

/// One device, as its host reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceReport {
    /// Stable over unplugging and restarts.
    pub id: DeviceId,
    /// What kind it is.
    pub class: device_api::DeviceClass,
    /// The name that the operating system shows.
    pub name: String,
    /// Whether it can be used, and what stands on it.
    pub state: DeviceState,
    /// Whether the PIN can be typed on the device itself.
    pub pin_pad: bool,
}

/// The state of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Ready; no card on it.
    Empty,
    /// Ready; a card is on it.
    CardPresent,
    /// A card is on it and does not answer.
    CardMute,
    /// Another program holds it.
    InUse,
    /// It does not answer.
    Unresponsive,
    /// It was here and is gone.
    Absent,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: FaultCode,
    /// For faults of a PIN: how many tries the card has left.
    pub tries_left: Option<u8>,
    /// Which part of the request is wrong; repeats none of its content.
    pub detail: Option<&'static str>,
}

impl Refusal {
    /// A refusal because of one wrong part.
    #[must_use]
    pub const fn about(code: FaultCode, detail: &'static str) -> Self {
        Self {
            code,
            tries_left: None,
            detail: Some(detail),
        }
    }
}

impl From<FaultCode> for Refusal {
    fn from(code: FaultCode) -> Self {
        Self {
            code,
            tries_left: None,
            detail: None,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self {
            code: fault.code,
            tries_left: fault.tries_left,
            detail: None,
        }
    }
}
