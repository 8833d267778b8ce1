//! Which device it is, and how it is reached now.
//!
//! A device file's name tells nothing: after a replug, or when another driver of the kernel takes the
//! device over, the same device has another.
//! [`Identity::key`] stays the same: it is the serial number where the device has a usable one, else the
//! port into which it is plugged.

use std::path::PathBuf;

/// A device as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which device it is.
    pub identity: Identity,
    /// How it is reached now; a device of several functions is found once for each.
    pub way: Way,
    /// The number of the USB interface behind it, where it is one.
    pub interface: Option<u8>,
}

/// How a device is reached, until it is plugged anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Reports, through the operating system's HID driver.
    Hid {
        /// Its device file, or the system's own name for it.
        path: PathBuf,
        /// What its top-level collections are for.
        usages: Vec<Usage>,
    },
    /// The USB device itself.
    Usb {
        /// The number of its bus.
        bus: u8,
        /// Its number on that bus.
        address: u8,
    },
    /// A serial line.
    Serial {
        /// Its device file, or port name.
        path: PathBuf,
    },
}

/// What a collection of reports is for (HID Usage Tables).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Usage {
    /// The usage page.
    pub page: u16,
    /// The usage on it.
    pub usage: u16,
}

impl Usage {
    /// Barcode scanner (HID Point of Sale Usage Tables 1.02, page 8Ch).
    pub const BARCODE_SCANNER: Self = Self {
        page: 0x8c,
        usage: 0x02,
    };
    /// Pen (HID Usage Tables, digitizer page).
    pub const PEN: Self = Self {
        page: 0x0d,
        usage: 0x02,
    };
}

/// Which device it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    /// The vendor's number.
    pub vendor: u16,
    /// The product's number.
    pub product: u16,
    /// The device's release number, as firmware is told apart (USB 2.0, bcdDevice).
    pub firmware: u16,
    /// The serial number, as the device tells it.
    pub serial: Option<String>,
    /// The port: bus and hub ports on the way to it.
    pub port_path: String,
    /// What the device calls itself.
    pub model: String,
}

impl Identity {
    /// The same for the same device, across replugs and restarts.
    #[must_use]
    pub fn key(&self) -> String {
        let (vendor, product) = (self.vendor, self.product);
        match self.usable_serial() {
            Some(serial) => format!("{vendor:04x}:{product:04x}:serial:{serial}"),
            None => format!("{vendor:04x}:{product:04x}:port:{}", self.port_path),
        }
    }

    /// Devices without a number of their own often tell a filler, the same in all of them.
    fn usable_serial(&self) -> Option<&str> {
        let serial = self.serial.as_deref()?.trim();
        let first = serial.chars().next()?;
        let filler = serial.len() < 2 || serial.chars().all(|other| other == first);
        (!filler).then_some(serial)
    }
}

impl Found {
    /// Whether a product is what was found.
    #[must_use]
    pub const fn is(&self, vendor: u16, product: u16) -> bool {
        self.identity.vendor == vendor && self.identity.product == product
    }

    /// Whether it has reports for `usage`.
    #[must_use]
    pub fn has_usage(&self, usage: Usage) -> bool {
        matches!(&self.way, Way::Hid { usages, .. } if usages.contains(&usage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(serial: Option<&str>) -> Identity {
        Identity {
            vendor: 0x04b8,
            product: 0x0202,
            serial: serial.map(str::to_owned),
            port_path: "1-1.2".to_owned(),
            ..Identity::default()
        }
    }

    #[test]
    fn the_key_is_the_serial_number_and_otherwise_the_port() {
        assert_eq!(identity(Some("J5K1")).key(), "04b8:0202:serial:J5K1");
        for filler in [None, Some(""), Some(" "), Some("0000000000"), Some("1")] {
            assert_eq!(identity(filler).key(), "04b8:0202:port:1-1.2", "{filler:?}");
        }
    }

    #[test]
    fn a_usage_is_that_of_reports_and_of_nothing_else() {
        let mut found = Found {
            identity: identity(None),
            way: Way::Hid {
                path: PathBuf::new(),
                usages: vec![Usage::PEN],
            },
            interface: None,
        };
        assert!(found.has_usage(Usage::PEN) && !found.has_usage(Usage::BARCODE_SCANNER));
        found.way = Way::Usb { bus: 1, address: 2 };
        assert!(!found.has_usage(Usage::PEN));
        assert!(found.is(0x04b8, 0x0202));
    }
}
