//! PC/SC supervision, APDUs, exclusive card transactions, record and replay.

pub mod apdu;
pub mod channel;

pub use apdu::{Command, Response, Sensitivity, StatusWord};
pub use channel::{CardChannel, ChannelError};
