//! Real time, for pen strokes that arrive as a hand makes them. The one place of this crate that reads it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How fast a trace is played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pace {
    /// At the trace's own rate.
    RealTime,
    /// As fast as the host takes it; time stamps are those of the trace.
    #[default]
    AtOnce,
}

/// A beat that does not drift: each one is due at its distance from the first.
#[derive(Debug)]
pub(crate) struct Beat {
    first: Instant,
    span: Duration,
    beats: u32,
}

impl Beat {
    #[expect(clippy::disallowed_methods, reason = "the pace of a hand is real time")]
    pub(crate) fn new(span: Duration) -> Self {
        Self {
            first: Instant::now(),
            span,
            beats: 0,
        }
    }

    /// How long to wait for the next beat; nothing where it is overdue.
    pub(crate) fn until_next(&mut self) -> Duration {
        self.beats += 1;
        let due = self.span.saturating_mul(self.beats);
        due.saturating_sub(self.first.elapsed())
    }
}
