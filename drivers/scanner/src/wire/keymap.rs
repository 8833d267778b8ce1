//! Key codes of a keyboard-wedge scanner, as the bytes that it meant.
//!
//! The codes are Linux's (`linux/input-event-codes.h`), which name places on a keyboard; the layout is a
//! setting of the scanner and of ours, and must agree. The desktop, its input method and its layout have
//! no part in this.
//! Control characters arrive in two ways that vendors document: Ctrl with a key (Ctrl+] is GS, 1D), or
//! Alt with a decimal number on the numeric pad (Alt+029), which is also how bytes above 7F arrive.
//! Japanese layout: JIS X 6002 as OADG 109A keyboards have it.

/// The layout that the scanner types on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keymap {
    /// United States.
    Us,
    /// Japanese, 106 or 109 keys.
    Jis,
}

/// What a key event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyed {
    /// A byte of content, or of what delimits it (Enter is 0D, Tab 09).
    Byte(u8),
    /// A key that stands for no byte: what was typed cannot be trusted.
    Unknown(u16),
}

/// What an event says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Pressed.
    Down,
    /// Released.
    Up,
    /// Held; the keyboard repeats by itself, the scanner did not type twice.
    Repeat,
}

/// The state of a keyboard between two key events.
#[derive(Debug, Clone)]
pub struct Keys {
    keymap: Keymap,
    shift: u8,
    control: u8,
    alt: u8,
    caps: bool,
    number: Option<u16>,
}

const LEFT: u8 = 1;
const RIGHT: u8 = 2;

impl Keys {
    /// A keyboard on which nothing is held.
    #[must_use]
    pub const fn new(keymap: Keymap) -> Self {
        Self {
            keymap,
            shift: 0,
            control: 0,
            alt: 0,
            caps: false,
            number: None,
        }
    }

    /// Takes a key event, and returns what it means, if anything.
    pub fn key(&mut self, code: u16, stroke: Stroke) -> Option<Keyed> {
        if let Some((held, side)) = self.modifier(code) {
            match stroke {
                Stroke::Down | Stroke::Repeat => *held |= side,
                Stroke::Up => *held &= !side,
            }
            return self.number_typed();
        }
        if stroke != Stroke::Down {
            return None;
        }
        if code == CAPS_LOCK {
            self.caps = !self.caps;
            return None;
        }
        if self.alt != 0 {
            return self.numbered(code);
        }
        if SILENT.contains(&code) {
            return None;
        }
        Some(match self.byte(code) {
            Some(byte) => Keyed::Byte(byte),
            None => Keyed::Unknown(code),
        })
    }

    fn modifier(&mut self, code: u16) -> Option<(&mut u8, u8)> {
        match code {
            42 => Some((&mut self.shift, LEFT)),
            54 => Some((&mut self.shift, RIGHT)),
            29 => Some((&mut self.control, LEFT)),
            97 => Some((&mut self.control, RIGHT)),
            56 => Some((&mut self.alt, LEFT)),
            100 => Some((&mut self.alt, RIGHT)),
            _ => None,
        }
    }

    /// A digit while Alt is held.
    fn numbered(&mut self, code: u16) -> Option<Keyed> {
        let Some(digit) = keypad_digit(code) else {
            return Some(Keyed::Unknown(code));
        };
        let number = self.number.unwrap_or(0);
        self.number = Some(number.saturating_mul(10).saturating_add(digit));
        None
    }

    /// The number, once Alt is released.
    fn number_typed(&mut self) -> Option<Keyed> {
        if self.alt != 0 {
            return None;
        }
        let number = self.number.take()?;
        Some(match u8::try_from(number) {
            Ok(byte) => Keyed::Byte(byte),
            Err(_too_large) => Keyed::Unknown(number),
        })
    }

    fn byte(&self, code: u16) -> Option<u8> {
        let (plain, shifted) = characters(self.keymap, code)?;
        let shift = self.shift != 0;
        let turned = plain.is_ascii_lowercase() && self.caps;
        let byte = if shift != turned { shifted } else { plain };
        if byte == 0 {
            return None;
        }
        if self.control == 0 {
            return Some(byte);
        }
        // Ctrl takes the lower five bits of the characters from @ to _; on either case of letters.
        let upper = byte.to_ascii_uppercase();
        if (b'@'..=b'_').contains(&upper) {
            return Some(upper & 0x1F);
        }
        // Where the character needs Shift, scanners send the key alone: Ctrl+6 is RS, Ctrl+- is US.
        match (byte, shifted) {
            (_, b'^') => Some(0x1E),
            (_, b'_') => Some(0x1F),
            (b'2', _) => Some(0x00),
            _ => None,
        }
    }
}

const CAPS_LOCK: u16 = 58;
/// Keys that scanners press to prepare a keyboard, and that type nothing: Num Lock, Scroll Lock,
/// half-width/full-width, the kana keys, the keys beside the space bar.
const SILENT: [u16; 8] = [69, 70, 85, 90, 91, 92, 93, 94];

const fn keypad_digit(code: u16) -> Option<u16> {
    Some(match code {
        82 => 0,
        79 => 1,
        80 => 2,
        81 => 3,
        75 => 4,
        76 => 5,
        77 => 6,
        71 => 7,
        72 => 8,
        73 => 9,
        _ => return None,
    })
}

/// What a key types without and with Shift; 0 is nothing.
fn characters(keymap: Keymap, code: u16) -> Option<(u8, u8)> {
    let row = |first: u16, letters: &'static [u8]| {
        let index = usize::from(code.checked_sub(first)?);
        letters
            .get(index)
            .map(|letter| (*letter, letter.to_ascii_uppercase()))
    };
    let letters = row(16, b"qwertyuiop")
        .or_else(|| row(30, b"asdfghjkl"))
        .or_else(|| row(44, b"zxcvbnm"));
    letters.or_else(|| common(code)).or_else(|| match keymap {
        Keymap::Us => us(code),
        Keymap::Jis => jis(code),
    })
}

fn common(code: u16) -> Option<(u8, u8)> {
    let same = |byte| Some((byte, byte));
    match code {
        1 => same(0x1B),
        14 => same(0x08),
        15 => same(0x09),
        28 | 96 => same(0x0D),
        57 => same(b' '),
        51 => Some((b',', b'<')),
        52 => Some((b'.', b'>')),
        53 => Some((b'/', b'?')),
        55 => same(b'*'),
        74 => same(b'-'),
        78 => same(b'+'),
        83 => same(b'.'),
        98 => same(b'/'),
        _ => {
            let digit = u8::try_from(keypad_digit(code)?).ok()?;
            same(b'0' + digit)
        }
    }
}

const fn us(code: u16) -> Option<(u8, u8)> {
    Some(match code {
        2 => (b'1', b'!'),
        3 => (b'2', b'@'),
        4 => (b'3', b'#'),
        5 => (b'4', b'$'),
        6 => (b'5', b'%'),
        7 => (b'6', b'^'),
        8 => (b'7', b'&'),
        9 => (b'8', b'*'),
        10 => (b'9', b'('),
        11 => (b'0', b')'),
        12 => (b'-', b'_'),
        13 => (b'=', b'+'),
        26 => (b'[', b'{'),
        27 => (b']', b'}'),
        39 => (b';', b':'),
        40 => (b'\'', b'"'),
        41 => (b'`', b'~'),
        43 | 86 => (b'\\', b'|'),
        _ => return None,
    })
}

const fn jis(code: u16) -> Option<(u8, u8)> {
    Some(match code {
        2 => (b'1', b'!'),
        3 => (b'2', b'"'),
        4 => (b'3', b'#'),
        5 => (b'4', b'$'),
        6 => (b'5', b'%'),
        7 => (b'6', b'&'),
        8 => (b'7', b'\''),
        9 => (b'8', b'('),
        10 => (b'9', b')'),
        11 => (b'0', 0),
        12 => (b'-', b'='),
        13 => (b'^', b'~'),
        26 => (b'@', b'`'),
        27 => (b'[', b'{'),
        39 => (b';', b'+'),
        40 => (b':', b'*'),
        43 => (b']', b'}'),
        // The yen key and the key beside right Shift both type 5C.
        124 => (b'\\', b'|'),
        89 => (b'\\', b'_'),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The keys that type `byte`, found by trying all.
    fn strokes(keymap: Keymap, byte: u8) -> Option<(u16, bool)> {
        (1..128u16)
            .flat_map(|code| [(code, false), (code, true)])
            .find(|(code, shift)| {
                let found = characters(keymap, *code);
                found.is_some_and(|(plain, shifted)| {
                    if *shift {
                        shifted == byte
                    } else {
                        plain == byte
                    }
                })
            })
    }

    fn typed(keys: &mut Keys, events: &[(u16, Stroke)]) -> Vec<Keyed> {
        events
            .iter()
            .filter_map(|(code, stroke)| keys.key(*code, *stroke))
            .collect()
    }

    fn press(code: u16) -> [(u16, Stroke); 2] {
        [(code, Stroke::Down), (code, Stroke::Up)]
    }

    #[test]
    fn every_printable_character_can_be_typed_on_both_layouts() {
        for keymap in [Keymap::Us, Keymap::Jis] {
            for byte in b' '..=b'~' {
                let (code, shift) = strokes(keymap, byte).unwrap_or_else(|| panic!("{byte:#x}"));
                let mut keys = Keys::new(keymap);
                if shift {
                    keys.key(42, Stroke::Down);
                }
                assert_eq!(keys.key(code, Stroke::Down), Some(Keyed::Byte(byte)));
            }
        }
    }

    #[test]
    fn the_same_keys_are_other_symbols_on_the_other_layout() {
        // KEY_LEFTBRACE, KEY_APOSTROPHE with Shift, KEY_2 with Shift.
        let mut us = Keys::new(Keymap::Us);
        let mut jis = Keys::new(Keymap::Jis);
        assert_eq!(us.key(26, Stroke::Down), Some(Keyed::Byte(b'[')));
        assert_eq!(jis.key(26, Stroke::Down), Some(Keyed::Byte(b'@')));
        for (code, on_us, on_jis) in [(40, b'"', b'*'), (3, b'@', b'"')] {
            us.key(42, Stroke::Down);
            jis.key(42, Stroke::Down);
            assert_eq!(us.key(code, Stroke::Down), Some(Keyed::Byte(on_us)));
            assert_eq!(jis.key(code, Stroke::Down), Some(Keyed::Byte(on_jis)));
        }
    }

    #[test]
    fn control_characters_come_by_ctrl_and_by_alt_with_a_number() {
        let mut keys = Keys::new(Keymap::Us);
        keys.key(29, Stroke::Down);
        // Ctrl+] is GS, Ctrl+6 is RS, Ctrl+- is US, Ctrl+M is CR.
        for (code, byte) in [(27, 0x1D), (7, 0x1E), (12, 0x1F), (50, 0x0D), (26, 0x1B)] {
            assert_eq!(keys.key(code, Stroke::Down), Some(Keyed::Byte(byte)));
        }
        keys.key(29, Stroke::Up);
        let mut alt = vec![(56, Stroke::Down)];
        for code in [82, 80, 73] {
            alt.extend(press(code));
        }
        alt.push((56, Stroke::Up));
        assert_eq!(typed(&mut keys, &alt), [Keyed::Byte(0x1D)]);
        // 1 3 1: a byte above 7F. 9 9 9: none.
        for (codes, result) in [
            ([79, 81, 79], Keyed::Byte(0x83)),
            ([73, 73, 73], Keyed::Unknown(999)),
        ] {
            let mut alt = vec![(56, Stroke::Down)];
            alt.extend(codes.into_iter().flat_map(press));
            alt.push((56, Stroke::Up));
            assert_eq!(typed(&mut keys, &alt), [result]);
        }
    }

    #[test]
    fn held_keys_caps_lock_and_both_shifts_do_what_they_do_on_a_keyboard() {
        let mut keys = Keys::new(Keymap::Us);
        let events = [
            (58, Stroke::Down),
            (58, Stroke::Up),
            (30, Stroke::Down),
            (30, Stroke::Repeat),
            (30, Stroke::Up),
            (42, Stroke::Down),
            (54, Stroke::Down),
            (42, Stroke::Up),
            (30, Stroke::Down),
            (2, Stroke::Down),
            (54, Stroke::Up),
            (2, Stroke::Down),
        ];
        let bytes = [b'A', b'a', b'!', b'1'].map(Keyed::Byte);
        assert_eq!(typed(&mut keys, &events), bytes);
    }

    #[test]
    fn a_key_without_a_character_is_told_and_lock_keys_are_not() {
        let mut keys = Keys::new(Keymap::Jis);
        assert_eq!(keys.key(59, Stroke::Down), Some(Keyed::Unknown(59)));
        assert_eq!(keys.key(85, Stroke::Down), None);
        keys.key(42, Stroke::Down);
        assert_eq!(keys.key(11, Stroke::Down), Some(Keyed::Unknown(11)));
    }

    proptest! {
        #[test]
        fn any_events_are_taken(events in proptest::collection::vec((0u16..800, 0u8..3), 0..200)) {
            let mut keys = Keys::new(Keymap::Jis);
            for (code, stroke) in events {
                let stroke = [Stroke::Down, Stroke::Up, Stroke::Repeat][usize::from(stroke)];
                let _ = keys.key(code, stroke);
            }
        }
    }
}
