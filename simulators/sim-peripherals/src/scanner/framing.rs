//! How a serial code scanner wraps what it read, and what each symbology is called.
//!
//! AIM identifiers: ISO/IEC 15424. The order prefix, identifier, data, suffix, and the check byte as the
//! exclusive or of everything after STX up to and with ETX, are what scanner manuals agree on.

use serde::{Deserialize, Serialize};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// What stands before the data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Prefix {
    /// Nothing.
    #[default]
    None,
    /// The character STX.
    Stx,
    /// This text.
    Text(String),
}

/// What stands behind the data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Suffix {
    /// Nothing: the end is told only by silence.
    None,
    /// Carriage return.
    #[default]
    Cr,
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    CrLf,
    /// The tabulator.
    Tab,
    /// The character ETX.
    Etx,
    /// ETX and a check byte.
    EtxCheck,
    /// This text.
    Text(String),
}

/// How a scanner wraps what it read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Framing {
    /// What stands before.
    pub prefix: Prefix,
    /// Whether the AIM identifier is sent.
    pub aim: bool,
    /// What stands behind.
    pub suffix: Suffix,
}

/// What kind of code was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Symbology {
    /// QR code, model 2.
    #[default]
    Qr,
    /// QR code with the ECI protocol: the data carry `\nnnnnn`, and backslashes twice.
    QrEci,
    /// QR code with FNC1 in the first place: GS1.
    QrGs1,
    /// Micro QR code.
    MicroQr,
    /// Code 128.
    Code128,
    /// GS1-128.
    Gs1128,
    /// Data Matrix.
    DataMatrix,
    /// GS1 Data Matrix.
    Gs1DataMatrix,
    /// Code 39.
    Code39,
    /// Interleaved 2 of 5.
    Itf,
    /// EAN-13.
    Ean13,
    /// EAN-8.
    Ean8,
    /// GS1 DataBar.
    DataBar,
    /// PDF417.
    Pdf417,
    /// Aztec.
    Aztec,
    /// Codabar, in Japan NW-7.
    Codabar,
    /// Any other identifier, such as `]Q4`.
    Aim(String),
}

impl Symbology {
    /// The AIM identifier: `]`, a letter and a modifier.
    #[must_use]
    pub fn aim(&self) -> &str {
        match self {
            Self::Qr | Self::MicroQr => "]Q1",
            Self::QrEci => "]Q2",
            Self::QrGs1 => "]Q3",
            Self::Code128 => "]C0",
            Self::Gs1128 => "]C1",
            Self::DataMatrix => "]d1",
            Self::Gs1DataMatrix => "]d2",
            Self::Code39 => "]A0",
            Self::Itf => "]I0",
            Self::Ean13 => "]E0",
            Self::Ean8 => "]E4",
            Self::DataBar => "]e0",
            Self::Pdf417 => "]L0",
            Self::Aztec => "]z0",
            Self::Codabar => "]F0",
            Self::Aim(identifier) => identifier,
        }
    }
}

impl Framing {
    /// One code as it goes over the line.
    #[must_use]
    pub fn wrap(&self, data: &[u8], symbology: &Symbology) -> Vec<u8> {
        let mut frame = match &self.prefix {
            Prefix::None => Vec::new(),
            Prefix::Stx => vec![STX],
            Prefix::Text(text) => text.clone().into_bytes(),
        };
        let checked_from = frame.len();
        if self.aim {
            frame.extend_from_slice(symbology.aim().as_bytes());
        }
        frame.extend_from_slice(data);
        match &self.suffix {
            Suffix::None => {}
            Suffix::Cr => frame.push(b'\r'),
            Suffix::Lf => frame.push(b'\n'),
            Suffix::CrLf => frame.extend_from_slice(b"\r\n"),
            Suffix::Tab => frame.push(b'\t'),
            Suffix::Etx => frame.push(ETX),
            Suffix::EtxCheck => {
                frame.push(ETX);
                let check = frame
                    .iter()
                    .skip(checked_from)
                    .fold(0, |sum, byte| sum ^ byte);
                frame.push(check);
            }
            Suffix::Text(text) => frame.extend_from_slice(text.as_bytes()),
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_wrapped_as_the_settings_say() {
        let check = |framing: &str, wanted: &[u8]| {
            let framing: Framing = serde_json::from_str(framing).unwrap();
            assert_eq!(
                framing.wrap(b"4901", &Symbology::Ean13),
                wanted,
                "{framing:?}"
            );
        };
        check("{}", b"4901\r");
        check(r#"{"suffix":"none"}"#, b"4901");
        check(r#"{"aim":true,"suffix":"crLf"}"#, b"]E04901\r\n");
        check(r#"{"prefix":{"text":"S:"},"suffix":"tab"}"#, b"S:4901\t");
        // 34 ^ 39 ^ 30 ^ 31 ^ 03.
        check(
            r#"{"prefix":"stx","suffix":"etxCheck"}"#,
            b"\x024901\x03\x0f",
        );
    }
}
