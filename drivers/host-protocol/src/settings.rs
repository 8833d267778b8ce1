//! What the shipped driver hosts take as `settings` in `welcome`.
//!
//! A host of somebody else takes what it likes; these are only those of the families that ship with the
//! product. The doc comments are the reference that operators read.
//! Unknown keys are errors.

mod connection;
mod desk;
mod document;
mod page;
mod printer;
mod scanner;
mod tablet;

pub use connection::{Connection, Line};
pub use desk::{Handover, Handovers, Keyboard, Keyboards};
pub use document::{DocumentScanner, DocumentScanners, ReachedBy, SaneScanner};
pub use page::{PagePrinter, PagePrinters};
pub use printer::{Attendance, Flow, TicketPrinter, TicketPrinters};
pub use scanner::{
    CodeScanner, CodeScanners, CounterKey, FormKey, Keymap, PreApplications, Start, Suffix,
};
pub use tablet::{
    Mapping, Rotation, SignatureTablet, SignatureTablets, TabletConnection, TabletKind,
};
