//! The long forms of the scenarios; the tests run the same code in short.
//!
//! Usage: `soak [NAME...] [--kills N] [--seed N]`; without a name, all of them.
//! SIGINT and SIGTERM end it, with every process that it has started.
#![expect(clippy::print_stdout, reason = "a command-line program prints")]

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use harness::{Patience, Signals};
use scenarios::devices::{codes, load, papers, plugging, power_cuts};
use scenarios::footprint::Growth;
use scenarios::telemetry::kills;
use scenarios::{canaries, hostile, storm, troubles};

/// A soak by its name.
type Soak = (&'static str, fn(&Wishes) -> anyhow::Result<String>);

/// How long a soak is to be, where it can be told.
#[derive(Debug)]
struct Wishes {
    /// How many processes of telemetry are killed.
    kills: u64,
    /// What decides who is killed when.
    seed: u64,
}

const SOAKS: &[Soak] = &[
    ("lifts", |_| troubles::lifts(5)),
    ("hangs", |_| troubles::hangs(1)),
    ("outages", |_| troubles::outages(100, 1)),
    ("storm", |_| storm::storm(100_000, 1)),
    ("hostile", |_| hostile::hostile(20_000, 1)),
    ("swaps", |_| troubles::swaps(500)),
    ("canaries", |_| canaries::canaries(10)),
    ("redaction-removed", |_| canaries::redaction_removed()),
    ("codes", |_| codes::codes()),
    ("papers", |_| papers::papers()),
    ("power-cuts", |_| power_cuts::power_cuts(20_000, 1)),
    ("plugging", |_| plugging::plugging(TICKETS, 1000, 1, LITTLE)),
    ("load", |_| load::load(TICKETS, 4_000, 1, LITTLE)),
    ("telemetry", |wishes| {
        kills::kills(wishes.kills, wishes.seed)
    }),
];

/// What a shell tells of a program that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// As many as a ticket printer's host remembers at most; it grows until it does.
const TICKETS: u64 = 10_000;

/// What a process may grow while it does more of the same: one in a hundred.
const LITTLE: Growth = Growth {
    per_cent: 1,
    kib: 64,
};

fn main() -> anyhow::Result<ExitCode> {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let wishes = wishes(&mut wanted)?;
    for name in &wanted {
        if !SOAKS.iter().any(|(known, _)| known == name) {
            let known: Vec<&str> = SOAKS.iter().map(|(known, _)| *known).collect();
            bail!("no soak {name:?}; there are {}", known.join(", "));
        }
    }
    let outcome = Signals::run_until_signalled(move || run(&wanted, &wishes))?;
    Ok(outcome.unwrap_or_else(|| ExitCode::from(INTERRUPTED)))
}

/// Runs the soaks that are wanted, and tells how each went.
fn run(wanted: &[String], wishes: &Wishes) -> ExitCode {
    let mut all_held = true;
    for (name, soak) in SOAKS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let clock = Patience::seconds(0);
        let (mark, text) = match soak(wishes) {
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
    if all_held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Takes the options out of the arguments; what is left are names.
fn wishes(arguments: &mut Vec<String>) -> anyhow::Result<Wishes> {
    Ok(Wishes {
        kills: option(arguments, "--kills")?.unwrap_or(1000),
        seed: option(arguments, "--seed")?.unwrap_or(1),
    })
}

/// Takes one option and its number out of the arguments.
fn option(arguments: &mut Vec<String>, name: &str) -> anyhow::Result<Option<u64>> {
    let Some(place) = arguments.iter().position(|word| word == name) else {
        return Ok(None);
    };
    let mut taken = arguments.drain(place..arguments.len().min(place + 2));
    let number = taken.nth(1).and_then(|number| number.parse().ok());
    Ok(Some(
        number.with_context(|| format!("{name} takes a number"))?,
    ))
}
