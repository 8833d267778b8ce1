//! AIM symbology identifiers: `]cm`, which symbology was read and with which options.
//!
//! ISO/IEC 15424 (AIM symbology identifiers), as vendors' manuals reproduce it.
//! The identifier is the only thing that tells ECI escapes and GS1 from ordinary content, so a scanner
//! should be set to send it; where it does not, neither is looked for.

/// A symbology identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AimId {
    /// The code character.
    pub code: u8,
    /// The modifier.
    pub modifier: u8,
}

/// The symbologies that matter here; all others are [`Symbology::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symbology {
    /// Code 39.
    Code39,
    /// Code 128 and GS1-128.
    Code128,
    /// EAN and UPC.
    Ean,
    /// Codabar, NW-7: library cards.
    Codabar,
    /// Code 93.
    Code93,
    /// Interleaved 2 of 5.
    Interleaved2Of5,
    /// PDF417 and MicroPDF417.
    Pdf417,
    /// QR code and Micro QR code.
    Qr,
    /// Data Matrix.
    DataMatrix,
    /// GS1 DataBar and composite components.
    DataBar,
    /// Aztec.
    Aztec,
    /// MaxiCode.
    MaxiCode,
    /// Han Xin.
    HanXin,
    /// DotCode.
    DotCode,
    /// Any other.
    Other,
}

impl AimId {
    /// The identifier at the beginning of `bytes`, and what follows it.
    #[must_use]
    pub fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_first_chunk::<3>()?;
        let [flag, code, modifier] = *head;
        let well_formed =
            flag == b']' && code.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric();
        well_formed.then_some((Self { code, modifier }, rest))
    }

    /// As it stands in front of the content, such as `]Q1`.
    #[must_use]
    pub fn as_text(self) -> String {
        [b']', self.code, self.modifier]
            .into_iter()
            .map(char::from)
            .collect()
    }

    /// The symbology.
    #[must_use]
    pub const fn symbology(self) -> Symbology {
        match self.code {
            b'A' => Symbology::Code39,
            b'C' => Symbology::Code128,
            b'E' => Symbology::Ean,
            b'F' => Symbology::Codabar,
            b'G' => Symbology::Code93,
            b'I' => Symbology::Interleaved2Of5,
            b'J' => Symbology::DotCode,
            b'L' => Symbology::Pdf417,
            b'Q' => Symbology::Qr,
            b'U' => Symbology::MaxiCode,
            b'd' => Symbology::DataMatrix,
            b'e' => Symbology::DataBar,
            b'h' => Symbology::HanXin,
            b'z' => Symbology::Aztec,
            _ => Symbology::Other,
        }
    }

    /// Whether ECI escapes stand in the content, and backslashes are doubled.
    #[must_use]
    pub const fn has_eci(self) -> bool {
        // QR code, Data Matrix, Aztec, DotCode, MaxiCode, PDF417, Han Xin.
        matches!(
            (self.code, self.modifier),
            (b'Q', b'2' | b'4' | b'6')
                | (b'd', b'4' | b'5' | b'6')
                | (b'z', b'3' | b'4' | b'5' | b'9' | b'A' | b'B')
                | (b'J', b'3' | b'4' | b'5')
                | (b'U', b'2' | b'3')
                | (b'L' | b'h', b'1')
        )
    }

    /// Whether the content is GS1 element strings.
    #[must_use]
    pub const fn is_gs1(self) -> bool {
        // Code 128, QR code, Data Matrix, Aztec, DotCode, DataBar.
        matches!(
            (self.code, self.modifier),
            (b'C', b'1')
                | (b'Q', b'3' | b'4')
                | (b'd', b'2' | b'5')
                | (b'z', b'1' | b'4' | b'7' | b'A')
                | (b'J', b'1' | b'4')
                | (b'e', b'0')
        )
    }

    /// Whether the header of a structured append stands in front of the content.
    #[must_use]
    pub const fn has_append_header(self) -> bool {
        self.code == b'z' && matches!(self.modifier, b'6' | b'7' | b'8' | b'9' | b'A' | b'B')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> AimId {
        AimId::split(text.as_bytes()).unwrap().0
    }

    #[test]
    fn the_options_of_each_symbology_are_told_apart() {
        // Identifier, ECI, GS1, header: ISO/IEC 15424, annexes.
        let table = [
            ("]A0", false, false, false),
            ("]C0", false, false, false),
            ("]C1", false, true, false),
            ("]E0", false, false, false),
            ("]F0", false, false, false),
            ("]L0", false, false, false),
            ("]L1", true, false, false),
            ("]Q0", false, false, false),
            ("]Q1", false, false, false),
            ("]Q2", true, false, false),
            ("]Q3", false, true, false),
            ("]Q4", true, true, false),
            ("]Q5", false, false, false),
            ("]Q6", true, false, false),
            ("]d1", false, false, false),
            ("]d2", false, true, false),
            ("]d4", true, false, false),
            ("]d5", true, true, false),
            ("]e0", false, true, false),
            ("]z0", false, false, false),
            ("]z6", false, false, true),
            ("]z9", true, false, true),
            ("]zA", true, true, true),
        ];
        for (text, eci, gs1, header) in table {
            let id = id(text);
            assert_eq!(
                (id.has_eci(), id.is_gs1(), id.has_append_header()),
                (eci, gs1, header),
                "{text}"
            );
            assert_eq!(id.as_text(), text);
        }
    }

    #[test]
    fn what_is_no_identifier_is_content() {
        for text in ["", "]", "]Q", "Q1x", "]11", "]Q\u{1d}", "] 1"] {
            assert_eq!(AimId::split(text.as_bytes()), None, "{text}");
        }
        assert_eq!(AimId::split(b"]Q1abc").unwrap().1, b"abc");
    }
}
