//! One step: a command that must succeed, what it printed, and how long it took.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::run::{shown, target};

/// No step may take longer; one that does hangs.
const LONGEST: &str = "900";
/// Where what steps print lies, within the target folder.
const FOLDER: &str = "suite";

/// A command that must succeed.
pub(super) struct Step {
    name: String,
    command: Command,
    /// Whether it fails where it prints anything.
    silent: bool,
}

/// What came of a step.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) passed: bool,
    pub(super) took: Duration,
}

/// Makes the folder anew.
pub(super) fn begin() -> anyhow::Result<()> {
    let folder = target().join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())
}

impl Step {
    pub(super) fn new(name: &str, command: Command) -> Self {
        Self {
            name: name.to_owned(),
            command,
            silent: false,
        }
    }

    /// The same, which fails also where it prints anything: a warning.
    pub(super) fn silent(self) -> Self {
        Self {
            silent: true,
            ..self
        }
    }

    /// Runs it to its end, tells how it went, and shows what it printed where it failed.
    #[expect(
        clippy::disallowed_methods,
        reason = "the summary tells how long each step took"
    )]
    pub(super) fn run(self) -> Outcome {
        let begun = Instant::now();
        let printed = target().join(FOLDER).join(file_name(&self.name));
        let ended = end_of(&self.command, &printed);
        let spoke = self.silent && fs::metadata(&printed).is_ok_and(|printed| printed.len() > 0);
        let outcome = Outcome {
            passed: matches!(ended, Ok(true)) && !spoke,
            took: begun.elapsed(),
            name: self.name,
        };
        outcome.tell();
        if !outcome.passed {
            println!("== {}", shown(&self.command));
            show(&printed);
            if let Err(error) = ended {
                println!("cannot start it: {error}");
            }
        }
        outcome
    }
}

impl Outcome {
    /// The outcome of a lane of steps in which this program itself failed.
    pub(super) fn panicked() -> Self {
        Self {
            name: "steps side by side".to_owned(),
            passed: false,
            took: Duration::ZERO,
        }
    }

    fn tell(&self) {
        let mark = if self.passed { "✓" } else { "✗" };
        println!(
            "{mark} {:<40} {:>7.1} s",
            self.name,
            self.took.as_secs_f64()
        );
    }
}

/// Tells of all again, those that failed last.
pub(super) fn summarise(outcomes: &[Outcome]) {
    println!();
    let (passed, failed): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.passed);
    passed.iter().chain(&failed).for_each(|one| one.tell());
    println!("{} of {} failed", failed.len(), outcomes.len());
}

/// Whether it succeeds, under `timeout`, which ends everything that it started.
fn end_of(command: &Command, printed: &Path) -> io::Result<bool> {
    let file = File::create(printed)?;
    let mut limited = Command::new("timeout");
    limited
        .args(["--kill-after=10", LONGEST])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        limited.envs(value.map(|value| (name, value)));
    }
    Ok(limited.status()?.success())
}

/// Bytes as they came: what others print need not be text.
fn show(printed: &Path) {
    let shown = fs::read(printed).and_then(|bytes| io::stdout().lock().write_all(&bytes));
    if let Err(error) = shown {
        println!("cannot read {}: {error}", printed.display());
    }
}

fn file_name(name: &str) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    PathBuf::from(name.chars().map(plain).collect::<String>()).with_extension("log")
}
