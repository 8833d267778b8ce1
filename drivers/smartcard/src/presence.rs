//! Whether the card that was there is still there.
//!
//! A [`Presence`] remembers the reader's event count: a card that was taken away and put back counts as
//! gone, even when nobody looked in between.

use std::{sync::Arc, time::Duration};

use device_api::{Clock, Deadline, Patience, Stop};

use crate::{
    board::{Board, ReaderCondition, Service, Sighting},
    fault::BeginError,
};

/// How long the service may take to notice that a card has left after its transmission failed.
///
/// pcscd asks a reader without events every 0.4 seconds; with this margin a lifted card is told from a
/// failing one.
pub(crate) const REMOVAL_IS_NOTICED: Duration = Duration::from_millis(600);

/// One stay of one card on one reader.
#[derive(Debug, Clone)]
pub struct Presence {
    board: Arc<Board>,
    reader: String,
    events: u32,
}

impl Presence {
    /// The stay of the card that lies on `reader` now.
    pub(crate) fn now(board: &Arc<Board>, reader: &str) -> Self {
        let events = board
            .sighting()
            .reader(reader)
            .map_or(0, |seen| seen.events);
        Self {
            board: Arc::clone(board),
            reader: reader.to_owned(),
            events,
        }
    }

    /// Waits until `probe` finds something, for as long as the card stays.
    ///
    /// `probe` runs after every change of the board, and after [`Board::nudge`].
    ///
    /// # Errors
    /// [`BeginError::NoCard`] when the card has left, [`BeginError::Stopped`] when patience ends, or what
    /// else has gone.
    pub fn attend<T>(
        &self,
        patience: &Patience,
        mut probe: impl FnMut() -> Option<T>,
    ) -> Result<T, BeginError> {
        let clock = patience.clock().as_ref();
        let found = self
            .board
            .wait_until(clock, patience.deadline(), |sighting| {
                if let Err(stop @ Stop::Cancelled) = patience.check() {
                    return Some(Err(BeginError::Stopped(stop)));
                }
                if let Some(found) = probe() {
                    return Some(Ok(found));
                }
                self.departed(sighting).map(Err)
            });
        found.unwrap_or(Err(BeginError::Stopped(Stop::Deadline)))
    }

    /// Waits until the service has noticed that the card left, or for as long as that may take.
    ///
    /// Returns what has gone, or `None` when card and reader are still there.
    pub fn departure(&self, clock: &dyn Clock) -> Option<BeginError> {
        let until = Deadline::at(clock.now().plus(REMOVAL_IS_NOTICED));
        self.board
            .wait_until(clock, until, |sighting| self.departed(sighting))
    }

    fn departed(&self, sighting: &Sighting) -> Option<BeginError> {
        match sighting.service {
            Service::Up => {}
            Service::Denied => return Some(BeginError::Denied),
            Service::Unknown | Service::Down => return Some(BeginError::ServiceLost),
        }
        let Some(seen) = sighting.reader(&self.reader) else {
            return Some(BeginError::ReaderGone);
        };
        let left = seen.events != self.events || seen.state == ReaderCondition::Empty;
        left.then_some(BeginError::NoCard)
    }
}
