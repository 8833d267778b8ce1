//! The messages, as bytes; no I/O.

use zeroize::{Zeroize as _, Zeroizing};

use crate::Frame;

/// The longest content: what two bytes can count.
pub(super) const LONGEST: usize = 0xffff;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Descriptor,
    Input,
    Output,
    WantFeature,
    SetFeature,
    Answer,
    Refusal,
}

const KINDS: [(u8, Kind); 7] = [
    (b'D', Kind::Descriptor),
    (b'I', Kind::Input),
    (b'O', Kind::Output),
    (b'G', Kind::WantFeature),
    (b'S', Kind::SetFeature),
    (b'A', Kind::Answer),
    (b'R', Kind::Refusal),
];

impl Kind {
    const fn is_of_device(self) -> bool {
        match self {
            Self::Descriptor | Self::Input | Self::Answer | Self::Refusal => true,
            Self::Output | Self::WantFeature | Self::SetFeature => false,
        }
    }
}

/// Bytes that are no message of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAMessage;

/// A message as bytes; `content` is at most [`LONGEST`].
pub(super) fn encode(kind: Kind, content: &[u8]) -> Vec<u8> {
    let letter = KINDS.iter().find(|(_, other)| *other == kind);
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let mut bytes = vec![letter.map_or(0, |(letter, _)| *letter)];
    bytes.extend(length.to_be_bytes());
    bytes.extend(content.iter().take(LONGEST));
    bytes
}

/// Bytes that have come and are not whole messages yet.
#[derive(Default)]
pub(super) struct Incoming(Zeroizing<Vec<u8>>);

impl Incoming {
    /// Adds what has come.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Takes the first whole message, if there is one.
    ///
    /// # Errors
    /// Where what has come cannot become one.
    pub(super) fn next(&mut self) -> Result<Option<(Kind, Frame)>, NotAMessage> {
        let Some((letter, rest)) = self.0.split_first() else {
            return Ok(None);
        };
        let kind = KINDS.iter().find(|(other, _)| other == letter);
        // What only a host says is refused at once: `S` begins what many servers say first.
        let kind = kind.filter(|(_, kind)| kind.is_of_device());
        let (_, kind) = kind.ok_or(NotAMessage)?;
        let Some((length, rest)) = rest.split_first_chunk::<2>() else {
            return Ok(None);
        };
        let Some(content) = rest.get(..usize::from(u16::from_be_bytes(*length))) else {
            return Ok(None);
        };
        let (kind, frame) = (*kind, Frame::personal(content));
        let taken = 3 + frame.bytes().len();
        if let Some(gone) = self.0.get_mut(..taken) {
            gone.zeroize();
        }
        self.0.drain(..taken);
        Ok(Some((kind, frame)))
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Incoming({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_way_there_in_pieces_of_every_size() {
        for (_, kind) in KINDS.into_iter().filter(|(_, kind)| kind.is_of_device()) {
            let bytes = encode(kind, &[1, 2, 3]);
            for size in 1..=bytes.len() {
                let mut incoming = Incoming::default();
                let (last, first) = (bytes.chunks(size).next_back().unwrap(), bytes.chunks(size));
                for piece in first.take(bytes.chunks(size).count() - 1) {
                    incoming.add(piece);
                    assert_eq!(incoming.next(), Ok(None));
                }
                incoming.add(last);
                let expected = (kind, Frame::personal([1, 2, 3]));
                assert_eq!(incoming.next(), Ok(Some(expected)));
                assert_eq!(incoming.next(), Ok(None));
            }
        }
    }

    #[test]
    fn a_letter_that_no_device_says_is_no_message() {
        for letter in 0..=255_u8 {
            let mut incoming = Incoming::default();
            incoming.add(&[letter, 0, 0]);
            assert_eq!(
                incoming.next().is_ok(),
                b"DIAR".contains(&letter),
                "{letter}"
            );
        }
    }
}
