//! What is sealed verifies; whatever is changed is named.

use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::{
    Defect, Device, Document, Evidence, InkPart, Outcome, Picture, Statement, StatementError,
    Times, copied, key_id, seal, sha256, verify, view,
};
use crate::cbor::{self, Value};
use crate::ink::CapturedBy;
use crate::inkml;
use crate::sample_ink::{bare_ink, ink};

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn public_key() -> [u8; 32] {
    copied(key().public_key().as_ref())
}

fn statement(outcome: Outcome) -> Statement {
    let ink = ink();
    Statement {
        documents: vec![Document {
            title: "住民票の写し等交付請求書".to_owned(),
            source_sha256: sha256(b"the form"),
            pictures: vec![Picture {
                picture_sha256: sha256(b"pixels"),
                uploaded_sha256: sha256(b"a picture"),
                shown_ms: 12_345,
            }],
        }],
        device: Device::of(ink.digitizer(), &CapturedBy::Device),
        agent: "agent-17".to_owned(),
        staff: "s-0042".to_owned(),
        counter: "3".to_owned(),
        visit: "v-20261121-0007".to_owned(),
        origin: "https://counter.example.jp".to_owned(),
        purpose: "交付請求".to_owned(),
        times: Times {
            monotonic_start_us: 5_000_000,
            monotonic_end_us: 25_000_000,
            start_unix_ms: 1_795_240_800_123,
            end_unix_ms: 1_795_240_820_123,
        },
        attempts: 2,
        outcome,
    }
}

fn signed() -> Statement {
    statement(Outcome::Signed(InkPart::inside(&inkml::write(&ink()))))
}

fn defects(container: &[u8], inkml: Option<&[u8]>, files: &[(&str, &[u8])]) -> Vec<Defect> {
    let public_key = &public_key();
    let evidence = Evidence {
        public_key,
        inkml,
        files,
    };
    match verify(container, &evidence) {
        Ok(_) => Vec::new(),
        Err(rejected) => rejected.defects,
    }
}

#[test]
fn what_was_sealed_is_read_again() {
    let container = seal(&signed(), &key()).unwrap();
    assert_eq!(container, seal(&signed(), &key()).unwrap());
    let evidence = Evidence {
        public_key: &public_key(),
        inkml: Some(&inkml::write(&ink())),
        files: &[("form.pdf", b"the form"), ("page.png", b"a picture")],
    };
    let verified = verify(&container, &evidence).unwrap();
    assert!(verified.statement == signed());
    assert!(verified.ink.unwrap() == ink());
}

#[test]
fn ink_can_be_kept_apart() {
    let bytes = inkml::write(&ink());
    let container = seal(
        &statement(Outcome::Signed(InkPart::detached(&bytes))),
        &key(),
    )
    .unwrap();
    assert!(container.len() < 1_500, "{}", container.len());
    assert!(defects(&container, Some(&bytes), &[]).is_empty());
    assert!(defects(&container, None, &[]).is_empty());
    assert_eq!(defects(&container, Some(b"other"), &[]), [Defect::InkApart]);
}

#[test]
fn nobody_signed_is_sealed_as_well() {
    for outcome in [Outcome::Declined, Outcome::TimedOut, Outcome::Cancelled] {
        let container = seal(&statement(outcome), &key()).unwrap();
        assert!(defects(&container, None, &[]).is_empty());
        let ink = inkml::write(&ink());
        assert_eq!(
            defects(&container, Some(&ink), &[]),
            [Defect::InkUnexpected]
        );
    }
}

#[test]
fn what_is_wrong_is_named_exactly() {
    let container = seal(&signed(), &key()).unwrap();
    let files: [(&str, &[u8]); 1] = [("other.pdf", b"another form")];
    assert_eq!(
        defects(&container, None, &files),
        [Defect::File("other.pdf".to_owned())]
    );
    let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let foreign = seal(&signed(), &other).unwrap();
    let id = hex::encode(key_id(&copied(other.public_key().as_ref())));
    assert_eq!(
        defects(&foreign, None, &[]),
        [Defect::OtherKey(id), Defect::Signature]
    );

    let changed = |from: &[u8], to: &[u8]| {
        let place = container.windows(from.len()).position(|at| at == from);
        let mut bytes = container.clone();
        bytes[place.unwrap()..][..to.len()].copy_from_slice(to);
        defects(&bytes, None, &[])
    };
    assert_eq!(changed(b"s-0042", b"s-0043"), [Defect::Signature]);
    assert_eq!(
        changed(b"12000 9675", b"12001 9675"),
        [Defect::Signature, Defect::InkInside]
    );
    assert_eq!(
        changed(b"application/prs", b"application/prx"),
        [Defect::ContentType, Defect::Signature]
    );
    assert_eq!(
        changed(b"attempts", b"attempt5"),
        [
            Defect::Signature,
            Defect::Statement(StatementError::Field("attempts".to_owned()))
        ]
    );
    assert!(matches!(
        changed(&container[..1], b"\xD3")[..],
        [Defect::Envelope]
    ));
    assert!(matches!(
        defects(&container[..container.len() - 1], None, &[])[..],
        [Defect::Container(cbor::CborError::Short)]
    ));
}

#[test]
fn a_seal_around_a_contradiction_is_noticed() {
    let check = |change: fn(&mut Statement)| {
        let mut statement = signed();
        change(&mut statement);
        defects(&seal(&statement, &key()).unwrap(), None, &[])
    };
    assert_eq!(
        check(|s| s.device.serial = "another".to_owned()),
        [Defect::Mismatch("device")]
    );
    assert_eq!(
        check(|s| s.times.monotonic_end_us = s.times.monotonic_start_us + 1),
        [Defect::Span]
    );
    assert!(matches!(
        check(|s| s.outcome = Outcome::Signed(InkPart::inside(b"<ink/>")))[..],
        [Defect::Ink(_)]
    ));
    let page = bare_ink();
    let mut statement = statement(Outcome::Signed(InkPart::inside(&inkml::write(&page))));
    statement.device = Device::of(page.digitizer(), page.captured_by());
    statement.origin = "https://evil.example".to_owned();
    assert_eq!(
        defects(&seal(&statement, &key()).unwrap(), None, &[]),
        [Defect::Mismatch("origin")]
    );
}

#[test]
fn what_may_not_be_stated_is_not_sealed() {
    let refused = |change: fn(&mut Statement)| {
        let mut statement = signed();
        change(&mut statement);
        match seal(&statement, &key()).unwrap_err() {
            StatementError::Field(path) => path,
            StatementError::Format => panic!("format"),
        }
    };
    assert_eq!(refused(|s| s.staff.clear()), "staff");
    assert_eq!(refused(|s| s.purpose = "a\nb".to_owned()), "purpose");
    assert_eq!(refused(|s| s.visit = "v".repeat(513)), "visit");
    assert_eq!(refused(|s| s.times.monotonic_end_us = 0), "times");
    assert_eq!(refused(|s| s.attempts = 0), "attempts");
    assert_eq!(
        refused(|s| s.documents[0].title.clear()),
        "documents.0.title"
    );
    assert_eq!(
        refused(|s| s.documents = vec![s.documents[0].clone(); 65]),
        "documents"
    );
}

#[test]
fn a_statement_of_another_format_or_with_more_fields_is_not_read() {
    let value = |change: fn(&mut Vec<(Value, Value)>)| {
        let Value::Map(mut fields) = signed().to_value() else {
            panic!("a map");
        };
        change(&mut fields);
        Statement::from_value(Value::Map(fields)).unwrap_err()
    };
    assert_eq!(
        value(|fields| fields[0].1 = Value::Uint(2)),
        StatementError::Format
    );
    assert_eq!(
        value(|fields| fields.push((Value::text("name"), Value::Null))),
        StatementError::Field("?".to_owned())
    );
    assert_eq!(
        value(|fields| drop(fields.remove(3))),
        StatementError::Field("agent".to_owned())
    );
}

#[test]
fn people_read_times_and_hashes_and_the_right_word() {
    let view = view(&signed());
    assert_eq!(view["start"], "2026-11-21T06:00:00.123Z");
    assert_eq!(view["tookMs"], 20_000);
    assert_eq!(view["outcome"], "signed");
    let text = view.to_string();
    assert!(text.contains("手書き署名") && !text.contains("電子署名"));
    assert!(!text.contains("12000 9675"));
    let debug = format!("{:?}", signed());
    assert!(
        !debug.contains("v-2026") && !debug.contains("s-0042"),
        "{debug}"
    );
}

#[test]
fn the_key_id_is_the_thumbprint_of_the_standard() {
    // RFC 9679 fixes the map of a key: kty, crv and x, in deterministic CBOR.
    let mut bytes = hex::decode("a3010120062158").unwrap();
    bytes.push(0x20);
    bytes.extend(public_key());
    assert_eq!(key_id(&public_key()), sha256(&bytes));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_changed_byte_passes(place in any::<proptest::sample::Index>(), bit in 0..8_u8) {
        let mut container = seal(&signed(), &key()).unwrap();
        let at = place.index(container.len());
        container[at] ^= 1 << bit;
        prop_assert!(!defects(&container, None, &[]).is_empty());
    }

    #[test]
    fn no_cut_passes(place in any::<proptest::sample::Index>()) {
        let container = seal(&signed(), &key()).unwrap();
        let at = place.index(container.len());
        prop_assert!(!defects(&container[..at], None, &[]).is_empty());
    }

    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!defects(&bytes, None, &[]).is_empty());
    }
}
