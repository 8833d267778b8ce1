//! What characters a receiver takes, and what happens to the others.
//!
//! CP932 is the table of `encoding_rs`, the WHATWG's Shift_JIS, which is Windows code page 932.
//! Its encoder is kind where we must be exact: it writes U+00A5 and U+203E as the bytes of `\` and `~`, and
//! U+2212 as full-width hyphen. So a character counts as encodable only if its bytes decode to itself.

use encoding_rs::SHIFT_JIS;
use serde::Deserialize;

/// The mark that stands for a missing character in print: 〓.
pub(crate) const GETA: &str = "\u{3013}";

/// The encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    /// UTF-8 with a byte order mark, so that spreadsheets do not guess.
    #[serde(rename = "utf-8-bom")]
    Utf8Bom,
    /// Windows code page 932.
    #[serde(rename = "cp932")]
    Cp932,
}

/// Which characters of the encoding the receiver can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repertoire {
    /// All of the encoding.
    #[default]
    Encoding,
    /// ASCII, half-width katakana and JIS X 0208 only: not the extensions of NEC and IBM, to which 髙 belongs.
    #[serde(rename = "jis-x-0208")]
    JisX0208,
}

/// A character that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmappable {
    /// The row, counted from 1.
    pub row: usize,
    /// The source field, or the column's header where it holds a constant.
    pub field: String,
    /// Its position in the value after the column's transforms, in characters, counted from 1.
    pub position: usize,
    /// The character.
    pub character: char,
}

impl Unmappable {
    /// The code point, as `U+20BB7`.
    #[must_use]
    pub fn code_point(&self) -> String {
        format!("U+{:04X}", u32::from(self.character))
    }
}

impl Encoding {
    /// What a file begins with.
    pub(crate) const fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8Bom => &[0xEF, 0xBB, 0xBF],
            Self::Cp932 => &[],
        }
    }

    /// Whether the receiver can take this character.
    pub(crate) fn takes(self, repertoire: Repertoire, one: char) -> bool {
        let Some(bytes) = cp932(one) else {
            return self == Self::Utf8Bom && repertoire == Repertoire::Encoding;
        };
        match repertoire {
            Repertoire::Encoding => true,
            Repertoire::JisX0208 => in_jis_x_0208(&bytes),
        }
    }

    /// The bytes of a text of which every character was found takeable; `None` otherwise.
    pub(crate) fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8Bom => Some(text.as_bytes().to_vec()),
            Self::Cp932 => {
                let mut bytes = Vec::with_capacity(text.len());
                for one in text.chars() {
                    bytes.extend_from_slice(&cp932(one)?);
                }
                Some(bytes)
            }
        }
    }

    /// How many bytes a takeable text has.
    pub(crate) fn length(self, text: &str) -> usize {
        match self {
            Self::Utf8Bom => text.len(),
            Self::Cp932 => text
                .chars()
                .filter_map(cp932)
                .map(|bytes| bytes.len())
                .sum(),
        }
    }
}

/// The bytes of one character, if they mean this character.
fn cp932(one: char) -> Option<Vec<u8>> {
    let mut buffer = [0; 4];
    let text: &str = one.encode_utf8(&mut buffer);
    let (bytes, _, failed) = SHIFT_JIS.encode(text);
    let (back, _) = SHIFT_JIS.decode_without_bom_handling(&bytes);
    (!failed && back == text).then(|| bytes.into_owned())
}

/// Rows 1-8 and 16-84 of JIS X 0208 are the lead bytes 81-84, 88-9F and E0-EA; row 13 (87) is NEC's, 89 to 92
/// (ED, EE) and 115 to 119 (FA-FC) are IBM's.
fn in_jis_x_0208(bytes: &[u8]) -> bool {
    match bytes {
        [_] => true,
        [lead, _] => matches!(lead, 0x81..=0x84 | 0x88..=0x9F | 0xE0..=0xEA),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Repertoire};

    fn cp932(one: char) -> bool {
        Encoding::Cp932.takes(Repertoire::Encoding, one)
    }

    #[test]
    fn what_would_be_replaced_silently_counts_as_missing() {
        for one in [
            '¥',
            '‾',
            '−',
            '〜',
            '𠮷',
            '\u{E0100}',
            '\u{E000}',
            '\u{3099}',
            'é',
        ] {
            assert!(!cp932(one), "{one:?}");
            assert!(Encoding::Utf8Bom.takes(Repertoire::Encoding, one));
        }
        for one in ['髙', '﨑', '～', '－', 'ｱ', '①', '∥', 'A'] {
            assert!(cp932(one), "{one}");
        }
    }

    #[test]
    fn the_extensions_are_not_jis_x_0208() {
        for encoding in [Encoding::Cp932, Encoding::Utf8Bom] {
            for one in ['髙', '﨑', '①', '㈱', '𠮷'] {
                assert!(!encoding.takes(Repertoire::JisX0208, one), "{one}");
            }
            for one in ['高', '崎', '熙', '〓', 'ｱ', 'A'] {
                assert!(encoding.takes(Repertoire::JisX0208, one), "{one}");
            }
        }
    }

    #[test]
    fn published_bytes() {
        // JIS X 0208 row-cell 25-66 and the IBM extension 118-94, as in Microsoft's table of code page 932.
        assert_eq!(
            Encoding::Cp932.encode("高髙ｱA").unwrap(),
            b"\x8d\x82\xfb\xfc\xb1A"
        );
        assert_eq!(Encoding::Cp932.length("高髙ｱA"), 6);
        assert_eq!(Encoding::Cp932.encode("𠮷"), None);
    }
}
