//! A code scanner that pretends to be a keyboard: its report descriptor, and the reports of a scan.
//!
//! Descriptor and report: USB HID 1.11, appendix B.1, the boot keyboard. Key codes: HID Usage Tables,
//! page 07. A keyboard sends keys, not characters, so the scanner has to know the host's layout; where it
//! does not, symbols arrive as others. What no key types is lost, as with real scanners.

use serde::{Deserialize, Serialize};

use crate::hid::HidReport;

/// For which layout the scanner types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Layout {
    /// United States.
    #[default]
    Us,
    /// Japanese, 106 or 109 keys.
    Japanese,
}

/// The report descriptor.
pub(crate) const DESCRIPTOR: [u8; 63] = [
    0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, // keyboard
    0x05, 0x07, 0x19, 0xE0, 0x29, 0xE7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81,
    0x02, // modifiers
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01, // reserved
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, // lamps
    0x95, 0x01, 0x75, 0x03, 0x91, 0x01, // padding
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81,
    0x00, // keys
    0xC0,
];

/// The same with the keys of a Japanese keyboard, whose codes go up to 8B.
pub(crate) fn descriptor(layout: Layout) -> Vec<u8> {
    let highest = |byte: &u8| match (layout, byte) {
        (Layout::Japanese, 0x65) => vec![0x8B],
        _ => vec![*byte],
    };
    // A logical maximum of 8B in one byte would be negative.
    let mut bytes: Vec<u8> = DESCRIPTOR.iter().flat_map(highest).collect();
    if layout == Layout::Japanese
        && let Some(place) = bytes.windows(2).position(|pair| pair == [0x25, 0x8B])
    {
        bytes.splice(place..place + 2, [0x26, 0x8B, 0x00]);
    }
    bytes
}

/// Keys pressed and released for each character, and how many characters no key types.
pub(crate) fn reports(text: &[u8], layout: Layout) -> (Vec<HidReport>, usize) {
    let mut reports = Vec::new();
    let mut lost = 0;
    for byte in text {
        match key(*byte, layout) {
            Some((modifier, code)) => {
                reports.push(HidReport(vec![modifier, 0, code, 0, 0, 0, 0, 0]));
                reports.push(HidReport(vec![0; 8]));
            }
            None => lost += 1,
        }
    }
    (reports, lost)
}

const SHIFT: u8 = 0x02;

/// The modifiers and the key of a character.
fn key(byte: u8, layout: Layout) -> Option<(u8, u8)> {
    match byte {
        b'a'..=b'z' => return Some((0, byte - b'a' + 0x04)),
        b'A'..=b'Z' => return Some((SHIFT, byte - b'A' + 0x04)),
        b'1'..=b'9' => return Some((0, byte - b'1' + 0x1E)),
        b'0' => return Some((0, 0x27)),
        b'\r' | b'\n' => return Some((0, 0x28)),
        b'\t' => return Some((0, 0x2B)),
        b' ' => return Some((0, 0x2C)),
        _ => {}
    }
    let table: &[(u8, &[u8], &[u8])] = match layout {
        Layout::Us => &[
            (0x1E, b"!@#$%^&*(", b""),
            (0x27, b")", b""),
            (0x2D, b"_+{}|", b"-=[]\\"),
            (0x33, b":\"~<>?", b";'`,./"),
        ],
        Layout::Japanese => &[
            (0x1E, b"!\"#$%&'()", b""),
            (0x2D, b"=~`{", b"-^@["),
            (0x32, b"}+*", b"];:"),
            (0x36, b"<>?", b",./"),
            (0x87, b"_", b"\\"),
            (0x89, b"|", b""),
        ],
    };
    let find = |shifted: bool| {
        table.iter().find_map(|(first, with, without)| {
            let row = if shifted { with } else { without };
            let place = row.iter().position(|symbol| *symbol == byte)?;
            Some(first + u8::try_from(place).ok()?)
        })
    };
    let plain = find(false).map(|code| (0, code));
    plain.or_else(|| find(true).map(|code| (SHIFT, code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_have_other_keys_on_other_layouts() {
        assert_eq!(key(b'A', Layout::Us), Some((SHIFT, 0x04)));
        assert_eq!(key(b'@', Layout::Us), Some((SHIFT, 0x1F)));
        assert_eq!(key(b'@', Layout::Japanese), Some((0, 0x2F)));
        assert_eq!(key(b':', Layout::Us), Some((SHIFT, 0x33)));
        assert_eq!(key(b':', Layout::Japanese), Some((0, 0x34)));
        assert_eq!(key(b'?', Layout::Us), Some((SHIFT, 0x38)));
        assert_eq!(key(b'_', Layout::Japanese), Some((SHIFT, 0x87)));
        for layout in [Layout::Us, Layout::Japanese] {
            for byte in 0x20..0x7F {
                assert!(key(byte, layout).is_some(), "{byte:02X} on {layout:?}");
            }
            assert_eq!(key(0x1D, layout), None);
        }
    }

    #[test]
    fn what_no_key_types_is_lost_and_counted() {
        let (reports, lost) = reports(b"]C101\x1d\x8es", Layout::Us);
        assert_eq!((reports.len(), lost), (12, 2));
        assert_eq!(reports[1], HidReport(vec![0; 8]));
        assert_eq!(descriptor(Layout::Japanese).len(), 64);
    }
}
