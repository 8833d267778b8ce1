//! Everything that can happen to the agent, as one enum: the only way into the core.
//!
//! The daemon turns requests, connections, driver hosts, timers and the audit log into these values.

use std::time::Duration;

use device_api::{DeviceFacts, DeviceId, FaultCode, Secret};

use crate::access::Caller;
use crate::ids::{
    AuditTicket, DocumentId, HostId, HostRun, JobId, LeaseId, RequestId, ScreenId, ScreenLink,
    SessionId, SessionLink,
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
    /// An operator wants a driver host started anew; one that is not in service stays as it is.
    RestartHost {
        /// The host.
        host: HostId,
    },
    /// An operator takes the machine out of service, or puts it back: jobs that run go on, none begins.
    Lock {
        /// Whether it is out of service.
        locked: bool,
    },
    /// A client asks for something; answered by exactly one `Effect::Reply`.
    Request {
        /// The request.
        id: RequestId,
        /// Who asks; already authenticated.
        caller: Caller,
        /// What is asked.
        call: Call<R>,
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
    /// A client said something on its event stream.
    SessionSaid {
        /// The connection.
        link: SessionLink,
        /// What it said.
        said: SessionSays<R>,
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
        said: ScreenSays<R>,
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
pub enum Call<R> {
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
        /// What the core does not look at: the task as it was handed in, for the driver host.
        content: Option<Sealed<R>>,
    },
    /// That a document is kept until a job uses it up.
    KeepDocument {
        /// What it is.
        facts: DocumentFacts,
        /// Its bytes.
        content: Sealed<R>,
    },
    /// A document that a job of the caller made, once.
    TakeDocument(DocumentId),
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

/// What is known of a document without looking into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFacts {
    /// What it is for: `document`, or a kind of export.
    pub role: &'static str,
    /// What it is, such as `application/pdf`.
    pub media_type: String,
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// A document that came of a job. The daemon draws its name, because the result tells it.
#[derive(Debug)]
pub struct NewDocument<R> {
    /// Its name: unguessable.
    pub id: DocumentId,
    /// What it is.
    pub facts: DocumentFacts,
    /// Its bytes.
    pub content: Sealed<R>,
}

/// What a client says on its event stream.
#[derive(Debug)]
pub enum SessionSays<R> {
    /// It has taken an item over.
    Received {
        /// The job.
        job: JobId,
        /// The number of the item.
        n: u32,
    },
    /// What the citizen did on a page of the application.
    Act {
        /// The job.
        job: JobId,
        /// What.
        act: Sealed<R>,
    },
}

/// What a citizen's page says.
#[derive(Debug)]
pub enum ScreenSays<R> {
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
    /// What the citizen did with a document that is shown.
    Act {
        /// The job.
        job: JobId,
        /// What.
        act: Sealed<R>,
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
        /// The documents that the result names.
        documents: Vec<NewDocument<R>>,
        /// For the audit log: the digest of what came out, where that is to be proved later.
        evidence: Option<[u8; 32]>,
    },
    /// Something came of the job before its end.
    Item {
        /// The job.
        work: u64,
        /// Counted from 1 in each job.
        n: u32,
        /// What it is.
        kind: ItemKind,
        /// Its content.
        item: Sealed<R>,
    },
    /// The job has failed. A code that `FaultCode::from_code` does not know is `HostUnusable`.
    Failed {
        /// The job.
        work: u64,
        /// Why.
        fault: Fault,
        /// Which part of what was handed in is at fault, such as a field's name; never its value.
        about: Option<String>,
    },
    /// The answer to a ping.
    Pong {
        /// As it was sent.
        n: u64,
    },
}

/// What came of a job before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// A scanned code, for the page that waits for it.
    Scan,
    /// What a pen did, for whoever shows it.
    Ink,
    /// A page of a document, for the citizen to see.
    Show,
    /// The number of pages scanned.
    Page,
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
    /// For `NotReady`: what stands in the way.
    pub fault: Option<FaultCode>,
    /// What will stand in the way soon.
    pub warnings: Vec<FaultCode>,
    /// What else is known of it.
    pub facts: DeviceFacts,
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
    /// Ready; said of devices that take no card.
    Ready,
    /// It answers, and a person must do something first.
    NotReady,
    /// The operating system denies access.
    Denied,
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
