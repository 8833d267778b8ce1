//! What is genuine is opened, everything else is refused by name, and an independent maker agrees.

use proptest::prelude::*;
use ring::rand::SystemRandom;

use super::seal::{Form, Recipient, Validity, counter_public, divide as divide_among};
use super::*;

const CITY: u32 = 302_058;
const COUNTER: [u8; 32] = [9; 32];
const ISSUED: u32 = 1_795_000_000;

fn application() -> Application {
    let field = |name: &str, value: &str| Field {
        name: name.to_owned(),
        value: Zeroizing::new(value.to_owned()),
    };
    Application {
        procedure: "residentRecord".to_owned(),
        fields: vec![field("copies", "2"), field("name", "山田 太郎")],
    }
}

fn form() -> Form {
    Form::new(CITY, 7, &[5; 32]).unwrap()
}

fn keys() -> PreApplicationKeys {
    PreApplicationKeys {
        municipality: CITY,
        forms: vec![FormKey {
            id: 7,
            public: form().public(),
        }],
        counters: vec![CounterKey {
            id: 3,
            private: Secret::new(COUNTER.to_vec()),
        }],
    }
}

fn make(sealed: bool) -> String {
    let recipient = Recipient {
        id: 3,
        public: counter_public(&COUNTER),
    };
    let validity = Validity {
        issued: ISSUED,
        expires: ISSUED + 86_400,
    };
    form()
        .make(
            &application(),
            validity,
            sealed.then_some(recipient),
            &SystemRandom::new(),
        )
        .unwrap()
}

fn at(seconds_after: i64) -> u64 {
    u64::try_from((i64::from(ISSUED) + seconds_after) * 1000).unwrap()
}

fn error(text: &str, keys: &PreApplicationKeys, seconds_after: i64) -> OpenError {
    open(text.as_bytes(), keys, at(seconds_after)).unwrap_err()
}

#[test]
fn what_the_form_made_the_counter_opens() {
    for sealed in [false, true] {
        let text = make(sealed);
        assert!(is_one(text.as_bytes()));
        let found = open(text.as_bytes(), &keys(), at(60)).unwrap();
        assert_eq!(found.application, application());
        assert_eq!(
            (found.sealed, found.form_key, found.issued),
            (sealed, 7, ISSUED)
        );
        let shown = format!("{found:?} {:?}", keys());
        assert!(
            !shown.contains("山田") && !shown.contains("[9, 9"),
            "{shown}"
        );
    }
    assert!(!make(true).contains("residentRecord"));
}

#[test]
fn each_reason_has_its_name() {
    for sealed in [false, true] {
        let text = make(sealed);
        assert_eq!(error(&text, &keys(), 86_400), OpenError::Expired);
        assert_eq!(error(&text, &keys(), -301), OpenError::NotYetValid);
        assert!(open(text.as_bytes(), &keys(), at(-300)).is_ok());
        let mut other = keys();
        other.forms[0].id = 8;
        assert_eq!(error(&text, &other, 0), OpenError::UnknownFormKey { id: 7 });
        let mut other = keys();
        other.forms[0].public = Form::new(CITY, 7, &[6; 32]).unwrap().public();
        assert_eq!(error(&text, &other, 0), OpenError::Tampered);
        let other = PreApplicationKeys {
            municipality: 1,
            ..keys()
        };
        assert_eq!(
            error(&text, &other, 0),
            OpenError::AnotherCity { municipality: CITY }
        );
    }
    let sealed = make(true);
    let other = PreApplicationKeys {
        counters: Vec::new(),
        ..keys()
    };
    assert_eq!(
        error(&sealed, &other, 0),
        OpenError::UnknownCounterKey { id: 3 }
    );
    let other = PreApplicationKeys {
        counters: vec![CounterKey {
            id: 3,
            private: Secret::new(vec![8; 32]),
        }],
        ..keys()
    };
    assert_eq!(error(&sealed, &other, 0), OpenError::WrongCounterKey);
    let later = make(false).replacen("MPA1:", "MPA2:", 1);
    assert!(is_one(later.as_bytes()));
    assert_eq!(error(&later, &keys(), 0), OpenError::UnknownVersion);
    assert_eq!(error("MPA1:lower case", &keys(), 0), OpenError::Malformed);
}

#[test]
fn a_version_inside_that_is_unknown_is_named_before_anything_else() {
    let text = make(false);
    let mut envelope = base45::decode(&text.as_bytes()[5..]).unwrap();
    envelope[0] = 2;
    let text = format!("MPA1:{}", base45::encode(&envelope));
    assert_eq!(error(&text, &keys(), 0), OpenError::UnknownVersion);
}

#[test]
fn no_bit_can_be_changed_and_nothing_cut_off() {
    for sealed in [false, true] {
        let envelope = base45::decode(&make(sealed).as_bytes()[5..]).unwrap();
        for index in 0..envelope.len() {
            let mut changed = envelope.clone();
            changed[index] ^= 1 << (index % 8);
            let text = format!("MPA1:{}", base45::encode(&changed));
            assert!(
                open(text.as_bytes(), &keys(), at(0)).is_err(),
                "byte {index}"
            );
            let text = format!("MPA1:{}", base45::encode(&envelope[..index]));
            assert!(
                open(text.as_bytes(), &keys(), at(0)).is_err(),
                "{index} bytes"
            );
        }
    }
}

/// `tests/data/preapplication.tsv`, made by `tests/data/preapplication.py` from the specification alone,
/// with the public library `cryptography`.
#[test]
fn an_independent_form_is_understood() {
    let mut opened = 0;
    for line in include_str!("../../tests/data/preapplication.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [text, content, public, private, sealed] = fields[..] else {
            panic!("five fields");
        };
        let bytes = |field: &str| <[u8; 32]>::try_from(hex::decode(field).unwrap()).unwrap();
        let keys = PreApplicationKeys {
            municipality: CITY,
            forms: vec![FormKey {
                id: 7,
                public: bytes(public),
            }],
            counters: vec![CounterKey {
                id: 3,
                private: Secret::new(bytes(private).to_vec()),
            }],
        };
        let found = open(text.as_bytes(), &keys, at(60)).unwrap();
        assert_eq!(
            found.application,
            content::read(&hex::decode(content).unwrap()).unwrap()
        );
        assert_eq!(found.sealed, sealed == "1");
        opened += 1;
    }
    assert_eq!(opened, 8);
}

#[test]
fn parts_are_made_for_two_to_sixteen_codes() {
    let text = make(true);
    for parts in 2..=16 {
        assert_eq!(
            divide_among(text.as_bytes(), parts).unwrap().len(),
            usize::from(parts)
        );
    }
    for parts in [0, 1, 17] {
        assert!(divide_among(text.as_bytes(), parts).is_err());
    }
    assert!(divide_among(b"", 2).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = format!("MPA1:{}", base45::encode(&bytes));
        prop_assert!(open(text.as_bytes(), &keys(), at(0)).is_err());
        prop_assert!(open(&bytes, &keys(), at(0)).is_err());
    }
}
