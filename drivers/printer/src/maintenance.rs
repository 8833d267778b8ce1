//! What wears out and what runs out, and how long it will last.
//!
//! The estimates are plain: what is left, divided by what a ticket has used on average. The near-end sensor
//! of the printer overrides the estimate of paper, because it measures.

use device_api::FaultCode;

use crate::journal::Wear;
use crate::quirks::{Profile, Rated};
use crate::status::{Condition, Paper};

/// How much of a rated life is used when people are told, in percent.
const WORN_PERCENT: u64 = 90;
/// How much of a roll is left when people are told, in percent.
const LOW_PERCENT: u64 = 10;
/// Paper between print head and cutter, which each cut feeds, in millimetres: about 15 on TM models.
const FEED_TO_CUTTER: u64 = 15;

/// A printer's state, with what is foreseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it says of itself.
    pub condition: Condition,
    /// What it has used.
    pub wear: Wear,
    /// What is foreseen.
    pub forecast: Forecast,
    /// What people should be told although it prints.
    pub warnings: Vec<FaultCode>,
}

/// What is foreseen; `None` where nothing is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forecast {
    /// Tickets until the roll ends.
    pub tickets_of_roll: Option<u64>,
    /// Cuts until the cutter has reached its rated life.
    pub cuts: Option<u64>,
    /// Metres until the print head has reached its rated life.
    pub metres: Option<u64>,
}

impl Status {
    /// From what the printer says and what the journal has counted.
    #[must_use]
    pub fn of(condition: Condition, wear: Wear, rated: Rated, roll_metres: Option<u16>) -> Self {
        let forecast = Forecast::of(wear, rated, roll_metres);
        let mut warnings = Vec::new();
        let roll = roll_metres.map(|metres| u64::from(metres) * 1000);
        let ending =
            roll.is_some_and(|roll| roll.saturating_sub(wear.of_roll) * 100 < roll * LOW_PERCENT);
        if condition.paper == Paper::Low || (ending && condition.paper == Paper::Enough) {
            warnings.push(FaultCode::PrinterPaperLow);
        }
        let worn = |used: u64, rated: Option<u64>| {
            rated
                .is_some_and(|rated| used.saturating_mul(100) >= rated.saturating_mul(WORN_PERCENT))
        };
        if worn(wear.cuts, rated.cuts) || worn(wear.millimetres / 1000, rated.metres) {
            warnings.push(FaultCode::PrinterWorn);
        }
        Self {
            condition,
            wear,
            forecast,
            warnings,
        }
    }
}

impl Forecast {
    fn of(wear: Wear, rated: Rated, roll_metres: Option<u16>) -> Self {
        let ticket = wear
            .millimetres
            .checked_div(wear.prints)
            .filter(|length| *length > 0);
        let left =
            roll_metres.map(|metres| (u64::from(metres) * 1000).saturating_sub(wear.of_roll));
        Self {
            tickets_of_roll: left.zip(ticket).map(|(left, ticket)| left / ticket),
            cuts: rated.cuts.map(|rated| rated.saturating_sub(wear.cuts)),
            metres: rated
                .metres
                .map(|rated| rated.saturating_sub(wear.millimetres / 1000)),
        }
    }
}

/// What will have been used after a paper of so many dot lines.
#[must_use]
pub(crate) fn after_paper(wear: Wear, lines: usize, profile: &Profile) -> Wear {
    let lines = u64::try_from(lines).unwrap_or(0);
    let length = lines * 254 / (u64::from(profile.dpi) * 10) + FEED_TO_CUTTER;
    Wear {
        prints: wear.prints + u64::from(lines > 0),
        lines: wear.lines + lines,
        cuts: wear.cuts + 1,
        millimetres: wear.millimetres + length,
        of_roll: wear.of_roll + length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quirks::profile;

    fn condition(paper: Paper) -> Condition {
        Condition {
            online: true,
            paper,
            troubles: Vec::new(),
        }
    }

    #[test]
    fn a_paper_counts_its_lines_its_cut_and_its_length() {
        let profile = profile("tm-t20iii").unwrap();
        let wear = after_paper(Wear::default(), 800, profile);
        assert_eq!(
            (wear.prints, wear.lines, wear.cuts, wear.millimetres),
            (1, 800, 1, 115)
        );
        let strip = after_paper(wear, 0, profile);
        assert_eq!((strip.prints, strip.cuts), (1, 2));
    }

    #[test]
    fn people_are_told_before_parts_and_paper_end() {
        let rated = Rated {
            cuts: Some(1000),
            metres: Some(100),
        };
        let wear = Wear {
            prints: 900,
            lines: 0,
            cuts: 899,
            millimetres: 89_000,
            of_roll: 9_000,
        };
        let status = Status::of(condition(Paper::Enough), wear, rated, Some(10));
        assert_eq!(status.warnings, []);
        assert_eq!(status.forecast.cuts, Some(101));
        assert_eq!(status.forecast.tickets_of_roll, Some(10));
        let later = Wear {
            cuts: 900,
            of_roll: 9_001,
            ..wear
        };
        let status = Status::of(condition(Paper::Enough), later, rated, Some(10));
        assert_eq!(
            status.warnings,
            [FaultCode::PrinterPaperLow, FaultCode::PrinterWorn]
        );
        let status = Status::of(condition(Paper::Low), Wear::default(), rated, None);
        assert_eq!(status.warnings, [FaultCode::PrinterPaperLow]);
    }
}
