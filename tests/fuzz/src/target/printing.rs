//! What printers say, and what a printer's own journal holds after a power cut.

use journal_file::memory::MemoryDisk;
use printer::journal::Journal;
use printer::page::http::Answer;
use printer::page::ipp::{Message, Tag};
use printer::wire::decode::Decoder;

/// A text of IPP is at most this long before it is cut off; what is replaced in it grows by three.
const LONGEST_MESSAGE: usize = 20_000;

/// The bytes of a ticket printer.
///
/// Promise: however they are cut, the same reports come out of them, and no more reports than bytes.
pub fn printer_answer(input: &[u8]) {
    let (mut whole, mut pieces) = (Decoder::new(), Decoder::new());
    let at_once = whole.take(input);
    let in_pieces: Vec<_> = input
        .chunks(3)
        .flat_map(|piece| pieces.take(piece))
        .collect();
    assert_eq!(at_once, in_pieces, "two answers about the same bytes");
    assert!(at_once.len() <= input.len(), "reports out of nothing");
    assert_eq!(whole.restart(), pieces.restart(), "one has half an answer");
    assert!(!whole.restart(), "half an answer after it was forgotten");
}

/// An answer of a page printer, by HTTP.
///
/// Promise: a body is no longer than what came, and an answer that comes in pieces says what it says at once.
pub fn printer_http(input: &[u8]) {
    let mut whole = Answer::default();
    if whole.add(input).is_err() {
        return;
    }
    let at_once = whole.take();
    if let Ok(Some(body)) = &at_once {
        assert!(body.len() <= input.len(), "a body out of nothing");
    }
    if let Ok(body) = whole.end() {
        assert!(body.len() <= input.len(), "a body out of nothing");
        let _message = Message::decode(&body);
    }
    let mut pieces = Answer::default();
    for piece in input.chunks(7) {
        if pieces.add(piece).is_err() {
            return;
        }
        match pieces.take() {
            Ok(None) => {}
            Ok(Some(body)) => {
                let same = at_once.is_ok_and(|found| found == Some(body));
                assert!(same, "two answers about the same bytes");
                return;
            }
            Err(_) => return,
        }
    }
}

/// A message of a page printer.
///
/// Promise: what is understood can be written, and is understood in the same way again.
pub fn printer_ipp(input: &[u8]) {
    let Ok(message) = Message::decode(input) else {
        return;
    };
    for group in [Tag::Operation, Tag::Job, Tag::Printer] {
        let _number = message.integer(group, "job-id");
        let _texts = message.texts(group, "printer-state-reasons");
    }
    if input.len() <= LONGEST_MESSAGE {
        let again = Message::decode(&message.encode());
        assert_eq!(again.as_ref(), Ok(&message), "it changed by being written");
    }
}

/// The journal of a ticket printer. Where the first byte is odd, each line is given its check sum here, so that
/// the fuzzer gets to what stands behind it.
///
/// Promise: a journal that can be opened can be opened again, and says the same then.
pub fn printer_journal(input: &[u8]) {
    let bytes = match input.split_first() {
        Some((first, lines)) if first & 1 == 1 => summed(lines),
        Some((_, bytes)) => bytes.to_vec(),
        None => Vec::new(),
    };
    let disk = MemoryDisk::default();
    disk.put(&bytes);
    let Ok(journal) = Journal::open(Box::new(disk.clone())) else {
        return;
    };
    let doubts = journal.unresolved();
    drop(journal);
    let again = Journal::open(Box::new(disk)).expect("what was opened can be opened again");
    assert_eq!(again.unresolved(), doubts, "other tickets are in doubt");
}

/// Lines with their check sums in front.
pub(super) fn summed(lines: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        bytes.extend_from_slice(format!("{:08x} ", crc32(content)).as_bytes());
        bytes.extend_from_slice(line);
    }
    bytes
}

/// CRC-32 of ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(sum & 1))
        })
    });
    !sum
}
