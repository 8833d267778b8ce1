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
