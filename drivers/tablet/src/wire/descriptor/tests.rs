//! Real descriptors against a second parser, hostile ones against the limits.

use hidreport::{Field as TheirField, Report as _, ReportDescriptor};
use proptest::prelude::*;

use super::*;

const REAL: [(&str, &[u8]); 5] = [
    (
        "wacom one",
        include_bytes!("../../../data/wacom-one-03a6.bin"),
    ),
    (
        "cintiq pro",
        include_bytes!("../../../data/cintiq-pro-16-0350.bin"),
    ),
    ("dth134", include_bytes!("../../../data/dth134-03ec.bin")),
    (
        "lifebook",
        include_bytes!("../../../data/lifebook-t936-0157.bin"),
    ),
    ("huion", include_bytes!("../../../data/huion-h640p.bin")),
];

/// What both parsers say of a field: report, bits, usage, ranges.
type Told = (u8, u32, u32, u16, u16, i32, i32);

fn theirs(bytes: &[u8]) -> Vec<Told> {
    let parsed = ReportDescriptor::try_from(bytes).unwrap();
    let mut all = Vec::new();
    for report in parsed.input_reports() {
        let id = report.report_id().map_or(0, u8::from);
        for field in report.fields() {
            if let TheirField::Variable(field) = field {
                let start = u32::try_from(field.bits.start).unwrap();
                let size = u32::try_from(field.bits.len()).unwrap();
                let (page, usage) = (
                    u16::from(field.usage.usage_page),
                    u16::from(field.usage.usage_id),
                );
                let low = i32::from(field.logical_minimum);
                let high = i32::from(field.logical_maximum);
                all.push((id, start, size, page, usage, low, high));
            }
        }
    }
    all.sort_unstable();
    all
}

fn ours(bytes: &[u8]) -> Vec<Told> {
    let parsed = Descriptor::parse(bytes).unwrap();
    let mut all: Vec<Told> = parsed
        .fields()
        .iter()
        .map(|field| {
            (
                field.report,
                field.bit,
                u32::from(field.size),
                field.usage.page,
                field.usage.id,
                field.logical.0,
                field.logical.1,
            )
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn real_descriptors_are_read_as_another_parser_reads_them() {
    for (name, bytes) in REAL {
        let ours = ours(bytes);
        assert!(ours.len() > 5, "{name}");
        assert_eq!(ours, theirs(bytes), "{name}");
    }
}

#[test]
fn lengths_count_the_id_and_the_padding() {
    let one = Descriptor::parse(REAL[0].1).unwrap();
    // Report 6: switches, 3 + 3 bytes of position, pressure, 2 of tilt, 16 + 16, distance, 64, 16.
    assert_eq!(
        one.length(Kind::Input, 6),
        Some(1 + 1 + 6 + 2 + 2 + 4 + 1 + 8 + 2)
    );
    assert_eq!(one.length(Kind::Feature, 2), Some(2));
    assert_eq!(one.length(Kind::Input, 99), None);
}

#[test]
fn every_truncation_is_read_or_refused() {
    for (_, bytes) in REAL {
        for length in 0..bytes.len() {
            drop(Descriptor::parse(&bytes[..length]));
        }
    }
    assert_eq!(
        Descriptor::parse(&[0x05]),
        Err(DescriptorError::Truncated { offset: 0 })
    );
}

#[test]
fn what_no_device_has_is_refused() {
    let excess = |bytes: &[u8]| {
        matches!(
            Descriptor::parse(bytes),
            Err(DescriptorError::Excess { .. })
        )
    };
    // A count of four thousand million bits, a report of 2^30 bytes, and nesting without end.
    assert!(excess(&[
        0x97, 0xFF, 0xFF, 0xFF, 0xFF, 0x75, 1, 0x09, 1, 0x81, 2
    ]));
    assert!(excess(&[0x97, 0, 0, 0, 0x40, 0x75, 8, 0x09, 1, 0x81, 2]));
    assert!(excess(&[0xA1, 1].repeat(100)));
    assert!(excess(&[0xA4].repeat(100)));
    assert!(excess(&[0x09, 1].repeat(1000)));
    assert_eq!(Descriptor::parse(&[0; 5000]), Err(DescriptorError::TooLong));
    for unbalanced in [[0xC0], [0xB4]] {
        assert_eq!(
            Descriptor::parse(&unbalanced),
            Err(DescriptorError::Unbalanced { offset: 0 })
        );
    }
}

#[test]
fn items_that_end_the_other_parser_are_survived() {
    // A usage before any page, a page without data, a range of 65536 usages.
    let strange: [&[u8]; 3] = [
        &[0x09, 0x30, 0x75, 8, 0x95, 1, 0x81, 2],
        &[0x04, 0x09, 0x30, 0x75, 8, 0x95, 1, 0x81, 2],
        &[
            0x05, 1, 0x19, 0, 0x2A, 0xFF, 0xFF, 0x75, 1, 0x95, 8, 0x81, 2,
        ],
    ];
    for bytes in strange {
        assert!(!Descriptor::parse(bytes).unwrap().fields().is_empty());
    }
}

#[test]
fn values_are_taken_across_bytes_and_with_their_sign() {
    let mut field = Descriptor::parse(&[
        0x05, 1, 0x09, 0x30, 0x15, 0x80, 0x25, 0x7F, 0x75, 12, 0x95, 1, 0x81, 2,
    ])
    .unwrap()
    .fields()[0];
    field.bit = 4;
    assert_eq!(field.value(&[0xF0, 0xFF]), Some(-1));
    assert_eq!(field.value(&[0x50, 0x12]), Some(0x125));
    assert_eq!(field.value(&[0x50]), None);
}

proptest! {
    #[test]
    fn no_descriptor_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        drop(Descriptor::parse(&bytes));
    }

    #[test]
    fn no_damaged_descriptor_panics(
        which in 0_usize..REAL.len(),
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8),
        report in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = REAL[which].1.to_vec();
        for (at, value) in damage {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if let Ok(parsed) = Descriptor::parse(&bytes) {
            for field in parsed.fields() {
                let _value = field.value(&report);
            }
        }
    }

    #[test]
    fn values_are_those_that_another_parser_takes(
        which in 0_usize..REAL.len(),
        mut report in proptest::collection::vec(any::<u8>(), 1024),
    ) {
        let parsed = Descriptor::parse(REAL[which].1).unwrap();
        let theirs = ReportDescriptor::try_from(REAL[which].1).unwrap();
        for other in theirs.input_reports() {
            let id = other.report_id().map_or(0, u8::from);
            report[0] = id;
            for field in other.fields() {
                let TheirField::Variable(field) = field else { continue };
                let value = field.extract(&report).unwrap();
                let wide = if value.is_signed() {
                    i64::from(i32::from(&value))
                } else {
                    i64::from(u32::from(&value))
                };
                let mine = parsed
                    .fields()
                    .iter()
                    .find(|mine| mine.report == id && usize::try_from(mine.bit).unwrap() == field.bits.start)
                    .unwrap();
                prop_assert_eq!(mine.value(&report).map(i64::from), i32::try_from(wide).ok().map(i64::from));
            }
        }
    }
}
