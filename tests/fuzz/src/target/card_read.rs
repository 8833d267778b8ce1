//! A card's answers to a whole read of a My Number card.
//!
//! Promises, whatever the card answers: no panic; the secret is sent at most once and never when the card
//! says that fewer than two tries are left; a read takes a bounded number of commands; and data that are not
//! the synthetic card's own are never called genuine.
//!
//! The first byte of the input chooses the job; the rest directs a card that answers like the synthetic
//! one, command by command:
//!
//! | byte | the card |
//! |---|---|
//! | `00..3F` | answers honestly |
//! | `40..7F`, at, with | answers honestly but for one byte, exclusive-or `with` |
//! | `80..9F`, length | answers honestly but cut off |
//! | `A0..BF`, status (2) | answers with this status word only |
//! | `C0..FE`, status (2), length, data | answers with exactly this |
//! | `FF` | is lifted |
//!
//! When the input ends, it answers honestly.

use device_api::Secret;
use idcards::TrustAnchors;
use idcards::my_number::{
    Attributes, CardError, Challenge, LastTry, SecretKind, TextAp, Verdict, VerifyError, identify,
};
use smartcard::{CardChannel, ChannelError, Command, Response, Sensitivity, StatusWord};

const RECORD: &[u8] = fixture!("record.bin");
const NUMBER: &[u8] = fixture!("ef-0001.bin");
const ATTRIBUTES: &[u8] = fixture!("ef-0002.bin");
const INTEGRITY: &[u8] = fixture!("ef-0003.bin");
const CERTIFICATE: &[u8] = fixture!("ef-0004.bin");
const CARD_KEY: &[u8] = fixture!("ef-0007.bin");
const CHALLENGE: &[u8; 32] = fixture!("challenge.bin");
const SIGNATURE: &[u8] = fixture!("challenge-signature.bin");
const ANCHORS: &str =
    include_str!("../../../../drivers/idcards/tests/fixtures/synthetic/anchors.json");

/// Five files of at most 32 reads each, and what comes before and after them.
const MOST_COMMANDS: usize = 5 * 32 + 12;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(
            "../../../../drivers/idcards/tests/fixtures/synthetic/",
            $name
        ))
    };
}
use fixture;

/// See the head of this file.
pub fn card_read(input: &[u8]) {
    let (job, script) = input
        .split_first()
        .map_or((0, input), |(job, rest)| (*job, rest));
    let mut card = ScriptedCard::new(script, job & 1 != 0);
    let read = read(&mut card, job);
    assert!(
        card.secrets_seen <= 1,
        "a secret was sent {} times",
        card.secrets_seen
    );
    assert!(card.commands <= MOST_COMMANDS, "{} commands", card.commands);
    if let Ok((attributes, number, Verdict::Genuine)) = read {
        assert!(
            attributes.is_none_or(|it| it.name.expose() == "髙橋　葛\u{E0100}子"),
            "forged"
        );
        assert!(
            number.is_none_or(|it| it == "123456789018"),
            "forged number"
        );
    }
}

type Read = (Option<Attributes>, Option<String>, Verdict);

fn read(card: &mut ScriptedCard<'_>, job: u8) -> Result<Read, Failure> {
    let kind = if job & 2 == 0 {
        SecretKind::Pin
    } else {
        SecretKind::NumberB
    };
    let digits = if job & 2 == 0 {
        "4071"
    } else {
        "55021720352285"
    };
    identify(card)?;
    let mut application = TextAp::select(card)?;
    if job & 4 == 0 {
        application.tries_left(kind)?;
    }
    let mut opened =
        application.verify(kind, Secret::from(digits.to_owned()), LastTry::NotAllowed)?;
    // That a file makes no sense must not keep the checks from being asked.
    let attributes = if job & 8 == 0 {
        opened.four_attributes().ok()
    } else {
        None
    };
    let number = if job & 16 == 0 {
        opened.individual_number().ok()
    } else {
        None
    };
    let anchors = TrustAnchors::load(ANCHORS).unwrap_or_default();
    let verdict = opened.prove(&anchors, Challenge::new(*CHALLENGE))?.verdict;
    Ok((
        attributes,
        number.map(|text| text.expose().to_owned()),
        verdict,
    ))
}

/// That a read failed is all that matters here; that it maps to a fault is checked on the way.
struct Failure;

impl From<CardError> for Failure {
    fn from(error: CardError) -> Self {
        assert!(!error.fault().as_str().is_empty(), "an error without fault");
        Self
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        assert!(!error.fault().as_str().is_empty(), "an error without fault");
        Self
    }
}

struct ScriptedCard<'a> {
    script: &'a [u8],
    extended: bool,
    current: &'static [u8],
    commands: usize,
    secrets_seen: usize,
    /// What the card said last about the tries left.
    fewest_tries: Option<u8>,
}

impl<'a> ScriptedCard<'a> {
    fn new(script: &'a [u8], extended: bool) -> Self {
        Self {
            script,
            extended,
            current: &[],
            commands: 0,
            secrets_seen: 0,
            fewest_tries: None,
        }
    }

    fn honest(&mut self, command: &Command) -> (Vec<u8>, u16) {
        let whole = |data: &[u8]| (data.to_vec(), 0x9000);
        match command.header() {
            [_, 0xB2, ..] => whole(RECORD),
            [_, 0x2A, ..] => whole(SIGNATURE),
            [_, 0x20, ..] if command.data().is_empty() => (Vec::new(), 0x63C3),
            [_, 0xB0, id @ 0x80..=0xFF, offset] => {
                self.current = file(id & 0x1F);
                self.piece(usize::from(offset), command)
            }
            [_, 0xB0, high, low] => {
                self.piece(usize::from(u16::from_be_bytes([high, low])), command)
            }
            _ => (Vec::new(), 0x9000),
        }
    }

    fn piece(&self, offset: usize, command: &Command) -> (Vec<u8>, u16) {
        let rest = self.current.get(offset..).unwrap_or_default();
        let piece = rest.get(..command.expected().unwrap_or(0)).unwrap_or(rest);
        if piece.is_empty() {
            (Vec::new(), 0x6B00)
        } else {
            (piece.to_vec(), 0x9000)
        }
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.script.split_first()?;
        self.script = rest;
        Some(*first)
    }

    fn next_status(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.next()?, self.next()?]))
    }

    /// As the script has it; `None` when the card is lifted.
    fn scripted(&mut self, command: &Command) -> Option<(Vec<u8>, u16)> {
        let (mut data, status) = self.honest(command);
        match self.next().unwrap_or(0) {
            0x00..=0x3F => {}
            0x40..=0x7F => {
                let (at, with) = (self.next().unwrap_or(0), self.next().unwrap_or(1));
                if let Some(byte) = data.get_mut(usize::from(at)) {
                    *byte ^= with;
                }
            }
            0x80..=0x9F => data.truncate(usize::from(self.next().unwrap_or(0))),
            0xA0..=0xBF => return Some((Vec::new(), self.next_status().unwrap_or(0x6F00))),
            0xC0..=0xFE => {
                let status = self.next_status().unwrap_or(0x9000);
                let length = usize::from(self.next().unwrap_or(0)).min(self.script.len());
                let (data, rest) = self.script.split_at(length);
                self.script = rest;
                return Some((data.to_vec(), status));
            }
            0xFF => return None,
        }
        Some((data, status))
    }
}

impl CardChannel for ScriptedCard<'_> {
    fn transmit(&mut self, command: Command) -> Result<Response, ChannelError> {
        self.commands += 1;
        if command.data_sensitivity() == Sensitivity::Personal {
            self.secrets_seen += 1;
            assert!(
                self.fewest_tries >= Some(2),
                "a secret on {:?} tries",
                self.fewest_tries
            );
        }
        let [_, instruction, ..] = command.header();
        let (data, status) = self.scripted(&command).ok_or(ChannelError::Removed)?;
        if instruction == 0x20 {
            self.fewest_tries = StatusWord(status).tries_left();
        }
        Ok(Response::new(data, StatusWord(status)))
    }

    fn takes_extended_length(&self) -> bool {
        self.extended
    }
}

fn file(id: u8) -> &'static [u8] {
    match id {
        0x01 => NUMBER,
        0x02 => ATTRIBUTES,
        0x03 => INTEGRITY,
        0x04 => CERTIFICATE,
        0x07 => CARD_KEY,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_answers_honestly_is_genuine_so_that_the_promise_means_something() {
        for job in [0, 1] {
            let read = read(&mut ScriptedCard::new(&[], job == 1), job);
            assert!(
                matches!(read, Ok((Some(_), Some(_), Verdict::Genuine))),
                "job {job}"
            );
        }
    }
}
