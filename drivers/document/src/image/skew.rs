//! By how much a page lies askew.
//!
//! The lower edges of what is dark are projected along lines of a slope: where the slope is that of the
//! text, whole lines fall into few bins, and the sum of squares is largest. Text in columns, as Japanese
//! forms have it, does the same with its right edges along the vertical; the direction that speaks more
//! clearly counts. (W. Postl, "Detection of linear oblique structures and skew scan in digitized
//! documents", ICPR 1986; the edges instead of all ink after D. Bloomberg, "Measuring document image skew
//! and orientation", SPIE 2422, 1995.)
//!
//! The search is in three rounds: 0.25, 0.05 and 0.01 degrees.

use super::Picture;
use super::luma::{Luma, threshold};

/// The largest angle that is looked for, in degrees. A page that lies worse was put in wrongly.
pub const LARGEST: f64 = 7.0;

/// How much higher than the mean of all angles the best must stand. White noise stays below 1.05, a
/// photograph mostly below 1.15.
const CLEAR: f64 = 1.2;

/// Fewer edges than this are no text.
const FEWEST: usize = 150;

/// The golden ratio's fraction.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// More edges than this do not make the answer better.
const MOST: usize = 20_000;

/// The angle in degrees by which the page must be turned clockwise to be straight; `None` where nothing
/// on it has a direction.
#[must_use]
pub fn skew(picture: &Picture, dpi: u32) -> Option<f64> {
    // 150 dots per inch suffice: 0.1 degrees are 2 of them over the width of A4.
    let side = super::index((dpi + 75) / 150).max(1);
    let luma = Luma::of(picture, side);
    let (rows, columns) = edges(&luma);
    let along_rows = best(&rows);
    let along_columns = best(&columns);
    let (angle, clarity) = match (along_rows, along_columns) {
        (Some(rows), Some(columns)) if columns.1 > rows.1 => columns,
        (Some(rows), _) => rows,
        (None, Some(columns)) => columns,
        (None, None) => return None,
    };
    // At the end of the range the true angle is probably beyond.
    (clarity >= CLEAR && angle.abs() < LARGEST - 0.3).then_some(angle)
}

/// An edge: how far along the direction of the text, and how far across it.
type Edge = (f64, f64);

/// The edges under what is dark, and those to its right with axes exchanged.
fn edges(luma: &Luma) -> (Vec<Edge>, Vec<Edge>) {
    let limit = threshold(&luma.samples);
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    let margin = luma.width.min(luma.height) / 50;
    let inside = |place: usize, length: usize| place >= margin && place + margin < length;
    let mut above: Option<&[u8]> = None;
    for (y, line) in luma.lines().enumerate() {
        for (x, pair) in line.windows(2).enumerate() {
            if let [here, next] = pair
                && *here <= limit
                && *next > limit
                && inside(x, luma.width)
                && inside(y, luma.height)
            {
                // The columns are rows of a page that is turned: its angle has the other sign.
                columns.push((number(y), -number(x)));
            }
        }
        if let Some(above) = above {
            for (x, (upper, lower)) in above.iter().zip(line).enumerate() {
                if *upper <= limit
                    && *lower > limit
                    && inside(x, luma.width)
                    && inside(y, luma.height)
                {
                    rows.push((number(x), number(y)));
                }
            }
        }
        above = Some(line);
    }
    (thin(rows), thin(columns))
}

fn thin(edges: Vec<Edge>) -> Vec<Edge> {
    let step = edges.len().div_ceil(MOST).max(1);
    // A prime step does not fall into the rhythm of the page.
    let step = if step > 1 { step | 1 } else { step };
    // Edges stand on whole numbers, so that at no slope at all they would fall together better than they
    // do on paper. They are moved by less than a half, evenly (by multiples of the golden ratio).
    let kept = edges.into_iter().step_by(step).enumerate();
    kept.map(|(place, (along, across))| (along, across + (number(place) * GOLDEN).fract() - 0.5))
        .collect()
}

/// The best angle, and how clearly it stands out.
fn best(edges: &[Edge]) -> Option<(f64, f64)> {
    if edges.len() < FEWEST {
        return None;
    }
    let coarse = round(edges, 0.0, LARGEST, 0.25);
    let mean = coarse.iter().map(|(_, score)| score).sum::<f64>() / number(coarse.len());
    let (near, clarity) = highest(&coarse)?;
    let (near, _) = highest(&round(edges, near, 0.3, 0.05))?;
    let (near, _) = highest(&round(edges, near, 0.06, 0.01))?;
    Some((near, clarity / mean.max(1.0)))
}

fn round(edges: &[Edge], middle: f64, reach: f64, step: f64) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    let mut angle = -reach;
    while angle <= reach + step / 2.0 {
        found.push((middle + angle, score(edges, middle + angle)));
        angle += step;
    }
    found
}

/// The highest score; of equal ones the middle.
fn highest(scores: &[(f64, f64)]) -> Option<(f64, f64)> {
    let top = scores.iter().map(|(_, score)| *score).reduce(f64::max)?;
    let equal: Vec<f64> = scores
        .iter()
        .filter(|(_, score)| *score >= top)
        .map(|(angle, _)| *angle)
        .collect();
    equal.get(equal.len() / 2).map(|angle| (*angle, top))
}

/// How much falls together where lines of this slope are projected.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by the diagonal of the page, and brought above zero first"
)]
fn score(edges: &[Edge], angle: f64) -> f64 {
    let slope = angle.to_radians().tan();
    let place = |(along, across): &Edge| across + along * slope;
    let least = edges.iter().map(place).fold(f64::INFINITY, f64::min);
    let mut bins: Vec<f64> = Vec::new();
    for edge in edges {
        let exact = place(edge) - least;
        let (bin, part) = (exact.floor() as usize, exact.fract());
        if bins.len() < bin + 2 {
            bins.resize(bin + 2, 0.0);
        }
        // Shared between neighbours, so that the score changes smoothly with the angle.
        if let Some([first, second]) = bins.get_mut(bin..bin + 2) {
            *first += 1.0 - part;
            *second += part;
        }
    }
    bins.iter().map(|bin| bin * bin).sum()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a place on a page is far below 2^52"
)]
fn number(place: usize) -> f64 {
    place as f64
}
