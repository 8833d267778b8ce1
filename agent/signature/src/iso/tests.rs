//! Records are read as they were written, and records of others too.

use proptest::prelude::*;

use super::{Channel, ExportError, IsoError, read, scale, scaling, write};
use crate::ink::{CapturedBy, Ink};
use crate::sample_ink::{bare_ink, digitizer, ink, written};

#[test]
fn points_are_those_of_the_ink() {
    let ink = ink();
    let record = read(&write(&ink).unwrap()).unwrap();
    let channels: Vec<Channel> = record.channels.iter().map(|one| one.channel).collect();
    use Channel::{F, S, T, Tx, Ty, X, Y};
    assert_eq!(channels, [X, Y, T, F, S, Tx, Ty]);
    assert_eq!(record.points.len(), ink.samples().len());
    for (point, sample) in record.points.iter().zip(ink.samples()) {
        let expected = [
            sample.x - 17_209,
            9_730 - sample.y,
            i32::try_from((sample.t_us + 500) / 1_000).unwrap(),
            i32::from(sample.pressure),
            i32::from(sample.tip),
            i32::from(sample.tilt_x),
            -i32::from(sample.tilt_y),
        ];
        assert_eq!(point[..], expected);
    }
    let x = record.channels[0];
    assert_eq!((x.min, x.max), (Some(-17_210), Some(17_210)));
    assert!((scaling(x.scale.unwrap()) - 100.0).abs() < 1e-9);
}

#[test]
fn a_scaling_value_is_the_one_that_others_compute() {
    // 100 = 1.5625 * 2^6: exponent 6 + 16, fraction 0.5625 * 2048. A public reader of such
    // records names EB 89 as one of a real device: 13 + 16, fraction 905.
    assert_eq!(scale(100.0), Ok(22 << 11 | 1_152));
    assert_eq!(scale(1.0), Ok(0x8000));
    assert!((scaling(0xEB89) - 11_812.0).abs() < 1e-9);
    assert_eq!(scale(0.0), Err(ExportError::Resolution));
    assert_eq!(scale(1e9), Err(ExportError::Resolution));
}

#[test]
fn a_record_written_by_hand_is_read() {
    let mut bytes = b"SDI\0 10\0".to_vec();
    bytes.extend([0xC1, 0x20]); // X, Y, T, S
    bytes.extend([0x80, 0xB2, 0x40]); // X: scaling value
    bytes.extend([0xE0, 0xB2, 0x40, 0x00, 0x00, 0xFF, 0xFF]); // Y: scaling value, lowest, highest
    bytes.extend([0x80, 0xCF, 0xA0]); // T
    bytes.extend([0x00]); // S
    bytes.extend([0, 0, 0, 0, 2]);
    bytes.extend([0x80, 0x01, 0x7F, 0xFF, 0x00, 0x05, 0x00, 0x01]);
    bytes.extend([0x00, 0x00, 0xFF, 0xFF, 0x00, 0x0A, 0x00, 0x00]);
    let record = read(&bytes).unwrap();
    assert_eq!(record.points, [[1, -1, 5, 1], [-32_768, 32_767, 10, 0]]);
    for length in 0..bytes.len() {
        let error = read(&bytes[..length]).unwrap_err();
        assert!(matches!(error, IsoError::Short(_)), "{length}");
    }
    bytes.push(0);
    assert_eq!(read(&bytes).unwrap_err(), IsoError::Trailing(1));
}

#[test]
fn what_is_not_understood_is_refused() {
    let good = write(&bare_ink()).unwrap();
    let change = |at: usize, to: u8| {
        let mut bytes = good.to_vec();
        bytes[at] = to;
        read(&bytes).unwrap_err()
    };
    assert_eq!(change(5, b'2'), IsoError::Magic);
    assert_eq!(change(8, 0x41), IsoError::Channels);
    assert_eq!(change(10, 0xE4), IsoError::Attribute(Channel::X));
    let head = 8 + 2 + 7 + 7 + 3 + 1;
    assert_eq!(change(head, 1), IsoError::Reserved);
    assert_eq!(change(head + 1, 1), IsoError::Reserved);
    assert!(matches!(change(head + 2, 0xFF), IsoError::TooMany(_)));
    let tip = head + 5 + 6;
    let (channel, point) = (Channel::S, 0);
    assert_eq!(change(tip, 2), IsoError::OutOfRange { channel, point });
}

#[test]
fn a_long_capture_is_told_by_differences_and_a_long_rest_not_at_all() {
    let late = |from: usize, by: u64| {
        let mut samples = written();
        for sample in &mut samples[from..] {
            sample.t_us += by;
        }
        Ink::new(digitizer(), CapturedBy::Device, 0, samples).unwrap()
    };
    let record = read(&write(&late(50, 65_100_000)).unwrap()).unwrap();
    assert_eq!(record.channels[2].channel, Channel::Dt);
    let total: i32 = record.points.iter().map(|point| point[2]).sum();
    assert_eq!(total, (7 + 119 * 5_013 + 65_100_000 + 500) / 1_000);
    assert_eq!(write(&late(50, 66_000_000)).unwrap_err(), ExportError::Gap);
}

#[test]
fn a_fine_digitizer_is_made_coarser_and_says_so() {
    let mut fine = digitizer();
    fine.x.max = 344_190;
    let ink = Ink::new(fine, CapturedBy::Device, 0, written()).unwrap();
    let record = read(&write(&ink).unwrap()).unwrap();
    let x = record.channels[0];
    assert_eq!(x.max, Some(172_095 / 6));
    assert!((scaling(x.scale.unwrap()) - 100.0 / 6.0).abs() < 0.01);
}

proptest! {
    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut framed = b"SDI\0 10\0".to_vec();
        framed.extend(&bytes);
        drop(read(&bytes));
        drop(read(&framed));
    }
}
