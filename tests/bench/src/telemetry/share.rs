//! What telemetry adds to an agent on which nothing happens: two counters beside each other, one of them overseen.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use device_api::{Clock as _, SystemClock};
use harness::{Counter, Options, Patience, Process, process_tree};

use super::processor_time;
use crate::plan::Plan;
use crate::report::Section;

/// Promised, in MB of a million bytes.
const MOST_MB: f64 = 12.0;
/// Promised, in percent of a core.
const MOST_PERCENT: f64 = 0.1;

/// Starts both, waits until one has reported what there is to report, and lets time pass.
pub(super) fn measure(plan: &Plan) -> anyhow::Result<Section> {
    let mut silent = Counter::start(&options(false))?;
    let mut overseen = Counter::start(&options(true))?;
    let oversight = overseen.oversight.as_mut().context("nobody oversees it")?;
    // What an agent says at its start is on the way by then.
    oversight.wait_for("a beat", |told| told.class.as_deref() == Some("beat"))?;
    let clock = SystemClock::new();
    let began = clock.now();
    let before = (spent(&mut silent)?, spent(&mut overseen)?);
    let ended = agent(&mut silent)?.wait(Patience::of(plan.idle));
    ensure!(ended.is_err(), "the agent has ended");
    let after = (spent(&mut silent)?, spent(&mut overseen)?);
    let wall = clock.now().since(began);
    let percent = |before: Duration, after: Duration| {
        after.saturating_sub(before).as_secs_f64() / wall.as_secs_f64() * 100.0
    };
    let processor = (percent(before.0, after.0), percent(before.1, after.1));
    let memory = (resident_mb(&mut silent)?, resident_mb(&mut overseen)?);
    silent.stop()?;
    overseen.stop()?;
    Ok(section(wall, memory, processor))
}

/// The figures of the one without telemetry and of the one with it.
fn section(wall: Duration, memory: (f64, f64), processor: (f64, f64)) -> Section {
    let columns = ["", "without", "with", "added"];
    let mut section = Section::new("An agent with and without telemetry", &columns);
    section.note(format!(
        "Two agents at the same time, two readers each, while nothing happens for {:.0} s; the one that reports sends a beat each 5 s, six times as often as usual.",
        wall.as_secs_f64()
    ));
    let added = (memory.1 - memory.0, processor.1 - processor.0);
    section.row([
        "resident, MB".to_owned(),
        format!("{:.1}", memory.0),
        format!("{:.1}", memory.1),
        format!("{:.1}", added.0),
    ]);
    section.row([
        "processor, % of a core".to_owned(),
        format!("{:.3}", processor.0),
        format!("{:.3}", processor.1),
        format!("{:.3}", added.1),
    ]);
    section.goal(
        "resident memory that telemetry adds",
        (added.0, MOST_MB),
        "MB",
    );
    section.goal(
        "processor that telemetry adds",
        (added.1, MOST_PERCENT),
        "%",
    );
    section
}

fn options(overseen: bool) -> Options {
    Options {
        overseen,
        ..Options::default()
    }
}

/// The processor time of the agent itself; its driver hosts know nothing of telemetry.
fn spent(counter: &mut Counter) -> anyhow::Result<Duration> {
    processor_time(agent(counter)?.id())
}

fn resident_mb(counter: &mut Counter) -> anyhow::Result<f64> {
    let figures = process_tree(agent(counter)?.id())?;
    let agent = figures.first().context("the agent has ended")?;
    Ok(agent.resident_kib as f64 * 1024.0 / 1e6)
}

fn agent(counter: &mut Counter) -> anyhow::Result<&mut Process> {
    counter.agent.process().context("the agent does not run")
}
