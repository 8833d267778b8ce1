//! The last step to a real card: one encoded exchange over PC/SC, and what its failure means.
//!
//! A failing call alone does not tell a card that left from one that broke: the transmission fails up to
//! 0.4 seconds before the service notices, and pcscd even reports success with nothing in hand when a
//! card dies while it works.
//! So the carrier asks the watcher's board what became of the card.

use std::{fmt, time::Duration};

use pcsc::{Error, ffi::DWORD};
use zeroize::Zeroizing;

use device_api::Patience;

use crate::{
    activity::Call,
    apdu::Sensitivity,
    backend::{CardLink, FEATURE_REQUEST},
    channel::ChannelError,
    encoding::{CardLengths, Exchange},
    fault::{BeginError, Meaning, code_of, meaning},
    keypad,
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
    /// The reader's order to take a PIN; where it is set, no PIN goes to the card from here.
    pub(crate) keys: Option<DWORD>,
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

    /// Finds out how the reader takes a PIN; `false` where it does not.
    pub(crate) fn find_keys(&mut self) -> Result<bool, ChannelError> {
        let Some(link) = &self.link else {
            return Err(ChannelError::Removed);
        };
        let activity = &self.surroundings.activity;
        let features = activity.during(Call::Exchanging, || link.control(FEATURE_REQUEST, &[]));
        match features.map_err(|error| (meaning(error), error)) {
            Ok(features) => self.keys = keypad::verify_code(&features).map(DWORD::from),
            // A driver that knows no orders at all.
            Err((Meaning::Transmission, _)) => self.keys = None,
            Err((_, error)) => return Err(self.lost(error)),
        }
        Ok(self.keys.is_some())
    }

    /// How long a person may take, as far as patience goes.
    fn wait_at_keys(&self) -> Duration {
        let now = self.patience.clock().now();
        let left = self.patience.deadline().remaining(now);
        left.unwrap_or_default().min(keypad::LONGEST_WAIT)
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
        let activity = &self.surroundings.activity;
        let result = match self.keys {
            Some(code) if keypad::is_verify(exchange.header, exchange.data) => {
                let (digits, wait) = (exchange.data.len(), self.wait_at_keys());
                let order = keypad::pin_verify(exchange.header, digits, wait)
                    .ok_or(ChannelError::Garbled)?;
                activity.during(Call::Typing, || link.control(code, &order))
            }
            _ => {
                let apdu = exchange.encode();
                activity.during(call, || link.transmit(&apdu, exchange.room()))
            }
        };
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
