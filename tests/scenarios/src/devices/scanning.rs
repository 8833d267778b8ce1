//! Codes reach the page that waits for them, one at a time, and no other.

use agent_api::device::DeviceState;
use agent_api::item::Item;
use agent_api::job::{Job, JobResult, Step, Task};
use agent_api::scan::{Scan, TextRule};
use anyhow::{Context as _, bail, ensure};
use harness::Counter;
use serde_json::json;

use super::page::{Held, Page};

/// Time for one wait for codes.
const WATCH_MS: u32 = 60_000;

/// Every scene.
///
/// # Errors
/// The first thing that was not as it should be.
pub fn scenes(counter: &Counter) -> anyhow::Result<()> {
    let mut page = Page::open(counter)?;
    page.wait_for_device("codeScanner", DeviceState::Ready)?;
    one_at_a_time(counter, &mut page).context("one at a time")?;
    nobody_waits(counter, &mut page).context("nobody waits")?;
    another_page(counter, page).context("another page")?;
    let mut page = Page::open(counter)?;
    unplugged(counter, &mut page).context("unplugged")
}

fn watch(page: &mut Page) -> anyhow::Result<(Held, Job)> {
    let held = page.take("codeScanner")?;
    let job = page.start(&held, Task::ScanCodes {}, WATCH_MS)?;
    // Only from here on a code is for this page.
    page.wait_for_step(&job, Step::WaitingForCode)?;
    Ok((held, job))
}

fn scan(counter: &Counter, text: &str) -> anyhow::Result<()> {
    counter
        .control()
        .device("codeScanner/scan", &json!({ "text": text }))
}

fn code(page: &mut Page, job: &Job) -> anyhow::Result<(u32, Scan)> {
    match page.item(job)? {
        (n, Item::Scan { scan }) => Ok((n, *scan)),
        (n, other) => bail!("item {n} is no code: {other:?}"),
    }
}

/// The second of two codes comes when the first was received, and being cancelled is a good end.
fn one_at_a_time(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let (held, job) = watch(page)?;
    scan(counter, "A-001 髙橋")?;
    scan(counter, "A-002")?;
    let (first, one) = code(page, &job)?;
    ensure!(
        one.text.as_ref().map(|text| text.expose()) == Some("A-001 髙橋"),
        "{one:?}"
    );
    ensure!(one.rule == TextRule::Utf8 && one.fault.is_none(), "{one:?}");
    ensure!(one.symbology.as_deref() == Some("]Q1"), "{one:?}");
    page.events.received(&job.id, first)?;
    let (second, two) = code(page, &job)?;
    ensure!(two.text.as_ref().map(|text| text.expose()) == Some("A-002"));
    page.events.received(&job.id, second)?;
    // What was received is counted in the order in which it is said: the end comes after it.
    page.door.cancel(&job.id)?;
    let JobResult::Scans {
        delivered,
        undelivered,
    } = page.result(&job)?
    else {
        bail!("no count of codes")
    };
    ensure!(
        (delivered, undelivered) == (2, 0),
        "{delivered} {undelivered}"
    );
    page.release(&held)
}

/// What is scanned while no page waits reaches none, and is counted.
fn nobody_waits(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let strays = |page: &mut Page| -> anyhow::Result<u64> {
        let device = page.wait_for_device("codeScanner", DeviceState::Ready)?;
        Ok(device.counters.get("strayScans").copied().unwrap_or(0))
    };
    let before = strays(page)?;
    scan(counter, "stray")?;
    while strays(page)? == before {
        page.events.next(harness::Patience::seconds(10))?;
    }
    let (held, job) = watch(page)?;
    scan(counter, "wanted")?;
    let (_, found) = code(page, &job)?;
    ensure!(found.text.as_ref().map(|text| text.expose()) == Some("wanted"));
    page.door.cancel(&job.id)?;
    page.wait_for_end(&job)?;
    page.release(&held)
}

/// A code that a page did not receive before it went reaches no later page.
fn another_page(counter: &Counter, mut page: Page) -> anyhow::Result<()> {
    let (_held, job) = watch(&mut page)?;
    scan(counter, "for the first page")?;
    let (_not_received, _) = code(&mut page, &job)?;
    scan(counter, "behind it")?;
    drop(page);
    let mut next = Page::open(counter)?;
    // The first page's lease ends with its session.
    let (held, job) = watch(&mut next)?;
    scan(counter, "for the second page")?;
    let (_, found) = code(&mut next, &job)?;
    ensure!(
        found.text.as_ref().map(|text| text.expose()) == Some("for the second page"),
        "a code went to the wrong page"
    );
    next.door.cancel(&job.id)?;
    next.wait_for_end(&job)?;
    next.release(&held)
}

/// A scanner that is unplugged ends the job with one clear fault, and works again when it is back.
fn unplugged(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let (held, job) = watch(page)?;
    counter.control().act("codeScanner", "unplug")?;
    let fault = page.fault(&job)?;
    ensure!(fault == "DEV-GONE", "{fault}");
    page.wait_for_device("codeScanner", DeviceState::Absent)?;
    counter.control().act("codeScanner", "plug")?;
    page.wait_for_device("codeScanner", DeviceState::Ready)?;
    let job = page.start(&held, Task::ScanCodes {}, WATCH_MS)?;
    page.wait_for_step(&job, Step::WaitingForCode)?;
    scan(counter, "back")?;
    let (_, found) = code(page, &job)?;
    ensure!(found.text.as_ref().map(|text| text.expose()) == Some("back"));
    page.door.cancel(&job.id)?;
    page.wait_for_end(&job)?;
    page.release(&held)
}
