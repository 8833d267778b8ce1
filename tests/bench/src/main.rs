//! Measures, prints tables for `docs/measurements.md`, and fails where a goal is missed.
//!
//! Usage: `bench [--quick | --devices]`; the quick form measures each thing a few times and judges nothing, and
//! the other measures the devices beside the card readers alone.
#![expect(clippy::print_stdout, reason = "a command-line program prints")]

use std::process::ExitCode;

use bench::{Plan, run, run_devices, serve_as};

fn main() -> anyhow::Result<ExitCode> {
    let argument = std::env::args().nth(1);
    let quick = argument.as_deref() == Some("--quick");
    let devices = argument.as_deref() == Some("--devices");
    if let Some(role) = argument.filter(|_| !quick && !devices) {
        serve_as(&role)?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = if devices {
        run_devices(&Plan::long())?
    } else {
        run(&if quick { Plan::quick() } else { Plan::long() })?
    };
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
