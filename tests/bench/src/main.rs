//! Measures, prints tables for `docs/measurements.md`, and fails where a goal is missed.
//!
//! Usage: `bench [--quick] [--devices | --telemetry]`; the quick form measures each thing a few times and judges
//! nothing, and the others measure the devices beside the card readers, or telemetry, alone.
#![expect(clippy::print_stdout, reason = "a command-line program prints")]

use std::process::ExitCode;

use bench::{Plan, run, run_devices, run_telemetry, serve_as};

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = arguments.len();
    arguments.retain(|argument| argument != "--quick");
    let quick = arguments.len() < given;
    let plan = if quick { Plan::quick() } else { Plan::long() };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = match arguments.as_slice() {
        [] => run(&plan)?,
        ["--devices"] => run_devices(&plan)?,
        ["--telemetry"] => run_telemetry(&plan)?,
        [role, ..] => {
            serve_as(role)?;
            return Ok(ExitCode::SUCCESS);
        }
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
