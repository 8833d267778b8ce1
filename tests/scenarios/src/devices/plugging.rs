//! Cables that are pulled at any moment, also in the middle of a job, and put back.
//!
//! After each time the device is used as if nothing had been; at the end the agent and its hosts hold what
//! they held before: no process, no thread, no descriptor and no memory more.
//!
//! A document scanner is asked only twice a minute whether it is back, so it has one cycle where the others
//! have twenty, and none in a short run.

use std::time::Duration;

use agent_api::device::DeviceState;
use agent_api::job::{Job, JobState};
use anyhow::{Context as _, ensure};
use harness::Patience;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sim_peripherals::{DocumentAction, PrinterAction, ScannerAction, Symbology, TabletAction};

use super::page::Page;
use super::papers;
use super::rig::Rig;
use super::uses;
use crate::footprint::Footprint;

/// Cycles of other devices for one of the document scanner.
const RARELY: u32 = 20;
/// Cycles before anything is counted, at least.
const WARM_UP: u32 = 4;
/// Cycles after which a page is opened anew, with a new token.
const PAGE_FOR: u32 = 50;
/// Longer than a document scanner is not asked.
const BACK: u64 = 60;

/// What happened.
#[derive(Debug, Default)]
struct Tally {
    pulled: [u32; 4],
    in_a_job: u32,
    finished_anyway: u32,
    in_doubt: usize,
}

/// Pulls each cable `cycles` times.
///
/// # Errors
/// When a device is not usable again, a job does not end, or something is left.
pub fn plugging(cycles: u32, seed: u64) -> anyhow::Result<String> {
    let mut rig = Rig::start()?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut tally = Tally::default();
    // The first ones fill caches, whatever chance has them do.
    play(
        &rig,
        cycles.clamp(WARM_UP, RARELY),
        &mut random,
        &mut Tally::default(),
    )
    .with_context(|| format!("seed {seed}, warming up"))?;
    let page = rig.page()?;
    let before = Footprint::of(&mut rig.counter)?;
    drop(page);
    play(&rig, cycles, &mut random, &mut tally).with_context(|| format!("seed {seed}"))?;
    let page = rig.page()?;
    let held = before.is_not_exceeded_by(&mut rig.counter)?;
    drop(page);
    rig.stop()?;
    let [scanner, printer, tablet, documents] = tally.pulled;
    Ok(format!(
        "seed {seed}: pulled and put back: code scanner {scanner}, ticket printer {printer}, signature tablet {tablet}, \
         document scanner {documents} times, {} of them in a job, of which {} had just ended well; {} tickets in doubt and settled; \
         {held}",
        tally.in_a_job, tally.finished_anyway, tally.in_doubt
    ))
}

fn play(rig: &Rig, cycles: u32, random: &mut StdRng, tally: &mut Tally) -> anyhow::Result<()> {
    let mut page = rig.page()?;
    for cycle in 0..cycles {
        if cycle % PAGE_FOR == PAGE_FOR - 1 {
            drop(page);
            page = rig.page()?;
        }
        let mut cables = Cables {
            rig,
            page: &mut page,
            random,
            tally,
        };
        cables
            .scanner()
            .with_context(|| format!("code scanner, cycle {cycle}"))?;
        cables
            .printer()
            .with_context(|| format!("ticket printer, cycle {cycle}"))?;
        cables
            .tablet()
            .with_context(|| format!("signature tablet, cycle {cycle}"))?;
        if cycle % RARELY == RARELY - 1 {
            cables
                .document_scanner()
                .with_context(|| format!("document scanner, cycle {cycle}"))?;
        }
    }
    Ok(())
}

/// The cables, and who pulls them.
struct Cables<'a> {
    rig: &'a Rig,
    page: &'a mut Page,
    random: &'a mut StdRng,
    tally: &'a mut Tally,
}

impl Cables<'_> {
    fn scanner(&mut self) -> anyhow::Result<()> {
        let scanner = self.rig.scanner()?;
        let held = self.page.take("codeScanner")?;
        if self.random.random_bool(0.7) {
            let job = uses::wait_for_codes(self.page, &held)?;
            if self.random.random_bool(0.5) {
                // A code on its way to the page is no reason to wait with the cable.
                scanner.scan(b"on its way", &Symbology::Qr)?;
            }
            self.moment();
            scanner.act(ScannerAction::Unplug)?;
            let code = self.page.fault(&job)?;
            ensure!(code == "DEV-GONE", "{code}");
            self.tally.in_a_job += 1;
        } else {
            scanner.act(ScannerAction::Unplug)?;
        }
        self.wait("codeScanner", DeviceState::Absent)?;
        scanner.act(ScannerAction::Plug)?;
        self.wait("codeScanner", DeviceState::Ready)?;
        uses::scan_once(self.rig, self.page, &held, "back")?;
        self.page.release(&held)?;
        self.count(0);
        Ok(())
    }

    fn printer(&mut self) -> anyhow::Result<()> {
        let printer = self.rig.printer()?;
        let held = self.page.take("ticketPrinter")?;
        let number = self.random.random::<u64>();
        if self.random.random_bool(0.7) {
            let order = papers::order(&format!("pulled-{number}"), "in a job");
            let job = self.page.start(&held, order, 20_000)?;
            self.moment();
            printer.act(PrinterAction::Unplug)?;
            self.note(&job)?;
        } else {
            printer.act(PrinterAction::Unplug)?;
        }
        self.wait("ticketPrinter", DeviceState::Absent)?;
        printer.act(PrinterAction::Plug)?;
        self.wait("ticketPrinter", DeviceState::Ready)?;
        self.tally.in_doubt += uses::settle(self.page, &held)?;
        uses::print_once(self.page, &held, &format!("back-{number}"))?;
        self.page.release(&held)?;
        self.count(1);
        Ok(())
    }

    fn tablet(&mut self) -> anyhow::Result<()> {
        let tablet = self.rig.tablet()?;
        let held = self.page.take("signatureTablet")?;
        if self.random.random_bool(0.7) {
            let job = uses::begin_to_sign(self.rig, self.page, &held)?;
            self.moment();
            tablet.act(TabletAction::Unplug)?;
            let code = self.page.fault(&job)?;
            ensure!(code == "DEV-GONE", "{code}");
            self.tally.in_a_job += 1;
        } else {
            tablet.act(TabletAction::Unplug)?;
        }
        self.wait("signatureTablet", DeviceState::Absent)?;
        tablet.act(TabletAction::Plug)?;
        self.wait("signatureTablet", DeviceState::Ready)?;
        let seed = self.random.random();
        uses::sign_once(self.rig, self.page, &held, seed)?;
        self.page.release(&held)?;
        self.count(2);
        Ok(())
    }

    fn document_scanner(&mut self) -> anyhow::Result<()> {
        let scanner = self.rig.document_scanner()?;
        let held = self.page.take("documentScanner")?;
        let job = uses::start_document(self.rig, self.page, &held, 1)?;
        self.moment();
        scanner.act(DocumentAction::Unplug)?;
        self.note(&job)?;
        self.wait("documentScanner", DeviceState::Absent)?;
        scanner.act(DocumentAction::TakeSheetsOut)?;
        scanner.act(DocumentAction::Plug)?;
        self.wait("documentScanner", DeviceState::Ready)?;
        uses::scan_document_once(self.rig, self.page, &held, 2)?;
        self.page.release(&held)?;
        self.count(3);
        Ok(())
    }

    /// Lets a random moment pass, while events come.
    fn moment(&mut self) {
        let span = Duration::from_millis(self.random.random_range(0..60));
        let patience = Patience::of(span);
        while self.page.events.hear(patience).is_ok() {}
    }

    /// Waits for the end of a job whose device is gone, whatever it is.
    fn note(&mut self, job: &Job) -> anyhow::Result<()> {
        let ended = self.page.wait_for_end(job)?;
        self.tally.in_a_job += 1;
        if ended.state == JobState::Succeeded {
            self.tally.finished_anyway += 1;
            self.page.door.take_result(&job.id)?;
        } else {
            ensure!(ended.error.is_some(), "{ended:?}");
        }
        Ok(())
    }

    /// Waits longer than the page itself does.
    fn wait(&mut self, class: &str, state: DeviceState) -> anyhow::Result<()> {
        let patience = Patience::seconds(BACK);
        loop {
            let devices = self.page.door.devices()?.devices;
            let mut devices = devices.iter();
            if devices.any(|device| device.class == class && device.state == state) {
                return Ok(());
            }
            self.page
                .events
                .next(patience)
                .with_context(|| format!("no {class} became {state:?}"))?;
        }
    }

    fn count(&mut self, device: usize) {
        if let Some(pulled) = self.tally.pulled.get_mut(device) {
            *pulled += 1;
        }
    }
}
