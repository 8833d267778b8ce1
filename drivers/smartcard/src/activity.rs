//! Which blocking call a reader's thread is in, for whoever watches over that thread.
//!
//! PC/SC offers no timeout for its calls: a hung card hangs the caller.
//! So the caller says beforehand what it is about to do, and somebody else watches the clock.

use std::sync::{Arc, Mutex, PoisonError};

use device_api::{Clock, Moment};

/// What a reader's thread is waiting for the PC/SC service to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Connecting to the card, which waits for another program's transaction.
    Connecting,
    /// Beginning a transaction, which waits for another program's transaction.
    TakingTurn,
    /// Exchanging a command that holds no secret.
    Exchanging,
    /// Exchanging a command that holds a secret: what became of it is unknown until it returns.
    ExchangingSecret,
    /// Waiting for a person who types a PIN on the reader; what became of it is unknown until it returns.
    Typing,
    /// Powering the card off.
    Disconnecting,
}

/// Shared between the thread that calls and the one that watches.
#[derive(Debug)]
pub struct Activity {
    clock: Arc<dyn Clock>,
    call: Mutex<Option<(Call, Moment)>>,
}

impl Activity {
    /// No call in progress.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            call: Mutex::new(None),
        }
    }

    /// The call in progress and the moment at which it began.
    #[must_use]
    pub fn current(&self) -> Option<(Call, Moment)> {
        *self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `blocking` while saying what it is.
    pub(crate) fn during<T>(&self, call: Call, blocking: impl FnOnce() -> T) -> T {
        self.set(Some((call, self.clock.now())));
        let result = blocking();
        self.set(None);
        result
    }

    fn set(&self, call: Option<(Call, Moment)>) {
        *self.call.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }
}
