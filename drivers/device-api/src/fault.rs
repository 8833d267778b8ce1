//! Every way a job or a request can fail, as a closed set.
//!
//! A fault names the layer that failed, whether trying again can help, and, for the clerk, one sentence
//! of what happened and one of what to do, in Japanese and in English.
//! Codes are stable: a code that was released keeps its meaning for ever.
//! `docs/errors.md` lists them all; a test of this crate holds the two together.

mod text;

pub use text::FaultText;

/// The layer at which something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The request was refused before anything happened.
    Door,
    /// The agent and its driver processes.
    Agent,
    /// The operating system's device service, such as PC/SC.
    Service,
    /// The device itself.
    Device,
    /// The card in the device.
    Card,
    /// The PIN or another secret that a person entered.
    Pin,
}

impl Layer {
    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Agent => "agent",
            Self::Service => "service",
            Self::Device => "device",
            Self::Card => "card",
            Self::Pin => "pin",
        }
    }
}

/// Whether doing the same again can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// A person or program may simply start again.
    Now,
    /// It can succeed once something outside has changed by itself.
    Later,
    /// It fails again until a person changes something.
    Never,
}

impl Retry {
    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Later => "later",
            Self::Never => "never",
        }
    }
}

/// A way in which a job or a request can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultCode {
    /// `SVC-ABSENT`: The smart-card service is not running.
    ServiceAbsent,
    /// `SVC-LOST`: The smart-card service stopped during the operation.
    ServiceLost,
    /// `RDR-GONE`: The card reader was unplugged.
    ReaderGone,
    /// `RDR-BUSY`: Another program is using the card reader.
    ReaderBusy,
    /// `RDR-DENIED`: The operating system denies access to the card reader.
    ReaderDenied,
    /// `RDR-HUNG`: The card reader stopped answering.
    ReaderHung,
    /// `RDR-FAILED`: The card reader reported a communication error.
    ReaderFailed,
    /// `CRD-TIMEOUT`: No card was presented in time.
    CardTimeout,
    /// `CRD-REMOVED`: The card was lifted during the reading.
    CardRemoved,
    /// `CRD-MUTE`: The card does not answer.
    CardMute,
    /// `CRD-INTERRUPTED`: Another program reset the card during the reading.
    CardInterrupted,
    /// `CRD-UNKNOWN`: This is not a My Number card.
    CardUnknown,
    /// `CRD-GARBLED`: The card answered with data that make no sense.
    CardGarbled,
    /// `CRD-REFUSED`: The card refused a command.
    CardRefused,
    /// `PIN-WRONG`: The PIN is wrong.
    PinWrong,
    /// `PIN-BLOCKED`: The PIN is blocked.
    PinBlocked,
    /// `PIN-LAST-TRY`: Only one PIN try is left, so none was spent.
    PinLastTry,
    /// `PIN-UNKNOWN`: The connection broke while the PIN was checked; the outcome is unknown.
    PinUnknown,
    /// `PIN-FORMAT`: The PIN does not have the right form.
    PinFormat,
    /// `PIN-DECLINED`: The citizen declined to enter the PIN.
    PinDeclined,
    /// `PIN-TIMEOUT`: No PIN was entered in time.
    PinTimeout,
    /// `PIN-NO-SCREEN`: No PIN screen is paired with this counter.
    PinNoScreen,
    /// `PIN-NO-PAD`: This card reader has no keys for a PIN.
    PinNoPad,
    /// `HST-DIED`: The driver process ended unexpectedly and was restarted.
    HostDied,
    /// `HST-UNUSABLE`: The driver process does not follow its protocol.
    HostUnusable,
    /// `JOB-CANCELLED`: The job was cancelled.
    JobCancelled,
    /// `JOB-DEADLINE`: The job did not finish in time.
    JobDeadline,
    /// `JOB-ABANDONED`: The page that asked for the job went away.
    JobAbandoned,
    /// `LSE-LOST`: The lease of the device is not valid any more.
    LeaseLost,
    /// `DOR-HOST`: The Host header does not name this agent.
    DoorHost,
    /// `DOR-ORIGIN`: This origin is not allowed to use the agent.
    DoorOrigin,
    /// `DOR-CONTEXT`: The request did not come from a script of an allowed page.
    DoorContext,
    /// `DOR-TOKEN`: The counter token is missing or not valid.
    DoorToken,
    /// `DOR-TOKEN-EXPIRED`: The counter token has expired.
    DoorTokenExpired,
    /// `DOR-NONCE`: A privileged call needs a token with an unused nonce of this agent.
    DoorNonce,
    /// `DOR-GRANT`: Neither the origin's grant nor the token's scope covers this operation.
    DoorGrant,
    /// `DOR-SCHEMA`: The request does not match the schema.
    DoorSchema,
    /// `DOR-TOO-LARGE`: The request is too large.
    DoorTooLarge,
    /// `DOR-TOO-MANY`: Too many requests or connections.
    DoorTooMany,
    /// `DOR-NOT-FOUND`: There is no such thing.
    DoorNotFound,
    /// `DOR-CONFLICT`: The operation does not fit the present state.
    DoorConflict,
    /// `DOR-GONE`: The result has already been handed over.
    DoorGone,
    /// `AGT-AUDIT`: The audit log cannot be written, so nothing was handed out.
    AuditUnavailable,
    /// `AGT-STOPPING`: The agent is shutting down.
    AgentStopping,
    /// `AGT-INTERNAL`: The agent failed internally.
    AgentInternal,
}

impl FaultCode {
    /// Every code, in the order of `docs/errors.md`.
    pub const ALL: &'static [Self] = &[
        Self::ServiceAbsent,
        Self::ServiceLost,
        Self::ReaderGone,
        Self::ReaderBusy,
        Self::ReaderDenied,
        Self::ReaderHung,
        Self::ReaderFailed,
        Self::CardTimeout,
        Self::CardRemoved,
        Self::CardMute,
        Self::CardInterrupted,
        Self::CardUnknown,
        Self::CardGarbled,
        Self::CardRefused,
        Self::PinWrong,
        Self::PinBlocked,
        Self::PinLastTry,
        Self::PinUnknown,
        Self::PinFormat,
        Self::PinDeclined,
        Self::PinTimeout,
        Self::PinNoScreen,
        Self::PinNoPad,
        Self::HostDied,
        Self::HostUnusable,
        Self::JobCancelled,
        Self::JobDeadline,
        Self::JobAbandoned,
        Self::LeaseLost,
        Self::DoorHost,
        Self::DoorOrigin,
        Self::DoorContext,
        Self::DoorToken,
        Self::DoorTokenExpired,
        Self::DoorNonce,
        Self::DoorGrant,
        Self::DoorSchema,
        Self::DoorTooLarge,
        Self::DoorTooMany,
        Self::DoorNotFound,
        Self::DoorConflict,
        Self::DoorGone,
        Self::AuditUnavailable,
        Self::AgentStopping,
        Self::AgentInternal,
    ];

    /// The stable code, such as `CRD-REMOVED`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAbsent => "SVC-ABSENT",
            Self::ServiceLost => "SVC-LOST",
            Self::ReaderGone => "RDR-GONE",
            Self::ReaderBusy => "RDR-BUSY",
            Self::ReaderDenied => "RDR-DENIED",
            Self::ReaderHung => "RDR-HUNG",
            Self::ReaderFailed => "RDR-FAILED",
            Self::CardTimeout => "CRD-TIMEOUT",
            Self::CardRemoved => "CRD-REMOVED",
            Self::CardMute => "CRD-MUTE",
            Self::CardInterrupted => "CRD-INTERRUPTED",
            Self::CardUnknown => "CRD-UNKNOWN",
            Self::CardGarbled => "CRD-GARBLED",
            Self::CardRefused => "CRD-REFUSED",
            Self::PinWrong => "PIN-WRONG",
            Self::PinBlocked => "PIN-BLOCKED",
            Self::PinLastTry => "PIN-LAST-TRY",
            Self::PinUnknown => "PIN-UNKNOWN",
            Self::PinFormat => "PIN-FORMAT",
            Self::PinDeclined => "PIN-DECLINED",
            Self::PinTimeout => "PIN-TIMEOUT",
            Self::PinNoScreen => "PIN-NO-SCREEN",
            Self::PinNoPad => "PIN-NO-PAD",
            Self::HostDied => "HST-DIED",
            Self::HostUnusable => "HST-UNUSABLE",
            Self::JobCancelled => "JOB-CANCELLED",
            Self::JobDeadline => "JOB-DEADLINE",
            Self::JobAbandoned => "JOB-ABANDONED",
            Self::LeaseLost => "LSE-LOST",
            Self::DoorHost => "DOR-HOST",
            Self::DoorOrigin => "DOR-ORIGIN",
            Self::DoorContext => "DOR-CONTEXT",
            Self::DoorToken => "DOR-TOKEN",
            Self::DoorTokenExpired => "DOR-TOKEN-EXPIRED",
            Self::DoorNonce => "DOR-NONCE",
            Self::DoorGrant => "DOR-GRANT",
            Self::DoorSchema => "DOR-SCHEMA",
            Self::DoorTooLarge => "DOR-TOO-LARGE",
            Self::DoorTooMany => "DOR-TOO-MANY",
            Self::DoorNotFound => "DOR-NOT-FOUND",
            Self::DoorConflict => "DOR-CONFLICT",
            Self::DoorGone => "DOR-GONE",
            Self::AuditUnavailable => "AGT-AUDIT",
            Self::AgentStopping => "AGT-STOPPING",
            Self::AgentInternal => "AGT-INTERNAL",
        }
    }

    /// The code with this stable name, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == code)
    }

    /// The layer that failed.
    #[must_use]
    pub const fn layer(self) -> Layer {
        match self {
            Self::ServiceAbsent | Self::ServiceLost => Layer::Service,
            Self::ReaderGone
            | Self::ReaderBusy
            | Self::ReaderDenied
            | Self::ReaderHung
            | Self::ReaderFailed => Layer::Device,
            Self::CardTimeout
            | Self::CardRemoved
            | Self::CardMute
            | Self::CardInterrupted
            | Self::CardUnknown
            | Self::CardGarbled
            | Self::CardRefused => Layer::Card,
            Self::PinWrong
            | Self::PinBlocked
            | Self::PinLastTry
            | Self::PinUnknown
            | Self::PinFormat
            | Self::PinDeclined
            | Self::PinTimeout
            | Self::PinNoScreen
            | Self::PinNoPad => Layer::Pin,
            Self::HostDied
            | Self::HostUnusable
            | Self::JobCancelled
            | Self::JobDeadline
            | Self::JobAbandoned
            | Self::LeaseLost
            | Self::AuditUnavailable
            | Self::AgentStopping
            | Self::AgentInternal => Layer::Agent,
            Self::DoorHost
            | Self::DoorOrigin
            | Self::DoorContext
            | Self::DoorToken
            | Self::DoorTokenExpired
            | Self::DoorNonce
            | Self::DoorGrant
            | Self::DoorSchema
            | Self::DoorTooLarge
            | Self::DoorTooMany
            | Self::DoorNotFound
            | Self::DoorConflict
            | Self::DoorGone => Layer::Door,
        }
    }

    /// Whether doing the same again can succeed.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::ServiceAbsent
            | Self::ReaderGone
            | Self::ReaderBusy
            | Self::PinNoScreen
            | Self::DoorTooMany
            | Self::AuditUnavailable
            | Self::AgentStopping => Retry::Later,
            Self::ServiceLost
            | Self::ReaderHung
            | Self::ReaderFailed
            | Self::CardTimeout
            | Self::CardRemoved
            | Self::CardMute
            | Self::CardInterrupted
            | Self::CardGarbled
            | Self::PinWrong
            | Self::PinUnknown
            | Self::PinFormat
            | Self::PinDeclined
            | Self::PinTimeout
            | Self::HostDied
            | Self::JobCancelled
            | Self::JobDeadline
            | Self::JobAbandoned
            | Self::LeaseLost
            | Self::DoorTokenExpired
            | Self::DoorNonce
            | Self::AgentInternal => Retry::Now,
            Self::ReaderDenied
            | Self::CardUnknown
            | Self::CardRefused
            | Self::PinBlocked
            | Self::PinLastTry
            | Self::PinNoPad
            | Self::HostUnusable
            | Self::DoorHost
            | Self::DoorOrigin
            | Self::DoorContext
            | Self::DoorToken
            | Self::DoorGrant
            | Self::DoorSchema
            | Self::DoorTooLarge
            | Self::DoorNotFound
            | Self::DoorConflict
            | Self::DoorGone => Retry::Never,
        }
    }

    /// The sentences for people.
    #[must_use]
    pub const fn text(self) -> FaultText {
        text::of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_in_the_documented_table_with_its_sentences() {
        let page = include_str!("../../../docs/errors.md");
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        let expected: Vec<String> = FaultCode::ALL
            .iter()
            .map(|code| {
                let text = code.text();
                format!(
                    "| `{}` | {} | {} | {} | {} | {} | {} |",
                    code.as_str(),
                    code.layer().as_str(),
                    code.retry().as_str(),
                    text.en,
                    text.next_en,
                    text.ja,
                    text.next_ja
                )
            })
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_code_is_found_by_its_stable_name() {
        for code in FaultCode::ALL {
            assert_eq!(FaultCode::from_code(code.as_str()), Some(*code));
        }
        assert_eq!(FaultCode::from_code("NO-SUCH"), None);
    }
}
