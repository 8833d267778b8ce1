//! The closed list of what a template may do to a value.
//!
//! A transform that does not understand a value refuses it; none drops what it does not know.

use serde::Deserialize;

use crate::{cell::ValueFault, date::CivilDate, width};

/// One change of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Transform {
    /// `2026-11-21` as `20261121`.
    DateCompact,
    /// `2026-11-21` as `R08.11.21`.
    DateWareki,
    /// All of it in full width.
    FullWidth,
    /// All of it in half width; refused where a character has no such form.
    HalfWidth,
    /// Hiragana as katakana.
    Katakana,
    /// Katakana as hiragana.
    Hiragana,
    /// Digits without what people put between them; refused where anything else occurs.
    DigitsOnly,
}

impl Transform {
    /// Applies the change. An empty value stays empty.
    pub(crate) fn apply(self, text: &str) -> Result<String, ValueFault> {
        if text.is_empty() {
            return Ok(String::new());
        }
        match self {
            Self::DateCompact => Ok(date(text)?.compact()),
            Self::DateWareki => date(text)?.wareki().ok_or(ValueFault::NotADate),
            Self::FullWidth => Ok(width::full(text)),
            Self::HalfWidth => {
                let half = width::half(text);
                let left = half.chars().position(width::is_full);
                left.map_or(Ok(half), |at| {
                    Err(ValueFault::NotHalfWidth { position: at + 1 })
                })
            }
            Self::Katakana => Ok(width::katakana(text)),
            Self::Hiragana => Ok(width::hiragana(text)),
            Self::DigitsOnly => digits(text),
        }
    }
}

fn date(text: &str) -> Result<CivilDate, ValueFault> {
    CivilDate::parse(text).ok_or(ValueFault::NotADate)
}

fn digits(text: &str) -> Result<String, ValueFault> {
    let mut out = String::with_capacity(text.len());
    for (index, one) in text.chars().enumerate() {
        match one {
            '0'..='9' => out.push(one),
            '０'..='９' => out.push_str(&width::half(one.encode_utf8(&mut [0; 4]))),
            // Hyphens, dashes and minus signs as keyboards and other systems produce them; spaces; brackets.
            '-' | '－' | '‐' | '‑' | '–' | '—' | '―' | '−' | 'ー' | 'ｰ' | ' ' | '\u{3000}'
            | '(' | ')' | '（' | '）' => {}
            _ => {
                return Err(ValueFault::NotADigit {
                    position: index + 1,
                });
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::Transform;
    use crate::cell::ValueFault;

    #[test]
    fn each_transform_does_its_one_thing() {
        for (transform, input, expected) in [
            (Transform::DateCompact, "1989-01-07", "19890107"),
            (Transform::DateWareki, "1989-01-07", "S64.01.07"),
            (Transform::DateWareki, "", ""),
            (Transform::FullWidth, "1-2 ｶﾞ髙", "１－２　ガ髙"),
            (Transform::HalfWidth, "タカハシ　ガ１", "ﾀｶﾊｼ ｶﾞ1"),
            (Transform::Katakana, "たかはし", "タカハシ"),
            (Transform::Hiragana, "タカハシ", "たかはし"),
            (Transform::DigitsOnly, "０90（1234）5678", "09012345678"),
            (Transform::DigitsOnly, "640‐8511", "6408511"),
        ] {
            assert_eq!(transform.apply(input).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_dropped() {
        for (transform, input, fault) in [
            (Transform::DateCompact, "1950-00-00", ValueFault::NotADate),
            (Transform::DateWareki, "1872-01-01", ValueFault::NotADate),
            (
                Transform::HalfWidth,
                "ｱ髙",
                ValueFault::NotHalfWidth { position: 2 },
            ),
            (
                Transform::DigitsOnly,
                "06-x",
                ValueFault::NotADigit { position: 4 },
            ),
        ] {
            assert_eq!(transform.apply(input).unwrap_err(), fault);
        }
    }
}
