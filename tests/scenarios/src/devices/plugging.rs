//! Cables that are pulled at any moment, also in the middle of a job, and put back.
//!
//! Every class of devices has a page of its own that pulls and uses it, all of them at the same time. After each
//! time the device is used as if nothing had been. Over the second half of the cycles the agent and its hosts
//! stay what they are: no process is started anew, no thread and no descriptor is more, and memory grows by no
//! more than is allowed, from the least that was held towards the end of the first half to the least towards the
//! end of the second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent_api::device::DeviceState;
use agent_api::job::{Job, JobResult, JobState};
use anyhow::{Context as _, ensure};
use harness::Patience;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sim_peripherals::{DocumentAction, PrinterAction, ScannerAction, Symbology, TabletAction};

use super::page::{Held, Page};
use super::papers;
use super::rig::Rig;
use super::uses;
use crate::footprint::{Footprint, Growth};
use crate::last_words::last_words;

/// Cycles after which a page is opened anew, with a new token.
const PAGE_FOR: u32 = 50;
/// Cycles at the end of each half that are followed by a look at what is held.
const LOOKS: u32 = 10;
/// Longer than any device takes to be found missing, or back, in seconds.
const BACK: u64 = 60;

/// What happened.
#[derive(Debug, Default)]
struct Tally {
    in_a_job: u32,
    finished_anyway: u32,
    in_doubt: usize,
}

impl Tally {
    const fn add(&mut self, other: &Self) {
        self.in_a_job += other.in_a_job;
        self.finished_anyway += other.finished_anyway;
        self.in_doubt += other.in_doubt;
    }
}

/// Prints `tickets`, which a printer's host remembers, then pulls each cable `cycles` times.
///
/// # Errors
/// When a device is not usable again, a job does not end, or the second half of the cycles leaves something:
/// a thread, a descriptor, or more memory than `most`.
pub fn plugging(tickets: u64, cycles: u32, seed: u64, most: Growth) -> anyhow::Result<String> {
    let mut rig = Rig::start()?;
    let mut random = StdRng::seed_from_u64(seed);
    uses::print_many(&rig, tickets)?;
    let played = play_halves(&mut rig, cycles, &mut random, most);
    let (tally, held) = played
        .with_context(|| format!("seed {seed}, {cycles} cycles"))
        .with_context(|| last_words(&rig.counter))?;
    rig.stop()?;
    let Tally {
        in_a_job,
        finished_anyway,
        in_doubt,
    } = tally;
    Ok(format!(
        "seed {seed}: each of four cables pulled and put back {cycles} times, {in_a_job} of them in a job, of which \
         {finished_anyway} had just ended well; {in_doubt} tickets in doubt and settled; from half to the end: {held}"
    ))
}

/// Plays both halves; what happened, and what is held at the end of each in words.
fn play_halves(
    rig: &mut Rig,
    cycles: u32,
    random: &mut StdRng,
    most: Growth,
) -> anyhow::Result<(Tally, String)> {
    let mut tally = Tally::default();
    let half = cycles / 2;
    let before = play_and_look(rig, half, random, &mut tally).context("first half")?;
    let least = play_and_look(rig, cycles - half, random, &mut tally).context("second half")?;
    let after = least.leaner(before.once_put_away(&mut rig.counter)?);
    let held = before.has_grown_by_at_most(most, &after)?;
    Ok((tally, held))
}

/// Plays so many cycles, and looks at what is held around each of the last; the least of it counts.
fn play_and_look(
    rig: &mut Rig,
    cycles: u32,
    random: &mut StdRng,
    tally: &mut Tally,
) -> anyhow::Result<Footprint> {
    let looks = LOOKS.min(cycles);
    tally.add(&play(rig, cycles - looks, random)?);
    let mut least = Footprint::of(&mut rig.counter)?;
    for _look in 0..looks {
        tally.add(&play(rig, 1, random)?);
        least = least.leaner(Footprint::of(&mut rig.counter)?);
    }
    Ok(least)
}

/// Pulls all cables at the same time, each as often.
fn play(rig: &Rig, cycles: u32, random: &mut StdRng) -> anyhow::Result<Tally> {
    let cables: [(&str, Pull<'_>); 4] = [
        ("codeScanner", Cable::scanner),
        ("ticketPrinter", Cable::printer),
        ("signatureTablet", Cable::tablet),
        ("documentScanner", Cable::document_scanner),
    ];
    let given_up = AtomicBool::new(false);
    let outcomes = std::thread::scope(|threads| {
        let pulled = cables.map(|(class, pull)| {
            let (random, given_up) = (StdRng::seed_from_u64(random.random()), &given_up);
            threads.spawn(move || {
                let outcome = pull_often(rig, pull, cycles, random, given_up);
                given_up.fetch_or(outcome.is_err(), Ordering::Relaxed);
                outcome.context(class)
            })
        });
        pulled.map(std::thread::ScopedJoinHandle::join)
    });
    let mut tally = Tally::default();
    for outcome in outcomes {
        let one = outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        tally.add(&one);
    }
    Ok(tally)
}

fn pull_often<'a>(
    rig: &'a Rig,
    pull: Pull<'a>,
    cycles: u32,
    random: StdRng,
    given_up: &AtomicBool,
) -> anyhow::Result<Tally> {
    let mut cable = Cable {
        rig,
        page: Page::open(&rig.counter)?,
        random,
        tally: Tally::default(),
    };
    for cycle in 0..cycles {
        if given_up.load(Ordering::Relaxed) {
            break;
        }
        if cycle % PAGE_FOR == PAGE_FOR - 1 {
            cable.page = Page::open(&rig.counter)?;
        }
        pull(&mut cable).with_context(|| format!("cycle {cycle}"))?;
    }
    Ok(cable.tally)
}

/// Pulls a cable and puts it back, once.
type Pull<'a> = fn(&mut Cable<'a>) -> anyhow::Result<()>;

/// A cable, and the page that uses what hangs on it.
struct Cable<'a> {
    rig: &'a Rig,
    page: Page,
    random: StdRng,
    tally: Tally,
}

impl Cable<'_> {
    fn scanner(&mut self) -> anyhow::Result<()> {
        let scanner = self.rig.scanner()?;
        let held = self.page.take("codeScanner")?;
        if self.random.random_bool(0.7) {
            let job = uses::wait_for_codes(&mut self.page, &held)?;
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
        uses::scan_once(self.rig, &mut self.page, &held, "back")?;
        self.page.release(&held)
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
        self.tally.in_doubt += uses::settle(&mut self.page, &held)?;
        uses::print_once(&mut self.page, &held, &format!("back-{number}"))?;
        self.page.release(&held)
    }

    fn tablet(&mut self) -> anyhow::Result<()> {
        let tablet = self.rig.tablet()?;
        let held = self.page.take("signatureTablet")?;
        if self.random.random_bool(0.7) {
            let job = uses::begin_to_sign(self.rig, &mut self.page, &held)?;
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
        uses::sign_once(self.rig, &mut self.page, &held, seed)?;
        self.page.release(&held)
    }

    fn document_scanner(&mut self) -> anyhow::Result<()> {
        let scanner = self.rig.document_scanner()?;
        let held = self.page.take("documentScanner")?;
        let job = uses::start_document(self.rig, &mut self.page, &held, 1)?;
        self.moment();
        scanner.act(DocumentAction::Unplug)?;
        if self.note(&job)? {
            // For half a minute nobody asks the scanner, but another job does.
            self.find_out(&held)?;
        }
        self.wait("documentScanner", DeviceState::Absent)?;
        scanner.act(DocumentAction::TakeSheetsOut)?;
        scanner.act(DocumentAction::Plug)?;
        self.wait("documentScanner", DeviceState::Ready)?;
        uses::scan_document_once(self.rig, &mut self.page, &held, 2)?;
        self.page.release(&held)
    }

    /// Has a job find out that the document scanner is gone, unless that is known already.
    fn find_out(&mut self, held: &Held) -> anyhow::Result<()> {
        let code = match uses::start_document(self.rig, &mut self.page, held, 1) {
            Ok(job) => self.page.fault(&job)?,
            Err(error) => error.to_string(),
        };
        ensure!(code.contains("DEV-GONE"), "{code}");
        Ok(())
    }

    /// Lets a random moment pass, while events come.
    fn moment(&mut self) {
        let span = Duration::from_millis(self.random.random_range(0..60));
        let patience = Patience::of(span);
        while self.page.events.hear(patience).is_ok() {}
    }

    /// Waits for the end of a job whose device is gone, whatever it is; whether it had just ended well.
    fn note(&mut self, job: &Job) -> anyhow::Result<bool> {
        let ended = self.page.wait_for_end(job)?;
        self.tally.in_a_job += 1;
        let well = ended.state == JobState::Succeeded;
        if well {
            self.tally.finished_anyway += 1;
            let result = self.page.door.take_result(&job.id)?;
            if let JobResult::Document { document, .. } = result {
                self.page.door.take_document(&document.id)?;
            }
        } else {
            ensure!(ended.error.is_some(), "{ended:?}");
        }
        Ok(well)
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
}
