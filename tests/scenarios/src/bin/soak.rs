//! The long forms of the scenarios; the tests run the same code in short.
//!
//! Usage: `soak [NAME...]`; without a name, all of them.
#![expect(clippy::print_stdout, reason = "a command-line program prints")]

use std::process::ExitCode;

use anyhow::bail;
use harness::Patience;
use scenarios::devices::{codes, load, papers, plugging, power_cuts};
use scenarios::{canaries, hostile, storm, troubles};

/// A soak by its name.
type Soak = (&'static str, fn() -> anyhow::Result<String>);

const SOAKS: &[Soak] = &[
    ("lifts", || troubles::lifts(5)),
    ("hangs", || troubles::hangs(1)),
    ("outages", || troubles::outages(100, 1)),
    ("storm", || storm::storm(100_000, 1)),
    ("hostile", || hostile::hostile(20_000, 1)),
    ("swaps", || troubles::swaps(500)),
    ("canaries", || canaries::canaries(10)),
    ("redaction-removed", canaries::redaction_removed),
    ("codes", codes::codes),
    ("papers", papers::papers),
    ("power-cuts", || power_cuts::power_cuts(20_000, 1)),
    ("plugging", || plugging::plugging(1000, 1)),
    ("load", || load::load(10_000, 10_000, 1, LITTLE)),
];

/// What a process may grow while it does more of the same: one in a hundred.
const LITTLE: load::Growth = load::Growth {
    per_cent: 1,
    kib: 64,
};

fn main() -> anyhow::Result<ExitCode> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for name in &wanted {
        if !SOAKS.iter().any(|(known, _)| known == name) {
            let known: Vec<&str> = SOAKS.iter().map(|(known, _)| *known).collect();
            bail!("no soak {name:?}; there are {}", known.join(", "));
        }
    }
    let mut all_held = true;
    for (name, run) in SOAKS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let clock = Patience::seconds(0);
        let (mark, text) = match run() {
            Ok(text) => ("✓", text),
            Err(error) => {
                all_held = false;
                ("✗", format!("{error:#}"))
            }
        };
        println!(
            "{mark} {name} ({:.0} s): {text}",
            clock.spent().as_secs_f64()
        );
    }
    Ok(if all_held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
