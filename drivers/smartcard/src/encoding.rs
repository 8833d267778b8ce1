//! From a [`Command`] to the bytes on the wire (ISO/IEC 7816-4, 5.1 to 5.3), and what a card says it takes.
//!
//! A command becomes one or several [`Exchange`]s: one when it fits, several when its data must be
//! chained because the card does not announce extended length.
//! Each exchange keeps the sensitivity of its command, so that a chained PIN is as secret as a short one.
//!
//! Invariant: encoded bytes live in buffers that are erased when dropped and that never grow, because a
//! growing buffer leaves an unerased copy behind.

use zeroize::Zeroizing;

use crate::apdu::{Command, Payload, Sensitivity};

/// The longest data field of a short command; also the most that a short `Lc` can say.
const SHORT_DATA: usize = 255;
/// What a short `Le` of `00` means.
pub(crate) const SHORT_EXPECTED: usize = 256;
/// What an extended `Le` of `00 00` means.
const EXTENDED_EXPECTED: usize = 65_536;
/// Set in the class byte of every command of a chain but the last (ISO/IEC 7816-4, 5.3.3).
const CHAINING: u8 = 0x10;

/// One command as it goes to the card, and one answer as it comes back.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) header: [u8; 4],
    pub(crate) data: &'a [u8],
    pub(crate) expected: Option<usize>,
    pub(crate) extended: bool,
    pub(crate) data_sensitivity: Sensitivity,
    pub(crate) answer_sensitivity: Sensitivity,
}

impl Exchange<'_> {
    /// The bytes that go to the card.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Header, at most seven bytes of lengths, data.
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 + 7 + self.data.len()));
        bytes.extend_from_slice(&self.header);
        if self.extended {
            self.encode_extended(&mut bytes);
        } else {
            self.encode_short(&mut bytes);
        }
        bytes
    }

    fn encode_short(&self, bytes: &mut Vec<u8>) {
        let data = self.data.get(..SHORT_DATA).unwrap_or(self.data);
        if !data.is_empty() {
            bytes.push(low_byte(data.len()));
            bytes.extend_from_slice(data);
        }
        if let Some(expected) = self.expected {
            bytes.push(low_byte(expected.min(SHORT_EXPECTED)));
        }
    }

    fn encode_extended(&self, bytes: &mut Vec<u8>) {
        if self.data.is_empty() && self.expected.is_none() {
            return;
        }
        bytes.push(0);
        if !self.data.is_empty() {
            bytes.extend_from_slice(&low_two_bytes(self.data.len()));
            bytes.extend_from_slice(self.data);
        }
        if let Some(expected) = self.expected {
            bytes.extend_from_slice(&low_two_bytes(expected.min(EXTENDED_EXPECTED)));
        }
    }

    /// Room for the longest answer that was asked for, with its status word.
    pub(crate) fn room(&self) -> usize {
        let most = if self.extended {
            EXTENDED_EXPECTED
        } else {
            SHORT_EXPECTED
        };
        self.expected.unwrap_or(0).clamp(SHORT_EXPECTED, most) + 2
    }
}

/// `00` for 256, as ISO/IEC 7816-4 has it.
fn low_byte(length: usize) -> u8 {
    let [.., low] = length.to_be_bytes();
    low
}

/// `00 00` for 65536, as ISO/IEC 7816-4 has it.
fn low_two_bytes(length: usize) -> [u8; 2] {
    let [.., high, low] = length.to_be_bytes();
    [high, low]
}

/// The exchanges that carry `command` to a card.
pub(crate) fn exchanges(command: &Command, card: CardLengths) -> Vec<Exchange<'_>> {
    let data: &[u8] = match &command.data {
        Payload::None => &[],
        Payload::Plain(bytes) => bytes,
        Payload::Secret(secret) => secret.expose(),
    };
    // `Le` of zero would be encoded as "as much as you have"; who expects nothing sends no `Le`.
    let expected = command.expected.filter(|length| *length > 0);
    let long = data.len() > SHORT_DATA || expected.is_some_and(|length| length > SHORT_EXPECTED);
    let whole = Exchange {
        header: command.header,
        data,
        expected,
        extended: long && card.extended,
        data_sensitivity: command.data_sensitivity(),
        answer_sensitivity: command.answer_sensitivity(),
    };
    if whole.extended || data.len() <= SHORT_DATA {
        return vec![whole];
    }
    chained(whole)
}

fn chained(whole: Exchange<'_>) -> Vec<Exchange<'_>> {
    let [cla, ins, p1, p2] = whole.header;
    let mut links: Vec<Exchange<'_>> = whole
        .data
        .chunks(SHORT_DATA)
        .map(|data| Exchange {
            header: [cla | CHAINING, ins, p1, p2],
            data,
            expected: None,
            ..whole
        })
        .collect();
    if let Some(last) = links.last_mut() {
        last.header = whole.header;
        last.expected = whole.expected;
    }
    links
}

/// Which lengths a card announces in its answer to reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CardLengths {
    /// Extended `Lc` and `Le` are known to work.
    pub(crate) extended: bool,
}

impl CardLengths {
    /// Reads the card capabilities among the historical bytes (ISO/IEC 7816-4, 8.1.1.2.7).
    ///
    /// A contactless reader builds its answer to reset from other bytes, and an older My Number card
    /// announces nothing: both count as short only, which always works.
    pub(crate) fn from_atr(atr: &[u8]) -> Self {
        // PC/SC part 3, 3.1.3.2.3: a contactless reader's own making, where ATQB bytes stand in the
        // place of historical bytes and could look like anything.
        if matches!(atr, [0x3B, 0x80..=0x8F, 0x80, 0x01, ..]) {
            return Self::default();
        }
        let extended = historical_bytes(atr)
            .and_then(third_capability_byte)
            .is_some_and(|capabilities| capabilities & 0x40 != 0);
        Self { extended }
    }
}

/// The historical bytes of an answer to reset (ISO/IEC 7816-3, 8.2).
fn historical_bytes(atr: &[u8]) -> Option<&[u8]> {
    let (_initial, rest) = atr.split_first()?;
    let (format, mut rest) = rest.split_first()?;
    let count = usize::from(format & 0x0F);
    let mut indicator = *format;
    loop {
        let interface_bytes = usize::from(indicator >> 4).count_ones();
        let (interface, after) = rest.split_at_checked(usize::try_from(interface_bytes).ok()?)?;
        rest = after;
        // TDi is the last of its group and announces the next group.
        match interface.last() {
            Some(next) if indicator & 0x80 != 0 => indicator = *next,
            _ => return rest.get(..count),
        }
    }
}

/// The third byte of the card capabilities, where the historical bytes are compact TLV.
fn third_capability_byte(historical: &[u8]) -> Option<u8> {
    let (category, mut objects) = historical.split_first()?;
    if !matches!(category, 0x00 | 0x80) {
        return None;
    }
    while let Some((tag_and_length, rest)) = objects.split_first() {
        let (value, after) = rest.split_at_checked(usize::from(tag_and_length & 0x0F))?;
        if tag_and_length >> 4 == 0x7 {
            return value.get(2).copied();
        }
        objects = after;
    }
    None
}

#[cfg(test)]
mod tests;
