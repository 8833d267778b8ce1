//! A code scanner as a HID device: report descriptor and reports, without a transport.

use crate::hid::{HidIdentity, HidModel, HidReport};
use crate::scanner::framing::Symbology;
use crate::scanner::model::Interface;
use crate::scanner::{hid_pos, keyboard};

/// A scanner as a HID device, for whoever carries its reports: the stream, or a kernel's `uhid`.
#[derive(Debug, Clone)]
pub struct HidScanner {
    interface: Interface,
}

impl HidScanner {
    /// The scanner of this interface; none where the interface is no HID device.
    #[must_use]
    pub fn new(interface: &Interface) -> Option<Self> {
        let hid = !matches!(interface, Interface::Stream(_));
        hid.then(|| Self {
            interface: interface.clone(),
        })
    }

    /// The input reports of one scan, and how many characters a keyboard could not type.
    #[must_use]
    pub fn scan(&self, data: &[u8], symbology: &Symbology) -> (Vec<HidReport>, usize) {
        let (messages, lost) = self.interface.messages(data, symbology);
        (messages.into_iter().map(HidReport).collect(), lost)
    }
}

impl HidModel for HidScanner {
    fn identity(&self) -> HidIdentity {
        let (product, name) = match self.interface {
            Interface::Keyboard(_) => (0x5C02, "Simulated code scanner (keyboard)"),
            Interface::HidPos | Interface::Stream(_) => (0x5C01, "Simulated code scanner"),
        };
        HidIdentity {
            // 1209 is the vendor id of pid.codes, for projects without one of their own.
            vendor: 0x1209,
            product,
            name: name.to_owned(),
            serial: "SIMSCAN1".to_owned(),
        }
    }

    fn descriptor(&self) -> Vec<u8> {
        match self.interface {
            Interface::Keyboard(layout) => keyboard::descriptor(layout),
            Interface::HidPos | Interface::Stream(_) => hid_pos::DESCRIPTOR.to_vec(),
        }
    }

    fn feature(&mut self, _id: u8) -> Option<Vec<u8>> {
        None
    }

    fn set_feature(&mut self, _report: &[u8]) -> bool {
        false
    }

    /// A keyboard's lamps; a point-of-sale scanner has no output report.
    fn output(&mut self, report: &[u8]) -> bool {
        matches!(self.interface, Interface::Keyboard(_)) && !report.is_empty()
    }
}

impl Interface {
    /// A code as bytes of a stream or as reports, and how many characters were lost.
    pub(crate) fn messages(&self, data: &[u8], symbology: &Symbology) -> (Vec<Vec<u8>>, usize) {
        let plain = |reports: Vec<HidReport>| reports.into_iter().map(|report| report.0).collect();
        match self {
            Self::Stream(framing) => (vec![framing.wrap(data, symbology)], 0),
            Self::HidPos => (plain(hid_pos::reports(data, symbology.aim())), 0),
            Self::Keyboard(layout) => {
                let mut text = data.to_vec();
                text.push(b'\r');
                let (reports, lost) = keyboard::reports(&text, *layout);
                (plain(reports), lost)
            }
        }
    }
}
