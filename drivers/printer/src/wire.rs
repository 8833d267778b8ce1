//! The ESC/POS wire: what we send ([`encode`]) and what a printer says ([`decode`]), without I/O.
//!
//! Facts: Epson's public ESC/POS command reference (`GS v 0`, `GS ( L` functions 112 and 50, `GS V`,
//! `GS ( H` function 48, `GS a`, `GS r`, `DLE EOT`, `DLE ENQ`, `DLE DC4` function 8, "notes for
//! transmission") and the same commands in Citizen's CT-S manual.

pub mod decode;
pub mod encode;

/// Begins every real-time command.
pub const DLE: u8 = 0x10;
/// Second byte of a request for real-time status.
pub const EOT: u8 = 0x04;
/// Second byte of a real-time request.
pub const ENQ: u8 = 0x05;
/// Second byte of further real-time requests.
pub const DC4: u8 = 0x14;
/// Begins the older commands.
pub(crate) const ESC: u8 = 0x1B;
/// Begins the newer commands.
pub(crate) const GS: u8 = 0x1D;

/// Four characters that a printer sends back once everything before them is printed.
///
/// The letters come from `@A..O` and `` `a..o ``, which no status byte can be (their bit 4 is clear), so
/// that a status byte between two letters does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId([u8; 4]);

impl ProcessId {
    /// How many there are.
    pub const COUNT: u32 = 1 << 20;

    /// The id of this number; numbers beyond [`Self::COUNT`] begin anew.
    #[must_use]
    pub fn numbered(number: u32) -> Self {
        let letter = |shift: u32| {
            let five = u8::try_from((number >> shift) & 0x1F).unwrap_or(0);
            if five < 16 { 0x40 + five } else { 0x50 + five }
        };
        Self([letter(15), letter(10), letter(5), letter(0)])
    }

    /// The number of this id, if the four characters are one of ours.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        self.0.iter().try_fold(0_u32, |number, letter| {
            let five = match letter {
                0x40..=0x4F => letter - 0x40,
                0x60..=0x6F => letter - 0x50,
                _ => return None,
            };
            Some(number << 5 | u32::from(five))
        })
    }

    /// The four characters, whoever made them.
    #[must_use]
    pub const fn of(characters: [u8; 4]) -> Self {
        Self(characters)
    }

    /// The four characters.
    #[must_use]
    pub const fn characters(self) -> [u8; 4] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_id_is_found_again_and_is_no_status_byte() {
        for number in (0..ProcessId::COUNT).step_by(37) {
            let id = ProcessId::numbered(number);
            assert_eq!(id.number(), Some(number));
            assert!(
                id.characters()
                    .iter()
                    .all(|letter| letter & 0x90 == 0 && *letter >= 0x20)
            );
        }
        assert_eq!(ProcessId::of(*b"1234").number(), None);
        assert_eq!(
            ProcessId::numbered(ProcessId::COUNT),
            ProcessId::numbered(0)
        );
    }
}
