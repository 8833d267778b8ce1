//! The last step to a real card: one encoded exchange over PC/SC, and what its failure means.
//!
//! A failing call alone does not tell a card that left from one that broke: the transmission fails up to
//! 0.4 seconds before the service notices, and pcscd even reports success with nothing in hand when a
//! card dies while it works.
//! So the carrier asks the watcher's board what became of the card.

use std::fmt;

use pcsc::Error;
use zeroize::Zeroizing;

use device_api::Patience;

use crate::{
    activity::Call,
    apdu::Sensitivity,
    backend::CardLink,
    channel::ChannelError,
    encoding::{CardLengths, Exchange},
    fault::{BeginError, Meaning, code_of, meaning},
    presence::Presence,
    surroundings::Surroundings,
    wire::Carrier,
};

/// Carries exchanges to a real card.
pub(crate) struct PcscCarrier {
    pub(crate) link: Option<Box<dyn CardLink>>,
    pub(crate) reader: String,
    pub(crate) surroundings: Surroundings,
    pub(crate) patience: Patience,
    pub(crate) presence: Presence,
    pub(crate) lengths: CardLengths,
}

impl PcscCarrier {
    /// Powers the card off and ends transaction and connection, once.
    pub(crate) fn power_off(&mut self) -> Result<(), ChannelError> {
        let Some(link) = self.link.take() else {
            return Ok(());
        };
        let ended = self
            .surroundings
            .activity
            .during(Call::Disconnecting, || link.power_off());
        match ended.map_err(|error| (meaning(error), error)) {
            // A card that has left is as powered off as can be.
            Ok(()) | Err((Meaning::Removed | Meaning::NoCard, _)) => Ok(()),
            Err((_, error)) => Err(self.lost(error)),
        }
    }

    /// What became of the card when a call failed.
    fn lost(&self, error: Error) -> ChannelError {
        tracing::debug!(device = %self.reader, %error, "card lost");
        match meaning(error) {
            Meaning::Service => ChannelError::ServiceLost,
            Meaning::Reader => ChannelError::ReaderGone,
            Meaning::Removed | Meaning::NoCard => ChannelError::Removed,
            Meaning::Reset => ChannelError::ResetByOther,
            Meaning::TooLong => ChannelError::Garbled,
            Meaning::Mute => self.after_silence(ChannelError::Mute),
            Meaning::Denied | Meaning::Sharing | Meaning::Cancelled | Meaning::Transmission => self
                .after_silence(ChannelError::Reader {
                    code: code_of(error),
                }),
        }
    }

    /// Tells a card that left from one that failed: the transmission fails before the service notices.
    fn after_silence(&self, otherwise: ChannelError) -> ChannelError {
        match self.presence.departure(self.patience.clock().as_ref()) {
            Some(BeginError::NoCard) => ChannelError::Removed,
            Some(BeginError::ReaderGone) => ChannelError::ReaderGone,
            Some(_) => ChannelError::ServiceLost,
            None => otherwise,
        }
    }
}

impl Carrier for PcscCarrier {
    fn carry(&mut self, exchange: &Exchange<'_>) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        self.patience
            .check()
            .map_err(|_stop| ChannelError::Cancelled)?;
        let Some(link) = &self.link else {
            return Err(ChannelError::Removed);
        };
        let call = match exchange.data_sensitivity {
            Sensitivity::Open => Call::Exchanging,
            Sensitivity::Personal => Call::ExchangingSecret,
        };
        let apdu = exchange.encode();
        let result = self
            .surroundings
            .activity
            .during(call, || link.transmit(&apdu, exchange.room()));
        match result {
            // pcscd reports success with nothing in hand when a card dies while it works.
            Ok(answer) if answer.is_empty() => Err(self.after_silence(ChannelError::Mute)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.lost(error)),
        }
    }
}

impl fmt::Debug for PcscCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcscCarrier")
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

impl Drop for PcscCarrier {
    fn drop(&mut self) {
        if let Err(error) = self.power_off() {
            tracing::debug!(device = %self.reader, %error, "card could not be powered off");
        }
    }
}
