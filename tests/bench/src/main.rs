//! Measures, prints tables for `docs/measurements.md`, and fails where a goal is missed.
//!
//! Usage: `bench [--quick]`; the quick form measures each thing a few times and judges nothing.
#![expect(clippy::print_stdout, reason = "a command-line program prints")]

use std::process::ExitCode;

use bench::{Plan, run, serve_as};

fn main() -> anyhow::Result<ExitCode> {
    let argument = std::env::args().nth(1);
    let quick = argument.as_deref() == Some("--quick");
    if let Some(role) = argument.filter(|_| !quick) {
        serve_as(&role)?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = run(&if quick { Plan::quick() } else { Plan::long() })?;
    print!("{report}");
    if quick {
        return Ok(ExitCode::SUCCESS);
    }
    let mut code = ExitCode::SUCCESS;
    for goal in report.missed() {
        println!("\nMissed: {goal}");
        code = ExitCode::FAILURE;
    }
    Ok(code)
}
