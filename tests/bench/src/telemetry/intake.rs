//! Messages into the monitor, until they are on its disk, beside their signatures alone.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, SystemClock};
use monitor::acks::Manner;
use monitor::intake::Settings;
use monitor::registry::Shard;
use monitor::throughput::{Load, Throughput, measure as measure_intake};
use monitor::watch::Patience;

use super::Processor;
use crate::plan::Plan;
use crate::report::Section;

/// Promised of the speed of the signatures alone, for each core.
const LEAST: f64 = 0.8;
const DEVICES: u32 = 500;
/// As many as the monitor commits together at most.
const BATCH: usize = 2048;

/// Measures by the wall clock and by the processor's time.
pub(super) fn measure(plan: &Plan) -> anyhow::Result<Section> {
    let columns = ["messages a second", "wall clock", "one core"];
    let mut section = Section::new("Messages into the monitor", &columns);
    section.note(format!(
        "{} messages of {DEVICES} devices in batches of {BATCH}, each batch first its Ed25519 signatures alone (`ring`), then decoded, proved, held against what came before, and committed; one thread.",
        u64::from(DEVICES) * u64::from(plan.taken_in)
    ));
    let wall = once(plan, Arc::new(SystemClock::new()))?;
    let core = once(plan, Arc::new(Processor::new()))?;
    for (name, rate) in [
        (
            "into the monitor",
            Throughput::per_second as fn(&Throughput) -> u64,
        ),
        ("signatures alone", Throughput::bare_per_second),
    ] {
        section.row([
            name.to_owned(),
            rate(&wall).to_string(),
            rate(&core).to_string(),
        ]);
    }
    let ratio = |of: &Throughput| of.per_mille_of_bare() as f64 / 1000.0;
    section.row([
        "**ratio**".to_owned(),
        format!("**{:.2}**", ratio(&wall)),
        format!("**{:.2}**", ratio(&core)),
    ]);
    section.goal_at_least(
        "monitor / signatures alone, for each core",
        (ratio(&core), LEAST),
        "",
    );
    Ok(section)
}

fn once(plan: &Plan, clock: Arc<dyn Clock>) -> anyhow::Result<Throughput> {
    let folder = tempfile::tempdir()?;
    let load = Load {
        devices: DEVICES,
        messages: plan.taken_in,
        batch: BATCH,
    };
    let settings = Settings {
        patience: Patience {
            clock: Duration::from_secs(300),
            resend: Duration::from_secs(120),
            suppressed: Duration::from_secs(600),
            replay: Duration::from_secs(600),
        },
        manner: Manner {
            interval: Duration::from_secs(1),
            per_second: None,
        },
        shard: Shard::WHOLE,
    };
    let path = folder.path().join("monitor.db");
    Ok(measure_intake(&path, load, settings, &clock)?)
}
