//! What a scanner is, where it is, and how it was set up. Plain values; whoever reads files makes them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use link::identity::{Found, Usage};
use link::serial::SerialSettings;

use crate::preapplication::PreApplicationKeys;
use crate::wire::framer::{Framing, Suffix};
use crate::wire::keymap::Keymap;

/// All that a scanner needs to be opened.
#[derive(Debug, Clone)]
pub struct ScannerSettings {
    /// Where it is.
    pub connection: Connection,
    /// How it delimits what it reads. Of a HID POS scanner only `suffix` (taken off the content where it
    /// stands there), `longest` and `silence` are used.
    pub framing: Framing,
    /// The layout that a keyboard scanner types on.
    pub keymap: Keymap,
    /// A code that is read again within this time after it was last seen is the same sight of the same
    /// code; zero keeps all.
    pub duplicates: Duration,
    /// How long to wait for the next part of a message in several codes.
    pub parts: Duration,
    /// Whose pre-applications are accepted; without them, none is.
    pub pre_application: Option<Arc<PreApplicationKeys>>,
}

impl ScannerSettings {
    /// Settings as most scanners leave the factory once their interface is chosen: a CR after each reading
    /// from a line or keyboard, nothing from HID POS.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        let suffix = match connection {
            Connection::Hid(_) | Connection::HidStream(_) => Suffix::Nothing,
            Connection::Serial(_) | Connection::Tcp(_) | Connection::Keyboard(_) => Suffix::Cr,
        };
        Self {
            connection,
            framing: Framing {
                suffix,
                ..Framing::default()
            },
            keymap: Keymap::Us,
            duplicates: Duration::from_millis(500),
            parts: Duration::from_secs(30),
            pre_application: None,
        }
    }
}

/// Where a scanner is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// A serial line, or USB in its COM mode.
    Serial(SerialSettings),
    /// The same bytes over TCP: a device server, or a simulator.
    Tcp(SocketAddr),
    /// HID POS: the first that fits.
    Hid(HidSelector),
    /// HID POS behind a byte stream: a simulator.
    HidStream(SocketAddr),
    /// A keyboard, taken away from the desktop. Linux only.
    Keyboard(KeyboardSelector),
}

/// Which HID POS scanner; what is `None` may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HidSelector {
    /// USB vendor.
    pub vendor: Option<u16>,
    /// USB product.
    pub product: Option<u16>,
    /// Its serial number.
    pub serial: Option<String>,
}

impl HidSelector {
    /// Whether `found` is such a scanner.
    #[must_use]
    pub fn fits(&self, found: &Found) -> bool {
        let identity = &found.identity;
        found.has_usage(Usage::BARCODE_SCANNER)
            && self.vendor.is_none_or(|vendor| vendor == identity.vendor)
            && self
                .product
                .is_none_or(|product| product == identity.product)
            && (self.serial.is_none() || self.serial == identity.serial)
    }
}

/// Which keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyboardSelector {
    /// Its device file; one below `/dev/input/by-id` stays the same.
    Path(PathBuf),
    /// The first keyboard of a product.
    Product {
        /// USB vendor.
        vendor: u16,
        /// USB product.
        product: u16,
    },
}
