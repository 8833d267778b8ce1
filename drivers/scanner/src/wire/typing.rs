//! What a keyboard-wedge scanner types, cut into readings.
//!
//! A key that stands for no byte spoils the reading in which it was typed: content from which a character
//! is missing must not pass for the code.
//!
//! | an unknown key comes | it spoils |
//! |---|---|
//! | inside a reading | that reading |
//! | before one, and it moves the cursor | nothing: scanners are set to press it after Enter |
//! | before one, another key | what follows within the silence, because it may be its first character |
//! | in the rest of a reading that is dropped, or before a start that must come | nothing |

use std::time::Duration;

use device_api::Moment;
use thiserror::Error;

use super::framer::{Framed, Framer, Framing, FramingError};
use super::keymap::{Keyed, Keymap, Keys, Stroke};

/// Keys that move the cursor: Home, up, page up, left, right, End, down, page down.
/// On no layout they stand for a character.
const MOVES: [u16; 8] = [102, 103, 104, 105, 106, 107, 108, 109];

/// Why what was typed is no reading.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum TypingError {
    /// It is not delimited as it must be.
    #[error("what was typed is not a whole reading")]
    Framing(#[from] FramingError),
    /// A key, or a number typed with Alt, stands for no byte.
    #[error("key {code} stands for no character on this layout")]
    UnknownKey {
        /// Its code.
        code: u16,
    },
    /// The operating system lost events.
    #[error("key events were lost")]
    Lost,
}

/// Keys and framing of one scanner.
#[derive(Debug)]
pub struct Typing {
    keymap: Keymap,
    keys: Keys,
    framer: Framer,
    silence: Duration,
    /// The key that stands for no byte in the reading that has begun, or before one, and when it came.
    spoilt: Option<(u16, Moment)>,
}

impl Typing {
    /// A scanner that has typed nothing.
    #[must_use]
    pub fn new(keymap: Keymap, framing: Framing) -> Self {
        Self {
            keymap,
            keys: Keys::new(keymap),
            silence: framing.silence,
            framer: Framer::new(framing),
            spoilt: None,
        }
    }

    /// Takes a key event of `at`, and returns what it completes.
    pub fn key(
        &mut self,
        code: u16,
        stroke: Stroke,
        at: Moment,
    ) -> Vec<Result<Framed, TypingError>> {
        match self.keys.key(code, stroke) {
            Some(Keyed::Byte(byte)) => self.byte(byte, at),
            Some(Keyed::Unknown(code)) => {
                let done = self.tick(at);
                self.spoil(code, at);
                done.into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    /// Takes the passing of time.
    pub fn tick(&mut self, now: Moment) -> Option<Result<Framed, TypingError>> {
        let done = self.framer.tick(now)?;
        Some(self.judge(done))
    }

    /// When silence will have lasted too long.
    #[must_use]
    pub fn due(&self) -> Option<Moment> {
        self.framer.due()
    }

    /// Forgets what was typed and which keys are held, because events were lost before `at`.
    ///
    /// What follows up to the end of a reading, or silence, may be the rest of one that lost its
    /// beginning, and is dropped with it.
    pub fn lost(&mut self, at: Moment) -> TypingError {
        self.keys = Keys::new(self.keymap);
        self.framer.discard(at);
        self.spoilt = None;
        TypingError::Lost
    }

    fn byte(&mut self, byte: u8, at: Moment) -> Vec<Result<Framed, TypingError>> {
        if !self.framer.is_inside() {
            let silence = self.silence;
            self.spoilt.take_if(|(_, then)| at >= then.plus(silence));
        }
        let done = self.framer.push(&[byte], at);
        let mut done: Vec<_> = done.into_iter().map(|each| self.judge(each)).collect();
        if !self.framer.is_inside() {
            // It ended without content: all of it was unknown.
            let lost = self.spoilt.take();
            done.extend(lost.map(|(code, _)| Err(TypingError::UnknownKey { code })));
        }
        done
    }

    fn spoil(&mut self, code: u16, at: Moment) {
        let may_begin = self.framer.begins_with_any() && !MOVES.contains(&code);
        if self.framer.is_inside() || may_begin {
            self.spoilt = Some((code, at));
        }
    }

    fn judge(&mut self, done: Result<Framed, FramingError>) -> Result<Framed, TypingError> {
        match self.spoilt.take() {
            Some((code, _)) => Err(TypingError::UnknownKey { code }),
            None => done.map_err(TypingError::Framing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_identifier() -> Framing {
        Framing {
            aim: false,
            ..Framing::default()
        }
    }

    fn typed(typing: &mut Typing, codes: &[u16]) -> Vec<Result<Vec<u8>, TypingError>> {
        let mut done = Vec::new();
        for code in codes {
            for stroke in [Stroke::Down, Stroke::Up] {
                done.extend(typing.key(*code, stroke, Moment::default()));
            }
        }
        done.into_iter()
            .map(|each| each.map(|framed| framed.payload.to_vec()))
            .collect()
    }

    #[test]
    fn enter_ends_a_reading_and_a_key_without_a_character_spoils_it() {
        let mut typing = Typing::new(Keymap::Jis, Framing::default());
        // A 1 Enter; A F1 1 Enter; 1 Enter.
        let done = typed(&mut typing, &[30, 2, 28, 30, 59, 2, 28, 2, 28]);
        assert_eq!(
            done,
            [
                Ok(b"a1".to_vec()),
                Err(TypingError::UnknownKey { code: 59 }),
                Ok(b"1".to_vec())
            ]
        );
    }

    /// A scanner that was set up for a spreadsheet pressed the cursor key after each Enter, and every code but
    /// the first was refused.
    #[test]
    fn a_cursor_key_between_two_readings_spoils_neither() {
        let mut typing = Typing::new(Keymap::Us, without_identifier());
        assert_eq!(
            typed(&mut typing, &[30, 28, 108, 2, 28]),
            [Ok(b"a".to_vec()), Ok(b"1".to_vec())]
        );
    }

    #[test]
    fn a_first_key_without_a_character_spoils_what_follows_at_once() {
        let mut typing = Typing::new(Keymap::Us, without_identifier());
        // The yen key of a Japanese keyboard, 1, Enter; F1, Enter; 2, Enter.
        let unknown = |code| Err(TypingError::UnknownKey { code });
        assert_eq!(
            typed(&mut typing, &[124, 2, 28, 59, 28, 3, 28]),
            [unknown(124), unknown(59), Ok(b"2".to_vec())]
        );
        assert!(typed(&mut typing, &[59]).is_empty());
        let later = Moment::after_origin(Framing::default().silence);
        let mut done = typing.key(2, Stroke::Down, later);
        done.extend(typing.key(28, Stroke::Down, later));
        let [Ok(reading)] = &done[..] else {
            panic!("{done:?}")
        };
        assert_eq!(reading.payload[..], b"1"[..]);
    }

    #[test]
    fn an_unknown_key_in_the_dropped_rest_of_a_reading_does_not_spoil_the_next() {
        let framing = Framing {
            longest: 2,
            ..without_identifier()
        };
        let mut typing = Typing::new(Keymap::Us, framing);
        assert_eq!(
            typed(&mut typing, &[2, 2, 2, 59, 28, 3, 28]),
            [
                Err(TypingError::Framing(FramingError::TooLong { limit: 2 })),
                Ok(b"2".to_vec())
            ]
        );
    }

    /// A counter would have got the rest of a number as a whole one: the kernel had dropped the middle of
    /// it, and what was typed after that ended with Enter like any code.
    #[test]
    fn lost_events_drop_the_whole_reading_and_held_keys() {
        let mut typing = Typing::new(Keymap::Us, without_identifier());
        typing.key(42, Stroke::Down, Moment::default());
        assert!(typed(&mut typing, &[30]).is_empty());
        assert_eq!(typing.lost(Moment::default()), TypingError::Lost);
        // 1 2 Enter is the rest; 3 Enter is the next reading.
        assert!(typed(&mut typing, &[2, 3, 28]).is_empty());
        assert_eq!(typed(&mut typing, &[4, 28]), [Ok(b"3".to_vec())]);
    }

    #[test]
    fn after_lost_events_silence_also_ends_what_is_dropped() {
        let mut typing = Typing::new(Keymap::Us, without_identifier());
        typing.lost(Moment::default());
        let silent = typing.due().unwrap();
        assert_eq!(typing.tick(silent), None);
        assert_eq!(typing.due(), None);
        assert_eq!(typed(&mut typing, &[4, 28]), [Ok(b"3".to_vec())]);
    }
}
