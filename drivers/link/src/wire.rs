//! The one function that writes down what passes a link.
//!
//! At level trace it tells of every frame which link, which way and how long, and shows the bytes of
//! frames that may be shown; a personal frame is never more than a length.
//! Long frames, such as pictures on their way to a printer, are cut.

use std::fmt;

use crate::{Frame, Sensitivity};

/// Which way a frame went, seen from this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the device.
    Out,
    /// From the device.
    In,
    /// A feature report to the device.
    FeatureOut,
    /// A feature report from the device.
    FeatureIn,
}

/// Writes one frame down, at level trace.
pub(crate) fn note(link: &str, way: Way, frame: &Frame) {
    if !tracing::enabled!(tracing::Level::TRACE) {
        return;
    }
    let bytes = match frame.sensitivity() {
        Sensitivity::Plain => Some(frame.bytes()),
        Sensitivity::Personal => None,
    };
    tracing::trace!(link, ?way, length = frame.bytes().len(), bytes = %Shown(bytes));
}

/// Bytes as hexadecimal digits, or a word in their place.
struct Shown<'a>(Option<&'a [u8]>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More than this of a frame helps nobody who reads a log.
        const MOST: usize = 256;
        let Some(bytes) = self.0 else {
            return f.write_str("hidden");
        };
        for byte in bytes.iter().take(MOST) {
            write!(f, "{byte:02x}")?;
        }
        if bytes.len() > MOST {
            f.write_str("...")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
