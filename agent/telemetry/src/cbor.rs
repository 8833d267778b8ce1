//! The one way in which a value is written: core deterministic CBOR (RFC 8949, section 4.2.1).
//!
//! Integers and lengths in their shortest form, definite lengths, map keys in the order of their encoded
//! bytes, no key twice; and, narrower than the RFC, no floating-point number and no tag.
//! Because there is one encoding only, two receivers that compare bytes agree about what was said.

use ciborium::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

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
    let value = read(bytes)?;
    value
        .deserialized()
        .map_err(|_of_another_form| CborError::Schema)
}

/// The value of these bytes, if they are written in the one way.
///
/// # Errors
/// [`CborError::Malformed`], [`CborError::NotDeterministic`].
pub fn read(bytes: &[u8]) -> Result<Value, CborError> {
    let value: Value = ciborium::de::from_reader_with_recursion_limit(bytes, DEEPEST)
        .map_err(|_malformed| CborError::Malformed)?;
    // Re-encoding shows every other way at once, and bytes that follow; the order of keys it leaves as it is.
    if is_ordered(&value, DEEPEST) && write(&value).is_ok_and(|again| again == bytes) {
        Ok(value)
    } else {
        Err(CborError::NotDeterministic)
    }
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

/// Whether [`ordered`] would leave a value as it is.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a library's enum; what is not listed holds no other value"
)]
fn is_ordered(value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Map(entries) => {
            entries
                .windows(2)
                .all(|pair| matches!(pair, [(a, _), (b, _)] if is_before(a, b)))
                && entries.iter().all(|(_, value)| is_ordered(value, depth))
        }
        Value::Array(items) => items.iter().all(|item| is_ordered(item, depth)),
        Value::Float(_) | Value::Tag(..) => false,
        _ => true,
    }
}

/// Whether the encoded bytes of one key come before those of another.
fn is_before(a: &Value, b: &Value) -> bool {
    match (a, b) {
        // A text is written as its length, in the shortest form, and its bytes.
        (Value::Text(a), Value::Text(b)) => (a.len(), a) < (b.len(), b),
        _ => match (write(a), write(b)) {
            (Ok(a), Ok(b)) => a < b,
            _ => false,
        },
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
                assert_eq!(is_before(a, b), place < other, "{a:?} {b:?}");
                let entries = vec![(a.clone(), Value::Null), (b.clone(), Value::Null)];
                let bytes = write(&Value::Map(entries)).unwrap();
                assert_eq!(read(&bytes).is_ok(), place < other);
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
        ] {
            assert_eq!(read(&hex::decode(bytes).unwrap()), Err(error), "{bytes}");
        }
    }

    #[test]
    fn what_lies_too_deep_is_refused_and_does_not_end_the_process() {
        let deep = [vec![0x81; 100_000], vec![0]].concat();
        assert_eq!(read(&deep), Err(CborError::Malformed));
        assert!(encode(&vec![vec![vec![1]]]).is_ok());
    }
}
