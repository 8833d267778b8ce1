//! What a printer says, told apart by the bits that are fixed in each kind of answer.
//!
//! | bits 7..0 | answer | bytes |
//! |---|---|---|
//! | `0xx1xx10` | real-time status, to DLE EOT | 1 |
//! | `0xx1xx00` | first byte of a status that came by itself; three bytes `0xx0xxxx` follow | 4 |
//! | `00110111` | header: process id (`22`), cleared (`25`), or another answer | up to NUL |
//! | `01011111` | header: printer's name or counter | up to NUL |
//! | `00010001`, `00010011` | XON, XOFF | 1 |
//! | `0xx0xxxx` | status in order, to GS r | 1 |
//!
//! Real-time status and XON/XOFF can stand inside the longer answers, whose letters we choose such that
//! they remain distinct.
//! Invariant: every byte leaves the decoder in a known state; nothing grows without bound.

use super::ProcessId;

/// What a printer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The answer to DLE EOT; which of the four was asked only the asker knows.
    RealTime(u8),
    /// The printer's state, sent because it changed.
    State(State),
    /// Everything before this id is printed.
    Process(ProcessId),
    /// The buffers are empty.
    Cleared,
    /// Send no more for now.
    Hold,
    /// Send again.
    Resume,
    /// The answer to GS r.
    InOrder(u8),
    /// A name or counter.
    Text(Vec<u8>),
    /// Bytes that are no answer, how many.
    Garbled(usize),
}

/// The four bytes of automatic status back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State(pub [u8; 4]);

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;
/// Begins process id and other responses.
const RESPONSE: u8 = 0x37;
/// Begins names and counters.
const TEXT: u8 = 0x5F;
const PROCESS: u8 = 0x22;
const CLEARED: u8 = 0x25;
/// The longest text that is kept; names of printers have at most 66 bytes.
const MOST_TEXT: usize = 80;

/// Takes bytes as they come and gives reports as they are complete.
#[derive(Debug, Default)]
pub struct Decoder {
    within: Within,
}

#[derive(Debug, Default)]
enum Within {
    #[default]
    Nothing,
    State([u8; 4], usize),
    Response(Vec<u8>),
    Text(Vec<u8>),
}

impl Decoder {
    /// A decoder at the beginning of a connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes; whatever they are, the decoder goes on.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Report> {
        let mut reports = Vec::new();
        for byte in bytes {
            self.one(*byte, &mut reports);
        }
        reports
    }

    /// Forgets a half answer; says whether there was one.
    pub fn restart(&mut self) -> bool {
        !matches!(std::mem::take(&mut self.within), Within::Nothing)
    }

    fn one(&mut self, byte: u8, reports: &mut Vec<Report>) {
        match std::mem::take(&mut self.within) {
            Within::Nothing => self.first(byte, reports),
            Within::State(state, at) => self.state(byte, (state, at), reports),
            Within::Response(sofar) => self.response(byte, sofar, reports),
            Within::Text(sofar) => self.text(byte, sofar, reports),
        }
    }

    fn first(&mut self, byte: u8, reports: &mut Vec<Report>) {
        match byte {
            RESPONSE => self.within = Within::Response(Vec::new()),
            TEXT => self.within = Within::Text(Vec::new()),
            _ => match single(byte) {
                Some(report) => reports.push(report),
                None if byte & 0x93 == 0x10 => self.within = Within::State([byte, 0, 0, 0], 1),
                None if byte & 0x90 == 0 => reports.push(Report::InOrder(byte)),
                None => reports.push(Report::Garbled(1)),
            },
        }
    }

    fn state(&mut self, byte: u8, (mut state, at): ([u8; 4], usize), reports: &mut Vec<Report>) {
        if byte & 0x90 == 0 {
            if let Some(place) = state.get_mut(at) {
                *place = byte;
            }
            if at == 3 {
                reports.push(Report::State(State(state)));
            } else {
                self.within = Within::State(state, at + 1);
            }
        } else if let Some(report) = single(byte) {
            reports.push(report);
            self.within = Within::State(state, at);
        } else {
            // The rest was lost on the way: what comes now begins something.
            reports.push(Report::Garbled(at));
            self.first(byte, reports);
        }
    }

    fn response(&mut self, byte: u8, mut sofar: Vec<u8>, reports: &mut Vec<Report>) {
        match (sofar.as_slice(), byte) {
            ([PROCESS, a, b, c, d], 0) => {
                reports.push(Report::Process(ProcessId::of([*a, *b, *c, *d])));
            }
            ([CLEARED], 0) => reports.push(Report::Cleared),
            (sofar, 0) => reports.push(Report::Garbled(sofar.len() + 2)),
            _ => {
                // Letters of ours have bit 4 clear; another program's id may not, and is taken as it is.
                let foreign = sofar.first() == Some(&PROCESS) && (0x20..0x7F).contains(&byte);
                match single(byte) {
                    Some(report) if !foreign => reports.push(report),
                    Some(report) if byte & 0x10 != 0 && ours(&sofar) => reports.push(report),
                    Some(_) | None => sofar.push(byte),
                }
                if sofar.len() > 8 {
                    reports.push(Report::Garbled(sofar.len() + 1));
                } else {
                    self.within = Within::Response(sofar);
                }
            }
        }
    }

    fn text(&mut self, byte: u8, mut sofar: Vec<u8>, reports: &mut Vec<Report>) {
        if byte == 0 {
            reports.push(Report::Text(sofar));
        } else if sofar.len() >= MOST_TEXT {
            reports.push(Report::Garbled(sofar.len() + 2));
        } else {
            sofar.push(byte);
            self.within = Within::Text(sofar);
        }
    }
}

/// Whether a half process id can be one that we gave.
fn ours(sofar: &[u8]) -> bool {
    let letters = sofar.get(1..).unwrap_or_default();
    letters
        .iter()
        .all(|letter| matches!(letter, 0x40..=0x4F | 0x60..=0x6F))
}

/// The answers of one byte.
const fn single(byte: u8) -> Option<Report> {
    match byte {
        XON => Some(Report::Resume),
        XOFF => Some(Report::Hold),
        _ if byte & 0x93 == 0x12 => Some(Report::RealTime(byte)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u32) -> (ProcessId, Vec<u8>) {
        let id = ProcessId::numbered(number);
        let mut bytes = vec![RESPONSE, PROCESS];
        bytes.extend(id.characters());
        bytes.push(0);
        (id, bytes)
    }

    #[test]
    fn known_answers_are_read() {
        let table: [(&[u8], Report); 7] = [
            (&[0x12], Report::RealTime(0x12)),
            (&[0x7E], Report::RealTime(0x7E)),
            (&[0x10, 0, 0, 0], Report::State(State([0x10, 0, 0, 0]))),
            (&[0x37, 0x25, 0], Report::Cleared),
            (&[0x13], Report::Hold),
            (&[0x0C], Report::InOrder(0x0C)),
            (b"_TM-T88VI\0", Report::Text(b"TM-T88VI".to_vec())),
        ];
        for (bytes, expected) in table {
            assert_eq!(Decoder::new().take(bytes), [expected]);
        }
    }

    #[test]
    fn a_process_id_is_read_although_a_status_byte_stands_in_it() {
        let (id, bytes) = id(77_777);
        for at in 1..bytes.len() {
            for between in [0x12, 0x11, 0x13, 0x16] {
                let mut mixed = bytes.clone();
                mixed.insert(at, between);
                let reports = Decoder::new().take(&mixed);
                assert!(
                    reports.contains(&Report::Process(id)),
                    "{at} {between:#x} {reports:?}"
                );
                assert_eq!(reports.len(), 2);
            }
        }
    }

    #[test]
    fn another_programs_process_id_is_read_whole() {
        let reports = Decoder::new().take(b"\x37\x221234\0");
        assert_eq!(
            reports.last(),
            Some(&Report::Process(ProcessId::of(*b"1234")))
        );
    }

    #[test]
    fn a_state_that_was_cut_short_spoils_only_itself() {
        let (id, bytes) = id(5);
        for cut in 1..4 {
            let mut mixed = vec![0x18, 0x00, 0x0C];
            mixed.truncate(cut);
            mixed.extend([0x10, 0x00, 0x00, 0x00]);
            mixed.extend(&bytes);
            let reports = Decoder::new().take(&mixed);
            assert_eq!(
                reports[1..],
                [Report::State(State([0x10, 0, 0, 0])), Report::Process(id)]
            );
        }
    }

    #[test]
    fn every_truncation_waits_for_the_rest() {
        let (id, bytes) = id(123);
        for cut in 0..bytes.len() {
            let mut decoder = Decoder::new();
            assert_eq!(decoder.take(&bytes[..cut]), []);
            assert_eq!(decoder.take(&bytes[cut..]), [Report::Process(id)]);
        }
    }

    proptest! {
        #[test]
        fn garbage_neither_panics_nor_piles_up(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut decoder = Decoder::new();
            let reports = decoder.take(&bytes);
            prop_assert!(reports.len() <= 2 * bytes.len());
            for report in &reports {
                if let Report::Text(text) = report {
                    prop_assert!(text.len() <= MOST_TEXT);
                }
            }
            // After at most one long answer and its NUL the decoder is at a beginning again.
            decoder.take(&[0; 4]);
            decoder.restart();
            prop_assert_eq!(decoder.take(&[0x12]), [Report::RealTime(0x12)]);
        }

        #[test]
        fn pieces_make_no_difference(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..200) {
            let at = at.min(bytes.len());
            let whole = Decoder::new().take(&bytes);
            let mut decoder = Decoder::new();
            let mut parts = decoder.take(&bytes[..at]);
            parts.extend(decoder.take(&bytes[at..]));
            prop_assert_eq!(whole, parts);
        }
    }
}
