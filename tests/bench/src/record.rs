//! What a record costs beside the one disk write that it cannot do without.
//!
//! A record and a bare write of as many bytes to a file beside it take turns, each with one `fdatasync`.
//! The head's own sync comes between jobs in the agent, and here between the pairs.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use audit::{AuditLog, Entry, JobOutcome, JobRecord, Limits};
use device_api::{Clock as _, SystemClock};
use harness::Counter;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;

use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::{Times, median_ratio, ms};

/// Writes records in the counter's folder, so that the disk is the agent's.
pub(crate) fn measure(plan: &Plan, counter: &Counter) -> anyhow::Result<Section> {
    let folder = tempfile::tempdir_in(counter.folder())?;
    let mut log = open(folder.path())?;
    let mut bare = File::create(folder.path().join("bare"))?;
    let clock = SystemClock::new();
    let entry = Entry::Job(Box::new(job()));
    let line = vec![b'x'; serde_json::to_vec(&entry)?.len()];
    let mut pairs = Vec::with_capacity(plan.records);
    for _ in 0..plan.records {
        let began = clock.now();
        log.append(&entry, clock.unix_millis())?;
        let recorded = clock.now();
        log.settle()?;
        let settled = clock.now();
        bare.write_all(&line)?;
        bare.sync_data()?;
        pairs.push((recorded.since(began), clock.now().since(settled)));
    }
    let mut section = Section::new("An audit record", &["ms", "p50", "p99"]);
    section.note(format!("{} pairs in turn on one disk.", plan.records));
    for (name, times) in [
        (
            "record, until it is on the disk",
            Times::of(pairs.iter().map(|pair| pair.0))?,
        ),
        (
            "bare write and `fdatasync`",
            Times::of(pairs.iter().map(|pair| pair.1))?,
        ),
    ] {
        section.row([
            name.to_owned(),
            ms(times.median()),
            ms(times.percentile(99)),
        ]);
    }
    let ratio = median_ratio(&pairs);
    section.row([
        "**median of the pairs' ratios**".to_owned(),
        format!("**{ratio:.2}**"),
        String::new(),
    ]);
    Ok(section)
}

fn open(folder: &Path) -> anyhow::Result<AuditLog> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .ok()
        .context("no randomness")?;
    let key = Ed25519KeyPair::from_pkcs8(document.as_ref())
        .ok()
        .context("no key")?;
    let clock = SystemClock::new();
    let opened = AuditLog::open(
        folder,
        Box::new(key),
        Limits::default(),
        clock.unix_millis(),
    )?;
    Ok(opened.log)
}

fn job() -> JobRecord {
    JobRecord {
        job: "job-1".to_owned(),
        staff: "staff-1".to_owned(),
        origin: "https://madoguchi.city.example.jp".to_owned(),
        counter: "3".to_owned(),
        device: "pcsc:Virtual PCD 00 00".to_owned(),
        purpose: "住民票の写しの交付".to_owned(),
        operation: "readMyNumberCard".to_owned(),
        fields: vec!["fourAttributes".to_owned()],
        credential: Some("pinByApi".to_owned()),
        outcome: JobOutcome::Succeeded,
        code: None,
        tries_left: None,
        verdict: Some("genuine".to_owned()),
        last_try_allowed_by: None,
        secrets_used: 1,
        subject: None,
        items: 0,
        evidence: None,
    }
}
