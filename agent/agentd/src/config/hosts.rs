//! Which driver hosts are started, and what each is told.
//!
//! A family of devices has a host of its own, so that one that hangs or crashes costs no other; a family
//! without devices has none.

use host_protocol::settings::{
    CodeScanners, DocumentScanners, Handovers, Keyboards, PagePrinters, SignatureTablets,
    TicketPrinters,
};
use serde::Serialize;

use super::{ConfigError, Host, HostCommand, raw, value};
use crate::platform;

/// The name of the host of card readers.
pub const CARDS: &str = "pcsc";
/// The name of the host of signature tablets.
pub const TABLETS: &str = "tablet";

/// The devices that the configuration names, by family.
#[derive(Debug)]
pub(super) struct Devices {
    /// Code scanners.
    pub(super) code_scanners: CodeScanners,
    /// Ticket printers.
    pub(super) ticket_printers: TicketPrinters,
    /// Page printers.
    pub(super) page_printers: PagePrinters,
    /// Document scanners.
    pub(super) document_scanners: DocumentScanners,
    /// Signature tablets.
    pub(super) signature_tablets: SignatureTablets,
    /// The keyboard.
    pub(super) keyboards: Keyboards,
    /// Handover folders.
    pub(super) handovers: Handovers,
}

impl Devices {
    /// What the host of each family that has devices is told, by the family's word.
    fn told(&self) -> Result<Vec<(&'static str, serde_json::Value)>, ConfigError> {
        let mut families = Vec::new();
        if !self.code_scanners.scanners.is_empty() {
            families.push(("scanner", told("code_scanner", &self.code_scanners)?));
        }
        if !self.ticket_printers.printers.is_empty() {
            let settings = told("ticket_printer", &self.ticket_printers)?;
            families.push(("ticket-printer", settings));
        }
        if !self.page_printers.printers.is_empty() {
            families.push(("page-printer", told("page_printer", &self.page_printers)?));
        }
        if !self.document_scanners.scanners.is_empty() {
            let settings = told("document_scanner", &self.document_scanners)?;
            families.push(("document-scanner", settings));
        }
        if !self.signature_tablets.tablets.is_empty() {
            let settings = told("signature_tablet", &self.signature_tablets)?;
            families.push((TABLETS, settings));
        }
        if self.keyboards.keyboard.is_some() {
            families.push(("keyboard", told("keyboard", &self.keyboards)?));
        }
        if !self.handovers.handovers.is_empty() {
            families.push(("handover", told("handover", &self.handovers)?));
        }
        Ok(families)
    }
}

/// All driver hosts; that of card readers is the first.
pub(super) fn hosts(
    raw: raw::DriverHost,
    trust: raw::CardTrust,
    devices: &Devices,
    log: &str,
) -> Result<Vec<Host>, ConfigError> {
    let cards = Host {
        name: CARDS.to_owned(),
        command: cards(raw, trust, log)?,
        settings: None,
    };
    let program = cards.command.program.clone();
    let mut hosts = vec![cards];
    let family = |name: &str, settings: serde_json::Value| Host {
        name: name.to_owned(),
        command: HostCommand {
            program: program.clone(),
            args: vec![name.to_owned(), "--log".to_owned(), log.to_owned()],
            vendor: None,
        },
        settings: Some(settings),
    };
    let families = devices.told()?.into_iter();
    hosts.extend(families.map(|(name, settings)| family(name, settings)));
    Ok(hosts)
}

fn told(key: &str, settings: &impl Serialize) -> Result<serde_json::Value, ConfigError> {
    serde_json::to_value(settings).map_err(|_error| value(key, "cannot be told to a driver host"))
}

fn cards(
    raw: raw::DriverHost,
    trust: raw::CardTrust,
    log: &str,
) -> Result<HostCommand, ConfigError> {
    let program = match raw.program {
        Some(program) if program.is_absolute() => program,
        Some(_) => return Err(value("driver_host.program", "must be an absolute path")),
        None => platform::beside_this_program("driver-host")
            .ok_or_else(|| value("driver_host.program", "cannot be guessed; name it"))?,
    };
    let mut args = raw.args;
    for builtin in trust.builtin {
        args.extend(["--trust".to_owned(), builtin.as_str().to_owned()]);
    }
    for file in trust.files {
        let file = file
            .to_str()
            .ok_or_else(|| value("card_trust.files", "must be Unicode"))?;
        args.extend(["--trust-file".to_owned(), file.to_owned()]);
    }
    args.extend(["--log".to_owned(), log.to_owned()]);
    Ok(HostCommand {
        program,
        args,
        vendor: None,
    })
}
