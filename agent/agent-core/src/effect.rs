//! Everything that the daemon must do, as one enum: the only way out of the core.
//!
//! The daemon executes effects in their order and decides nothing.
//!
//! Long because everything that the daemon can be told to do is to be read in one place.

use std::time::Duration;

use device_api::{DeviceClass, DeviceFacts, DeviceId, FaultCode, Secret};

use crate::event::{DeviceState, DocumentFacts, Refusal, ServiceState};
use crate::ids::{
    AuditTicket, DocumentId, HostId, HostRun, JobId, LeaseId, Origin, RequestId, ScreenId,
    ScreenLink, SessionId, SessionLink,
};
use crate::sealed::Sealed;
use crate::stream::Position;
use crate::task::{Credential, Fault, Field, JobView, Task, Verdict};

/// What to do.
#[derive(Debug)]
pub enum Effect<R> {
    /// Start a driver host's process; a failure to start is reported as `Event::HostExited`.
    StartHost {
        /// Which life of which host.
        run: HostRun,
    },
    /// Kill a driver host's process and reap it; then report `Event::HostExited`.
    KillHost {
        /// Which life of which host.
        run: HostRun,
    },
    /// Say something to a driver host.
    SendToHost {
        /// Which life of which host.
        run: HostRun,
        /// What to say.
        command: HostCommand<R>,
    },
    /// Answer a request.
    Reply {
        /// The request.
        request: RequestId,
        /// The answer.
        outcome: Result<Answer<R>, Refusal>,
    },
    /// Greet a client on its event stream.
    Welcome {
        /// The connection.
        link: SessionLink,
        /// The session's name, for `Call::TakeLease`.
        session: SessionId,
        /// Where the stream stands.
        position: Position,
        /// Whether events since the client's last position are lost to it.
        missed: bool,
    },
    /// Tell a client on its event stream why it ends, and close it; then report `SessionClosed`.
    RefuseSession {
        /// The connection.
        link: SessionLink,
        /// Why.
        refusal: Refusal,
    },
    /// Tell a client what happened.
    Publish {
        /// The connection.
        link: SessionLink,
        /// The event's number.
        seq: u64,
        /// What happened.
        happening: Happening,
    },
    /// Pass on what came of a job before its end; kept nowhere.
    Pass {
        /// The job.
        job: JobId,
        /// The item's number.
        n: u32,
        /// The event stream that gets it.
        session: Option<SessionLink>,
        /// The citizen's page that gets it, and the word of the job.
        screen: Option<(ScreenLink, &'static str)>,
        /// Its content.
        item: Sealed<R>,
    },
    /// Say something to a PIN page.
    TellScreen {
        /// The connection.
        link: ScreenLink,
        /// What to say.
        tell: ScreenTell,
    },
    /// Close a PIN page's connection; then report `ScreenClosed`.
    CloseScreen {
        /// The connection.
        link: ScreenLink,
    },
    /// Replace the stored pairings by these, so that they survive a restart.
    StorePairings {
        /// All of them.
        pairings: Vec<Pairing>,
    },
    /// Write a record to the audit log; then report `AuditWritten` or `AuditFailed`.
    AppendAudit {
        /// Names the record in the report.
        ticket: AuditTicket,
        /// The record.
        entry: Box<AuditEntry>,
    },
    /// Put into the log and the counters.
    Report(Report),
    /// After `Event::Stop`: nothing is left to wait for.
    Drained,
}

/// What the agent says to a driver host.
#[derive(Debug)]
pub enum HostCommand<R> {
    /// Chooses the protocol's version.
    Welcome {
        /// The version.
        protocol: u32,
    },
    /// Starts a job. The daemon adds the date.
    Start {
        /// The job's number at the host.
        work: u64,
        /// The device.
        device: DeviceId,
        /// Time until it must have finished.
        within: Duration,
        /// What to do.
        task: Task,
        /// For whom and why, as the audit log has it.
        order: Box<AuditOrder>,
        /// The task as it was handed in, where the core does not look at all of it.
        content: Option<Sealed<R>>,
        /// The documents that it uses up.
        documents: Vec<Sealed<R>>,
    },
    /// An item has been taken over.
    Received {
        /// The job.
        work: u64,
        /// The item's number.
        n: u32,
    },
    /// What the citizen did with the document that is shown.
    Act {
        /// The job.
        work: u64,
        /// What.
        act: Sealed<R>,
    },
    /// Answers a question.
    Answer {
        /// The job.
        work: u64,
        /// The question.
        ask: u32,
        /// The answer.
        answer: HostAnswer,
    },
    /// Ends a job early.
    Cancel {
        /// The job.
        work: u64,
    },
    /// Asks for a sign of life.
    Ping {
        /// Returned as it came.
        n: u64,
    },
}

/// The answer to a driver host's question.
#[derive(Debug)]
pub enum HostAnswer {
    /// The secret.
    Secret {
        /// Digits, ASCII.
        value: Secret,
        /// Whether the last try may be spent on it.
        last_try_allowed: bool,
    },
    /// The PIN may be typed on the device now.
    EnterOnDevice {
        /// Whether the last try may be spent on it.
        last_try_allowed: bool,
    },
    /// The person declined.
    Declined,
    /// Nobody answered in time.
    TimedOut,
}

/// The answer to a request.
#[derive(Debug)]
pub enum Answer<R> {
    /// Of `Devices`.
    Devices(DeviceListView),
    /// Of `TakeLease`, `Lease`, `RenewLease`.
    Lease(LeaseView),
    /// Of `Leases`.
    Leases(Vec<LeaseView>),
    /// Of `ReleaseLease`.
    Released,
    /// Of `StartJob`: a new job, or the one that the same key named before.
    Started {
        /// The job.
        job: Box<JobView>,
        /// Whether this call made it.
        new: bool,
    },
    /// Of `Job`, `CancelJob`, `AnswerJob`.
    Job(Box<JobView>),
    /// Of `Jobs`.
    Jobs(Vec<JobView>),
    /// Of `TakeResult`.
    Result(Sealed<R>),
    /// Of `KeepDocument`.
    Document {
        /// The document.
        id: DocumentId,
        /// What it is.
        facts: DocumentFacts,
        /// Time until it is erased.
        expires_in: Duration,
    },
    /// Of `TakeDocument`.
    Content {
        /// What it is.
        facts: DocumentFacts,
        /// Its bytes.
        content: Sealed<R>,
    },
    /// Of `PinScreens`, `PairScreen`, `UnpairScreen`.
    PinScreens(Vec<PinScreenView>),
    /// Of `NewNonce`.
    Nonce {
        /// The nonce.
        nonce: String,
        /// Time until it expires unused.
        expires_in: Duration,
    },
}

/// What happened, for clients. Carries the whole present state of its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A device or the card service changed.
    Devices(DeviceListView),
    /// A lease changed.
    Lease(LeaseView),
    /// A lease has ended.
    LeaseEnded(LeaseId),
    /// A job changed.
    Job(Box<JobView>),
    /// The PIN screens of a counter changed.
    PinScreens(Vec<PinScreenView>),
}

/// The devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceListView {
    /// The devices that the viewer may see.
    pub devices: Vec<DeviceView>,
    /// The operating system's card service.
    pub card_service: CardService,
}

/// The operating system's card service, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardService {
    /// No driver host serves card readers.
    Unused,
    /// The driver host that serves them has not spoken yet.
    Starting,
    /// As that host says.
    Known(ServiceState),
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceView {
    /// Stable over unplugging and restarts.
    pub id: DeviceId,
    /// What kind it is.
    pub class: DeviceClass,
    /// The name that the operating system shows.
    pub name: String,
    /// Whether it can be used, and what stands on it.
    pub state: DeviceState,
    /// Why no job can be started on it; `None` where one can.
    pub trouble: Option<FaultCode>,
    /// What will stand in the way soon.
    pub warnings: Vec<FaultCode>,
    /// What else is known of it.
    pub facts: DeviceFacts,
}

/// A lease, granted or waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// The lease.
    pub id: LeaseId,
    /// The device.
    pub device: DeviceId,
    /// Its place.
    pub place: Place,
    /// Time until it ends unless renewed.
    pub expires_in: Duration,
}

/// A lease's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The device is the owner's.
    Granted {
        /// Rises with every grant.
        fence: u64,
    },
    /// Others are before it.
    Waiting {
        /// How many, the holder included.
        ahead: u32,
    },
}

/// A PIN screen, as the counter application sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinScreenView {
    /// The screen.
    pub id: ScreenId,
    /// Whether its page is connected now.
    pub connected: bool,
}

/// What the agent says to a PIN page.
#[derive(Debug)]
pub enum ScreenTell {
    /// Show this code until staff have entered it at the counter.
    Pairing {
        /// Six digits.
        code: String,
    },
    /// The screen belongs to a counter.
    Paired {
        /// To be kept by the page; absent where the page has it.
        key: Option<Secret>,
        /// The counter.
        counter: String,
    },
    /// Nothing is asked.
    Idle {
        /// Why the last question closed.
        last: Option<Closed>,
    },
    /// Ask the citizen for the PIN.
    Ask {
        /// The job.
        job: JobId,
        /// The question.
        ask: u32,
        /// The word that the clerk's page shows too.
        word: &'static str,
        /// Tries left.
        tries_left: u8,
        /// Whether the one try left may be spent.
        last_try: bool,
        /// Which digit each key carries.
        keys: [u8; 10],
    },
}

/// Why a question closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The citizen answered.
    Entered,
    /// The job ended without the answer.
    Cancelled,
    /// The card refused what was entered.
    Wrong,
}

/// A pairing, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    /// The screen.
    pub screen: ScreenId,
    /// The digest of its key.
    pub digest: [u8; 32],
    /// The counter application that it belongs to.
    pub origin: Origin,
    /// The counter that it belongs to.
    pub counter: String,
}

/// What the audit log is to keep of a job; never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The job.
    pub job: JobId,
    /// What became of it.
    pub stage: AuditStage,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditStage {
    /// It goes to a driver host. No secret follows it before this is on the disk.
    Started(AuditOrder),
    /// It has ended.
    Ended(AuditOrder, AuditEnd),
    /// Its end was written too late: the record tells of a success, and nothing was handed out.
    Withheld,
}

/// A job, as the audit log keeps it: who, for what, which fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditOrder {
    /// The staff id.
    pub staff: String,
    /// The counter application, or the local user.
    pub origin: Origin,
    /// The counter.
    pub counter: String,
    /// The device.
    pub device: DeviceId,
    /// Why the data were needed, as the application said.
    pub purpose: String,
    /// What was done, such as `readMyNumberCard`.
    pub operation: &'static str,
    /// What it was about: a ticket, a visit, a form or a template.
    pub subject: Option<String>,
    /// Which fields were asked for.
    pub fields: Vec<Field>,
    /// Which secret is to open the card.
    pub credential: Option<Credential>,
}

/// How a job ended, as the audit log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEnd {
    /// How it ended: `None` for success.
    pub fault: Option<Fault>,
    /// Whether the data can be believed, where the task said so.
    pub verdict: Option<Verdict>,
    /// Who allowed the last try, where someone did.
    pub last_try_allowed_by: Option<String>,
    /// How often a secret was handed to the driver host for the card, or leave was given to type it on the
    /// device.
    pub secrets_used: u32,
    /// How many items were taken over by the page that asked for them.
    pub items: u32,
    /// The digest of what came out, where that is to be proved later.
    pub evidence: Option<[u8; 32]>,
}

/// What people and counters should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A driver host said its hello and is in service.
    HostReady {
        /// The host.
        run: HostRun,
    },
    /// A driver host ended and will be started again.
    HostLost {
        /// The host.
        run: HostRun,
        /// Why, as far as the agent knows.
        why: HostLoss,
        /// How many lives in a row ended badly, this one included.
        in_a_row: u32,
        /// When the next life begins.
        restart_in: Duration,
    },
    /// Two hosts offer the same device; the later one is not used.
    DeviceOfferedTwice {
        /// The host that is not used.
        host: HostId,
        /// The device.
        device: DeviceId,
    },
    /// A driver host said something that does not fit the protocol's state.
    HostOutOfTurn {
        /// The host.
        run: HostRun,
    },
    /// A job's record could not be written.
    AuditLost {
        /// The job.
        job: JobId,
    },
    /// The devices, or the card service, changed.
    Devices(DeviceListView),
    /// A job has ended; for counting, so it says nothing of whose it was or what it found.
    JobEnded {
        /// What was done, such as `readMyNumberCard`.
        operation: &'static str,
        /// How it ended: `None` for success.
        fault: Option<FaultCode>,
        /// How long its host worked on it; zero where it never went to one.
        took: Duration,
    },
    /// Someone guesses pairing codes.
    PairingGuesses {
        /// At this counter application.
        origin: Origin,
        /// And counter.
        counter: String,
    },
}

/// Why a driver host ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostLoss {
    /// By itself.
    Died,
    /// It did not say hello in time.
    Silent,
    /// It speaks no version that the agent speaks.
    WrongVersion,
    /// It wrote too much that is no message, or broke the protocol.
    Unusable,
    /// It did not end a job in time.
    Overdue,
    /// It did not answer a ping.
    Deaf,
    /// An operator had it started anew.
    Ordered,
}
