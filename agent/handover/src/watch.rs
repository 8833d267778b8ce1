//! Waiting until something may have happened in the folders of a hand-over.
//!
//! On Linux the folder's own events wake the wait. They do not cross a network share, and Windows is not asked
//! for them, so a wait ends after [`Watch::SLICE`] at the latest and the caller looks again.

use std::time::Duration;

use device_api::Patience;

use crate::{
    error::HandoverError,
    outbox::Outbox,
    platform::{FolderEvents, Sign},
};

/// Listens to the folders of an [`Outbox`].
#[derive(Debug)]
pub struct Watch(FolderEvents);

/// Why a wait has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Look again: something changed, or it is time to.
    Look,
    /// The patience has ended.
    Stopped,
}

impl Outbox {
    /// Begins to listen. What happens from now on is not missed; survey after this.
    ///
    /// # Errors
    /// A folder is missing, or the system is out of watches.
    pub fn watch(&self) -> Result<Watch, HandoverError> {
        let folders = [
            self.places.outgoing.as_path(),
            self.places.acknowledgements.as_path(),
        ];
        let events = FolderEvents::listen(&folders);
        events
            .map(Watch)
            .map_err(HandoverError::folder("watch", &self.places.outgoing))
    }
}

impl Watch {
    /// How long a wait lasts at most.
    pub const SLICE: Duration = Duration::from_secs(5);

    /// Blocks until a folder changes, the slice is over, or `patience` ends.
    ///
    /// # Errors
    /// The system cannot wait.
    pub fn wait(&self, patience: &Patience) -> Result<Wake, HandoverError> {
        let _waker = patience.when_stopped(self.0.waker());
        let left = patience.deadline().remaining(patience.clock().now());
        let span = left.unwrap_or_default().min(Self::SLICE);
        let sign = if patience.check().is_ok() {
            self.0
                .wait(span)
                .map_err(HandoverError::folder("wait for", "a change"))?
        } else {
            Sign::Woken
        };
        match sign {
            Sign::Changed => Ok(Wake::Look),
            Sign::Woken | Sign::Quiet if patience.check().is_err() => Ok(Wake::Stopped),
            Sign::Woken | Sign::Quiet => Ok(Wake::Look),
        }
    }
}
