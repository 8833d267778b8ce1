//! Which fault the agent reports for a failed read.

use device_api::FaultCode;
use smartcard::ChannelError;

use crate::my_number::{CardError, VerifyError};

impl CardError {
    /// The fault to report.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::NotMyNumber => FaultCode::CardUnknown,
            Self::Channel { source, .. } => channel_fault(*source),
            Self::Refused { .. } | Self::StaleVerification | Self::NumberNeedsPin => {
                FaultCode::CardRefused
            }
            Self::Malformed { .. } => FaultCode::CardGarbled,
        }
    }
}

impl VerifyError {
    /// The fault to report.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::Format => FaultCode::PinFormat,
            Self::LastTry => FaultCode::PinLastTry,
            Self::Blocked => FaultCode::PinBlocked,
            Self::Wrong { .. } => FaultCode::PinWrong,
            Self::OutcomeUnknown { .. } => FaultCode::PinUnknown,
            Self::Card(error) => error.fault(),
        }
    }

    /// How many tries are left, where the card told.
    #[must_use]
    pub const fn tries_left(&self) -> Option<u8> {
        match self {
            Self::LastTry => Some(1),
            Self::Blocked => Some(0),
            Self::Wrong { tries_left } => Some(*tries_left),
            Self::Format | Self::OutcomeUnknown { .. } | Self::Card(_) => None,
        }
    }
}

const fn channel_fault(error: ChannelError) -> FaultCode {
    match error {
        ChannelError::Removed => FaultCode::CardRemoved,
        ChannelError::ResetByOther => FaultCode::CardInterrupted,
        ChannelError::Mute => FaultCode::CardMute,
        ChannelError::Garbled => FaultCode::CardGarbled,
        ChannelError::ReaderGone => FaultCode::ReaderGone,
        ChannelError::ServiceLost => FaultCode::ServiceLost,
        ChannelError::Cancelled => FaultCode::JobCancelled,
        ChannelError::Reader { .. } => FaultCode::ReaderFailed,
    }
}
