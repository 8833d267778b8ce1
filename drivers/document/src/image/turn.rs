//! Turns of a picture, clockwise.

use zeroize::Zeroizing;

use super::{Kind, Picture, index};
use crate::scanner::Turn;

/// The picture after a turn by quarters. Nothing is lost.
#[must_use]
pub fn by_quarters(picture: Picture, turn: Turn) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let channels = picture.kind().channels();
    let (wide, high) = (index(width), index(height));
    let (new_width, new_height) = match turn {
        Turn::None => return picture,
        Turn::Half => (width, height),
        Turn::Quarter | Turn::ThreeQuarters => (height, width),
    };
    let mut samples = Vec::with_capacity(picture.samples().len());
    for y in 0..index(new_height) {
        for x in 0..index(new_width) {
            let (from_x, from_y) = match turn {
                Turn::None => (x, y),
                Turn::Half => (wide - 1 - x, high - 1 - y),
                Turn::Quarter => (y, high - 1 - x),
                Turn::ThreeQuarters => (wide - 1 - y, x),
            };
            let at = picture.at(from_x, from_y);
            let element = picture.samples().get(at..at + channels);
            samples.extend_from_slice(element.unwrap_or_default());
        }
    }
    Picture::new(
        new_width,
        new_height,
        picture.kind(),
        Zeroizing::new(samples),
    )
    .unwrap_or(picture)
}

/// The picture after a turn by a few degrees, on white. It grows, so that no corner is lost; where it
/// would grow beyond what is accepted, it stays as it is.
#[must_use]
pub fn by_degrees(picture: &Picture, angle: f64) -> Picture {
    let (sin, cos) = angle.to_radians().sin_cos();
    let (wide, high) = (f64::from(picture.width()), f64::from(picture.height()));
    let new_wide = whole((wide * cos.abs() + high * sin.abs()).ceil());
    let new_high = whole((wide * sin.abs() + high * cos.abs()).ceil());
    let Some(mut turned) = Picture::white(new_wide, new_high, picture.kind()) else {
        return picture.clone();
    };
    let (middle_x, middle_y) = (f64::from(new_wide) / 2.0, f64::from(new_high) / 2.0);
    let channels = picture.kind().channels();
    let length = index(new_wide) * channels;
    for (line, y) in turned.samples.chunks_exact_mut(length.max(1)).zip(0_u32..) {
        let down = f64::from(y) + 0.5 - middle_y;
        for (element, x) in line.chunks_exact_mut(channels).zip(0_u32..) {
            let across = f64::from(x) + 0.5 - middle_x;
            // Where this element was before the turn.
            let from_x = across * cos + down * sin + wide / 2.0 - 0.5;
            let from_y = down * cos - across * sin + high / 2.0 - 0.5;
            blend(picture, (from_x, from_y), element);
        }
    }
    turned
}

/// Fills `element` with the mean of the four around `from`, weighed by their nearness.
fn blend(picture: &Picture, (x, y): (f64, f64), element: &mut [u8]) {
    let outside = x <= -1.0
        || y <= -1.0
        || x >= f64::from(picture.width())
        || y >= f64::from(picture.height());
    if outside {
        return;
    }
    let (right, below) = (x - x.floor(), y - y.floor());
    // One further, so that the first line and column of white have a number.
    let (x, y) = (index(whole(x.floor() + 1.0)), index(whole(y.floor() + 1.0)));
    let around = [
        (x, y, (1.0 - right) * (1.0 - below)),
        (x + 1, y, right * (1.0 - below)),
        (x, y + 1, (1.0 - right) * below),
        (x + 1, y + 1, right * below),
    ];
    for (channel, sample) in element.iter_mut().enumerate() {
        let sum: f64 = around
            .iter()
            .map(|(x, y, weight)| weight * f64::from(sample_at(picture, (*x, *y), channel)))
            .sum();
        let level = u8::try_from(whole(sum.round())).unwrap_or(255);
        *sample = match picture.kind() {
            Kind::Bilevel if level < 128 => 0,
            Kind::Bilevel => 255,
            Kind::Gray | Kind::Colour => level,
        };
    }
}

/// A sample by places that count from one; white outside.
fn sample_at(picture: &Picture, (x, y): (usize, usize), channel: usize) -> u8 {
    let (Some(x), Some(y)) = (x.checked_sub(1), y.checked_sub(1)) else {
        return 255;
    };
    if x >= index(picture.width()) || y >= index(picture.height()) {
        return 255;
    }
    let at = picture.at(x, y) + channel;
    picture.samples().get(at).copied().unwrap_or(255)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion from float saturates, and what is beyond is refused by the picture"
)]
const fn whole(number: f64) -> u32 {
    number as u32
}
