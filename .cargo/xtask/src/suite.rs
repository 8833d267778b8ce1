//! `cargo xtask test`: everything that a change must pass, with a summary at the end.
//!
//! ```text
//! format -> build, with lints -> .- test programs, a few at a time ------------. -> judges of what they left
//!                                |- pages, browser, virtual machine ----------|
//!                                '- documentation and its examples ------------'
//! ```
//! What stands side by side waits for processes and clocks more than it computes.
//! A step that fails does not stop the others, so that one run tells everything; what each printed lies in
//! `target/suite`, and is shown where it failed.

use std::process::{Command, ExitCode};
use std::thread;

use crate::run::{beside_cargo, beside_this_program, cargo, command, root};
use crate::{judges, packages, vm};

pub(crate) mod programs;
mod step;

use step::{Outcome, Step};

/// What some tests need besides; the same in every step, so that nothing is built twice.
const FEATURES: &str = "--features=document/contract";

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
    step::begin()?;
    let mut outcomes = one_by_one(made());
    // Before Cargo is busy with the documentation.
    let programs = programs::all()?;
    let beside = thread::scope(|scope| {
        let lanes = [
            scope.spawn(|| programs::run(programs)),
            scope.spawn(|| one_by_one(pages_and_machine())),
            scope.spawn(|| one_by_one(documented())),
        ];
        let ended = lanes.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .flat_map(|lane| lane.unwrap_or_else(|_| vec![Outcome::panicked()]))
            .collect::<Vec<_>>()
    });
    outcomes.extend(beside);
    outcomes.extend(one_by_one(judged()));
    step::summarise(&outcomes);
    Ok(if outcomes.iter().all(|outcome| outcome.passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn one_by_one(steps: Vec<Step>) -> Vec<Outcome> {
    steps.into_iter().map(Step::run).collect()
}

fn made() -> Vec<Step> {
    vec![
        Step::new("format", cargo(&["fmt", "--all", "--check"])),
        // With what tests need of libraries, too: otherwise most of it would be built a second time.
        Step::new(
            "build, with lints",
            linted(&["build", "--all-targets"], &[]),
        )
        .silent(),
    ]
}

fn documented() -> Vec<Step> {
    let mut documentation = of_all(&["doc", "--no-deps"], &[]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    vec![
        Step::new("documentation", documentation),
        Step::new("examples in docs", linted(&["test", "--doc"], &[])),
    ]
}

fn pages_and_machine() -> Vec<Step> {
    let agentd = beside_this_program("agentd");
    let generate = [
        "run",
        "generate",
        "--",
        "--agentd",
        &agentd.to_string_lossy(),
    ];
    vec![
        Step::new("page tools", npm(&["ci", "--no-audit", "--no-fund"])),
        Step::new("page types", npm(&generate)),
        Step::new("page tests", npm(&["test"])),
        Step::new("browser tests", npm(&["run", "test:browser"])),
        Step::new("virtual machine", vm::step()),
    ]
}

/// What the test programs left is judged by programs of others.
fn judged() -> Vec<Step> {
    vec![
        Step::new("signatures", judges::step()),
        Step::new("envelopes", npm(&["run", "--silent", "verify:envelopes"])),
    ]
}

/// A command of Cargo whose crates are compiled by Clippy, which compiles as `rustc` does and warns besides.
///
/// `cargo clippy` sets the same variable, but only checks, so that everything would be compiled twice.
/// What was built with it is found again only by commands that set it, too.
fn linted(words: &[&str], rest: &[&str]) -> Command {
    let mut command = of_all(words, rest);
    command.env("RUSTC_WORKSPACE_WRAPPER", beside_cargo("clippy-driver"));
    command
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
