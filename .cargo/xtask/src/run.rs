//! Starting other programs from the repository's root.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_owned()
}

/// A command that starts in the repository's root.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Cargo, the one that built this program.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command(env!("CARGO"), arguments)
}

/// A program of the toolchain that built this one.
pub(crate) fn beside_cargo(name: &str) -> PathBuf {
    Path::new(env!("CARGO")).with_file_name(name)
}

/// A program of the workspace that was built in the profile of this one; Cargo puts all into one folder.
pub(crate) fn beside_this_program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.with_file_name(name)
}

/// The folder into which Cargo builds, the one in which this program was built.
pub(crate) fn target() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.ancestors().nth(2).unwrap_or(&own).to_owned()
}

/// How a command is shown to a person.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a command to its end; fails unless it succeeds.
pub(crate) fn must(mut command: Command) -> anyhow::Result<()> {
    let text = shown(&command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{text}`"))?;
    if !status.success() {
        bail!("`{text}` failed: {status}");
    }
    Ok(())
}

/// Whether a command can be started and succeeds; what it prints is dropped.
pub(crate) fn succeeds(mut command: Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Runs a command to its end and passes its exit code on.
pub(crate) fn exit_code_of(mut command: Command) -> anyhow::Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(&command)))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
