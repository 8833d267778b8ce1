//! Ticket printers: the printer driver on a simulated one, through the kernel's USB layer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use device_api::{Clock, Deadline, FaultCode, Patience};
use link::identity::{Found, Way};
use link::watch::{Event, Watch};
use link::{Link, LinkError, usb};
use printer::driver::{
    Attendance, Connector, EscPosPrinter, Parts, PrintRequest, TicketPrinter as _,
};
use printer::journal::Journal;
use printer::platform;
use printer::quirks::profile;
use printer::render::fonts::Fonts;
use printer::render::typeset::Typesetter;
use printer::storage::Folder;
use printer::ticket::{Element, Ticket, TicketId};
use sim_peripherals::{Address, Printer, PrinterAction};

use crate::machine::{Machine, load};
use crate::usb_printer::{PRODUCT, PluggedPrinter, VENDOR};

/// Long enough for a ticket on an emulated processor.
const SOON: Duration = Duration::from_secs(40);

fn is(found: &Found) -> bool {
    found.is(VENDOR, PRODUCT) && matches!(found.way, Way::Usb { .. })
}

/// Reaches the printer by its plug.
#[derive(Debug)]
struct ByPlug(Arc<dyn Clock>);

impl Connector for ByPlug {
    fn connect(&mut self, _: Deadline) -> Result<Box<dyn Link>, LinkError> {
        /// The class of printers.
        const PRINTER: u8 = 7;
        let mut watch = Watch::begin(Arc::clone(&self.0))?;
        // What is there is told at once.
        loop {
            match watch.next(Deadline::at(self.0.now())) {
                Ok(Event::Arrived(found)) if is(&found) => {
                    let link = usb::open(&found, PRINTER, Arc::clone(&self.0))?;
                    return Ok(Box::new(link));
                }
                Ok(Event::Arrived(_) | Event::Left(_)) => {}
                Err(LinkError::TimedOut) => return Err(LinkError::Gone),
                Err(error) => return Err(error),
            }
        }
    }
}

fn driver(machine: &Machine) -> anyhow::Result<EscPosPrinter> {
    let profile = *profile("tm-t88vii").context("no such profile")?;
    let fonts = Fonts::load(&platform::fonts(), &platform::bold_fonts())?;
    let storage = Folder::open(Path::new("/run/journal-of-a-printer"))?;
    let parts = Parts {
        typesetter: Box::new(Typesetter::new(
            fonts,
            usize::from(profile.dots),
            profile.dpi,
        )),
        journal: Journal::open(Box::new(storage))?,
        profile,
        attendance: Attendance::Staffed,
        roll_metres: Some(80),
        clock: Arc::clone(&machine.clock),
    };
    let connector = ByPlug(Arc::clone(&machine.clock));
    Ok(EscPosPrinter::new(Box::new(connector), parts))
}

fn request(name: &str) -> anyhow::Result<PrintRequest> {
    Ok(PrintRequest {
        ticket: TicketId::new(name)?,
        document: Ticket {
            elements: vec![Element::Number("A-014".to_owned())],
        },
    })
}

fn patience(machine: &Machine) -> Patience {
    Patience::new(Arc::clone(&machine.clock), machine.within(SOON))
}

pub(super) fn prints(machine: &mut Machine) -> anyhow::Result<()> {
    load(&["vhci_hcd", "usblp"])?;
    let simulated = Printer::start(sim_peripherals::PrinterSettings::default())?;
    let Address::Tcp(address) = simulated.address() else {
        bail!("the simulated printer has no address");
    };
    let plugged = PluggedPrinter::plug(address)?;
    machine.arrival(is)?;
    let mut driver = driver(machine)?;
    let printed = driver.print(&request("first")?, &patience(machine))?;
    ensure!(printed.copy == 0, "{printed:?}");
    simulated.act(PrinterAction::TakePaperOut)?;
    let refused = driver.print(&request("second")?, &patience(machine)).err();
    let code = refused.map(|error| error.fault());
    ensure!(code == Some(FaultCode::PrinterPaperOut), "{code:?}");
    simulated.act(PrinterAction::PutPaperIn)?;
    drop(plugged);
    machine.departure(is)?;
    let gone = driver.print(&request("third")?, &patience(machine)).err();
    gone.context("printed without a printer")?;
    let _plugged = PluggedPrinter::plug(address)?;
    machine.arrival(is)?;
    driver.print(&request("third")?, &patience(machine))?;
    let papers = simulated.papers().len();
    ensure!(papers == 2, "{papers} papers");
    Ok(())
}
