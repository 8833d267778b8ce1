//! What a slot's card received and answered, counted at the card, whatever the client believes.
//!
//! Invariant: no data field is kept, of commands or of answers, so no PIN and no citizen's data
//! can be found here.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::apdu::CommandApdu;

/// How many of the latest exchanges are kept.
const KEPT_EXCHANGES: usize = 4096;

/// How many headers are counted one by one; a client that sends random bytes must not fill the memory.
const MOST_HEADERS: usize = 1024;
const OTHER_HEADERS: &str = "other";

/// VERIFY (ISO/IEC 7816-4, 11.6.6).
const INS_VERIFY: u8 = 0x20;

/// The counters of one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Cards put down.
    pub insertions: u64,
    /// Power applied.
    pub power_ons: u64,
    /// Power removed by the reader.
    pub power_offs: u64,
    /// Warm resets.
    pub resets: u64,
    /// Command APDUs received.
    pub apdus: u64,
    /// Bytes of command APDUs received.
    pub bytes_received: u64,
    /// Bytes of answers sent.
    pub bytes_sent: u64,
    /// VERIFY commands that carried a secret and reached the card.
    pub verifies: u64,
    /// VERIFY commands that only asked for the tries left.
    pub tries_queries: u64,
    /// VERIFY commands with a secret that the card answered with a mismatch.
    pub wrong_secrets: u64,
    /// VERIFY commands with which a secret became blocked.
    pub blocked: u64,
    /// VERIFY commands with a secret that was blocked already.
    pub refused_as_blocked: u64,
    /// Faults that struck.
    pub faults: u64,
    /// Commands by `CLA INS P1 P2`; those after the first 1,024 kinds under `other`.
    pub by_header: BTreeMap<String, u64>,
    /// The latest exchanges, oldest first; fetched on their own.
    #[serde(skip)]
    exchanges: VecDeque<Exchange>,
}

/// One exchange, without any content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// Counted from 1 since the counters were reset.
    pub number: u64,
    /// `CLA INS P1 P2` in hexadecimal.
    pub header: String,
    /// Length of the command's data field.
    pub data_length: usize,
    /// The status word with which the card itself answered; absent when it never saw the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How many bytes left for the reader; absent when none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<usize>,
    /// Whether a fault struck.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disturbed: bool,
}

/// How one exchange went.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What the card answered, if it saw the command.
    pub(crate) card: Option<Vec<u8>>,
    /// What was sent, if anything was.
    pub(crate) sent: Option<Vec<u8>>,
    /// How many faults struck.
    pub(crate) faults: usize,
}

impl Counters {
    /// The latest exchanges, oldest first.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter()
    }

    /// Counts one exchange.
    pub(crate) fn exchanged(&mut self, command: &CommandApdu, length: usize, outcome: &Outcome) {
        let [cla, ins, p1, p2] = command.header();
        let header = format!("{cla:02X} {ins:02X} {p1:02X} {p2:02X}");
        let sent = outcome.sent.as_ref().map(Vec::len);
        self.apdus += 1;
        self.bytes_received += as_count(length);
        self.bytes_sent += as_count(sent.unwrap_or(0));
        self.faults += as_count(outcome.faults);
        let known = self.by_header.len() < MOST_HEADERS || self.by_header.contains_key(&header);
        let key = if known {
            header.clone()
        } else {
            OTHER_HEADERS.to_owned()
        };
        *self.by_header.entry(key).or_default() += 1;
        let status = outcome.card.as_deref().and_then(status_word);
        if command.ins == INS_VERIFY {
            self.verified(command, status);
        }
        if self.exchanges.len() == KEPT_EXCHANGES {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(Exchange {
            number: self.apdus,
            header,
            data_length: command.data.len(),
            status: status.map(|status| format!("{status:04X}")),
            sent,
            disturbed: outcome.faults > 0,
        });
    }

    fn verified(&mut self, command: &CommandApdu, status: Option<u16>) {
        let Some(status) = status else { return };
        if command.data.is_empty() {
            self.tries_queries += 1;
            return;
        }
        self.verifies += 1;
        match status {
            0x63C0 => {
                self.wrong_secrets += 1;
                self.blocked += 1;
            }
            0x6300 | 0x63C1..=0x63CF => self.wrong_secrets += 1,
            0x6984 => self.refused_as_blocked += 1,
            _ => {}
        }
    }
}

fn status_word(answer: &[u8]) -> Option<u16> {
    answer.last_chunk::<2>().copied().map(u16::from_be_bytes)
}

fn as_count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(counters: &mut Counters, command: &[u8], answer: &[u8]) {
        let parsed = CommandApdu::parse(command).unwrap();
        let outcome = Outcome {
            card: Some(answer.to_vec()),
            sent: Some(answer.to_vec()),
            faults: 0,
        };
        counters.exchanged(&parsed, command.len(), &outcome);
    }

    #[test]
    fn secrets_queries_mismatches_and_blocks_are_told_apart() {
        let mut counters = Counters::default();
        exchange(&mut counters, &[0, 0x20, 0, 0x91], &[0x63, 0xC3]);
        exchange(&mut counters, b"\x00\x20\x00\x91\x041111", &[0x63, 0xC1]);
        exchange(&mut counters, b"\x00\x20\x00\x91\x041111", &[0x63, 0xC0]);
        exchange(&mut counters, b"\x00\x20\x00\x91\x041111", &[0x69, 0x84]);
        exchange(&mut counters, &[0, 0x20, 0, 0x91], &[0x63, 0xC0]);
        assert_eq!((counters.verifies, counters.tries_queries), (3, 2));
        assert_eq!((counters.wrong_secrets, counters.blocked), (2, 1));
        assert_eq!(counters.refused_as_blocked, 1);
        assert_eq!(counters.by_header.get("00 20 00 91"), Some(&5));
    }

    #[test]
    fn neither_counters_nor_exchanges_keep_a_secret() {
        let mut counters = Counters::default();
        exchange(&mut counters, b"\x00\x20\x00\x91\x049731", &[0x90, 0x00]);
        let exchanges: Vec<_> = counters.exchanges().collect();
        let text = format!("{} {}", serde_json::to_string(&exchanges).unwrap(), {
            serde_json::to_string(&counters).unwrap()
        });
        assert!(text.contains(r#""dataLength":4"#), "{text}");
        assert!(
            !text.contains("9731") && !text.contains("39373331"),
            "{text}"
        );
        assert!(!format!("{counters:?}").contains("9731"));
    }

    #[test]
    fn random_headers_are_counted_together_once_there_are_too_many() {
        let mut counters = Counters::default();
        for number in 0..3000_u16 {
            let [high, low] = number.to_be_bytes();
            exchange(&mut counters, &[0, 0xB0, high, low, 0], &[0x90, 0x00]);
        }
        assert_eq!(counters.by_header.len(), MOST_HEADERS + 1);
        assert_eq!(counters.by_header.values().sum::<u64>(), 3000);
    }

    #[test]
    fn only_the_latest_exchanges_are_kept() {
        let mut counters = Counters::default();
        for _ in 0..KEPT_EXCHANGES + 10 {
            exchange(&mut counters, &[0, 0xB0, 0, 0, 0], &[0x90, 0x00]);
        }
        assert_eq!(counters.exchanges().count(), KEPT_EXCHANGES);
        assert_eq!(
            counters.exchanges().next().map(|exchange| exchange.number),
            Some(11)
        );
    }
}
