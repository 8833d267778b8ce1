//! Decides which faults strike a command: pure, and the same every time for the same seed.
//!
//! The order of the plan is the order in which faults act; several may strike one command.

use crate::apdu::CommandApdu;
use crate::fault::{Clearing, Fault, FaultPlan, Kind, Place, PlanError, Side};
use crate::random::Random;

/// VERIFY (ISO/IEC 7816-4, 11.6.6).
const INS_VERIFY: u8 = 0x20;

/// The state of a fault plan.
#[derive(Debug, Default)]
pub struct Injector {
    rules: Vec<Rule>,
    random: Random,
    commands: u64,
}

/// What strikes one command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Firing {
    /// Before the card has seen the command.
    pub before: Vec<Kind>,
    /// After the card has processed it.
    pub after: Vec<Kind>,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    struck: u32,
    over: bool,
}

impl Injector {
    /// An injector that carries out `plan`.
    ///
    /// # Errors
    ///
    /// When the plan cannot be carried out.
    pub fn new(plan: FaultPlan) -> Result<Self, PlanError> {
        plan.check()?;
        let random = Random::new(plan.seed);
        let rules = plan
            .faults
            .into_iter()
            .map(|fault| Rule {
                fault,
                struck: 0,
                over: false,
            })
            .collect();
        Ok(Self {
            rules,
            random,
            commands: 0,
        })
    }

    /// What strikes this command.
    pub fn command(&mut self, command: &CommandApdu) -> Firing {
        self.commands += 1;
        let mut firing = Firing::default();
        for rule in &mut self.rules {
            let here = match rule.fault.place {
                Place::Command(number) => number == self.commands,
                Place::Ins(ins) => ins == command.ins,
                Place::Verify => command.ins == INS_VERIFY && !command.data.is_empty(),
                Place::Every => true,
                Place::PowerOn => false,
            };
            if here && rule.strikes(&mut self.random) {
                match rule.fault.true_side() {
                    Side::Before => firing.before.push(rule.fault.kind),
                    Side::After => firing.after.push(rule.fault.kind),
                }
            }
        }
        firing
    }

    /// What strikes while the reader powers the card.
    pub fn power_on(&mut self) -> Vec<Kind> {
        self.reset();
        let mut kinds = Vec::new();
        for rule in &mut self.rules {
            if rule.fault.place == Place::PowerOn && rule.strikes(&mut self.random) {
                kinds.push(rule.fault.kind);
            }
        }
        kinds
    }

    /// The reader pulled the reset line.
    pub fn reset(&mut self) {
        self.clear(Clearing::OnReset);
    }

    /// The card was put down: commands count from one again.
    pub fn inserted(&mut self) {
        self.commands = 0;
        self.clear(Clearing::OnReinsert);
    }

    /// The faults that are not over yet.
    #[must_use]
    pub fn remaining(&self) -> Vec<Fault> {
        let left = self.rules.iter().filter(|rule| !rule.over);
        left.map(|rule| rule.fault.clone()).collect()
    }

    /// Random bytes, 2 to 257 of them, by the plan's seed.
    pub fn garbage(&mut self) -> Vec<u8> {
        let length = 2 + usize::from(self.random.byte());
        (0..length).map(|_| self.random.byte()).collect()
    }

    /// A fault that clears on an occasion is over at the first such occasion after it has struck:
    /// a plan set before the card is put down would otherwise be over at once.
    fn clear(&mut self, occasion: Clearing) {
        for rule in &mut self.rules {
            if rule.fault.clears_when == occasion && rule.struck > 0 {
                rule.over = true;
            }
        }
    }
}

impl Rule {
    fn strikes(&mut self, random: &mut Random) -> bool {
        if self.over {
            return false;
        }
        if let Some(chance) = self.fault.chance_per_mille
            && !random.chance(chance)
        {
            return false;
        }
        self.struck = self.struck.saturating_add(1);
        self.over = match self.fault.clears_when {
            Clearing::Once => true,
            Clearing::After(times) => self.struck >= times,
            Clearing::OnReinsert | Clearing::OnReset | Clearing::Never => false,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(place: Place, clears_when: Clearing) -> Fault {
        Fault {
            place,
            side: Side::Before,
            kind: Kind::Lift,
            clears_when,
            chance_per_mille: None,
        }
    }

    fn injector(faults: Vec<Fault>) -> Injector {
        Injector::new(FaultPlan { seed: 1, faults }).unwrap()
    }

    fn read() -> CommandApdu {
        CommandApdu::parse(&[0, 0xB0, 0, 0, 0]).unwrap()
    }

    fn struck(injector: &mut Injector, times: usize) -> Vec<bool> {
        (0..times)
            .map(|_| !injector.command(&read()).before.is_empty())
            .collect()
    }

    #[test]
    fn the_nth_command_is_counted_from_one_and_anew_when_the_card_is_put_down() {
        let mut injector = injector(vec![fault(Place::Command(2), Clearing::Never)]);
        assert_eq!(struck(&mut injector, 3), [false, true, false]);
        injector.inserted();
        assert_eq!(struck(&mut injector, 3), [false, true, false]);
    }

    #[test]
    fn a_fault_is_over_after_the_number_of_strikes_it_was_given() {
        let mut once = injector(vec![fault(Place::Every, Clearing::Once)]);
        assert_eq!(once.remaining().len(), 1);
        assert_eq!(struck(&mut once, 3), [true, false, false]);
        assert!(once.remaining().is_empty());
        let mut twice = injector(vec![fault(Place::Every, Clearing::After(2))]);
        assert_eq!(struck(&mut twice, 3), [true, true, false]);
    }

    #[test]
    fn an_occasion_clears_a_fault_only_after_it_has_struck() {
        let mut injector = injector(vec![fault(Place::Every, Clearing::OnReinsert)]);
        injector.inserted();
        assert_eq!(struck(&mut injector, 2), [true, true]);
        injector.reset();
        assert_eq!(struck(&mut injector, 1), [true]);
        injector.inserted();
        assert_eq!(struck(&mut injector, 1), [false]);
    }

    #[test]
    fn a_reset_clears_what_is_to_clear_on_reset() {
        let mut injector = injector(vec![fault(Place::Every, Clearing::OnReset)]);
        assert_eq!(struck(&mut injector, 1), [true]);
        assert!(injector.power_on().is_empty());
        assert_eq!(struck(&mut injector, 1), [false]);
    }

    #[test]
    fn only_a_verify_that_carries_a_secret_counts_as_verify() {
        let mut injector = injector(vec![fault(Place::Verify, Clearing::Never)]);
        let query = CommandApdu::parse(&[0, 0x20, 0, 0x80]).unwrap();
        let verify = CommandApdu::parse(b"\x00\x20\x00\x80\x041234").unwrap();
        assert_eq!(injector.command(&query), Firing::default());
        assert_eq!(injector.command(&verify).before, [Kind::Lift]);
    }

    #[test]
    fn the_same_seed_strikes_the_same_commands() {
        let run = |seed| {
            let mut unlikely = fault(Place::Every, Clearing::Never);
            unlikely.chance_per_mille = Some(250);
            let mut injector = Injector::new(FaultPlan {
                seed,
                faults: vec![unlikely],
            })
            .unwrap();
            (struck(&mut injector, 400), injector.garbage())
        };
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
        let strikes = run(5).0.into_iter().filter(|struck| *struck).count();
        assert!(
            (50..150).contains(&strikes),
            "a quarter of 400, roughly: {strikes}"
        );
    }

    #[test]
    fn what_shortens_an_answer_lies_after_the_card_whatever_the_plan_says() {
        let mut short = fault(Place::Every, Clearing::Never);
        short.kind = Kind::Shorten(1);
        let mut injector = injector(vec![short]);
        let firing = injector.command(&read());
        assert_eq!((firing.before.len(), firing.after.len()), (0, 1));
    }
}
