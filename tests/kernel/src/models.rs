//! The devices that are played.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use sim_peripherals::HidModel as SimulatedHid;

use crate::uhid::{Behaviour, HidModel, Request};
use crate::vhci::{Giving, Setup, Taking, UsbDevice, descriptors};

/// A pen digitizer: report 1 with tip, barrel, range, X, Y and pressure; feature report 2 of eight bytes.
///
/// Usages of the digitizer page (0Dh) of the HID Usage Tables; X and Y of the generic desktop page.
pub const PEN_DESCRIPTOR: &[u8] = &[
    0x05, 0x0d, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x01, 0x09, 0x20, 0xa1, 0x00, 0x09, 0x42, 0x09, 0x44,
    0x09, 0x32, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x03, 0x81, 0x02, 0x95, 0x05, 0x81, 0x03,
    0x05, 0x01, 0x09, 0x30, 0x26, 0x80, 0x25, 0x46, 0x60, 0x09, 0x55, 0x0e, 0x65, 0x11, 0x75, 0x10,
    0x95, 0x01, 0x81, 0x02, 0x09, 0x31, 0x26, 0x70, 0x17, 0x46, 0xff, 0x05, 0x81, 0x02, 0x05, 0x0d,
    0x09, 0x30, 0x26, 0xff, 0x03, 0x81, 0x02, 0xc0, 0x06, 0x00, 0xff, 0x09, 0x01, 0x85, 0x02, 0x15,
    0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x08, 0xb1, 0x02, 0xc0,
];

/// One report of that pen: in range, touching, at a place.
#[must_use]
pub fn pen_report(x: u16, y: u16, pressure: u16) -> Vec<u8> {
    let mut report = vec![1, 0b101];
    for number in [x, y, pressure] {
        report.extend(number.to_le_bytes());
    }
    report
}

/// A pen display of Wacom's, which the kernel's own driver for them takes over.
#[must_use]
pub fn wacom_pen() -> HidModel {
    HidModel {
        name: "Played pen display".to_owned(),
        vendor: 0x056a,
        product: 0x00a8,
        serial: "PEN0001".to_owned(),
        descriptor: PEN_DESCRIPTOR.to_vec(),
    }
}

/// A pen of a vendor for whom the kernel has no driver of its own.
#[must_use]
pub fn generic_pen() -> HidModel {
    HidModel {
        vendor: 0x1209,
        product: 0x0001,
        ..wacom_pen()
    }
}

/// A scanner with report 2: length, three bytes of AIM identifier, 56 of data, and a flag for more; output
/// report 4 of four bytes.
///
/// Usages of the barcode scanner page (8Ch) of the HID Point of Sale Usage Tables 1.02.
pub const SCANNER_DESCRIPTOR: &[u8] = &[
    0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x12, 0xa1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xff,
    0x00, 0x75, 0x08, 0x95, 0x01, 0x05, 0x01, 0x09, 0x3b, 0x81, 0x02, 0x95, 0x03, 0x05, 0x8c, 0x09,
    0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02, 0x95, 0x38, 0x09, 0xfe, 0x82, 0x02, 0x01, 0x15, 0x00,
    0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0xff, 0x81, 0x02, 0x95, 0x07, 0x81, 0x03, 0xc0, 0x85,
    0x04, 0x06, 0x00, 0xff, 0x09, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x04, 0x91,
    0x02, 0xc0,
];

/// One report of that scanner with a whole code of at most 56 bytes.
#[must_use]
pub fn scanner_report(aim: [u8; 3], code: &[u8]) -> Vec<u8> {
    let mut report = vec![2, u8::try_from(code.len()).unwrap_or(u8::MAX)];
    report.extend(aim);
    report.extend(code);
    report.resize(62, 0);
    report
}

/// A scanner that speaks in reports.
#[must_use]
pub fn scanner() -> HidModel {
    HidModel {
        name: "Played scanner".to_owned(),
        vendor: 0x0c2e,
        product: 0x0206,
        serial: "SCN0001".to_owned(),
        descriptor: SCANNER_DESCRIPTOR.to_vec(),
    }
}

/// A USB device of its vendor's own class, with a bulk pair: it collects what it is sent and gives what it
/// was loaded with.
#[derive(Debug, Default)]
pub struct BulkDevice {
    /// What it gives next.
    pub loaded: VecDeque<u8>,
    /// What it was sent.
    pub collected: Vec<u8>,
    /// Whether it refuses the next bytes to it, and the next from it.
    pub stalls: bool,
    /// Whether it takes nothing for now.
    pub busy: bool,
    /// Is told of all that it does not take for now.
    pub refused: Option<Sender<()>>,
}

/// The numbers of that device.
pub const BULK_VENDOR: u16 = 0x04c5;
/// Its product's number.
pub const BULK_PRODUCT: u16 = 0x1155;

impl UsbDevice for BulkDevice {
    fn device_descriptor(&self) -> Vec<u8> {
        descriptors::device(BULK_VENDOR, BULK_PRODUCT, 0x0123)
    }

    fn configuration(&self) -> Vec<u8> {
        let interface = [
            descriptors::interface(0, 2, [0xff, 0, 0]),
            descriptors::bulk(0x81).to_vec(),
            descriptors::bulk(0x02).to_vec(),
        ];
        descriptors::configuration(1, &interface.concat())
    }

    fn string(&self, index: u8) -> Option<String> {
        let text = match index {
            1 => "Played",
            2 => "Played bulk device",
            3 => "BLK0001",
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn control(&mut self, setup: &Setup, data: &[u8]) -> Option<Vec<u8>> {
        match (setup.kind, setup.request) {
            // Of the vendor, to the interface: a status, and bytes to be collected.
            (0xc1, 1) => Some(b"\x01READY".to_vec()),
            (0x41, 2) => {
                self.collected.extend(data);
                Some(Vec::new())
            }
            _ => None,
        }
    }

    fn take(&mut self, _: u8, bytes: &[u8]) -> Taking {
        if std::mem::take(&mut self.stalls) {
            return Taking::Stall;
        }
        if self.busy {
            let deaf = |refused: &Sender<()>| refused.send(()).is_err();
            if self.refused.as_ref().is_some_and(deaf) {
                self.refused = None;
            }
            return Taking::Later;
        }
        self.collected.extend(bytes);
        Taking::Taken
    }

    fn give(&mut self, _: u8, most: usize) -> Giving {
        if std::mem::take(&mut self.stalls) {
            return Giving::Stall;
        }
        if self.loaded.is_empty() {
            return Giving::Nothing;
        }
        let count = most.min(self.loaded.len());
        Giving::Bytes(self.loaded.drain(..count).collect())
    }
}

/// A simulated HID device, as the kernel plays it; it is shared with whoever makes its reports.
pub fn behind<M: SimulatedHid + 'static>(simulated: M) -> (HidModel, Behaviour, Arc<Mutex<M>>) {
    let identity = simulated.identity();
    let model = HidModel {
        name: identity.name,
        vendor: identity.vendor,
        product: identity.product,
        serial: identity.serial,
        descriptor: simulated.descriptor(),
    };
    let shared = Arc::new(Mutex::new(simulated));
    let answering = Arc::clone(&shared);
    let behaviour = Box::new(move |request: Request| {
        let mut simulated = answering.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = match request {
            Request::Feature(id) => return simulated.feature(id),
            Request::SetFeature(report) => simulated.set_feature(&report),
            Request::Output(report) => simulated.output(&report),
        };
        taken.then(Vec::new)
    });
    (model, behaviour, shared)
}
