//! One conversation between the reader and a card, from connection to its end.
//!
//! Faults act here, between wire and card:
//!
//! ```text
//! command -> delay -> faults before -> card -> faults after -> count -> answer
//! ```
//!
//! Invariant: a command is counted before its answer leaves, so whoever has the answer finds it counted.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use crate::apdu::CommandApdu;
use crate::card::{Card, Power, SharedCard};
use crate::counters::Outcome;
use crate::fault::Kind;
use crate::injector::Firing;
use crate::slot::Shared;
use crate::wire::{Message, Wire, WireError};

/// Longest answer to reset (ISO/IEC 7816-3, 8.2.1: 32 characters after TS), which vpcd's buffer holds.
const MAX_ATR: usize = 33;

/// A running conversation.
pub(crate) struct Session<'a> {
    shared: &'a Shared,
    card: &'a SharedCard,
    wire: Wire,
    garbled_atr: Option<Vec<u8>>,
    heard: bool,
}

/// Whether the conversation goes on.
enum Flow {
    Continue,
    Over,
}

/// Why a command gets no answer.
enum Unanswered {
    Lift,
    Hang,
    ServiceKilled,
    Removed,
}

impl<'a> Session<'a> {
    pub(crate) const fn new(shared: &'a Shared, card: &'a SharedCard, wire: Wire) -> Self {
        Self {
            shared,
            card,
            wire,
            garbled_atr: None,
            heard: false,
        }
    }

    /// Converses until the connection ends. Returns whether the reader ever said anything.
    pub(crate) fn converse(mut self) -> bool {
        loop {
            match self.step() {
                Ok(Flow::Continue) => self.heard = true,
                Ok(Flow::Over) => return true,
                Err(error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "conversation over"
                    );
                    return self.heard;
                }
            }
        }
    }

    fn step(&mut self) -> Result<Flow, WireError> {
        match self.wire.receive()? {
            Message::PowerOff => {
                self.garbled_atr = None;
                self.shared.count(|counters| counters.power_offs += 1);
                self.card().power(Power::Off);
                Ok(Flow::Continue)
            }
            Message::PowerOn => Ok(self.power_on()),
            Message::Reset => {
                self.shared.reset();
                self.card().power(Power::Reset);
                Ok(Flow::Continue)
            }
            Message::AtrWanted => {
                let atr = self
                    .garbled_atr
                    .clone()
                    .unwrap_or_else(|| self.card().atr());
                self.wire.answer(&atr)?;
                Ok(Flow::Continue)
            }
            Message::Command(bytes) => self.command(&bytes),
        }
    }

    fn power_on(&mut self) -> Flow {
        self.garbled_atr = None;
        self.card().power(Power::On);
        for kind in self.shared.power_on() {
            match kind {
                Kind::Lift => return self.end(&Unanswered::Lift),
                Kind::Hang => return self.end(&Unanswered::Hang),
                Kind::ServiceKilled => return self.end(&Unanswered::ServiceKilled),
                Kind::Slow(millis) if !self.shared.pause(Duration::from_millis(millis)) => {
                    return Flow::Over;
                }
                Kind::Garbage => {
                    // No card begins its answer to reset with zero (ISO/IEC 7816-3, 8.1: 3B or 3F).
                    let mut atr = self.shared.garbage();
                    atr.insert(0, 0);
                    atr.truncate(MAX_ATR);
                    self.garbled_atr = Some(atr);
                }
                // The plan's check admits no other kind here.
                Kind::Slow(_)
                | Kind::Truncate(_)
                | Kind::Shorten(_)
                | Kind::OneByte
                | Kind::Status(_) => {}
            }
        }
        Flow::Continue
    }

    fn command(&mut self, bytes: &[u8]) -> Result<Flow, WireError> {
        let command = CommandApdu::parse(bytes).unwrap_or_else(|_| outline(bytes));
        let (firing, delay) = self.shared.command(&command);
        let mut outcome = Outcome {
            faults: firing.before.len() + firing.after.len(),
            ..Outcome::default()
        };
        if !self.shared.pause(delay) {
            return Ok(Flow::Over);
        }
        let answer = self.answer(bytes, &firing, &mut outcome);
        outcome.sent = answer.as_ref().ok().cloned();
        self.shared
            .count(|counters| counters.exchanged(&command, bytes.len(), &outcome));
        match answer {
            Ok(answer) => {
                self.wire.answer(&answer)?;
                Ok(Flow::Continue)
            }
            Err(unanswered) => Ok(self.end(&unanswered)),
        }
    }

    fn answer(
        &self,
        bytes: &[u8],
        firing: &Firing,
        outcome: &mut Outcome,
    ) -> Result<Vec<u8>, Unanswered> {
        let mut answer = None;
        for kind in &firing.before {
            answer = self.disturb(*kind, answer)?;
        }
        if answer.is_none() {
            let processed = self.card().transmit(bytes);
            outcome.card = Some(processed.clone());
            answer = Some(processed);
            for kind in &firing.after {
                answer = self.disturb(*kind, answer)?;
            }
        }
        Ok(answer.unwrap_or_default())
    }

    /// What a fault makes of an answer, or of the absence of one so far.
    fn disturb(&self, kind: Kind, answer: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Unanswered> {
        match kind {
            Kind::Lift => Err(Unanswered::Lift),
            Kind::Hang => Err(Unanswered::Hang),
            Kind::ServiceKilled => Err(Unanswered::ServiceKilled),
            Kind::Slow(millis) if self.shared.pause(Duration::from_millis(millis)) => Ok(answer),
            Kind::Slow(_) => Err(Unanswered::Removed),
            Kind::Garbage => Ok(Some(self.shared.garbage())),
            Kind::Status(status) => Ok(Some(status.to_be_bytes().to_vec())),
            Kind::OneByte => Ok(Some(vec![0x90])),
            Kind::Truncate(missing) => Ok(answer.map(|mut answer| {
                answer.truncate(answer.len().saturating_sub(missing).max(1));
                answer
            })),
            Kind::Shorten(missing) => Ok(answer.map(|mut answer| {
                let end = answer.len().saturating_sub(2);
                answer.drain(end.saturating_sub(missing)..end);
                answer
            })),
        }
    }

    fn end(&mut self, unanswered: &Unanswered) -> Flow {
        match unanswered {
            Unanswered::Lift => self.shared.lifted_by_fault(),
            Unanswered::Hang => self.wire.hang(),
            // Silent until the dead service's connection ends: the answer must not overtake the kill.
            Unanswered::ServiceKilled => match self.shared.kill_service() {
                Ok(()) => self.wire.hang(),
                Err(error) => tracing::error!(%error, "the card service's owner cannot be asked"),
            },
            Unanswered::Removed => {}
        }
        Flow::Over
    }

    fn card(&self) -> MutexGuard<'a, dyn Card + 'static> {
        self.card.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outline of bytes that are no command APDU, for counters and faults.
fn outline(bytes: &[u8]) -> CommandApdu {
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    CommandApdu {
        cla: at(0),
        ins: at(1),
        p1: at(2),
        p2: at(3),
        data: Vec::new(),
        expected: None,
        extended: false,
    }
}
