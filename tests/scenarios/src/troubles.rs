//! Trouble at every moment of a read: cards lifted, cards that hang, a card service that is killed.
//!
//! After each trouble: exactly one clear error, the next read works, and nothing is held that was not
//! held before.

use std::collections::BTreeMap;
use std::time::Duration;

use agent_api::device::DeviceState;
use anyhow::{Context as _, ensure};
use harness::{Counter, Options, Patience};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use crate::clerk::{Clerk, Order, Outcome};
use crate::footprint::Footprint;
use crate::last_words::last_words;

const SLOT: usize = 0;
const HOLDER: &str = "hanako";
const PIN: &str = "1234";

/// Rounds after which memory counts: by then every path has run once and allocated what it keeps.
const WARM_UP: u32 = 4;

/// Reads of which commands are counted.
const COUNTED_READS: u32 = 3;

/// Within which a killed card service must be usable again, from the moment it runs.
const SERVICE_BACK_WITHIN_S: u64 = 3;

/// A counter with one clerk and one card, on which trouble is made.
struct Bench {
    counter: Counter,
    clerk: Clerk,
    codes: BTreeMap<String, u32>,
}

impl Bench {
    fn set_up() -> anyhow::Result<Self> {
        let options = Options {
            log: "debug".to_owned(),
            agent: toml::Table::from_iter([("requests_per_second".to_owned(), 1000.into())]),
            ..Options::default()
        };
        let counter = Counter::start(&options)?;
        let clerk = Clerk::at(&counter, SLOT)?;
        Ok(Self {
            counter,
            clerk,
            codes: BTreeMap::new(),
        })
    }

    fn put_card(&mut self) -> anyhow::Result<()> {
        self.counter.control().insert(SLOT, HOLDER)?;
        self.clerk.wait_for_reader(DeviceState::CardPresent)
    }

    fn take_card(&mut self) -> anyhow::Result<()> {
        self.counter.control().calm(SLOT)?;
        if self.counter.control().occupied(SLOT)? {
            self.counter.control().lift(SLOT)?;
        }
        self.clerk.wait_for_reader(DeviceState::Empty)
    }

    fn disturb(&self, command: u64, side: &str, kind: &str) -> anyhow::Result<()> {
        let fault = json!({ "where": { "command": command }, "side": side, "kind": kind });
        self.counter
            .control()
            .disturb(SLOT, &json!({ "faults": [fault] }))
    }

    /// Notes the one error that a troubled read ended with, and checks that it may.
    fn note(&mut self, outcome: &Outcome, expected: &[&str]) -> anyhow::Result<()> {
        let code = outcome.code().context("a troubled read succeeded")?;
        ensure!(expected.contains(&code), "{code} instead of {expected:?}");
        *self.codes.entry(code.to_owned()).or_default() += 1;
        Ok(())
    }

    fn must_read(&mut self) -> anyhow::Result<()> {
        match self.clerk.read(&Order::attributes(PIN))? {
            Outcome::Result(_) => Ok(()),
            Outcome::Failed(error) => anyhow::bail!("the read after it failed with {}", error.code),
        }
    }

    /// Commands that one undisturbed read sends to the card: the fewest of some, because a read that waits
    /// long for its PIN connects twice.
    fn commands_of_a_read(&mut self) -> anyhow::Result<u64> {
        self.put_card()?;
        let mut fewest = u64::MAX;
        for _read in 0..COUNTED_READS {
            let before = self.counter.control().counters(SLOT)?.apdus;
            self.must_read()?;
            let commands = self.counter.control().counters(SLOT)?.apdus - before;
            fewest = fewest.min(commands);
        }
        self.take_card()?;
        Ok(fewest)
    }

    fn blocked_nobody(&self) -> anyhow::Result<()> {
        let blocked = self.counter.control().counters(SLOT)?.blocked;
        ensure!(blocked == 0, "{blocked} cards were blocked");
        Ok(())
    }

    /// Ends the counter; where the trouble was not weathered, with what the agent said last.
    fn conclude(self, weathered: anyhow::Result<String>) -> anyhow::Result<String> {
        if weathered.is_err() {
            return weathered.with_context(|| last_words(&self.counter));
        }
        self.counter.stop()?;
        weathered
    }

    fn codes(&self) -> String {
        let codes = self.codes.iter();
        let codes: Vec<String> = codes
            .map(|(code, times)| format!("{code} x{times}"))
            .collect();
        codes.join(", ")
    }
}

/// Lifts the card at every command of a read, before and after the card has processed it, `rounds` times.
///
/// # Errors
/// When an error is not clear or not alone, the next read fails, or something has grown.
pub fn lifts(rounds: u32) -> anyhow::Result<String> {
    let mut bench = Bench::set_up()?;
    let weathered = lift_everywhere(&mut bench, rounds);
    bench.conclude(weathered)
}

fn lift_everywhere(bench: &mut Bench, rounds: u32) -> anyhow::Result<String> {
    let commands = bench.commands_of_a_read()?;
    bench.put_card()?;
    let mut before = None;
    let mut lifted = 0;
    for round in 0..rounds {
        for command in 1..=commands {
            for side in ["before", "after"] {
                bench
                    .lift_at(command, side)
                    .with_context(|| format!("round {round}, lifted {side} command {command}"))?;
                lifted += 1;
                if before.is_none() && lifted >= commands {
                    before = Some(Footprint::of(&mut bench.counter)?);
                }
            }
        }
    }
    bench.blocked_nobody()?;
    let before = before.context("no round was played")?;
    let held = before.is_not_exceeded_by(&mut bench.counter)?;
    let codes = bench.codes();
    Ok(format!(
        "{lifted} lifts over {commands} commands: {codes}; every next read worked; {held}"
    ))
}

impl Bench {
    fn lift_at(&mut self, command: u64, side: &str) -> anyhow::Result<()> {
        self.disturb(command, side, "lift")?;
        let outcome = self.clerk.read(&Order::attributes(PIN))?;
        self.note(&outcome, &["CRD-REMOVED", "PIN-UNKNOWN"])?;
        self.take_card()?;
        self.put_card()?;
        self.must_read()
    }
}

/// Lets the card hang at every command of a read, or at every `step`-th.
///
/// # Errors
/// When an error is not clear or not alone, the next read fails, or something has grown.
pub fn hangs(step: usize) -> anyhow::Result<String> {
    let mut bench = Bench::set_up()?;
    let weathered = hang_everywhere(&mut bench, step);
    bench.conclude(weathered)
}

fn hang_everywhere(bench: &mut Bench, step: usize) -> anyhow::Result<String> {
    let commands = bench.commands_of_a_read()?;
    let mut before = None;
    let mut hung = 0;
    for command in (1..=commands).step_by(step) {
        bench.put_card()?;
        bench.disturb(command, "before", "hang")?;
        let order = Order::attributes(PIN).within_ms(1000);
        let outcome = bench.clerk.read(&order)?;
        bench
            .note(&outcome, &["RDR-HUNG", "PIN-UNKNOWN"])
            .with_context(|| format!("hung at command {command}"))?;
        bench.take_card()?;
        bench.put_card()?;
        bench
            .must_read()
            .with_context(|| format!("hung at command {command}"))?;
        bench.take_card()?;
        hung += 1;
        if before.is_none() && (hung == WARM_UP || step > 1) {
            before = Some(Footprint::of(&mut bench.counter)?);
        }
    }
    bench.blocked_nobody()?;
    let before = before.context("too few commands")?;
    let held = before.is_not_exceeded_by(&mut bench.counter)?;
    let codes = bench.codes();
    Ok(format!(
        "{hung} hangs over {commands} commands: {codes}; every next read worked; {held}"
    ))
}

/// Kills the card service at random moments of a read, `times` times.
///
/// # Errors
/// When an error is not clear or not alone, the service is not back in time, or something has grown.
pub fn outages(times: u32, seed: u64) -> anyhow::Result<String> {
    let mut bench = Bench::set_up()?;
    let weathered = kill_service_often(&mut bench, times, seed);
    bench.conclude(weathered)
}

fn kill_service_often(bench: &mut Bench, times: u32, seed: u64) -> anyhow::Result<String> {
    let mut random = StdRng::seed_from_u64(seed);
    // A read in which a random moment can be met: each command takes a few milliseconds.
    bench.counter.control().set_delay(3)?;
    bench.put_card()?;
    let mut before = None;
    let (mut unharmed, mut slowest) = (0, 0.0_f64);
    for time in 0..times {
        let moment = random.random_range(0..60);
        let (harmed, back) = bench
            .kill_service_after(moment)
            .with_context(|| format!("seed {seed}, kill {time}, after {moment} ms"))?;
        unharmed += u32::from(!harmed);
        slowest = slowest.max(back);
        if time == WARM_UP.min(times / 2) {
            before = Some(Footprint::of(&mut bench.counter)?);
        }
    }
    bench.blocked_nobody()?;
    let before = before.context("no time was played")?;
    let held = before.is_not_exceeded_by(&mut bench.counter)?;
    let codes = bench.codes();
    Ok(format!(
        "{times} kills, seed {seed}: {codes}; {unharmed} reads had ended before; \
         readable again after {slowest:.0} ms at most; {held}"
    ))
}

impl Bench {
    /// Returns whether the read was harmed, and the milliseconds until the next one had worked.
    fn kill_service_after(&mut self, moment_ms: u32) -> anyhow::Result<(bool, f64)> {
        let Self { counter, clerk, .. } = self;
        let outcome = std::thread::scope(|scope| {
            let (done, ended) = std::sync::mpsc::channel();
            let read = scope.spawn(move || {
                let outcome = clerk.read(&Order::attributes(PIN));
                // Nobody listens any more when the moment came first.
                let _late = done.send(());
                outcome
            });
            let _either = ended.recv_timeout(Duration::from_millis(moment_ms.into()));
            counter.pcscd.kill()?;
            read.join()
                .map_err(|_panic| anyhow::anyhow!("the clerk panicked"))?
        })?;
        let harmed = outcome.code().is_some();
        if harmed {
            self.note(&outcome, &["SVC-LOST", "SVC-ABSENT", "PIN-UNKNOWN"])?;
        }
        self.counter.pcscd.start_again()?;
        let back = Patience::seconds(SERVICE_BACK_WITHIN_S);
        self.clerk.wait_for_reader(DeviceState::CardPresent)?;
        self.must_read()?;
        back.left("the card service's return")?;
        Ok((harmed, back.spent().as_secs_f64() * 1e3))
    }
}

/// A card that is exchanged for another faster than the service looks is never mistaken for it.
///
/// # Errors
/// When a read gives the data of the card that was taken away, or fails but for the exchange itself.
pub fn swaps(times: u32) -> anyhow::Result<String> {
    let mut bench = Bench::set_up()?;
    let weathered = swap_often(&mut bench, times);
    bench.conclude(weathered)
}

fn swap_often(bench: &mut Bench, times: u32) -> anyhow::Result<String> {
    bench.put_card()?;
    let people = (("taro", "2580", "見本　太郎"), (HOLDER, PIN, "見本　花子"));
    let mut noticed = 0;
    for time in 0..times {
        let (holder, pin, name) = if time % 2 == 0 { people.0 } else { people.1 };
        bench.counter.control().lift(SLOT)?;
        bench.counter.control().insert(SLOT, holder)?;
        let outcome = bench.clerk.read(&Order::attributes(pin))?;
        let result = match outcome {
            Outcome::Result(result) => result,
            // The service looked in the very middle of the read: it saw the first card leave, or another one lie
            // there, which it tells as a reset.
            Outcome::Failed(error)
                if ["CRD-REMOVED", "CRD-INTERRUPTED"].contains(&error.code.as_str()) =>
            {
                noticed += 1;
                continue;
            }
            Outcome::Failed(error) => anyhow::bail!("swap {time}: {}", error.code),
        };
        let agent_api::job::JobResult::Reading { attributes, .. } = *result else {
            anyhow::bail!("a result of another kind");
        };
        let read = attributes.context("no attributes")?;
        ensure!(
            read.name.expose() == name,
            "swap {time}: the other card's data"
        );
    }
    Ok(format!(
        "{times} swaps at full speed: each read gave the card that lay there, \
         but for {noticed} that ended CRD-REMOVED or CRD-INTERRUPTED"
    ))
}
