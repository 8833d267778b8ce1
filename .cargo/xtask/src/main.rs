//! The project's commands, as `cargo xtask COMMAND`.
//!
//! Each command installs what it needs and is missing, says so first, and does one thing.
//! This program stays small and quick to build: it depends on next to nothing and only starts others.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program prints"
)]

mod counter;
mod fuzz;
mod judges;
mod packages;
mod run;
mod suite;
mod tck;
mod vm;
mod windows;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo           starts a whole simulated counter and prints its addresses; Ctrl-C ends it
cargo xtask demo --once    runs the scripted scenario without a browser and ends
cargo xtask test           runs everything that a change must pass
cargo xtask vm [CHECK...] [--cycles N]  runs drivers against real kernel devices in a virtual machine
cargo xtask signatures     has other programs verify what the tests of signatures left
cargo xtask windows --check  builds drivers and agent for Windows
cargo xtask soak [NAME]    runs the long forms of the scenarios
cargo xtask soak telemetry [--kills N] [--seed N]  kills device, broker and monitor, and looks whether anything is lost
cargo xtask tck            runs what shows the numbered requirements of the protocols, and lists them
cargo xtask soak fuzz [SECONDS] [TARGET...]  fuzzes every parser of outside bytes, or those named
cargo xtask bench [--devices | --telemetry]  measures, all but telemetry or one of these, and prints what docs/measurements.md records
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    perform(&arguments).unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

fn perform(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    match arguments {
        ["demo"] => counter::demo(),
        ["demo", "--once"] => counter::demo_once(),
        ["test"] => suite::test(),
        ["vm", arguments @ ..] => vm::run(arguments),
        ["signatures"] => judges::check(),
        ["windows", "--check"] => windows::check(),
        ["tck"] => tck::run(),
        ["soak", "fuzz", arguments @ ..] => fuzz::run(arguments),
        ["soak", names @ ..] => counter::soak(names),
        ["bench", options @ ..] => counter::bench(options),
        _ => {
            print!("{USAGE}");
            Ok(if arguments.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            })
        }
    }
}
