//! What a printer says of itself, as people think of it.
//!
//! Facts: the bit tables of `DLE EOT` and of automatic status back (`GS a`) in Epson's command reference.

use device_api::FaultCode;

use crate::wire::decode::State;

/// A printer's condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whether it takes data.
    pub online: bool,
    /// How much paper there is.
    pub paper: Paper,
    /// What keeps it from printing, the most useful to know first.
    pub troubles: Vec<Trouble>,
}

/// How much paper there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// Enough, as far as the sensors say.
    Enough,
    /// The roll is near its end.
    Low,
    /// None.
    Out,
}

/// What keeps a printer from printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No paper.
    PaperOut,
    /// The cover is open.
    CoverOpen,
    /// The cutter is stuck.
    Cutter,
    /// The print head is too hot; it goes on by itself.
    Hot,
    /// A fault that needs service.
    Broken,
    /// Another fault that a person can remove.
    Recoverable,
    /// Off-line without a reason that it tells.
    OffLine,
}

impl Trouble {
    /// The fault that people are told.
    #[must_use]
    pub const fn fault(self) -> FaultCode {
        match self {
            Self::PaperOut => FaultCode::PrinterPaperOut,
            Self::CoverOpen => FaultCode::PrinterCoverOpen,
            Self::Cutter => FaultCode::PrinterCutter,
            Self::Hot => FaultCode::PrinterHot,
            Self::Broken => FaultCode::DeviceFailed,
            Self::Recoverable | Self::OffLine => FaultCode::PrinterOffline,
        }
    }
}

impl Condition {
    /// From the answers to `DLE EOT` 1 to 4.
    #[must_use]
    pub fn of_answers([printer, off_line, error, paper]: [u8; 4]) -> Self {
        let out = paper & 0x60 != 0 || off_line & 0x20 != 0;
        Self::of_bits(&Bits {
            off_line: printer & 0x08 != 0,
            cover: off_line & 0x04 != 0,
            error,
            out,
            low: paper & 0x0C != 0,
        })
    }

    /// From a status that came by itself.
    #[must_use]
    pub fn of_state(State([first, error, paper, _]): State) -> Self {
        Self::of_bits(&Bits {
            off_line: first & 0x08 != 0,
            cover: first & 0x20 != 0,
            error,
            out: paper & 0x0C != 0,
            low: paper & 0x03 != 0,
        })
    }

    /// What keeps it from printing, if anything does.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.troubles.first().copied()
    }

    fn of_bits(bits: &Bits) -> Self {
        let mut troubles = Vec::new();
        let mut note = |is: bool, trouble| {
            if is {
                troubles.push(trouble);
            }
        };
        // An open cover often reads as paper that is out; closing it is what a person must do first.
        note(bits.cover, Trouble::CoverOpen);
        note(bits.out, Trouble::PaperOut);
        note(bits.error & 0x08 != 0, Trouble::Cutter);
        note(bits.error & 0x20 != 0, Trouble::Broken);
        note(bits.error & 0x40 != 0, Trouble::Hot);
        note(bits.error & 0x04 != 0, Trouble::Recoverable);
        if bits.off_line && troubles.is_empty() {
            troubles.push(Trouble::OffLine);
        }
        let paper = match (bits.out, bits.low) {
            (true, _) => Paper::Out,
            (false, true) => Paper::Low,
            (false, false) => Paper::Enough,
        };
        Self {
            online: !bits.off_line,
            paper,
            troubles,
        }
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "these are bits of a status word, between two lines of this file"
)]
struct Bits {
    off_line: bool,
    cover: bool,
    error: u8,
    out: bool,
    low: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_saying_it_are_understood_alike() {
        // DLE EOT 1 to 4 and the four bytes of GS a for the same condition.
        type Case = ([u8; 4], [u8; 4], Option<Trouble>, Paper);
        let table: [Case; 6] = [
            ([0x12; 4], [0x10, 0, 0, 0], None, Paper::Enough),
            (
                [0x12, 0x12, 0x12, 0x1E],
                [0x10, 0, 0x03, 0],
                None,
                Paper::Low,
            ),
            (
                [0x1A, 0x32, 0x12, 0x7E],
                [0x18, 0, 0x0F, 0],
                Some(Trouble::PaperOut),
                Paper::Out,
            ),
            (
                [0x1A, 0x16, 0x12, 0x12],
                [0x38, 0, 0, 0],
                Some(Trouble::CoverOpen),
                Paper::Enough,
            ),
            (
                [0x1A, 0x52, 0x1A, 0x12],
                [0x18, 0x08, 0, 0],
                Some(Trouble::Cutter),
                Paper::Enough,
            ),
            (
                [0x1A, 0x12, 0x12, 0x12],
                [0x18, 0, 0, 0],
                Some(Trouble::OffLine),
                Paper::Enough,
            ),
        ];
        for (answers, state, trouble, paper) in table {
            let asked = Condition::of_answers(answers);
            assert_eq!(asked, Condition::of_state(State(state)));
            assert_eq!((asked.trouble(), asked.paper), (trouble, paper));
        }
    }
}
