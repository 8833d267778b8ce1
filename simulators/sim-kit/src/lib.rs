//! What every simulator needs: a virtual reader's wire, faults as data, counters.
//!
//! A simulated card implements [`Card`].
//! A [`Slot`] puts it into one slot of the virtual reader `vpcd`, which the real PC/SC service drives:
//! everything above the card is the real thing, and what the card does is data.
//!
//! ```text
//!  client -> libpcsclite -> pcscd -> vpcd  ==TCP==>  Slot -> [faults, counters] -> Card
//! ```
//!
//! # What it refuses to do
//!
//! It knows no card: what bytes mean is the card's business, apart from the command APDU's outline
//! ([`CommandApdu`]), which faults and counters need.
//! It keeps no data field of any command: a PIN that passes through is neither logged nor counted.
//! It shares no code with any driver, so that a mistake made on one side shows on the other.
//!
//! # Model
//!
//! | slot | wire | becomes |
//! |---|---|---|
//! | empty | closed | waiting, by [`Slot::insert`] |
//! | waiting for the reader (refused: the service is down) | closed | connected, when the service is back |
//! | connected | open | empty, by [`Slot::lift`] or a fault; waiting, when the service ends |
//!
//! # Guarantees
//!
//! A lifted card has lost its power, and its thread has let go of it, when [`Slot::lift`] returns,
//! whatever the card was doing, hanging included.
//! The same [`FaultPlan`] over the same commands disturbs the same commands in the same way.

mod apdu;
mod card;
mod counters;
mod fault;
mod hex_text;
mod injector;
mod platform;
mod random;
mod service;
mod session;
mod slot;
mod wire;

pub use apdu::{CommandApdu, MalformedApdu};
pub use card::{Card, Power, SharedCard};
pub use counters::{Counters, Exchange};
pub use fault::{Clearing, Fault, FaultPlan, Kind, Place, PlanError, Side};
pub use injector::{Firing, Injector};
pub use random::Random;
pub use service::ServiceOwner;
pub use slot::{InsertError, Link, Slot, SlotState};
pub use wire::{Message, WireError};
