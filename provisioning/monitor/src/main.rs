//! The program: the command line over the library.

use std::process::ExitCode;

use clap::Parser as _;

mod cli;
mod platform;

fn main() -> ExitCode {
    cli::run(cli::Cli::parse())
}
