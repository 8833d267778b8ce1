//! Simulated scanners, tablets, printers and document scanners at the wire.

mod fault;
mod injector;
mod line;
mod picture;
mod platform;
mod printer;
mod shared;

pub use fault::{Clearing, Device, Fault, FaultPlan, Kind, Place, PlanError};
pub use line::{Address, Attach};
pub use printer::{
    MachineError, PaperEnd, PaperSupply, PaperView, Printer, PrinterAction, PrinterCounters,
    PrinterSettings, PrinterView,
};
