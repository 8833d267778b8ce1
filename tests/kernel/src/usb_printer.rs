//! A simulated ticket printer behind a USB plug: its bytes go between a TCP connection and a bulk pair.
//!
//! ```text
//! printer -> usbfs -> vhci_hcd -> UsbPrinter == TCP on loopback == simulated printer
//! ```
//! USB Device Class Definition for Printing Devices 1.1; clauses below are of it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Result;

use crate::vhci::{Giving, Plugged, Setup, Speed, Taking, UsbDevice, descriptors};

/// A ticket printer of Epson's.
pub const VENDOR: u16 = 0x04b8;
/// Its product's number.
pub const PRODUCT: u16 = 0x0202;
/// Its serial number.
pub const SERIAL: &str = "PRN0001";

/// The USB side.
#[derive(Debug)]
struct UsbPrinter {
    to_printer: TcpStream,
    from_printer: VecDeque<u8>,
}

impl UsbDevice for UsbPrinter {
    fn device_descriptor(&self) -> Vec<u8> {
        descriptors::device(VENDOR, PRODUCT, 0x0100)
    }

    fn configuration(&self) -> Vec<u8> {
        let interface = [
            // Class 7, subclass 1, bidirectional (clause 4.3).
            descriptors::interface(0, 2, [7, 1, 2]),
            descriptors::bulk(0x81).to_vec(),
            descriptors::bulk(0x02).to_vec(),
        ];
        descriptors::configuration(1, &interface.concat())
    }

    fn string(&self, index: u8) -> Option<String> {
        let text = match index {
            1 => "Played",
            2 => "Played ticket printer",
            3 => SERIAL,
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn control(&mut self, setup: &Setup, _: &[u8]) -> Option<Vec<u8>> {
        /// IEEE 1284, with its length before it.
        const DEVICE_ID: &[u8] = b"\x00\x1fMFG:EPSON;CMD:ESC/POS;MDL:X;";
        match (setup.kind, setup.request) {
            // GET_DEVICE_ID, GET_PORT_STATUS (paper, selected, no error), SOFT_RESET (clause 4.2).
            (0xa1, 0) => Some(DEVICE_ID.to_vec()),
            (0xa1, 1) => Some(vec![0x18]),
            (0x21, 2) => Some(Vec::new()),
            _ => None,
        }
    }

    fn take(&mut self, _: u8, bytes: &[u8]) -> Taking {
        if self.to_printer.write_all(bytes).is_err() {
            return Taking::Stall;
        }
        Taking::Taken
    }

    fn give(&mut self, _: u8, most: usize) -> Giving {
        if self.from_printer.is_empty() {
            return Giving::Nothing;
        }
        let count = most.min(self.from_printer.len());
        Giving::Bytes(self.from_printer.drain(..count).collect())
    }
}

/// The printer, plugged in until it is dropped.
pub struct PluggedPrinter {
    plugged: Option<Arc<Plugged<UsbPrinter>>>,
    line: TcpStream,
    pump: Option<JoinHandle<()>>,
}

impl PluggedPrinter {
    /// Plugs the printer in that listens at `address`.
    ///
    /// # Errors
    /// Where it does not listen, or the kernel refuses the device.
    pub fn plug(address: SocketAddr) -> Result<Self> {
        let line = TcpStream::connect(address)?;
        let device = UsbPrinter {
            to_printer: line.try_clone()?,
            from_printer: VecDeque::new(),
        };
        let plugged = Arc::new(Plugged::plug(Speed::High, device)?);
        let (answers, told) = (line.try_clone()?, Arc::clone(&plugged));
        let pump = std::thread::Builder::new()
            .name("printer".to_owned())
            .spawn(move || pump(answers, &told))?;
        Ok(Self {
            plugged: Some(plugged),
            line,
            pump: Some(pump),
        })
    }
}

/// Hands on what the printer says, until its line is closed.
fn pump(mut answers: TcpStream, plugged: &Plugged<UsbPrinter>) {
    let mut buffer = [0; 512];
    while let Ok(count @ 1..) = answers.read(&mut buffer) {
        let said = buffer.get(..count).unwrap_or_default();
        plugged.with(|device| device.from_printer.extend(said));
    }
}

impl Drop for PluggedPrinter {
    fn drop(&mut self) {
        // A line that is closed already ends the pump by itself.
        let _closed_already = self.line.shutdown(Shutdown::Both);
        if let Some(pump) = self.pump.take() {
            // A panic of it has been reported.
            drop(pump.join());
        }
        self.plugged = None;
    }
}

impl fmt::Debug for PluggedPrinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PluggedPrinter")
    }
}
