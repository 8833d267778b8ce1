//! The commands that run a counter: demo, soak, bench.
//!
//! They build in release and hand over to programs of the workspace, which start and end the processes.

use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::packages;
use crate::run::{cargo, command, exit_code_of, must, root};

/// The programs of which a counter consists.
const PROGRAMS: [&str; 5] = ["agentd", "counter-sim", "driver-host", "harness", "monitor"];

/// Starts a whole counter and stays until it is ended.
pub(crate) fn demo() -> anyhow::Result<ExitCode> {
    packages::ensure(packages::COUNTER)?;
    packages::ensure_node()?;
    build_programs(&[])?;
    build_pages()?;
    // The program takes this one's place, so that Ctrl-C reaches it and nobody prompts before its end.
    let arguments = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "harness",
        "--bin",
        "madoguchi-counter",
    ];
    let error = cargo(&arguments).exec();
    Err(error).context("cannot start the counter")
}

/// Runs the scripted scenario and passes its exit code on.
pub(crate) fn demo_once() -> anyhow::Result<ExitCode> {
    packages::ensure(packages::COUNTER)?;
    build_programs(&["scenarios"])?;
    exit_code_of(cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "scenarios",
        "--bin",
        "demo-once",
    ]))
}

/// Runs the long forms of the scenarios, all or those named.
pub(crate) fn soak(names: &[&str]) -> anyhow::Result<ExitCode> {
    packages::ensure(&[packages::COUNTER, packages::BROKERS].concat())?;
    build_programs(&["scenarios"])?;
    let run = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "scenarios",
        "--bin",
        "soak",
        "--",
    ];
    exit_code_of(cargo(&[&run, names].concat()))
}

/// Measures everything, or what the program's `options` choose.
pub(crate) fn bench(options: &[&str]) -> anyhow::Result<ExitCode> {
    packages::ensure(&[packages::COUNTER, packages::BROKERS].concat())?;
    build_programs(&["bench"])?;
    let run = ["run", "--quiet", "--release", "--package", "bench", "--"];
    exit_code_of(cargo(&[&run, options].concat()))
}

/// Builds the counter's programs and those of `more` packages, beside each other.
fn build_programs(more: &[&str]) -> anyhow::Result<()> {
    let packages = PROGRAMS
        .iter()
        .chain(more)
        .flat_map(|name| ["--package", name]);
    let packages: Vec<&str> = packages.collect();
    must(cargo(
        &[&["build", "--bins", "--release"], packages.as_slice()].concat(),
    ))
}

/// Builds the counter page and what it uses, with the specification of the agent just built.
fn build_pages() -> anyhow::Result<()> {
    let agentd = root().join("target/release/agentd");
    let agentd = agentd.to_str().context("the path is not Unicode")?;
    for arguments in [
        &["ci", "--no-audit", "--no-fund"][..],
        &["run", "generate", "--", "--agentd", agentd],
        &["run", "build"],
    ] {
        let mut npm = command("npm", arguments);
        npm.current_dir(root().join("agent/sdk"));
        must(npm)?;
    }
    Ok(())
}
