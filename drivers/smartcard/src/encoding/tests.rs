//! Encoding, held against the tables of ISO/IEC 7816-4 written out by hand.

use device_api::Secret;
use proptest::prelude::*;

use super::*;

const SHORT_ONLY: CardLengths = CardLengths { extended: false };
const EXTENDED: CardLengths = CardLengths { extended: true };

fn check(command: &Command, card: CardLengths, expected: &[&[u8]]) {
    let encoded: Vec<Vec<u8>> = exchanges(command, card)
        .iter()
        .map(|exchange| exchange.encode().to_vec())
        .collect();
    assert_eq!(encoded, expected, "{command:?}");
}

fn command() -> Command {
    Command::new(0x00, 0xB0, 0x81, 0x02)
}

#[test]
fn the_four_short_cases_are_encoded_as_the_standard_has_them() {
    check(&command(), SHORT_ONLY, &[&[0x00, 0xB0, 0x81, 0x02]]);
    check(
        &command().expecting(16),
        SHORT_ONLY,
        &[&[0x00, 0xB0, 0x81, 0x02, 0x10]],
    );
    check(
        &command().expecting(256),
        SHORT_ONLY,
        &[&[0x00, 0xB0, 0x81, 0x02, 0x00]],
    );
    check(
        &command().with_data([7, 8]),
        SHORT_ONLY,
        &[&[0x00, 0xB0, 0x81, 0x02, 2, 7, 8]],
    );
    check(
        &command().with_data([7, 8]).expecting(1),
        SHORT_ONLY,
        &[&[0x00, 0xB0, 0x81, 0x02, 2, 7, 8, 1]],
    );
}

#[test]
fn an_answer_longer_than_256_bytes_makes_the_command_extended_where_the_card_takes_it() {
    check(
        &command().expecting(257),
        EXTENDED,
        &[&[0x00, 0xB0, 0x81, 0x02, 0, 1, 1]],
    );
    check(
        &command().expecting(65_536),
        EXTENDED,
        &[&[0x00, 0xB0, 0x81, 0x02, 0, 0, 0]],
    );
    check(
        &command().expecting(257),
        SHORT_ONLY,
        &[&[0x00, 0xB0, 0x81, 0x02, 0x00]],
    );
}

#[test]
fn long_data_go_out_whole_where_the_card_takes_them_and_chained_where_not() {
    let data: Vec<u8> = (0..=255).collect();
    let long = command().with_data(data.clone()).expecting(8);
    let whole = [&[0x00, 0xB0, 0x81, 0x02, 0, 1, 0][..], &data, &[0, 8]].concat();
    check(&long, EXTENDED, &[&whole]);
    let first = [&[0x10, 0xB0, 0x81, 0x02, 255][..], &data[..255]].concat();
    check(
        &long,
        SHORT_ONLY,
        &[&first, &[0x00, 0xB0, 0x81, 0x02, 1, 255, 8]],
    );
}

#[test]
fn every_link_of_a_chained_secret_is_secret() {
    let secret = command().with_secret(Secret::new(vec![b'9'; 600]));
    let links = exchanges(&secret, SHORT_ONLY);
    assert_eq!(links.len(), 3);
    assert!(
        links
            .iter()
            .all(|link| link.data_sensitivity == Sensitivity::Personal)
    );
}

#[test]
fn only_a_card_that_announces_extended_length_is_sent_it() {
    // The rows of real My Number cards, as collected by the pcsc-tools project.
    let check = |hex: &str, extended: bool| {
        let atr: Vec<u8> = hex
            .split(' ')
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect();
        assert_eq!(CardLengths::from_atr(&atr).extended, extended, "{hex}");
    };
    check(
        "3B DA 13 FF 81 31 FB 46 80 12 39 2F 31 C1 73 C6 01 C0 3B",
        true,
    );
    check("3B E0 00 FF 81 31 FE 45 14", false);
    check("3B C5 FF 81 31 FB 45 80 73 C6 01 00 00", false);
    check("3B 88 80 01 00 00 05 E0 B3 81 A1 00 7F", false);
    check("3B F5 91 00 FF 91 81 71 FE 40 00 42 00 01 B3 A1 15", false);
}

#[test]
fn a_cut_answer_to_reset_announces_nothing() {
    let atr = [
        0x3B, 0xDA, 0x13, 0xFF, 0x81, 0x31, 0xFB, 0x46, 0x80, 0x12, 0x39, 0x2F, 0x31, 0xC1, 0x73,
        0xC6, 0x01, 0xC0, 0x3B,
    ];
    for length in 0..atr.len() - 1 {
        assert!(
            !CardLengths::from_atr(&atr[..length]).extended,
            "{length} bytes"
        );
    }
}

/// An independent reading of an encoded command: data and the number of bytes expected.
fn read_back(bytes: &[u8]) -> Option<(Vec<u8>, Option<usize>)> {
    let le = |count: u16| {
        if count == 0 {
            65_536
        } else {
            usize::from(count)
        }
    };
    let short_le = |count: u8| if count == 0 { 256 } else { usize::from(count) };
    match bytes.get(4..)? {
        [] => Some((vec![], None)),
        [count] => Some((vec![], Some(short_le(*count)))),
        [0, high, low] => Some((vec![], Some(le(u16::from_be_bytes([*high, *low]))))),
        [0, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let (data, tail) = rest.split_at_checked(length)?;
            match tail {
                [] => Some((data.to_vec(), None)),
                [high, low] => Some((data.to_vec(), Some(le(u16::from_be_bytes([*high, *low]))))),
                _ => None,
            }
        }
        [length, rest @ ..] => {
            let (data, tail) = rest.split_at_checked(usize::from(*length))?;
            match tail {
                [] => Some((data.to_vec(), None)),
                [count] => Some((data.to_vec(), Some(short_le(*count)))),
                _ => None,
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_encoded_can_be_read_back(
        data in proptest::collection::vec(any::<u8>(), 0..1000),
        expected in proptest::option::of(1_usize..=65_536),
        extended: bool,
    ) {
        let mut command = Command::new(0x00, 0xD6, 0x01, 0x02).with_data(data.clone());
        if let Some(expected) = expected {
            command = command.expecting(expected);
        }
        let mut joined = Vec::new();
        let mut last_expected = None;
        let links = exchanges(&command, CardLengths { extended });
        for (index, link) in links.iter().enumerate() {
            let bytes = link.encode();
            let chained = index + 1 < links.len();
            prop_assert_eq!(bytes[0], if chained { 0x10 } else { 0x00 });
            let (part, expected) = read_back(&bytes).unwrap();
            joined.extend(part);
            last_expected = expected;
        }
        prop_assert_eq!(joined, data);
        let most = if links.last().unwrap().extended { 65_536 } else { 256 };
        prop_assert_eq!(last_expected, expected.map(|count| count.min(most)));
    }

    #[test]
    fn any_answer_to_reset_is_read_without_panic(atr in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _lengths = CardLengths::from_atr(&atr);
    }
}
