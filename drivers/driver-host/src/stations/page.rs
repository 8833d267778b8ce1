//! Page printers: a document is handed to the print server and followed until its last page is out.
//!
//! The server is asked every [`LOOK_AGAIN`] how the printer is: IPP has nothing that waits for a change
//! which CUPS would not answer at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, DeviceClass, FaultCode, Patience};
use host_protocol::settings::{PagePrinter as Settings, PagePrinters};
use host_protocol::{Attachment, DeviceState, HostFault, Product, Step, Task};
use printer::page::{
    IppPrinter, PageError, PageOptions, PagePrinter, PageSettings, PageStatus, Sides,
};

use super::{PatientWatch, Sheet, Station, Tools, rest_for, with_causes};
use crate::{
    device::fault,
    floor::{Post, Watch},
    job::Job,
};

/// How often the server is asked how the printer is.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How long it may take to answer; jobs wait behind it.
const ANSWER: Duration = Duration::from_secs(3);

/// The port of IPP (RFC 8010, 3.3).
const IPP: u16 = 631;

/// Under which name jobs stand in the server's list.
const USER: &str = "madoguchi";

/// The printers that the settings name.
pub(super) fn open(settings: serde_json::Value, tools: &Tools) -> Result<Vec<Station>, String> {
    let settings: PagePrinters =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let one = |printer: Settings| {
        let wanted = driver_settings(&printer)?;
        let class = DeviceClass::PagePrinter;
        let sheet = Sheet::new(class, &printer.name, Arc::clone(&tools.on_change));
        let sheet = Arc::new(sheet);
        let (clock, seen) = (Arc::clone(&tools.clock), Arc::clone(&sheet));
        Ok(Station {
            sheet,
            post: Box::new(move || {
                Box::new(AtPrinter {
                    printer: Box::new(IppPrinter::new(wanted.clone())),
                    clock: Arc::clone(&clock),
                    sheet: Arc::clone(&seen),
                })
            }),
        })
    };
    settings.printers.into_iter().map(one).collect()
}

/// Whether a task is one of a page printer.
pub(super) const fn takes(task: &Task) -> bool {
    matches!(task, Task::PrintDocument { .. })
}

/// The one who works at a page printer.
struct AtPrinter {
    printer: Box<dyn PagePrinter>,
    clock: Arc<dyn Clock>,
    sheet: Arc<Sheet>,
}

impl Post for AtPrinter {
    fn watch(&self) -> Box<dyn Watch> {
        Box::new(PatientWatch)
    }

    fn work(&mut self, job: &Job) -> Result<Product, HostFault> {
        let Task::PrintDocument {
            document,
            copies,
            duplex,
        } = &job.task
        else {
            return Err(fault(FaultCode::DeviceUnsupported, "not a page printer's"));
        };
        self.print(job, document, (*copies, *duplex))
    }

    fn idle(&mut self, rest: &Patience) {
        while rest.check().is_ok() {
            self.look(rest);
            rest_for(rest, LOOK_AGAIN);
        }
    }
}

impl AtPrinter {
    fn print(
        &mut self,
        job: &Job,
        document: &Attachment,
        (copies, duplex): (u32, bool),
    ) -> Result<Product, HostFault> {
        let copies = match u8::try_from(copies) {
            Ok(copies) if copies > 0 => copies,
            _ => {
                let fault = fault(
                    FaultCode::PrinterContent,
                    "as many copies cannot be ordered",
                );
                let about = Some("copies".to_owned());
                return Err(HostFault { about, ..fault });
            }
        };
        let options = PageOptions {
            copies,
            sides: if duplex {
                Sides::TwoLongEdge
            } else {
                Sides::One
            },
            media: None,
        };
        let pdf = job
            .attachment(document)
            .map_err(|stop| told(&PageError::Stopped(stop)))?;
        let mut begun = false;
        let mut on_progress = |progress: printer::page::PageProgress| {
            tracing::debug!(job = job.id, ?progress, "printing pages");
            if !std::mem::replace(&mut begun, true) {
                job.progress(Step::Printing, None);
            }
        };
        let printed = self
            .printer
            .print(&pdf, &options, &mut on_progress, &job.patience)
            .map_err(|error| told(&error))?;
        Ok(Product::Pages {
            // The server counts sheets, of which nobody knows how many carry something on their back.
            printed: printed.sheets.filter(|_| !duplex),
        })
    }

    fn look(&mut self, rest: &Patience) {
        let soon = Deadline::at(self.clock.now().plus(ANSWER));
        match self.printer.status(&rest.no_later_than(soon)) {
            Ok(status) => self.show(&status),
            Err(_) if rest.check().is_err() => {}
            Err(error) => {
                tracing::debug!(%error, device = self.sheet.id(), "a page printer was not met");
                self.sheet.gone();
            }
        }
    }

    fn show(&self, status: &PageStatus) {
        let trouble = trouble(status);
        self.sheet.write(|seen| {
            seen.state = if trouble.is_some() {
                DeviceState::NotReady
            } else {
                DeviceState::Ready
            };
            seen.fault = trouble.map(|code| code.as_str().to_owned());
            let warnings = status.warnings.iter();
            seen.warnings = warnings.map(|code| code.as_str().to_owned()).collect();
        });
    }
}

/// What keeps a printer from taking a document.
fn trouble(status: &PageStatus) -> Option<FaultCode> {
    let refuses = (!status.accepting).then_some(FaultCode::PrinterOffline);
    let no_pdf = (!status.takes_pdf).then_some(FaultCode::PrinterRejected);
    status.fault.or(refuses).or(no_pdf)
}

fn told(error: &PageError) -> HostFault {
    HostFault {
        code: error.fault().as_str().to_owned(),
        detail: with_causes(error),
        about: matches!(error, PageError::NotPdf).then(|| "document".to_owned()),
        tries_left: None,
    }
}

fn driver_settings(printer: &Settings) -> Result<PageSettings, String> {
    let wrong = |what: &str| format!("page printer {}: {what}", printer.name);
    let Some(rest) = printer.uri.strip_prefix("ipp://") else {
        return Err(wrong(
            "not a URI such as ipp://127.0.0.1:631/printers/forms",
        ));
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let visible = path.bytes().all(|byte| byte.is_ascii_graphic());
    let address = address(authority).filter(|_| visible);
    Ok(PageSettings {
        address: address.ok_or_else(|| wrong("not an IP address and a path"))?,
        path: path.to_owned(),
        user: USER.to_owned(),
    })
}

/// An IP address, with its port where it is not that of IPP; `localhost` is this machine.
fn address(authority: &str) -> Option<SocketAddr> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.ends_with(']') => {
            (host, port.parse().ok()?)
        }
        _ => (authority, IPP),
    };
    if host == "localhost" {
        return Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let ip: IpAddr = match inner {
        Some(host) => IpAddr::V6(host.parse().ok()?),
        None => IpAddr::V4(host.parse().ok()?),
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests;
