//! Each device used once, as an application does it; whatever is not as it should be is an error.

use agent_api::document::{Colour, DocumentFormat, DocumentScan, Source};
use agent_api::item::Item;
use agent_api::job::{Job, JobResult, Step, Task};
use agent_api::signature::{SigningOrder, Surface};
use agent_api::ticket::TicketState;
use anyhow::{Context as _, bail, ensure};
use harness::Patience;
use sim_peripherals::{Pace, PageContent, PenPoint, SheetContent, Symbology, Trace};

use super::page::{Held, Page};
use super::papers;
use super::rig::Rig;

/// Longer than any of these jobs takes.
const DEADLINE_MS: u32 = 30_000;

/// Time for one signature.
const SIGN_MS: u32 = 600_000;
/// Tickets after which a page is opened anew, with a new token.
const PAGE_FOR: u64 = 100;
/// A form of one page, made by another program.
const FORM: &[u8] = include_bytes!("../../data/form-ja.pdf");
/// The rightmost button of a pad's screen, which confirms where a document is signed.
const CONFIRM: (f32, f32) = (0.87, 0.95);
/// The pen in the air above the place to sign.
const HOVERS: PenPoint = PenPoint {
    x: 0.5,
    y: 0.5,
    pressure: 0.0,
};

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

/// Prints as many tickets, so that the printer's host remembers them.
///
/// # Errors
/// When one is not printed.
pub fn print_many(rig: &Rig, tickets: u64) -> anyhow::Result<()> {
    let mut page = rig.page()?;
    for ticket in 0..tickets {
        if ticket % PAGE_FOR == PAGE_FOR - 1 {
            drop(page);
            page = rig.page()?;
        }
        let held = page.take("ticketPrinter")?;
        print_once(&mut page, &held, &format!("before-{ticket}"))?;
        page.release(&held)?;
    }
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

/// Orders a signature on the pad, and returns when the place to sign is on it and the pen is felt there.
///
/// # Errors
/// When the job ends instead.
pub fn begin_to_sign(rig: &Rig, page: &mut Page, held: &Held) -> anyhow::Result<Job> {
    let document = page.door.hand_in("application/pdf", FORM)?;
    let order = SigningOrder {
        document: document.id,
        surface: Surface::Application,
        every_page: false,
        visit: None,
        exports: Vec::new(),
        place: None,
    };
    let job = page.start(held, Task::CaptureSignature { order }, SIGN_MS)?;
    loop {
        let now = page.door.job(&job.id)?;
        ensure!(now.error.is_none(), "{now:?}");
        match now.step {
            Some(Step::Signing) => return Ok(job),
            // Where not every page is to be read, the first one is signed at once; a tap would confirm.
            Some(Step::Showing) => rig.tablet()?.pen(Some(HOVERS))?,
            Some(_) | None => {}
        }
        // Nothing comes where the page was not there yet; then the pen hovers again.
        let _event = page.events.hear(Patience::seconds(1));
    }
}

/// Writes a signature on the pad and confirms it.
///
/// # Errors
/// When nothing is signed.
pub fn sign_once(rig: &Rig, page: &mut Page, held: &Held, seed: u64) -> anyhow::Result<()> {
    let job = begin_to_sign(rig, page, held)?;
    // Only what begins within the place to sign counts, and where a random stroke begins is chance.
    let dot = Trace::tap(HOVERS.x, HOVERS.y, 8);
    rig.tablet()?.play(&dot, Pace::AtOnce)?;
    let writing = Trace::signature(seed, 4, 40);
    rig.tablet()?.play(&writing, Pace::AtOnce)?;
    let (x, y) = CONFIRM;
    let tap = Trace::tap(x, y, 3);
    rig.tablet()?.play(&tap, Pace::AtOnce)?;
    let JobResult::Signature { documents, .. } = page.result(&job)? else {
        bail!("no signature")
    };
    for document in &documents {
        page.door.take_document(&document.id)?;
    }
    Ok(())
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
