//! Base45 (RFC 9285): bytes in the alphabet of a QR code's alphanumeric mode.
//!
//! Chosen for our own payloads because these characters survive every way to the machine, a keyboard
//! included, and cost 3% in the code.

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// The bytes as text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for pair in bytes.chunks(2) {
        let (mut value, digits) = match *pair {
            [high, low] => (u32::from(high) * 256 + u32::from(low), 3),
            [one] => (u32::from(one), 2),
            _ => (0, 0),
        };
        for _ in 0..digits {
            let digit = usize::try_from(value % 45).unwrap_or(0);
            text.extend(ALPHABET.get(digit).map(|digit| char::from(*digit)));
            value /= 45;
        }
    }
    text
}

/// The bytes of `text`, unless it is not Base45.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for group in text.chunks(3) {
        let mut value = 0u32;
        for digit in group.iter().rev() {
            let digit = ALPHABET.iter().position(|known| known == digit)?;
            value = value * 45 + u32::try_from(digit).ok()?;
        }
        match group.len() {
            3 => bytes.extend_from_slice(&u16::try_from(value).ok()?.to_be_bytes()),
            2 => bytes.push(u8::try_from(value).ok()?),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_specification() {
        // RFC 9285, clauses 4.3 and 4.4.
        for (bytes, text) in [
            (&b"AB"[..], "BB8"),
            (b"Hello!!", "%69 VD92EX0"),
            (b"base-45", "UJCLQE7W581"),
            (b"ietf!", "QED8WEX0"),
            (b"", ""),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes);
        }
        // Clause 6: GGW is 65535, and above it is an error.
        assert_eq!(decode(b"FGW").unwrap(), [0xFF, 0xFF]);
        for wrong in ["GGW", ":::", "A", "BB8A", "::", "bb8", "BB\u{1d}"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()).unwrap(), bytes);
        }
    }
}
