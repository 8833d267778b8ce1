//! Cuts the received bytes into ESC/POS commands, before anything is carried out.
//!
//! A printer has to know where a command ends even while it cannot print: paper may be out in the middle
//! of an image. Lengths are those of Epson's ESC/POS command reference, by the first bytes of a command.
//!
//! Invariant: what a command claims as its length allocates nothing; only bytes that came are kept, and
//! of a command longer than [`MOST_KEPT`] nothing is.

pub(crate) const DLE: u8 = 0x10;
pub(crate) const ESC: u8 = 0x1B;
pub(crate) const FS: u8 = 0x1C;
pub(crate) const GS: u8 = 0x1D;

/// More than any ticket needs: 576 dots by 32,000 rows.
const MOST_KEPT: usize = 4 << 20;
/// Commands that end with NUL end here without one: the longest is a bar code of 255 characters.
const MOST_UNTIL_NUL: usize = 260;
/// Longer commands than this carry a block of data.
const LONGEST_PARAMETERS: usize = 12;

/// What is known about a command from its first bytes.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    /// Nothing yet.
    More,
    /// It has this many bytes.
    Total(usize),
}

/// Collects one command after the other.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    head: Vec<u8>,
    received: usize,
    total: Option<usize>,
}

impl Framer {
    /// Takes a byte. Returns a command when it is whole.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Vec<u8>> {
        self.received += 1;
        if self.head.len() < MOST_KEPT {
            self.head.push(byte);
        }
        if self.total.is_none()
            && let Need::Total(total) = need(&self.head)
        {
            self.total = Some(total);
        }
        if self.total? > self.received {
            return None;
        }
        let whole = self.head.len() == self.received;
        let command = std::mem::take(&mut self.head);
        self.received = 0;
        self.total = None;
        whole.then_some(command)
    }

    /// Whether the next byte belongs to a block of data, such as an image.
    pub(crate) fn in_block(&self) -> bool {
        self.total.is_some_and(|total| total > LONGEST_PARAMETERS)
    }

    /// Forgets a half command.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many bytes of a half command are kept.
    pub(crate) const fn held(&self) -> usize {
        self.head.len()
    }
}

/// The name of a command, for counters and fault plans: `text`, `LF`, `ESC @`, `GS ( k`.
pub(crate) fn name(command: &[u8]) -> String {
    let printable = |byte: u8| match byte {
        0x20 => "SP".to_owned(),
        0x21..=0x7E => char::from(byte).to_string(),
        _ => format!("{byte:02X}"),
    };
    match command {
        [DLE, 0x04, ..] => "DLE EOT".to_owned(),
        [DLE, 0x05, ..] => "DLE ENQ".to_owned(),
        [DLE, 0x14, ..] => "DLE DC4".to_owned(),
        [lead @ (DLE | ESC | FS | GS), second, rest @ ..] => {
            let lead = match *lead {
                DLE => "DLE",
                ESC => "ESC",
                FS => "FS",
                _ => "GS",
            };
            let third = match (second, rest) {
                (b'(' | b'8', [third, ..]) => format!(" {}", printable(*third)),
                _ => String::new(),
            };
            format!("{lead} {}{third}", printable(*second))
        }
        [0x09] => "HT".to_owned(),
        [0x0A] => "LF".to_owned(),
        [0x0C] => "FF".to_owned(),
        [0x0D] => "CR".to_owned(),
        [0x18] => "CAN".to_owned(),
        _ => "text".to_owned(),
    }
}

fn need(head: &[u8]) -> Need {
    match head {
        [] | [DLE | ESC | FS | GS] => Need::More,
        [DLE, second, rest @ ..] => real_time(*second, rest),
        [ESC, second, rest @ ..] => escape(*second, rest),
        [FS, second, rest @ ..] => kanji(*second, rest),
        [GS, second, rest @ ..] => group(*second, rest),
        _ => Need::Total(1),
    }
}

/// `DLE EOT n`, `DLE ENQ n`, `DLE DC4 fn ...`.
fn real_time(second: u8, rest: &[u8]) -> Need {
    match (second, rest) {
        (0x04 | 0x05, _) => Need::Total(3),
        (0x14, []) => Need::More,
        (0x14, [1..=3, ..]) => Need::Total(5),
        (0x14, [7, ..]) => Need::Total(4),
        (0x14, [8, ..]) => Need::Total(10),
        (0x14, _) => Need::Total(3),
        _ => Need::Total(2),
    }
}

fn escape(second: u8, rest: &[u8]) -> Need {
    match (second, rest) {
        (b'@' | b'L' | b'S' | b'2' | b'i' | b'm' | b'<' | b'v' | 0x0C, _) => Need::Total(2),
        (b'$' | b'\\' | b'c', _) => Need::Total(4),
        (b'p', _) => Need::Total(5),
        (b'W', _) => Need::Total(10),
        (b'D', stops) => until_nul(2, stops),
        (b'*', [mode, low, high, ..]) => {
            let column = if *mode >= 32 { 3 } else { 1 };
            Need::Total(5 + column * word(*low, *high))
        }
        (b'&', [height, first, last, shapes @ ..]) => {
            let count = usize::from(last.saturating_sub(*first)) + 1;
            characters(usize::from(*height), count, shapes)
        }
        (b'(', [_, low, high, ..]) => Need::Total(5 + word(*low, *high)),
        (b'*' | b'&' | b'(', _) => Need::More,
        (
            b' ' | b'!' | b'%' | b'-' | b'3' | b'=' | b'?' | b'E' | b'G' | b'J' | b'K' | b'M'
            | b'R' | b'T' | b'V' | b'a' | b'd' | b'e' | b'r' | b't' | b'u' | b'{',
            _,
        ) => Need::Total(3),
        _ => Need::Total(2),
    }
}

/// `ESC &`: each character has its own width.
fn characters(height: usize, count: usize, mut shapes: &[u8]) -> Need {
    let mut total = 5;
    for _ in 0..count {
        let Some((width, rest)) = shapes.split_first() else {
            return Need::More;
        };
        let bytes = usize::from(*width) * height;
        total += 1 + bytes;
        shapes = rest.get(bytes..).unwrap_or_default();
    }
    Need::Total(total)
}

fn kanji(second: u8, rest: &[u8]) -> Need {
    match (second, rest) {
        (b'!' | b'-' | b'C' | b'W', _) => Need::Total(3),
        (b'S' | b'?' | b'p', _) => Need::Total(4),
        // A kanji of 24 by 24 dots.
        (b'2', _) => Need::Total(4 + 72),
        (b'(', [_, low, high, ..]) => Need::Total(5 + word(*low, *high)),
        (b'g', [b'1', _, _, _, _, _, low, high, ..]) => Need::Total(10 + word(*low, *high)),
        (b'g', [b'2', ..]) => Need::Total(10),
        (b'q', [count, images @ ..]) => stored_images(usize::from(*count), images),
        (b'(' | b'g' | b'q', _) => Need::More,
        _ => Need::Total(2),
    }
}

/// `FS q`: images for the printer's memory, each with its size before it.
fn stored_images(count: usize, mut images: &[u8]) -> Need {
    let mut total = 3;
    for _ in 0..count {
        let [xl, xh, yl, yh, rest @ ..] = images else {
            return Need::More;
        };
        let bytes = word(*xl, *xh) * word(*yl, *yh) * 8;
        total += 4 + bytes;
        images = rest.get(bytes..).unwrap_or_default();
    }
    Need::Total(total)
}

fn group(second: u8, rest: &[u8]) -> Need {
    match (second, rest) {
        (b':' | b'c', _) => Need::Total(2),
        (b'$' | b'L' | b'P' | b'W' | b'\\', _) => Need::Total(4),
        (b'^' | b'z', _) => Need::Total(5),
        (b'(', [_, low, high, ..]) => Need::Total(5 + word(*low, *high)),
        (b'8', [_, a, b, c, d, ..]) => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]);
            Need::Total(7 + usize::try_from(length).unwrap_or(usize::MAX - 7))
        }
        (b'*', [x, y, ..]) => Need::Total(4 + usize::from(*x) * usize::from(*y) * 8),
        (b'V', [65 | 66 | 97 | 98 | 103 | 104, ..]) => Need::Total(4),
        (b'V', [_, ..]) => Need::Total(3),
        (b'k', [0..=6, data @ ..]) => until_nul(3, data),
        (b'k', [_, length, ..]) => Need::Total(4 + usize::from(*length)),
        (b'v' | b'Q', [b'0', _, xl, xh, yl, yh, ..]) => {
            Need::Total(8 + word(*xl, *xh) * word(*yl, *yh))
        }
        (b'v' | b'Q', [other, ..]) if *other != b'0' => Need::Total(3),
        (b'g', _) => Need::Total(6),
        (b'(' | b'8' | b'*' | b'V' | b'k' | b'v' | b'Q', _) => Need::More,
        (b'!' | b'/' | b'B' | b'H' | b'I' | b'T' | b'a' | b'b' | b'f' | b'h' | b'r' | b'w', _) => {
            Need::Total(3)
        }
        _ => Need::Total(2),
    }
}

fn until_nul(before: usize, data: &[u8]) -> Need {
    match data.iter().position(|byte| *byte == 0) {
        Some(position) => Need::Total(before + position + 1),
        None if data.len() >= MOST_UNTIL_NUL => Need::Total(before + data.len()),
        None => Need::More,
    }
}

fn word(low: u8, high: u8) -> usize {
    usize::from(u16::from_le_bytes([low, high]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> Vec<String> {
        let mut framer = Framer::default();
        let commands = bytes.iter().filter_map(|byte| framer.push(*byte));
        commands.map(|command| name(&command)).collect()
    }

    #[test]
    fn commands_end_where_the_reference_says() {
        let job = b"\x1b@A\n\x1bD\x08\x10\x00\x1b*\x21\x02\x00abcdef\x1dv0\x00\x01\x00\x02\x00xy\
            \x1d(k\x03\x001Q0\x1d8L\x02\x00\x00\x00zz\x1dk\x04123\x00\x1dk\x49\x02ab\x1dVB\x03\x1dV\x00";
        assert_eq!(
            frames(job),
            [
                "ESC @", "text", "LF", "ESC D", "ESC *", "GS v", "GS ( k", "GS 8 L", "GS k",
                "GS k", "GS V", "GS V"
            ]
        );
    }

    #[test]
    fn a_length_without_its_bytes_keeps_nothing() {
        let mut framer = Framer::default();
        for byte in b"\x1d8L\xff\xff\xff\xff" {
            assert_eq!(framer.push(*byte), None);
        }
        assert!(framer.in_block());
        assert_eq!(framer.held(), 7);
    }

    #[test]
    fn no_bytes_upset_it() {
        let mut random = sim_kit::Random::new(3);
        let mut framer = Framer::default();
        for _ in 0..300_000 {
            if let Some(command) = framer.push(random.byte()) {
                assert!(!name(&command).is_empty());
            }
        }
    }
}
