//! Power cuts at every step, and at random ones, and what the papers say afterwards.

use std::collections::BTreeMap;

use super::Rule;
use super::stamp::{Mark, document, name};
use super::world::{Cut, Part, Variant, World};
use crate::driver::{EscPosPrinter, PrintRequest, Resolution, TicketPrinter};
use crate::fault::{PaperFate, PrintError};
use crate::journal::{Progress, Unsure};

/// Tickets of one life.
const TICKETS: u8 = 3;
/// More steps than one life has.
const MOST_STEPS: u64 = 5_000;

/// What happened in many lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Lives in which the power went at least once.
    pub lives: u64,
    /// Times that the power went.
    pub cuts: u64,
    /// Cuts after which the last paper was settled as never sent, without doubt.
    pub never_sent: u64,
    /// Cuts after which nothing was in doubt, because the paper was proved, or none was on its way.
    pub settled: u64,
    /// Cuts after which a person had to look: the rate of unknown is this by `cuts`.
    pub unknown: u64,
    /// Papers with the mark that persons then asked for.
    pub reissued: u64,
}

/// A broken rule, with what is needed to see it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "rule {rule:?} is broken by variant {variant} with cuts {cuts:?}, a roll of {roll:?} and a wire pulled at {pull:?}"
)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// The printer, see [`Variant`].
    pub variant: u8,
    /// When the power went, each counted from the restart before.
    pub cuts: Vec<(u64, Part)>,
    /// Lines after which the paper ended.
    pub roll: Option<usize>,
    /// The step at which the printer's wire was pulled.
    pub pull: Option<u64>,
}

/// One power cut at every step of a life of three tickets, in every part, for every kind of printer.
///
/// # Errors
/// The first rule that is broken.
pub fn every_cut() -> Result<Report, Violation> {
    every_cut_of(0..Variant::COUNT)
}

/// The same for some kinds of printers.
pub(crate) fn every_cut_of(variants: impl IntoIterator<Item = u8>) -> Result<Report, Violation> {
    let mut report = Report::default();
    for variant in variants {
        for part in [Part::None, Part::Half, Part::All] {
            for step in 0..MOST_STEPS {
                let life = Life::new(variant, None, vec![Cut { step, part }]);
                if !life.live(&mut report)? {
                    break;
                }
            }
        }
    }
    Ok(report)
}

/// Lives with up to three power cuts at random steps; some run out of paper, and in some the printer's wire
/// is pulled while the machine goes on.
///
/// # Errors
/// The first rule that is broken.
pub fn run(seed: u64, cases: u64) -> Result<Report, Violation> {
    let mut dice = Dice(seed);
    let mut report = Report::default();
    for _ in 0..cases {
        let variant = u8::try_from(dice.below(u64::from(Variant::COUNT))).unwrap_or(0);
        let roll = (dice.below(3) == 0).then(|| usize::try_from(dice.below(40)).unwrap_or(0));
        let cuts = (0..=dice.below(3))
            .map(|_| Cut {
                step: dice.below(90),
                part: match dice.below(3) {
                    0 => Part::None,
                    1 => Part::Half,
                    _ => Part::All,
                },
            })
            .collect();
        let mut life = Life::new(variant, roll, cuts);
        life.pull = (dice.below(3) == 0).then(|| dice.below(90));
        life.live(&mut report)?;
    }
    Ok(report)
}

/// One life of a printer.
struct Life {
    world: World,
    variant: u8,
    roll: Option<usize>,
    cuts: Vec<Cut>,
    /// The step of each morning at which somebody pulls the printer's wire.
    pull: Option<u64>,
    /// Tickets that were printed after cuts only to have the printer asked.
    strangers: u8,
    /// Papers of which the driver said that nothing is of them.
    none: Vec<(u8, u8)>,
    /// Papers of which it said that they came out.
    proved: Vec<(u8, u8)>,
}

impl Life {
    fn new(variant: u8, roll: Option<usize>, cuts: Vec<Cut>) -> Self {
        let world = World::new(Variant(variant));
        world.roll(roll);
        Self {
            world,
            variant,
            roll,
            cuts,
            pull: None,
            strangers: 0,
            none: Vec::new(),
            proved: Vec::new(),
        }
    }

    /// Lives; whether the first cut came.
    fn live(mut self, report: &mut Report) -> Result<bool, Violation> {
        let mut came = false;
        for cut in self.cuts.clone() {
            self.world.cut_at(cut);
            if let Some(step) = self.pull {
                self.world.pull_at(step);
            }
            self.work();
            if !self.world.restore() {
                break;
            }
            came = true;
            self.after_cut(report)?;
        }
        report.lives += u64::from(came);
        // Quiet from here on: paper is there, and people decide.
        self.world.roll(None);
        self.work();
        self.world.roll(None);
        self.work();
        self.check_end()?;
        self.check()?;
        Ok(came)
    }

    /// A morning: every ticket that has no paper yet is asked for, and people decide about the doubtful.
    fn work(&mut self) {
        let Ok(mut driver) = self.world.driver() else {
            return;
        };
        for number in 0..TICKETS {
            let Some(ticket) = name(number) else {
                return;
            };
            let request = PrintRequest {
                ticket: ticket.clone(),
                document: document(number),
            };
            // An impatient page asks again, whatever it was told.
            for _ in 0..2 {
                let outcome = driver.print(&request, &self.world.patience(60));
                self.learn((number, 0), &outcome.map(|_| ()));
                self.tend();
            }
            self.decide(&mut driver, number);
        }
    }

    /// Somebody puts paper in where it ended; rarely enough that it can end again.
    fn tend(&self) {
        if self.roll.is_some() {
            self.world.roll(Some(25));
        }
    }

    /// Somebody looks at the papers on the floor and decides.
    fn decide(&mut self, driver: &mut EscPosPrinter, number: u8) {
        let Some(ticket) = name(number) else {
            return;
        };
        // A status first: it may be proved late.
        let asked = driver.status(&self.world.patience(30));
        if asked.is_err()
            || !driver
                .unresolved()
                .iter()
                .any(|stored| stored.ticket == ticket)
        {
            return;
        }
        let papers = self.world.papers();
        let whole = papers.iter().any(|paper| is_whole(paper, number));
        let how = if whole {
            Resolution::CameOut
        } else {
            Resolution::Reprint(&document(number))
        };
        let copy = driver
            .papers(&ticket)
            .last()
            .map_or(0, |stored| stored.copy + 1);
        let outcome = driver.resolve(&ticket, how, &self.world.patience(60));
        if !whole {
            let copy = u8::try_from(copy).unwrap_or(0x7F);
            self.learn((number, copy), &outcome.map(|_| ()));
        }
    }

    fn learn(&mut self, paper: (u8, u8), outcome: &Result<(), PrintError>) {
        match outcome {
            Ok(()) => {
                self.none.retain(|known| *known != paper);
                self.proved.push(paper);
            }
            Err(PrintError::Duplicate { .. }) => {}
            Err(error) if error.paper() == PaperFate::None => self.none.push(paper),
            Err(_) => self.none.retain(|known| *known != paper),
        }
    }

    /// Counts what one cut left behind, and checks that the journal can say it.
    fn after_cut(&mut self, report: &mut Report) -> Result<(), Violation> {
        report.cuts += 1;
        self.none.clear();
        self.check()?;
        self.world.roll(self.roll.map(|_| 60));
        let Ok(mut driver) = self.world.driver() else {
            return Err(self.violation(Rule::EveryEnd));
        };
        // The driver asks the printer before the next paper; a ticket of nobody stands for that.
        self.strangers += 1;
        let stranger = TICKETS + self.strangers;
        let Some(ticket) = name(stranger) else {
            return Ok(());
        };
        let request = PrintRequest {
            ticket,
            document: document(stranger),
        };
        let outcome = driver.print(&request, &self.world.patience(120));
        self.learn((stranger, 0), &outcome.map(|_| ()));
        let ends = (0..TICKETS)
            .filter_map(name)
            .flat_map(|ticket| driver.papers(&ticket));
        let open =
            ends.filter(|stored| matches!(stored.progress, Progress::Sent | Progress::Reserved));
        if open.count() > 0 {
            return Err(self.violation(Rule::EveryEnd));
        }
        let doubtful = driver.unresolved();
        let sure = |progress: Progress| progress == Progress::Unknown(Unsure::NeverSent);
        if doubtful.iter().any(|stored| !sure(stored.progress)) {
            report.unknown += 1;
        } else if doubtful.is_empty() {
            report.settled += 1;
        } else {
            report.never_sent += 1;
        }
        for number in 0..TICKETS {
            let before = driver.unresolved().len();
            self.decide(&mut driver, number);
            report.reissued += u64::from(driver.unresolved().len() < before);
        }
        self.check()
    }

    /// The rules that hold at every moment.
    fn check(&self) -> Result<(), Violation> {
        let papers = self.world.papers();
        let mut seen: BTreeMap<(u8, u8), usize> = BTreeMap::new();
        for paper in &papers {
            let mut owners: Vec<(u8, u8)> =
                paper.iter().map(|mark| (mark.ticket, mark.copy)).collect();
            owners.sort_unstable();
            let rows = owners.len();
            let mut marks = paper.clone();
            marks.sort_unstable();
            marks.dedup();
            if marks.len() != rows {
                return Err(self.violation(Rule::OnePaper));
            }
            owners.dedup();
            if owners.len() > 1 {
                return Err(self.violation(Rule::Apart));
            }
            for owner in owners {
                *seen.entry(owner).or_default() += 1;
            }
        }
        if seen.values().any(|papers| *papers > 1) {
            return Err(self.violation(Rule::OnePaper));
        }
        if self.none.iter().any(|paper| seen.contains_key(paper)) {
            return Err(self.violation(Rule::NoneIsNone));
        }
        let cut_off = papers
            .get(..papers.len().saturating_sub(1))
            .unwrap_or_default();
        let whole = |(ticket, copy): &(u8, u8)| {
            cut_off.iter().any(|paper| {
                is_whole(paper, *ticket) && paper.iter().all(|mark| mark.copy == *copy)
            })
        };
        if !self.proved.iter().all(whole) {
            return Err(self.violation(Rule::ProvedIsWhole));
        }
        match self.world.broken().first() {
            Some(rule) => Err(self.violation(*rule)),
            None => Ok(()),
        }
    }

    /// The rules that hold at the end, when people have decided.
    fn check_end(&self) -> Result<(), Violation> {
        let Ok(driver) = self.world.driver() else {
            return Err(self.violation(Rule::EveryEnd));
        };
        let papers = self.world.papers();
        for number in 0..TICKETS {
            let stored = name(number)
                .map(|ticket| driver.papers(&ticket))
                .unwrap_or_default();
            let ended = stored.iter().all(|stored| match stored.progress {
                Progress::Printed(_) => true,
                Progress::Unknown(_) => stored.decision.is_some(),
                Progress::Reserved | Progress::Sent => false,
            });
            if !ended || stored.is_empty() {
                return Err(self.violation(Rule::EveryEnd));
            }
            if !papers.iter().any(|paper| is_whole(paper, number)) {
                return Err(self.violation(Rule::Served));
            }
            let proved = stored
                .iter()
                .filter(|stored| matches!(stored.progress, Progress::Printed(_)));
            for stored in proved {
                let whole = papers.iter().any(|paper| {
                    is_whole(paper, number)
                        && paper.iter().all(|mark| u32::from(mark.copy) == stored.copy)
                });
                if !whole {
                    return Err(self.violation(Rule::ProvedIsWhole));
                }
            }
        }
        Ok(())
    }

    fn violation(&self, rule: Rule) -> Violation {
        Violation {
            rule,
            variant: self.variant,
            cuts: self.cuts.iter().map(|cut| (cut.step, cut.part)).collect(),
            roll: self.roll,
            pull: self.pull,
        }
    }
}

/// Whether every line of this ticket is on this paper.
fn is_whole(paper: &[Mark], ticket: u8) -> bool {
    paper.len() == usize::from(Mark::ROWS) && paper.iter().all(|mark| mark.ticket == ticket)
}

/// SplitMix64: the same lives for the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % sides.max(1)
    }
}
