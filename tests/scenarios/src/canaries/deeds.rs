//! Everything that is done with the citizen's card in a run, the unhappy ways above all.
//!
//! Each deed says how it must end, so that a run in which the secrets never travelled cannot pass.

use agent_api::device::DeviceState;
use agent_api::job::{JobResult, QuestionKind};
use anyhow::{Context as _, ensure};
use harness::{Control, PinScreen};
use harness::{Counter, Patience};
use serde_json::{Value, json};

use super::person::{HOLDER, Person};
use crate::clerk::{Clerk, Order, Outcome};

pub(crate) const SLOT: usize = 0;

/// How a disturbed reading may end: with any clear error but this one, which would be ours.
const OUR_FAULT: &str = "AGT-INTERNAL";

/// A counter with the citizen's card on its reader.
pub(crate) struct Stage<'a> {
    pub(crate) clerk: Clerk,
    pub(crate) screen: PinScreen,
    pub(crate) person: &'a Person,
    pub(crate) control: Control,
    pub(crate) number_b: String,
    /// What the job said of itself at each change.
    pub(crate) seen: Vec<u8>,
    /// How readings ended.
    pub(crate) outcomes: Vec<String>,
}

impl<'a> Stage<'a> {
    pub(crate) fn set(counter: &Counter, person: &'a Person) -> anyhow::Result<Self> {
        let control = counter.control().clone();
        let cards = control.cards()?;
        let card = cards.iter().find(|card| card.id == HOLDER);
        let number_b = card.context("no card of the citizen")?;
        let number_b = number_b.verification_number_b.clone();
        let desk = counter.desk()?;
        let mut stage = Self {
            clerk: Clerk::at(counter, SLOT)?,
            screen: desk.screen,
            person,
            control,
            number_b,
            seen: Vec::new(),
            outcomes: Vec::new(),
        };
        stage.put_card()?;
        Ok(stage)
    }

    fn put_card(&mut self) -> anyhow::Result<()> {
        self.control.insert(SLOT, HOLDER)?;
        self.clerk.wait_for_reader(DeviceState::CardPresent)
    }

    /// Takes the card away, and everything that was to go wrong.
    pub(crate) fn lift(&self) -> anyhow::Result<()> {
        self.control.calm(SLOT)?;
        if self.control.occupied(SLOT)? {
            self.control.lift(SLOT)?;
        }
        Ok(())
    }

    /// Lets nothing more go wrong; the card lies there again with all its tries.
    pub(crate) fn calm(&mut self) -> anyhow::Result<()> {
        self.control.calm(SLOT)?;
        self.control.renew_tries(HOLDER)?;
        if self.control.occupied(SLOT)? {
            return Ok(());
        }
        self.clerk.wait_for_reader(DeviceState::Empty)?;
        self.put_card()
    }

    pub(crate) fn disturb(&self, place: &Value, side: &str, kind: &Value) -> anyhow::Result<()> {
        let fault = json!({ "where": place, "side": side, "kind": kind });
        self.control.disturb(SLOT, &json!({ "faults": [fault] }))
    }

    fn read(&mut self, order: &Order) -> anyhow::Result<Outcome> {
        let Self { clerk, seen, .. } = self;
        let outcome = clerk.read_watching(order, &mut |job| {
            seen.extend(serde_json::to_vec(job)?);
            Ok(())
        })?;
        self.note(&outcome)?;
        Ok(outcome)
    }

    pub(crate) fn note(&mut self, outcome: &Outcome) -> anyhow::Result<()> {
        if let Outcome::Failed(error) = outcome {
            ensure!(error.code != OUR_FAULT, "a reading ended with {OUR_FAULT}");
            self.seen.extend(serde_json::to_vec(error)?);
        }
        let word = outcome.code().unwrap_or("result");
        self.outcomes.push(word.to_owned());
        Ok(())
    }

    fn must_read(&mut self, order: &Order) -> anyhow::Result<JobResult> {
        match self.read(order)? {
            Outcome::Result(result) => Ok(*result),
            Outcome::Failed(error) => anyhow::bail!("a reading failed with {}", error.code),
        }
    }

    fn must_fail(&mut self, order: &Order, code: &str) -> anyhow::Result<()> {
        let outcome = self.read(order)?;
        ensure!(
            outcome.code() == Some(code),
            "{:?} instead of {code}",
            outcome.code()
        );
        Ok(())
    }

    /// Readings that succeed, with every credential; the page gets the values, so they did travel.
    pub(crate) fn read_in_every_way(&mut self) -> anyhow::Result<()> {
        let person = self.person;
        let result = self.must_read(&Order::with_number(&person.pin))?;
        let JobResult::Reading {
            attributes: Some(attributes),
            individual_number: Some(number),
            serial,
            ..
        } = result
        else {
            anyhow::bail!("a result without attributes or number");
        };
        ensure!(attributes.name.expose() == person.name(), "another name");
        ensure!(
            attributes.address.expose().contains(&person.street),
            "another address"
        );
        ensure!(
            number.expose() == person.number,
            "another individual number"
        );
        ensure!(serial.expose() == person.serial, "another serial");
        self.must_read(&Order::attributes(&person.pin))?;
        let number_b = self.number_b.clone();
        self.must_read(&Order::by_number_b(&number_b))?;
        self.must_read(&Order::identify())?;
        self.read_on_screen()
    }

    fn read_on_screen(&mut self) -> anyhow::Result<()> {
        let Self {
            clerk,
            screen,
            person,
            seen,
            ..
        } = self;
        let mut answered = 0;
        let outcome = clerk.read_watching(&Order::on_screen(), &mut |job| {
            seen.extend(serde_json::to_vec(job)?);
            let asked = job.question.as_ref();
            let asked = asked.filter(|asked| asked.kind == QuestionKind::PinOnScreen);
            if asked.is_some_and(|asked| asked.ask > answered) {
                let question = screen.wait_question(Patience::seconds(5))?;
                answered = question.ask;
                seen.extend(format!("{question:?}").into_bytes());
                screen.enter(&question, &person.pin)?;
            }
            Ok(())
        })?;
        ensure!(outcome.code().is_none(), "the screen: {:?}", outcome.code());
        self.note(&outcome)
    }

    /// PINs that do not open the card, up to the last try and beyond it.
    pub(crate) fn spend_tries(&mut self) -> anyhow::Result<()> {
        let person = self.person;
        self.must_fail(
            &Order::attributes(&format!("{}7", person.pin)),
            "PIN-FORMAT",
        )?;
        self.must_fail(&Order::attributes(&person.mistyped), "PIN-WRONG")?;
        self.must_fail(&Order::attributes(&person.mistyped), "PIN-WRONG")?;
        self.must_fail(&Order::attributes(&person.pin), "PIN-LAST-TRY")?;
        let mut last = Order::attributes(&person.pin);
        last.allow_last_try = true;
        self.must_read(&last)?;
        self.calm()
    }

    /// A reading that is given up when the PIN has been handed in, at each of its changes after that.
    pub(crate) fn cancel(&mut self) -> anyhow::Result<()> {
        self.control.set_delay(10)?;
        let Self {
            clerk,
            seen,
            person,
            ..
        } = self;
        let door = clerk.door().clone();
        let mut asked = false;
        let outcome = clerk.read_watching(&Order::with_number(&person.pin), &mut |job| {
            seen.extend(serde_json::to_vec(job)?);
            if asked && job.error.is_none() && !job.result_waiting {
                // It may have ended in between.
                let _already_over = door.cancel(&job.id);
            }
            asked |= job.question.is_some();
            Ok(())
        })?;
        self.note(&outcome)?;
        self.control.set_delay(0)?;
        self.calm()
    }

    /// A card that leaves, lies, or answers rubbish, at every kind of command.
    pub(crate) fn disturb_readings(&mut self) -> anyhow::Result<()> {
        let places = [
            json!("verify"),
            json!({ "ins": "B0" }),
            json!({ "ins": "A4" }),
            json!({ "command": 3 }),
        ];
        let kinds = [
            json!("lift"),
            json!("garbage"),
            json!({ "status": "6F00" }),
            json!({ "truncate": 1 }),
            json!({ "shorten": 3 }),
        ];
        let person = self.person;
        for place in &places {
            for kind in &kinds {
                let shortened = kind.get("truncate").or_else(|| kind.get("shorten"));
                for side in ["before", "after"] {
                    if side == "before" && shortened.is_some() {
                        continue;
                    }
                    self.disturb(place, side, kind)?;
                    self.read(&Order::with_number(&person.pin))
                        .with_context(|| format!("{kind} {side} {place}"))?;
                    self.calm()
                        .with_context(|| format!("after {kind} {side} {place}"))?;
                }
            }
        }
        Ok(())
    }

    /// Lets the card hang with the PIN on its way, does something then, and waits for the clear error.
    pub(crate) fn while_the_pin_travels(
        &mut self,
        act: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let outcome = self.travel(act)??;
        ensure!(outcome.code().is_some(), "a card that hangs was read");
        self.note(&outcome)
    }

    /// The same, where the agent itself ends, so that nobody is left to tell the error.
    pub(crate) fn until_the_agent_ends(
        &mut self,
        act: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let outcome = self.travel(act)?;
        ensure!(outcome.is_err(), "the agent answered after its end");
        Ok(())
    }

    fn travel(
        &mut self,
        act: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<anyhow::Result<Outcome>> {
        self.disturb(&json!("verify"), "before", &json!("hang"))?;
        let (control, person) = (self.control.clone(), self.person);
        let before = control.counters(SLOT)?.faults;
        let Self { clerk, seen, .. } = self;
        let order = Order::attributes(&person.pin).within_ms(10_000);
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                clerk.read_watching(&order, &mut |job| {
                    seen.extend(serde_json::to_vec(job)?);
                    Ok(())
                })
            });
            let acted = wait_for_fault(&control, before).and_then(|()| act());
            let outcome = reading
                .join()
                .map_err(|_panic| anyhow::anyhow!("the clerk panicked"))?;
            acted.map(|()| outcome)
        })
    }
}

/// Waits until a fault more than `before` has struck: then the PIN is with the card.
fn wait_for_fault(control: &Control, before: u64) -> anyhow::Result<()> {
    let patience = Patience::seconds(10);
    while control.counters(SLOT)?.faults == before {
        patience.left("the fault")?;
    }
    Ok(())
}
