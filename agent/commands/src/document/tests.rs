//! Documents written, read back, and written otherwise.

use ciborium::Value;

use super::*;
use crate::verb::tests::every_verb;

/// An order that a device takes.
pub(crate) fn order(number: u8, verb: Verb) -> Order {
    Order {
        id: command_id(1_795_000_000_000, [number; 10]),
        target: DeviceName {
            tenant: "hoshino-shi".parse().unwrap(),
            device: "c-03".parse().unwrap(),
        },
        issuer: "sato".parse().unwrap(),
        counter: u64::from(number) + 1,
        not_before: 1_795_000_000,
        expires: 1_795_003_600,
        verb,
        preconditions: Preconditions::default(),
        challenge: None,
    }
}

#[test]
fn every_document_is_read_back() {
    for (number, verb) in (0..).zip(every_verb()) {
        let mut order = order(number, verb);
        order.preconditions.version = Some("0.1.0".parse().unwrap());
        order.preconditions.configuration = Some(Digest::of(b"configuration"));
        order.challenge = Some(Challenge::new([number; 16]));
        let document = Document::new(order.clone()).unwrap();
        assert_eq!(Document::read(document.bytes()).unwrap().order(), &order);
    }
}

#[test]
fn an_id_is_a_uuid_of_version_7() {
    // RFC 9562, appendix A.6.
    let random = [0x7C, 0xC3, 0x98, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F];
    let id = command_id(0x017F_22E2_79B0, random);
    assert_eq!(id.to_string(), "017f22e279b07cc398c4dc0c0c07398f");
    let mut other = order(1, Verb::Reboot);
    other.id = CommandId([0xFF; 16]);
    assert_eq!(Document::new(other), Err(DocumentError::Id));
}

#[test]
fn an_order_is_valid_for_a_while_and_not_for_ever() {
    for (not_before, expires) in [(5, 5), (6, 5), (5, 6 + LONGEST_VALIDITY), (0, u64::MAX)] {
        let mut order = order(1, Verb::Reboot);
        (order.not_before, order.expires) = (not_before, expires);
        assert_eq!(Document::new(order), Err(DocumentError::Validity));
    }
}

/// Changes the map of the order, and writes it deterministically.
fn otherwise(change: impl FnOnce(&mut Vec<(Value, Value)>)) -> Vec<u8> {
    let document = Document::new(order(1, Verb::Reboot)).unwrap();
    let mut value = cbor::read(document.bytes()).unwrap();
    let entries = value.as_map_mut().unwrap();
    let order = entries
        .iter_mut()
        .find(|(key, _)| *key == Value::from("order"));
    change(order.unwrap().1.as_map_mut().unwrap());
    cbor::encode(&value).unwrap()
}

#[test]
fn fields_that_are_not_known_or_say_nothing_are_refused() {
    assert!(Document::read(&otherwise(|_| {})).is_ok());
    let spoilt = [
        otherwise(|order| order.push((Value::from("shell"), Value::from("rm")))),
        otherwise(|order| order.push((Value::from("challenge"), Value::Null))),
        otherwise(|order| order.push((Value::from("preconditions"), Value::Map(vec![])))),
        otherwise(|order| order.retain(|(key, _)| *key != Value::from("counter"))),
        otherwise(|order| {
            let verb = order
                .iter_mut()
                .find(|(key, _)| *key == Value::from("verb"));
            let verb = verb.unwrap().1.as_map_mut().unwrap();
            verb.push((Value::from("after"), Value::from("now")));
        }),
        otherwise(|order| {
            let verb = order
                .iter_mut()
                .find(|(key, _)| *key == Value::from("verb"));
            *verb.unwrap().1.as_map_mut().unwrap() =
                vec![(Value::from("name"), Value::from("shell"))];
        }),
        otherwise(|order| {
            let id = order.iter_mut().find(|(key, _)| *key == Value::from("id"));
            let id = &mut id.unwrap().1;
            *id = Value::from(id.as_text().unwrap().to_uppercase());
        }),
    ];
    for bytes in spoilt {
        assert_eq!(Document::read(&bytes), Err(DocumentError::Encoding));
    }
}

#[test]
fn every_cut_is_refused() {
    let document = Document::new(order(1, Verb::Wipe)).unwrap();
    for end in 0..document.bytes().len() {
        assert!(Document::read(&document.bytes()[..end]).is_err());
    }
    let other_format: Vec<u8> = document.bytes().to_vec();
    let place = other_format
        .windows(7)
        .position(|bytes| bytes == b"\x66format");
    let mut other_format = other_format;
    other_format[place.unwrap() + 7] = 2;
    assert_eq!(Document::read(&other_format), Err(DocumentError::Encoding));
}

#[test]
fn preconditions_hold_or_not() {
    let (version, configuration) = ("0.1.0".parse().unwrap(), Digest::of(b"a"));
    let mut conditions = Preconditions::default();
    assert!(conditions.is_empty() && conditions.hold(&version, &configuration));
    conditions.version = Some("0.1.0".parse().unwrap());
    conditions.configuration = Some(Digest::of(b"a"));
    assert!(conditions.hold(&version, &configuration));
    assert!(!conditions.hold(&"0.2.0".parse().unwrap(), &configuration));
    assert!(!conditions.hold(&version, &Digest::of(b"b")));
}
