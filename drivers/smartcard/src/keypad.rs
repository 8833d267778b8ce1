//! The keys of a reader: how it is asked whether it has any, and told to take a PIN from them.
//!
//! ```text
//! VERIFY, four places for digits --> PIN_VERIFY_STRUCTURE --> reader: a person types --> card
//!                                                             status word <----------------'
//! ```
//! PC/SC, Interoperability Specification for ICCs, part 10, revision 2.02.09; clauses below are of it.
//!
//! Invariant: no PIN is in anything here. The places for its digits hold bytes that are no digits, so a reader
//! that forgot to fill them in would send what no card accepts.

use std::time::Duration;

use crate::apdu::StatusWord;

/// The feature by which a reader takes a PIN and has the card verify it at once (clause 2.3).
const VERIFY_PIN_DIRECT: u8 = 0x06;

/// What stands where the reader puts the digits.
const NO_DIGIT: u8 = 0xFF;

/// The longest that a reader is told to wait for a key. People who stand at a counter need less.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Nobody typed in time (clause 2.5.2, status words of the reader).
pub const NOBODY_TYPED: StatusWord = StatusWord(0x6400);
/// The person pressed the key that gives up.
pub const CANCELLED_AT_KEYS: StatusWord = StatusWord(0x6401);

/// The control code of the feature, from the list of features (clause 2.2): tag, length 4, code big-endian.
pub(crate) fn verify_code(features: &[u8]) -> Option<u32> {
    features.chunks_exact(6).find_map(|feature| match *feature {
        [VERIFY_PIN_DIRECT, 4, a, b, c, d] => Some(u32::from_be_bytes([a, b, c, d])),
        _ => None,
    })
}

/// PIN_VERIFY_STRUCTURE (clause 2.5.2) for a VERIFY with `header` and a PIN of exactly `digits` ASCII digits.
///
/// `None` where no reader can take such a PIN.
pub(crate) fn pin_verify(header: [u8; 4], digits: usize, wait: Duration) -> Option<Vec<u8>> {
    /// Places are in bytes, the PIN begins with the first byte of data, left-justified, in ASCII.
    const FORMAT: u8 = 0x82;
    /// The person ends the entry with a key.
    const VALIDATION_KEY: u8 = 0x02;
    /// The reader shows one message of its own.
    const ONE_MESSAGE: u8 = 0x01;
    /// Japanese (USB Language Identifiers, revision 1.0).
    const JAPANESE: u16 = 0x0411;
    /// Four bits say how long the PIN is.
    const LONGEST: usize = 15;
    let count = u8::try_from(digits)
        .ok()
        .filter(|_| (1..=LONGEST).contains(&digits))?;
    // 0 is the reader's own choice, which may be for ever.
    let seconds = u8::try_from(wait.min(LONGEST_WAIT).as_secs())
        .unwrap_or(u8::MAX)
        .max(1);
    let mut bytes = vec![
        seconds, seconds, FORMAT, count,
        // The length of the PIN stands nowhere in the command.
        0x00,
    ];
    // Fewest digits in the upper byte, most in the lower; numbers are in the machine's order.
    bytes.extend(u16::from_be_bytes([count, count]).to_ne_bytes());
    bytes.extend([VALIDATION_KEY, ONE_MESSAGE]);
    bytes.extend(JAPANESE.to_ne_bytes());
    // The first message; no T=1 prologue.
    bytes.extend([0, 0, 0, 0]);
    let mut command = header.to_vec();
    command.push(count);
    command.resize(command.len() + digits, NO_DIGIT);
    bytes.extend(u32::try_from(command.len()).ok()?.to_ne_bytes());
    bytes.extend(command);
    Some(bytes)
}

/// Whether an exchange is a VERIFY that carries a PIN (ISO/IEC 7816-4, 11.5.6); one without data asks for the tries.
pub(crate) const fn is_verify([_, instruction, _, _]: [u8; 4], data: &[u8]) -> bool {
    const VERIFY: u8 = 0x20;
    instruction == VERIFY && !data.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feature_is_found_among_others() {
        // As libccid 1.5 lists them: VERIFY_PIN_DIRECT, IFD_PIN_PROPERTIES, TLV_PROPERTIES.
        let features = [
            0x06, 4, 0x42, 0x33, 0x00, 0x06, 0x0A, 4, 0x42, 0x33, 0x00, 0x0A, 0x12, 4, 0x42, 0x33,
            0x00, 0x12,
        ];
        assert_eq!(verify_code(&features), Some(0x4233_0006));
        assert_eq!(verify_code(&features[6..]), None);
        for length in 0..6 {
            assert_eq!(verify_code(&features[..length]), None);
        }
    }

    #[test]
    fn the_structure_is_that_of_part_10() {
        let bytes = pin_verify([0x00, 0x20, 0x00, 0x91], 4, Duration::from_secs(20)).unwrap();
        let expected = [
            20, 20, 0x82, 0x04, 0x00, 0x04, 0x04, 0x02, 0x01, 0x11, 0x04, 0, 0, 0, 0, 9, 0, 0, 0,
            0x00, 0x20, 0x00, 0x91, 4, 0xFF, 0xFF, 0xFF, 0xFF,
        ];
        if cfg!(target_endian = "little") {
            assert_eq!(bytes, expected);
        }
        assert_eq!(bytes.len(), expected.len());
    }

    #[test]
    fn a_reader_never_waits_for_ever_and_never_takes_what_it_cannot_count() {
        let header = [0x00, 0x20, 0x00, 0x91];
        let wait = |span| pin_verify(header, 4, span).unwrap()[0];
        assert_eq!(wait(Duration::ZERO), 1);
        assert_eq!(wait(Duration::from_secs(3600)), 30);
        assert_eq!(pin_verify(header, 0, LONGEST_WAIT), None);
        assert_eq!(pin_verify(header, 16, LONGEST_WAIT), None);
    }

    #[test]
    fn asking_for_the_tries_needs_no_keys() {
        assert!(!is_verify([0x00, 0x20, 0x00, 0x91], &[]));
        assert!(is_verify([0x00, 0x20, 0x00, 0x91], &[0]));
        assert!(!is_verify([0x00, 0xB0, 0x00, 0x00], &[0]));
    }
}
