//! Pen traces: recorded ones as JSON, or curves that look like a signature, by seed.
//!
//! A trace is made of the samples that a tablet takes at its rate; a pressure of zero is a pen that hovers.

use serde::{Deserialize, Serialize};
use sim_kit::Random;

/// More than an hour at 200 samples a second is no signature.
const MOST_SAMPLES: usize = 1_000_000;

/// One sample of a pen. Places are parts of the surface, from the top left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PenPoint {
    /// 0 is the left edge, 1 the right one.
    pub x: f32,
    /// 0 is the top edge, 1 the bottom one.
    pub y: f32,
    /// 0 hovers, 1 presses as hard as the tablet can tell.
    #[serde(default)]
    pub pressure: f32,
}

/// Samples of a pen, one after the other.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trace {
    /// The samples.
    pub points: Vec<PenPoint>,
}

/// How somebody writes is theirs.
impl std::fmt::Debug for Trace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Trace({} samples)", self.points.len())
    }
}

impl Trace {
    /// Curves that look like a signature: loops that wander to the right, a pause of hovering between
    /// strokes, pressure that rises and falls. The same seed writes the same.
    #[must_use]
    pub fn signature(seed: u64, strokes: usize, samples_per_stroke: usize) -> Self {
        let mut random = Random::new(seed);
        let mut points = Vec::new();
        let strokes = strokes.clamp(1, 64);
        let samples = samples_per_stroke.clamp(2, MOST_SAMPLES / 64);
        for stroke in 0..strokes {
            let hand = Hand::new(&mut random, ratio(stroke, strokes), ratio(1, strokes));
            points.extend((0..samples / 8).map(|_| hand.at(0.0, false)));
            points.extend((0..samples).map(|sample| hand.at(ratio(sample, samples - 1), true)));
            points.extend((0..samples / 8).map(|_| hand.at(1.0, false)));
        }
        Self { points }
    }

    /// A tap: hovering, pressing for some samples, and away.
    #[must_use]
    pub fn tap(x: f32, y: f32, samples: usize) -> Self {
        let point = |pressure| PenPoint { x, y, pressure };
        let down = samples.clamp(1, 1000);
        let mut points = vec![point(0.0); 2];
        points.extend(std::iter::repeat_n(point(0.5), down));
        points.extend([point(0.0); 2]);
        Self { points }
    }

    /// The samples that press.
    #[must_use]
    pub fn ink(&self) -> usize {
        self.points
            .iter()
            .filter(|point| point.pressure > 0.0)
            .count()
    }
}

/// One stroke's shape: a line to the right with two circling movements on it.
#[derive(Debug, Clone, Copy)]
struct Hand {
    left: f32,
    width: f32,
    middle: f32,
    loops: [(f32, f32, f32); 2],
}

impl Hand {
    fn new(random: &mut Random, start: f32, share: f32) -> Self {
        let mut between = |low: f32, high: f32| low + (high - low) * part(random);
        Self {
            left: 0.1 + 0.8 * start,
            width: 0.8 * share * between(0.6, 1.2),
            middle: between(0.4, 0.6),
            loops: [
                (between(2.0, 5.0), between(0.04, 0.14), between(0.0, 6.0)),
                (between(5.0, 9.0), between(0.01, 0.04), between(0.0, 6.0)),
            ],
        }
    }

    fn at(&self, time: f32, down: bool) -> PenPoint {
        let mut point = PenPoint {
            x: self.left + self.width * time,
            y: self.middle,
            pressure: 0.0,
        };
        for (turns, size, phase) in self.loops {
            let angle = std::f32::consts::TAU * turns * time + phase;
            point.x += size * 0.3 * angle.cos();
            point.y += size * angle.sin();
        }
        if down {
            // The pen touches at once and never quite leaves before the end of the stroke.
            point.pressure = 0.15 + 0.6 * (std::f32::consts::PI * time).sin().max(0.0);
        }
        point.x = point.x.clamp(0.0, 1.0);
        point.y = point.y.clamp(0.0, 1.0);
        point
    }
}

fn part(random: &mut Random) -> f32 {
    f32::from(random.byte()) / 255.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of strokes and samples are small"
)]
fn ratio(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_writes_the_same_signature() {
        let trace = Trace::signature(7, 4, 160);
        assert_eq!(trace, Trace::signature(7, 4, 160));
        assert_ne!(trace, Trace::signature(8, 4, 160));
        assert_eq!((trace.points.len(), trace.ink()), (4 * 200, 4 * 160));
        let inside = |value: f32| (0.0..=1.0).contains(&value);
        assert!(
            trace
                .points
                .iter()
                .all(|p| inside(p.x) && inside(p.y) && inside(p.pressure))
        );
    }

    #[test]
    fn a_recorded_trace_is_read_from_json() {
        let text = r#"{"points":[{"x":0.1,"y":0.2},{"x":0.2,"y":0.2,"pressure":0.5}]}"#;
        let trace: Trace = serde_json::from_str(text).unwrap();
        assert_eq!((trace.points.len(), trace.ink()), (2, 1));
        assert!(serde_json::from_str::<Trace>(r#"{"points":[{"x":1}]}"#).is_err());
        assert!(!format!("{trace:?}").contains("0.2"));
    }
}
