//! The reader's messages, without a kernel.

use std::sync::{Arc, Mutex};

use sim_kit::{Card, Power};

use super::{CardReader, Key, class_descriptor, message};
use crate::vhci::{Giving, UsbDevice as _};

/// Answers each command with itself.
#[derive(Debug, Default)]
struct Echo {
    powered: bool,
}

impl Card for Echo {
    fn atr(&self) -> Vec<u8> {
        vec![0x3b, 0x00]
    }

    fn power(&mut self, change: Power) {
        self.powered = change != Power::Off;
    }

    fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        assert!(self.powered);
        command.to_vec()
    }
}

fn with_card() -> CardReader {
    let mut reader = CardReader::default();
    reader.insert(Arc::new(Mutex::new(Echo::default())));
    assert_eq!(asked(&mut reader, message::POWER_ON, &[]), [0x3b, 0x00]);
    reader
}

/// The data of the answer; a failure is its error number alone.
fn asked(reader: &mut CardReader, kind: u8, data: &[u8]) -> Vec<u8> {
    say(reader, kind, data);
    heard(reader).unwrap()
}

fn say(reader: &mut CardReader, kind: u8, data: &[u8]) {
    let mut bytes = vec![kind];
    bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    bytes.extend([0, 7, 0, 0, 0]);
    bytes.extend(data);
    reader.take(2, &bytes);
}

fn heard(reader: &mut CardReader) -> Option<Vec<u8>> {
    let Giving::Bytes(bytes) = reader.give(1, 65_600) else {
        return None;
    };
    assert_eq!(bytes[6], 7, "another sequence number");
    if bytes[7] & 0x40 == 0 {
        Some(bytes[10..].to_vec())
    } else {
        Some(vec![bytes[8]])
    }
}

/// VERIFY of four digits in ASCII.
const SECURE: &[u8] = &[
    0, 30, 0x82, 0x04, 0, 4, 4, 2, 0xff, 0x11, 0x04, 0, 0, 0, 0, 0x00, 0x20, 0x00, 0x91, 4, 0xff,
    0xff, 0xff, 0xff,
];

fn typed(reader: &mut CardReader, digits: &[u8]) {
    for digit in digits {
        reader.press(Key::Digit(*digit));
    }
}

#[test]
fn digits_come_to_stand_in_the_command() {
    let mut reader = with_card();
    say(&mut reader, message::SECURE, SECURE);
    assert!(reader.is_asking());
    typed(&mut reader, &[1, 2, 3]);
    reader.press(Key::Enter);
    assert_eq!(heard(&mut reader), None, "three digits are too few");
    typed(&mut reader, &[4, 5]);
    reader.press(Key::Enter);
    assert_eq!(
        heard(&mut reader).unwrap(),
        [0x00, 0x20, 0x00, 0x91, 4, b'1', b'2', b'3', b'4']
    );
    assert_eq!(reader.pins_seen(), 0);
}

#[test]
fn an_entry_ends_by_a_key_by_time_or_with_the_card() {
    for (end, code) in [
        (
            (|reader| reader.press(Key::Cancel)) as fn(&mut CardReader),
            0xef,
        ),
        (CardReader::nobody_types, 0xf0),
        (CardReader::lift, 0xfe),
    ] {
        let mut reader = with_card();
        say(&mut reader, message::SECURE, SECURE);
        end(&mut reader);
        assert_eq!(heard(&mut reader).unwrap(), [code]);
        assert!(!reader.is_asking());
    }
}

#[test]
fn what_it_cannot_type_is_refused_by_its_place() {
    let mut reader = with_card();
    for (place, value, code) in [(0, 1, 10), (2, 0x81, 12), (3, 0x14, 13), (5, 9, 1)] {
        let mut data = SECURE.to_vec();
        data[place] = value;
        assert_eq!(asked(&mut reader, message::SECURE, &data), [code]);
    }
    for length in 0..SECURE.len() {
        assert_eq!(asked(&mut reader, message::SECURE, &SECURE[..length]), [1]);
    }
}

#[test]
fn a_card_that_is_not_there_or_has_no_power_is_mute() {
    let mut reader = CardReader::default();
    assert_eq!(asked(&mut reader, message::POWER_ON, &[]), [0xfe]);
    reader.insert(Arc::new(Mutex::new(Echo::default())));
    assert_eq!(asked(&mut reader, message::BLOCK, &[0; 5]), [0xfe]);
}

#[test]
fn a_long_answer_comes_in_parts() {
    let mut reader = with_card();
    say(&mut reader, message::BLOCK, &[9; 1000]);
    let mut all = Vec::new();
    while let Giving::Bytes(bytes) = reader.give(1, 512) {
        all.extend(bytes);
    }
    assert_eq!(all.len(), 1010);
}

#[test]
fn the_class_descriptor_is_as_long_as_it_says() {
    assert_eq!(class_descriptor().len(), 0x36);
}
