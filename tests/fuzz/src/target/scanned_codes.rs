//! What code scanners send, and what strangers print into codes.

use std::time::Duration;

use device_api::{Moment, Secret};
use scanner::preapplication::{self, CounterKey, FormKey, PreApplicationKeys, content};
use scanner::wire::append::{self, Joiner, Part, Progress};
use scanner::wire::descriptor::{Descriptor, Usage};
use scanner::wire::framer::{Framed, Framer, FramingError};
use scanner::wire::hid_pos::{Layout, Piece, Reports};
use scanner::wire::keymap::Stroke;
use scanner::wire::typing::Typing;
use scanner::wire::{base45, eci, gs1, text};
use scanner::{AimId, EciMark, Framing, Keymap, Start, Suffix, TextRule};

/// The longest content of a reading; small, so that the limit is reached.
const LONGEST: usize = 48;

/// An AIM identifier stands in front of the content.
const IDENTIFIER: usize = 3;

const SILENCE: Duration = Duration::from_millis(500);

/// A serial line; the first byte chooses how readings are delimited.
///
/// Promise: however the bytes are cut, the same readings come out of them; none is longer than it may be, and
/// all together hold no more than came; after silence nothing is open.
pub fn scanner_line(input: &[u8]) {
    let (choice, bytes) = divide(input);
    let mut whole = Framer::new(framing(choice));
    let mut pieces = Framer::new(framing(choice));
    let now = Moment::default();
    let mut at_once = whole.push(bytes, now);
    let mut in_pieces: Vec<_> = bytes
        .chunks(5)
        .flat_map(|piece| pieces.push(piece, now))
        .collect();
    let later = now.plus(SILENCE);
    at_once.extend(whole.tick(later));
    in_pieces.extend(pieces.tick(later));
    assert_eq!(at_once, in_pieces, "two answers about the same bytes");
    assert!(whole.due().is_none(), "something is open after silence");
    hold_no_more(&at_once, bytes.len());

    // And with a pause behind each piece, as of a machine that is busy.
    let mut slow = Framer::new(framing(choice));
    let mut now = Moment::default();
    let mut readings = Vec::new();
    for piece in bytes.chunks(7) {
        readings.extend(slow.push(piece, now));
        now = now.plus(SILENCE);
    }
    readings.extend(slow.tick(now));
    hold_no_more(&readings, bytes.len());
}

/// A keyboard; the first byte chooses delimiters and layout, each three bytes behind it are an event.
///
/// Promise: as of a line; no key types more than one byte, nor one by being held or released.
pub fn scanner_keys(input: &[u8]) {
    let (choice, bytes) = divide(input);
    let keymap = if choice & 0x80 == 0 {
        Keymap::Us
    } else {
        Keymap::Jis
    };
    let mut typing = Typing::new(keymap, framing(choice));
    let now = Moment::default();
    let (events, _rest) = bytes.as_chunks::<3>();
    let mut held = 0;
    let mut readings = Vec::new();
    for [high, low, stroke] in events {
        let stroke = match stroke % 3 {
            0 => Stroke::Down,
            1 => Stroke::Up,
            _ => Stroke::Repeat,
        };
        readings.extend(typing.key(u16::from_be_bytes([*high, *low]), stroke, now));
    }
    readings.extend(typing.tick(now.plus(SILENCE)));
    assert!(typing.due().is_none(), "something is open after silence");
    for reading in readings.into_iter().flatten() {
        assert!(reading.payload.len() <= LONGEST + IDENTIFIER, "too long");
        held += reading.payload.len();
    }
    assert!(held <= events.len(), "more was typed than keys were moved");
}

/// A HID POS device: a length, so many bytes of report descriptor (none for the usual layout), then reports,
/// each behind its length.
///
/// Promise: a descriptor is a layout or an error; no reading is longer than it may be, nor holds more than its
/// reports.
pub fn scanner_reports(input: &[u8]) {
    let mut rest = input;
    let descriptor = counted(&mut rest);
    if let Ok(read) = Descriptor::read(descriptor) {
        look_around(&read, rest);
    }
    let layout = if descriptor.is_empty() {
        Layout::usual()
    } else if let Ok(layout) = Layout::described(descriptor) {
        layout
    } else {
        return;
    };
    let mut reports = Reports::new(layout, LONGEST, SILENCE);
    let mut now = Moment::default();
    let (mut came, mut held) = (0, 0);
    while !rest.is_empty() {
        let report = counted(&mut rest);
        came += report.len();
        if let Ok(Some(piece)) = layout.piece(report) {
            assert!(piece.data.len() <= report.len(), "more than the report");
        }
        let done = reports.push(report, now);
        held += done.into_iter().flatten().map(length).sum::<usize>();
        now = now.plus(Duration::from_millis(100));
    }
    assert!(held <= came, "readings hold more than was there");
    // What is open is given up, once.
    let _unfinished = reports.tick(now.plus(SILENCE));
    assert!(reports.due().is_none(), "something is open after silence");
}

/// The content of codes, divided by bytes of `FF`.
///
/// Promise: nothing that is made of a code is larger than its bytes allow; marks lie inside the content, in
/// order; what is joined holds exactly its parts; Base45 has one form only.
pub fn scanner_code(input: &[u8]) {
    let mut joiner = Joiner::new(Duration::from_secs(10));
    let mut now = Moment::default();
    let mut came = 0;
    for code in input.split(|byte| *byte == 0xFF) {
        let (aim, content) =
            AimId::split(code).map_or((None, code), |(aim, content)| (Some(aim), content));
        interpret(content);
        let unescaped = eci::unescape(content).ok();
        let unescaped = unescaped.filter(|_| aim.is_some_and(AimId::has_eci));
        let (bytes, marks): (&[u8], &[EciMark]) = match &unescaped {
            Some(unescaped) => (&unescaped.bytes, &unescaped.marks),
            None => (content, &[]),
        };
        if let Some((header, content)) = append::split(aim, bytes) {
            came += content.len();
            let before = bytes.len() - content.len();
            let behind = |mark: &EciMark| EciMark {
                from: mark.from.saturating_sub(before),
                ..*mark
            };
            let marks: Vec<EciMark> = marks.iter().map(behind).collect();
            let part = Part {
                aim,
                header: &header,
                content,
                marks: &marks,
            };
            if let Ok(Progress::Whole(message)) = joiner.part(part, now) {
                assert!(message.content.len() <= came, "more than its parts");
                lie_inside(&message.marks, message.content.len());
            }
        }
        now = now.plus(Duration::from_secs(3));
        let _given_up = joiner.tick(now);
    }
}

/// A pre-application code, and what would be in one that is signed.
///
/// Promise: nothing opens that our form did not sign; content has one form only.
pub fn pre_application(input: &[u8]) {
    let keys = keys();
    for now in [ISSUED, ISSUED + 60, ISSUED + 400 * 86_400] {
        match preapplication::open(input, &keys, now * 1000) {
            Ok(opened) => {
                assert!(preapplication::is_one(input), "it does not say what it is");
                assert_eq!(opened.form_key, FORM, "signed by somebody else");
                assert_eq!(opened.application.procedure, "転入届", "forged");
            }
            Err(error) => assert!(!error.to_string().is_empty(), "an error without words"),
        }
    }
    if let Some(application) = content::read(input) {
        let written = content::write(&application).expect("what was read can be written");
        assert_eq!(written.as_slice(), input, "one application in two forms");
    }
}

fn interpret(content: &[u8]) {
    if let Some(decoded) = text::decode(content, &[]) {
        fits(decoded.text.len(), content.len());
        if decoded.rule == TextRule::Ascii {
            assert_eq!(decoded.text.as_bytes(), content, "ASCII was changed");
        }
    }
    if let Ok(unescaped) = eci::unescape(content) {
        assert!(unescaped.bytes.len() <= content.len(), "escapes that grow");
        lie_inside(&unescaped.marks, unescaped.bytes.len());
        if let Some(decoded) = text::decode(&unescaped.bytes, &unescaped.marks) {
            fits(decoded.text.len(), unescaped.bytes.len());
        }
    }
    if let Ok(message) = gs1::parse(content) {
        let held = message.elements.iter().map(|element| {
            // A date that does not exist and a number without decimals are answers too.
            let (_decimals, _date) = (element.decimals(), element.date(2026));
            element.ai.len() + element.value.len()
        });
        assert!(held.sum::<usize>() <= content.len(), "more than was there");
    }
    if let Some(bytes) = base45::decode(content) {
        assert_eq!(
            base45::encode(&bytes).as_bytes(),
            content,
            "one value in two forms"
        );
    }
}

/// Text buffers are made for three bytes of UTF-8 for each byte; one that grew would leave copies behind.
fn fits(text: usize, content: usize) {
    assert!(
        text <= content.saturating_mul(3),
        "the text outgrew its buffer"
    );
}

fn lie_inside(marks: &[EciMark], length: usize) {
    let ascend = marks.is_sorted_by(|one, other| one.from <= other.from);
    assert!(ascend, "marks out of order");
    assert!(
        marks.iter().all(|mark| mark.from <= length),
        "behind the end"
    );
}

fn length(piece: Piece) -> usize {
    assert!(piece.data.len() <= LONGEST, "a reading beyond its limit");
    piece.data.len()
}

fn hold_no_more(readings: &[Result<Framed, FramingError>], came: usize) {
    let mut held = 0;
    for reading in readings.iter().flatten() {
        let length = reading.payload.len();
        assert!(length <= LONGEST + IDENTIFIER, "a reading beyond its limit");
        held += length;
    }
    assert!(held <= came, "readings hold more than was there");
}

fn look_around(descriptor: &Descriptor, report: &[u8]) {
    for usage in [0x8C_0002, 0x01_003B, 0x8C_00FB, 0x8C_00FE, 0x8C_00FF] {
        let usage = Usage(usage);
        let _is_one = descriptor.is_a(usage);
        if let Some(place) = descriptor.find(usage) {
            for index in [0, 1, place.count.saturating_sub(1), place.count, usize::MAX] {
                let value = place.value(report, index);
                assert!(
                    value.is_none() || index < place.count,
                    "a value that is not there"
                );
            }
        }
    }
    let _vendor = descriptor.find_vendor(Some(2), 8);
    let _feature = descriptor.has_feature(2);
}

fn framing(choice: u8) -> Framing {
    let suffixes = [
        Suffix::Nothing,
        Suffix::Cr,
        Suffix::CrLf,
        Suffix::Tab,
        Suffix::Etx,
        Suffix::EtxLrc,
    ];
    Framing {
        start: match choice >> 3 & 3 {
            0 => Start::Nothing,
            1 => Start::Stx,
            2 => Start::Bytes(b"\x02S".to_vec()),
            _ => Start::Bytes(b"aab".to_vec()),
        },
        aim: choice & 0x20 != 0,
        suffix: suffixes
            .get(usize::from(choice & 7))
            .copied()
            .unwrap_or(Suffix::Cr),
        longest: LONGEST,
        silence: SILENCE,
        silence_delivers: choice & 0x40 != 0,
    }
}

fn divide(input: &[u8]) -> (u8, &[u8]) {
    input
        .split_first()
        .map_or((0, input), |(choice, rest)| (*choice, rest))
}

/// As many bytes as the first one says, or as there are.
fn counted<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (count, behind) = divide(rest);
    let (taken, left) = behind.split_at(usize::from(count).min(behind.len()));
    *rest = left;
    taken
}

/// What `drivers/scanner/tests/data/preapplication.py` signs, of which the third application is ours.
const SIGNED: &str = include_str!("../../../../drivers/scanner/tests/data/preapplication.tsv");
const THIRD: usize = 4;
const MUNICIPALITY: u32 = 302_058;
const FORM: u32 = 7;
const COUNTER: u32 = 3;
const ISSUED: u64 = 1_795_000_000;

fn keys() -> PreApplicationKeys {
    let line = SIGNED.lines().nth(THIRD).unwrap_or_default();
    let mut fields = line.split('\t').skip(2).map(key);
    let mut next = || fields.next().unwrap_or_default();
    PreApplicationKeys {
        municipality: MUNICIPALITY,
        forms: vec![FormKey {
            id: FORM,
            public: next(),
        }],
        counters: vec![CounterKey {
            id: COUNTER,
            private: Secret::new(next().to_vec()),
        }],
    }
}

fn key(digits: &str) -> [u8; 32] {
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    key
}
