//! How many commands a read needs, and which. The table of `docs/devices/my-number-card.md` is held here.

use idcards::my_number::{SecretKind, TextAp, Verdict, identify};

use crate::card::{TestCard, challenge, synthetic_anchors};

const OPEN: [&str; 4] = ["00 A4 04 0C", "00 B2 01 0C", "00 A4 04 0C", "00 20 00 91"];
const OPEN_BY_B: [&str; 4] = ["00 A4 04 0C", "00 B2 01 0C", "00 A4 04 0C", "00 20 00 95"];
const PROVE_SHORT: [&str; 9] = [
    "00 B0 84 00",
    "00 B0 01 00",
    "00 B0 02 00",
    "00 B0 83 00",
    "00 B0 01 00",
    "00 B0 87 00",
    "00 B0 01 00",
    "00 B0 02 00",
    "80 2A 00 00",
];
const PROVE_EXTENDED: [&str; 4] = ["00 B0 84 00", "00 B0 83 00", "00 B0 87 00", "80 2A 00 00"];

/// What a job does: identify, look at the counter, open, read, prove.
fn job(mut card: TestCard, kind: SecretKind, number: bool) -> Vec<String> {
    identify(&mut card).expect("a card");
    let mut application = TextAp::select(&mut card).expect("an application");
    application.tries_left(kind).expect("a counter");
    let mut opened = application
        .verify(
            kind,
            crate::card::secret(kind),
            idcards::my_number::LastTry::NotAllowed,
        )
        .expect("the right secret");
    opened.four_attributes().expect("attributes");
    if number {
        opened.individual_number().expect("a number");
    }
    let authenticity = opened
        .prove(&synthetic_anchors(), challenge())
        .expect("a verdict");
    assert_eq!(authenticity.verdict, Verdict::Genuine);
    assert!(card.shown.is_empty(), "answered openly: {:?}", card.shown);
    card.log
}

#[test]
fn attributes_by_pin_take_fifteen_short_exchanges() {
    let log = job(TestCard::synthetic(), SecretKind::Pin, false);
    let expected = [&OPEN[..], &["00 20 00 91", "00 B0 82 00"], &PROVE_SHORT].concat();
    assert_eq!(log, expected);
    assert_eq!(log.len(), 15);
}

#[test]
fn attributes_by_pin_take_ten_extended_exchanges() {
    let log = job(
        TestCard::synthetic().with_extended_length(),
        SecretKind::Pin,
        false,
    );
    let expected = [&OPEN[..], &["00 20 00 91", "00 B0 82 00"], &PROVE_EXTENDED].concat();
    assert_eq!(log, expected);
    assert_eq!(log.len(), 10);
}

#[test]
fn the_number_takes_one_exchange_more() {
    let reads = ["00 20 00 91", "00 B0 82 00", "00 B0 81 00"];
    let log = job(TestCard::synthetic(), SecretKind::Pin, true);
    assert_eq!(log, [&OPEN[..], &reads, &PROVE_SHORT].concat());
    assert_eq!(log.len(), 16);
    let log = job(
        TestCard::synthetic().with_extended_length(),
        SecretKind::Pin,
        true,
    );
    assert_eq!(log, [&OPEN[..], &reads, &PROVE_EXTENDED].concat());
    assert_eq!(log.len(), 11);
}

#[test]
fn verification_number_b_takes_as_many_exchanges_as_the_pin() {
    let reads = ["00 20 00 95", "00 B0 82 00"];
    let log = job(TestCard::synthetic(), SecretKind::NumberB, false);
    assert_eq!(log, [&OPEN_BY_B[..], &reads, &PROVE_SHORT].concat());
    let log = job(
        TestCard::synthetic().with_extended_length(),
        SecretKind::NumberB,
        false,
    );
    assert_eq!(log, [&OPEN_BY_B[..], &reads, &PROVE_EXTENDED].concat());
}

#[test]
fn a_job_that_opens_a_new_transaction_for_the_pin_repeats_only_select_and_counter() {
    let mut card = TestCard::synthetic();
    TextAp::select(&mut card)
        .expect("an application")
        .tries_left(SecretKind::Pin)
        .expect("tries");
    card.opened(SecretKind::Pin);
    assert_eq!(
        card.log,
        [
            "00 A4 04 0C",
            "00 20 00 91",
            "00 A4 04 0C",
            "00 20 00 91",
            "00 20 00 91"
        ]
    );
}
