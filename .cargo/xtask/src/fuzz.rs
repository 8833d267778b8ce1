//! `cargo xtask soak fuzz`: every fuzz target for a while, on a copy of the committed corpus.
//!
//! The targets and their corpus are those that the ordinary tests replay; here libFuzzer drives them.
//! What it finds is kept under `target/fuzz`, and a crash ends the command with the file that caused it.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::packages;
use crate::run::{cargo, command, must, root};

/// How long each target runs, unless told otherwise.
const SECONDS: &str = "60";

/// The only platform on which the sanitizer's coverage is set up.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Fuzzes every target for `seconds`.
pub(crate) fn run(seconds: Option<&str>) -> anyhow::Result<ExitCode> {
    let seconds = seconds.unwrap_or(SECONDS);
    if seconds.parse::<u32>().is_err() {
        bail!("not a number of seconds: {seconds}");
    }
    packages::ensure(&[packages::COUNTER, packages::FUZZ].concat())?;
    must(cargo(&[
        "build",
        "--quiet",
        "--config",
        "tests/fuzz/libfuzzer.toml",
        "--target",
        PLATFORM,
        "--package",
        "fuzz",
        "--features",
        "libfuzzer",
    ]))?;
    for target in targets()? {
        println!("== {target}, {seconds} s");
        must(fuzzer(&target, seconds)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The targets, by the folders of their corpus.
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = root().join("tests/fuzz/corpus");
    let entries = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<anyhow::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn fuzzer(target: &str, seconds: &str) -> anyhow::Result<std::process::Command> {
    let found = format!("target/fuzz/{target}");
    fs::create_dir_all(root().join(&found))?;
    let program = root().join(format!("target/{PLATFORM}/debug/fuzz-{target}"));
    let program = program.to_str().context("the path is not Unicode")?;
    Ok(command(
        program,
        &[
            &format!("-max_total_time={seconds}"),
            &format!("-artifact_prefix={found}/"),
            "-print_final_stats=1",
            &found,
            &format!("tests/fuzz/corpus/{target}"),
        ],
    ))
}
