//! Somebody else's reader reads our card: the open-source crate `myna-card`, over an in-process wire.
//!
//! It was written against real cards and knows nothing of this simulator, so what it accepts is right in
//! a way that our own driver could not show.

use std::fs;

use myna_card::ap::common::CommonAp;
use myna_card::ap::text::{Attributes, TextAp, ef};
use myna_card::card::Retries;
use myna_card::data::{RsaPublicKey, Sex, verification_code_b};
use myna_card::{Card as Reader, MasterFile, Pin, Transmit};
use sim_cards::{CardImage, MyNumberCard, Quirks, Tries, TryCounters};
use sim_kit::{Card, Power};

use crate::bench::{self, Bench, pki};

/// The card at the other end of the reader's transport.
#[derive(Debug)]
struct InProcess(MyNumberCard);

impl Transmit for InProcess {
    fn transmit(&mut self, command: &[u8]) -> myna_card::Result<Vec<u8>> {
        Ok(self.0.transmit(command))
    }
}

fn reader(id: &str) -> Reader<InProcess> {
    Reader::new(InProcess(Bench::of(id).card))
}

fn published() -> Reader<InProcess> {
    let tries = TryCounters::in_memory(Tries::FULL);
    let quirks = Quirks {
        first_command_fails: false,
        ..Quirks::default()
    };
    let mut card = MyNumberCard::new(CardImage::published_test_card(), tries, quirks);
    card.power(Power::On);
    Reader::new(InProcess(card))
}

fn pin(id: &str) -> Pin {
    Pin::numeric(&bench::holder(id).pin).unwrap()
}

/// The public key of a test authority, from the file that configures trust anchors.
fn authority(ca: &str) -> RsaPublicKey {
    let file = fs::read(pki().write_authorities().unwrap()).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let keys = file["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["ca"] == ca).unwrap();
    assert_eq!(key["generation"], "simulated");
    let bytes = |field: &str| hex::decode(key[field].as_str().unwrap()).unwrap();
    RsaPublicKey {
        exponent: bytes("exponent"),
        modulus: bytes("modulus"),
    }
}

/// What is wrong with a card by the whole check that the reader offers: chain, data, key, possession.
fn wrong_with(id: &str) -> Vec<&'static str> {
    let mut reader = reader(id);
    let mut text = TextAp::select(&mut reader).unwrap();
    text.verify_pin(&pin(id)).unwrap();
    let certificate = text.read_certificate().unwrap();
    let integrity = text.read_integrity_record().unwrap();
    let number = text.read_my_number_file().unwrap();
    let attributes = text.read_ef(ef::ATTRIBUTES).unwrap();
    let card_key = text.read_signed_public_key().unwrap();
    let challenge = [0x5A; 16];
    let signature = text.sign(&challenge).unwrap();
    let checks = [
        (
            "chain",
            certificate.verify_with(&authority("9000033")).is_ok(),
        ),
        (
            "data signature",
            integrity.verify(&certificate.public_key).is_ok(),
        ),
        ("number", integrity.matches_my_number_file(&number)),
        (
            "attributes",
            integrity.matches_attributes_file(&attributes).unwrap(),
        ),
        (
            "key signature",
            card_key.verify(&certificate.public_key).is_ok(),
        ),
        (
            "possession",
            card_key
                .public_key
                .verify_pkcs1_sha256(&challenge, &signature)
                .is_ok(),
        ),
    ];
    checks
        .into_iter()
        .filter(|(_, right)| !right)
        .map(|(what, _)| what)
        .collect()
}

#[test]
fn it_reads_what_needs_no_secret() {
    let mut reader = reader("hanako");
    let mut master = MasterFile::select(&mut reader).unwrap();
    assert_eq!(master.data_object(0x00F0).unwrap(), b"13299");
    let chain = master.certificate_chain().unwrap();
    assert_eq!(
        chain.len(),
        1,
        "the lower certificate is absent on some cards, as here"
    );
    chain
        .first()
        .unwrap()
        .verify_with(&authority("9000020"))
        .unwrap();
    assert_eq!(reader.contact_atr().unwrap().len(), 19);

    let info = CommonAp::select(&mut reader)
        .unwrap()
        .read_card_info()
        .unwrap();
    assert_eq!(
        (info.serial.as_str(), info.municipality_code.as_str()),
        ("900000000000001", "13299")
    );
    assert_eq!(info.expiry.to_string(), "2034-05-08");
    let basic = TextAp::select(&mut reader)
        .unwrap()
        .read_ap_basic_data()
        .unwrap();
    assert_eq!(basic.identification.to_bytes(), [0x01, 0x03, 0x0E, 0x01]);
}

#[test]
fn it_reads_attributes_and_number_by_pin() {
    let mut reader = reader("hanako");
    let mut text = TextAp::select(&mut reader).unwrap();
    assert_eq!(text.retries(ef::PIN).unwrap(), Retries::Remaining(3));
    assert_eq!(text.retries(ef::BLOCKED_0012).unwrap(), Retries::Blocked);
    text.verify_pin(&pin("hanako")).unwrap();
    let attributes = text.read_attributes().unwrap();
    assert_eq!(attributes.name, "見本　花子");
    assert_eq!(attributes.address, "東京都見本市窓口町一丁目２番３号");
    assert_eq!(attributes.birth_date.to_string(), "1992-05-08");
    assert_eq!(attributes.sex, Sex::Female);
    assert_eq!(text.read_my_number().unwrap().as_str(), "000000000019");
}

#[test]
fn it_reads_attributes_but_not_the_number_by_verification_number_b() {
    let holder = bench::holder("hanako");
    let mut reader = reader("hanako");
    let mut text = TextAp::select(&mut reader).unwrap();
    let birth = myna_card::data::Date {
        year: 1992,
        month: 5,
        day: 8,
    };
    let code = verification_code_b(birth, 2034, holder.security_code.as_bytes()).unwrap();
    text.verify_code_b(&code).unwrap();
    assert_eq!(text.read_attributes().unwrap().name, "見本　花子");
    assert!(text.read_my_number().is_err());
}

#[test]
fn it_finds_every_honest_card_genuine() {
    for id in [
        "hanako",
        "taro",
        "plane-two",
        "extension-b",
        "private-use",
        "foreign",
        "expired",
        "older",
    ] {
        assert_eq!(wrong_with(id), [""; 0], "{id}");
    }
}

#[test]
fn it_finds_on_each_dishonest_card_the_one_thing_that_is_wrong() {
    assert_eq!(wrong_with("forged-data"), ["attributes"]);
    assert_eq!(wrong_with("forged-signature"), ["data signature"]);
    assert_eq!(wrong_with("forged-authority"), ["chain"]);
    assert_eq!(wrong_with("unknown-authority"), ["chain"]);
    assert_eq!(wrong_with("cloned"), ["possession"]);
}

#[test]
fn it_reads_rare_characters_as_they_were_written() {
    for id in [
        "plane-two",
        "extension-b",
        "variation",
        "private-use",
        "long-name",
        "foreign",
    ] {
        let holder = bench::holder(id);
        let mut reader = reader(id);
        let mut text = TextAp::select(&mut reader).unwrap();
        text.verify_pin(&pin(id)).unwrap();
        let attributes = text.read_attributes().unwrap();
        assert_eq!(
            (attributes.name, attributes.address),
            (holder.name, holder.address),
            "{id}"
        );
    }
}

#[test]
fn it_cannot_read_the_damaged_text_of_an_otherwise_genuine_card() {
    assert_eq!(wrong_with("damaged"), [""; 0]);
    let mut reader = reader("damaged");
    let mut text = TextAp::select(&mut reader).unwrap();
    text.verify_pin(&pin("damaged")).unwrap();
    assert!(Attributes::parse(&text.read_ef(ef::ATTRIBUTES).unwrap()).is_err());
}

#[test]
fn it_reads_the_published_test_card_and_verifies_it_up_to_the_real_test_authority() {
    let mut reader = published();
    let chain = MasterFile::select(&mut reader)
        .unwrap()
        .certificate_chain()
        .unwrap();
    myna_card::data::CardVerifiableCertificate::verify_chain(&chain).unwrap();

    let mut text = TextAp::select(&mut reader).unwrap();
    text.verify_code_b(&Pin::numeric("55021720352285").unwrap())
        .unwrap();
    assert_eq!(text.read_attributes().unwrap().name, "黒桐　幹也");
    let certificate = text.read_certificate().unwrap();
    certificate.verify().unwrap();
    let integrity = text.read_integrity_record().unwrap();
    integrity.verify(&certificate.public_key).unwrap();
    let attributes = text.read_ef(ef::ATTRIBUTES).unwrap();
    assert!(integrity.matches_attributes_file(&attributes).unwrap());
    assert!(
        text.sign(&[0x5A; 16]).is_err(),
        "its private key was never published"
    );
}
