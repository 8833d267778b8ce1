//! The wall clocks of a fleet: some are right, some are off, some run fast or slow, and some stand still.
//!
//! What is drawn for a device stays with it; its monotonic clock is always right.

use clap::Args;
use sim_kit::Random;
use telemetry::message::machine::TimeQuality;

/// How wrong clocks are.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ClockModel {
    /// How far a wall clock may be off either way, in seconds.
    #[arg(long = "clock-offset", value_name = "SECONDS", default_value_t = 0)]
    pub offset: u32,
    /// How much a wall clock may run fast or slow, in millionths.
    #[arg(long = "clock-drift", value_name = "PPM", default_value_t = 0)]
    pub drift: u32,
    /// How many of a thousand clocks stand far in the past, so that times are stamped with the floor.
    #[arg(long = "clock-stuck", value_name = "PER_MILLE", default_value_t = 0)]
    pub stuck: u16,
}

/// One device's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WallClock {
    /// It runs.
    Runs {
        /// How far it is off, in seconds.
        offset: i64,
        /// How many millionths it runs fast; less than 0 where it runs slow.
        drift: i64,
    },
    /// It says less than what has certainly passed.
    Stuck,
}

impl ClockModel {
    /// The clock of a device.
    pub(super) fn draw(self, random: &mut Random) -> WallClock {
        if random.chance(self.stuck) {
            return WallClock::Stuck;
        }
        WallClock::Runs {
            offset: either_way(random, self.offset),
            drift: either_way(random, self.drift),
        }
    }
}

impl WallClock {
    /// What is stamped so many milliseconds after the fleet's start, which was at `started` seconds.
    pub(super) fn stamp(self, started: u64, millis: u64) -> (u64, TimeQuality) {
        match self {
            Self::Stuck => (started, TimeQuality::Floor),
            Self::Runs { offset, drift } => {
                let gained = i64::try_from(millis)
                    .unwrap_or(i64::MAX)
                    .saturating_mul(drift)
                    / 1_000_000_000;
                let right = started.saturating_add(millis / 1000);
                let quality = if offset == 0 && drift == 0 {
                    TimeQuality::Synchronised
                } else {
                    TimeQuality::Free
                };
                (
                    right.saturating_add_signed(offset.saturating_add(gained)),
                    quality,
                )
            }
        }
    }
}

/// A number from -`most` to `most`.
fn either_way(random: &mut Random, most: u32) -> i64 {
    let span = u64::from(most) * 2 + 1;
    i64::try_from(random.word() % span).unwrap_or(0) - i64::from(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_off_by_what_was_asked_for_and_no_more() {
        let model = ClockModel {
            offset: 10,
            drift: 100,
            stuck: 0,
        };
        let mut random = Random::new(1);
        for _ in 0..1000 {
            let clock = model.draw(&mut random);
            // A hundred millionths of 100,000 seconds are 10 seconds.
            let (stamp, quality) = clock.stamp(1_000_000, 100_000_000);
            assert!((1_099_980..=1_100_020).contains(&stamp), "{clock:?}");
            assert_ne!(quality, TimeQuality::Floor);
        }
        let right = ClockModel::default().draw(&mut random);
        assert_eq!(right.stamp(50, 9_999), (59, TimeQuality::Synchronised));
    }

    #[test]
    fn a_clock_that_stands_still_stamps_the_floor() {
        let model = ClockModel {
            stuck: 1000,
            ..ClockModel::default()
        };
        let clock = model.draw(&mut Random::new(2));
        assert_eq!(clock.stamp(7, 99_000), (7, TimeQuality::Floor));
    }
}
