//! Text about a citizen: erased when dropped, never printed, never altered; and what is special in it.
//!
//! Text is kept exactly as the card holds it, variation sequences and private-use characters included:
//! a name that lost a stroke is another name.
//! What other systems may not take, or show differently, is pointed out beside the text.

use std::fmt;

use zeroize::Zeroizing;

use crate::jis_x_0213;

/// Text about a citizen. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalText(Zeroizing<String>);

impl PersonalText {
    /// Takes over `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Text that a card holds; `None` when it is not UTF-8. Nothing is replaced and nothing dropped.
    pub(crate) fn from_utf8(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes)
            .ok()
            .map(|text| Self::new(text.to_owned()))
    }

    /// The text, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PersonalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalText(..)")
    }
}

/// A character that a person should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextNotice {
    /// Its position in the text, counted in Unicode scalar values from 0.
    pub position: u32,
    /// What is special about it.
    pub kind: NoticeKind,
}

/// What is special about a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// Not in JIS X 0213:2004: other systems may not take it.
    OutsideJisX0213,
    /// In a private-use area: its shape depends on a supplied font.
    PrivateUse,
    /// A variation selector follows it: the shape differs from the plain character.
    VariationSequence,
    /// U+FFFD, a control character, or a code point that is no character: damaged before we read it.
    Damaged,
}

/// Points out what is special in a text.
///
/// A sequence of two characters that JIS X 0213 knows as one, such as か with U+309A, is not special.
#[must_use]
pub fn examine(text: &str) -> Vec<TextNotice> {
    let mut notices = Vec::new();
    let mut position = 0;
    // Walked without a copy of the text, which would have to be erased.
    let mut rest = text.chars();
    while let Some(first) = rest.next() {
        let second = rest.clone().next();
        let composed = second.is_some_and(|second| jis_x_0213::contains_sequence(first, second));
        let selected = second.is_some_and(is_variation_selector) && !is_variation_selector(first);
        let alone = if composed {
            None
        } else {
            what_is_special(first)
        };
        let sequence = selected.then_some(NoticeKind::VariationSequence);
        let kinds = alone.into_iter().chain(sequence);
        notices.extend(kinds.map(|kind| TextNotice { position, kind }));
        if composed || selected {
            rest.next();
            position += 1;
        }
        position += 1;
    }
    notices
}

fn what_is_special(character: char) -> Option<NoticeKind> {
    if is_damaged(character) {
        Some(NoticeKind::Damaged)
    } else if is_private_use(character) {
        Some(NoticeKind::PrivateUse)
    } else if jis_x_0213::contains(character) {
        None
    } else {
        Some(NoticeKind::OutsideJisX0213)
    }
}

fn is_damaged(character: char) -> bool {
    let code = u32::from(character);
    let no_character = (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE;
    character.is_control() || character == '\u{FFFD}' || no_character
}

/// The private-use area of the basic plane, and planes 15 and 16.
const fn is_private_use(character: char) -> bool {
    matches!(character, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

const fn is_variation_selector(character: char) -> bool {
    matches!(character, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(u32, NoticeKind)]) {
        let found: Vec<_> = examine(text)
            .iter()
            .map(|it| (it.position, it.kind))
            .collect();
        assert_eq!(found, expected, "{}", text.escape_unicode());
    }

    #[test]
    fn ordinary_text_has_nothing_special() {
        check("", &[]);
        check("東京都清瀬市観布子南１２－７－２０２", &[]);
        check("ＳＭＩＴＨ　ＪＯＨＮ Smith ｽﾐｽ 〆々ゝ", &[]);
        check("葛飾区亀有", &[]);
    }

    #[test]
    fn characters_outside_the_repertoire_are_pointed_out_where_they_stand() {
        check(
            "髙𠮷",
            &[
                (0, NoticeKind::OutsideJisX0213),
                (1, NoticeKind::OutsideJisX0213),
            ],
        );
        check("田\u{2B740}", &[(1, NoticeKind::OutsideJisX0213)]);
        check("a\u{202E}b", &[(1, NoticeKind::OutsideJisX0213)]);
    }

    #[test]
    fn private_use_in_every_plane_is_pointed_out() {
        for character in [
            '\u{E000}',
            '\u{F8FF}',
            '\u{F0000}',
            '\u{FFFFD}',
            '\u{100000}',
            '\u{10FFFD}',
        ] {
            check(&format!("山{character}"), &[(1, NoticeKind::PrivateUse)]);
        }
    }

    #[test]
    fn a_variation_sequence_is_one_notice_at_its_base() {
        check("渡邊\u{E0100}", &[(1, NoticeKind::VariationSequence)]);
        check("邊\u{FE00}邉", &[(0, NoticeKind::VariationSequence)]);
    }

    #[test]
    fn a_special_base_with_a_selector_is_both() {
        check(
            "髙\u{E0101}",
            &[
                (0, NoticeKind::OutsideJisX0213),
                (0, NoticeKind::VariationSequence),
            ],
        );
        check(
            "\u{100001}\u{E0101}",
            &[
                (0, NoticeKind::PrivateUse),
                (0, NoticeKind::VariationSequence),
            ],
        );
    }

    #[test]
    fn a_selector_without_base_is_a_character_of_its_own() {
        check("\u{E0100}山", &[(0, NoticeKind::OutsideJisX0213)]);
        check(
            "山\u{E0100}\u{E0101}",
            &[
                (0, NoticeKind::VariationSequence),
                (2, NoticeKind::OutsideJisX0213),
            ],
        );
    }

    #[test]
    fn a_sequence_that_is_one_character_is_not_special() {
        check("か\u{309A}セ\u{309A}\u{E6}\u{300}", &[]);
        // Not a character of JIS X 0213, unlike the two above.
        check("あ\u{309A}", &[(1, NoticeKind::OutsideJisX0213)]);
        check("か\u{3099}", &[(1, NoticeKind::OutsideJisX0213)]);
    }

    #[test]
    fn damage_is_pointed_out() {
        for character in [
            '\u{FFFD}',
            '\u{0}',
            '\n',
            '\u{7F}',
            '\u{85}',
            '\u{FFFE}',
            '\u{FDD0}',
            '\u{10FFFF}',
        ] {
            check(&format!("山{character}"), &[(1, NoticeKind::Damaged)]);
        }
    }

    #[test]
    fn positions_count_characters_and_not_bytes() {
        check("𠀋𠀋髙", &[(2, NoticeKind::OutsideJisX0213)]);
    }
}
