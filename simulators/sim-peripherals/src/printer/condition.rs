//! How the machine around the paper stands, and the status bytes that say so.
//!
//! Bits after Epson's ESC/POS command reference, `DLE EOT` and `GS a`.

use serde::Serialize;

use crate::fault::Kind;

/// How the paper stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PaperSupply {
    /// There is enough.
    #[default]
    Enough,
    /// The roll is thin.
    NearEnd,
    /// There is none.
    Out,
}

/// An error of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MachineError {
    /// The cutter is stuck; ends by `DLE ENQ` once the cause is gone.
    Cutter,
    /// The head is too hot; ends by itself.
    Overheated,
    /// Ends by switching off.
    Unrecoverable,
}

/// How the machine stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) paper: PaperSupply,
    pub(crate) error: Option<MachineError>,
    pub(crate) cover_open: bool,
    pub(crate) offline: bool,
    /// The cutter will be stuck at the next cut again.
    pub(crate) cutter_jammed: bool,
}

impl Condition {
    /// Whether printing has to wait.
    pub(crate) fn stops(&self) -> bool {
        self.offline || self.cover_open || self.error.is_some() || self.paper == PaperSupply::Out
    }

    /// Takes on what a fault brings; whether it is one of these.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is no condition of the machine is somebody else's business"
    )]
    pub(crate) const fn suffer(&mut self, kind: Kind) -> bool {
        match kind {
            Kind::PaperOut => self.paper = PaperSupply::Out,
            Kind::PaperNearEnd => self.paper = PaperSupply::NearEnd,
            Kind::CoverOpen => self.cover_open = true,
            Kind::CutterError => self.error = Some(MachineError::Cutter),
            Kind::Overheat => self.error = Some(MachineError::Overheated),
            Kind::Unrecoverable => self.error = Some(MachineError::Unrecoverable),
            Kind::Offline => self.offline = true,
            _ => return false,
        }
        true
    }

    /// The answer to `DLE EOT n`; none to other numbers.
    pub(crate) fn real_time(&self, n: u8) -> Option<u8> {
        let out = self.paper == PaperSupply::Out;
        let bits = match n {
            1 => bit(self.stops(), 3),
            2 => bit(self.cover_open, 2) | bit(out, 5) | bit(self.error.is_some(), 6),
            3 => self.error_bits(),
            4 => {
                let low = self.paper != PaperSupply::Enough;
                bit(low, 2) | bit(low, 3) | bit(out, 5) | bit(out, 6)
            }
            _ => return None,
        };
        // Bits 1 and 4 are always set, 0 and 7 never: so the answer is told from others.
        Some(0x12 | bits)
    }

    /// The four bytes of automatic status.
    pub(crate) fn status_back(&self) -> [u8; 4] {
        let out = self.paper == PaperSupply::Out;
        let low = self.paper != PaperSupply::Enough;
        [
            0x10 | bit(self.stops(), 3) | bit(self.cover_open, 5),
            self.error_bits(),
            bit(low, 0) | bit(low, 1) | bit(out, 2) | bit(out, 3),
            0,
        ]
    }

    /// Which causes of `GS a` differ: 2 online, 4 error, 8 paper.
    pub(crate) fn causes(&self, before: &Self) -> u8 {
        let online = self.stops() != before.stops() || self.cover_open != before.cover_open;
        bit(online, 1) | bit(self.error != before.error, 2) | bit(self.paper != before.paper, 3)
    }

    /// The answer to `GS r 1`.
    pub(crate) fn paper_byte(&self) -> u8 {
        let out = self.paper == PaperSupply::Out;
        let low = self.paper != PaperSupply::Enough;
        bit(low, 0) | bit(low, 1) | bit(out, 2) | bit(out, 3)
    }

    const fn error_bits(&self) -> u8 {
        match self.error {
            None => 0,
            Some(MachineError::Cutter) => 0x08,
            Some(MachineError::Unrecoverable) => 0x20,
            Some(MachineError::Overheated) => 0x40,
        }
    }
}

const fn bit(set: bool, place: u8) -> u8 {
    (set as u8) << place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_bytes_are_those_of_the_reference() {
        let idle = Condition::default();
        let all = |condition: &Condition| [1, 2, 3, 4].map(|n| condition.real_time(n).unwrap());
        // The idle bytes were also seen from emupos 0.4.0.
        assert_eq!(all(&idle), [0x12; 4]);
        assert_eq!(idle.status_back(), [0x10, 0, 0, 0]);
        assert_eq!(idle.real_time(9), None);

        let mut low = idle;
        assert!(low.suffer(Kind::PaperNearEnd));
        assert_eq!(all(&low), [0x12, 0x12, 0x12, 0x1E]);
        assert_eq!((low.status_back(), low.causes(&idle)), ([0x10, 0, 3, 0], 8));

        let mut out = idle;
        assert!(out.suffer(Kind::PaperOut));
        assert_eq!(all(&out), [0x1A, 0x32, 0x12, 0x7E]);
        assert_eq!(
            (out.status_back(), out.causes(&idle)),
            ([0x18, 0, 0x0F, 0], 10)
        );

        let mut open = idle;
        assert!(open.suffer(Kind::CoverOpen));
        assert_eq!(all(&open), [0x1A, 0x16, 0x12, 0x12]);
        assert_eq!(open.status_back(), [0x38, 0, 0, 0]);

        for (kind, third) in [
            (Kind::CutterError, 0x1A),
            (Kind::Unrecoverable, 0x32),
            (Kind::Overheat, 0x52),
        ] {
            let mut failed = idle;
            assert!(failed.suffer(kind));
            assert_eq!(all(&failed), [0x1A, 0x52, third, 0x12], "{kind:?}");
        }
        assert!(!low.suffer(Kind::Hang));
    }
}
