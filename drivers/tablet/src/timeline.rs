//! When samples were taken, and how many are missing, from counters that wrap.

use std::time::Duration;

use device_api::Moment;

/// A device's own clock as a report carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    /// The counter, which wraps at 65536.
    pub(crate) count: u16,
    /// Microseconds in one count.
    pub(crate) unit_us: u32,
}

/// Times since a capture began; they never go back.
#[derive(Debug)]
pub(crate) struct Timeline {
    began: Moment,
    last: Option<(Moment, Option<Tick>)>,
    last_us: u64,
}

impl Timeline {
    pub(crate) const fn begin(now: Moment) -> Self {
        Self {
            began: now,
            last: None,
            last_us: 0,
        }
    }

    /// The time of a sample that arrived at `now`: by the device's clock from its first tick on, otherwise by
    /// ours. How often the counter wrapped while the pen was away is what fits our own clock best.
    pub(crate) fn stamp(&mut self, now: Moment, tick: Option<Tick>) -> u64 {
        let ours = micros(now.since(self.began));
        let time = match (self.last, tick) {
            (Some((before, Some(last))), Some(tick)) if last.unit_us == tick.unit_us => {
                let unit = u64::from(tick.unit_us.max(1));
                let step = u64::from(tick.count.wrapping_sub(last.count)) * unit;
                let turn = 65_536 * unit;
                let waited = micros(now.since(before));
                let turns = (waited.saturating_sub(step) + turn / 2) / turn;
                self.last_us + step + turns * turn
            }
            _ => ours,
        };
        self.last = Some((now, tick));
        self.last_us = time.max(self.last_us);
        self.last_us
    }
}

/// The numbers of reports.
#[derive(Debug, Default)]
pub(crate) struct Sequence(Option<u16>);

impl Sequence {
    /// How many reports are missing before the one with this number.
    ///
    /// A number that goes back is of a device that began anew; how many are missing is unknown, at least one.
    pub(crate) fn lost_before(&mut self, number: Option<u16>) -> u32 {
        let before = std::mem::replace(&mut self.0, number);
        let (Some(before), Some(number)) = (before, number) else {
            return 0;
        };
        match number.wrapping_sub(before) {
            1 => 0,
            0 | 0x8000.. => 1,
            step => u32::from(step) - 1,
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(ms))
    }

    const fn tick(count: u16) -> Option<Tick> {
        Some(Tick {
            count,
            unit_us: 1000,
        })
    }

    #[test]
    fn the_devices_clock_counts_even_where_reports_arrive_in_a_lump() {
        let mut timeline = Timeline::begin(at(0));
        assert_eq!(timeline.stamp(at(100), tick(65_530)), 100_000);
        assert_eq!(timeline.stamp(at(300), tick(65_535)), 105_000);
        assert_eq!(timeline.stamp(at(300), tick(4)), 110_000);
    }

    #[test]
    fn a_counter_that_wrapped_while_the_pen_was_away_is_set_right_by_our_clock() {
        let mut timeline = Timeline::begin(at(0));
        timeline.stamp(at(0), tick(10));
        // 3 turns and 5 milliseconds by the device; our clock saw 10 milliseconds more.
        assert_eq!(timeline.stamp(at(196_623), tick(15)), 196_613_000);
    }

    #[test]
    fn without_a_device_clock_ours_counts() {
        let mut timeline = Timeline::begin(at(50));
        assert_eq!(timeline.stamp(at(57), None), 7_000);
    }

    #[test]
    fn missing_reports_are_counted_over_the_wrap() {
        let mut sequence = Sequence::default();
        let lost: Vec<u32> = [65_534, 65_535, 0, 3, 3, 2, 4]
            .into_iter()
            .map(|number| sequence.lost_before(Some(number)))
            .collect();
        assert_eq!(lost, [0, 0, 0, 2, 1, 1, 1]);
    }
}
