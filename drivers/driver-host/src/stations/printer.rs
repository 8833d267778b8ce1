//! Ticket printers: a ticket is on at most one paper without the mark 再発行, or somebody is told that
//! nobody knows.
//!
//! ```text
//! idle: connect, ask for reports of changes --> told --> wait for a change --> told ...
//!            ^  (the driver recovers here)                     |
//!            '---- look again in a few seconds <-- lost -------'
//! ```
//! Between two jobs nothing is asked: the printer reports what changes by itself. After a job it is asked
//! once. After a job that failed at the printer the connection is made anew, which has the driver bring
//! to an end whatever the printer still holds, before the next job and not in it.
//!
//! | module | job |
//! |---|---|
//! | [`content`] | what stands on a ticket, in the driver's words |
//! | [`picture`] | PNG to black and white dots |
//! | [`tickets`] | what the driver says of tickets and failures, in the protocol's words |
//! | [`wanted`] | settings |

mod content;
mod picture;
mod tickets;
mod wanted;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, DeviceClass, FaultCode, Patience, Stop};
use host_protocol::settings::TicketPrinters;
use host_protocol::{
    Capabilities, DeviceState, HostFault, Make, Product, Step, Task, TicketElement,
};
use printer::driver::{PrintRequest, Resolution, Resolved, TicketPrinter};
use printer::fault::PrintError;
use printer::maintenance::Status;
use printer::render::fonts::Fonts;
use printer::settings::PrinterSettings;
use printer::ticket::{Ticket, TicketId};

use super::{PatientWatch, Sheet, Station, Tools, rest_for};
use crate::{
    floor::{Post, Watch},
    job::Job,
};
use tickets::Failure;

/// How long to wait before looking for a printer again that was not there.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How long a printer may take to answer when it is met or asked; jobs wait behind it. A metre of paper that
/// is still to be printed before takes five seconds.
const ANSWER: Duration = Duration::from_secs(6);

/// The printers that the settings name.
pub(super) fn open(settings: serde_json::Value, tools: &Tools) -> Result<Vec<Station>, String> {
    let settings: TicketPrinters =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let folder = wanted::folder(&settings)?;
    let one = |printer: host_protocol::settings::TicketPrinter| {
        let wanted = wanted::driver_settings(&printer)?;
        let folder = wanted::journal(&folder, &printer.name);
        let class = DeviceClass::TicketPrinter;
        let sheet = Sheet::new(class, &printer.name, Arc::clone(&tools.on_change));
        let sheet = Arc::new(sheet);
        let (clock, seen) = (Arc::clone(&tools.clock), Arc::clone(&sheet));
        Ok(Station {
            sheet,
            post: Box::new(move || {
                Box::new(AtPrinter {
                    settings: wanted.clone(),
                    folder: folder.clone(),
                    clock: Arc::clone(&clock),
                    sheet: Arc::clone(&seen),
                    fonts: None,
                    printer: None,
                    told: Told::Nothing,
                })
            }),
        })
    };
    settings.printers.into_iter().map(one).collect()
}

/// Whether a task is one of a ticket printer.
pub(super) const fn takes(task: &Task) -> bool {
    matches!(
        task,
        Task::PrintTicket { .. } | Task::ListTickets {} | Task::SettleTicket { .. }
    )
}

/// The one who works at a ticket printer.
struct AtPrinter {
    settings: PrinterSettings,
    /// Where the driver keeps what became of tickets.
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    sheet: Arc<Sheet>,
    /// Read once: loaded anew whenever the printer comes back, megabytes would tear holes into the memory.
    fonts: Option<Fonts>,
    printer: Option<Box<dyn TicketPrinter>>,
    told: Told,
}

/// What the sheet says of the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing yet that the printer said on this connection.
    Nothing,
    /// What was true before a job.
    Outdated,
    /// All there is.
    All,
}

impl Post for AtPrinter {
    fn watch(&self) -> Box<dyn Watch> {
        Box::new(PatientWatch)
    }

    fn work(&mut self, job: &Job) -> Result<Product, HostFault> {
        let done = self.carry_out(job);
        if self.told == Told::All {
            self.told = Told::Outdated;
        }
        if let Err(failure) = &done
            && failure.is_of_the_printer()
        {
            self.tell_of(failure);
            self.close();
        }
        done.map_err(|failure| failure.told())
    }

    fn idle(&mut self, rest: &Patience) {
        while rest.check().is_ok() {
            match self.look(rest) {
                Ok(()) | Err(Failure::Print(PrintError::Stopped(_))) => {}
                // Paper came back and left again before the printer was recovered.
                Err(Failure::Print(PrintError::Blocked { .. })) => self.told = Told::Outdated,
                Err(failure) => {
                    self.lost(&failure);
                    rest_for(rest, LOOK_AGAIN);
                }
            }
        }
    }
}

impl AtPrinter {
    fn carry_out(&mut self, job: &Job) -> Result<Product, Failure> {
        if let Task::PrintTicket {
            ticket,
            content,
            reissue,
        } = &job.task
        {
            let ticket = tickets::name(ticket)?;
            let document = self.document(content, job)?;
            return self.print((&ticket, document), *reissue, job);
        }
        if let Task::SettleTicket { ticket, came_out } = &job.task {
            let ticket = tickets::name(ticket)?;
            let decision = if *came_out {
                Resolution::CameOut
            } else {
                Resolution::DidNotComeOut
            };
            let printer = self.printer()?;
            printer.resolve(&ticket, decision, &job.patience)?;
            let ticket = tickets::told(&ticket, &printer.papers(&ticket), None);
            return Ok(Product::Ticket { ticket });
        }
        let unresolved = self.printer()?.unresolved();
        Ok(Product::Tickets {
            tickets: unresolved.iter().filter_map(tickets::stored).collect(),
        })
    }

    /// What is to stand on the paper.
    fn document(&mut self, elements: &[TicketElement], job: &Job) -> Result<Ticket, Failure> {
        let profile = self.printer()?.capabilities().profile;
        let elements = elements.iter().enumerate();
        let elements = elements.map(|(place, element)| {
            let drawn = match element {
                TicketElement::Picture { picture } => {
                    let file = job.attachment(picture).map_err(PrintError::Stopped)?;
                    content::Given::Picture(file)
                }
                TicketElement::Text { .. }
                | TicketElement::Number { .. }
                | TicketElement::Rule {}
                | TicketElement::Space { .. }
                | TicketElement::Qr { .. } => content::Given::Element(element),
            };
            content::element(drawn, &profile).map_err(|source| Failure::Picture { place, source })
        });
        Ok(Ticket {
            elements: elements.collect::<Result<_, Failure>>()?,
        })
    }

    fn print(
        &mut self,
        (ticket, document): (&TicketId, Ticket),
        reissue: bool,
        job: &Job,
    ) -> Result<Product, Failure> {
        job.progress(Step::Printing, None);
        let printer = self.printer()?;
        let printed = if reissue {
            let how = Resolution::Reprint(&document);
            match printer.resolve(ticket, how, &job.patience)? {
                Resolved::Printed(printed) => Some(printed.proof),
                Resolved::Kept => None,
            }
        } else {
            let ticket = ticket.clone();
            let request = PrintRequest { ticket, document };
            match printer.print(&request, &job.patience) {
                Ok(printed) => Some(printed.proof),
                Err(error @ PrintError::Duplicate { .. }) => {
                    let papers = printer.papers(&request.ticket);
                    return Err(if tickets::in_doubt(&papers) {
                        Failure::InDoubt
                    } else {
                        Failure::Print(error)
                    });
                }
                Err(error) => return Err(Failure::Print(error)),
            }
        };
        let ticket = tickets::told(ticket, &printer.papers(ticket), printed);
        // The paper was begun with a request for reports of changes.
        self.told = Told::Outdated;
        Ok(Product::Ticket { ticket })
    }

    /// Waits until there is something to tell of the printer, and tells it.
    fn look(&mut self, rest: &Patience) -> Result<(), Failure> {
        let soon = Deadline::at(self.clock.now().plus(ANSWER));
        let soon = rest.no_later_than(soon);
        let told = self.told;
        let printer = self.printer()?;
        let status = match told {
            Told::All => printer.wait_for_change(rest),
            Told::Outdated => printer.status(&soon),
            // The request for reports is answered with a first one, and there the driver recovers.
            Told::Nothing => match printer.wait_for_change(&soon) {
                Err(PrintError::Stopped(Stop::Deadline)) => {
                    let again = Deadline::at(soon.clock().now().plus(ANSWER));
                    printer.status(&rest.no_later_than(again))
                }
                first => first,
            },
        }?;
        let unresolved = tickets::in_doubt(&printer.unresolved());
        let profile = printer.capabilities().profile;
        self.sheet.write(|seen| {
            seen.capabilities = Capabilities {
                dots: Some(u32::from(profile.dots)),
                resolutions: vec![u32::from(profile.dpi)],
                ..Capabilities::default()
            };
            seen.make = Make {
                model: profile.model.to_owned(),
                ..Make::default()
            };
            seen.counters = counters(&status);
            seen.warnings = warnings(&status, unresolved);
            let trouble = status.condition.trouble();
            seen.fault = trouble.map(|trouble| trouble.fault().as_str().to_owned());
            seen.state = if trouble.is_some() {
                DeviceState::NotReady
            } else {
                DeviceState::Ready
            };
        });
        self.told = Told::All;
        Ok(())
    }

    fn printer(&mut self) -> Result<&mut Box<dyn TicketPrinter>, Failure> {
        match &mut self.printer {
            Some(printer) => Ok(printer),
            closed @ None => {
                let fonts = match &mut self.fonts {
                    Some(fonts) => fonts,
                    unread @ None => unread.insert(printer::settings::fonts(&self.settings)?),
                };
                let (fonts, clock) = (fonts.clone(), Arc::clone(&self.clock));
                let opened = printer::settings::open(&self.settings, fonts, clock, &self.folder)?;
                Ok(closed.insert(opened))
            }
        }
    }

    /// Tells at once what a job found: a printer in trouble is slow to report by itself, because the
    /// request for reports waits behind what it cannot print.
    fn tell_of(&self, failure: &Failure) {
        if let Some(trouble) = failure.trouble() {
            self.sheet.write(|seen| {
                seen.state = DeviceState::NotReady;
                seen.fault = Some(trouble.fault().as_str().to_owned());
            });
        }
    }

    fn lost(&mut self, failure: &Failure) {
        if self.told != Told::Nothing {
            let device = self.sheet.id();
            tracing::warn!(%failure, device, "a ticket printer was lost");
            self.close();
        }
        match failure.shown() {
            Some((state, fault)) => self.sheet.write(|seen| {
                seen.state = state;
                seen.fault = fault.map(|code| code.as_str().to_owned());
            }),
            None => self.sheet.gone(),
        }
    }

    /// Lets go of the printer; what became of tickets is on the disk.
    fn close(&mut self) {
        self.printer = None;
        self.told = Told::Nothing;
    }
}

fn warnings(status: &Status, unresolved: bool) -> Vec<String> {
    let unknown = unresolved.then_some(FaultCode::PrinterUnknown);
    let codes = status.warnings.iter().copied().chain(unknown);
    codes.map(|code| code.as_str().to_owned()).collect()
}

fn counters(status: &Status) -> BTreeMap<String, u64> {
    let (wear, forecast) = (status.wear, status.forecast);
    let counted = [
        ("prints", Some(wear.prints)),
        ("lines", Some(wear.lines)),
        ("cuts", Some(wear.cuts)),
        ("millimetres", Some(wear.millimetres)),
        ("cutsLeft", forecast.cuts),
        ("metresLeft", forecast.metres),
        ("ticketsLeft", forecast.tickets_of_roll),
    ];
    counted
        .into_iter()
        .filter_map(|(name, count)| Some((name.to_owned(), count?)))
        .collect()
}
