//! The program: hands the command line to the library and returns its exit code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    agentd::cli::run(agentd::cli::Cli::parse())
}
