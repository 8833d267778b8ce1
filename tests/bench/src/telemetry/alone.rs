//! What a station takes of a machine on which nothing happens: a process of its own with nothing else in it.
#![expect(clippy::print_stdout, reason = "a helper answers on standard output")]

use std::io::{BufRead as _, Read as _, stdin};
use std::path::Path;

use anyhow::{Context as _, ensure};
use device_api::{Clock as _, SystemClock};
use harness::{Patience, process_tree};
use telemetry::link::MqttConnector;
use telemetry::station::{Happening, Station};
use tokio::sync::oneshot;

use super::broker::PlainBroker;
use super::publish::parts;
use super::{device, processor_time};
use crate::helper::Helper;
use crate::plan::Plan;
use crate::report::Section;

/// The command line's word for this role.
pub(crate) const ROLE: &str = "--as-station";

/// Promised, in MB of a million bytes.
const MOST_MB: f64 = 12.0;
/// Promised, in percent of a core.
const MOST_PERCENT: f64 = 0.1;

/// Starts one, and lets time pass.
pub(super) fn measure(plan: &Plan, broker: &PlainBroker) -> anyhow::Result<Section> {
    let folder = tempfile::tempdir()?;
    let mut helper = Helper::start(ROLE, None)?;
    helper.ask(&format!("{} {}", broker.port(), folder.path().display()))?;
    let clock = SystemClock::new();
    let (before, began) = (processor_time(helper.id())?, clock.now());
    helper.must_rest(Patience::of(plan.idle))?;
    let spent = processor_time(helper.id())?.saturating_sub(before);
    let wall = clock.now().since(began).as_secs_f64();
    let figures = process_tree(helper.id())?;
    let resident = figures
        .first()
        .context("the station has ended")?
        .resident_kib;
    let megabytes = resident as f64 * 1024.0 / 1e6;
    let percent = spent.as_secs_f64() / wall * 100.0;
    let mut section = Section::new("A station alone", &["", "found"]);
    section.note(format!(
        "A process with a station and nothing else, connected, a beat each 30 s and no reports, for {wall:.0} s."
    ));
    section.row(["resident, MB".to_owned(), format!("{megabytes:.1}")]);
    section.row(["processor, % of a core".to_owned(), format!("{percent:.3}")]);
    section.goal("resident memory of a station", (megabytes, MOST_MB), "MB");
    section.goal("processor of a station", (percent, MOST_PERCENT), "%");
    Ok(section)
}

/// The helper's side: a station until its input ends.
///
/// # Errors
/// When it cannot begin.
pub(crate) fn serve() -> anyhow::Result<()> {
    let mut first = String::new();
    stdin().lock().read_line(&mut first)?;
    let (port, folder) = first.trim().split_once(' ').context("no port and folder")?;
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut rest = Vec::new();
            let _end_or_error = stdin().read_to_end(&mut rest);
            let _nobody_waits = end.send(());
        })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let connector = Box::new(MqttConnector::new(runtime.handle().clone()));
    let (profile, means) = parts(
        &device("alone")?,
        Path::new(folder),
        port.parse()?,
        connector,
    )?;
    let (station, _reporter, mut happenings) = Station::new(profile, means);
    runtime.block_on(async {
        let station = tokio::spawn(station.run());
        let first = happenings.recv().await;
        ensure!(
            matches!(first, Some(Happening::Connected { .. })),
            "{first:?}"
        );
        println!("ready");
        let (Ok(()) | Err(_)) = ended.await;
        station.abort();
        Ok(())
    })
}
