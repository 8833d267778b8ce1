//! How long the harness waits for an event before it gives up.
//!
//! Waiting always blocks on a file descriptor; nothing here sleeps or polls by time.

use std::time::Duration;

use anyhow::Context as _;
use device_api::{Clock as _, Deadline, SystemClock};
use rustix::event::Timespec;

/// A span of real time that has begun to run.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    clock: SystemClock,
    deadline: Deadline,
    span: Duration,
}

impl Patience {
    /// Waits at most `span` from now.
    #[must_use]
    pub fn of(span: Duration) -> Self {
        let clock = SystemClock::new();
        let deadline = Deadline::at(clock.now().plus(span));
        Self {
            clock,
            deadline,
            span,
        }
    }

    /// Waits at most `seconds` from now.
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        Self::of(Duration::from_secs(seconds))
    }

    /// What is left.
    ///
    /// # Errors
    /// When nothing is left; the text names `what` was waited for.
    pub fn left(&self, what: &str) -> anyhow::Result<Duration> {
        self.deadline
            .remaining(self.clock.now())
            .with_context(|| format!("{what} did not happen within {:?}", self.span))
    }

    /// Time since the patience began.
    #[must_use]
    pub fn spent(&self) -> Duration {
        self.clock.now().since_origin()
    }

    /// What is left, as `poll` wants it.
    pub(crate) fn timespec(&self, what: &str) -> anyhow::Result<Timespec> {
        let left = self.left(what)?;
        Timespec::try_from(left).context("waiting time out of range")
    }
}
