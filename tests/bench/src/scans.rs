//! A scanned code: how long it takes to the page, beside a bare loop at the same kind of line, and whether a
//! printer that hangs makes it longer.
//!
//! ```text
//! scanner -> pseudo-terminal -> driver host -> agent -> event stream -> page
//! scanner -> pseudo-terminal -> a thread that only reads
//! ```
//! Both take turns, so that whatever slows the machine slows both.
//! The clock starts before the scanner sends, and stops when the page has understood the item, or when the
//! bare loop has read the last byte.

use std::io::Read as _;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use agent_api::device::DeviceState;
use agent_api::job::{Job, JobState};
use anyhow::{Context as _, ensure};
use device_api::{Clock as _, Moment, SystemClock};
use rustix::fs::{Mode, OFlags};
use scenarios::devices::page::{Held, Page};
use scenarios::devices::rig::{Rig, on_a_line};
use scenarios::devices::{papers, uses};
use sim_peripherals::{
    CodeScanner, Fault, FaultPlan, Kind, Place, PrinterAction, Suffix, Symbology,
};
use tempfile::TempDir;

use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::{Times, ms};

/// Promised for the 99th percentile.
const MOST_OVERHEAD_MS: f64 = 2.0;
/// Promised for the 99th percentile beside a printer that hangs.
const MOST_TIMES_UNDISTURBED: f64 = 1.1;
/// Before measuring, so that caches are filled.
const WARM_UP: usize = 20;
/// Jobs that wait for codes end after two minutes; each serves so many codes at most.
const CODES_OF_A_JOB: usize = 250;
/// In the middle of the picture of a ticket.
const HANGS_AT: u64 = 2_000;
const HANGS_WITHIN: Duration = Duration::from_secs(10);
/// Longer than a block of scans takes.
const DEADLINE_MS: u32 = 120_000;

/// A scanner and a thread that reads from its line.
struct Bare {
    scanner: CodeScanner,
    read: Receiver<Moment>,
    _folder: TempDir,
}

/// A page that waits for codes.
struct Watching<'a> {
    rig: &'a Rig,
    page: Page,
    held: Held,
    job: Job,
    shown: usize,
    clock: SystemClock,
}

/// Measures codes to the page and to the bare loop, in turn, then beside a printer that hangs.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Vec<Section>> {
    let rig = Rig::start()?;
    let clock = SystemClock::new();
    let bare = Bare::start(clock)?;
    let mut watching = Watching::start(&rig, clock)?;
    for _ in 0..WARM_UP.min(plan.scans) {
        watching.scan()?;
        bare.scan(clock)?;
    }
    let mut pairs = Vec::with_capacity(plan.scans);
    for _ in 0..plan.scans {
        pairs.push((watching.scan()?, bare.scan(clock)?));
    }
    let latency = latency(&pairs)?;
    let hung = beside_a_hung_printer(plan, &mut watching)?;
    watching.end()?;
    rig.stop()?;
    Ok(vec![latency, hung])
}

fn latency(pairs: &[(Duration, Duration)]) -> anyhow::Result<Section> {
    let of_page = Times::of(pairs.iter().map(|pair| pair.0))?;
    let of_bare = Times::of(pairs.iter().map(|pair| pair.1))?;
    let mut section = Section::new("A scanned code", &["ms", "p50", "p99", "most"]);
    section.note(format!(
        "{} pairs in turn at two pseudo-terminals: until the page has the item, and until a bare loop has read the same bytes.",
        pairs.len()
    ));
    for (name, times) in [("page", &of_page), ("bare loop", &of_bare)] {
        let figures = [times.median(), times.percentile(99), times.most()].map(ms);
        section.row([&[name.to_owned()], &figures[..]].concat());
    }
    let between =
        |above: Duration, below: Duration| (above.as_secs_f64() - below.as_secs_f64()) * 1e3;
    let p50 = between(of_page.median(), of_bare.median());
    let p99 = between(of_page.percentile(99), of_bare.percentile(99));
    section.row([
        "**added**".to_owned(),
        format!("**{p50:.2}**"),
        format!("**{p99:.2}**"),
        String::new(),
    ]);
    section.goal(
        "p99 of a scanned code over the bare loop",
        (p99, MOST_OVERHEAD_MS),
        "ms",
    );
    Ok(section)
}

/// Blocks of scans in turn: the printer idle, the printer hanging in the middle of a ticket.
fn beside_a_hung_printer(plan: &Plan, watching: &mut Watching<'_>) -> anyhow::Result<Section> {
    let (mut idle, mut hung) = (Vec::new(), Vec::new());
    for block in 0..plan.hangs {
        idle.extend(watching.block(plan.scans_of_a_block)?);
        let printing = Printing::hang(watching.rig, block)?;
        hung.extend(watching.block(plan.scans_of_a_block)?);
        printing.end(watching.rig)?;
    }
    let (idle, hung) = (Times::of(idle)?, Times::of(hung)?);
    let columns = ["ms", "p50", "p99", "most"];
    let mut section = Section::new("A scanned code beside a printer that hangs", &columns);
    section.note(format!(
        "{} blocks each of {} codes in turn, the first {WARM_UP} of each not counted: the printer well and idle, and the printer hanging in the middle of a ticket whose job waits for it.",
        plan.hangs, plan.scans_of_a_block
    ));
    for (name, times) in [("printer well", &idle), ("printer hangs", &hung)] {
        let figures = [times.median(), times.percentile(99), times.most()].map(ms);
        section.row([&[name.to_owned()], &figures[..]].concat());
    }
    let ratio = |percent: usize| {
        hung.percentile(percent).as_secs_f64() / idle.percentile(percent).as_secs_f64()
    };
    section.row([
        "**ratio**".to_owned(),
        format!("**{:.2}**", ratio(50)),
        format!("**{:.2}**", ratio(99)),
        String::new(),
    ]);
    section.goal(
        "p99 beside a printer that hangs / without",
        (ratio(99), MOST_TIMES_UNDISTURBED),
        "",
    );
    Ok(section)
}

impl Bare {
    fn start(clock: SystemClock) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let line = folder.path().join("bare");
        let scanner = CodeScanner::start(on_a_line(&line, Suffix::Cr))?;
        let open = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
        let mut terminal = std::fs::File::from(rustix::fs::open(&line, open, Mode::empty())?);
        let (say, read) = channel();
        // Ends when the scanner does: its line hangs up then.
        std::thread::Builder::new()
            .name("bare".to_owned())
            .spawn(move || {
                let mut bytes = [0; 256];
                while let Ok(length @ 1..) = terminal.read(&mut bytes) {
                    if bytes
                        .get(..length)
                        .is_some_and(|read| read.ends_with(b"\r"))
                        && say.send(clock.now()).is_err()
                    {
                        return;
                    }
                }
            })?;
        let view = scanner.wait_for(|view| view.connected, HANGS_WITHIN);
        ensure!(view.connected, "the scanner's line is not served");
        Ok(Self {
            scanner,
            read,
            _folder: folder,
        })
    }

    fn scan(&self, clock: SystemClock) -> anyhow::Result<Duration> {
        let began = clock.now();
        self.scanner.scan(b"bare-000000", &Symbology::Qr)?;
        let read = self.read.recv_timeout(HANGS_WITHIN)?;
        Ok(read.since(began))
    }
}

impl<'a> Watching<'a> {
    fn start(rig: &'a Rig, clock: SystemClock) -> anyhow::Result<Self> {
        let mut page = rig.page()?;
        let held = page.take("codeScanner")?;
        let job = uses::wait_for_codes(&mut page, &held)?;
        Ok(Self {
            rig,
            page,
            held,
            job,
            shown: 0,
            clock,
        })
    }

    /// The first codes after the printer changed are not counted: the disk still keeps what was printed.
    fn block(&mut self, codes: usize) -> anyhow::Result<Vec<Duration>> {
        for _ in 0..WARM_UP.min(codes) {
            self.scan()?;
        }
        (0..codes).map(|_| self.scan()).collect()
    }

    /// Has a code scanned that no other was like: the same one again would be held back.
    fn scan(&mut self) -> anyhow::Result<Duration> {
        if self.shown > 0 && self.shown.is_multiple_of(CODES_OF_A_JOB) {
            self.begin_anew()?;
        }
        let code = format!("page-{:06}", self.shown);
        self.shown += 1;
        let began = self.clock.now();
        self.rig.scanner()?.scan(code.as_bytes(), &Symbology::Qr)?;
        let (n, _item) = self.page.item(&self.job)?;
        let came = self.clock.now();
        self.page.events.received(&self.job.id, n)?;
        Ok(came.since(began))
    }

    /// A new job of a new page, before lease, token or deadline end.
    fn begin_anew(&mut self) -> anyhow::Result<()> {
        self.give_back()?;
        self.page = self.rig.page()?;
        self.held = self.page.take("codeScanner")?;
        self.job = uses::wait_for_codes(&mut self.page, &self.held)?;
        Ok(())
    }

    fn give_back(&mut self) -> anyhow::Result<()> {
        self.page.door.cancel(&self.job.id)?;
        self.page.result(&self.job)?;
        self.page.release(&self.held)
    }

    fn end(mut self) -> anyhow::Result<()> {
        self.give_back()
    }
}

/// A ticket in whose middle the printer hangs.
struct Printing {
    page: Page,
    held: Held,
    job: Job,
}

impl Printing {
    fn hang(rig: &Rig, block: usize) -> anyhow::Result<Self> {
        let mut page = rig.page()?;
        let held = page.take("ticketPrinter")?;
        let printer = rig.printer()?;
        printer.plan_faults(FaultPlan {
            seed: 0,
            faults: vec![Fault {
                place: Place::Byte(HANGS_AT),
                kind: Kind::Hang,
                clears_when: sim_peripherals::Clearing::Once,
                chance_per_mille: None,
            }],
        })?;
        let order = papers::order(&format!("hangs-{block}"), "hangs");
        let job = page.start(&held, order, DEADLINE_MS)?;
        let view = printer.wait_for(|view| view.hung, HANGS_WITHIN);
        ensure!(view.hung, "the printer does not hang");
        Ok(Self { page, held, job })
    }

    /// The job still waits; then somebody gives it up and switches the printer off and on.
    fn end(mut self, rig: &Rig) -> anyhow::Result<()> {
        let now = self.page.door.job(&self.job.id)?;
        ensure!(now.state == JobState::Running, "the job has ended: {now:?}");
        self.page.door.cancel(&self.job.id)?;
        self.page.wait_for_end(&self.job)?;
        let printer = rig.printer()?;
        printer.plan_faults(FaultPlan::default())?;
        printer.act(PrinterAction::SwitchOff)?;
        self.page
            .wait_for_device("ticketPrinter", DeviceState::Absent)?;
        printer.act(PrinterAction::SwitchOn)?;
        self.page
            .wait_for_device("ticketPrinter", DeviceState::Ready)?;
        uses::settle(&mut self.page, &self.held).context("the paper in doubt")?;
        self.page.release(&self.held)
    }
}
