//! The processor time of a monitor to which a simulated fleet reports through a broker.
//!
//! Processes, each as it ships: `counter-sim fleet`, Mosquitto, `monitor run`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use device_api::{Clock as _, SystemClock};
use harness::{Patience, Process, binary};
use monitor::store::Store;
use serde::Deserialize;

use super::broker::{PlainBroker, rest};
use super::processor_time;
use crate::plan::Plan;
use crate::report::Section;

/// Promised: one core.
const MOST_CORES: f64 = 1.0;
/// Connections that all devices share: more than a few thousand would need descriptors that test machines lack.
const CONNECTIONS: u32 = 4;
/// After all devices have begun, until what they said at once has been taken in.
const SETTLES: Duration = Duration::from_secs(5);

/// What the fleet says of itself at its end.
#[derive(Debug, Deserialize)]
struct Counts {
    said: u64,
    taken: u64,
}

/// Lets a fleet report.
pub(super) fn measure(plan: &Plan) -> anyhow::Result<Section> {
    // One that keeps no birth of anybody else.
    let broker = PlainBroker::start()?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let config = folder.join("monitor.toml");
    let settings = format!(
        "database = 'monitor.db'\nkey = 'monitor.key'\n[broker]\nendpoints = ['127.0.0.1:{}']\n",
        broker.port()
    );
    fs::write(&config, settings)?;
    register(plan, folder, &config)?;
    let mut monitor = start("monitor", folder, |command| {
        command.arg("--config").arg(&config).arg("run");
    })?;
    while !monitor.output()?.contains("connected") {
        rest(&mut monitor, Duration::from_millis(100))?;
    }
    let all = Duration::from_secs(plan.fleet_begins + plan.fleet_speaks) + SETTLES + SETTLES;
    let mut fleet = start("fleet", folder, |command| {
        command.args(["fleet", "run", "--report", "86400"]);
        command.args(["--broker", &format!("127.0.0.1:{}", broker.port())]);
        command.args(["--devices", &plan.fleet.to_string()]);
        command.args(["--connections", &CONNECTIONS.to_string()]);
        command.args(["--ramp", &plan.fleet_begins.to_string()]);
        command.args(["--seconds", &all.as_secs().to_string()]);
    })?;
    let store = Store::open(&folder.join("monitor.db"))?;
    rest(&mut fleet, Duration::from_secs(plan.fleet_begins) + SETTLES)?;
    let who = [monitor.id(), broker.id(), fleet.id()];
    let times = || {
        who.map(processor_time)
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
    };
    let clock = SystemClock::new();
    let (before, kept_before, began) = (times()?, store.evidence_count()?, clock.now());
    rest(&mut fleet, Duration::from_secs(plan.fleet_speaks))?;
    let (after, kept_after, ended) = (times()?, store.evidence_count()?, clock.now());
    let status = fleet.wait(Patience::seconds(60))?;
    ensure!(status.success(), "the fleet failed:\n{}", fleet.output()?);
    let counts = fleet.output()?;
    let counts = counts.lines().rfind(|line| line.starts_with('{'));
    let counts: Counts = serde_json::from_str(counts.context("no counts")?)?;
    rest(&mut monitor, SETTLES)?;
    let wall = ended.since(began).as_secs_f64();
    let cores: Vec<f64> = before
        .iter()
        .zip(&after)
        .map(|(before, after)| after.saturating_sub(*before).as_secs_f64() / wall)
        .collect();
    let found = Found {
        rate: (kept_after - kept_before) as f64 / wall,
        wall,
        cores,
        lost: counts.taken.saturating_sub(store.evidence_count()?),
        said: counts.said,
        alarms: store.alarms(None, true)?.len(),
    };
    monitor.terminate(Patience::seconds(10))?;
    Ok(section(plan, &found))
}

/// What was measured.
struct Found {
    rate: f64,
    wall: f64,
    cores: Vec<f64>,
    lost: u64,
    said: u64,
    alarms: usize,
}

fn section(plan: &Plan, found: &Found) -> Section {
    let columns = ["process", "cores"];
    let mut section = Section::new("A fleet that reports", &columns);
    section.note(format!(
        "{} simulated devices over {CONNECTIONS} connections, a message in 10 s each, every third a beat, through Mosquitto; watched for {:.0} s after all had begun.",
        plan.fleet, found.wall
    ));
    section.note(format!(
        "The monitor took in {:.0} messages a second. Of {} in the whole run, {} that the broker took were not in the monitor's database at the end, and it holds {} alarms.",
        found.rate, found.said, found.lost, found.alarms
    ));
    for (name, cores) in ["monitor", "mosquitto", "fleet"].iter().zip(&found.cores) {
        section.row([(*name).to_owned(), format!("{cores:.3}")]);
    }
    let monitor = found.cores.first().copied().unwrap_or(f64::NAN);
    section.goal("cores of the monitor", (monitor, MOST_CORES), "");
    section.goal("messages lost", (found.lost as f64, 0.0), "");
    section
}

/// Makes the monitor's key, and registers all devices.
fn register(plan: &Plan, folder: &Path, config: &Path) -> anyhow::Result<()> {
    let keys = folder.join("keys.txt");
    let count = plan.fleet.to_string();
    let mut printing = Command::new(binary("counter-sim")?);
    let printed = well(
        printing
            .args(["fleet", "keys", "--devices", &count])
            .output()?,
    )?;
    fs::write(&keys, printed.stdout)?;
    let monitor = || -> anyhow::Result<Command> {
        let mut command = Command::new(binary("monitor")?);
        command.arg("--config").arg(config);
        Ok(command)
    };
    well(monitor()?.arg("key").output()?)?;
    well(monitor()?.args(["device", "import"]).arg(&keys).output()?)?;
    Ok(())
}

fn well(output: Output) -> anyhow::Result<Output> {
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output)
}

fn start(
    name: &str,
    folder: &Path,
    arguments: impl FnOnce(&mut Command),
) -> anyhow::Result<Process> {
    let program = if name == "fleet" { "counter-sim" } else { name };
    let mut command = Command::new(binary(program)?);
    arguments(&mut command);
    Process::start(name, &mut command, &folder.join(format!("{name}.log")))
}
