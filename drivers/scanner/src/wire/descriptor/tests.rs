//! Places agree with what an independent parser finds, and no descriptor does harm.

use hidreport::{Field, Report, ReportDescriptor};
use proptest::prelude::*;

use super::*;

/// The layout of a counted report, as public drivers describe Honeywell's: number of bytes, three
/// identifiers, 56 bytes, vendor's symbology, continuation.
pub(crate) const COUNTED: &[u8] = &[
    0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0x09, 0x12, 0xA1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xFF,
    0x00, 0x75, 0x08, 0x95, 0x01, 0x05, 0x01, 0x09, 0x3B, 0x81, 0x02, 0x95, 0x03, 0x05, 0x8C, 0x09,
    0xFB, 0x09, 0xFC, 0x09, 0xFD, 0x81, 0x02, 0x95, 0x38, 0x09, 0xFE, 0x82, 0x02, 0x01, 0x06, 0x66,
    0xFF, 0x95, 0x02, 0x09, 0x04, 0x09, 0x00, 0x81, 0x02, 0x05, 0x8C, 0x25, 0x01, 0x75, 0x01, 0x95,
    0x01, 0x09, 0xFF, 0x81, 0x02, 0x75, 0x07, 0x81, 0x03, 0xC0, 0x85, 0xFE, 0x06, 0x66, 0xFF, 0x09,
    0x01, 0x75, 0x08, 0x95, 0x01, 0xB1, 0x02, 0xC0,
];

fn all_places(oracle: &ReportDescriptor) -> Vec<(Usage, Place)> {
    let mut places = Vec::new();
    for report in oracle.input_reports() {
        let id = report.report_id().map(|id| u8::from(&id));
        for field in report.fields() {
            if let Field::Variable(field) = field {
                let place = Place {
                    report: id,
                    bit: field.bits.start,
                    size: field.bits.len(),
                    count: 1,
                };
                places.push((Usage(u32::from(&field.usage)), place));
            }
        }
    }
    places
}

#[test]
fn each_field_stands_where_an_independent_parser_finds_it() {
    let ours = Descriptor::read(COUNTED).unwrap();
    let places = all_places(&ReportDescriptor::try_from(COUNTED).unwrap());
    assert!(places.len() > 60);
    for (index, (usage, place)) in places.iter().enumerate() {
        if places[..index].iter().any(|(earlier, _)| earlier == usage) {
            continue;
        }
        let found = ours.find(*usage).unwrap();
        assert_eq!(Place { count: 1, ..found }, *place, "{usage:?}");
        let repeated = places.iter().filter(|(other, _)| other == usage).count();
        assert_eq!(found.count, repeated);
    }
    assert!(ours.is_a(Usage::of(0x8C, 2)));
    assert!(ours.has_feature(0xFE));
    assert_eq!(ours.find_vendor(Some(2), 8).unwrap().bit, 61 * 8);
}

#[test]
fn usages_have_the_numbers_of_the_published_tables() {
    use hut::AsUsage;
    for (usage, name) in [
        (
            Usage::of(0x8C, 0x02),
            hut::BarcodeScanner::BarcodeScanner.usage_value(),
        ),
        (
            Usage::of(0x8C, 0xFB),
            hut::BarcodeScanner::SymbologyIdentifier1.usage_value(),
        ),
        (
            Usage::of(0x8C, 0xFE),
            hut::BarcodeScanner::DecodedData.usage_value(),
        ),
        (
            Usage::of(0x8C, 0xFF),
            hut::BarcodeScanner::DecodeDataContinued.usage_value(),
        ),
        (
            Usage::of(0x01, 0x3B),
            hut::GenericDesktop::ByteCount.usage_value(),
        ),
    ] {
        assert_eq!(usage.0, name);
    }
}

#[test]
fn values_are_read_across_bytes() {
    let place = Place {
        report: None,
        bit: 4,
        size: 12,
        count: 2,
    };
    let report = [0x10, 0x32, 0x54, 0x76];
    assert_eq!(place.value(&report, 0), Some(0x321));
    assert_eq!(place.value(&report, 1), Some(0x654));
    assert_eq!(place.value(&report, 2), None);
    assert_eq!(place.value(&report[..3], 1), None);
}

#[test]
fn what_is_cut_off_or_beyond_all_measure_is_refused() {
    let mut whole = 0;
    for length in 0..COUNTED.len() {
        match Descriptor::read(&COUNTED[..length]) {
            Ok(_) => whole += 1,
            Err(error) => assert!(matches!(error, DescriptorError::CutOff { .. })),
        }
    }
    assert!(whole > 0);
    assert_eq!(Descriptor::read(&[0; 5000]), Err(DescriptorError::TooLong));
    // 2^31 fields of 2^31 bits.
    let huge = [0x77, 0, 0, 0, 0x80, 0x97, 0, 0, 0, 0x80, 0x81, 0x02];
    assert_eq!(
        Descriptor::read(&huge),
        Err(DescriptorError::TooLarge { at: 10 })
    );
    // The public parser ends the process over this one: a usage before any page.
    assert!(Descriptor::read(&[0x09, 0x01, 0xA1, 0x01]).is_ok());
    // Reports that add up beyond the limit.
    let mut adding = vec![0x75, 0x08, 0x96, 0xFF, 0x3F];
    adding.extend_from_slice(&[0x81, 0x02, 0x81, 0x02]);
    assert!(matches!(
        Descriptor::read(&adding),
        Err(DescriptorError::TooLarge { .. })
    ));
    assert!(matches!(
        Descriptor::read(&[0xA4; 40]),
        Err(DescriptorError::TooLarge { .. })
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(descriptor) = Descriptor::read(&bytes) {
            for id in 0..=0xFF {
                let _ = descriptor.find(Usage::of(0x8C, id)).map(|place| place.value(&bytes, 0));
            }
        }
    }

    #[test]
    fn rows_of_usages_agree_with_the_independent_parser(
        items in proptest::collection::vec((0u8..3, 1u8..9, 1u8..6, 1u8..5), 1..6),
    ) {
        let mut bytes = vec![0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0x15, 0x00, 0x26, 0xFF, 0x00];
        for (id, size, count, usages) in &items {
            bytes.extend([0x85, id + 1, 0x75, *size, 0x95, *count]);
            for usage in 0..*usages {
                bytes.extend([0x09, 0x10 + 0x10 * id + usage]);
            }
            bytes.extend([0x81, 0x02]);
        }
        bytes.push(0xC0);
        let ours = Descriptor::read(&bytes).unwrap();
        let mut seen = Vec::new();
        for (usage, place) in all_places(&ReportDescriptor::try_from(&bytes[..]).unwrap()) {
            if !seen.contains(&usage) {
                seen.push(usage);
                let found = ours.find(usage).unwrap();
                prop_assert_eq!(Place { count: 1, ..found }, place);
            }
        }
    }
}
