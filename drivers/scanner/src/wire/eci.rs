//! Extended channel interpretations: which charset a stretch of the content is in.
//!
//! Where a scanner follows the ECI protocol, `\nnnnnn` marks that interpretation `nnnnnn` begins, and a
//! backslash of the content is doubled (AIM ECI specification, ITS/04-001, clause on transmission;
//! ISO/IEC 18004, clause on transmitted data).
//! The numbers: AIM ECI assignments, as `zint --ecinos` lists them.

use encoding_rs::Encoding;
use thiserror::Error;
use zeroize::Zeroizing;

/// From where on an interpretation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EciMark {
    /// The first byte of the content that it is about.
    pub from: usize,
    /// Its number, at most 999999.
    pub number: u32,
}

/// Content without escapes, and where which interpretation begins.
#[derive(PartialEq, Eq)]
pub struct Unescaped {
    /// The bytes of the symbol.
    pub bytes: Zeroizing<Vec<u8>>,
    /// In the order of the content.
    pub marks: Vec<EciMark>,
}

impl std::fmt::Debug for Unescaped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unescaped({} bytes, {:?})", self.bytes.len(), self.marks)
    }
}

/// An escape that is none.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("a backslash at byte {at} begins neither a charset nor a backslash")]
pub struct EciError {
    /// Where in what was transmitted.
    pub at: usize,
}

/// Undoes the escapes of the ECI protocol.
///
/// # Errors
/// Where a backslash is followed by neither a backslash nor six digits: the scanner does not follow the
/// protocol that its identifier claims.
pub fn unescape(transmitted: &[u8]) -> Result<Unescaped, EciError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(transmitted.len()));
    let mut marks: Vec<EciMark> = Vec::new();
    let mut rest = transmitted;
    while let Some((first, after)) = rest.split_first() {
        if *first != b'\\' {
            bytes.push(*first);
            rest = after;
        } else if let Some(after) = after.strip_prefix(b"\\") {
            bytes.push(b'\\');
            rest = after;
        } else if let Some((number, after)) = six_digits(after) {
            let from = bytes.len();
            marks.retain(|mark| mark.from < from);
            marks.push(EciMark { from, number });
            rest = after;
        } else {
            return Err(EciError {
                at: transmitted.len().saturating_sub(rest.len()),
            });
        }
    }
    Ok(Unescaped { bytes, marks })
}

fn six_digits(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<6>()?;
    let number = digits.iter().try_fold(0u32, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        Some(number * 10 + u32::from(digit))
    })?;
    Some((number, rest))
}

/// What an interpretation makes of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpretation {
    /// Each byte is the character with its number (ISO/IEC 8859-1).
    Latin1,
    /// Seven bits.
    Ascii,
    /// A charset that has a decoder.
    Charset(&'static Encoding),
    /// Not text.
    Binary,
    /// A number that nothing here decodes.
    Unknown,
}

/// What interpretation `number` is.
///
/// ISO/IEC 8859-9 and -11 are decoded as Windows-1254 and -874, which differ from them only where those
/// have control characters.
#[must_use]
pub fn interpretation(number: u32) -> Interpretation {
    use encoding_rs as e;
    let charset = match number {
        1 | 3 => return Interpretation::Latin1,
        27 | 170 => return Interpretation::Ascii,
        899 => return Interpretation::Binary,
        4 => e::ISO_8859_2,
        5 => e::ISO_8859_3,
        6 => e::ISO_8859_4,
        7 => e::ISO_8859_5,
        8 => e::ISO_8859_6,
        9 => e::ISO_8859_7,
        10 => e::ISO_8859_8,
        11 => e::WINDOWS_1254,
        12 => e::ISO_8859_10,
        13 => e::WINDOWS_874,
        15 => e::ISO_8859_13,
        16 => e::ISO_8859_14,
        17 => e::ISO_8859_15,
        18 => e::ISO_8859_16,
        20 => e::SHIFT_JIS,
        21 => e::WINDOWS_1250,
        22 => e::WINDOWS_1251,
        23 => e::WINDOWS_1252,
        24 => e::WINDOWS_1256,
        25 => e::UTF_16BE,
        26 => e::UTF_8,
        28 => e::BIG5,
        29 | 31 => e::GBK,
        30 => e::EUC_KR,
        32 => e::GB18030,
        33 => e::UTF_16LE,
        _ => return Interpretation::Unknown,
    };
    Interpretation::Charset(charset)
}

impl Interpretation {
    /// The bytes as text, if they are text in this interpretation, whole and without error.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<Zeroizing<String>> {
        match self {
            Self::Latin1 => Some(Zeroizing::new(
                bytes.iter().map(|byte| char::from(*byte)).collect(),
            )),
            Self::Ascii if bytes.is_ascii() => Self::Latin1.decode(bytes),
            Self::Charset(charset) => charset
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(|text| Zeroizing::new(text.into_owned())),
            Self::Ascii | Self::Binary | Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_undone_and_marked() {
        let undone = unescape(br"a\000020b\\000026\000026c").unwrap();
        assert_eq!(undone.bytes.to_vec(), br"ab\000026c");
        assert_eq!(
            undone.marks,
            [
                EciMark {
                    from: 1,
                    number: 20
                },
                EciMark {
                    from: 9,
                    number: 26
                }
            ]
        );
    }

    #[test]
    fn the_later_of_two_marks_at_one_place_holds() {
        let undone = unescape(br"\000003\000026x").unwrap();
        assert_eq!(
            undone.marks,
            [EciMark {
                from: 0,
                number: 26
            }]
        );
    }

    #[test]
    fn every_truncation_of_an_escape_is_an_error_at_its_place() {
        let whole = br"ab\000026";
        for length in 3..whole.len() {
            assert_eq!(unescape(&whole[..length]), Err(EciError { at: 2 }));
        }
        assert_eq!(unescape(br"\00002x1"), Err(EciError { at: 0 }));
    }

    #[test]
    fn charsets_decode_what_is_theirs_and_refuse_the_rest() {
        for (number, bytes, text) in [
            (3, &b"caf\xE9"[..], Some("café")),
            (5, b"\xA1", Some("Ħ")),
            (20, b"\x8Es\x96\xF0\x8F\x8A", Some("市役所")),
            (20, b"\x8B", None),
            (25, b"\x5E\x02", Some("市")),
            (33, b"\x02\x5E", Some("市")),
            (26, "市役所".as_bytes(), Some("市役所")),
            (26, b"\xFF", None),
            (27, b"\x80", None),
            (899, b"abc", None),
            (777_777, b"abc", None),
        ] {
            let decoded = interpretation(number).decode(bytes);
            assert_eq!(decoded.as_ref().map(|text| text.as_str()), text, "{number}");
        }
    }

    proptest! {
        #[test]
        fn doubled_backslashes_come_back(content in proptest::collection::vec(prop_oneof![Just(b'\\'), any::<u8>()], 0..100)) {
            let mut sent = Vec::new();
            for byte in &content {
                sent.push(*byte);
                if *byte == b'\\' {
                    sent.push(*byte);
                }
            }
            let undone = unescape(&sent).unwrap();
            prop_assert_eq!(undone.bytes.to_vec(), content);
            prop_assert!(undone.marks.is_empty());
        }
    }
}
