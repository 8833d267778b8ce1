//! The one place through which every exchange with a card passes.
//!
//! [`Wire::pass`] sends an exchange, writes it to the log (target `wire`, level trace) and to the
//! recording, and judges the answer's form.
//! What may be written down is the exchange's own property ([`Sensitivity`]), never a caller's choice:
//! header, lengths and status word always, data only where the command says that they are open.

use std::sync::Arc;

use device_api::Clock;
use zeroize::Zeroizing;

use crate::{
    apdu::{Response, Sensitivity, StatusWord},
    channel::ChannelError,
    encoding::Exchange,
    recording::{Entry, Recorder},
};

/// Something that carries one encoded exchange: a PC/SC card, or a recording that is played back.
pub(crate) trait Carrier {
    /// Sends and waits for the raw answer, status word included.
    fn carry(&mut self, exchange: &Exchange<'_>) -> Result<Zeroizing<Vec<u8>>, ChannelError>;
}

/// A carrier whose traffic is logged and recorded.
pub(crate) struct Wire<C> {
    carrier: C,
    reader: String,
    clock: Arc<dyn Clock>,
    recorder: Option<Recorder>,
}

impl<C: Carrier> Wire<C> {
    pub(crate) const fn new(
        carrier: C,
        reader: String,
        clock: Arc<dyn Clock>,
        recorder: Option<Recorder>,
    ) -> Self {
        Self {
            carrier,
            reader,
            clock,
            recorder,
        }
    }

    /// One exchange: out, in, written down.
    pub(crate) fn pass(&mut self, exchange: &Exchange<'_>) -> Result<Response, ChannelError> {
        let began = self.clock.now();
        let result = self
            .carrier
            .carry(exchange)
            .and_then(|raw| split(exchange, &raw));
        let took = self.clock.now().since(began);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if self.recorder.is_some() || tracing::enabled!(target: "wire", tracing::Level::TRACE) {
            self.write_down(&describe(exchange, &result, micros));
        }
        result
    }

    #[cfg(test)]
    pub(crate) fn into_recorded(self, recorder: Recorder) -> Self {
        Self {
            recorder: Some(recorder),
            ..self
        }
    }

    pub(crate) const fn carrier_mut(&mut self) -> &mut C {
        &mut self.carrier
    }

    fn write_down(&mut self, entry: &Entry) {
        tracing::trace!(
            target: "wire",
            device = %self.reader,
            header = %entry.header,
            sent = entry.sent,
            data = entry.data.as_deref(),
            received = entry.received,
            answer = entry.answer.as_deref(),
            status = entry.sw.as_deref(),
            failure = entry.failure.as_deref(),
            micros = entry.micros,
        );
        if let Some(recorder) = &mut self.recorder {
            recorder.write(entry);
        }
    }
}

/// What may be written down of an exchange.
fn describe(
    exchange: &Exchange<'_>,
    result: &Result<Response, ChannelError>,
    micros: u64,
) -> Entry {
    let open = |bytes: &[u8], sensitivity: Sensitivity| match sensitivity {
        Sensitivity::Open => Some(hex_text(bytes)),
        Sensitivity::Personal => None,
    };
    let answer = result.as_ref().ok();
    Entry {
        header: hex_text(&exchange.header),
        sent: exchange.data.len(),
        data: open(exchange.data, exchange.data_sensitivity),
        expected: exchange.expected,
        received: answer.map_or(0, |answer| answer.data().len()),
        answer: answer.and_then(|answer| open(answer.data(), exchange.answer_sensitivity)),
        sw: answer.map(|answer| answer.status().to_string()),
        failure: result.as_ref().err().map(ToString::to_string),
        micros,
    }
}

/// Splits data from status word.
fn split(exchange: &Exchange<'_>, raw: &[u8]) -> Result<Response, ChannelError> {
    let Some((data, status)) = raw.split_last_chunk::<2>() else {
        return Err(ChannelError::Garbled);
    };
    if data.len() > exchange.room() {
        return Err(ChannelError::Garbled);
    }
    Ok(Response::new(
        data.to_vec(),
        StatusWord(u16::from_be_bytes(*status)),
    ))
}

/// Upper-case hexadecimal.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble & 0x0F))
            .copied()
            .unwrap_or('?')
    };
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}
