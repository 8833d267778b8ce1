//! What the pen does: how long each sample takes to the page, beside a bare reader of the same kind of link.
//!
//! ```text
//! pad -> reports over TCP -> driver host -> agent -> event stream -> page
//! pad -> reports over TCP -> a thread that only reads
//! ```
//! Both take turns, at about the rate of a pad's pen, so that whatever slows the machine slows both.
//! The clock starts before the pad sends, and stops when the page has understood the item, or when the bare
//! reader has the report.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use agent_api::item::Item;
use agent_api::job::Job;
use anyhow::{bail, ensure};
use device_api::{Clock as _, Deadline, Moment, SystemClock};
use harness::Patience;
use link::{Link as _, hid_stream};
use scenarios::devices::page::{Held, Page};
use scenarios::devices::rig::{Rig, tcp};
use scenarios::devices::uses;
use sim_peripherals::{PenPoint, SignatureTablet, TabletSettings};

use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::{Times, ms};

/// Promised for the 99th percentile.
const MOST_OVERHEAD_MS: f64 = 2.0;
/// Before measuring, so that caches are filled.
const WARM_UP: usize = 20;
/// From one pair to the next: a pad of 200 samples a second.
const BEAT: Duration = Duration::from_millis(5);
/// Samples of a stroke; the last one lifts the pen.
const STROKE: u16 = 100;
/// Longer than any report takes.
const LONGEST: Duration = Duration::from_secs(10);
/// The bare reader gives up after so long.
const LONGEST_RUN: Duration = Duration::from_secs(3600);

/// A tablet and a thread that reads from its link.
struct Bare {
    tablet: SignatureTablet,
    read: Receiver<Moment>,
}

/// A page on whose pad somebody signs.
struct Signing<'a> {
    rig: &'a Rig,
    page: Page,
    held: Held,
    job: Job,
    clock: SystemClock,
    /// When the last sample was taken, by the pad's clock.
    last: Option<u64>,
}

/// Measures the pen's samples to the page and to the bare reader, in turn.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Section> {
    let rig = Rig::start()?;
    let clock = SystemClock::new();
    let bare = Bare::start(clock)?;
    let mut signing = Signing::start(&rig, clock)?;
    let (mut pairs, mut began) = (Vec::with_capacity(plan.samples), clock.now());
    for n in 0..WARM_UP + plan.samples {
        if n == WARM_UP {
            began = clock.now();
        }
        let rest = Patience::of(BEAT);
        let point = point(n);
        let pair = (signing.sample(point)?, bare.sample(point, clock)?);
        if n >= WARM_UP {
            pairs.push(pair);
        }
        signing.rest(rest)?;
    }
    let took = clock.now().since(began);
    signing.end()?;
    rig.stop()?;
    section(&pairs, took)
}

/// Where the pen is: along a line within the place to sign.
fn point(n: usize) -> PenPoint {
    let stroke = usize::from(STROKE);
    let along = u16::try_from(n % stroke).map_or(0.0, f32::from) / f32::from(STROKE);
    PenPoint {
        x: 0.3 + 0.4 * along,
        y: 0.5,
        pressure: if n % stroke + 1 == stroke { 0.0 } else { 0.5 },
    }
}

fn section(pairs: &[(Duration, Duration)], took: Duration) -> anyhow::Result<Section> {
    let of_page = Times::of(pairs.iter().map(|pair| pair.0))?;
    let of_bare = Times::of(pairs.iter().map(|pair| pair.1))?;
    let count = u32::try_from(pairs.len())?;
    let rate = f64::from(count) / took.as_secs_f64();
    let mut section = Section::new("A sample of the pen", &["ms", "p50", "p99", "most"]);
    section.note(format!(
        "{count} pairs in turn at two simulated pads, {rate:.0} a second: until the page has the item, and until a bare reader has the report."
    ));
    for (name, times) in [("page", &of_page), ("bare reader", &of_bare)] {
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
        "p99 of a pen's sample over the bare reader",
        (p99, MOST_OVERHEAD_MS),
        "ms",
    );
    Ok(section)
}

impl Bare {
    fn start(clock: SystemClock) -> anyhow::Result<Self> {
        let tablet = SignatureTablet::start(TabletSettings::default())?;
        let address: SocketAddr = tcp(&tablet.address())?.parse()?;
        let deadline = Deadline::at(clock.now().plus(LONGEST_RUN));
        let mut link = hid_stream::connect(address, deadline, Arc::new(clock))?;
        let (say, read) = channel();
        // Ends when the tablet does: the link is gone then.
        std::thread::Builder::new()
            .name("bare".to_owned())
            .spawn(move || {
                while link.receive(deadline).is_ok() {
                    if say.send(clock.now()).is_err() {
                        return;
                    }
                }
            })?;
        let view = tablet.wait_for(|view| view.connected, LONGEST);
        ensure!(view.connected, "the tablet is not served");
        Ok(Self { tablet, read })
    }

    fn sample(&self, point: PenPoint, clock: SystemClock) -> anyhow::Result<Duration> {
        let began = clock.now();
        self.tablet.pen(Some(point))?;
        Ok(self.read.recv_timeout(LONGEST)?.since(began))
    }
}

impl<'a> Signing<'a> {
    fn start(rig: &'a Rig, clock: SystemClock) -> anyhow::Result<Self> {
        let mut page = rig.page()?;
        let held = page.take("signatureTablet")?;
        let job = uses::begin_to_sign(rig, &mut page, &held)?;
        Ok(Self {
            rig,
            page,
            held,
            job,
            clock,
            last: None,
        })
    }

    fn sample(&mut self, point: PenPoint) -> anyhow::Result<Duration> {
        let began = self.clock.now();
        self.rig.tablet()?.pen(Some(point))?;
        let (n, item) = self.page.item(&self.job)?;
        let came = self.clock.now();
        let Item::Ink { samples } = item else {
            bail!("item {n} is no ink")
        };
        let last = samples.last().map(|sample| sample.0);
        ensure!(last > self.last, "item {n} brings nothing new");
        self.last = last;
        Ok(came.since(began))
    }

    /// Lets the rest of the beat pass; every sample has brought its one item.
    fn rest(&mut self, rest: Patience) -> anyhow::Result<()> {
        while let Ok(heard) = self.page.events.hear(rest) {
            ensure!(
                !matches!(heard, harness::Heard::Item { .. }),
                "more than one item of a sample"
            );
        }
        Ok(())
    }

    fn end(mut self) -> anyhow::Result<()> {
        self.page.door.cancel(&self.job.id)?;
        self.page.wait_for_end(&self.job)?;
        self.page.release(&self.held)
    }
}
