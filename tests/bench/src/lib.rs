//! Measurements that `docs/measurements.md` records.
//!
//! Everything runs against the real agent, the real PC/SC service and simulated cards, in one run, so that
//! ratios compare what was measured under the same load.
//! Absolute times are recorded; what was promised is judged ([`Report::missed`]).
//!
//! | module | measures |
//! |---|---|
//! | `jobs`, `bare` | a job beside a bare loop that sends the same commands |
//! | `exchanges`, `commands` | which commands a job sends, and why |
//! | `api` | a request beside one to a server that only answers |
//! | `ready` | starts |
//! | `rest` | memory after work, processor time without |
//! | `record` | an audit record beside a bare disk write |
//! | `changes` | how soon cards and an interrupted service are seen |
//! | `scans` | a scanned code beside a bare loop, and beside a printer that hangs |
//! | `pen` | a sample of the pen beside a bare reader |
//! | `sizes` | the programs |
//! | `telemetry` | reports on their way to the monitor, beside what each way cannot do without |
//!
//! No program but `bench` uses this crate; [`run`] and [`serve_as`] are its two ways to go.

mod api;
mod bare;
mod changes;
mod commands;
mod exchanges;
mod helper;
mod jobs;
mod pen;
mod plan;
mod ready;
mod record;
mod report;
mod rest;
mod scans;
mod sizes;
mod statistics;
mod supplied;
mod telemetry;

pub use plan::Plan;
pub use report::{Bound, Goal, Report, Section};

use anyhow::Context as _;
use harness::{Counter, Options};

/// More than a client that waits for each answer can ask, so that the agent's own limit is not measured.
const REQUESTS_PER_SECOND: i64 = 10_000;

/// Starts a counter and measures everything.
///
/// # Errors
/// When something does not work, or a job sends other commands than it is known to.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    let mut options = Options {
        slots: 1,
        ..Options::default()
    };
    let rate = REQUESTS_PER_SECOND.into();
    options.agent.insert("requests_per_second".to_owned(), rate);
    let mut counter = Counter::start(&options)?;
    let mut sections = vec![
        jobs::measure(plan, &counter).context("a job and the bare loop")?,
        exchanges::measure(&counter).context("the exchanges of a job")?,
        api::measure(plan, &counter).context("what the door costs")?,
        record::measure(plan, &counter).context("an audit record")?,
        ready::measure(plan, &mut counter).context("ready")?,
    ];
    sections.extend(rest::measure(plan, &mut counter).context("memory and idleness")?);
    sections.push(changes::measure(plan, &mut counter).context("changes")?);
    sections.push(sizes::measure()?);
    counter.stop()?;
    sections.extend(run_devices(plan)?.sections);
    Ok(Report { sections })
}

/// Measures the devices beside the card readers, each at a counter of its own.
///
/// # Errors
/// When something does not work.
pub fn run_devices(plan: &Plan) -> anyhow::Result<Report> {
    let mut sections = scans::measure(plan).context("a scanned code")?;
    sections.push(pen::measure(plan).context("a sample of the pen")?);
    Ok(Report { sections })
}

/// Measures telemetry: the agent's side, the monitor, and a fleet that reports to it.
///
/// # Errors
/// When something does not work.
pub fn run_telemetry(plan: &Plan) -> anyhow::Result<Report> {
    Ok(Report {
        sections: telemetry::measure(plan)?,
    })
}

/// Plays the part of a measurement that `role` names, until standard input ends.
///
/// # Errors
/// When there is no such part, or it cannot go on.
pub fn serve_as(role: &str) -> anyhow::Result<()> {
    match role {
        bare::ROLE => bare::serve(),
        api::ROLE => api::serve(),
        telemetry::ROLE => telemetry::serve(),
        _ => anyhow::bail!("usage: bench [--quick] [--devices | --telemetry]"),
    }
}
