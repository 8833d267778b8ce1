//! Membership in the repertoire of JIS X 0213:2004.
//!
//! The table `data/jis-x-0213-2004.txt` is made by `data/jis-x-0213-2004.py`, which writes into its header
//! how; a test of this module holds its checksum.
//! ASCII and the half-width katakana of JIS X 0201 count as members: every system that takes
//! JIS X 0213 takes them.

use std::{collections::BTreeMap, sync::LazyLock};

/// Lines `PPPP HH..`: the code points `PPPP00..=PPPPFF` as 256 bits, most significant bit first; and lines
/// `+ A B`: two code points that are one character.
const TABLE: &str = include_str!("../data/jis-x-0213-2004.txt");

static REPERTOIRE: LazyLock<Repertoire> = LazyLock::new(|| Repertoire::parse(TABLE));

/// Whether the character alone is a member.
pub(crate) fn contains(character: char) -> bool {
    let code = u32::from(character);
    let [low, ..] = code.to_le_bytes();
    REPERTOIRE
        .pages
        .get(&(code >> 8))
        .and_then(|page| page.get(usize::from(low / 8)))
        .is_some_and(|byte| byte & (0x80 >> (low % 8)) != 0)
}

/// Whether the two characters together are one member, such as か and U+309A.
pub(crate) fn contains_sequence(first: char, second: char) -> bool {
    REPERTOIRE.sequences.contains(&[first, second])
}

struct Repertoire {
    pages: BTreeMap<u32, Vec<u8>>,
    sequences: Vec<[char; 2]>,
}

impl Repertoire {
    /// Lines that do not fit are passed over; the test of the whole table would miss their characters.
    fn parse(table: &str) -> Self {
        let mut repertoire = Self {
            pages: BTreeMap::new(),
            sequences: Vec::new(),
        };
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("+"), Some(first), Some(second)) => {
                    let pair = character(first).zip(character(second));
                    repertoire
                        .sequences
                        .extend(pair.map(|(first, second)| [first, second]));
                }
                (Some(page), Some(bits), None) => {
                    let page = u32::from_str_radix(page, 16)
                        .ok()
                        .zip(hex::decode(bits).ok());
                    repertoire.pages.extend(page);
                }
                _ => {}
            }
        }
        repertoire
    }
}

fn character(code: &str) -> Option<char> {
    u32::from_str_radix(code, 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use ring::digest::{SHA256, digest};

    use super::*;

    #[test]
    fn the_table_is_the_one_that_the_script_makes() {
        let found = hex::encode(digest(&SHA256, TABLE.as_bytes()));
        assert_eq!(
            found,
            "4c13b8b4d237074a0604bf2ac08f9b7c115b7796cb8221646b2c6b53941b6078"
        );
    }

    #[test]
    fn the_repertoire_has_as_many_characters_as_the_standard_says() {
        let members = ('\0'..=char::MAX)
            .filter(|character| contains(*character))
            .count();
        // JIS X 0213:2004 has 11,233 characters, 25 of them sequences; beside them stand 95 of ASCII and 63
        // half-width katakana, and 6 code points that name characters counted already.
        assert_eq!(members, 11_233 - 25 + 95 + 63 + 6);
        assert_eq!(REPERTOIRE.sequences.len(), 25);
    }

    #[test]
    fn members_and_strangers_are_told_apart() {
        // The ends of the levels of kanji, the ten that the edition of 2004 added, and signs.
        for member in "　、亜腕弌熙𠂉𪚲俱剝𠮟吞噓姸屛幷瘦繫𠀋丂叱①㈱ゔヷ♪－〜～ｱ€".chars()
        {
            assert!(contains(member), "{member}");
        }
        for stranger in "髙𠮷丄𫝆가😀\u{3099}\u{309A}\u{E000}\u{0}".chars() {
            assert!(!contains(stranger), "{stranger}");
        }
        assert!(contains_sequence('か', '\u{309A}'));
        assert!(!contains_sequence('か', '\u{3099}'));
    }
}
