//! A code scanner as a HID point-of-sale device: its report descriptor, and the reports of a scan.
//!
//! Usages: USB-IF "HID Point of Sale Usage Tables" 1.02, page 8C: scanned data report 12, symbology
//! identifiers FB to FD, decoded data FE, decoded data continued FF. The layout of the 64 bytes is that of
//! the Access-IS manuals and of the public project `@point-of-sale/webhid-barcode-scanner`.

use crate::hid::HidReport;

/// Bytes of data in one report.
const DATA: usize = 56;
/// The report's id.
const SCANNED: u8 = 2;

/// The report descriptor.
pub(crate) const DESCRIPTOR: [u8; 71] = [
    0x05, 0x8C, // usage page: bar code scanner
    0x09, 0x02, // usage: bar code scanner
    0xA1, 0x01, // collection: application
    0x09, 0x12, // usage: scanned data report
    0xA1, 0x02, // collection: logical
    0x85, SCANNED, // report id
    0x15, 0x00, // logical minimum 0
    0x26, 0xFF, 0x00, // logical maximum 255
    0x75, 0x08, // report size 8
    0x95, 0x01, // report count 1
    0x05, 0x01, // usage page: generic desktop
    0x09, 0x3B, // usage: byte count
    0x81, 0x02, // input: data, variable, absolute
    0x05, 0x8C, // usage page: bar code scanner
    0x95, 0x03, // report count 3
    0x09, 0xFB, // usage: symbology identifier 1
    0x09, 0xFC, // usage: symbology identifier 2
    0x09, 0xFD, // usage: symbology identifier 3
    0x81, 0x02, // input
    0x95, 0x38, // report count 56
    0x09, 0xFE, // usage: decoded data
    0x82, 0x02, 0x01, // input: buffered bytes
    0x06, 0x66, 0xFF, // usage page: vendor
    0x95, 0x02, // report count 2
    0x09, 0x04, // usage: vendor's symbology code, and a reserved byte
    0x81, 0x02, // input
    0x05, 0x8C, // usage page: bar code scanner
    0x75, 0x01, // report size 1
    0x95, 0x01, // report count 1
    0x09, 0xFF, // usage: decoded data continued
    0x81, 0x02, // input
    0x95, 0x07, // report count 7
    0x81, 0x03, // input: constant
    0xC0, 0xC0, // end of collections
];

/// The reports of one scan: as many as the data need, all but the last with "continued" set.
pub(crate) fn reports(data: &[u8], aim: &str) -> Vec<HidReport> {
    let empty: &[&[u8]] = &[&[]];
    let pieces: Vec<&[u8]> = if data.is_empty() {
        empty.to_vec()
    } else {
        data.chunks(DATA).collect()
    };
    let last = pieces.len().saturating_sub(1);
    let report = |(index, piece): (usize, &&[u8])| {
        let mut bytes = vec![SCANNED, u8::try_from(piece.len()).unwrap_or(u8::MAX)];
        bytes.extend(aim.bytes().chain([0; 3]).take(3));
        bytes.extend(piece.iter().copied().chain([0; DATA]).take(DATA));
        bytes.extend([0, 0, u8::from(index < last)]);
        HidReport(bytes)
    };
    pieces.iter().enumerate().map(report).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_code_comes_in_several_reports_of_the_published_layout() {
        let data: Vec<u8> = (0..120).collect();
        let reports = reports(&data, "]Q1");
        assert_eq!(reports.len(), 3);
        assert!(reports.iter().all(|report| report.0.len() == 64));
        let first = &reports[0].0;
        assert_eq!((first[0], first[1], &first[2..5]), (2, 56, &b"]Q1"[..]));
        assert_eq!((&first[5..61], first[63]), (&data[..56], 1));
        let last = &reports[2].0;
        assert_eq!((last[1], &last[5..13], last[63]), (8, &data[112..], 0));
    }
}
