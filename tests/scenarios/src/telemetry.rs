//! Telemetry from end to end: a device that is killed, a monitor that is killed, brokers that are killed, cut
//! off or hostile, and a ledger that must come out even.
//!
//! | module | its one job |
//! |---|---|
//! | [`device`] | a device as a process, and what it has confirmed |
//! | [`reports`] | messages that carry their own number |
//! | [`verifier`] | the real monitor as a process, and what it holds as evidence |
//! | [`settling`] | whether what was confirmed and what is proved are the same |
//! | [`rig`] | device and monitor at one broker |
//! | [`relay`] | a network that can be cut, go silent and be slow |
//! | [`kills`] | device, broker and monitor killed at random moments |
//! | [`hostile`] | brokers that misbehave |
//! | [`networks`] | cuts, silence and delay; a store that is too small |
//! | [`copies`] | copied and restored folders and databases |
//! | [`offline`] | eight days without a broker |
//! | [`clusters`] | one scenario for every broker |
//! | [`stream`] | what an operator sets up in NATS |

pub mod clusters;
pub mod copies;
pub mod device;
pub mod hostile;
pub mod kills;
pub mod networks;
pub mod offline;
pub mod relay;
pub mod reports;
pub mod rig;
pub mod settling;
pub mod stream;
pub mod verifier;
