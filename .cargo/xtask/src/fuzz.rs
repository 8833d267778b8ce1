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

/// Fuzzes targets for so many seconds each: `[SECONDS] [TARGET...]`, every target where none is named.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let (seconds, named) = match arguments {
        [first, rest @ ..] if first.parse::<u32>().is_ok() => (*first, rest),
        named => (SECONDS, named),
    };
    let known = targets()?;
    if let Some(unknown) = named
        .iter()
        .find(|name| !known.iter().any(|one| one == *name))
    {
        bail!(
            "no target is called {unknown}; there are {}",
            known.join(", ")
        );
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
    let wanted = |target: &&String| named.is_empty() || named.contains(&target.as_str());
    for target in known.iter().filter(wanted) {
        println!("== {target}, {seconds} s");
        must(fuzzer(target, seconds)?)?;
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
