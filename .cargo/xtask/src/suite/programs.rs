//! All test programs of the workspace, a few at a time.
//!
//! Cargo runs them one after the other; most of them wait for brokers, browsers and card services, so that
//! the machine would stand idle for most of that time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::linted;
use super::step::{Outcome, Step};
use crate::run::shown;

/// How many run at a time.
const AT_A_TIME: usize = 2;
/// Those that take longest, which begin first, so that none is left alone at the end.
const LONGEST: [&str; 7] = [
    "scenarios telemetry",
    "scenarios scripted",
    "scenarios devices",
    "scenarios telemetry_brokers",
    "scenarios troubles",
    "scenarios telemetry_commands",
    "harness brokers",
];

/// What Cargo says of something that it built.
#[derive(Debug, Deserialize)]
struct Built {
    reason: String,
    package_id: Option<String>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

/// A test program.
pub(crate) struct Program {
    /// Package and target.
    pub(crate) name: String,
    pub(crate) package: String,
    folder: PathBuf,
    path: PathBuf,
}

/// Runs them all.
pub(super) fn run(programs: VecDeque<Program>) -> Vec<Outcome> {
    let waiting = Mutex::new(programs);
    let next = || {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    };
    thread::scope(|scope| {
        let work = || {
            std::iter::from_fn(next)
                .map(|one| one.step().run())
                .collect()
        };
        let workers: [_; AT_A_TIME] = std::array::from_fn(|_| scope.spawn(work));
        let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .flat_map(|worker| worker.unwrap_or_else(|_| vec![Outcome::panicked()]))
            .collect()
    })
}

/// All of them, built where they are not yet, those that take longest first.
pub(crate) fn all() -> anyhow::Result<VecDeque<Program>> {
    let mut build = linted(
        &["test", "--no-run"],
        &["--message-format=json-render-diagnostics"],
    );
    let output = build.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "`{}` failed", shown(&build));
    let mut programs = Vec::new();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            let built: Built = serde_json::from_slice(line).context("what cargo says")?;
            programs.extend(program(built));
        }
    }
    ensure!(!programs.is_empty(), "there are no test programs");
    let rank = |one: &Program| LONGEST.iter().position(|name| *name == one.name);
    programs.sort_by_key(|one| rank(one).unwrap_or(LONGEST.len()));
    Ok(programs.into())
}

/// The program, if what was built is one.
fn program(built: Built) -> Option<Program> {
    let is_test = built.reason == "compiler-artifact" && built.profile?.test;
    let folder = built.manifest_path?.parent()?.to_owned();
    let package = package_name(&built.package_id?)?;
    Some(Program {
        name: format!("{package} {}", built.target?.name),
        package,
        folder,
        path: built.executable.filter(|_| is_test)?,
    })
}

/// The name in `path+file:///folder#name@1.0.0`, or in `path+file:///name#1.0.0`.
fn package_name(id: &str) -> Option<String> {
    let (place, name) = id.split_once('#')?;
    let name = match name.split_once('@') {
        Some((name, _version)) => name,
        None => Path::new(place).file_name()?.to_str()?,
    };
    Some(name.to_owned())
}

impl Program {
    fn step(&self) -> Step {
        let mut command = self.command();
        command.arg("--quiet");
        Step::new(&self.name, command)
    }

    /// What runs it as Cargo would: in the package's folder, with what Cargo tells of it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .current_dir(&self.folder)
            .env("CARGO", env!("CARGO"))
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .env("CARGO_PKG_NAME", &self.package);
        command
    }
}
