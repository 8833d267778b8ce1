//! With which code a driver host ends, and what the agent may conclude.
//!
//! | code | meaning | start again? |
//! |---|---|---|
//! | 0 | the agent closed the input, or nothing is wrong with the settings that were to be checked | as wished |
//! | 1 | the operating system refused something at the start, or the agent stopped reading | yes |
//! | 2 | the arguments make no sense | no |
//! | 3 | no common version of the protocol | no |
//! | 4 | the trust anchors cannot be used | no |
//! | 5 | the settings cannot be used | no |
//!
//! The numbers are part of the protocol's specification and never change their meaning.

use std::process::ExitCode;

/// How a driver host ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The agent closed the input, or what was to be checked is good.
    Done,
    /// The operating system refused something, or the agent stopped reading.
    System,
    /// No common version of the protocol.
    Version,
    /// The trust anchors cannot be used.
    Trust,
    /// The settings cannot be used.
    Settings,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::System => 1,
            Exit::Version => 3,
            Exit::Trust => 4,
            Exit::Settings => 5,
        })
    }
}
