//! A power cut at every step of printing a ticket, and at random ones.
//!
//! The printer's own contract does the work; here it is counted, and its rate of "unknown" is told, because
//! that is how often a person has to look at the printer after the power was gone.

use printer::contract::{Report, every_cut, run};

/// The power goes at every step, in every part, for every kind of printer; then `cases` lives with cuts at
/// random steps.
///
/// # Errors
/// The first rule of the contract that is broken.
pub fn power_cuts(cases: u64, seed: u64) -> anyhow::Result<String> {
    let (every, random) = (every_cut()?, run(seed, cases)?);
    Ok(format!(
        "at every step: {}; {cases} random lives, seed {seed}: {}",
        words(&every),
        words(&random)
    ))
}

/// The random lives alone, of which a few take no time.
///
/// # Errors
/// As [`power_cuts`].
pub fn random_cuts(cases: u64, seed: u64) -> anyhow::Result<String> {
    Ok(words(&run(seed, cases)?))
}

fn words(report: &Report) -> String {
    let rate = report.unknown as f64 / report.cuts.max(1) as f64;
    format!(
        "{} lives, {} cuts; {} papers never sent, {} without doubt, {} unknown ({:.1} %), {} reissued; no rule broken",
        report.lives,
        report.cuts,
        report.never_sent,
        report.settled,
        report.unknown,
        rate * 100.0,
        report.reissued
    )
}
