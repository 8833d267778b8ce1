//! A pen display of 15.6 inches as a generic HID digitizer; its screen is the host's own.
//!
//! Usages: HID Usage Tables, page 0D: pen 02, stylus 20, tip switch 42, barrel switch 44, eraser 45,
//! invert 3C, in range 32, tip pressure 30, tilt 3D and 3E; X and Y of page 01.
//! Units: USB HID 1.11, clause 6.2.2.7; places are in hundredths of a millimetre.

use crate::hid::{HidIdentity, HidModel, HidReport};
use crate::tablet::scaled;
use crate::tablet::trace::PenPoint;

const PEN: u8 = 2;
const WIDTH: u16 = 34_416;
const HEIGHT: u16 = 19_359;
const PRESSURE: u16 = 8191;

const TIP: u8 = 0x01;
const IN_RANGE: u8 = 0x10;

const DESCRIPTOR: [u8; 107] = [
    0x05, 0x0D, 0x09, 0x02, 0xA1, 0x01, // digitizer: pen
    0x85, PEN, // report id
    0x09, 0x20, 0xA1, 0x00, // stylus
    0x09, 0x42, 0x09, 0x44, 0x09, 0x45, 0x09, 0x3C, 0x09, 0x32, // five switches
    0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x05, 0x81, 0x02, // one bit each
    0x95, 0x03, 0x81, 0x03, // padding
    0x05, 0x01, 0x09, 0x30, // X
    0x55, 0x0D, 0x65, 0x11, // 10^-3 centimetres
    0x35, 0x00, 0x47, 0x70, 0x86, 0x00, 0x00, // physical 0 to 34416
    0x27, 0x70, 0x86, 0x00, 0x00, // logical maximum
    0x75, 0x10, 0x95, 0x01, 0x81, 0x02, // 16 bits
    0x09, 0x31, // Y
    0x47, 0x9F, 0x4B, 0x00, 0x00, 0x27, 0x9F, 0x4B, 0x00, 0x00, 0x81, 0x02, // 0 to 19359
    0x05, 0x0D, 0x09, 0x30, // tip pressure
    0x45, 0x00, 0x55, 0x00, 0x65, 0x00, 0x26, 0xFF, 0x1F, 0x81, 0x02, // 0 to 8191, no unit
    0x09, 0x3D, 0x09, 0x3E, // tilt
    0x15, 0xC4, 0x25, 0x3C, 0x75, 0x08, 0x95, 0x02, 0x81, 0x02, // -60 to 60
    0xC0, 0xC0,
];

/// The digitizer of a pen display.
#[derive(Debug, Clone, Default)]
pub struct PenDisplay;

impl PenDisplay {
    /// The input report of one sample; none means that the pen leaves.
    #[must_use]
    pub fn report(&self, point: Option<PenPoint>) -> HidReport {
        let switches = match point {
            Some(point) if point.pressure > 0.0 => IN_RANGE | TIP,
            Some(_) => IN_RANGE,
            None => 0,
        };
        let point = point.unwrap_or_default();
        let mut report = vec![PEN, switches];
        for (value, most) in [
            (point.x, WIDTH),
            (point.y, HEIGHT),
            (point.pressure, PRESSURE),
        ] {
            report.extend_from_slice(&scaled(value, most).to_le_bytes());
        }
        report.extend_from_slice(&[0, 0]);
        HidReport(report)
    }
}

impl HidModel for PenDisplay {
    fn identity(&self) -> HidIdentity {
        HidIdentity {
            // 1209 is the vendor id of pid.codes, for projects without one of their own.
            vendor: 0x1209,
            product: 0x5C03,
            name: "Simulated pen display".to_owned(),
            serial: "SIMPEN1".to_owned(),
        }
    }

    fn descriptor(&self) -> Vec<u8> {
        DESCRIPTOR.to_vec()
    }

    fn feature(&mut self, _id: u8) -> Option<Vec<u8>> {
        None
    }

    fn set_feature(&mut self, _report: &[u8]) -> bool {
        false
    }

    fn output(&mut self, _report: &[u8]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_laid_out_as_the_descriptor_says() {
        let point = PenPoint {
            x: 1.0,
            y: 0.5,
            pressure: 1.0,
        };
        let report = PenDisplay.report(Some(point));
        assert_eq!(
            report.0,
            [2, 0x11, 0x70, 0x86, 0xD0, 0x25, 0xFF, 0x1F, 0, 0]
        );
        assert_eq!(PenDisplay.report(None).0, [2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
