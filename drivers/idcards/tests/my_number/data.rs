//! Text, dates and numbers come out as they stand on the card.

use device_api::FaultCode;
use idcards::my_number::{AttributeName, Attributes, CardError, SecretKind, identify};
use idcards::personal::NoticeKind;

use crate::card::{TestCard, fixture};

fn object(tag: [u8; 2], value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("short").to_be_bytes();
    [&tag[..], &[0x82], &length, value].concat()
}

fn file(name: &[u8], address: &[u8], birth_date: &[u8], sex: &[u8]) -> Vec<u8> {
    let objects = [
        object([0xDF, 0x21], &[0; 8]),
        object([0xDF, 0x22], name),
        object([0xDF, 0x23], address),
        object([0xDF, 0x24], birth_date),
        object([0xDF, 0x25], sex),
    ];
    object([0xFF, 0x20], &objects.concat())
}

fn read(file: Vec<u8>) -> Result<Attributes, CardError> {
    let mut card = TestCard::synthetic().with_file(0x02, file);
    card.opened(SecretKind::Pin).four_attributes()
}

fn garbled(file: Vec<u8>) {
    let error = read(file).expect_err("a refusal");
    assert_eq!(error.fault(), FaultCode::CardGarbled);
}

#[test]
fn the_dump_of_a_test_card_reads_as_published() {
    let mut card = TestCard::jlis_dump();
    let identity = identify(&mut card).expect("a card");
    assert_eq!(identity.municipality_code, "13221");
    assert_eq!(identity.serial.expose(), "400000012719843");
    assert_eq!(identity.expires_on, "2035-02-17");
    let mut opened = card.opened(SecretKind::Pin);
    let attributes = opened.four_attributes().expect("attributes");
    assert_eq!(attributes.name.expose(), "黒桐　幹也");
    assert_eq!(
        attributes.address.expose(),
        "東京都清瀬市観布子南１２－７－２０２"
    );
    assert_eq!(attributes.birth_date.expose(), "1980-02-17");
    assert_eq!(attributes.sex.expose(), "1");
    assert_eq!(attributes.notices, []);
    assert_eq!(
        opened.individual_number().expect("a number").expose(),
        "537686677188"
    );
}

#[test]
fn variation_sequences_and_rare_characters_are_kept_and_pointed_out() {
    let mut card = TestCard::synthetic();
    let attributes = card
        .opened(SecretKind::NumberB)
        .four_attributes()
        .expect("attributes");
    assert_eq!(attributes.name.expose(), "髙橋　葛\u{E0100}子");
    let found: Vec<_> = attributes
        .notices
        .iter()
        .map(|(field, it)| (*field, it.position, it.kind))
        .collect();
    assert_eq!(
        found,
        [
            (AttributeName::Name, 0, NoticeKind::OutsideJisX0213),
            (AttributeName::Name, 3, NoticeKind::VariationSequence),
            (AttributeName::Address, 3, NoticeKind::VariationSequence),
        ]
    );
}

#[test]
fn text_that_needs_many_exchanges_comes_whole() {
    let address = "字東西南北".repeat(200);
    let long = file(
        "山田　太郎".as_bytes(),
        address.as_bytes(),
        b"20010203",
        b"1",
    );
    for extended in [false, true] {
        let mut card = TestCard::synthetic().with_file(0x02, long.clone());
        card.extended = extended;
        let attributes = card
            .opened(SecretKind::Pin)
            .four_attributes()
            .expect("attributes");
        assert_eq!(attributes.address.expose(), address);
    }
}

#[test]
fn a_birth_date_that_is_no_day_stays_as_it_is() {
    for (on_card, expected) in [
        ("19240229", "1924-02-29"),
        ("19450000", "19450000"),
        ("19230229", "19230229"),
    ] {
        let attributes = read(file(b"A", b"B", on_card.as_bytes(), b"2")).expect("attributes");
        assert_eq!(attributes.birth_date.expose(), expected);
    }
}

#[test]
fn text_that_is_not_utf8_is_garbled_and_shown_nowhere() {
    garbled(file(b"\x82\xE0\x82\xE6", b"B", b"19800101", b"1"));
    garbled(file(b"A", b"\xED\xA0\x80", b"19800101", b"1"));
    garbled(file(b"A", b"\xF4\x90\x80\x80", b"19800101", b"1"));
    let error = read(file("秘\u{0}".as_bytes(), b"\xFF", b"19800101", b"1")).expect_err("garbled");
    assert!(!format!("{error} {error:?}").contains('秘'));
}

#[test]
fn attributes_of_the_wrong_form_are_garbled() {
    garbled(file(b"A", b"B", b"1980010", b"1"));
    garbled(file(b"A", b"B", b"1980-1-1", b"1"));
    garbled(file(b"A", b"B", b"19800101", b"12"));
    garbled(file(b"A", b"B", b"19800101", b"x"));
    garbled(object([0xFF, 0x20], &object([0xDF, 0x21], &[0; 8])));
    garbled(object([0xFF, 0x30], &[0x04, 0x00]));
    garbled(vec![0xFF; 64]);
}

#[test]
fn a_second_name_behind_the_first_is_garbled() {
    let mut inner = file(b"A", b"B", b"19800101", b"1")[5..].to_vec();
    inner.extend(object([0xDF, 0x22], b"C"));
    garbled(object([0xFF, 0x20], &inner));
}

#[test]
fn every_truncation_of_every_file_is_an_error() {
    let whole = fixture("jlis-test-card/text-0002.bin");
    for length in 1..whole.len() {
        garbled(whole[..length].to_vec());
    }
    let whole = fixture("jlis-test-card/text-0001-physical.bin");
    for length in 1..15 {
        let mut card = TestCard::synthetic().with_file(0x01, whole[..length].to_vec());
        let error = card
            .opened(SecretKind::Pin)
            .individual_number()
            .expect_err("a refusal");
        assert!(matches!(
            error.fault(),
            FaultCode::CardGarbled | FaultCode::CardRefused
        ));
    }
    let whole = fixture("synthetic/record.bin");
    for length in 0..whole.len() {
        let mut card = TestCard::synthetic();
        card.record.truncate(length);
        let error = identify(&mut card).expect_err("a refusal");
        assert_eq!(error.fault(), FaultCode::CardGarbled);
    }
}

#[test]
fn a_card_past_its_last_day_is_told_by_the_day_it_is_shown() {
    let identity = identify(&mut TestCard::synthetic()).expect("a card");
    assert_eq!(identity.expired_on("2035-02-17"), Some(false));
    assert_eq!(identity.expired_on("2035-02-18"), Some(true));
    assert_eq!(identity.expired_on("tomorrow"), None);
}
