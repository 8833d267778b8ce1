//! Which character a byte stands for.
//!
//! Code pages by the numbers of `ESC t` in Epson's reference: 0 is PC437, 1 is Katakana.
//! The graphic characters of the Katakana page are those of the PC-9801, as receiptline uses them.

use encoding_rs::{EUC_JP, Encoding, IBM866, SHIFT_JIS, WINDOWS_1252};

const PC437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
const KATAKANA_LOW: &str = "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯";
const KATAKANA_HIGH: &str = "═╞╪╡◢◣◥◤♠♥♦♣●○╱╲╳円年月日時分秒〒市区町村人▒ ";

/// The character of one byte on `page`; `japan` makes a yen sign of the backslash, as `ESC R 8` does.
pub(crate) fn single(byte: u8, page: u8, japan: bool) -> char {
    match (byte, page) {
        (b'\\', _) if japan => '¥',
        (0x20..=0x7E, _) => char::from(byte),
        (0x80..=0x9F, 1) => nth(KATAKANA_LOW, byte - 0x80),
        (0xA0, 1) => ' ',
        (0xA1..=0xDF, 1) => decode(SHIFT_JIS, &[byte]),
        (0xE0..=0xFF, 1) => nth(KATAKANA_HIGH, byte - 0xE0),
        (0x80..=0xFF, 16) => decode(WINDOWS_1252, &[byte]),
        (0x80..=0xFF, 17) => decode(IBM866, &[byte]),
        (0x80..=0xFF, _) => nth(PC437, byte - 0x80),
        _ => '\u{FFFD}',
    }
}

/// Whether a byte is the first of two in Shift_JIS.
pub(crate) const fn is_lead(byte: u8) -> bool {
    matches!(byte, 0x81..=0x9F | 0xE0..=0xFC)
}

/// A kanji in Shift_JIS.
pub(crate) fn shift_jis(lead: u8, trail: u8) -> char {
    decode(SHIFT_JIS, &[lead, trail])
}

/// A kanji in JIS X 0208.
pub(crate) fn jis(first: u8, second: u8) -> char {
    decode(EUC_JP, &[first | 0x80, second | 0x80])
}

fn decode(encoding: &'static Encoding, bytes: &[u8]) -> char {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    text.chars().next().unwrap_or('\u{FFFD}')
}

fn nth(table: &str, index: u8) -> char {
    table.chars().nth(usize::from(index)).unwrap_or('\u{FFFD}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_for_the_characters_of_their_page() {
        // PC437 by the Unicode consortium's mapping table, the rest by JIS X 0201 and JIS X 0208.
        for (byte, page, wanted) in [
            (0x80, 0, 'Ç'),
            (0x9B, 0, '¢'),
            (0xC4, 0, '─'),
            (0xE1, 0, 'ß'),
            (0xFE, 0, '■'),
            (0x95, 1, '─'),
            (0xB1, 1, 'ｱ'),
            (0xE9, 16, 'é'),
        ] {
            assert_eq!(single(byte, page, false), wanted, "{byte:02X} on {page}");
        }
        assert_eq!(single(b'\\', 0, true), '¥');
        assert_eq!(shift_jis(0x8E, 0x73), '市');
        assert_eq!(jis(0x3B, 0x54), '市');
        assert_eq!(
            (PC437.chars().count(), KATAKANA_LOW.chars().count()),
            (128, 32)
        );
        assert_eq!(KATAKANA_HIGH.chars().count(), 32);
    }
}
