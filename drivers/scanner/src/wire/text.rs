//! Content as text: which charset a code's bytes are in, and how sure that is.
//!
//! A QR code without ECI does not say its charset; in Japan it may be UTF-8 or Shift_JIS (CP932), and
//! some byte strings are well-formed in both. No guess can be right always, so the rule that fired and
//! whether another reading was possible are told, and the bytes are kept beside the text.
//!
//! | order | rule | certain |
//! |---|---|---|
//! | 1 | the code names its charsets ([`TextRule::Eci`]) | yes |
//! | 2 | seven bits ([`TextRule::Ascii`]) | yes |
//! | 3 | well-formed UTF-8 ([`TextRule::Utf8`]) | if it is Japanese, or is not well-formed in CP932 |
//! | 4 | well-formed CP932 ([`TextRule::Cp932`]) | if it looks like Japanese |
//!
//! Bytes of CP932 are well-formed UTF-8 by chance only where they are half-width katakana or rare kanji,
//! so what is Japanese in UTF-8 is meant so; but the two bytes of `ϴ` are also `ﾏｴ` in half-width katakana.
//!
//! What is none of these is bytes without text.

use std::fmt;

use encoding_rs::SHIFT_JIS;
use zeroize::Zeroizing;

use super::eci::{EciMark, Interpretation, interpretation};

/// Text of a code, with how it was found.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodedText {
    /// The text.
    pub text: Zeroizing<String>,
    /// Which rule made it.
    pub rule: TextRule,
    /// Whether no other reading of the bytes was worth considering.
    pub certain: bool,
}

impl fmt::Debug for DecodedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodedText")
            .field("text", &format_args!("{} bytes", self.text.len()))
            .field("rule", &self.rule)
            .field("certain", &self.certain)
            .finish()
    }
}

/// How text was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextRule {
    /// The code names its charsets.
    Eci,
    /// Every byte has seven bits.
    Ascii,
    /// The bytes are well-formed UTF-8 with characters beyond ASCII.
    Utf8,
    /// The bytes are well-formed CP932.
    Cp932,
}

impl TextRule {
    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eci => "eci",
            Self::Ascii => "ascii",
            Self::Utf8 => "utf8",
            Self::Cp932 => "cp932",
        }
    }
}

/// The text of `content`, whose charsets `marks` name where the code does.
#[must_use]
pub fn decode(content: &[u8], marks: &[EciMark]) -> Option<DecodedText> {
    if marks.is_empty() {
        return guess(content);
    }
    // No charset makes more of a byte, and a buffer that grew would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(content.len().saturating_mul(3)));
    let mut certain = true;
    let first = marks.first().map_or(0, |mark| mark.from);
    if let Some(unmarked) = content.get(..first).filter(|bytes| !bytes.is_empty()) {
        // By the standard the default charset holds; in practice it is as unknown as ever.
        let guessed = guess(unmarked)?;
        certain = guessed.certain;
        text.push_str(&guessed.text);
    }
    for (index, mark) in marks.iter().enumerate() {
        let to = marks.get(index + 1).map_or(content.len(), |next| next.from);
        let bytes = content.get(mark.from..to)?;
        text.push_str(&interpretation(mark.number).decode(bytes)?);
    }
    Some(DecodedText {
        text,
        rule: TextRule::Eci,
        certain,
    })
}

fn guess(content: &[u8]) -> Option<DecodedText> {
    let rival = Interpretation::Charset(SHIFT_JIS).decode(content);
    if let Ok(text) = str::from_utf8(content) {
        let ascii = content.is_ascii();
        return Some(DecodedText {
            text: Zeroizing::new(text.strip_prefix('\u{FEFF}').unwrap_or(text).to_owned()),
            rule: if ascii {
                TextRule::Ascii
            } else {
                TextRule::Utf8
            },
            certain: ascii || rival.is_none() || is_japanese(text),
        });
    }
    rival.map(|text| DecodedText {
        certain: looks_japanese(&text),
        rule: TextRule::Cp932,
        text,
    })
}

/// Whether every character beyond ASCII is one that Japanese is written with.
fn is_japanese(text: &str) -> bool {
    let mut beyond = text.chars().filter(|character| !character.is_ascii());
    beyond.all(|character| {
        matches!(character,
            '\u{3000}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
            | '\u{FF01}'..='\u{FF9F}' | '\u{20000}'..='\u{3FFFF}' | '\u{FEFF}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
    })
}

/// Whether text that was decoded as CP932 looks like what a Japanese form would hold.
///
/// Latin-1 and other charsets turn into half-width katakana and rare kanji, so these must not outweigh
/// the everyday characters: kana, full-width letters, kanji of the first level (the first 2965 of
/// JIS X 0208). A vendor's private characters (外字) mean something else on each machine.
fn looks_japanese(text: &str) -> bool {
    let (mut everyday, mut rare, mut half) = (0usize, 0usize, 0usize);
    for character in text.chars().filter(|character| !character.is_ascii()) {
        match character {
            '\u{3000}'..='\u{30FF}' | '\u{FF01}'..='\u{FF5E}' => everyday += 1,
            '\u{4E00}'..='\u{9FFF}' if first_level(character) => everyday += 1,
            '\u{FF61}'..='\u{FF9F}' => half += 1,
            '\u{E000}'..='\u{F8FF}' => return false,
            _ => rare += 1,
        }
    }
    everyday > half && 2 * everyday >= rare
}

/// Rows 16 to 47 of JIS X 0208 are 889F to 9872 in CP932.
fn first_level(character: char) -> bool {
    let mut buffer = [0u8; 4];
    let (encoded, _, unmappable) = SHIFT_JIS.encode(character.encode_utf8(&mut buffer));
    !unmappable
        && encoded
            .first_chunk::<2>()
            .is_some_and(|pair| (0x889F..=0x9872).contains(&u16::from_be_bytes(*pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<(String, TextRule, bool)> {
        decode(bytes, &[]).map(|found| (found.text.to_string(), found.rule, found.certain))
    }

    fn cp932(text: &str) -> Vec<u8> {
        let (bytes, _, unmappable) = SHIFT_JIS.encode(text);
        assert!(!unmappable, "{text}");
        bytes.into_owned()
    }

    const TEXTS: [&str; 8] = [
        "北海道旭川市６条通９丁目",
        "山田 太郎",
        "ヤマダ　タロウ",
        "令和８年１１月２１日",
        "住民票の写し 1通 300円",
        "大阪府大阪市北区中之島1-3-20",
        "渡邊",
        "御坊市薗350番地",
    ];

    #[test]
    fn everyday_text_is_found_in_both_charsets() {
        for text in TEXTS {
            let (found, rule, certain) = read(text.as_bytes()).unwrap();
            assert_eq!((found.as_str(), rule), (text, TextRule::Utf8));
            assert!(certain, "{text}");
            let (found, rule, certain) = read(&cp932(text)).unwrap();
            assert_eq!((found.as_str(), rule), (text, TextRule::Cp932));
            assert!(certain, "{text}");
        }
    }

    #[test]
    fn seven_bits_need_no_guess() {
        assert_eq!(
            read(b"A-001\x1d2").unwrap(),
            ("A-001\u{1d}2".to_owned(), TextRule::Ascii, true)
        );
    }

    #[test]
    fn text_that_both_charsets_can_be_is_marked() {
        // CF B4: a Greek letter, or 前 in the half-width katakana of an old system.
        let (text, rule, certain) = read(&cp932("ﾏｴ")).unwrap();
        assert_eq!((text.as_str(), rule, certain), ("ϴ", TextRule::Utf8, false));
        let (text, rule, certain) = read(&cp932("ﾔﾏﾀﾞ")).unwrap();
        assert_eq!(
            (text.as_str(), rule, certain),
            ("ﾔﾏﾀﾞ", TextRule::Cp932, false)
        );
        // A rare kanji alone says little.
        assert!(!read(&cp932("邊")).unwrap().2);
        // Each of these letters is two half-width katakana.
        assert!(!read("Müller é".as_bytes()).unwrap().2);
    }

    #[test]
    fn characters_beyond_the_basic_plane_and_selectors_are_japanese_too() {
        for text in ["𠮷田", "葛\u{E0100}城市", "\u{FEFF}市役所"] {
            let (found, rule, certain) = read(text.as_bytes()).unwrap();
            assert_eq!(found, text.trim_start_matches('\u{FEFF}'));
            assert_eq!((rule, certain), (TextRule::Utf8, true));
        }
    }

    #[test]
    fn latin_bytes_that_happen_to_be_cp932_are_not_certain() {
        // "café" in ISO 8859-1 is well-formed CP932 only with a following byte; alone it is no text.
        assert_eq!(read(b"caf\xE9"), None);
        let (_, rule, certain) =
            read(b"Stra\xDFe 1, M\xFCnchen").unwrap_or((String::new(), TextRule::Ascii, false));
        assert!(!certain && rule != TextRule::Utf8);
    }

    #[test]
    fn private_characters_of_vendors_are_never_certain() {
        let (text, rule, certain) = read(b"\xF0\x40").unwrap();
        assert_eq!(
            (text.as_str(), rule, certain),
            ("\u{E000}", TextRule::Cp932, false)
        );
    }

    #[test]
    fn eci_wins_over_every_guess() {
        let bytes = "あ".as_bytes();
        let marks = [EciMark {
            from: 0,
            number: 20,
        }];
        assert_eq!(
            decode(bytes, &marks),
            None,
            "E3 81 82 is cut off in Shift_JIS"
        );
        let marks = [EciMark { from: 0, number: 3 }];
        let found = decode(bytes, &marks).unwrap();
        assert_eq!(found.text.as_str(), "ã\u{81}\u{82}");
        assert_eq!((found.rule, found.certain), (TextRule::Eci, true));
    }

    #[test]
    fn stretches_in_different_charsets_are_one_text() {
        let mut bytes = b"No.".to_vec();
        bytes.extend(cp932("市"));
        bytes.extend("役所".as_bytes());
        let marks = [
            EciMark {
                from: 3,
                number: 20,
            },
            EciMark {
                from: 5,
                number: 26,
            },
        ];
        assert_eq!(decode(&bytes, &marks).unwrap().text.as_str(), "No.市役所");
    }

    #[test]
    fn binary_is_no_text() {
        assert_eq!(read(&[0x00, 0xFF, 0xFE, 0x80]), None);
        assert_eq!(
            decode(
                b"abc",
                &[EciMark {
                    from: 0,
                    number: 899
                }]
            ),
            None
        );
        assert_eq!(
            decode(
                b"abc",
                &[EciMark {
                    from: 9,
                    number: 26
                }]
            ),
            None
        );
    }

    #[test]
    fn every_truncation_is_read_or_refused() {
        for text in TEXTS {
            for bytes in [text.as_bytes().to_vec(), cp932(text)] {
                for length in 0..bytes.len() {
                    let _ = read(&bytes[..length]);
                }
            }
        }
    }
}
