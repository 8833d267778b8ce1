//! Each device used once, as an application does it; whatever is not as it should be is an error.

use agent_api::document::{Colour, DocumentFormat, DocumentScan, Source};
use agent_api::item::Item;
use agent_api::job::{Job, JobResult, Step, Task};
use agent_api::ticket::TicketState;
use anyhow::{Context as _, bail, ensure};
use harness::Patience;
use sim_peripherals::{PageContent, SheetContent, Symbology};

use super::page::{Held, Page};
use super::papers;
use super::rig::Rig;

/// Longer than any of these jobs takes.
const DEADLINE_MS: u32 = 30_000;

/// Starts to wait for codes, and returns when the scanner does.
///
/// # Errors
/// When the job ends instead.
pub fn wait_for_codes(page: &mut Page, held: &Held) -> anyhow::Result<Job> {
    let job = page.start(held, Task::ScanCodes {}, 4 * DEADLINE_MS)?;
    let patience = Patience::seconds(20);
    loop {
        // A code that is scanned before is a stray one.
        let now = page.door.job(&job.id)?;
        if now.step == Some(Step::WaitingForCode) {
            return Ok(job);
        }
        ensure!(now.error.is_none(), "{now:?}");
        page.events.hear(patience)?;
    }
}

/// Has a code scanned and receives it.
///
/// # Errors
/// When another one comes, or none.
pub fn scan(rig: &Rig, page: &mut Page, job: &Job, code: &str) -> anyhow::Result<()> {
    rig.scanner()?.scan(code.as_bytes(), &Symbology::Qr)?;
    receive(page, job, code)
}

/// Receives a code that was scanned.
///
/// # Errors
/// When another one comes, or none.
pub fn receive(page: &mut Page, job: &Job, code: &str) -> anyhow::Result<()> {
    let (n, item) = page.item(job)?;
    let Item::Scan { scan } = item else {
        bail!("no code: {item:?}")
    };
    ensure!(scan.text.as_ref().map(|text| text.expose()) == Some(code));
    page.events.received(&job.id, n)
}

/// Waits for one code and ends the job.
///
/// # Errors
/// When it does not come.
pub fn scan_once(rig: &Rig, page: &mut Page, held: &Held, code: &str) -> anyhow::Result<()> {
    let job = wait_for_codes(page, held)?;
    scan(rig, page, &job, code)?;
    page.door.cancel(&job.id)?;
    page.result(&job).map(drop)
}

/// Prints a ticket.
///
/// # Errors
/// When it is not printed.
pub fn print_once(page: &mut Page, held: &Held, ticket: &str) -> anyhow::Result<()> {
    let job = page.start(held, papers::order(ticket, ticket), DEADLINE_MS)?;
    let JobResult::Ticket { ticket: printed } = page.result(&job)? else {
        bail!("no ticket")
    };
    ensure!(printed.state == TicketState::Printed, "{printed:?}");
    Ok(())
}

/// Says of every ticket that is in doubt that its paper came out; how many there were.
///
/// # Errors
/// When one cannot be settled.
pub fn settle(page: &mut Page, held: &Held) -> anyhow::Result<usize> {
    let job = page.start(held, Task::ListTickets {}, DEADLINE_MS)?;
    let JobResult::Tickets { tickets } = page.result(&job)? else {
        bail!("no list of tickets")
    };
    for doubt in &tickets {
        let ticket = doubt.ticket.clone();
        let task = Task::SettleTicket {
            ticket,
            came_out: true,
        };
        let job = page.start(held, task, DEADLINE_MS)?;
        page.result(&job)?;
    }
    Ok(tickets.len())
}

/// Lays a sheet into the feeder and starts to scan it.
///
/// # Errors
/// The agent's refusal.
pub fn start_document(rig: &Rig, page: &mut Page, held: &Held, seed: u64) -> anyhow::Result<Job> {
    let sheet = SheetContent {
        front: PageContent::Text { seed, skew: 0.0 },
        back: PageContent::Blank,
    };
    rig.document_scanner()?.insert([sheet]);
    let order = DocumentScan {
        source: Source::Feeder,
        resolution: 100,
        colour: Colour::Grey,
        area: [2100, 2970],
        max_pages: 1,
        straighten: false,
        drop_blank: false,
        format: DocumentFormat::Png,
    };
    Ok(page.start(held, Task::ScanDocument { order }, DEADLINE_MS)?)
}

/// Scans a sheet.
///
/// # Errors
/// When there is no document of one page.
pub fn scan_document_once(
    rig: &Rig,
    page: &mut Page,
    held: &Held,
    seed: u64,
) -> anyhow::Result<()> {
    let job = start_document(rig, page, held, seed)?;
    let result = page.result(&job).context("a sheet")?;
    let JobResult::Document {
        pages, document, ..
    } = result
    else {
        bail!("no document")
    };
    page.door.take_document(&document.id)?;
    ensure!(pages.len() == 1, "{} pages", pages.len());
    Ok(())
}
