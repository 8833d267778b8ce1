//! Structured append: one message in several symbols, put together again.
//!
//! Most scanners join the symbols themselves when set to, and then nothing of this is seen. Two forms
//! of header are known where they do not:
//!
//! | form | where | header |
//! |---|---|---|
//! | Aztec | identifier `]z6` to `]zB` (ISO/IEC 24778, structured append) | optionally a name between two blanks, then a letter for the place and one for the total, `A` is 1 |
//! | ours | any code whose content begins so (`docs/devices/code-scanners.md`) | `MSA:`, place and total in two digits each, parity in two hexadecimal digits, `:` |
//!
//! How a QR code's own header is transmitted is not standardised and no vendor documents it.
//! The parity is the exclusive or of all bytes of the whole message, as in ISO/IEC 18004.
//! Invariant: at most [`MOST`] parts of one message are held, for at most the time given.

use std::time::Duration;

use device_api::Moment;
use thiserror::Error;
use zeroize::Zeroizing;

use super::aim::AimId;
use super::eci::EciMark;

/// The most symbols of our own form and of QR codes; Aztec has up to 26.
pub const MOST: u8 = 26;
const OURS: &[u8; 4] = b"MSA:";
const LONGEST_NAME: usize = 24;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Which part this is, from 1.
    pub place: u8,
    /// How many there are, at least 2.
    pub total: u8,
    /// The exclusive or of all bytes of the message, where the form has it.
    pub parity: Option<u8>,
    /// The message's name, where the form has it.
    pub name: Vec<u8>,
}

/// The header in front of `content`, if there is one, and what follows it.
#[must_use]
pub fn split(aim: Option<AimId>, content: &[u8]) -> Option<(Header, &[u8])> {
    let (header, rest) = match aim {
        Some(aim) if aim.has_append_header() => aztec(content)?,
        _ => ours(content)?,
    };
    let sound =
        header.place >= 1 && header.place <= header.total && (2..=MOST).contains(&header.total);
    sound.then_some((header, rest))
}

/// Our own header for part `place` of `total` of a message with this parity.
#[must_use]
pub fn header(place: u8, total: u8, parity: u8) -> String {
    format!("MSA:{place:02}{total:02}{parity:02X}:")
}

/// The parity of a message.
#[must_use]
pub fn parity(message: &[u8]) -> u8 {
    message.iter().fold(0, |parity, byte| parity ^ byte)
}

fn aztec(content: &[u8]) -> Option<(Header, &[u8])> {
    let (name, rest) = match content.split_first() {
        Some((b' ', rest)) => {
            let end = rest.iter().position(|byte| *byte == b' ')?;
            let name = rest.get(..end).filter(|name| name.len() <= LONGEST_NAME)?;
            (name, rest.get(end + 1..)?)
        }
        _ => (&[][..], content),
    };
    let ([place, total], rest) = rest.split_first_chunk::<2>()?;
    let letter = |letter: u8| letter.is_ascii_uppercase().then(|| letter - b'A' + 1);
    let header = Header {
        place: letter(*place)?,
        total: letter(*total)?,
        parity: None,
        name: name.to_vec(),
    };
    Some((header, rest))
}

fn ours(content: &[u8]) -> Option<(Header, &[u8])> {
    let rest = content.strip_prefix(OURS)?;
    let (fields, rest) = rest.split_first_chunk::<7>()?;
    let [a, b, c, d, e, f, b':'] = *fields else {
        return None;
    };
    let digit = |digit: u8, radix| {
        char::from(digit)
            .to_digit(radix)
            .filter(|_| !digit.is_ascii_lowercase())
    };
    let two =
        |high, low, radix| u8::try_from(digit(high, radix)? * radix + digit(low, radix)?).ok();
    let header = Header {
        place: two(a, b, 10)?,
        total: two(c, d, 10)?,
        parity: Some(two(e, f, 16)?),
        name: Vec::new(),
    };
    Some((header, rest))
}

/// Why parts did not become a message.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum AppendError {
    /// The other parts did not come, or a code of another message came instead.
    #[error("{have} of {total} parts of a message were read")]
    Incomplete {
        /// How many parts came.
        have: u8,
        /// How many there are.
        total: u8,
    },
    /// All parts came, and do not make the message that was divided.
    #[error("the parts do not belong to one message")]
    Parity,
    /// Two different parts claim the same place.
    #[error("two different parts claim place {place}")]
    Conflict {
        /// Which.
        place: u8,
    },
}

/// What became of a part.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// It was the last: the message.
    Whole(Message),
    /// More are missing.
    Waiting,
}

/// One part, as it was read.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The identifier of its symbol.
    pub aim: Option<AimId>,
    /// What its header says.
    pub header: &'a Header,
    /// What follows the header.
    pub content: &'a [u8],
    /// Where charsets begin in it.
    pub marks: &'a [EciMark],
}

impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part({:?}, {} bytes)", self.header, self.content.len())
    }
}

/// A message that was put together.
#[derive(PartialEq, Eq)]
pub struct Message {
    /// Its content.
    pub content: Zeroizing<Vec<u8>>,
    /// Where charsets begin in it; one holds on into the next part.
    pub marks: Vec<EciMark>,
    /// How many parts it had.
    pub parts: u8,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Message({} bytes, {} parts)",
            self.content.len(),
            self.parts
        )
    }
}

/// Collects the parts of one message at a time.
#[derive(Debug)]
pub struct Joiner {
    timeout: Duration,
    open: Option<Open>,
}

struct Open {
    aim: Option<AimId>,
    total: u8,
    parity: Option<u8>,
    name: Vec<u8>,
    parts: Vec<Option<Kept>>,
    last: Moment,
}

#[derive(Clone, PartialEq, Eq)]
struct Kept {
    content: Zeroizing<Vec<u8>>,
    marks: Vec<EciMark>,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} parts", self.have(), self.total)
    }
}

impl Joiner {
    /// A joiner that gives a message up `timeout` after its latest part.
    #[must_use]
    pub const fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            open: None,
        }
    }

    /// Takes a part. A part that was there already changes nothing but the time.
    ///
    /// # Errors
    /// [`AppendError::Incomplete`] of the message that was being collected, where this part is of another,
    /// which is begun all the same; or why the message that this part completes is none.
    pub fn part(&mut self, part: Part<'_>, at: Moment) -> Result<Progress, AppendError> {
        let belongs = self.open.as_ref().is_some_and(|open| open.takes(part));
        let given_up = if belongs { None } else { self.abandon() };
        let open = self.open.get_or_insert_with(|| Open::new(part, at));
        open.last = at;
        let result = open.put(part);
        if result != Ok(Progress::Waiting) {
            self.open = None;
        }
        match given_up {
            Some(error) => Err(error),
            None => result,
        }
    }

    /// Gives up what is being collected, because a code that is no part came.
    pub fn abandon(&mut self) -> Option<AppendError> {
        self.open.take().map(|open| AppendError::Incomplete {
            have: open.have(),
            total: open.total,
        })
    }

    /// Takes the passing of time.
    pub fn tick(&mut self, now: Moment) -> Option<AppendError> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        self.abandon()
    }

    /// When the message that is being collected is given up.
    #[must_use]
    pub fn due(&self) -> Option<Moment> {
        self.open.as_ref().map(|open| open.last.plus(self.timeout))
    }
}

impl Open {
    fn new(part: Part<'_>, at: Moment) -> Self {
        let Header {
            total,
            parity,
            name,
            ..
        } = part.header;
        Self {
            aim: part.aim,
            total: *total,
            parity: *parity,
            name: name.clone(),
            parts: vec![None; usize::from(*total)],
            last: at,
        }
    }

    fn takes(&self, part: Part<'_>) -> bool {
        self.aim == part.aim
            && self.total == part.header.total
            && self.parity == part.header.parity
            && self.name == part.header.name
    }

    fn have(&self) -> u8 {
        let have = self.parts.iter().flatten().count();
        u8::try_from(have).unwrap_or(u8::MAX)
    }

    fn put(&mut self, part: Part<'_>) -> Result<Progress, AppendError> {
        let place = part.header.place;
        let index = usize::from(place).saturating_sub(1);
        let conflict = AppendError::Conflict { place };
        match self.parts.get_mut(index).ok_or(conflict)? {
            Some(known) if known.content.as_slice() == part.content => {}
            Some(_) => return Err(conflict),
            empty => {
                *empty = Some(Kept {
                    content: Zeroizing::new(part.content.to_vec()),
                    marks: part.marks.to_vec(),
                });
            }
        }
        if self.parts.iter().any(Option::is_none) {
            return Ok(Progress::Waiting);
        }
        let length = self.parts.iter().flatten().map(|kept| kept.content.len());
        let mut content = Zeroizing::new(Vec::with_capacity(length.sum()));
        let mut marks = Vec::new();
        for kept in self.parts.iter().flatten() {
            let before = content.len();
            marks.extend(kept.marks.iter().map(|mark| EciMark {
                from: before + mark.from,
                ..*mark
            }));
            content.extend_from_slice(&kept.content);
        }
        if self
            .parity
            .is_some_and(|claimed| claimed != parity(&content))
        {
            return Err(AppendError::Parity);
        }
        Ok(Progress::Whole(Message {
            content,
            marks,
            parts: self.total,
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_origin(Duration::from_secs(seconds))
    }

    fn parts(message: &[u8], total: u8) -> Vec<Vec<u8>> {
        let each = message.len().div_ceil(usize::from(total)).max(1);
        (1..=total)
            .map(|place| {
                let from = (usize::from(place) - 1) * each;
                let mut part = header(place, total, parity(message)).into_bytes();
                part.extend(message.iter().skip(from).take(each));
                part
            })
            .collect()
    }

    fn give(joiner: &mut Joiner, part: &[u8], now: u64) -> Result<Progress, AppendError> {
        let (header, content) = split(None, part).unwrap();
        let part = Part {
            aim: None,
            header: &header,
            content,
            marks: &[],
        };
        joiner.part(part, at(now))
    }

    fn joiner() -> Joiner {
        Joiner::new(Duration::from_secs(30))
    }

    #[test]
    fn headers_of_both_forms_are_read() {
        let aztec = AimId::split(b"]z6").map(|(aim, _)| aim);
        let (found, rest) = split(aztec, b" ID1 BCrest").unwrap();
        assert_eq!(
            (found.place, found.total, &found.name[..], rest),
            (2, 3, &b"ID1"[..], &b"rest"[..])
        );
        assert_eq!(split(aztec, b"ABx").unwrap().0.place, 1);
        let (found, rest) = split(None, b"MSA:0316A5:rest").unwrap();
        assert_eq!(
            (found.place, found.total, found.parity),
            (3, 16, Some(0xA5))
        );
        assert_eq!(rest, b"rest");
    }

    #[test]
    fn what_looks_almost_like_a_header_is_content() {
        for content in [
            "MSA:",
            "MSA:0102A5",
            "MSA:0102a5:",
            "MSA:0001A5:",
            "MSA:0302A5:",
            "MSA:0101A5:",
            "MSA:0199A5:",
            "MSA:x102A5:",
            "msa:0102A5:",
        ] {
            assert_eq!(split(None, content.as_bytes()), None, "{content}");
        }
        let aztec = AimId::split(b"]z6").map(|(aim, _)| aim);
        for content in ["", "A", "BA", "a1", " name AB", " nameAB"] {
            if content != " name AB" {
                assert_eq!(split(aztec, content.as_bytes()), None, "{content}");
            }
        }
    }

    #[test]
    fn parts_are_joined_in_whatever_order_with_repetitions() {
        let message = b"in three parts, read twice";
        let parts = parts(message, 3);
        let mut joiner = joiner();
        for index in [2, 0, 0, 2] {
            assert_eq!(give(&mut joiner, &parts[index], 0), Ok(Progress::Waiting));
        }
        let Ok(Progress::Whole(whole)) = give(&mut joiner, &parts[1], 0) else {
            panic!("whole");
        };
        assert_eq!((whole.content.to_vec(), whole.parts), (message.to_vec(), 3));
        assert_eq!(joiner.due(), None);
    }

    #[test]
    fn a_message_that_is_not_completed_is_told_once() {
        let mut joiner = joiner();
        give(&mut joiner, &parts(b"first message", 3)[0], 0).unwrap();
        assert_eq!(joiner.tick(at(29)), None);
        let given_up = AppendError::Incomplete { have: 1, total: 3 };
        assert_eq!(joiner.tick(at(30)), Some(given_up));
        assert_eq!(joiner.tick(at(31)), None);
        give(&mut joiner, &parts(b"first message", 3)[0], 40).unwrap();
        let other = parts(b"second", 2);
        assert_eq!(give(&mut joiner, &other[0], 41), Err(given_up));
        assert!(matches!(
            give(&mut joiner, &other[1], 42),
            Ok(Progress::Whole(_))
        ));
    }

    #[test]
    fn parts_of_different_messages_are_not_mixed() {
        let (one, mut two) = (parts(b"abcd", 2), parts(b"abcx", 2));
        let mut joiner = joiner();
        give(&mut joiner, &one[0], 0).unwrap();
        // The same parity is claimed, the bytes are of another message.
        two[1][8..10].copy_from_slice(&one[0][8..10]);
        assert_eq!(give(&mut joiner, &two[1], 0), Err(AppendError::Parity));
        give(&mut joiner, &one[0], 0).unwrap();
        let mut other = one[0].clone();
        other.push(b'!');
        assert_eq!(
            give(&mut joiner, &other, 0),
            Err(AppendError::Conflict { place: 1 })
        );
    }

    proptest! {
        #[test]
        fn any_message_comes_back(message in proptest::collection::vec(any::<u8>(), 0..200), total in 2u8..17) {
            let mut joiner = joiner();
            let mut last = Ok(Progress::Waiting);
            for part in parts(&message, total) {
                last = give(&mut joiner, &part, 0);
            }
            let Ok(Progress::Whole(whole)) = last else { panic!("whole"); };
            prop_assert_eq!(whole.content.to_vec(), message);
        }

        #[test]
        fn any_bytes_have_a_sound_header_or_none(content in proptest::collection::vec(any::<u8>(), 0..30), code in any::<[u8; 3]>()) {
            let aim = AimId::split(&code).map(|(aim, _)| aim);
            if let Some((header, _)) = split(aim, &content) {
                prop_assert!(header.place <= header.total && header.total <= MOST);
            }
        }
    }
}
