//! Papers become one file, handed out once, and every trouble of a feeder has its own fault.

use agent_api::device::DeviceState;
use agent_api::document::{Colour, DocumentFormat, DocumentScan, Source};
use agent_api::job::{Job, JobResult, Task};
use anyhow::{Context as _, bail, ensure};
use harness::Counter;
use serde_json::json;

use super::page::Page;

/// Time for one document; a page takes a second or two where programs are not optimised.
const SCAN_MS: u32 = 60_000;

/// Every scene.
///
/// # Errors
/// The first thing that was not as it should be.
pub fn scenes(counter: &Counter) -> anyhow::Result<()> {
    let mut page = Page::open(counter)?;
    page.wait_for_device("documentScanner", DeviceState::Ready)?;
    two_sheets(counter, &mut page).context("two sheets")?;
    no_sheet(&mut page).context("no sheet")?;
    jam(counter, &mut page).context("jam")
}

fn order() -> Task {
    Task::ScanDocument {
        order: DocumentScan {
            source: Source::Feeder,
            resolution: 75,
            colour: Colour::Grey,
            area: [2100, 2970],
            max_pages: 10,
            straighten: true,
            drop_blank: true,
            format: DocumentFormat::PdfA,
        },
    }
}

fn start(page: &mut Page) -> anyhow::Result<(super::page::Held, Job)> {
    let held = page.take("documentScanner")?;
    let job = page.start(&held, order(), SCAN_MS)?;
    Ok((held, job))
}

/// A sheet that lies askew and a blank one become a PDF of one page that stands straight.
fn two_sheets(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let skewed = json!({ "front": { "text": { "seed": 7, "skew": 2.0 } }, "back": "blank" });
    let blank = json!({ "front": "blank", "back": "blank" });
    let sheets = json!([skewed, blank]);
    counter
        .control()
        .device("documentScanner/sheets", &sheets)?;
    let (held, job) = start(page)?;
    let JobResult::Document {
        document,
        pages,
        blank_dropped,
    } = page.result(&job)?
    else {
        bail!("no document")
    };
    ensure!(
        (pages.len(), blank_dropped) == (1, 1),
        "{pages:?} {blank_dropped}"
    );
    let turned = pages.first().map(|page| page.turned.abs()).unwrap_or(0);
    ensure!((180..=220).contains(&turned), "turned by {turned}");
    ensure!(document.media_type == "application/pdf", "{document:?}");
    let file = page.door.take_document(&document.id)?;
    ensure!(file.starts_with(b"%PDF-") && file.len() as u64 == document.length);
    let again = page.door.take_document(&document.id);
    ensure!(
        again.is_err_and(|refused| refused.code() == Some("DOR-NOT-FOUND")),
        "handed out twice"
    );
    page.release(&held)
}

fn no_sheet(page: &mut Page) -> anyhow::Result<()> {
    let (held, job) = start(page)?;
    let fault = page.fault(&job)?;
    ensure!(fault == "DOC-NO-PAPER", "{fault}");
    page.release(&held)
}

fn jam(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let sheet = json!([{ "front": { "text": { "seed": 1 } }, "back": "blank" }]);
    counter.control().device("documentScanner/sheets", &sheet)?;
    counter.control().act("documentScanner", "jam")?;
    let held = page.take("documentScanner")?;
    match page.start(&held, order(), SCAN_MS) {
        Err(refused) => ensure!(refused.code() == Some("DOC-JAM"), "{refused}"),
        Ok(job) => {
            let fault = page.fault(&job)?;
            ensure!(fault == "DOC-JAM", "{fault}");
        }
    }
    // The end of a job may be told before the state that it left.
    page.wait_for_device("documentScanner", DeviceState::NotReady)?;
    counter.control().act("documentScanner", "clearJam")?;
    page.wait_for_device("documentScanner", DeviceState::Ready)?;
    let job = page.start(&held, order(), SCAN_MS)?;
    page.result(&job)?;
    page.release(&held)
}
