//! The daemon of a counter machine.
pub mod config;
pub mod door;
pub mod identity;
pub mod limits;
pub mod origin;
pub mod platform;
pub mod refusal;
pub mod state_dir;
pub mod token;
pub mod translate;
