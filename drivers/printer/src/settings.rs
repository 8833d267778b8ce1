//! From settings to a printer.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use device_api::{Clock, Deadline};
use link::identity::Way;
use link::serial::{self, FlowControl, SerialSettings};
use link::watch::Watch;
use link::{Link, LinkError, tcp, usb};

use crate::driver::{Attendance, Connector, EscPosPrinter, Parts, TicketPrinter};
use crate::fault::OpenError;
use crate::journal::{Journal, JournalError};
use crate::platform;
use crate::quirks::profile;
use crate::render::fonts::Fonts;
use crate::render::typeset::Typesetter;
use crate::storage::Folder;

/// The class of printers (USB Device Class Definition for Printing Devices).
const USB_PRINTER: u8 = 7;

/// Which printer, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterSettings {
    /// The way to it.
    pub connection: Connection,
    /// The name of its profile, see [`crate::quirks::PROFILES`].
    pub profile: String,
    /// Dots in a line where they differ from the profile's, as with narrower paper.
    pub dots: Option<u16>,
    /// Font files, the ordinary one first; where none are given, those of [`platform::fonts`].
    pub fonts: Vec<PathBuf>,
    /// The same in bold.
    pub bold_fonts: Vec<PathBuf>,
    /// Who is there.
    pub attendance: Attendance,
    /// The length of a new roll, for the estimate of its end.
    pub roll_metres: Option<u16>,
}

/// The way to a printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// A network printer, usually on port 9100.
    Tcp(SocketAddr),
    /// A serial printer.
    Serial {
        /// The device file, or the port's name on Windows.
        path: PathBuf,
        /// Bits a second.
        baud: u32,
        /// Who says when to pause.
        flow: FlowControl,
    },
    /// A USB printer.
    Usb {
        /// The vendor's number.
        vendor: u16,
        /// The product's number.
        product: u16,
        /// Its serial number, where several of a kind are there.
        serial: Option<String>,
    },
}

/// The fonts of settings. Whoever opens a printer anew keeps them: they are megabytes.
///
/// # Errors
/// Where they cannot be used.
pub fn fonts(settings: &PrinterSettings) -> Result<Fonts, OpenError> {
    let regular = or_default(&settings.fonts, platform::fonts);
    let bold = or_default(&settings.bold_fonts, platform::bold_fonts);
    Fonts::load(&regular, &bold).map_err(OpenError::Fonts)
}

/// A printer from settings and its [`fonts`]; nothing is sent before it is needed.
///
/// The folder holds the journal, and belongs to one printer and one process.
///
/// # Errors
/// Where profile or journal cannot be used.
pub fn open(
    settings: &PrinterSettings,
    fonts: Fonts,
    clock: Arc<dyn Clock>,
    journal: &Path,
) -> Result<Box<dyn TicketPrinter>, OpenError> {
    let name = &settings.profile;
    let known = profile(name).ok_or_else(|| OpenError::Profile { name: name.clone() })?;
    let dots = settings.dots.unwrap_or(known.dots);
    if !dots.is_multiple_of(8) || !(128..=1280).contains(&dots) {
        return Err(OpenError::Width { dots });
    }
    let profile = crate::quirks::Profile { dots, ..*known };
    let storage = Folder::open(journal).map_err(|source| {
        OpenError::Journal(if source.kind() == io::ErrorKind::WouldBlock {
            JournalError::Held
        } else {
            JournalError::Storage {
                attempted: "open",
                source,
            }
        })
    })?;
    let journal = Journal::open(Box::new(storage)).map_err(OpenError::Journal)?;
    let connector = ByLink {
        connection: settings.connection.clone(),
        clock: Arc::clone(&clock),
    };
    let parts = Parts {
        typesetter: Box::new(Typesetter::new(fonts, usize::from(dots), profile.dpi)),
        journal,
        profile,
        attendance: settings.attendance,
        roll_metres: settings.roll_metres,
        clock,
    };
    Ok(Box::new(EscPosPrinter::new(Box::new(connector), parts)))
}

fn or_default(given: &[PathBuf], default: impl FnOnce() -> Vec<PathBuf>) -> Vec<PathBuf> {
    if given.is_empty() {
        default()
    } else {
        given.to_vec()
    }
}

/// Opens links of this machine.
#[derive(Debug)]
struct ByLink {
    connection: Connection,
    clock: Arc<dyn Clock>,
}

/// A watch that has told of everything that is plugged in now; it begins with knowing of nothing.
fn looked_around(clock: &Arc<dyn Clock>) -> Result<Watch, LinkError> {
    let mut watch = Watch::begin(Arc::clone(clock))?;
    let at_once = Deadline::at(clock.now());
    loop {
        match watch.next(at_once) {
            Ok(_told) => {}
            Err(LinkError::TimedOut) => return Ok(watch),
            Err(error) => return Err(error),
        }
    }
}

impl Connector for ByLink {
    fn connect(&mut self, deadline: Deadline) -> Result<Box<dyn Link>, LinkError> {
        let clock = Arc::clone(&self.clock);
        match &self.connection {
            Connection::Tcp(address) => Ok(Box::new(tcp::connect(*address, deadline, clock)?)),
            Connection::Serial { path, baud, flow } => {
                let settings = SerialSettings {
                    flow: *flow,
                    ..SerialSettings::new(path, *baud)
                };
                Ok(Box::new(serial::open(&settings, clock)?))
            }
            Connection::Usb {
                vendor,
                product,
                serial,
            } => {
                let watch = looked_around(&clock)?;
                let wanted = |found: &&link::identity::Found| {
                    found.is(*vendor, *product)
                        && matches!(found.way, Way::Usb { .. })
                        && (serial.is_none() || found.identity.serial == *serial)
                };
                let found = watch.present().iter().find(wanted).ok_or(LinkError::Gone)?;
                Ok(Box::new(usb::open(found, USB_PRINTER, clock)?))
            }
        }
    }
}
