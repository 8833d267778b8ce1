//! Windows: the event that the smart-card resource manager sets when it has started.
//!
//! Windows stops the service when the last reader is unplugged and starts it with the first, so its
//! absence is ordinary there.

#![expect(
    unsafe_code,
    reason = "the started event and the wait for it have no safe binding"
)]

use std::time::Duration;

use windows_sys::Win32::{
    Foundation::WAIT_OBJECT_0,
    Security::Credentials::{SCardAccessStartedEvent, SCardReleaseStartedEvent},
    System::Threading::{INFINITE, WaitForSingleObject},
};

use super::Signal;

/// Where the PC/SC service appears.
#[derive(Debug, Clone)]
pub struct ServiceDoor(());

impl ServiceDoor {
    /// The place where the machine's own service appears.
    #[must_use]
    pub const fn usual() -> Self {
        Self(())
    }

    /// Begins to listen for a sign of the service.
    pub(crate) const fn arm(&self) -> Armed {
        Armed(())
    }
}

/// A listener for signs of the service.
#[derive(Debug)]
pub(crate) struct Armed(());

impl Armed {
    /// Waits for a sign, at most for `span` where one is given.
    pub(crate) fn wait(self, span: Option<Duration>) -> Signal {
        // While the event stays set and the service cannot be used, looking again must not spin.
        const NO_MORE_OFTEN_THAN: Duration = Duration::from_millis(500);
        // SAFETY: takes no arguments; the handle is released below and used in between only.
        let event = unsafe { SCardAccessStartedEvent() };
        if event.is_null() {
            std::thread::park_timeout(span.unwrap_or(NO_MORE_OFTEN_THAN));
            return Signal::Quiet;
        }
        let milliseconds = span.map_or(INFINITE, |span| {
            u32::try_from(span.as_millis()).unwrap_or(INFINITE - 1)
        });
        // SAFETY: the handle is valid until it is released.
        let outcome = unsafe { WaitForSingleObject(event, milliseconds) };
        // SAFETY: pairs with the access above, once.
        unsafe { SCardReleaseStartedEvent() };
        if outcome != WAIT_OBJECT_0 {
            return Signal::Quiet;
        }
        if span.is_none() {
            std::thread::park_timeout(NO_MORE_OFTEN_THAN);
        }
        Signal::Sign
    }
}
