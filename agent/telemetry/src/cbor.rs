//! The one way in which a value is written: core deterministic CBOR (RFC 8949, section 4.2.1).
//!
//! Integers and lengths in their shortest form, definite lengths, map keys in the order of their encoded
//! bytes, no key twice; and, narrower than the RFC, no floating-point number and no tag.
//! Because there is one encoding only, two receivers that compare bytes agree about what was said.

use ciborium::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub(crate) mod strict;

use strict::{Cursor, Major};

/// How deeply values may lie in each other.
const DEEPEST: usize = 16;

/// Bytes that are not written in the one way, or do not say what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CborError {
    /// They are no CBOR, or something follows it.
    #[error("not one CBOR value")]
    Malformed,
    /// They are CBOR, written in another way than the deterministic one.
    #[error("not deterministic CBOR")]
    NotDeterministic,
    /// They are well written, and say something else.
    #[error("not what the class promises")]
    Schema,
}

/// The bytes of a value.
///
/// # Errors
/// [`CborError::Schema`] where the value cannot be written, such as one with a floating-point number.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CborError> {
    let value = Value::serialized(value).map_err(|_unserialisable| CborError::Schema)?;
    write(&ordered(value, DEEPEST)?)
}

/// The value of these bytes.
///
/// # Errors
/// Each of [`CborError`].
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
    check(bytes)?;
    ciborium::de::from_reader_with_recursion_limit(bytes, DEEPEST)
        .map_err(|_of_another_form| CborError::Schema)
}

/// The value of these bytes, if they are written in the one way.
///
/// # Errors
/// [`CborError::Malformed`], [`CborError::NotDeterministic`].
pub fn read(bytes: &[u8]) -> Result<Value, CborError> {
    check(bytes)?;
    ciborium::de::from_reader_with_recursion_limit(bytes, DEEPEST)
        .map_err(|_malformed| CborError::Malformed)
}

/// Whether these bytes are one value, written in the one way.
fn check(bytes: &[u8]) -> Result<(), CborError> {
    let mut cursor = Cursor::new(bytes);
    cursor.value()?;
    cursor.end()
}

/// The bytes of a value as it stands; maps must be ordered already.
///
/// # Errors
/// [`CborError::Schema`] where it cannot be written.
pub fn write(value: &Value) -> Result<Vec<u8>, CborError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|_unwritable| CborError::Schema)?;
    Ok(bytes)
}

/// Begins a value: its major type, and a length in the shortest form.
pub(crate) fn head(bytes: &mut Vec<u8>, major: Major, length: usize) {
    let major = (major as u8) << 5;
    match u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes() {
        [0, 0, 0, 0, 0, 0, 0, length @ 0..24] => bytes.push(major | length),
        [0, 0, 0, 0, 0, 0, 0, length] => bytes.extend([major | 24, length]),
        [0, 0, 0, 0, 0, 0, length @ ..] => {
            bytes.push(major | 25);
            bytes.extend(length);
        }
        [0, 0, 0, 0, length @ ..] => {
            bytes.push(major | 26);
            bytes.extend(length);
        }
        length => {
            bytes.push(major | 27);
            bytes.extend(length);
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a library's enum; what is not listed holds no other value"
)]
fn ordered(value: Value, depth: usize) -> Result<Value, CborError> {
    let depth = depth.checked_sub(1).ok_or(CborError::Schema)?;
    match value {
        Value::Map(entries) => {
            let mut keyed = entries
                .into_iter()
                .map(|(key, value)| Ok((write(&key)?, key, ordered(value, depth)?)))
                .collect::<Result<Vec<_>, CborError>>()?;
            keyed.sort_by(|a, b| a.0.cmp(&b.0));
            if keyed
                .windows(2)
                .any(|pair| matches!(pair, [a, b] if a.0 == b.0))
            {
                return Err(CborError::Schema);
            }
            let entries = keyed.into_iter().map(|(_, key, value)| (key, value));
            Ok(Value::Map(entries.collect()))
        }
        Value::Array(items) => {
            let items = items.into_iter().map(|item| ordered(item, depth));
            Ok(Value::Array(items.collect::<Result<_, _>>()?))
        }
        Value::Float(_) | Value::Tag(..) => Err(CborError::Schema),
        plain => Ok(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_ordered_by_their_encoded_keys() {
        #[derive(Serialize)]
        struct Keys {
            bb: u8,
            a: u8,
            z: u8,
        }
        let bytes = encode(&Keys { bb: 1, a: 24, z: 3 }).unwrap();
        // RFC 8949, 4.2.1: 0x61 'a', 0x61 'z', 0x62 'bb'.
        assert_eq!(
            hex::encode(&bytes),
            "a3616118186 17a03626262 01".replace(' ', "")
        );
        assert!(read(&bytes).is_ok());
    }

    #[test]
    fn keys_come_in_the_order_of_their_bytes_whatever_they_are() {
        let keys = [
            Value::from(0),
            Value::from(23),
            Value::from(24),
            Value::from(-1),
            Value::Bytes(vec![9]),
            Value::from(""),
            Value::from("b"),
            Value::from("aa"),
            Value::from("ab"),
            Value::from("x".repeat(23)),
            Value::from("a".repeat(24)),
            Value::from("a".repeat(256)),
        ];
        for (place, a) in keys.iter().enumerate() {
            for (other, b) in keys.iter().enumerate() {
                let entries = vec![(a.clone(), Value::Null), (b.clone(), Value::Null)];
                let bytes = write(&Value::Map(entries)).unwrap();
                assert_eq!(read(&bytes).is_ok(), place < other, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn every_other_way_of_writing_is_refused() {
        for (bytes, error) in [
            ("", CborError::Malformed),
            ("1800", CborError::NotDeterministic), // 0 in two bytes
            ("9f01ff", CborError::NotDeterministic), // an indefinite length
            ("a2617a00616100", CborError::NotDeterministic), // z before a
            ("a2616100616100", CborError::NotDeterministic), // a twice
            ("f90000", CborError::NotDeterministic), // a floating-point number
            ("c000", CborError::NotDeterministic), // a tag
            ("0000", CborError::NotDeterministic), // something follows
            ("1817", CborError::NotDeterministic), // 23 in two bytes
            ("1900ff", CborError::NotDeterministic), // 255 in three
            ("1a0000ffff", CborError::NotDeterministic), // 65,535 in five
            ("1b00000000ffffffff", CborError::NotDeterministic), // 2^32 - 1 in nine
            ("5800", CborError::NotDeterministic), // no bytes, their length in two
            ("ff", CborError::NotDeterministic),   // the end of what was not begun
            ("f7", CborError::NotDeterministic),   // undefined, which is taken for null
            ("e0", CborError::Malformed),          // a simple value without a meaning
            ("f820", CborError::Malformed),        // another one
            ("1c", CborError::Malformed),          // a head without a meaning
            ("19ff", CborError::Malformed),        // a head that is cut
            ("61", CborError::Malformed),          // a text that is cut
            ("61ff", CborError::Malformed),        // a text that is none
            ("9b7fffffffffffffff00", CborError::Malformed), // more items than anybody has
        ] {
            assert_eq!(read(&hex::decode(bytes).unwrap()), Err(error), "{bytes}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_what_another_writer_writes(bytes: Vec<u8>, noise in 0..64_u8) {
            // Mostly heads of small values, so that much of it is well formed.
            let small: Vec<u8> = bytes.iter().map(|byte| if noise < 48 { byte & 0x67 } else { *byte }).collect();
            if let Ok(value) = read(&small) {
                assert_eq!(write(&value).unwrap(), small);
                assert_eq!(write(&ordered(value, DEEPEST).unwrap()).unwrap(), small);
            }
        }

        #[test]
        fn what_is_written_is_read(entries: std::collections::BTreeMap<i64, (Vec<u8>, String, Vec<u64>, Option<bool>)>) {
            let bytes = encode(&entries).unwrap();
            assert_eq!(decode::<std::collections::BTreeMap<i64, _>>(&bytes).unwrap(), entries);
        }
    }

    #[test]
    fn what_lies_too_deep_is_refused_and_does_not_end_the_process() {
        let deep = [vec![0x81; 100_000], vec![0]].concat();
        assert_eq!(read(&deep), Err(CborError::Malformed));
        assert!(encode(&vec![vec![vec![1]]]).is_ok());
    }
}
