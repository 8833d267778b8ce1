//! What the agent holds after work, and what it does when there is none.

use std::fs;

use anyhow::{Context as _, ensure};
use harness::{Counter, Patience, ProcessFigures};
use scenarios::clerk::Order;
use scenarios::footprint::Footprint;

use crate::plan::Plan;
use crate::report::Section;
use crate::supplied::Supplier;

const SLOT: usize = 0;
/// Promised for all processes of the agent together, in MB of a million bytes.
const MOST_RESIDENT_MB: f64 = 25.0;

/// Reads, then looks at memory; then lets a while pass and counts processor time.
pub(crate) fn measure(plan: &Plan, counter: &mut Counter) -> anyhow::Result<Vec<Section>> {
    counter.control().insert(SLOT, "hanako")?;
    let mut supplier = Supplier::at(counter, SLOT)?;
    for _ in 0..plan.readings {
        supplier.job(&Order::attributes("1234"))?;
    }
    let memory = memory(plan, counter)?;
    drop(supplier);
    let idle = idle(plan, counter)?;
    counter.control().lift(SLOT)?;
    Ok(vec![memory, idle])
}

fn memory(plan: &Plan, counter: &mut Counter) -> anyhow::Result<Section> {
    let processes = counter.figures()?;
    let columns = [
        "process",
        "resident, MB",
        "share, MB",
        "threads",
        "descriptors",
    ];
    let mut section = Section::new("Memory", &columns);
    section.note(format!(
        "After {} reads, a clerk's page connected. The share divides what several processes use among them (`Pss`).",
        plan.readings
    ));
    for process in &processes {
        section.row([
            process.name.clone(),
            megabytes(process.resident_kib),
            own_share_kib(process).map_or_else(String::new, megabytes),
            process.threads.to_string(),
            process.descriptors.to_string(),
        ]);
    }
    let resident = Footprint::of(counter)?.resident_kib();
    section.row([
        "**all**".to_owned(),
        format!("**{}**", megabytes(resident)),
        String::new(),
        String::new(),
        String::new(),
    ]);
    section.goal(
        "resident memory",
        (in_megabytes(resident), MOST_RESIDENT_MB),
        "MB",
    );
    Ok(section)
}

fn idle(plan: &Plan, counter: &mut Counter) -> anyhow::Result<Section> {
    let columns = ["idle", "seconds", "ticks"];
    let mut section = Section::new("Processor time while nothing happens", &columns);
    section.note("All processes of the agent, in clock ticks of 10 ms; a card lies on a reader.");
    let alone = ticks_without_pages(plan, counter)?;
    let connected = ticks_with_pages(plan, counter)?;
    let seconds = format!("{:.1}", plan.idle.as_secs_f64());
    for (name, ticks) in [
        ("no page connected", alone),
        (
            "a clerk's page and a paired PIN screen connected",
            connected,
        ),
    ] {
        section.row([name.to_owned(), seconds.clone(), ticks.to_string()]);
    }
    let all = u32::try_from(alone + connected)?;
    section.goal("ticks in both", (f64::from(all), 0.0), "");
    Ok(section)
}

/// Waits for the agent's end, which must not come.
fn ticks_without_pages(plan: &Plan, counter: &mut Counter) -> anyhow::Result<u64> {
    let before = Footprint::of(counter)?.ticks();
    let process = counter.agent.process().context("the agent does not run")?;
    let ended = process.wait(Patience::of(plan.idle));
    ensure!(ended.is_err(), "the agent has ended");
    Ok(Footprint::of(counter)?.ticks() - before)
}

/// Waits for events, of which there must be none.
fn ticks_with_pages(plan: &Plan, counter: &mut Counter) -> anyhow::Result<u64> {
    let mut desk = counter.desk()?;
    // Pairing is told to the page too; until that has been said there is work to do.
    desk.events.next(Patience::seconds(5))?;
    let before = Footprint::of(counter)?.ticks();
    let patience = Patience::of(plan.idle);
    let event = desk.events.next(patience);
    ensure!(event.is_err(), "an event while nothing happened: {event:?}");
    ensure!(
        patience.spent() >= plan.idle,
        "the stream has ended: {event:?}"
    );
    Ok(Footprint::of(counter)?.ticks() - before)
}

/// The kernel's own account, where this user may see it.
fn own_share_kib(process: &ProcessFigures) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.id)).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn in_megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}

fn megabytes(kib: u64) -> String {
    format!("{:.1}", in_megabytes(kib))
}
