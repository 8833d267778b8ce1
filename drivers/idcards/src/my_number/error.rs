//! How reading a My Number card fails.

use std::fmt;

use smartcard::{ChannelError, StatusWord};
use thiserror::Error;

/// What was being attempted. Its text reads well after "failed to".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Selecting an application.
    SelectApplication,
    /// Reading what the card says of itself.
    ReadCardRecord,
    /// Asking how many tries a secret has left.
    AskRetryCounter,
    /// Having a secret verified.
    Verify,
    /// Reading EF0001.
    ReadIndividualNumber,
    /// Reading EF0002.
    ReadAttributes,
    /// Reading EF0003.
    ReadIntegrityRecord,
    /// Reading EF0004.
    ReadCertificate,
    /// Reading EF0007.
    ReadCardKey,
    /// Having the card sign a challenge.
    Challenge,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SelectApplication => "select an application",
            Self::ReadCardRecord => "read the card's record",
            Self::AskRetryCounter => "ask the retry counter",
            Self::Verify => "verify the secret",
            Self::ReadIndividualNumber => "read the individual number",
            Self::ReadAttributes => "read the attributes",
            Self::ReadIntegrityRecord => "read the integrity record",
            Self::ReadCertificate => "read the certificate",
            Self::ReadCardKey => "read the card's key",
            Self::Challenge => "have a challenge signed",
        })
    }
}

/// Why a My Number card could not be read. Says nothing about its holder.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum CardError {
    /// The card has not the application of a My Number card.
    #[error("card is not a My Number card")]
    NotMyNumber,
    /// The card can no longer be reached. Its state is lost.
    #[error("connection broke in the attempt to {attempt}")]
    Channel {
        /// What was being attempted.
        attempt: Attempt,
        /// Why.
        source: ChannelError,
    },
    /// The card refused a command.
    #[error("card refused with {status} to {attempt}")]
    Refused {
        /// What was being attempted.
        attempt: Attempt,
        /// The card's answer.
        status: StatusWord,
    },
    /// The card's data do not have the form that they must have.
    #[error("card's data make no sense in the attempt to {attempt}")]
    Malformed {
        /// What was being attempted.
        attempt: Attempt,
    },
    /// A secret still counts as verified right after the application was selected.
    #[error("card does not forget an earlier verification")]
    StaleVerification,
    /// The individual number opens by the PIN only; nothing was sent.
    #[error("individual number needs the PIN")]
    NumberNeedsPin,
}

/// Why a secret was not accepted, or not even sent.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum VerifyError {
    /// The secret does not have the right form; nothing was sent and no try was spent.
    #[error("secret does not have the right form")]
    Format,
    /// One try is left and nobody allowed to spend it; nothing was sent.
    #[error("last try was not allowed to be spent")]
    LastTry,
    /// No try is left, before this one or with it.
    #[error("secret is blocked")]
    Blocked,
    /// The card says that the secret is wrong; one try was spent.
    #[error("secret is wrong, {tries_left} tries left")]
    Wrong {
        /// How many tries the card has left, at least one.
        tries_left: u8,
    },
    /// The connection broke after the secret was sent: a try may have been spent. It is never sent again.
    #[error("connection broke while the secret was verified, outcome unknown")]
    OutcomeUnknown {
        /// Why.
        source: ChannelError,
    },
    /// Something else failed; the secret was not sent, or the card refused to look at it.
    #[error("card could not be asked to verify")]
    Card(#[source] CardError),
}
