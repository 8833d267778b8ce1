//! The outline of a command APDU (ISO/IEC 7816-4, 5.1: cases 1, 2, 3 and 4, short and extended).
//!
//! The data field stays out of `Debug`, because it may be a PIN.

use std::fmt;

use thiserror::Error;

/// A command APDU taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandApdu {
    /// Class.
    pub cla: u8,
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Data field; empty when there is none.
    pub data: Vec<u8>,
    /// The most bytes the sender expects (Ne), when it expects any.
    pub expected: Option<usize>,
    /// Whether the lengths are in the extended form.
    pub extended: bool,
}

/// Bytes that are no command APDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the bytes follow none of the command cases of ISO/IEC 7816-4")]
pub struct MalformedApdu;

impl CommandApdu {
    /// Takes `bytes` apart.
    ///
    /// # Errors
    ///
    /// When the lengths in `bytes` do not add up.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedApdu> {
        let (&[cla, ins, p1, p2], body) = bytes.split_first_chunk::<4>().ok_or(MalformedApdu)?;
        let (data, expected, extended) = lengths(body).ok_or(MalformedApdu)?;
        Ok(Self {
            cla,
            ins,
            p1,
            p2,
            data: data.to_vec(),
            expected,
            extended,
        })
    }

    /// Class, instruction and parameters.
    #[must_use]
    pub const fn header(&self) -> [u8; 4] {
        [self.cla, self.ins, self.p1, self.p2]
    }
}

/// The data field, Ne and whether the extended form was used.
fn lengths(body: &[u8]) -> Option<(&[u8], Option<usize>, bool)> {
    match body {
        [] => Some((&[], None, false)),
        [le] => Some((&[], Some(short_expected(*le)), false)),
        [0, high, low] => Some((&[], Some(extended_expected(*high, *low)), true)),
        [0, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let (data, le) = rest.split_at_checked(length).filter(|_| length > 0)?;
            match le {
                [] => Some((data, None, true)),
                [high, low] => Some((data, Some(extended_expected(*high, *low)), true)),
                _ => None,
            }
        }
        [length, rest @ ..] => {
            let (data, le) = rest
                .split_at_checked(usize::from(*length))
                .filter(|_| *length > 0)?;
            match le {
                [] => Some((data, None, false)),
                [le] => Some((data, Some(short_expected(*le)), false)),
                _ => None,
            }
        }
    }
}

/// A short Le of zero stands for 256.
fn short_expected(le: u8) -> usize {
    if le == 0 { 256 } else { usize::from(le) }
}

/// An extended Le of zero stands for 65,536.
fn extended_expected(high: u8, low: u8) -> usize {
    match u16::from_be_bytes([high, low]) {
        0 => 65_536,
        length => usize::from(length),
    }
}

impl fmt::Debug for CommandApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [cla, ins, p1, p2] = self.header();
        write!(
            f,
            "CommandApdu({cla:02X} {ins:02X} {p1:02X} {p2:02X}, {} data bytes, expecting {:?})",
            self.data.len(),
            self.expected
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], data: &[u8], expected: Option<usize>, extended: bool) {
        let command = CommandApdu::parse(bytes).unwrap();
        assert_eq!(
            (command.data.as_slice(), command.expected),
            (data, expected),
            "{bytes:02X?}"
        );
        assert_eq!(command.extended, extended, "{bytes:02X?}");
    }

    #[test]
    fn every_case_of_the_standard_is_taken_apart() {
        check(&[0, 0x20, 0, 0x80], &[], None, false);
        check(&[0, 0xB0, 0, 0, 0], &[], Some(256), false);
        check(&[0, 0xB0, 0, 0, 17], &[], Some(17), false);
        check(&[0, 0x20, 0, 0x80, 2, 1, 2], &[1, 2], None, false);
        check(&[0, 0x2A, 0, 0, 2, 1, 2, 0], &[1, 2], Some(256), false);
        check(&[0, 0xB0, 0, 0, 0, 0, 0], &[], Some(65_536), true);
        check(&[0, 0xB0, 0, 0, 0, 1, 0], &[], Some(256), true);
        check(&[0, 0x2A, 0, 0, 0, 0, 2, 7, 8], &[7, 8], None, true);
        check(
            &[0, 0x2A, 0, 0, 0, 0, 2, 7, 8, 0, 0],
            &[7, 8],
            Some(65_536),
            true,
        );
    }

    #[test]
    fn lengths_that_do_not_add_up_are_malformed() {
        for bytes in [
            &[][..],
            &[0, 0xB0, 0],
            &[0, 0x20, 0, 0x80, 2, 1],
            &[0, 0x20, 0, 0x80, 1, 1, 0, 0],
            &[0, 0x20, 0, 0x80, 0, 0],
            &[0, 0x20, 0, 0x80, 0, 0, 0, 1],
            &[0, 0x20, 0, 0x80, 0, 0, 9, 1],
        ] {
            assert_eq!(
                CommandApdu::parse(bytes),
                Err(MalformedApdu),
                "{bytes:02X?}"
            );
        }
    }

    #[test]
    fn debug_output_never_shows_the_data_field() {
        let verify = CommandApdu::parse(b"\x00\x20\x00\x91\x049731").unwrap();
        let text = format!("{verify:?}");
        assert!(text.contains("00 20 00 91, 4 data bytes"), "{text}");
        assert!(!text.contains("9731") && !text.contains("57, 55"), "{text}");
    }
}
