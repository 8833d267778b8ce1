//! Medians and percentiles of measured times.
//!
//! Percentiles are nearest-rank: each is a time that was really measured.

use std::time::Duration;

use anyhow::ensure;

/// Times of one thing, measured at least once.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    sorted: Vec<Duration>,
}

impl Times {
    /// These times.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> anyhow::Result<Self> {
        let mut sorted: Vec<Duration> = times.into_iter().collect();
        ensure!(!sorted.is_empty(), "nothing was measured");
        sorted.sort();
        Ok(Self { sorted })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The time that `percent` of a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.sorted.len() * percent).div_ceil(100).max(1);
        self.sorted.get(rank - 1).copied().unwrap_or_default()
    }

    /// The time that half do not exceed.
    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// The longest.
    pub(crate) fn most(&self) -> Duration {
        self.percentile(100)
    }
}

/// The median of the ratios of pairs that were measured one after the other.
pub(crate) fn median_ratio(pairs: &[(Duration, Duration)]) -> f64 {
    let ratio = |(above, below): &(Duration, Duration)| above.as_secs_f64() / below.as_secs_f64();
    let mut ratios: Vec<f64> = pairs.iter().map(ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let rank = ratios.len().div_ceil(2).max(1);
    ratios.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// Milliseconds with two digits behind the point.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(range: impl IntoIterator<Item = u64>) -> Times {
        Times::of(range.into_iter().map(Duration::from_millis)).unwrap()
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = millis((1..=200).rev());
        assert_eq!(times.median(), Duration::from_millis(100));
        assert_eq!(times.percentile(99), Duration::from_millis(198));
        assert_eq!(times.most(), Duration::from_millis(200));
        assert_eq!(millis([7]).percentile(99), Duration::from_millis(7));
    }

    #[test]
    fn a_ratio_belongs_to_its_pair() {
        let pair = |above, below| (Duration::from_millis(above), Duration::from_millis(below));
        let ratio = median_ratio(&[pair(10, 10), pair(300, 200), pair(90, 30)]);
        assert!((ratio - 1.5).abs() < 1e-9);
    }

    #[test]
    fn nothing_measured_is_no_figure() {
        assert!(Times::of([]).is_err());
        assert!(median_ratio(&[]).is_nan());
    }
}
