//! Bytes over a serial line: RS-232, and USB devices that pretend to be one (CDC ACM, FTDI, CP210x, PL2303).
//!
//! The line is taken for us alone, set to raw bytes, and emptied of what came before it was opened: half
//! a scan of an hour ago is worse than none.

use std::path::PathBuf;
use std::sync::Arc;

use device_api::{Clock, Deadline};

use crate::platform::{Pipe, open_serial};
use crate::{Frame, Interrupter, Link, LinkError};

/// Opens the line of `settings`.
///
/// # Errors
/// [`LinkError::Gone`] where there is no such line, [`LinkError::Busy`] where another program holds it,
/// [`LinkError::Denied`], and [`LinkError::Malformed`] where the line cannot do what is asked of it.
pub fn open(settings: &SerialSettings, clock: Arc<dyn Clock>) -> Result<SerialLink, LinkError> {
    open_serial(settings, clock).map(SerialLink)
}

/// Which line, and how it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialSettings {
    /// The device file, or the port's name on Windows.
    pub path: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// Bits of a character.
    pub data_bits: DataBits,
    /// The check bit of a character.
    pub parity: Parity,
    /// Bits between characters.
    pub stop_bits: StopBits,
    /// Who says when to pause.
    pub flow: FlowControl,
}

impl SerialSettings {
    /// A line with eight bits, no parity, one stop bit and no flow control, as most devices leave the factory.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, baud: u32) -> Self {
        Self {
            path: path.into(),
            baud,
            data_bits: DataBits::Eight,
            parity: Parity::None,
            stop_bits: StopBits::One,
            flow: FlowControl::None,
        }
    }
}

/// Bits of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataBits {
    /// Seven, as older scanners send ASCII.
    Seven,
    /// Eight.
    Eight,
}

/// The check bit of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// Bits between characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopBits {
    /// One.
    One,
    /// Two.
    Two,
}

/// Who says when to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowControl {
    /// Nobody.
    None,
    /// The characters XON and XOFF; they cannot occur in what is sent.
    Software,
    /// The wires RTS and CTS.
    Hardware,
}

/// A link over one serial line.
#[derive(Debug)]
pub struct SerialLink(Pipe);

impl Link for SerialLink {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.0.send(frame, deadline)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.0.receive(deadline)
    }

    fn interrupter(&self) -> Interrupter {
        self.0.interrupter()
    }
}
