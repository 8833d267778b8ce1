//! How the machine stands, read when it is to be reported.

use std::path::{Path, PathBuf};
use std::time::Duration;

use telemetry::message::machine::{ClockState, Disk, MachineState, TimeQuality, Version};
use telemetry::name::Digest;
use telemetry::{Message, Word};

use crate::platform;

/// Where the kernel's account of the clock's error ends: `NTP_PHASE_LIMIT` of its `include/linux/timex.h`.
///
/// It stands there from the start, after somebody has set the clock, and some nine hours after the last
/// correction, because it grows by 0.5 ms a second.
/// The flag `STA_UNSYNC` is not asked: chrony leaves it set wherever it does not keep the hardware clock too
/// (systemd's timedated judges by the bound for that reason, since its commit bca5a0eacc).
const NO_BOUND: Duration = Duration::from_secs(16);

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
        clock().quality
    }

    /// How it stands, as it is reported.
    #[must_use]
    pub fn look(&self, unix_seconds: u64, uptime_seconds: u64) -> Message {
        Message::Machine(self.state(unix_seconds, uptime_seconds))
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self, unix_seconds: u64, uptime_seconds: u64) -> MachineState {
        self.state_by(clock(), unix_seconds, uptime_seconds)
    }

    fn state_by(&self, clock: ClockState, unix_seconds: u64, uptime_seconds: u64) -> MachineState {
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
            clock,
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

fn clock() -> ClockState {
    judged(
        platform::clock_error_bound(),
        platform::clock_is_synchronised(),
    )
}

/// What the kernel's bound and the word of the service that keeps the clock mean together.
///
/// Either is enough for a clock to be called synchronised: the kernel hears from every service, such as
/// chrony, but forgets after a night without a network; the word of systemd-timesyncd stays until the next
/// start of the machine.
/// The bound is reported only while the kernel has one, and never as less than it is.
fn judged(bound: Option<Duration>, said_synchronised: bool) -> ClockState {
    let bound = bound.filter(|bound| *bound < NO_BOUND);
    let quality = if bound.is_some() || said_synchronised {
        TimeQuality::Synchronised
    } else {
        TimeQuality::Free
    };
    let millis = bound.map(|bound| bound.as_micros().div_ceil(1000));
    ClockState {
        quality,
        error_millis: millis.and_then(|millis| u32::try_from(millis).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNCHRONISED: TimeQuality = TimeQuality::Synchronised;

    #[test]
    fn a_bound_of_the_kernel_makes_a_clock_synchronised_and_is_never_understated() {
        for (micros, millis) in [
            (0, 0),
            (1, 1),
            (1000, 1),
            (1001, 2),
            (24_183, 25),
            (15_999_999, 16_000),
        ] {
            for said in [false, true] {
                let clock = judged(Some(Duration::from_micros(micros)), said);
                let expected = (SYNCHRONISED, Some(millis));
                assert_eq!((clock.quality, clock.error_millis), expected, "{micros}");
            }
        }
    }

    #[test]
    fn without_a_bound_the_service_alone_is_believed_and_none_is_reported() {
        let beyond = [None, Some(NO_BOUND), Some(Duration::MAX)];
        for bound in beyond {
            for (said, quality) in [(true, SYNCHRONISED), (false, TimeQuality::Free)] {
                let clock = judged(bound, said);
                assert_eq!((clock.quality, clock.error_millis), (quality, None));
            }
        }
    }

    #[test]
    fn the_report_says_what_was_judged() {
        let facts = MachineFacts {
            configuration: Digest::of(b"configuration"),
            certificate_ends: 86_400,
            state_dir: PathBuf::from("/"),
        };
        let clock = judged(Some(Duration::from_millis(3)), false);
        let state = Machine::new(facts).state_by(clock, 0, 0);
        assert_eq!(state.clock, clock);
        assert_eq!(state.clock.error_millis, Some(3));
    }

    /// The answer itself depends on the machine; its unit does not.
    #[test]
    fn the_kernel_answers_within_its_own_limit() {
        let bound = platform::clock_error_bound();
        assert!(bound.is_none_or(|bound| bound <= NO_BOUND), "{bound:?}");
    }
}
