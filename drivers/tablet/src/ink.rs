//! What the pen wrote, and everything that must be known of it later.
//!
//! Samples are the device's own, neither smoothed nor resampled, with the pen in the air between strokes.
//! What was lost is said. All of it is of a citizen: hidden in `Debug`, erased when dropped.

use std::fmt;
use std::ops::Range;

use zeroize::{Zeroize, Zeroizing};

use crate::picture::{Area, Sha256};

/// What the pen did at one moment.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the pen"
)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Zeroize)]
pub struct Sample {
    /// Microseconds since the capture began, by the device's clock where it has one; never less than before.
    pub t_us: u64,
    /// X in the device's units.
    pub x: i32,
    /// Y in the device's units.
    pub y: i32,
    /// Pressure in the device's units.
    pub pressure: i32,
    /// Tilt along X in hundredths of a degree; 0 where the device feels none.
    pub tilt_x: i32,
    /// Tilt along Y.
    pub tilt_y: i32,
    /// Whether the tip (or the eraser) touches.
    pub tip: bool,
    /// Whether the pen is near enough to be followed.
    pub in_range: bool,
    /// Whether the other end of the pen is used.
    pub eraser: bool,
    /// Whether samples were lost just before this one, as the device's numbers tell.
    pub lost_before: bool,
    /// The number that the device gave the report, where it gives one.
    pub sequence: Option<u16>,
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sample(..)")
    }
}

/// Whose clock samples carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleClock {
    /// The device's.
    Device,
    /// The host's, at the moment at which the sample arrived.
    Host,
}

/// What feels the pen.
#[derive(Debug, Clone, PartialEq)]
pub struct TabletDescription {
    /// Maker and model.
    pub model: String,
    /// Serial number, empty where it has none.
    pub serial: String,
    /// Version of the firmware, empty where it does not say.
    pub firmware: String,
    /// Smallest and largest X.
    pub x: (i32, i32),
    /// Smallest and largest Y.
    pub y: (i32, i32),
    /// The largest pressure; 0 where it feels none.
    pub max_pressure: i32,
    /// Units in a millimetre along X and Y, where the device says.
    pub units_per_mm: Option<(f64, f64)>,
    /// Samples in a second that it is built for; 0 where unknown.
    pub nominal_rate: u32,
    /// Whose clock the samples carry.
    pub clock: SampleClock,
    /// The size of its own screen in pixels; `None` where another program shows the pictures.
    pub screen: Option<(u32, u32)>,
}

/// A page that was on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Its number, from 1.
    pub page: u32,
    /// The page of the document on it, from 1.
    pub document_page: u32,
    /// The hash of the picture as PNG.
    pub picture_sha256: Sha256,
    /// The hash of exactly the picture bytes that the pad was sent, where it has a screen of its own.
    pub sent_sha256: Option<Sha256>,
    /// For how many milliseconds it was on the screen.
    pub ms: u64,
}

/// A signature image that was given by hand (手書き署名).
pub struct CapturedInk {
    /// All samples of the last attempt, in order.
    pub samples: Zeroizing<Vec<Sample>>,
    /// What felt the pen.
    pub device: TabletDescription,
    /// Samples in a second, as measured while the pen was near; `None` for too few.
    pub measured_rate: Option<f64>,
    /// How many samples the device's numbers show to be lost, of the last attempt.
    pub lost: u32,
    /// How many reports of the last attempt could not be read.
    pub unreadable: u32,
    /// How often the citizen began: 1, and one more for each new start.
    pub attempts: u32,
    /// The hash of the document as it was handed in.
    pub document_sha256: Sha256,
    /// What was on the screen, in order.
    pub shown: Vec<Shown>,
    /// Where it was signed, in pixels of the last page's picture.
    pub area: Area,
    /// The same in the device's units: smallest X and Y, width, height.
    pub ink_area: [i32; 4],
}

impl fmt::Debug for CapturedInk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedInk")
            .field("device", &self.device.model)
            .field("attempts", &self.attempts)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

impl CapturedInk {
    /// The strokes that count: runs of samples with the tip down that began within the signing area.
    #[must_use]
    pub fn strokes(&self) -> Vec<Range<usize>> {
        let [x, y, width, height] = self.ink_area.map(i64::from);
        runs(&self.samples)
            .into_iter()
            .filter(|run| {
                self.samples.get(run.start).is_some_and(|first| {
                    (x..x + width).contains(&i64::from(first.x))
                        && (y..y + height).contains(&i64::from(first.y))
                })
            })
            .collect()
    }
}

/// The runs of samples in which the tip touches.
pub(crate) fn runs(samples: &[Sample]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (place, sample) in samples.iter().enumerate().filter(|(_, sample)| sample.tip) {
        match found.last_mut() {
            Some(run) if run.end == place && !sample.lost_before => run.end = place + 1,
            // What lies between two samples is unknown where some were lost, so nothing is joined there, and
            // the new run counts by where the pen was found again.
            _ => found.push(place..place + 1),
        }
    }
    found
}

/// Samples in a second while the pen was followed without a break.
pub(crate) fn rate(samples: &[Sample]) -> Option<f64> {
    let mut intervals = 0.0_f64;
    let mut seconds = 0.0_f64;
    for (before, after) in samples.iter().zip(samples.iter().skip(1)) {
        let step = after.t_us.saturating_sub(before.t_us);
        // A tenth of a second without a sample is a pen that was away.
        if let (Ok(step), false) = (u32::try_from(step), after.lost_before)
            && step < 100_000
        {
            intervals += 1.0;
            seconds += f64::from(step) / 1e6;
        }
    }
    (intervals >= 20.0 && seconds > 0.0).then(|| intervals / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(t_us: u64, tip: bool) -> Sample {
        Sample {
            t_us,
            tip,
            in_range: true,
            ..Sample::default()
        }
    }

    #[test]
    fn strokes_are_runs_of_the_tip_and_are_not_joined_over_a_gap() {
        let mut samples: Vec<Sample> = [true, true, false, true, true, true]
            .iter()
            .zip(0..)
            .map(|(tip, t)| sample(t, *tip))
            .collect();
        samples[4].lost_before = true;
        assert_eq!(runs(&samples), [0..2, 3..4, 4..6]);
    }

    #[test]
    fn the_rate_is_of_the_time_in_which_the_pen_was_near() {
        let near = (0..41).map(|n| sample(n * 5000, true));
        let later = (0..41).map(|n| sample(5_000_000 + n * 5000, true));
        let samples: Vec<Sample> = near.chain(later).collect();
        let rate = rate(&samples).unwrap();
        assert!((rate - 200.0).abs() < 1e-6, "{rate}");
        assert_eq!(super::rate(&samples[..10]), None);
    }

    #[test]
    fn ink_shows_nothing_of_itself() {
        let sample = Sample {
            x: 4711,
            ..Sample::default()
        };
        assert!(!format!("{sample:?}").contains("4711"));
    }
}
