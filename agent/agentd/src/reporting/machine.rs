//! How the machine stands, read when it is to be reported.

use std::path::{Path, PathBuf};

use telemetry::message::machine::{ClockState, Disk, MachineState, TimeQuality, Version};
use telemetry::name::Digest;
use telemetry::{Message, Word};

use crate::platform;

/// What is known of the machine before it is looked at.
#[derive(Debug, Clone)]
pub struct MachineFacts {
    /// The SHA-256 of the configuration file.
    pub configuration: Digest,
    /// When the certificate for the broker ends, in seconds since 1970.
    pub certificate_ends: i64,
    /// The folder whose disk matters.
    pub state_dir: PathBuf,
}

/// The machine.
#[derive(Debug, Clone)]
pub struct Machine {
    facts: MachineFacts,
}

impl Machine {
    /// A machine of which these facts are known.
    #[must_use]
    pub const fn new(facts: MachineFacts) -> Self {
        Self { facts }
    }

    /// What keeps the clock right, as far as the operating system tells.
    #[must_use]
    pub fn time_quality() -> TimeQuality {
        if platform::clock_is_synchronised() {
            TimeQuality::Synchronised
        } else {
            TimeQuality::Free
        }
    }

    /// How it stands, as it is reported.
    #[must_use]
    pub fn look(&self, unix_seconds: u64, uptime_seconds: u64) -> Message {
        Message::Machine(self.state(unix_seconds, uptime_seconds))
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self, unix_seconds: u64, uptime_seconds: u64) -> MachineState {
        let now = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
        let left = self.facts.certificate_ends.saturating_sub(now);
        let version = Version {
            part: Word::or_unnamed("agentd"),
            version: Word::or_unnamed(env!("CARGO_PKG_VERSION")),
        };
        MachineState {
            versions: vec![version],
            configuration: self.facts.configuration.clone(),
            disk: disk(&self.facts.state_dir),
            clock: ClockState {
                quality: Self::time_quality(),
                error_millis: None,
            },
            certificate_days: i32::try_from(left.div_euclid(86_400)).unwrap_or(i32::MAX),
            uptime_seconds,
        }
    }
}

fn disk(folder: &Path) -> Disk {
    let (total, free) = platform::disk_of(folder).unwrap_or_default();
    Disk {
        total_mib: total >> 20,
        free_mib: free >> 20,
    }
}
