//! The time of a job beside that of a bare loop that sends the same commands to the same card.
//!
//! Job and loop take turns, so that whatever slows the machine slows both.
//! That the commands are the same is not believed but read from the card's own log, headers, lengths and
//! status words in order.

use std::time::Duration;

use anyhow::ensure;
use harness::{CardExchange, Control, Counter};
use scenarios::clerk::Order;

use crate::bare::{BareLoop, Round};
use crate::commands::{Recipe, as_logged};
use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::{Times, median_ratio, ms};
use crate::supplied::{Stages, Supplier};

const SLOT: usize = 0;
const HOLDER: &str = "hanako";
const PIN: &str = "1234";
/// A real card takes about this long for a command.
const REAL_CARD_MS: u32 = 12;
/// Promised: a job takes at most this many times as long as the bare loop.
const MOST_TIMES_BARE: f64 = 1.10;

/// A part of a job or a round, and how long it took.
type Part<T> = (&'static str, fn(&T) -> Duration);

/// Jobs and bare rounds, one after the other.
struct Turns {
    pairs: Vec<(Stages, Round)>,
}

/// Measures with a card as slow as a real one, and with one that takes no time.
pub(crate) fn measure(plan: &Plan, counter: &Counter) -> anyhow::Result<Section> {
    let control = counter.control();
    control.insert(SLOT, HOLDER)?;
    let recipe = Recipe {
        key: 0x91,
        secret: PIN,
        number: false,
    };
    let commands = recipe.commands();
    let mut supplier = Supplier::at(counter, SLOT)?;
    let mut bare = BareLoop::start(counter, SLOT, &commands)?;
    let order = Order::attributes(PIN);
    // Once beforehand: the first job fills caches, and shows that both say the same to the card.
    let of_job = exchanges_of(control, || supplier.job(&order).map(drop))?;
    let of_bare = exchanges_of(control, || bare.round().map(drop))?;
    must_be_the_same(&of_job, &of_bare)?;
    let written: Vec<_> = commands
        .iter()
        .map(|command| as_logged(&command.apdu))
        .collect();
    let logged: Vec<_> = of_job
        .iter()
        .map(|seen| (seen.header.clone(), seen.data_length))
        .collect();
    ensure!(
        logged == written,
        "other commands than those written down: {logged:?}"
    );

    let mut all = Vec::new();
    for delay_ms in [REAL_CARD_MS, 0] {
        control.set_delay(delay_ms)?;
        let mut pairs = Vec::with_capacity(plan.pairs);
        for _ in 0..plan.pairs {
            pairs.push((supplier.job(&order)?, bare.round()?));
        }
        all.push(Turns { pairs });
    }
    control.set_delay(0)?;
    control.lift(SLOT)?;
    section(&all, of_job.len())
}

fn section(all: &[Turns], commands: usize) -> anyhow::Result<Section> {
    let columns = ["part, median in ms", "card 12 ms", "card 0 ms"];
    let mut section = Section::new("A job and the bare loop", &columns);
    let pairs = all.first().map_or(0, |turns| turns.pairs.len());
    section.note(format!(
        "Four attributes by PIN, {commands} commands, {pairs} pairs, job and bare loop in turn at one card."
    ));
    section.note("A job lasts from `POST /v1/jobs` to the result in hand, the record on the disk before; lease and tokens are at hand.");
    section.note("A round of the bare loop is connect, transaction, the same commands, power off; the card's log shows them equal, in order, with equal answers.");

    section.row(cells("**whole job**", all, |turns| {
        of_jobs(turns, Stages::whole)
    })?);
    section.row(cells("**whole bare round**", all, |turns| {
        of_rounds(turns, Round::whole)
    })?);
    let ratios: Vec<f64> = all.iter().map(Turns::ratio).collect();
    let mut row = vec!["**median of the pairs' ratios**".to_owned()];
    row.extend(ratios.iter().map(|ratio| format!("**{ratio:.3}**")));
    section.row(row);
    let parts: [Part<Stages>; 5] = [
        ("job: `POST` until taken on", |stages| stages.accepted),
        ("job: until the question (connect, 5 commands)", |stages| {
            stages.asked
        }),
        ("job: `POST` of the answer", |stages| stages.answered),
        (
            "job: until a result waits (11 commands, checks, power off, record)",
            |stages| stages.finished,
        ),
        ("job: `POST` for the result", |stages| stages.handed_out),
    ];
    for (name, part) in parts {
        section.row(cells(name, all, |turns| of_jobs(turns, part))?);
    }
    let parts: [Part<Round>; 3] = [
        ("bare: connect and transaction", |round| round.connecting),
        ("bare: commands", |round| round.exchanging),
        ("bare: power off", |round| round.ending),
    ];
    for (name, part) in parts {
        section.row(cells(name, all, |turns| of_rounds(turns, part))?);
    }
    let ratio = ratios.first().copied().unwrap_or(f64::NAN);
    section.goal("job / bare loop at 12 ms", (ratio, MOST_TIMES_BARE), "");
    Ok(section)
}

impl Turns {
    fn ratio(&self) -> f64 {
        let whole = |(job, bare): &(Stages, Round)| (job.whole(), bare.whole());
        median_ratio(&self.pairs.iter().map(whole).collect::<Vec<_>>())
    }
}

fn cells(
    name: &str,
    all: &[Turns],
    times: impl Fn(&Turns) -> anyhow::Result<Times>,
) -> anyhow::Result<Vec<String>> {
    let mut row = vec![name.to_owned()];
    for turns in all {
        row.push(ms(times(turns)?.median()));
    }
    Ok(row)
}

fn of_jobs(turns: &Turns, part: impl Fn(&Stages) -> Duration) -> anyhow::Result<Times> {
    Times::of(turns.pairs.iter().map(|(job, _)| part(job)))
}

fn of_rounds(turns: &Turns, part: impl Fn(&Round) -> Duration) -> anyhow::Result<Times> {
    Times::of(turns.pairs.iter().map(|(_, round)| part(round)))
}

/// What the card saw while `act` ran.
pub(crate) fn exchanges_of(
    control: &Control,
    act: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Vec<CardExchange>> {
    control.reset_counters()?;
    act()?;
    control.exchanges(SLOT)
}

fn must_be_the_same(of_job: &[CardExchange], of_bare: &[CardExchange]) -> anyhow::Result<()> {
    ensure!(
        of_job == of_bare,
        "the card saw different commands:\n{of_job:?}\n{of_bare:?}"
    );
    Ok(())
}
