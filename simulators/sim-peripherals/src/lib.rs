//! Simulated scanners, tablets, printers and document scanners at the wire.

mod fault;
mod hid;
mod injector;
mod line;
mod picture;
mod platform;
mod printer;
mod scanner;
mod shared;

pub use fault::{Clearing, Device, Fault, FaultPlan, Kind, Place, PlanError};
pub use line::{Address, Attach};
pub use printer::{
    MachineError, PaperEnd, PaperSupply, PaperView, Printer, PrinterAction, PrinterCounters,
    PrinterSettings, PrinterView,
};
pub use hid::{HidIdentity, HidModel, HidReport};
pub use scanner::{
    CodeScanner, Framing, HidScanner, Interface, Layout, Prefix, ScanError, Scanned, ScannerAction,
    ScannerCounters, ScannerSettings, ScannerView, Suffix, Symbology,
};
