//! Pens of real devices; the reports were put together by hand from the descriptors.

use proptest::prelude::*;

use super::*;

const WACOM_ONE: &[u8] = include_bytes!("../../../data/wacom-one-03a6.bin");
const CINTIQ: &[u8] = include_bytes!("../../../data/cintiq-pro-16-0350.bin");
const DTH134: &[u8] = include_bytes!("../../../data/dth134-03ec.bin");
const LIFEBOOK: &[u8] = include_bytes!("../../../data/lifebook-t936-0157.bin");
const HUION: &[u8] = include_bytes!("../../../data/huion-h640p.bin");

/// Report 6 of the Wacom One: in range, tip, x 0x1234, y 0x0567, pressure 0x0ABC, tilt -20 and 15 degrees.
fn wacom_one_report() -> Vec<u8> {
    let mut report = vec![0x06, 0b0010_0001, 0x34, 0x12, 0, 0x67, 0x05, 0, 0xBC, 0x0A];
    report.extend([0xEC, 15]);
    report.extend([0; 15]);
    report
}

#[test]
fn a_wacom_one_is_read_by_its_usages() {
    let pens = Pens::find(WACOM_ONE).unwrap();
    let state = pens.decode(&wacom_one_report()).unwrap().unwrap();
    assert_eq!((state.x, state.y, state.pressure), (0x1234, 0x0567, 0x0ABC));
    assert_eq!(state.tilt, Some((-2000, 1500)));
    assert!(state.tip && state.in_range && !state.eraser && !state.barrel);
    assert_eq!(state.scan_time, None);
}

#[test]
fn the_other_end_and_the_barrel_are_told_apart() {
    let pens = Pens::find(WACOM_ONE).unwrap();
    let with = |switches: u8| {
        let mut report = wacom_one_report();
        report[1] = switches;
        pens.decode(&report).unwrap().unwrap()
    };
    let eraser = with(0b0011_1000);
    assert!(eraser.tip && eraser.eraser);
    let turned = with(0b0011_0000);
    assert!(!turned.tip && turned.eraser);
    assert!(with(0b0010_0010).barrel);
    assert!(!with(0).in_range);
}

#[test]
fn both_reports_of_a_pen_display_are_pens_with_their_own_units() {
    let pens = Pens::find(CINTIQ).unwrap();
    let told: Vec<_> = pens
        .pens()
        .iter()
        .map(|pen| (pen.report, pen.ranges(), pen.max_pressure()))
        .collect();
    assert_eq!(
        told,
        [
            (0x06, ((0, 34_560), (0, 19_440)), 2047),
            (0x10, ((0, 69_920), (0, 39_680)), 8191),
        ]
    );
    // 345.6 millimetres of 100 units each, and of 200.
    let per_mm: Vec<f64> = pens
        .pens()
        .iter()
        .filter_map(|pen| pen.units_per_mm().map(|(x, _)| x))
        .collect();
    assert!(
        (per_mm[0] - 100.0).abs() < 0.01 && (per_mm[1] - 200.0).abs() < 0.01,
        "{per_mm:?}"
    );
}

#[test]
fn the_makers_own_report_is_read_by_the_same_usages() {
    let pens = Pens::find(CINTIQ).unwrap();
    // Report 10: no range but sensed, x 0x012345, y 0x00ABCD, pressure 0x1FFF.
    let mut report = vec![
        0x10,
        0b0100_0000,
        0x45,
        0x23,
        0x01,
        0xCD,
        0xAB,
        0x00,
        0xFF,
        0x1F,
    ];
    report.extend([0; 20]);
    let state = pens.decode(&report).unwrap().unwrap();
    assert_eq!(
        (state.x, state.y, state.pressure),
        (0x1_2345, 0xABCD, 0x1FFF)
    );
    assert!(state.in_range && !state.tip);
}

#[test]
fn units_in_inches_and_a_missing_unit_are_understood() {
    // The Huion says 6.299 inches for 32000.
    let huion = Pens::find(HUION).unwrap();
    let (x, y) = huion.pens()[0].units_per_mm().unwrap();
    assert!(
        (x - 200.0).abs() < 0.1 && (y - 200.0).abs() < 0.1,
        "{x} {y}"
    );
    let lifebook = Pens::find(LIFEBOOK).unwrap();
    assert_eq!(lifebook.pens().len(), 1, "the mouse beside it is no pen");
    assert_eq!(lifebook.pens()[0].ranges(), ((0, 0x72C0), (0, 0x408C)));
}

#[test]
fn a_device_clock_is_found_where_there_is_one() {
    let told: Vec<bool> = [WACOM_ONE, DTH134]
        .into_iter()
        .map(|bytes| Pens::find(bytes).unwrap().pens()[0].has_clock())
        .collect();
    assert_eq!(told, [false, true]);
}

#[test]
fn what_is_no_pen_is_refused_and_foreign_reports_are_left_alone() {
    assert_eq!(Pens::find(&[]), Err(PenError::NoPen));
    // A mouse.
    let mouse = [
        0x05, 1, 0x09, 2, 0xA1, 1, 0x09, 0x30, 0x09, 0x31, 0x75, 8, 0x95, 2, 0x81, 6, 0xC0,
    ];
    assert_eq!(Pens::find(&mouse), Err(PenError::NoPen));
    let pens = Pens::find(WACOM_ONE).unwrap();
    assert_eq!(pens.decode(&[0xFE, 1, 2]), Ok(None));
    assert_eq!(pens.decode(&[]), Ok(None));
}

#[test]
fn every_truncation_of_a_report_is_said_to_be_short() {
    let pens = Pens::find(WACOM_ONE).unwrap();
    let report = wacom_one_report();
    for length in 1..12 {
        assert_eq!(
            pens.decode(&report[..length]),
            Err(ShortReport { report: 6 })
        );
    }
    assert!(pens.decode(&report[..12]).unwrap().is_some());
}

#[test]
fn a_state_shows_no_position() {
    let state = Pens::find(WACOM_ONE)
        .unwrap()
        .decode(&wacom_one_report())
        .unwrap();
    assert_eq!(format!("{:?}", state.unwrap()), "PenState(report 0x06)");
}

proptest! {
    #[test]
    fn no_report_panics(report in proptest::collection::vec(any::<u8>(), 0..40)) {
        for bytes in [WACOM_ONE, CINTIQ, DTH134, LIFEBOOK, HUION] {
            let _state = Pens::find(bytes).unwrap().decode(&report);
        }
    }
}
