//! Random sequences of everything at once: right and wrong PINs, transport errors, lifted cards, jobs
//! given up, two clients at one reader, and a second program that interleaves its own commands.
//!
//! What must hold, counted at the cards: no card is ever blocked.
//! And a read with the right PIN, two or more tries left and no fault of its own succeeds, all but one in a
//! thousand, whatever the others do.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

use agent_api::device::DeviceState;
use agent_api::job::JobState;
use anyhow::{Context as _, ensure};
use harness::{CardView, Control, Counter, Options, binary};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::clerk::{Clerk, Order, Outcome};

/// One citizen for each reader.
///
/// Two clients at each reader, each with a stream and a connection, are all that one origin may have open.
const HOLDERS: [&str; 4] = ["hanako", "taro", "variation", "plane-two"];

/// Sequences after which a clerk fetches a new token.
const TOKEN_FOR: u32 = 100;

/// Of a thousand undisturbed reads with the right PIN, how many may fail.
const MAY_FAIL_PER_MILLE: u64 = 1;

/// What was done and how it ended.
#[derive(Debug, Default)]
struct Tally {
    sequences: u64,
    undisturbed: u64,
    undisturbed_failed: BTreeMap<String, u64>,
    disturbed: BTreeMap<String, u64>,
    wrong_pins: u64,
    last_tries_kept: u64,
}

/// Plays `sequences` random sequences on four readers at once.
///
/// # Errors
/// When a card was blocked, undisturbed reads fail, or the agent does not behave as promised.
pub fn storm(sequences: u64, seed: u64) -> anyhow::Result<String> {
    let mut agent = toml::Table::new();
    agent.insert("requests_per_second".to_owned(), 10_000.into());
    let options = Options {
        slots: HOLDERS.len(),
        log: "warn".to_owned(),
        agent,
        ..Options::default()
    };
    let counter = Counter::start(&options)?;
    let mut interferer = start_interferer(&counter, seed)?;
    let cards = counter.control().cards()?;
    let share = sequences.div_ceil(HOLDERS.len() as u64);
    let tallies = std::thread::scope(|scope| {
        let mut lanes = Vec::new();
        for (slot, holder) in HOLDERS.iter().enumerate() {
            let card = cards.iter().find(|card| card.id == *holder);
            let card = card.context("the simulation has another set of holders")?;
            let lane = Lane::at(&counter, slot, card, seed)?;
            lanes.push(scope.spawn(move || lane.play(share)));
        }
        let ended = lanes.into_iter().map(|lane| {
            lane.join()
                .map_err(|_panic| anyhow::anyhow!("a lane panicked"))?
        });
        ended.collect::<anyhow::Result<Vec<Tally>>>()
    });
    drop(interferer.stdin.take());
    let mut deeds = String::new();
    let output = interferer
        .stdout
        .take()
        .context("the interferer's output")?;
    std::io::BufReader::new(output).read_line(&mut deeds)?;
    interferer.wait()?;
    let tallies = tallies.with_context(|| format!("seed {seed}"))?;
    let blocked = blocked_cards(&counter)?;
    counter.stop()?;
    ensure!(blocked == 0, "seed {seed}: {blocked} cards were blocked");
    conclude(&tallies, deeds.trim(), seed)
}

fn start_interferer(counter: &Counter, seed: u64) -> anyhow::Result<Child> {
    Command::new(binary("interferer")?)
        .arg(seed.to_string())
        .args(counter.pcscd.readers())
        .env("PCSCLITE_CSOCK_NAME", counter.pcscd.socket())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the interferer")
}

fn blocked_cards(counter: &Counter) -> anyhow::Result<u64> {
    let mut blocked = 0;
    for slot in 0..HOLDERS.len() {
        let counters = counter.control().counters(slot)?;
        blocked += counters.blocked + counters.refused_as_blocked;
    }
    Ok(blocked)
}

fn conclude(tallies: &[Tally], deeds: &str, seed: u64) -> anyhow::Result<String> {
    let sum = |figure: fn(&Tally) -> u64| tallies.iter().map(figure).sum::<u64>();
    let merge = |figure: fn(&Tally) -> &BTreeMap<String, u64>| {
        let mut all = BTreeMap::<String, u64>::new();
        for (code, times) in tallies.iter().flat_map(figure) {
            *all.entry(code.clone()).or_default() += times;
        }
        all
    };
    let undisturbed = sum(|tally| tally.undisturbed);
    let failed = merge(|tally| &tally.undisturbed_failed);
    let failures: u64 = failed.values().sum();
    let text = format!(
        "{} sequences, seed {seed}: no card blocked; {undisturbed} undisturbed reads with the right PIN, \
         {failures} failed {failed:?}; {} wrong PINs, {} last tries kept; disturbed jobs ended {:?}; \
         the other program: {deeds}",
        sum(|tally| tally.sequences),
        sum(|tally| tally.wrong_pins),
        sum(|tally| tally.last_tries_kept),
        merge(|tally| &tally.disturbed),
    );
    ensure!(
        failures * 1000 <= undisturbed * MAY_FAIL_PER_MILLE,
        "too many failed: {text}"
    );
    Ok(text)
}

/// One reader with its card, its clerk, and a rival who wants the same reader.
struct Lane<'a> {
    control: Control,
    slot: usize,
    card: &'a CardView,
    clerk: Clerk,
    rival: Clerk,
    random: StdRng,
    tally: Tally,
}

impl<'a> Lane<'a> {
    fn at(counter: &Counter, slot: usize, card: &'a CardView, seed: u64) -> anyhow::Result<Self> {
        let control = counter.control().clone();
        control.insert(slot, &card.id)?;
        let mut clerk = Clerk::at(counter, slot)?;
        clerk.wait_for_reader(DeviceState::CardPresent)?;
        Ok(Self {
            control,
            slot,
            card,
            clerk,
            rival: Clerk::at(counter, slot)?,
            random: StdRng::seed_from_u64(seed ^ (slot as u64) << 32),
            tally: Tally::default(),
        })
    }

    fn play(mut self, sequences: u64) -> anyhow::Result<Tally> {
        for sequence in 0..sequences {
            if sequence % u64::from(TOKEN_FOR) == 0 {
                self.clerk.renew_token()?;
                self.rival.renew_token()?;
            }
            let played = match self.random.random_range(0..100) {
                0..45 => self.undisturbed_read(),
                45..60 => self.wrong_pin(),
                60..65 => self.clerk.read(&Order::identify()).map(drop),
                65..75 => self.rivalry(),
                75..80 => self.job_given_up(),
                80..97 => self.transport_error(),
                _ => self.lifted_card(),
            };
            played.with_context(|| format!("slot {}, sequence {sequence}", self.slot))?;
            self.tally.sequences += 1;
        }
        Ok(self.tally)
    }

    fn right_order(&mut self) -> Order {
        match self.random.random_range(0..6) {
            0 => Order::with_number(&self.card.pin),
            1 => Order::by_number_b(&self.card.verification_number_b),
            _ => Order::attributes(&self.card.pin),
        }
    }

    fn tries(&self) -> anyhow::Result<u64> {
        let tries = self.control.tries(&self.card.id)?;
        tries
            .get("pin")
            .and_then(Value::as_u64)
            .context("the card counts its tries")
    }

    fn undisturbed_read(&mut self) -> anyhow::Result<()> {
        let order = self.right_order();
        let tries = self.tries()?;
        let outcome = self.clerk.read(&order)?;
        if tries >= 2 {
            self.note_undisturbed(&outcome);
        } else if self.needs_pin(&order) {
            ensure!(
                outcome.code() == Some("PIN-LAST-TRY"),
                "{:?} with one try left",
                outcome.code()
            );
            self.tally.last_tries_kept += 1;
            let allowed = Order {
                allow_last_try: true,
                ..order
            };
            self.clerk.read(&allowed)?;
        }
        Ok(())
    }

    fn needs_pin(&self, order: &Order) -> bool {
        order.secret.as_ref() == Some(&self.card.pin)
    }

    fn note_undisturbed(&mut self, outcome: &Outcome) {
        self.tally.undisturbed += 1;
        if let Some(code) = outcome.code() {
            *self
                .tally
                .undisturbed_failed
                .entry(code.to_owned())
                .or_default() += 1;
        }
    }

    fn wrong_pin(&mut self) -> anyhow::Result<()> {
        let wrong = if self.card.pin == "0000" {
            "0001"
        } else {
            "0000"
        };
        let before = self.tries()?;
        let outcome = self.clerk.read(&Order::attributes(wrong))?;
        let code = outcome.code().context("a wrong PIN was accepted")?;
        if before == 1 {
            ensure!(code == "PIN-LAST-TRY", "{code} with one try left");
            self.tally.last_tries_kept += 1;
        }
        self.tally.wrong_pins += u64::from(code == "PIN-WRONG");
        ensure!(self.tries()? >= 1, "the card is blocked");
        Ok(())
    }

    /// Two clients at one reader, in the same moment; each gets its turn.
    fn rivalry(&mut self) -> anyhow::Result<()> {
        if self.tries()? < 2 {
            return self.undisturbed_read();
        }
        let (order, other) = (self.right_order(), self.right_order());
        let Self { clerk, rival, .. } = self;
        let (ours, theirs) = std::thread::scope(|scope| {
            let theirs = scope.spawn(move || rival.read(&other));
            let ours = clerk.read(&order);
            let theirs = theirs
                .join()
                .map_err(|_panic| anyhow::anyhow!("the rival panicked"));
            (ours, theirs)
        });
        self.note_undisturbed(&ours?);
        self.note_undisturbed(&theirs??);
        Ok(())
    }

    fn job_given_up(&mut self) -> anyhow::Result<()> {
        let door = self.clerk.door().clone();
        let order = Order {
            secret: None,
            ..Order::attributes(&self.card.pin)
        };
        let mut cancelled = false;
        let outcome = self.clerk.read_watching(&order, &mut |job| {
            if job.question.is_some() && !cancelled && job.state == JobState::Running {
                cancelled = true;
                door.cancel(&job.id)?;
            }
            Ok(())
        })?;
        self.note_disturbed(&outcome);
        Ok(())
    }

    fn transport_error(&mut self) -> anyhow::Result<()> {
        let kind = match self.random.random_range(0..5) {
            0 => json!("garbage"),
            1 => json!("oneByte"),
            2 => json!({ "truncate": self.random.random_range(1..4) }),
            3 => json!({ "shorten": self.random.random_range(1..20) }),
            _ => json!({ "status": "6F00" }),
        };
        self.disturb(&kind)?;
        let order = self.right_order();
        let outcome = self.clerk.read(&order)?;
        self.note_disturbed(&outcome);
        self.control.calm(self.slot)?;
        ensure!(self.tries()? >= 1, "the card is blocked");
        Ok(())
    }

    fn lifted_card(&mut self) -> anyhow::Result<()> {
        self.disturb(&json!("lift"))?;
        let order = self.right_order();
        let outcome = self.clerk.read(&order)?;
        self.note_disturbed(&outcome);
        self.control.calm(self.slot)?;
        if self.control.occupied(self.slot)? {
            return Ok(());
        }
        self.clerk.wait_for_reader(DeviceState::Empty)?;
        self.control.insert(self.slot, &self.card.id)?;
        self.clerk.wait_for_reader(DeviceState::CardPresent)
    }

    fn disturb(&mut self, kind: &Value) -> anyhow::Result<()> {
        // An answer can only be cut once there is one.
        let cut = kind.get("truncate").is_some() || kind.get("shorten").is_some();
        let side = if cut || self.random.random_bool(0.5) {
            "after"
        } else {
            "before"
        };
        let command = self.random.random_range(1..=17);
        let fault = json!({ "where": { "command": command }, "side": side, "kind": kind });
        let plan = json!({ "seed": self.random.random::<u32>(), "faults": [fault] });
        self.control.disturb(self.slot, &plan)
    }

    fn note_disturbed(&mut self, outcome: &Outcome) {
        let code = outcome.code().unwrap_or("no error");
        *self.tally.disturbed.entry(code.to_owned()).or_default() += 1;
    }
}
