//! The same messages are read and refused as an independent library does, each difference stated.

use proptest::prelude::*;

use super::*;

fn element(ai: &str, value: &str) -> Element {
    Element {
        ai: ai.to_owned(),
        value: Zeroizing::new(value.to_owned()),
    }
}

/// `tests/data/gs1.tsv`, made by `tests/data/gs1.py` with biip 5.2.0: content in hexadecimal, and what
/// biip reads in it, or `-`.
#[test]
fn messages_are_read_as_by_an_independent_library() {
    let mut read = 0;
    let mut refused = 0;
    let mut differences = Vec::new();
    for line in include_str!("../../../tests/data/gs1.tsv").lines() {
        let (content, expected) = line.split_once('\t').unwrap();
        let content = hex::decode(content).unwrap();
        let ours = parse(&content).map(|message| {
            let elements = message.elements.iter();
            elements
                .map(|element| format!("({}){}", element.ai, element.value.as_str()))
                .collect::<String>()
        });
        if expected == "-" {
            refused += 1;
        } else {
            read += 1;
        }
        if ours.as_deref().unwrap_or("-") != expected {
            differences.push((content.escape_ascii().to_string(), ours, expected));
        }
    }
    assert_eq!(differences, []);
    assert!(read > 500 && refused > 300, "{read} {refused}");
}

#[test]
fn a_separator_may_follow_any_value() {
    let expected = [
        element("01", "04912345123459"),
        element("10", "AB"),
        element("17", "271130"),
    ];
    for content in [
        &b"0104912345123459\x1d10AB\x1d17271130"[..],
        b"010491234512345910AB\x1d17271130",
        b"\x1d010491234512345910AB\x1d17271130\x1d",
    ] {
        assert_eq!(parse(content).unwrap().elements, expected);
    }
}

#[test]
fn what_is_wrong_is_named() {
    let ai = |ai: &str| ai.to_owned();
    for (content, error) in [
        (&b""[..], Gs1Error::Empty),
        (b"\x1d\x1d", Gs1Error::Empty),
        (b"0", Gs1Error::UnknownAi { at: 0 }),
        (b"10A\x1d05", Gs1Error::UnknownAi { at: 4 }),
        (b"0104912345123458", Gs1Error::CheckDigit { ai: ai("01") }),
        (b"01049123451234", Gs1Error::Form { ai: ai("01") }),
        (b"10", Gs1Error::Form { ai: ai("10") }),
        (b"10ABCDEFGHIJKLMNOPQRSTU", Gs1Error::Form { ai: ai("10") }),
        (b"10A\xE3\x81\x82", Gs1Error::Form { ai: ai("10") }),
        (b"17271330", Gs1Error::Date { ai: ai("17") }),
        (b"17270230", Gs1Error::Date { ai: ai("17") }),
    ] {
        assert_eq!(parse(content), Err(error));
    }
}

#[test]
fn dates_have_the_nearest_century_and_decimals_their_point() {
    for (value, this_year, date) in [
        ("271100", 2026, (2027, 11, None)),
        ("761231", 2026, (2076, 12, Some(31))),
        ("770101", 2026, (1977, 1, Some(1))),
        ("000229", 1999, (2000, 2, Some(29))),
    ] {
        let found = element("17", value).date(this_year).unwrap();
        assert_eq!((found.year, found.month, found.day), date);
    }
    assert_eq!(element("10", "271100").date(2026), None);
    assert_eq!(element("3103", "000500").decimals(), Some(3));
    assert_eq!(element("3922", "1250").decimals(), Some(2));
    assert_eq!(element("8111", "0001").decimals(), None);
}

#[test]
fn no_identifier_is_the_beginning_of_another() {
    for row in ROWS {
        for ai in [row.first, row.last] {
            let text = format!("{ai:0width$}", width = row.digits);
            assert_eq!(find(text.as_bytes()).unwrap().digits, row.digits, "{text}");
        }
    }
}

#[test]
fn every_truncation_is_read_or_refused() {
    let whole = b"0104912345123459310300050010AB\x1d7230XY12\x1d800826112112";
    assert!(parse(whole).is_ok());
    for length in 0..whole.len() {
        assert_ne!(parse(&whole[..length]), parse(whole));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(content in proptest::collection::vec(prop_oneof![b'0'..=b'9', Just(SEPARATOR), any::<u8>()], 0..60)) {
        if let Ok(message) = parse(&content) {
            prop_assert!(message.elements.len() <= content.len());
        }
    }
}
