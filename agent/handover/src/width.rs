//! Full and half width, hiragana and katakana.
//!
//! Pairs are those of JIS X 0201 and JIS X 0208 as Unicode's block "Halfwidth and Fullwidth Forms" lists them:
//! ASCII 21-7E against U+FF01-FF5E, half-width katakana U+FF61-FF9F against their full-width counterparts.
//! A voiced half-width kana is two characters and becomes one, and back.

/// Half-width katakana from U+FF61, in the order of JIS X 0201.
const FULL_KANA: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
const VOICED: &str = "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴヷヺ";
const VOICED_BASE: &str = "カキクケコサシスセソタチツテトハヒフヘホウワヲ";
const PLOSIVE: &str = "パピプペポ";
const PLOSIVE_BASE: &str = "ハヒフヘホ";
const VOICE_MARK: char = '\u{FF9E}';
const PLOSIVE_MARK: char = '\u{FF9F}';

/// Every character that has a full-width form in that form.
pub(crate) fn full(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text.chars().peekable();
    while let Some(one) = rest.next() {
        let wide = full_one(one);
        let composed = match rest.peek() {
            Some(&VOICE_MARK) if half_kana(one) => pair(VOICED_BASE, VOICED, wide),
            Some(&PLOSIVE_MARK) if half_kana(one) => pair(PLOSIVE_BASE, PLOSIVE, wide),
            _ => None,
        };
        if composed.is_some() {
            rest.next();
        }
        out.push(composed.unwrap_or(wide));
    }
    out
}

/// Every character that has a half-width form in that form; the others stay.
pub(crate) fn half(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        let (base, mark) = match (
            pair(VOICED, VOICED_BASE, one),
            pair(PLOSIVE, PLOSIVE_BASE, one),
        ) {
            (Some(base), _) => (base, Some(VOICE_MARK)),
            (None, Some(base)) => (base, Some(PLOSIVE_MARK)),
            (None, None) => (one, None),
        };
        out.push(half_one(base));
        out.extend(mark);
    }
    out
}

/// Whether a character takes a full cell of a legacy form: everything but ASCII and half-width katakana.
pub(crate) fn is_full(one: char) -> bool {
    !one.is_ascii() && !half_kana(one)
}

/// Hiragana as katakana.
pub(crate) fn katakana(text: &str) -> String {
    shift(text, 'ぁ'..='ゖ', 0x60)
}

/// Katakana, full-width, as hiragana. ヷ to ヺ have none and stay.
pub(crate) fn hiragana(text: &str) -> String {
    shift(text, 'ァ'..='ヶ', -0x60)
}

fn shift(text: &str, range: std::ops::RangeInclusive<char>, by: i32) -> String {
    text.chars()
        .map(|one| {
            if range.contains(&one) {
                u32::from(one)
                    .checked_add_signed(by)
                    .and_then(char::from_u32)
                    .unwrap_or(one)
            } else {
                one
            }
        })
        .collect()
}

fn half_kana(one: char) -> bool {
    ('\u{FF61}'..='\u{FF9F}').contains(&one)
}

fn full_one(one: char) -> char {
    match one {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(one) + 0xFEE0).unwrap_or(one),
        '\u{FF61}'..='\u{FF9F}' => {
            let index = u32::from(one) - 0xFF61;
            usize::try_from(index)
                .ok()
                .and_then(|index| FULL_KANA.chars().nth(index))
                .unwrap_or(one)
        }
        _ => one,
    }
}

fn half_one(one: char) -> char {
    match one {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(one) - 0xFEE0).unwrap_or(one),
        _ => FULL_KANA
            .chars()
            .zip('\u{FF61}'..='\u{FF9F}')
            .find_map(|(full, half)| (full == one).then_some(half))
            .unwrap_or(one),
    }
}

fn pair(from: &str, to: &str, one: char) -> Option<char> {
    from.chars()
        .zip(to.chars())
        .find_map(|(a, b)| (a == one).then_some(b))
}

#[cfg(test)]
mod tests {
    use super::{FULL_KANA, full, half, hiragana, katakana};

    #[test]
    fn widths_go_there_and_back() {
        assert_eq!(FULL_KANA.chars().count(), 63);
        for (narrow, wide) in [
            ("ﾀｶﾊｼ ﾊﾅｺ", "タカハシ　ハナコ"),
            ("ｶﾞｷﾞﾊﾟﾋﾞｳﾞﾜﾞ", "ガギパビヴヷ"),
            ("1-2-3 A~!", "１－２－３　Ａ～！"),
            ("ｰ･｡｢｣､ﾞﾟ", "ー・。「」、゛゜"),
        ] {
            assert_eq!(full(narrow), wide);
            assert_eq!(half(wide), narrow);
        }
        assert_eq!(full("ｱﾞ"), "ア゛");
        assert_eq!(half("髙橋"), "髙橋");
    }

    #[test]
    fn kana_change_and_nothing_else() {
        assert_eq!(katakana("たかはし ゔゖ髙ー"), "タカハシ ヴヶ髙ー");
        assert_eq!(hiragana("タカハシ ヴヶヷ髙ー"), "たかはし ゔゖヷ髙ー");
    }
}
