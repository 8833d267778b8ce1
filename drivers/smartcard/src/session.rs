//! A card held for ourselves: from connecting to powering off.
//!
//! ```text
//! Reader --begin--> Session --transmit...--> finish()   powers the card off and reports
//!                      \________ drop ______________/   powers the card off, best effort
//! ```
//!
//! A [`Session`] borrows its [`Reader`], so there is at most one, and nothing outlives it.
//! It connects shared and holds a transaction: no other program's command comes between ours, and a
//! program that merely keeps a connection open does not lock us out (`docs/decisions/0009-cards-are-shared-and-held-by-transactions.md`).
//!
//! Invariants: however a session ends, the card is powered off before another program gets it, so a
//! verified PIN dies with its session; an exchange that failed is never repeated here.

use std::{ffi::CString, fmt, sync::Arc, time::Duration};

use device_api::{Deadline, Patience, Stop};
use pcsc::Error;

use crate::{
    activity::Call,
    apdu::{Command, Response},
    backend::{CardLink, Connector, PcscConnector, ServiceLink},
    board::{ReaderCondition, Service},
    carrier::PcscCarrier,
    channel::{CardChannel, ChannelError},
    encoding::CardLengths,
    fault::{BeginError, Meaning, code_of, meaning},
    presence::Presence,
    recording::Recorder,
    surroundings::Surroundings,
    talk::Talk,
};

/// How long a card may stay mute before we believe it: one that is just being put down answers late.
const MUTE_IS_BELIEVED: Duration = Duration::from_secs(1);
/// How often a card that other programs reset while we wait for our turn is taken up again.
const RESETS_BORNE: u32 = 16;

/// One card reader, for the one thread that uses it.
pub struct Reader {
    name: CString,
    label: String,
    surroundings: Surroundings,
    connector: Box<dyn Connector>,
    context: Option<Box<dyn ServiceLink>>,
}

impl Reader {
    /// The reader that the service calls `name`; nothing is done yet.
    #[must_use]
    pub fn new(name: &str, surroundings: Surroundings) -> Self {
        Self::over(name, surroundings, Box::new(PcscConnector))
    }

    pub(crate) fn over(
        name: &str,
        surroundings: Surroundings,
        connector: Box<dyn Connector>,
    ) -> Self {
        // A name with a zero byte belongs to no reader; connecting to none fails as "no such reader".
        let c_name = CString::new(name).unwrap_or_default();
        Self {
            name: c_name,
            label: name.to_owned(),
            surroundings,
            connector,
            context: None,
        }
    }

    /// The name by which the service knows the reader.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.label
    }

    /// The stay of the card that lies on the reader now.
    #[must_use]
    pub fn presence(&self) -> Presence {
        Presence::now(&self.surroundings.board, &self.label)
    }

    /// Whether a card that answers is on the reader, as far as the watcher has seen.
    #[must_use]
    pub fn has_card(&self) -> bool {
        let sighting = self.surroundings.board.sighting();
        sighting
            .reader(&self.label)
            .is_some_and(|seen| seen.state == ReaderCondition::Present)
    }

    /// Whether a PIN can be typed on the reader, as far as the watcher knows.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        let sighting = self.surroundings.board.sighting();
        sighting
            .reader(&self.label)
            .is_some_and(|seen| seen.has_keys)
    }

    /// Waits until there is a card, without touching it.
    ///
    /// Returns at once where the service or the reader is missing; waits while another program holds the
    /// reader, and while a card is mute, because it may still be on its way.
    ///
    /// # Errors
    /// [`BeginError::NoCard`] or [`BeginError::Busy`] at the deadline; otherwise what is in the way.
    pub fn wait_for_card(&self, patience: &Patience) -> Result<(), BeginError> {
        let mut was_up = false;
        let mut mute_since = None;
        let clock = patience.clock();
        loop {
            let until = mute_since.unwrap_or_else(|| patience.deadline());
            let found = self
                .surroundings
                .board
                .wait_until(clock.as_ref(), until, |sighting| {
                    if let Err(Stop::Cancelled) = patience.check() {
                        return Some(Err(BeginError::Stopped(Stop::Cancelled)));
                    }
                    match sighting.service {
                        Service::Unknown => return None,
                        Service::Up => was_up = true,
                        Service::Down if was_up => return Some(Err(BeginError::ServiceLost)),
                        Service::Down => return Some(Err(BeginError::ServiceAbsent)),
                        Service::Denied => return Some(Err(BeginError::Denied)),
                    }
                    match sighting.reader(&self.label).map(|seen| seen.state) {
                        None => Some(Err(BeginError::ReaderGone)),
                        Some(ReaderCondition::Present) => Some(Ok(())),
                        // Seen for the first time: leave the wait to shorten it.
                        Some(ReaderCondition::Mute) if mute_since.is_none() => {
                            Some(Err(BeginError::Mute))
                        }
                        Some(ReaderCondition::Mute) => None,
                        Some(_) if mute_since.is_some() => Some(Err(BeginError::NoCard)),
                        Some(_) => None,
                    }
                });
            match (found, mute_since) {
                (Some(Err(BeginError::Mute)), None) => {
                    let believed = Deadline::at(clock.now().plus(MUTE_IS_BELIEVED));
                    mute_since = Some(believed.min(patience.deadline()));
                }
                // The mute card was taken away: wait for a better one.
                (Some(Err(BeginError::NoCard)), Some(_)) => mute_since = None,
                (Some(result), _) => return result,
                (None, Some(_)) => return Err(BeginError::Mute),
                (None, None) => return Err(self.why_no_card()),
            }
        }
    }

    /// Connects to the card that is there and takes it for ourselves.
    ///
    /// Blocks while another program is in a transaction; the thread's [`crate::Activity`] says so meanwhile.
    /// Where another program holds the reader exclusively, waits for its release until the deadline.
    ///
    /// # Errors
    /// See [`BeginError`]; the card is untouched.
    pub fn begin(
        &mut self,
        patience: &Patience,
        recorder: Option<Recorder>,
    ) -> Result<Session<'_>, BeginError> {
        let carrier = self.acquire(patience)?;
        Ok(self.session(carrier, recorder))
    }

    /// Waits for a card ([`Reader::wait_for_card`]) and begins with it ([`Reader::begin`]).
    ///
    /// A card that is lifted again before it could be taken is waited for once more.
    ///
    /// # Errors
    /// See [`BeginError`]; the card is untouched.
    pub fn begin_with_next_card(
        &mut self,
        patience: &Patience,
        recorder: Option<Recorder>,
    ) -> Result<Session<'_>, BeginError> {
        let carrier = loop {
            self.wait_for_card(patience)?;
            let presence = self.presence();
            match self.acquire(patience) {
                Err(BeginError::NoCard) => {
                    // Until the watcher has seen it too, its board says that there is a card.
                    let _departure = presence.departure(patience.clock().as_ref());
                }
                acquired => break acquired?,
            }
        };
        Ok(self.session(carrier, recorder))
    }

    fn session(&mut self, carrier: PcscCarrier, recorder: Option<Recorder>) -> Session<'_> {
        let clock = Arc::clone(&self.surroundings.clock);
        let lengths = carrier.lengths;
        let talk = Talk::new(carrier, self.label.clone(), clock, recorder);
        Session {
            talk,
            lengths,
            _reader: self,
        }
    }

    fn acquire(&mut self, patience: &Patience) -> Result<PcscCarrier, BeginError> {
        let presence = self.presence();
        let mut link = self.connect(patience)?;
        let atr = self
            .take_turn(link.as_mut())
            .map_err(|error| self.refused(error))?;
        let carrier = PcscCarrier {
            link: Some(link),
            reader: self.label.clone(),
            surroundings: self.surroundings.clone(),
            patience: patience.clone(),
            presence,
            lengths: CardLengths::from_atr(&atr),
            keys: None,
        };
        // Somebody may have given up on us while we waited for our turn; dropping powers the card off.
        patience.check().map_err(BeginError::Stopped)?;
        Ok(carrier)
    }

    /// Begins the transaction. Until our first command there is nothing that a reset could destroy.
    fn take_turn(&self, link: &mut dyn CardLink) -> Result<Vec<u8>, Error> {
        let activity = &self.surroundings.activity;
        let mut turn = activity.during(Call::TakingTurn, || {
            link.begin()?;
            link.answer_to_reset()
        });
        let mut resets = 0;
        while turn
            .as_ref()
            .is_err_and(|error| meaning(*error) == Meaning::Reset)
            && resets < RESETS_BORNE
        {
            resets += 1;
            turn = activity.during(Call::TakingTurn, || {
                link.reconnect()?;
                link.begin()?;
                link.answer_to_reset()
            });
        }
        turn
    }

    fn connect(&mut self, patience: &Patience) -> Result<Box<dyn CardLink>, BeginError> {
        // A context that outlived its service is told from a missing service by making a new one.
        let mut fresh_context = false;
        let mut resets = 0;
        loop {
            patience.check().map_err(BeginError::Stopped)?;
            let context = match self.context.take() {
                Some(context) => context,
                None => {
                    fresh_context = true;
                    self.connector.establish().map_err(absent)?
                }
            };
            let connected = self
                .surroundings
                .activity
                .during(Call::Connecting, || context.connect(&self.name));
            match connected.map_err(|error| (meaning(error), error)) {
                Ok(link) => {
                    self.context = Some(context);
                    return Ok(link);
                }
                Err((Meaning::Service, _)) if fresh_context => return Err(BeginError::ServiceLost),
                Err((Meaning::Service, _)) => {}
                Err((Meaning::Reset, _)) if resets < RESETS_BORNE => {
                    resets += 1;
                    self.context = Some(context);
                }
                Err((Meaning::Sharing, _)) => {
                    self.context = Some(context);
                    self.wait_for_release(patience)?;
                }
                Err((_, error)) => {
                    self.context = Some(context);
                    return Err(self.refused(error));
                }
            }
        }
    }

    /// Waits until the program that holds the reader lets go of it.
    fn wait_for_release(&self, patience: &Patience) -> Result<(), BeginError> {
        /// Where service and connection disagree about exclusive use, so that we do not spin.
        const DISAGREEMENT: Duration = Duration::from_millis(200);
        let board = &self.surroundings.board;
        // The service does not announce that exclusive use begins, only that it ends.
        self.surroundings.refresher.look_again();
        let held = |sighting: &crate::board::Sighting| {
            sighting
                .reader(&self.label)
                .is_some_and(|seen| seen.state == ReaderCondition::InUse)
        };
        if !held(&board.sighting()) {
            let pause = Deadline::at(patience.clock().now().plus(DISAGREEMENT));
            let until = patience.no_later_than(pause).deadline();
            let stopped = |_: &_| patience.check().err();
            let _stop = board.wait_until(patience.clock().as_ref(), until, stopped);
        }
        let released =
            board.wait_until(patience.clock().as_ref(), patience.deadline(), |sighting| {
                if let Err(Stop::Cancelled) = patience.check() {
                    return Some(Err(BeginError::Stopped(Stop::Cancelled)));
                }
                (!held(sighting)).then_some(Ok(()))
            });
        released.unwrap_or(Err(BeginError::Busy))
    }

    fn why_no_card(&self) -> BeginError {
        let sighting = self.surroundings.board.sighting();
        match sighting.reader(&self.label).map(|seen| seen.state) {
            Some(ReaderCondition::InUse) => BeginError::Busy,
            _ => BeginError::NoCard,
        }
    }

    fn refused(&mut self, error: Error) -> BeginError {
        tracing::debug!(device = %self.label, %error, "card refused");
        match meaning(error) {
            Meaning::Service => {
                self.context = None;
                BeginError::ServiceLost
            }
            // A service that is killed while it connects us says the same.
            Meaning::Denied => match self.presence().departure(self.surroundings.clock.as_ref()) {
                Some(_) => BeginError::ServiceLost,
                None => BeginError::Denied,
            },
            Meaning::Reader => BeginError::ReaderGone,
            Meaning::Sharing => BeginError::Busy,
            Meaning::NoCard | Meaning::Removed => BeginError::NoCard,
            Meaning::Mute => BeginError::Mute,
            Meaning::Reset | Meaning::TooLong | Meaning::Cancelled | Meaning::Transmission => {
                BeginError::Reader {
                    code: code_of(error),
                }
            }
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("name", &self.label)
            .finish_non_exhaustive()
    }
}

fn absent(error: Error) -> BeginError {
    tracing::debug!(%error, "no context");
    if meaning(error) == Meaning::Denied {
        BeginError::Denied
    } else {
        BeginError::ServiceAbsent
    }
}

/// A card held for ourselves. See the module.
#[derive(Debug)]
pub struct Session<'reader> {
    talk: Talk<PcscCarrier>,
    lengths: CardLengths,
    _reader: &'reader mut Reader,
}

impl Session<'_> {
    /// The card's stay that this session is part of.
    #[must_use]
    pub fn presence(&mut self) -> Presence {
        self.talk.carrier_mut().presence.clone()
    }

    /// From now on, has a person type each PIN on the reader's keys.
    ///
    /// A VERIFY with data is then not sent: the reader takes as many digits as the data are long, puts them where
    /// the data would stand, and has the card verify them. What the data are does not matter, and none of them
    /// leaves this program. Such an exchange blocks until the person has typed, at most half a minute, and is
    /// answered with the card's status word, or with [`keypad::NOBODY_TYPED`] or [`keypad::CANCELLED_AT_KEYS`].
    ///
    /// Returns whether the reader has keys; where it has none, nothing has changed.
    ///
    /// # Errors
    /// When the reader cannot be asked.
    ///
    /// [`keypad::NOBODY_TYPED`]: crate::keypad::NOBODY_TYPED
    /// [`keypad::CANCELLED_AT_KEYS`]: crate::keypad::CANCELLED_AT_KEYS
    pub fn take_pins_from_keys(&mut self) -> Result<bool, ChannelError> {
        self.talk.carrier_mut().find_keys()
    }

    /// Powers the card off and lets go of it.
    ///
    /// # Errors
    /// Says why the card could not be powered off; it is let go of all the same.
    pub fn finish(mut self) -> Result<(), ChannelError> {
        self.talk.carrier_mut().power_off()
    }
}

impl CardChannel for Session<'_> {
    fn transmit(&mut self, command: Command) -> Result<Response, ChannelError> {
        self.talk.transmit(&command, self.lengths)
    }

    fn takes_extended_length(&self) -> bool {
        self.lengths.extended
    }
}

#[cfg(test)]
mod tests;
