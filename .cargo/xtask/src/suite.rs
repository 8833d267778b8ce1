//! `cargo xtask test`: everything that a change must pass, with a summary at the end.
//!
//! A step that fails does not stop the others, so that one run tells everything.
//! Cargo's own test runner is used because every machine with Rust has it.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::run::{beside_this_program, cargo, command, root, shown};
use crate::{judges, packages, vm};

/// No step may take longer; one that does hangs.
const LONGEST_STEP: &str = "900";

struct Step {
    name: &'static str,
    command: Command,
}

struct Outcome {
    name: &'static str,
    passed: bool,
    took: Duration,
}

/// Runs all steps.
pub(crate) fn test() -> anyhow::Result<ExitCode> {
    let needed = [
        packages::COUNTER,
        packages::BROKERS,
        packages::BROWSER,
        packages::JUDGES,
        packages::SURROUNDINGS,
        packages::MACHINE,
    ];
    packages::ensure(&needed.concat())?;
    packages::ensure_node()?;
    judges::environment()?;
    packages::ensure_component("rustfmt", &["fmt", "--version"])?;
    packages::ensure_component("clippy", &["clippy", "--version"])?;
    let outcomes: Vec<Outcome> = steps().into_iter().map(run).collect();
    summarise(&outcomes);
    let passed = outcomes.iter().all(|outcome| outcome.passed);
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What some tests need besides; the same in every step, so that nothing is built twice.
const FEATURES: &str = "--features=document/contract";

fn steps() -> Vec<Step> {
    let mut documentation = of_all(&["doc", "--no-deps"], &[]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    let rust = [
        ("format", cargo(&["fmt", "--all", "--check"])),
        (
            "lints",
            of_all(&["clippy", "--all-targets"], &["--", "-D", "warnings"]),
        ),
        // With what tests need of libraries, too: otherwise `test` builds most of it a second time.
        ("build", of_all(&["build", "--all-targets"], &[])),
        (
            "tests",
            of_all(&["test", "--all-targets", "--no-fail-fast"], &[]),
        ),
        ("signatures", judges::step()),
        ("examples in docs", of_all(&["test", "--doc"], &[])),
        ("documentation", documentation),
    ];
    let agentd = beside_this_program("agentd");
    let pages = [
        ("page tools", npm(&["ci", "--no-audit", "--no-fund"])),
        (
            "page types",
            npm(&[
                "run",
                "generate",
                "--",
                "--agentd",
                &agentd.to_string_lossy(),
            ]),
        ),
        ("page tests", npm(&["test"])),
        ("envelopes", npm(&["run", "--silent", "verify:envelopes"])),
        ("browser tests", npm(&["run", "test:browser"])),
    ];
    let scenario = beside_this_program("demo-once");
    let last = [
        ("virtual machine", vm::step()),
        (
            "scripted scenario",
            command(&scenario.to_string_lossy(), &[]),
        ),
    ];
    let all = rust.into_iter().chain(pages).chain(last);
    all.map(|(name, command)| Step { name, command }).collect()
}

/// A command of Cargo for the whole workspace.
fn of_all(words: &[&str], rest: &[&str]) -> Command {
    let what = ["--quiet", "--workspace", FEATURES];
    cargo(&[words, &what, rest].concat())
}

fn npm(arguments: &[&str]) -> Command {
    let mut npm = command("npm", arguments);
    npm.current_dir(root().join("agent/sdk"));
    npm
}

#[expect(
    clippy::disallowed_methods,
    reason = "the summary tells how long each step took"
)]
fn run(step: Step) -> Outcome {
    println!("== {}: {}", step.name, shown(&step.command));
    let begun = Instant::now();
    let passed = match with_limit(&step.command).status() {
        Ok(status) => status.success(),
        Err(error) => {
            println!("cannot start it: {error}");
            false
        }
    };
    Outcome {
        name: step.name,
        passed,
        took: begun.elapsed(),
    }
}

/// The same command under `timeout`, which ends everything that it started.
fn with_limit(command: &Command) -> Command {
    let mut limited = Command::new("timeout");
    limited
        .args(["--kill-after=10", LONGEST_STEP])
        .arg(command.get_program());
    limited.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        limited.envs(value.map(|value| (name, value)));
    }
    limited
}

fn summarise(outcomes: &[Outcome]) {
    println!();
    for outcome in outcomes {
        let mark = if outcome.passed { "✓" } else { "✗" };
        println!(
            "{mark} {:<20} {:>7.1} s",
            outcome.name,
            outcome.took.as_secs_f64()
        );
    }
    let total: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    println!(
        "{failed} of {} failed, {:.1} s",
        outcomes.len(),
        total.as_secs_f64()
    );
}
