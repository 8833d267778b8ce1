//! One command in, one answer out: chaining, `61xx`, `6Cxx` and the first command after power-up.
//!
//! | the card says | what is done | unless |
//! |---|---|---|
//! | `61xx` | GET RESPONSE until all data are there (ISO/IEC 7816-4, 5.3.4) | more than 64 KiB come |
//! | `6Cxx` | the same command once more with the right `Le` | its data are secret, or it was done before |
//! | `6F00` to the first command | the same command once more | its data are secret |
//!
//! Invariant: an exchange whose data are secret is carried once, whatever the answer.

use std::{fmt, sync::Arc};

use device_api::Clock;
use zeroize::Zeroizing;

use crate::{
    apdu::{Command, Response, Sensitivity, StatusWord},
    channel::ChannelError,
    encoding::{CardLengths, Exchange, SHORT_EXPECTED, exchanges},
    recording::Recorder,
    wire::{Carrier, Wire},
};

/// The most that an answer may hold after joining.
const LONGEST_ANSWER: usize = 64 * 1024;
/// GET RESPONSE (ISO/IEC 7816-4, 7.6.1).
const GET_RESPONSE: u8 = 0xC0;
/// The answer of some My Number cards to the first command after power-up, whatever it is; measured on
/// real cards, and gone with the second command.
const NOT_AWAKE: StatusWord = StatusWord(0x6F00);

/// A conversation with one card, from power-up to power-off.
pub(crate) struct Talk<C> {
    wire: Wire<C>,
    /// Whether no command has been answered since the card was powered.
    fresh: bool,
}

impl<C: Carrier> Talk<C> {
    pub(crate) const fn new(
        carrier: C,
        reader: String,
        clock: Arc<dyn Clock>,
        recorder: Option<Recorder>,
    ) -> Self {
        Self {
            wire: Wire::new(carrier, reader, clock, recorder),
            fresh: true,
        }
    }

    pub(crate) const fn carrier_mut(&mut self) -> &mut C {
        self.wire.carrier_mut()
    }

    /// The same conversation, written down.
    #[cfg(test)]
    pub(crate) fn into_recorded(self, recorder: Recorder) -> Self {
        Self {
            wire: self.wire.into_recorded(recorder),
            ..self
        }
    }

    /// Sends one command and joins its answer.
    pub(crate) fn transmit(
        &mut self,
        command: &Command,
        card: CardLengths,
    ) -> Result<Response, ChannelError> {
        let links = exchanges(command, card);
        let Some((last, before)) = links.split_last() else {
            return Err(ChannelError::Garbled);
        };
        for link in before {
            let answer = self.pass_awake(link)?;
            // A link that is refused ends the chain; the refusal is the answer to the command.
            if !answer.status().is_ok() {
                return Ok(answer);
            }
        }
        let answer = self.pass_awake(last)?;
        let answer = self.corrected_length(last, answer)?;
        self.joined(last, answer)
    }

    /// Passes an exchange; the first one after power-up a second time where the card was not awake.
    ///
    /// Other software sends a throw-away command after each power-up; repeating only when the card asks
    /// for it costs a healthy card no exchange.
    fn pass_awake(&mut self, exchange: &Exchange<'_>) -> Result<Response, ChannelError> {
        let fresh = std::mem::replace(&mut self.fresh, false);
        let answer = self.wire.pass(exchange)?;
        if fresh && answer.status() == NOT_AWAKE && may_repeat(exchange) {
            return self.wire.pass(exchange);
        }
        Ok(answer)
    }

    fn corrected_length(
        &mut self,
        exchange: &Exchange<'_>,
        answer: Response,
    ) -> Result<Response, ChannelError> {
        let [0x6C, right] = answer.status().0.to_be_bytes() else {
            return Ok(answer);
        };
        if !may_repeat(exchange) {
            return Ok(answer);
        }
        let expected = Some(length_from(right));
        self.wire.pass(&Exchange {
            expected,
            ..*exchange
        })
    }

    fn joined(
        &mut self,
        exchange: &Exchange<'_>,
        first: Response,
    ) -> Result<Response, ChannelError> {
        let [0x61, mut waiting] = first.status().0.to_be_bytes() else {
            return Ok(first);
        };
        let [cla, ..] = exchange.header;
        // Interindustry class, the same logical channel (ISO/IEC 7816-4, 5.3.4).
        let cla = if cla & 0x80 == 0 { cla & 0x03 } else { 0x00 };
        let mut whole = Zeroizing::new(Vec::with_capacity(LONGEST_ANSWER));
        whole.extend_from_slice(first.data());
        loop {
            let more = self.wire.pass(&Exchange {
                header: [cla, GET_RESPONSE, 0, 0],
                data: &[],
                expected: Some(length_from(waiting)),
                extended: false,
                data_sensitivity: Sensitivity::Open,
                answer_sensitivity: exchange.answer_sensitivity,
            })?;
            if whole.len() + more.data().len() > LONGEST_ANSWER {
                return Err(ChannelError::Garbled);
            }
            whole.extend_from_slice(more.data());
            match more.status().0.to_be_bytes() {
                // Bytes are waiting and none came: this would go on for ever.
                [0x61, _] if more.data().is_empty() => return Err(ChannelError::Garbled),
                [0x61, next] => waiting = next,
                _ => return Ok(Response::new(whole.to_vec(), more.status())),
            }
        }
    }
}

impl<C> fmt::Debug for Talk<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk")
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}

/// A PIN must never reach a card twice.
fn may_repeat(exchange: &Exchange<'_>) -> bool {
    exchange.data_sensitivity == Sensitivity::Open
}

/// A count in one byte, where `00` means 256.
fn length_from(byte: u8) -> usize {
    if byte == 0 {
        SHORT_EXPECTED
    } else {
        usize::from(byte)
    }
}

#[cfg(test)]
mod tests;
