//! Simulated scanners, tablets, printers and document scanners at the wire.

mod document;
mod fault;
mod hid;
mod injector;
mod line;
mod pace;
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
