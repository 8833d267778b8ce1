//! Where no keyboard can be had alone.

use std::sync::Arc;

use device_api::Clock;

use crate::fault::ScannerError;
use crate::scan::CodeScanner;
use crate::settings::{KeyboardSelector, ScannerSettings};

pub(crate) fn keyboard(
    _selector: &KeyboardSelector,
    _settings: &ScannerSettings,
    _clock: Arc<dyn Clock>,
) -> Result<Box<dyn CodeScanner>, ScannerError> {
    Err(ScannerError::Unsupported {
        what: "reading a keyboard scanner",
    })
}
