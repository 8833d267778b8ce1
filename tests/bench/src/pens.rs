//! What the pen does: how long it takes to the page, beside a bare reader of the same kind of link.
//!
//! Ink is shown in batches of fourteen milliseconds; only a lifted pen is told at once, so that is what is
//! measured: the way itself, without the wait that is chosen.
//! The clock starts before the pen moves, and stops when the page has understood the item, or when the bare
//! reader has the report.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use agent_api::item::Item;
use agent_api::job::Job;
use anyhow::{bail, ensure};
use device_api::{Clock as _, Deadline, Moment, SystemClock};
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
/// Longer than any report takes.
const LONGEST: Duration = Duration::from_secs(10);
/// The bare reader gives up after so long.
const LONGEST_RUN: Duration = Duration::from_secs(3600);
/// The tip touches, in the middle of the place to sign; and it is lifted there.
const TOUCHES: PenPoint = PenPoint {
    x: 0.5,
    y: 0.5,
    pressure: 0.5,
};
const HOVERS: PenPoint = PenPoint {
    pressure: 0.0,
    ..TOUCHES
};
/// Samples of which a signature consists at most, and what is read through beforehand.
const LIFTS_OF_A_JOB: usize = 1_000;

/// Measures lifted pens to the page and to the bare reader, in turn.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Section> {
    let rig = Rig::start()?;
    let clock = SystemClock::new();
    let (bare, read) = bare(clock)?;
    let mut pairs = Vec::with_capacity(plan.lifts);
    while pairs.len() < plan.lifts {
        let mut page = rig.page()?;
        let held = page.take("signatureTablet")?;
        let job = uses::begin_to_sign(&rig, &mut page, &held)?;
        let lifts = LIFTS_OF_A_JOB.min(plan.lifts - pairs.len());
        for _ in 0..lifts {
            let of_page = lift(rig.tablet()?, &mut page, &job, clock)?;
            pairs.push((of_page, lift_bare(&bare, &read, clock)?));
        }
        give_up(&mut page, &held, &job)?;
    }
    rig.stop()?;
    section(&pairs)
}

fn give_up(page: &mut Page, held: &Held, job: &Job) -> anyhow::Result<()> {
    page.door.cancel(&job.id)?;
    page.wait_for_end(job)?;
    page.release(held)
}

fn lift(
    tablet: &SignatureTablet,
    page: &mut Page,
    job: &Job,
    clock: SystemClock,
) -> anyhow::Result<Duration> {
    tablet.pen(Some(TOUCHES))?;
    let began = clock.now();
    tablet.pen(Some(HOVERS))?;
    loop {
        let (n, item) = page.item(job)?;
        let came = clock.now();
        let Item::Ink { samples } = item else {
            bail!("item {n} is no ink")
        };
        // A batch that was due ends with a pen that still touches.
        if samples.last().is_some_and(|last| last.6 & 1 == 0) {
            return Ok(came.since(began));
        }
    }
}

fn lift_bare(
    tablet: &SignatureTablet,
    read: &Receiver<Moment>,
    clock: SystemClock,
) -> anyhow::Result<Duration> {
    tablet.pen(Some(TOUCHES))?;
    read.recv_timeout(LONGEST)?;
    let began = clock.now();
    tablet.pen(Some(HOVERS))?;
    Ok(read.recv_timeout(LONGEST)?.since(began))
}

/// A tablet, and the moments at which a thread that only reads has each of its reports.
fn bare(clock: SystemClock) -> anyhow::Result<(SignatureTablet, Receiver<Moment>)> {
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
    Ok((tablet, read))
}

fn section(pairs: &[(Duration, Duration)]) -> anyhow::Result<Section> {
    let of_page = Times::of(pairs.iter().map(|pair| pair.0))?;
    let of_bare = Times::of(pairs.iter().map(|pair| pair.1))?;
    let mut section = Section::new("A lifted pen", &["ms", "p50", "p99", "most"]);
    section.note(format!(
        "{} pairs in turn at two simulated pads: until the page has the item, and until a bare reader has the report.",
        pairs.len()
    ));
    section.note("While the pen touches, ink is shown in batches of 14 ms, which come on top.");
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
        "p99 of a lifted pen over the bare reader",
        (p99, MOST_OVERHEAD_MS),
        "ms",
    );
    Ok(section)
}
