//! Ticket printers over ESC/POS, and page printers over IPP.
//!
//! **What it is for.** A driver host opens a printer with [`settings::open`] and prints tickets through
//! [`driver::TicketPrinter`]: each on one paper, whatever happens to power, cable and paper on the way.
//! Forms of A4 pages go through [`page::PagePrinter`].
//!
//! ```no_run
//! # use std::{error::Error, path::Path, sync::Arc, time::Duration};
//! # use device_api::{Clock, Deadline, Patience, SystemClock};
//! # use printer::driver::{Attendance, PrintRequest};
//! # use printer::settings::{Connection, PrinterSettings, fonts, open};
//! # use printer::ticket::{Element, Ticket, TicketId};
//! # fn main() -> Result<(), Box<dyn Error>> {
//! let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
//! let settings = PrinterSettings {
//!     connection: Connection::Tcp("192.0.2.7:9100".parse()?),
//!     profile: "tm-t88vii".into(),
//!     dots: None,
//!     fonts: Vec::new(),
//!     bold_fonts: Vec::new(),
//!     attendance: Attendance::Unattended,
//!     roll_metres: Some(80),
//! };
//! let mut printer = open(&settings, fonts(&settings)?, Arc::clone(&clock), Path::new("/var/lib/madoguchi/printer"))?;
//! let request = PrintRequest {
//!     ticket: TicketId::new("2026-11-21/A/014")?,
//!     document: Ticket { elements: vec![Element::Number("A-014".into())] },
//! };
//! let deadline = Deadline::at(clock.now().plus(Duration::from_secs(30)));
//! printer.print(&request, &Patience::new(clock, deadline))?;
//! # Ok(())
//! # }
//! ```
//!
//! **What it refuses.** It prints nothing twice without the mark 再発行, queues nothing for a printer that
//! cannot print, calls nothing printed that the printer did not prove, and drops no character.
//!
//! | module | job |
//! |---|---|
//! | [`ticket`], [`render`], [`raster`] | what stands on a ticket, and its dots |
//! | [`wire`] | ESC/POS, to the printer and from it |
//! | [`quirks`] | what differs from model to model |
//! | [`driver`] | one ticket, one paper; recovery |
//! | [`journal`], [`storage`] | what became of every paper, through power cuts |
//! | [`status`], [`maintenance`] | how the printer is, what wears out and what runs out |
//! | [`settings`], [`platform`] | from settings to a printer |
//! | [`page`] | A4 pages through a print server |
//! | [`fault`] | errors, and what people are told |
//! | `contract` (feature) | what every ticket printer must keep, and power cuts at every step |
//!
//! **Guarantees.** See `docs/devices/ticket-printers.md`, which numbers them. Content of tickets is in no
//! journal, log or `Debug`.
//!
//! **Limits.** QR codes are always part of the picture. Names of tickets are remembered for the newest
//! 10,000 finished papers. Pages go over plain IPP.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod driver;
pub mod fault;
pub mod journal;
pub mod maintenance;
pub mod page;
pub mod platform;
pub mod quirks;
pub mod raster;
pub mod render;
pub mod settings;
pub mod status;
pub mod storage;
pub mod ticket;
pub mod wire;
