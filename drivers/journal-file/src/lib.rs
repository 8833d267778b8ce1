//! The file of a journal: where it lies, and the frame of its lines.
//!
//! **What it is for.** A journal says before each step what is about to happen, so that no power cut makes
//! anybody forget a thing or do it twice. What its lines say is the business of whoever keeps it: here is
//! only what every such file needs.
//!
//! | module | job |
//! |---|---|
//! | [`storage`] | where a journal lies, small enough that a test can cut the power at every call |
//! | [`line`](mod@line) | the frame of a line, by which a torn or damaged one is known |
//! | `memory` (feature `testing`) | a disk in memory whose power goes at any step |
//!
//! **What it refuses.** It reads no line's content, repairs nothing by itself, and does not tell a torn end
//! from damage: that depends on what a journal may lose.

pub mod line;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod platform;
pub mod storage;

pub use line::Line;
pub use storage::{Folder, Kind, Storage};
