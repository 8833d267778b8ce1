//! What is signed is what was shown: on a pad with its own screen, and on a page that feels the pen.

use agent_api::device::DeviceState;
use agent_api::item::Item;
use agent_api::job::{Job, JobResult, Step, Task};
use agent_api::signature::{Export, Place, SignedSummary, SigningOrder, Surface};
use anyhow::{Context as _, bail, ensure};
use harness::{Counter, Patience};
use serde_json::json;

use super::page::{Held, Page};

/// Time for one signature.
const SIGN_MS: u32 = 60_000;

/// The most taps: for the screens that the form takes on a small pad, and for those that came too early.
const MAX_TAPS: usize = 12;

/// Seconds in which a tap has its effect, if it has any.
const TAP_S: u64 = 3;

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
    read_and_write(counter, page, &job)?;
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
    page.wait_for_step(&job, Step::Showing)?;
    tap_until(counter, page, &job, DECLINE, |now| now.error.is_some())?;
    let fault = page.fault(&job)?;
    ensure!(fault == "SIG-DECLINED", "{fault}");
    page.release(&held)
}

/// A pad that is unplugged while the citizen writes ends the job with one clear fault.
fn pulled(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let held = page.take("signatureTablet")?;
    let job = start(page, &held)?;
    read_and_write(counter, page, &job)?;
    counter.control().act("tablet", "unplug")?;
    let fault = page.fault(&job)?;
    ensure!(fault == "DEV-GONE", "{fault}");
    counter.control().act("tablet", "plug")?;
    page.wait_for_device("signatureTablet", DeviceState::Ready)?;
    page.release(&held)
}

/// Turns pages until the one that is signed is there, and writes on it.
///
/// A pen that is lifted from that page is what the step tells of first, so no tap can confirm before it is told.
fn read_and_write(counter: &Counter, page: &mut Page, job: &Job) -> anyhow::Result<()> {
    page.wait_for_step(job, Step::Showing)?;
    let signing = |now: &Job| now.step == Some(Step::Signing);
    tap_until(counter, page, job, RIGHTMOST, signing)?;
    write(counter)?;
    let (_n, item) = page.item(job)?;
    ensure!(matches!(item, Item::Ink { .. }), "{item:?}");
    Ok(())
}

/// Taps until the job shows it: a tap that comes before the screen is there is no tap on a button.
fn tap_until(
    counter: &Counter,
    page: &mut Page,
    job: &Job,
    place: (f64, f64),
    is_so: impl Fn(&Job) -> bool,
) -> anyhow::Result<()> {
    for _tap in 0..MAX_TAPS {
        tap(counter, place)?;
        if page.comes_to(job, Patience::seconds(TAP_S), &is_so)? {
            return Ok(());
        }
    }
    bail!(
        "{MAX_TAPS} taps had no effect: {:?}",
        page.door.job(&job.id)?
    )
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
