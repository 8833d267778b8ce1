//! Decides which faults strike: pure, and the same every time for the same seed.
//!
//! The order of the plan is the order in which faults act; several may strike at once.

use sim_kit::Random;

use crate::fault::{Clearing, Device, Fault, FaultPlan, Kind, Place, PlanError};

/// What a device tells the injector.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Occasion<'a> {
    /// A byte came in.
    Byte,
    /// A command or request of this name is about to be carried out.
    Command(&'a str),
    /// A message is about to be sent.
    Report,
    /// A page is about to be finished.
    Page,
    /// The host connects.
    Connect,
}

/// The state of a fault plan.
#[derive(Debug, Default)]
pub(crate) struct Injector {
    rules: Vec<Rule>,
    random: Random,
    bytes: u64,
    commands: u64,
    reports: u64,
    pages: u64,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    struck: u32,
    over: bool,
}

impl Injector {
    /// An injector that carries out `plan` on `device`.
    pub(crate) fn new(plan: FaultPlan, device: Device) -> Result<Self, PlanError> {
        plan.check(device)?;
        let rule = |fault| Rule {
            fault,
            struck: 0,
            over: false,
        };
        Ok(Self {
            random: Random::new(plan.seed),
            rules: plan.faults.into_iter().map(rule).collect(),
            ..Self::default()
        })
    }

    /// What strikes on this occasion.
    pub(crate) fn strike(&mut self, occasion: Occasion<'_>) -> Vec<Kind> {
        let count = match occasion {
            Occasion::Byte => &mut self.bytes,
            Occasion::Command(_) => &mut self.commands,
            Occasion::Report => &mut self.reports,
            Occasion::Page => &mut self.pages,
            Occasion::Connect => &mut 0,
        };
        *count = count.saturating_add(1);
        let count = *count;
        let mut kinds = Vec::new();
        for rule in &mut self.rules {
            if matches(&rule.fault.place, occasion, count) && rule.strikes(&mut self.random) {
                kinds.push(rule.fault.kind);
            }
        }
        kinds
    }

    /// The cable was put back, or the power.
    pub(crate) fn replugged(&mut self) {
        for rule in &mut self.rules {
            if rule.fault.clears_when == Clearing::OnReplug && rule.struck > 0 {
                rule.over = true;
            }
        }
    }

    /// The faults that are not over yet.
    pub(crate) fn remaining(&self) -> Vec<Fault> {
        let left = self.rules.iter().filter(|rule| !rule.over);
        left.map(|rule| rule.fault.clone()).collect()
    }

    /// As many random bytes, by the plan's seed.
    pub(crate) fn garbage(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.random.byte()).collect()
    }
}

fn matches(place: &Place, occasion: Occasion<'_>, count: u64) -> bool {
    match (place, occasion) {
        (Place::Byte(n), Occasion::Byte)
        | (Place::Command(n), Occasion::Command(_))
        | (Place::Report(n), Occasion::Report)
        | (Place::Page(n), Occasion::Page) => *n == count,
        (Place::Named(wanted), Occasion::Command(name)) => wanted == name,
        (Place::EveryCommand, Occasion::Command(_))
        | (Place::EveryReport, Occasion::Report)
        | (Place::EveryPage, Occasion::Page)
        | (Place::Connect, Occasion::Connect) => true,
        _ => false,
    }
}

impl Rule {
    fn strikes(&mut self, random: &mut Random) -> bool {
        let unlikely = |random: &mut Random| {
            let chance = self.fault.chance_per_mille;
            chance.is_some_and(|chance| !random.chance(chance))
        };
        if self.over || unlikely(random) {
            return false;
        }
        self.struck = self.struck.saturating_add(1);
        self.over = match self.fault.clears_when {
            Clearing::Once => true,
            Clearing::After(times) => self.struck >= times,
            Clearing::OnReplug | Clearing::Never => false,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn injector(place: Place, clears_when: Clearing, chance: Option<u16>) -> Injector {
        let fault = Fault {
            place,
            kind: Kind::Hang,
            clears_when,
            chance_per_mille: chance,
        };
        let plan = FaultPlan {
            seed: 1,
            faults: vec![fault],
        };
        Injector::new(plan, Device::Printer).unwrap()
    }

    fn strikes(injector: &mut Injector, times: usize) -> Vec<usize> {
        (1..=times)
            .filter(|_| !injector.strike(Occasion::Command("GS V")).is_empty())
            .collect()
    }

    #[test]
    fn a_fault_strikes_where_and_as_often_as_the_plan_says() {
        let third = &mut injector(Place::Command(3), Clearing::Never, None);
        assert_eq!(strikes(third, 5), [3]);
        let twice = &mut injector(Place::Named("GS V".into()), Clearing::After(2), None);
        assert_eq!(strikes(twice, 5), [1, 2]);
        let other = &mut injector(Place::Named("ESC @".into()), Clearing::Never, None);
        assert_eq!(strikes(other, 5), [] as [usize; 0]);
        let byte = &mut injector(Place::Byte(2), Clearing::Once, None);
        let struck: Vec<bool> = (0..3)
            .map(|_| !byte.strike(Occasion::Byte).is_empty())
            .collect();
        assert_eq!(struck, [false, true, false]);
    }

    #[test]
    fn what_clears_on_replugging_lasts_until_then() {
        let lasting = &mut injector(Place::EveryCommand, Clearing::OnReplug, None);
        lasting.replugged();
        assert_eq!(strikes(lasting, 2), [1, 2]);
        lasting.replugged();
        assert_eq!(strikes(lasting, 2), [] as [usize; 0]);
        assert!(lasting.remaining().is_empty());
    }

    #[test]
    fn the_same_seed_strikes_the_same_commands() {
        let run = || {
            strikes(
                &mut injector(Place::EveryCommand, Clearing::Never, Some(300)),
                50,
            )
        };
        assert_eq!(run(), run());
        assert!((5..30).contains(&run().len()), "{:?}", run());
    }
}
