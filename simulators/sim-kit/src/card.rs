//! What a simulated card is, seen from the reader.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

/// A simulated smart card: bytes in, bytes out, and a power supply.
pub trait Card: Send + Debug {
    /// The answer to reset that the reader shows.
    fn atr(&self) -> Vec<u8>;

    /// The reader changed the power supply or pulled the reset line.
    fn power(&mut self, change: Power);

    /// Processes one command APDU and answers it with data and status word, never with nothing.
    fn transmit(&mut self, command: &[u8]) -> Vec<u8>;
}

/// A card that more than one slot may hold in turn; its owner keeps a handle to look at it.
pub type SharedCard = Arc<Mutex<dyn Card>>;

/// What the reader does to the card's contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Power applied: a cold reset.
    On,
    /// Power removed, or the card taken off.
    Off,
    /// The reset line pulled while powered: a warm reset.
    Reset,
}
