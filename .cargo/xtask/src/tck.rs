//! `cargo xtask tck`: which requirements of the protocols the tests show, by their numbers.
//!
//! `docs/protocol/tck.toml` names for each requirement the tests that show it.
//! They are run, and each number is told as shown, failed or not covered; a number of the table that no
//! specification has, or a test that is not there, is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::run::root;
use crate::suite::programs;

const TABLE: &str = "docs/protocol/tck.toml";
const SPECIFICATIONS: [&str; 2] = ["docs/protocol/telemetry.md", "docs/protocol/commands.md"];
/// Whose tests show it.
const PACKAGES: [&str; 5] = ["agentd", "telemetry", "commands", "monitor", "scenarios"];
/// Of `scenarios` only programs whose names begin so, because the others are about something else.
const SCENARIOS: &str = "scenarios telemetry";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    covered: BTreeMap<String, Vec<String>>,
}

/// Runs the tests and prints the numbers.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let text = fs::read_to_string(root().join(TABLE)).context(TABLE)?;
    let table: Table = toml::from_str(&text).context(TABLE)?;
    let required = requirements()?;
    for number in table.covered.keys() {
        ensure!(
            required.contains(number),
            "{number} stands in no specification"
        );
    }
    let outcomes = outcomes()?;
    let (mut shown, mut failed) = (Vec::new(), Vec::new());
    for (number, tests) in &table.covered {
        let mut holds = true;
        for test in tests {
            let outcome = outcomes.get(test);
            holds &= *outcome.with_context(|| format!("{number}: there is no test {test}"))?;
        }
        if holds { &mut shown } else { &mut failed }.push(number.as_str());
    }
    let open: Vec<&str> = required
        .iter()
        .filter(|number| !table.covered.contains_key(*number))
        .map(String::as_str)
        .collect();
    println!("shown ({}): {}", shown.len(), shown.join(" "));
    println!("not covered ({}): {}", open.len(), open.join(" "));
    println!("FAILED ({}): {}", failed.len(), failed.join(" "));
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The numbers of all requirements.
fn requirements() -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for file in SPECIFICATIONS {
        let text = fs::read_to_string(root().join(file)).context(file)?;
        let numbers = text.lines().filter_map(|line| {
            let (number, _) = line.strip_prefix("- **")?.split_once("**")?;
            Some(number.to_owned())
        });
        found.extend(numbers);
    }
    Ok(found)
}

/// Each test by the last part of its name, and whether it passed.
fn outcomes() -> anyhow::Result<BTreeMap<String, bool>> {
    let mut outcomes = BTreeMap::new();
    let shows = |one: &&programs::Program| {
        let named = PACKAGES.contains(&one.package.as_str());
        named && (one.package != "scenarios" || one.name.starts_with(SCENARIOS))
    };
    for program in programs::all()?.iter().filter(shows) {
        println!("== {}", program.name);
        let output = program.command().output();
        let output = output.with_context(|| format!("cannot start {}", program.name))?;
        let text = String::from_utf8_lossy(&output.stdout);
        for line in text.lines() {
            let Some(line) = line.strip_prefix("test ") else {
                continue;
            };
            if let Some((name, verdict)) = line.rsplit_once(" ... ") {
                let name = name.rsplit("::").next().unwrap_or(name);
                let passed = outcomes.entry(name.to_owned()).or_insert(true);
                *passed &= verdict == "ok";
            }
        }
        ensure!(
            text.contains("test result:"),
            "{} did not run:\n{}",
            program.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(outcomes)
}
