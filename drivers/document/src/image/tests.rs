//! Pictures: what is on them is found, and turning loses nothing.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::*;
use crate::scanner::Turn;

/// A gray page on which `ink` says what is dark, by places in picture elements from the middle.
fn page(width: u32, height: u32, ink: impl Fn(f64, f64) -> bool) -> Picture {
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let dark = [0.25, 0.75]
                .iter()
                .flat_map(|right| [0.25, 0.75].iter().map(move |down| (right, down)));
            let count = dark
                .filter(|(right, down)| {
                    ink(
                        f64::from(x) + **right - f64::from(width) / 2.0,
                        f64::from(y) + **down - f64::from(height) / 2.0,
                    )
                })
                .count();
            samples.push(255 - u8::try_from(count * 55).unwrap());
        }
    }
    Picture::new(width, height, Kind::Gray, Zeroizing::new(samples)).unwrap()
}

/// Lines of words, at 100 dots per inch.
fn text(x: f64, y: f64) -> bool {
    let line = (y / 30.0).floor();
    let inside = x.abs() < 320.0 && y.abs() < 480.0;
    inside && y.rem_euclid(30.0) < 14.0 && (x + line * 17.0).rem_euclid(23.0) < 18.0
}

/// A page whose content is turned clockwise.
fn turned(angle: f64, columns: bool) -> Picture {
    let (sin, cos) = angle.to_radians().sin_cos();
    page(827, 1169, |x, y| {
        let (x, y) = (x * cos + y * sin, y * cos - x * sin);
        if columns { text(y, x) } else { text(x, y) }
    })
}

#[test]
fn the_skew_of_generated_pages_is_found_within_a_tenth_of_a_degree() {
    for (place, angle) in [-5.0, -3.3, 0.0, 0.11, 0.5, 5.0].into_iter().enumerate() {
        let columns = place % 2 == 1;
        let found = skew::skew(&turned(angle, columns), 100).unwrap();
        assert!((found + angle).abs() < 0.1, "{angle} {columns}: {found}");
    }
}

#[test]
fn a_page_that_was_straightened_is_straight() {
    for angle in [-4.2, 1.3] {
        let page = turned(angle, false);
        let by = skew::skew(&page, 100).unwrap();
        let straight = turn::by_degrees(&page, by);
        assert!(straight.width() > page.width() && straight.height() > page.height());
        assert!(skew::skew(&straight, 100).unwrap().abs() < 0.1);
    }
}

/// Pages drawn and turned by other code, in Japanese: see `tests/vectors/make.py`.
#[test]
fn the_skew_of_drawn_pages_is_found_within_a_tenth_of_a_degree() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some(rest) = name.strip_prefix("askew-") else {
            continue;
        };
        let (_, angle) = rest.split_once('-').unwrap();
        let expected = angle.parse::<f64>().unwrap() / 100.0;
        let page = coded::decode_png(&std::fs::read(&path).unwrap()).unwrap();
        let found = skew::skew(&page, 100);
        let near = found.is_some_and(|found| (found - expected).abs() < 0.1);
        assert!(near, "{name}: {found:?}");
        assert!(!blank::is_blank(&page, 100), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn what_has_no_direction_is_not_turned() {
    let noise = page(400, 500, |x, y| {
        ((x * 12.9898 + y * 78.233).sin() * 43_758.545).rem_euclid(1.0) < 0.3
    });
    assert_eq!(skew::skew(&noise, 100), None);
    assert_eq!(skew::skew(&page(400, 500, |_, _| false), 100), None);
}

#[test]
fn a_blank_page_may_have_dust_and_a_shine_but_no_letter() {
    let blank = |ink: &dyn Fn(f64, f64) -> bool| blank::is_blank(&page(600, 800, ink), 200);
    assert!(blank(&|_, _| false));
    // Forty specks of dust of 0.3 millimetres, far from each other.
    assert!(blank(
        &|x, y| x.rem_euclid(100.0) < 2.4 && y.rem_euclid(100.0) < 2.4
    ));
    // A letter of 8 points is 2 millimetres high and has strokes of 0.25.
    assert!(!blank(&|x, y| x.abs() < 1.0 && y.abs() < 8.0));
    // A hairline across the page.
    assert!(!blank(&|_, y| y.abs() < 1.0));
    // The edge of the glass.
    assert!(blank(&|x, _| x < -285.0));
    // A page that is black all over is not blank.
    assert!(!blank(&|_, _| true));
    let level = |paper: u8, ink: u8| {
        let mut samples = vec![paper; 600 * 800];
        for line in samples.chunks_exact_mut(600).skip(300).take(40) {
            line[200..300].fill(ink);
        }
        let picture = Picture::new(600, 800, Kind::Gray, Zeroizing::new(samples)).unwrap();
        blank::is_blank(&picture, 200)
    };
    // Recycled paper, with the shine of the reverse side, and with pencil.
    assert!(level(205, 195));
    assert!(!level(205, 150));
}

#[test]
fn quarter_turns_go_clockwise_and_four_of_them_change_nothing() {
    let samples: Vec<u8> = (0..18).collect();
    let picture = Picture::new(3, 2, Kind::Colour, Zeroizing::new(samples)).unwrap();
    let once = turn::by_quarters(picture.clone(), Turn::Quarter);
    assert_eq!((once.width(), once.height()), (2, 3));
    // The lower left element comes to the upper left.
    assert_eq!(&once.samples()[..6], [9, 10, 11, 0, 1, 2]);
    let half = turn::by_quarters(once.clone(), Turn::Quarter);
    assert_eq!(half, turn::by_quarters(picture.clone(), Turn::Half));
    let three = turn::by_quarters(half, Turn::Quarter);
    assert_eq!(
        three,
        turn::by_quarters(picture.clone(), Turn::ThreeQuarters)
    );
    assert_eq!(turn::by_quarters(three, Turn::Quarter), picture);
}

#[test]
fn a_picture_that_is_too_large_or_does_not_fit_its_samples_is_none() {
    let empty = || Zeroizing::new(Vec::new());
    assert!(Picture::new(0, 0, Kind::Gray, empty()).is_none());
    assert!(Picture::new(2, 2, Kind::Gray, Zeroizing::new(vec![0; 5])).is_none());
    assert!(Picture::white(SIDE + 1, 1, Kind::Gray).is_none());
    assert!(area(SIDE, SIDE, Kind::Colour).is_none());
}

#[test]
fn nothing_of_a_page_shows_when_it_is_written_down() {
    let samples = Zeroizing::new(vec![77; 4]);
    let picture = Picture::new(2, 2, Kind::Gray, samples).unwrap();
    assert_eq!(format!("{picture:?}"), "Picture(2 x 2, Gray)");
}
