//! `kernel-run [WORD...] [--cycles N]`: runs the checks whose names hold one of the words, all without.
//!
//! Exit codes: 0 where all passed, 1 where one failed, 2 where nothing could be run.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program prints"
)]

use std::process::ExitCode;

use kernel::checks::{ALL, BY_NAME, Check};
use kernel::machine::Machine;

/// As many cycles as fit into the tests.
const USUAL_CYCLES: u32 = 7;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<bool> {
    let (mut words, mut cycles) = (Vec::new(), USUAL_CYCLES);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--cycles" {
            cycles = rest.next().map_or(Ok(USUAL_CYCLES), |text| text.parse())?;
        } else {
            words.push(argument.as_str());
        }
    }
    let mut machine = Machine::begin(cycles)?;
    let is_named =
        |check: &&Check| words.is_empty() || words.iter().any(|word| check.name.contains(word));
    let by_name = BY_NAME.iter().filter(|_| !words.is_empty());
    let named: Vec<&Check> = ALL.iter().chain(by_name).filter(is_named).collect();
    anyhow::ensure!(!named.is_empty(), "no check is named so");
    let mut all_passed = true;
    for check in named {
        all_passed &= passes(check, &mut machine);
    }
    Ok(all_passed)
}

fn passes(check: &Check, machine: &mut Machine) -> bool {
    machine.catch_up();
    let begun = machine.clock.now();
    let outcome = (check.run)(machine);
    let took = machine.clock.now().since(begun).as_millis();
    match outcome {
        Ok(()) => println!("ok     {:<70} {took:>6} ms", check.name),
        Err(error) => {
            println!("FAILED {:<70} {took:>6} ms: {error:#}", check.name);
            return false;
        }
    }
    true
}
