//! What is signed is what was shown: on a pad with its own screen, and on a page that feels the pen.

use agent_api::device::DeviceState;
use agent_api::item::{InkSample, Item};
use agent_api::job::{Job, JobResult, JobState, Step, Task};
use agent_api::signature::{Export, Place, SignedSummary, SigningOrder, Surface};
use anyhow::{Context as _, bail, ensure};
use harness::{Counter, Patience};
use serde_json::json;

use super::page::{Held, Page};

/// Time for one signature.
const SIGN_MS: u32 = 60_000;

/// A form of one page, made by another program, as PDF 1.4.
const FORM: &[u8] = include_bytes!("../../data/form-ja.pdf");

/// The rightmost button of a pad's screen: onward while the document is read, confirm where it is signed.
const RIGHTMOST: (f64, f64) = (0.87, 0.95);

/// A place within the button that declines, wherever the citizen is.
const DECLINE: (f64, f64) = (0.3, 0.95);

/// Every scene.
///
/// # Errors
/// The first thing that was not as it should be.
pub fn scenes(counter: &Counter) -> anyhow::Result<()> {
    let mut page = Page::open(counter)?;
    page.wait_for_device("signatureTablet", DeviceState::Ready)?;
    on_the_pad(counter, &mut page).context("on the pad")?;
    declined(counter, &mut page).context("declined")?;
    pulled(counter, &mut page).context("pulled")
}

fn start(page: &mut Page, held: &Held) -> anyhow::Result<Job> {
    let document = page.door.hand_in("application/pdf", FORM)?;
    let order = SigningOrder {
        document: document.id,
        surface: Surface::Application,
        every_page: true,
        visit: Some("visit-7".to_owned()),
        exports: vec![Export::Inkml, Export::Svg, Export::Pdf],
        place: Some(Place {
            page: 1,
            area: [300, 2200, 800, 300],
        }),
    };
    Ok(page.start(held, Task::CaptureSignature { order }, SIGN_MS)?)
}

/// Writes on the pad, and taps its button at the right bottom, which confirms.
fn on_the_pad(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let held = page.take("signatureTablet")?;
    let job = start(page, &held)?;
    read_through(counter, page, &job)?;
    write(counter)?;
    let samples = ink(page, &job)?;
    ensure!(!samples.is_empty(), "no ink came while it was written");
    tap(counter, RIGHTMOST)?;
    let JobResult::Signature { summary, documents } = page.result(&job)? else {
        bail!("no signature")
    };
    check(&summary)?;
    let roles: Vec<&str> = documents.iter().map(|one| one.role.as_str()).collect();
    ensure!(roles == ["container", "inkml", "svg", "pdf"], "{roles:?}");
    for document in &documents {
        let file = page.door.take_document(&document.id)?;
        ensure!(file.len() as u64 == document.length, "{}", document.role);
    }
    page.release(&held)
}

fn check(summary: &SignedSummary) -> anyhow::Result<()> {
    let [samples, lost] = summary.samples;
    ensure!(samples > 50 && lost == 0, "{samples} {lost}");
    ensure!(
        summary.attempts == 1 && !summary.shown.is_empty(),
        "{summary:?}"
    );
    ensure!(summary.sealed_by.len() == 64, "{}", summary.sealed_by);
    Ok(())
}

fn declined(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let held = page.take("signatureTablet")?;
    let job = start(page, &held)?;
    read_through(counter, page, &job)?;
    tap(counter, DECLINE)?;
    let fault = page.fault(&job)?;
    ensure!(fault == "SIG-DECLINED", "{fault}");
    page.release(&held)
}

/// A pad that is unplugged while the citizen writes ends the job with one clear fault.
fn pulled(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let held = page.take("signatureTablet")?;
    let job = start(page, &held)?;
    read_through(counter, page, &job)?;
    write(counter)?;
    counter.control().act("tablet", "unplug")?;
    let fault = page.fault(&job)?;
    ensure!(fault == "DEV-GONE", "{fault}");
    counter.control().act("tablet", "plug")?;
    page.wait_for_device("signatureTablet", DeviceState::Ready)?;
    page.release(&held)
}

/// Turns the pages until the one that is signed is on the screen.
fn read_through(counter: &Counter, page: &mut Page, job: &Job) -> anyhow::Result<()> {
    loop {
        let now = page.door.job(&job.id)?;
        ensure!(
            now.state == JobState::Accepted || now.state == JobState::Running,
            "{now:?}"
        );
        match now.step {
            Some(Step::Signing) => return Ok(()),
            Some(Step::Showing) => tap(counter, RIGHTMOST)?,
            Some(_) | None => {}
        }
        // Nothing comes where the tap was too early; then it is tapped again.
        let _event = page.events.hear(Patience::seconds(2));
    }
}

fn write(counter: &Counter) -> anyhow::Result<()> {
    let writing = json!({ "seed": 5 });
    counter.control().device("tablet/play", &writing)
}

fn tap(counter: &Counter, (x, y): (f64, f64)) -> anyhow::Result<()> {
    for pressure in [0.5, 0.5, 0.0] {
        let point = json!({ "x": x, "y": y, "pressure": pressure });
        counter.control().device("tablet/pen", &point)?;
    }
    counter.control().device("tablet/pen", &json!(null))
}

fn ink(page: &mut Page, job: &Job) -> anyhow::Result<Vec<InkSample>> {
    match page.item(job)? {
        (_, Item::Ink { samples }) => Ok(samples),
        (n, other) => bail!("item {n} is no ink: {other:?}"),
    }
}
