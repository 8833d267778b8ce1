//! The way to a card during one exclusive transaction, as card applications see it.

use thiserror::Error;

use crate::apdu::{Command, Response};

/// A card within one exclusive transaction.
///
/// The implementation follows `61xx` and `6Cxx`, chains long commands and joins long answers, so that a
/// caller sees one command and one answer.
/// It never repeats a command whose data field is secret, for any reason.
pub trait CardChannel {
    /// Sends one command and waits for its answer.
    ///
    /// Blocks until the card answers; a hung card ends with its driver host, not with this call.
    ///
    /// # Errors
    /// See [`ChannelError`]. After any error the card's state is lost and the channel is of no more use.
    fn transmit(&mut self, command: Command) -> Result<Response, ChannelError>;

    /// Whether commands with more than 256 expected bytes are known to work on this card and reader.
    fn takes_extended_length(&self) -> bool;
}

/// Why a card can no longer be reached.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ChannelError {
    /// The card was lifted.
    #[error("card was removed")]
    Removed,
    /// Another program reset the card.
    #[error("card was reset by another program")]
    ResetByOther,
    /// The card does not answer.
    #[error("card does not answer")]
    Mute,
    /// The answer was shorter than a status word or longer than asked for.
    #[error("card's answer is no response")]
    Garbled,
    /// The reader was unplugged.
    #[error("reader is gone")]
    ReaderGone,
    /// The PC/SC service ended.
    #[error("smart-card service ended")]
    ServiceLost,
    /// The job was cancelled or its deadline passed between two commands.
    #[error("cancelled between two commands")]
    Cancelled,
    /// The reader reported a communication error.
    #[error("reader failed with PC/SC code {code:#010X}")]
    Reader {
        /// The PC/SC return code.
        code: u32,
    },
}
