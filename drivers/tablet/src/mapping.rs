//! From the pen's own units to the picture, and back: rotation by the settings, or an affine map from taps.
//!
//! Positions on the picture are fractions, 0 to 1 from its top left, so that a map outlives another resolution.
//! Invariant: a map that was made from taps has been checked to bring each tap back to its target.

use thiserror::Error;

/// How the tablet stands, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// As built.
    #[default]
    None,
    /// A quarter turn.
    Quarter,
    /// Upside down.
    Half,
    /// Three quarters.
    ThreeQuarters,
}

/// Smallest and largest value along one axis, in the device's units.
pub type Range = (i32, i32);

/// An affine map from device units to fractions of the picture: `x' = ax + by + c`, `y' = dx + ey + f`.
///
/// The numbers are public so that whoever keeps a calibration can write them down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapping {
    /// a, b, c.
    pub x: [f64; 3],
    /// d, e, f.
    pub y: [f64; 3],
}

/// One tap: where the target was on the picture, and what the device said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tap {
    /// The target, as fractions of the picture.
    pub target: (f64, f64),
    /// The device's X and Y.
    pub raw: (f64, f64),
}

/// A map made from taps, and how well it fits them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// The map.
    pub mapping: Mapping,
    /// The mean distance between taps and targets, in thousandths of the picture.
    pub mean_error: f64,
    /// The largest distance, in the same measure.
    pub worst_error: f64,
}

/// Why taps give no map.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum CalibrationError {
    /// Fewer than three taps, or more than a hundred.
    #[error("{count} taps are too few or too many")]
    Count {
        /// How many there are.
        count: usize,
    },
    /// The taps or targets lie on one line, or in one place.
    #[error("taps lie on one line")]
    Line,
    /// Some tap was far from its target.
    #[error("a tap lies {worst_error:.0} thousandths away from its target")]
    Scattered {
        /// The largest distance, in thousandths of the picture.
        worst_error: f64,
    },
    /// The map would mirror, shear or scale as no mounted tablet does.
    #[error("taps describe no tablet that shows this picture")]
    Nonsense,
}

/// A tap may be 15 thousandths of the picture off: 5 millimetres on a 15.6 inch display.
const WORST: f64 = 15.0;

impl Mapping {
    /// The whole surface is the whole picture, turned.
    ///
    /// `None` where a range is empty.
    #[must_use]
    pub fn whole(ranges: (Range, Range), rotation: Rotation) -> Option<Self> {
        let (width, height) = (span(ranges.0)?, span(ranges.1)?);
        let (left, top) = (f64::from(ranges.0.0), f64::from(ranges.1.0));
        let along_x = [1.0 / width, 0.0, -left / width];
        let along_y = [0.0, 1.0 / height, -top / height];
        let turned = |axis: [f64; 3]| [-axis[0], -axis[1], 1.0 - axis[2]];
        let (x, y) = match rotation {
            Rotation::None => (along_x, along_y),
            Rotation::Quarter => (turned(along_y), along_x),
            Rotation::Half => (turned(along_x), turned(along_y)),
            Rotation::ThreeQuarters => (along_y, turned(along_x)),
        };
        Some(Self { x, y })
    }

    /// Where on the picture the pen is.
    #[must_use]
    pub fn picture(&self, raw: (f64, f64)) -> (f64, f64) {
        let along = |axis: [f64; 3]| axis[0].mul_add(raw.0, axis[1].mul_add(raw.1, axis[2]));
        (along(self.x), along(self.y))
    }

    /// What the device would say of a place on the picture; `None` where the map cannot be turned round.
    #[must_use]
    pub fn device(&self, picture: (f64, f64)) -> Option<(f64, f64)> {
        let [a, b, c] = self.x;
        let [d, e, f] = self.y;
        let determinant = a.mul_add(e, -(b * d));
        let (x, y) = (picture.0 - c, picture.1 - f);
        let raw = (
            e.mul_add(x, -(b * y)) / determinant,
            a.mul_add(y, -(d * x)) / determinant,
        );
        (raw.0.is_finite() && raw.1.is_finite()).then_some(raw)
    }

    /// Whether the map can be one of a tablet with these ranges: everything finite, no mirror, one picture
    /// between half and twice the surface, and each side of the surface along one side of the picture.
    #[must_use]
    pub fn plausible(&self, ranges: (Range, Range)) -> bool {
        let (Some(width), Some(height)) = (span(ranges.0), span(ranges.1)) else {
            return false;
        };
        let [a, b, c] = self.x;
        let [d, e, f] = self.y;
        let (a, b, d, e) = (a * width, b * height, d * width, e * height);
        let determinant = a.mul_add(e, -(b * d));
        let finite = [a, b, c, d, e, f].iter().all(|value| value.is_finite());
        let straight = b.abs().max(d.abs()) < 0.1 && a.abs().min(e.abs()) > 0.5;
        let sideways = a.abs().max(e.abs()) < 0.1 && b.abs().min(d.abs()) > 0.5;
        finite && (straight || sideways) && (0.25..=4.0).contains(&determinant)
    }
}

impl Calibration {
    /// Fits a map to taps by least squares, and refuses what cannot be.
    ///
    /// # Errors
    /// Says why not; [`CalibrationError::Scattered`] where one tap missed, which three taps cannot show, so
    /// take four or five.
    pub fn fit(taps: &[Tap], ranges: (Range, Range)) -> Result<Self, CalibrationError> {
        if !(3..=100).contains(&taps.len()) {
            return Err(CalibrationError::Count { count: taps.len() });
        }
        let (Some(width), Some(height)) = (span(ranges.0), span(ranges.1)) else {
            return Err(CalibrationError::Line);
        };
        // Solved in fractions of the surface, where the numbers are of one size.
        let unit = |tap: &Tap| {
            let x = (tap.raw.0 - f64::from(ranges.0.0)) / width;
            let y = (tap.raw.1 - f64::from(ranges.1.0)) / height;
            [x, y, 1.0]
        };
        let solve = |target: fn(&Tap) -> f64| {
            least_squares(taps.iter().map(|tap| (unit(tap), target(tap))))
        };
        let (Some(x), Some(y)) = (solve(|tap| tap.target.0), solve(|tap| tap.target.1)) else {
            return Err(CalibrationError::Line);
        };
        let raw_axis = |axis: [f64; 3]| {
            let (a, b) = (axis[0] / width, axis[1] / height);
            let c = axis[2] - a * f64::from(ranges.0.0) - b * f64::from(ranges.1.0);
            [a, b, c]
        };
        let mapping = Mapping {
            x: raw_axis(x),
            y: raw_axis(y),
        };
        Self::checked(mapping, taps, ranges)
    }

    fn checked(
        mapping: Mapping,
        taps: &[Tap],
        ranges: (Range, Range),
    ) -> Result<Self, CalibrationError> {
        if !mapping.plausible(ranges) {
            return Err(CalibrationError::Nonsense);
        }
        let mut worst = 0.0_f64;
        let mut sum = 0.0_f64;
        let mut count = 0.0_f64;
        for tap in taps {
            let (x, y) = mapping.picture(tap.raw);
            let error = 1000.0 * (x - tap.target.0).hypot(y - tap.target.1);
            worst = worst.max(error);
            sum += error;
            count += 1.0;
        }
        // Written so that a distance that is no number is refused too.
        if worst <= WORST {
            Ok(Self {
                mapping,
                mean_error: sum / count,
                worst_error: worst,
            })
        } else {
            Err(CalibrationError::Scattered { worst_error: worst })
        }
    }
}

/// The nearest whole number; the ends of `i32` beyond it, 0 for no number.
#[must_use]
pub(crate) fn whole(value: f64) -> i32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from f64 saturates, which is what is wanted"
    )]
    let rounded = value.round() as i32;
    rounded
}

fn span(range: Range) -> Option<f64> {
    let span = f64::from(range.1) - f64::from(range.0);
    (span > 0.0).then_some(span)
}

/// Solves three unknowns by the normal equations and Cramer's rule; `None` where the rows lie on one line.
fn least_squares(rows: impl Iterator<Item = ([f64; 3], f64)>) -> Option<[f64; 3]> {
    let (mut xx, mut xy, mut yy, mut x, mut y, mut n) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut xt, mut yt, mut t) = (0.0, 0.0, 0.0);
    for ([px, py, one], target) in rows {
        xx += px * px;
        xy += px * py;
        yy += py * py;
        x += px;
        y += py;
        n += one;
        xt += px * target;
        yt += py * target;
        t += target;
    }
    let of = |first: [f64; 3], second: [f64; 3], third: [f64; 3]| {
        determinant([
            [first[0], second[0], third[0]],
            [first[1], second[1], third[1]],
            [first[2], second[2], third[2]],
        ])
    };
    let (first, second, third, right) = ([xx, xy, x], [xy, yy, y], [x, y, n], [xt, yt, t]);
    let whole = of(first, second, third);
    // The squared area that the taps span: below this they lie within a thousandth of a line.
    if whole.is_nan() || whole < 1e-6 {
        return None;
    }
    Some([
        of(right, second, third) / whole,
        of(first, right, third) / whole,
        of(first, second, right) / whole,
    ])
}

fn determinant([[a, b, c], [d, e, f], [g, h, i]]: [[f64; 3]; 3]) -> f64 {
    a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
}

#[cfg(test)]
mod tests;
