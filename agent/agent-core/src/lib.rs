//! The agent's decisions: leases, jobs, grants, supervision; pure.
//!
//! ```text
//! loop { event = wait_until(core.next_wakeup()); for effect in core.handle(event, now) { execute } }
//! ```

pub mod access;
mod chance;
mod core;
mod devices;
pub mod effect;
pub mod event;
mod hosts;
pub mod ids;
mod jobs;
mod leases;
mod screens;
mod sealed;
mod stream;
pub mod task;
mod words;

pub use chance::Chance;
pub use core::{Config, Core};
pub use effect::Effect;
pub use event::Event;
pub use sealed::Sealed;
pub use stream::Position;
