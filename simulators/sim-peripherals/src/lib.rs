//! Simulated scanners, tablets, printers and document scanners, each at the wire at which a driver meets
//! the real one.
//!
//! ```no_run
//! use sim_peripherals::{PeripheralSettings, Peripherals, PrinterAction, Symbology};
//!
//! # fn main() -> std::io::Result<()> {
//! let devices = Peripherals::start(PeripheralSettings::all())?;
//! if let (Some(printer), Some(scanner)) = (&devices.printer, &devices.code_scanner) {
//!     printer.act(PrinterAction::TakePaperOut)?;
//!     let scanned = scanner.scan("8KQ2M4".as_bytes(), &Symbology::Qr);
//!     assert!(scanned.is_err(), "no driver is connected yet");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | device | wire | proved with |
//! |---|---|---|
//! | [`Printer`] | ESC/POS over TCP or a pseudo-terminal | bytes of python-escpos, receiptline and receipt-printer-encoder; zbar |
//! | [`CodeScanner`] | a stream with framing; HID point of sale; keyboard | published layouts |
//! | [`SignatureTablet`] | HID: like an STU-540, or a digitizer | a public driver's reading of it |
//! | [`DocumentScanner`] | eSCL, and the SANE network protocol | `scanimage` |
//!
//! # What it refuses to do
//!
//! It uses no encoder or decoder of any driver, so that a mistake on one side shows on the other.
//! It listens on loopback only.
//! It logs nothing of what is printed, scanned or written.
//!
//! # Model
//!
//! Each device is a handle with the same methods: `start`, `view`, `wait_for`, `act` (what a person does),
//! `plan_faults`, `faults`, `counters`, `reset_counters`; and its own: papers, codes, strokes, sheets.
//! Everything blocks; each device has threads of its own, and dropping the handle ends them.
//!
//! # Guarantees
//!
//! A device that was unplugged and plugged is at the same address again.
//! The same [`FaultPlan`] over the same bytes disturbs the same places in the same way.
//! No bytes of a host end a device, and lengths that they claim allocate nothing.

mod document;
mod fault;
mod hid;
mod injector;
mod line;
mod pace;
mod peripherals;
mod picture;
mod platform;
mod printer;
mod scanner;
mod shared;
mod tablet;

pub use document::{
    ColourMode, DocumentAction, DocumentCounters, DocumentScanner, DocumentSettings, DocumentView,
    PageContent, SheetContent, Source,
};
pub use fault::{Clearing, Device, Fault, FaultPlan, Kind, Place, PlanError};
pub use hid::{HidIdentity, HidModel, HidReport};
pub use line::{Address, Attach};
pub use pace::Pace;
pub use peripherals::{PeripheralSettings, Peripherals, PeripheralsView};
pub use printer::{
    MachineError, PaperEnd, PaperSupply, PaperView, Printer, PrinterAction, PrinterCounters,
    PrinterSettings, PrinterView,
};
pub use scanner::{
    CodeScanner, Framing, HidScanner, Interface, Layout, Prefix, ScanError, Scanned, ScannerAction,
    ScannerCounters, ScannerSettings, ScannerView, Suffix, Symbology,
};
pub use tablet::{
    PenDisplay, PenError, PenFlags, PenPoint, ScreenView, SignatureTablet, Stu, TabletAction,
    TabletCounters, TabletKind, TabletSettings, TabletView, Trace,
};
