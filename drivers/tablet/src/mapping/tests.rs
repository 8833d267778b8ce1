//! Maps that are right, and taps that must give none.

use proptest::prelude::*;

use super::*;

const RANGES: (Range, Range) = ((0, 34_560), (0, 19_440));
const TARGETS: [(f64, f64); 5] = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.5, 0.5)];

/// What a device says of the targets, when its surface is shifted and scaled a little against the picture.
fn taps(rotation: Rotation) -> Vec<Tap> {
    let whole = Mapping::whole(RANGES, rotation).unwrap();
    TARGETS
        .iter()
        .map(|target| {
            let off = (target.0 * 0.98 + 0.013, target.1 * 1.03 - 0.02);
            let raw = whole.device(off).unwrap();
            Tap {
                target: *target,
                raw: (raw.0.round(), raw.1.round()),
            }
        })
        .collect()
}

const ALL: [Rotation; 4] = [
    Rotation::None,
    Rotation::Quarter,
    Rotation::Half,
    Rotation::ThreeQuarters,
];

#[test]
fn taps_give_back_their_targets_however_the_tablet_stands() {
    for rotation in ALL {
        let fit = Calibration::fit(&taps(rotation), RANGES).unwrap();
        assert!(fit.worst_error < 0.1, "{rotation:?} {fit:?}");
    }
}

#[test]
fn corners_go_where_the_rotation_says() {
    let top_left = |rotation| {
        let (x, y) = Mapping::whole(RANGES, rotation)
            .unwrap()
            .picture((0.0, 0.0));
        (whole(x), whole(y))
    };
    assert_eq!(ALL.map(top_left), [(0, 0), (1, 0), (1, 1), (0, 1)]);
}

#[test]
fn one_tap_beside_its_cross_is_noticed() {
    let mut missed = taps(Rotation::None);
    missed[2].raw.0 -= 3000.0;
    let error = Calibration::fit(&missed, RANGES).unwrap_err();
    assert!(
        matches!(error, CalibrationError::Scattered { .. }),
        "{error:?}"
    );
}

#[test]
fn taps_in_one_place_or_on_one_line_give_no_map() {
    let mut same = taps(Rotation::None);
    for tap in &mut same {
        tap.raw = (5000.0, 5000.0);
    }
    assert_eq!(Calibration::fit(&same, RANGES), Err(CalibrationError::Line));
    for (tap, place) in same.iter_mut().zip(0..) {
        tap.raw = (f64::from(place) * 1000.0, f64::from(place) * 500.0);
    }
    assert_eq!(Calibration::fit(&same, RANGES), Err(CalibrationError::Line));
}

#[test]
fn a_mirror_a_corner_of_the_surface_and_too_few_taps_are_refused() {
    let mut mirrored = taps(Rotation::None);
    for tap in &mut mirrored {
        tap.raw.0 = 34_560.0 - tap.raw.0;
    }
    assert_eq!(
        Calibration::fit(&mirrored, RANGES),
        Err(CalibrationError::Nonsense)
    );
    let mut small = taps(Rotation::None);
    for tap in &mut small {
        tap.raw = (tap.raw.0 / 4.0, tap.raw.1 / 4.0);
    }
    assert_eq!(
        Calibration::fit(&small, RANGES),
        Err(CalibrationError::Nonsense)
    );
    assert_eq!(
        Calibration::fit(&taps(Rotation::None)[..2], RANGES),
        Err(CalibrationError::Count { count: 2 })
    );
}

#[test]
fn numbers_that_are_none_never_pass() {
    let mut broken = taps(Rotation::None);
    broken[0].raw.0 = f64::NAN;
    assert!(Calibration::fit(&broken, RANGES).is_err());
    let map = Mapping {
        x: [f64::INFINITY, 0.0, 0.0],
        y: [0.0, 1.0, 0.0],
    };
    assert!(!map.plausible(RANGES));
    assert_eq!(Mapping::whole(((5, 5), (0, 1)), Rotation::None), None);
}

proptest! {
    #[test]
    fn there_and_back_is_the_same_place(x in 0..34_560, y in 0..19_440, turn in 0_usize..4) {
        let map = Mapping::whole(RANGES, ALL[turn]).unwrap();
        let (x, y) = (f64::from(x), f64::from(y));
        let back = map.device(map.picture((x, y))).unwrap();
        prop_assert!((back.0 - x).abs() < 1e-6 && (back.1 - y).abs() < 1e-6);
    }

    #[test]
    fn no_taps_panic(values in proptest::collection::vec(any::<[f64; 4]>(), 0..8)) {
        let taps: Vec<Tap> = values
            .iter()
            .map(|[a, b, c, d]| Tap { target: (*a, *b), raw: (*c, *d) })
            .collect();
        let _calibration = Calibration::fit(&taps, RANGES);
    }
}
