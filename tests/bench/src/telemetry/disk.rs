//! A report until it is on the disk, beside one write of as many bytes with one `fdatasync`, in turn on one disk.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use device_api::{Clock, SystemClock};
use telemetry::SoftwareSigner;
use telemetry::disk::Folder;
use telemetry::outbox::{Outbox, Settings};

use super::{device, state};
use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::{Times, ms};

/// Promised for the 99th percentiles.
const MOST: f64 = 2.0;
/// What an envelope and its frame in the log are long.
const BYTES: usize = 400;

/// Measures both in turn.
pub(super) fn measure(plan: &Plan) -> anyhow::Result<Section> {
    let folder = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (mut outbox, _recovery) = Outbox::open(
        Box::new(Folder::open(&folder.path().join("outbox"))?),
        device("disk")?,
        Box::new(SoftwareSigner::from_seed(&[4; 32])?),
        Arc::clone(&clock),
        Settings::default(),
    )?;
    let mut bare = File::create(folder.path().join("bare"))?;
    let line = [b'x'; BYTES];
    let mut pairs = Vec::with_capacity(plan.reports);
    for count in 0..plan.reports {
        let message = state(u64::try_from(count)?)?;
        let began = clock.now();
        outbox.accept(&message)?;
        outbox.commit()?;
        let kept = clock.now();
        bare.write_all(&line)?;
        bare.sync_data()?;
        pairs.push((kept.since(began), clock.now().since(kept)));
    }
    let reports = Times::of(pairs.iter().map(|pair| pair.0))?;
    let writes = Times::of(pairs.iter().map(|pair| pair.1))?;
    let mut section = Section::new(
        "A report until it is on the disk",
        &["ms", "p50", "p99", "most"],
    );
    section.note(format!(
        "{} pairs in turn on one disk: a report is numbered, signed, framed, written and synced alone; the bare write has {BYTES} bytes.",
        plan.reports
    ));
    for (name, times) in [
        ("report", &reports),
        ("bare write and `fdatasync`", &writes),
    ] {
        let figures = [times.median(), times.percentile(99), times.most()].map(ms);
        section.row([&[name.to_owned()], &figures[..]].concat());
    }
    let ratio = |percent| {
        reports.percentile(percent).as_secs_f64() / writes.percentile(percent).as_secs_f64()
    };
    section.row([
        "**ratio**".to_owned(),
        format!("**{:.2}**", ratio(50)),
        format!("**{:.2}**", ratio(99)),
        String::new(),
    ]);
    section.goal(
        "p99 of a report / of one `fdatasync`",
        (ratio(99), MOST),
        "",
    );
    Ok(section)
}
