//! Simulated devices in this process, and a counter whose agent drives them.
//!
//! A test that holds the devices itself can take the time at which a code leaves a scanner, read a paper
//! without asking anybody, and pull a cable at any moment.
//!
//! | device | wire |
//! |---|---|
//! | `scanner` | pseudo-terminal, CR behind each code |
//! | `ticketPrinter` | TCP |
//! | `signatureTablet` | the stream of a simulated HID device, a pad with a screen of its own |
//! | `documentScanner` | eSCL |

use std::path::{Path, PathBuf};

use agent_api::device::DeviceState;
use anyhow::Context as _;
use harness::{Counter, Options};
use serde_json::json;
use sim_peripherals::{
    Address, Attach, CodeScanner, DocumentScanner, Framing, Interface, PeripheralSettings,
    Peripherals, Printer, PrinterSettings, ScannerSettings, SignatureTablet, TabletSettings,
};
use tempfile::TempDir;
use toml::Table;

use super::page::Page;

/// More than pages of these tests ask.
const REQUESTS_PER_SECOND: i64 = 10_000;

/// Devices, and a counter for them.
#[derive(Debug)]
pub struct Rig {
    /// The counter.
    pub counter: Counter,
    devices: Peripherals,
    _folder: TempDir,
}

impl Rig {
    /// Starts devices, then a counter.
    ///
    /// # Errors
    /// When a part does not come up.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let line = folder.path().join("scanner");
        let devices = Peripherals::start(PeripheralSettings {
            printer: Some(PrinterSettings::default()),
            code_scanner: Some(on_a_line(&line, sim_peripherals::Suffix::Cr)),
            tablet: Some(TabletSettings::default()),
            document_scanner: Some(sim_peripherals::DocumentSettings::default()),
        })?;
        let mut agent = Table::try_from(json!({
            "code_scanner": [{
                "name": "scanner",
                "connection": { "serial": { "path": line } },
            }],
            "ticket_printer": [{
                "name": "printer",
                "connection": { "tcp": tcp(&devices.printer.as_ref().context("no printer")?.address())? },
                "profile": "tm-t88vii",
            }],
            "signature_tablet": [{
                "name": "pad",
                "connection": { "simulated": tcp(&devices.tablet.as_ref().context("no tablet")?.address())? },
            }],
            "document_scanner": [{
                "name": "desk",
                "reached_by": { "escl": devices.document_scanner.as_ref().context("no document scanner")?.escl_url() },
            }],
        }))?;
        agent.insert("requests_per_second".to_owned(), REQUESTS_PER_SECOND.into());
        let counter = Counter::start(&Options {
            slots: 1,
            // So that the file of the log is open from the start, and counts as held before anything is done.
            log: "info".to_owned(),
            agent,
            ..Options::default()
        })?;
        Ok(Self {
            counter,
            devices,
            _folder: folder,
        })
    }

    /// A page, once every device is ready.
    ///
    /// # Errors
    /// When a device does not become ready.
    pub fn page(&self) -> anyhow::Result<Page> {
        let mut page = Page::open(&self.counter)?;
        for class in [
            "codeScanner",
            "ticketPrinter",
            "signatureTablet",
            "documentScanner",
        ] {
            page.wait_for_device(class, DeviceState::Ready)?;
        }
        Ok(page)
    }

    /// The scanner.
    ///
    /// # Errors
    /// None: it is there from the start.
    pub fn scanner(&self) -> anyhow::Result<&CodeScanner> {
        self.devices.code_scanner.as_ref().context("no scanner")
    }

    /// The printer.
    ///
    /// # Errors
    /// None: it is there from the start.
    pub fn printer(&self) -> anyhow::Result<&Printer> {
        self.devices.printer.as_ref().context("no printer")
    }

    /// The tablet.
    ///
    /// # Errors
    /// None: it is there from the start.
    pub fn tablet(&self) -> anyhow::Result<&SignatureTablet> {
        self.devices.tablet.as_ref().context("no tablet")
    }

    /// The document scanner.
    ///
    /// # Errors
    /// None: it is there from the start.
    pub fn document_scanner(&self) -> anyhow::Result<&DocumentScanner> {
        let found = self.devices.document_scanner.as_ref();
        found.context("no document scanner")
    }

    /// Ends the counter, and fails where something is left of it.
    ///
    /// # Errors
    /// As [`Counter::stop`].
    pub fn stop(self) -> anyhow::Result<()> {
        self.counter.stop()
    }
}

/// A scanner behind a pseudo-terminal that `link` points to, which tells the symbology of each code.
#[must_use]
pub fn on_a_line(link: &Path, suffix: sim_peripherals::Suffix) -> ScannerSettings {
    ScannerSettings {
        attach: Attach::Pty(Some(PathBuf::from(link))),
        interface: Interface::Stream(Framing {
            aim: true,
            suffix,
            ..Framing::default()
        }),
    }
}

/// The address of a simulated device that is reached by TCP.
///
/// # Errors
/// When it is on a line.
pub fn tcp(address: &Address) -> anyhow::Result<String> {
    match address {
        Address::Tcp(address) => Ok(address.to_string()),
        Address::Pty(path) => anyhow::bail!("{} is no address", path.display()),
    }
}
