//! Bytes and status words as upper-case hexadecimal text in the fault plan, as people write them.

/// A `u8` as two hexadecimal digits.
pub(crate) mod byte {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's `with` passes a reference"
    )]
    pub(crate) fn serialize<S: Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:02X}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<u8, D::Error> {
        let text = String::deserialize(source)?;
        if text.len() != 2 {
            return Err(D::Error::custom("expected two hexadecimal digits"));
        }
        u8::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

/// A `u16` as four hexadecimal digits.
pub(crate) mod word {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's `with` passes a reference"
    )]
    pub(crate) fn serialize<S: Serializer>(value: &u16, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:04X}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<u16, D::Error> {
        let text = String::deserialize(source)?;
        if text.len() != 4 {
            return Err(D::Error::custom("expected four hexadecimal digits"));
        }
        u16::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}
