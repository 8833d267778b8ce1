//! Everything that can end a job early, and what people are told of it.
//!
//! A fault's detail is made of this module's and its sources' texts, none of which holds anything about a
//! citizen.

use std::error::Error;

use device_api::{FaultCode, Stop};
use host_protocol::HostFault;
use idcards::my_number::{CardError, VerifyError};
use smartcard::{BeginError, ChannelError};
use thiserror::Error as ThisError;

/// Why a job failed.
#[derive(Debug, ThisError)]
pub(crate) enum JobError {
    /// No card could be reached.
    #[error("card could not be reached")]
    Begin(#[source] BeginError),
    /// The card was lost or made no sense before any secret was sent.
    #[error("card failed before the secret was sent")]
    BeforeSecret(#[source] CardError),
    /// The secret was refused, or its outcome is unknown.
    #[error("secret was not verified")]
    Verify(#[source] VerifyError),
    /// The card was lost or made no sense after it had accepted the secret.
    #[error("card failed after the secret was verified")]
    AfterSecret(#[source] CardError),
    /// The card has no try left, so nobody was asked.
    #[error("secret is blocked, nobody was asked")]
    Blocked,
    /// The PIN was to be typed on a reader that has no keys.
    #[error("reader has no keys")]
    NoKeys,
    /// The card left while a person was asked.
    #[error("card was removed while the secret was asked for")]
    LiftedWhileAsked,
    /// Another card lies on the reader than the one that was shown to the person.
    #[error("card was exchanged for another while the secret was asked for")]
    OtherCard,
    /// The service or the reader went while a person was asked.
    #[error("device was lost while the secret was asked for")]
    LostWhileAsked(#[source] BeginError),
    /// The answer does not fit the question.
    #[error("answer does not fit the question")]
    AnswerUnfit,
    /// The person declined.
    #[error("person declined")]
    Declined,
    /// Nobody answered in time.
    #[error("nobody answered")]
    Unanswered,
    /// The job was cancelled or its deadline passed.
    #[error("job was stopped")]
    Stopped(Stop),
    /// The operating system gave no random bytes for a challenge.
    #[error("no random bytes for a challenge")]
    NoRandomness,
}

impl JobError {
    /// Whether a card that is still there broke off before any secret was sent, so nothing was lost.
    ///
    /// Another program's reset does that; so does a card that was exchanged for another between two
    /// looks of the service, which then talks to the new one as if it had power.
    /// Only then is a session begun once more; a lifted card is one clear error.
    pub(crate) const fn recoverable(&self) -> bool {
        matches!(
            self,
            Self::Begin(BeginError::Mute | BeginError::Reader { .. })
                | Self::BeforeSecret(CardError::Channel {
                    source: ChannelError::ResetByOther
                        | ChannelError::Mute
                        | ChannelError::Reader { .. },
                    ..
                })
        )
    }

    /// What is told of a job that was stopped for the reason `stop`, if it was.
    pub(crate) fn fault(&self, stop: Option<Stop>) -> HostFault {
        HostFault {
            code: self.code(stop).as_str().to_owned(),
            detail: self.detail(),
            about: None,
            tries_left: self.tries_left(),
        }
    }

    fn code(&self, stop: Option<Stop>) -> FaultCode {
        match self {
            Self::Begin(error) | Self::LostWhileAsked(error) => error.fault(),
            Self::BeforeSecret(error) | Self::AfterSecret(error) => card_code(error, stop),
            Self::Verify(VerifyError::Card(error)) => card_code(error, stop),
            Self::Verify(error) => error.fault(),
            Self::Blocked => FaultCode::PinBlocked,
            Self::NoKeys => FaultCode::PinNoPad,
            Self::LiftedWhileAsked | Self::OtherCard => FaultCode::CardRemoved,
            Self::Declined => FaultCode::PinDeclined,
            Self::Unanswered => FaultCode::PinTimeout,
            Self::Stopped(Stop::Cancelled) => FaultCode::JobCancelled,
            Self::Stopped(Stop::Deadline) => FaultCode::JobDeadline,
            Self::AnswerUnfit | Self::NoRandomness => FaultCode::AgentInternal,
        }
    }

    fn tries_left(&self) -> Option<u8> {
        if let Self::Verify(error) = self {
            return error.tries_left();
        }
        matches!(self, Self::Blocked).then_some(0)
    }

    fn detail(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}

fn card_code(error: &CardError, stop: Option<Stop>) -> FaultCode {
    match error {
        CardError::Channel { source, .. } => smartcard::channel_fault(*source, stop),
        CardError::NotMyNumber
        | CardError::Refused { .. }
        | CardError::Malformed { .. }
        | CardError::StaleVerification
        | CardError::NumberNeedsPin => error.fault(),
    }
}
