//! A made-up signature for tests: three strokes, hovering between them, a gap, a pen that leaves.

use crate::{Axis, CapturedBy, ClockSource, Digitizer, Ink, Sample};

/// A pen display of the size that cities name.
pub(crate) fn digitizer() -> Digitizer {
    Digitizer {
        manufacturer: "Example & Söhne".to_owned(),
        model: "ペン <16>".to_owned(),
        serial: "6AA00\"123".to_owned(),
        firmware: "1.04".to_owned(),
        x: Axis {
            min: 0,
            max: 34_419,
            units_per_metre: Some(100_000),
        },
        y: Axis {
            min: 0,
            max: 19_461,
            units_per_metre: Some(100_000),
        },
        pressure_max: Some(8_191),
        tilt: true,
        nominal_rate_mhz: Some(200_000),
        measured_rate_mhz: Some(197_531),
        clock: ClockSource::Device,
    }
}

/// Three strokes at 200 Hz.
pub(crate) fn written() -> Vec<Sample> {
    let mut samples = Vec::new();
    for stroke in 0..3_i32 {
        for step in 0..40_i32 {
            let tip = step < 30;
            let in_range = step < 38;
            let number = u64::try_from(stroke * 40 + step).unwrap();
            samples.push(Sample {
                t_us: number * 5_013 + 7,
                x: 12_000 + stroke * 1_500 + step * 37,
                y: 9_000 + (step - 15) * (step - 15) * (3 + stroke),
                pressure: if tip {
                    u16::try_from(1_000 + step * 200).unwrap()
                } else {
                    0
                },
                tilt_x: i16::try_from(-3_000 + step * 25).unwrap(),
                tilt_y: 1_205,
                tip,
                in_range,
                lost_before: if stroke == 1 && step == 3 { 2 } else { 0 },
            });
        }
    }
    samples
}

/// All of it as ink.
pub(crate) fn ink() -> Ink {
    Ink::new(
        digitizer(),
        CapturedBy::Device,
        1_795_240_800_123,
        written(),
    )
    .unwrap()
}

/// Ink of a page, with as little known as can be.
pub(crate) fn bare_ink() -> Ink {
    let mut digitizer = digitizer();
    digitizer.manufacturer.clear();
    digitizer.serial.clear();
    digitizer.firmware.clear();
    digitizer.x.units_per_metre = None;
    digitizer.y.units_per_metre = None;
    digitizer.pressure_max = None;
    digitizer.tilt = false;
    digitizer.nominal_rate_mhz = None;
    digitizer.measured_rate_mhz = None;
    digitizer.clock = ClockSource::Page;
    let samples = written()
        .into_iter()
        .map(|sample| Sample {
            pressure: 0,
            tilt_x: 0,
            tilt_y: 0,
            ..sample
        })
        .collect();
    let page = CapturedBy::Page {
        origin: "https://counter.example.jp".to_owned(),
    };
    Ink::new(digitizer, page, 0, samples).unwrap()
}
