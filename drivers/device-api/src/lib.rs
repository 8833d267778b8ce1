//! The vocabulary that drivers, the agent and the simulators share.
//!
//! This crate names things and does nothing: no I/O, no threads, no async, no serialisation.
//! What it names:
//!
//! | module | names |
//! |---|---|
//! | [`device`] | what a device is called, and what kind it is |
//! | [`fault`] | every way a job can fail, as a closed set of stable codes |
//! | [`clock`] | moments, deadlines, and the clock that is passed in |
//! | [`patience`] | how long a piece of work may go on, and who ends it |
//! | [`secret`] | values that must never be printed, logged or kept |
//!
//! Invariant: a type that holds a secret has no `Display`, and its `Debug` shows no content.

pub mod clock;
pub mod device;
pub mod fault;
pub mod patience;
pub mod secret;

pub use clock::{Clock, Deadline, Moment, SystemClock};
pub use device::{Capabilities, DeviceClass, DeviceFacts, DeviceId, Make, Pen, Source};
pub use fault::{FaultCode, Layer, Retry};
pub use patience::{Patience, Stop};
pub use secret::Secret;
