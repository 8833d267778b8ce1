//! Lanes: how urgent a message is, and what becomes of it while nobody can be reached.
//!
//! | lane | for | sent | kept for | share of the store |
//! |---|---|---|---|---|
//! | `dr` | what is missing, and why | first, oldest first | ever | beyond the quota |
//! | `al` | faults raised and cleared | oldest first | 90 days | 20 % |
//! | `cr` | what became of commands, and the next key | oldest first | 90 days | 20 % |
//! | `st` | the state of devices and machine | newest first | 30 days | 30 % |
//! | `tm` | counts and durations | oldest first | 30 days | 30 % |
//! | `hb` | presence | at once, or never | not kept | - |
//!
//! Each lane counts its own messages from 1 in each epoch, so that a gap names what is missing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One day.
const DAY: Duration = Duration::from_secs(86_400);

/// A lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lane {
    /// What is missing, and why.
    #[serde(rename = "dr")]
    Drops,
    /// Faults raised and cleared.
    #[serde(rename = "al")]
    Alerts,
    /// What became of commands.
    #[serde(rename = "cr")]
    Commands,
    /// The state of devices, machine and queue.
    #[serde(rename = "st")]
    State,
    /// Counts and durations.
    #[serde(rename = "tm")]
    Telemetry,
    /// Presence: birth, heartbeat, leaving, the will.
    #[serde(rename = "hb")]
    Presence,
}

/// In which order a lane's messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they came.
    OldestFirst,
    /// The newest one first: what is true now matters more than what was.
    NewestFirst,
}

impl Lane {
    /// The lanes that are kept until they are acknowledged, the most urgent first.
    pub const KEPT: [Self; 5] = [
        Self::Drops,
        Self::Alerts,
        Self::Commands,
        Self::State,
        Self::Telemetry,
    ];

    /// All lanes.
    pub const ALL: [Self; 6] = [
        Self::Drops,
        Self::Alerts,
        Self::Commands,
        Self::State,
        Self::Telemetry,
        Self::Presence,
    ];

    /// How it is written in topics, headers and file names.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Drops => "dr",
            Self::Alerts => "al",
            Self::Commands => "cr",
            Self::State => "st",
            Self::Telemetry => "tm",
            Self::Presence => "hb",
        }
    }

    /// The lane that is written so.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.code() == code)
    }

    /// Whether its messages are kept until they are acknowledged.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        !matches!(self, Self::Presence)
    }

    /// In which order its messages are sent.
    #[must_use]
    pub const fn order(self) -> Order {
        match self {
            Self::State => Order::NewestFirst,
            Self::Drops | Self::Alerts | Self::Commands | Self::Telemetry | Self::Presence => {
                Order::OldestFirst
            }
        }
    }

    /// How long a message is worth keeping; `None` for ever.
    #[must_use]
    pub const fn lifetime(self) -> Option<Duration> {
        match self {
            Self::Drops => None,
            Self::Alerts | Self::Commands => Some(DAY.saturating_mul(90)),
            Self::State | Self::Telemetry => Some(DAY.saturating_mul(30)),
            Self::Presence => Some(Duration::ZERO),
        }
    }

    /// Which share of the whole store it may fill, in per cent; `None` for what no quota holds back.
    #[must_use]
    pub const fn share(self) -> Option<u64> {
        match self {
            Self::Drops => None,
            Self::Alerts | Self::Commands => Some(20),
            Self::State | Self::Telemetry => Some(30),
            Self::Presence => Some(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back_and_shares_are_a_whole() {
        for lane in Lane::ALL {
            assert_eq!(Lane::of_code(lane.code()), Some(lane));
        }
        assert_eq!(Lane::of_code("xx"), None);
        let shares: u64 = Lane::KEPT.iter().filter_map(|lane| lane.share()).sum();
        assert_eq!(shares, 100);
    }
}
