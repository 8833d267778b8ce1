//! Where no keyboard can be had alone.

use std::sync::Arc;

use device_api::{Clock, Deadline, Moment};
use link::{Interrupter, LinkError};

use crate::driver::{Readings, Source};
use crate::fault::ScannerError;
use crate::settings::{KeyboardSelector, ScannerSettings};

/// A source that does not exist.
#[derive(Debug)]
pub(crate) enum NoKeyboard {}

pub(crate) fn keyboard(
    _selector: &KeyboardSelector,
    _settings: &ScannerSettings,
    _clock: Arc<dyn Clock>,
) -> Result<NoKeyboard, ScannerError> {
    Err(ScannerError::Unsupported {
        what: "reading a keyboard scanner",
    })
}

impl Source for NoKeyboard {
    fn wait(&mut self, _until: Deadline, _clock: &dyn Clock) -> Result<Readings, LinkError> {
        match *self {}
    }

    fn due(&self) -> Option<Moment> {
        match *self {}
    }

    fn interrupter(&self) -> Interrupter {
        match *self {}
    }
}
