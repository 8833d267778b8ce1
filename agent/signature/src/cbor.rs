//! Deterministic CBOR: for each value one sequence of bytes, and no other is read.
//!
//! RFC 8949 §4.2.1: shortest heads, definite lengths, map keys in the order of their bytes.
//! Floats, undefined and tags within data do not occur in a container and are refused.

use thiserror::Error;

/// How deep values may lie in each other.
const DEEPEST: usize = 12;

/// How many values are read; each takes more memory than bytes.
const MOST: usize = 50_000;

/// A value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// 0 or more.
    Uint(u64),
    /// Below 0: -1 minus this.
    Negative(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Value>),
    /// Keys and values; sorted when written.
    Map(Vec<(Value, Value)>),
    Tag(u64, Box<Value>),
    Null,
}

/// Why bytes are no deterministic CBOR.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum CborError {
    /// The bytes end within a value.
    #[error("the bytes end within a value")]
    Short,
    /// A length or a number is not written in its shortest form.
    #[error("the head at byte {0} is not in its shortest form")]
    NotShortest(usize),
    /// A kind of value that does not occur: float, undefined, indefinite length.
    #[error("byte {0} opens a value of a kind that does not occur")]
    Kind(usize),
    /// A text that is not UTF-8.
    #[error("the text at byte {0} is not UTF-8")]
    Text(usize),
    /// The keys of a map are not in their order, or one stands there twice.
    #[error("the keys of the map at byte {0} are not in their order")]
    Order(usize),
    /// Values lie too deep in each other.
    #[error("the value at byte {0} lies too deep")]
    Deep(usize),
    /// More values than a container has.
    #[error("there are more values than a container has")]
    TooMany,
    /// Bytes follow.
    #[error("bytes follow from byte {0}")]
    Trailing(usize),
}

impl Value {
    /// A text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A number.
    pub(crate) fn integer(number: i64) -> Self {
        match u64::try_from(number) {
            Ok(number) => Self::Uint(number),
            Err(_negative) => Self::Negative(number.unsigned_abs() - 1),
        }
    }

    /// The bytes, if it is some.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        if let Self::Bytes(bytes) = self {
            return Some(bytes);
        }
        None
    }

    /// The text, if it is one.
    pub(crate) fn into_text(self) -> Option<String> {
        if let Self::Text(text) = self {
            return Some(text);
        }
        None
    }

    /// The values, if it is an array.
    pub(crate) fn into_array(self) -> Option<Vec<Self>> {
        if let Self::Array(values) = self {
            return Some(values);
        }
        None
    }

    /// The number, if it is one that fits.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Uint(number) => i64::try_from(*number).ok(),
            Self::Negative(number) => Some(-1 - i64::try_from(*number).ok()?),
            Self::Bytes(_)
            | Self::Text(_)
            | Self::Array(_)
            | Self::Map(_)
            | Self::Tag(..)
            | Self::Null => None,
        }
    }
}

/// Writes a value.
pub(crate) fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, value);
    out
}

fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Uint(number) => head(out, 0, *number),
        Value::Negative(number) => head(out, 1, *number),
        Value::Bytes(bytes) => {
            head(out, 2, length(bytes.len()));
            out.extend_from_slice(bytes);
        }
        Value::Text(text) => {
            head(out, 3, length(text.len()));
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(values) => {
            head(out, 4, length(values.len()));
            for value in values {
                put(out, value);
            }
        }
        Value::Map(entries) => {
            let mut entries: Vec<(Vec<u8>, &Value)> = entries
                .iter()
                .map(|(key, value)| (write(key), value))
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            head(out, 5, length(entries.len()));
            for (key, value) in entries {
                out.extend_from_slice(&key);
                put(out, value);
            }
        }
        Value::Tag(tag, value) => {
            head(out, 6, *tag);
            put(out, value);
        }
        Value::Null => out.push(0xF6),
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The first byte and the number that follows it, in the shortest form.
fn head(out: &mut Vec<u8>, kind: u8, number: u64) {
    let kind = kind << 5;
    let bytes = number.to_be_bytes();
    let (low, width) = match number {
        0..=23 => (bytes.last().copied().unwrap_or(0), 0),
        24..=0xFF => (24, 1),
        0x100..=0xFFFF => (25, 2),
        0x1_0000..=0xFFFF_FFFF => (26, 4),
        0x1_0000_0000..=u64::MAX => (27, 8),
    };
    out.push(kind | low);
    out.extend(bytes.into_iter().skip(8 - width));
}

/// Reads one value to the last byte.
///
/// # Errors
/// Where the bytes are not exactly those that [`write`] gives for the value.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, CborError> {
    let mut input = Input {
        bytes,
        at: 0,
        values: 0,
    };
    let value = input.value(0)?;
    if input.at < bytes.len() {
        return Err(CborError::Trailing(input.at));
    }
    Ok(value)
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], CborError> {
        let end = self.at.checked_add(length).ok_or(CborError::Short)?;
        let taken = self.bytes.get(self.at..end).ok_or(CborError::Short)?;
        self.at = end;
        Ok(taken)
    }

    /// The kind of the value and its number.
    fn head(&mut self) -> Result<(u8, u64), CborError> {
        let start = self.at;
        let first = self.take(1)?.first().copied().unwrap_or(0);
        let low = first & 0x1F;
        let width = match low {
            0..=23 => return Ok((first >> 5, u64::from(low))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(CborError::Kind(start)),
        };
        if first >> 5 == 7 {
            return Err(CborError::Kind(start));
        }
        let number = self
            .take(width)?
            .iter()
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let least = match low {
            24 => 24,
            25 => 0x100,
            26 => 0x1_0000,
            _ => 0x1_0000_0000,
        };
        if number < least {
            return Err(CborError::NotShortest(start));
        }
        Ok((first >> 5, number))
    }

    fn value(&mut self, depth: usize) -> Result<Value, CborError> {
        let start = self.at;
        if depth > DEEPEST {
            return Err(CborError::Deep(start));
        }
        self.values += 1;
        if self.values > MOST {
            return Err(CborError::TooMany);
        }
        let (kind, number) = self.head()?;
        let size = usize::try_from(number).unwrap_or(usize::MAX);
        match kind {
            0 => Ok(Value::Uint(number)),
            1 => Ok(Value::Negative(number)),
            2 => Ok(Value::Bytes(self.take(size)?.to_vec())),
            3 => {
                let text = std::str::from_utf8(self.take(size)?)
                    .map_err(|_not_utf8| CborError::Text(start))?;
                Ok(Value::text(text))
            }
            4 => {
                // Nothing is reserved by the stated length: each value costs at least a byte.
                let mut values = Vec::new();
                for _ in 0..size {
                    values.push(self.value(depth + 1)?);
                }
                Ok(Value::Array(values))
            }
            5 => self.map(start, size, depth),
            6 => Ok(Value::Tag(number, Box::new(self.value(depth + 1)?))),
            7 if number == 22 => Ok(Value::Null),
            _ => Err(CborError::Kind(start)),
        }
    }

    fn map(&mut self, start: usize, size: usize, depth: usize) -> Result<Value, CborError> {
        let mut entries = Vec::new();
        let mut before: &[u8] = &[];
        for _ in 0..size {
            let from = self.at;
            let key = self.value(depth + 1)?;
            let bytes = self.bytes.get(from..self.at).unwrap_or_default();
            if bytes <= before {
                return Err(CborError::Order(start));
            }
            before = bytes;
            entries.push((key, self.value(depth + 1)?));
        }
        Ok(Value::Map(entries))
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It may hold ink.
        f.write_str("Value(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CborError, Value, read, write};

    fn hex(value: &Value) -> String {
        hex::encode(write(value))
    }

    /// RFC 8949, appendix A.
    #[test]
    fn the_examples_of_the_standard_come_out() {
        let numbers = [
            (0, "00"),
            (23, "17"),
            (24, "1818"),
            (1_000, "1903e8"),
            (1_000_000, "1a000f4240"),
            (1_000_000_000_000, "1b000000e8d4a51000"),
            (-1, "20"),
            (-1_000, "3903e7"),
        ];
        for (number, expected) in numbers {
            assert_eq!(hex(&Value::integer(number)), expected);
            let again = read(&hex::decode(expected).unwrap()).unwrap();
            assert_eq!(again.as_integer(), Some(number));
        }
        assert_eq!(hex(&Value::text("水")), "63e6b0b4");
        assert_eq!(hex(&Value::Bytes(vec![1, 2, 3, 4])), "4401020304");
        let map = Value::Map(vec![
            (
                Value::text("b"),
                Value::Array(vec![Value::Uint(2), Value::Uint(3)]),
            ),
            (Value::text("a"), Value::Uint(1)),
        ]);
        assert_eq!(hex(&map), "a26161016162820203");
        assert_eq!(read(&write(&map)).unwrap(), read(&write(&map)).unwrap());
    }

    #[test]
    fn another_way_to_write_the_same_is_refused() {
        let cases = [
            ("1800", CborError::NotShortest(0)),
            ("190017", CborError::NotShortest(0)),
            ("1a0000ffff", CborError::NotShortest(0)),
            ("9fff", CborError::Kind(0)),
            ("fa47c35000", CborError::Kind(0)),
            ("f7", CborError::Kind(0)),
            ("f4", CborError::Kind(0)),
            ("61ff", CborError::Text(0)),
            ("a2616201616100", CborError::Order(0)),
            ("a2616101616100", CborError::Order(0)),
            ("0000", CborError::Trailing(1)),
            ("9bffffffffffffffff", CborError::Short),
            ("5bffffffffffffffff", CborError::Short),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read(&hex::decode(bytes).unwrap()).unwrap_err(), expected);
        }
        let mut many = vec![0x9A, 0, 1, 0, 0];
        many.extend([0; 65_536]);
        assert_eq!(read(&many).unwrap_err(), CborError::TooMany);
        assert_eq!(read(&[0x81; 4_000]).unwrap_err(), CborError::Deep(13));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = read(&bytes) {
                prop_assert_eq!(write(&value), bytes);
            }
        }
    }
}
