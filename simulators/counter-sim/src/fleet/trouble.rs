//! What goes wrong at the devices of a fleet: printers without paper, readers that are gone.

use clap::Args;
use sim_kit::Random;

use super::random::{around, below};

/// How often devices fail.
#[derive(Debug, Clone, Copy, Args)]
pub struct TroubleModel {
    /// Every so many seconds something fails at each device, on average; 0 for never.
    #[arg(long = "fault-every", value_name = "SECONDS", default_value_t = 0)]
    pub fault_every: u32,
    /// For so many seconds it stays so, on average.
    #[arg(long = "fault-for", value_name = "SECONDS", default_value_t = 120)]
    pub fault_for: u32,
}

/// A kind of trouble: at which device, its class, and the fault.
pub(super) type Kind = (&'static str, &'static str, &'static str);

/// Everything that fails; the codes are those of docs/errors.md.
pub(super) const KINDS: [Kind; 4] = [
    ("printer-1", "ticketPrinter", "PRN-PAPER-OUT"),
    ("printer-1", "ticketPrinter", "PRN-COVER-OPEN"),
    ("printer-1", "ticketPrinter", "PRN-OFFLINE"),
    ("reader-1", "cardReader", "RDR-GONE"),
];

/// What is wrong at one device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    model: TroubleModel,
    now: Option<Kind>,
    changes_at: u64,
}

impl TroubleModel {
    /// A device at which nothing is wrong yet.
    pub(super) fn draw(self, random: &mut Random) -> Trouble {
        let every = u64::from(self.fault_every) * 1000;
        Trouble {
            model: self,
            now: None,
            changes_at: if every == 0 {
                u64::MAX
            } else {
                below(random, every)
            },
        }
    }
}

impl Trouble {
    /// What is wrong now.
    pub(super) const fn now(&self) -> Option<Kind> {
        self.now
    }

    /// What was raised or cleared since the last look, if anything was.
    pub(super) fn change(&mut self, now: u64, random: &mut Random) -> Option<(Kind, bool)> {
        if now < self.changes_at {
            return None;
        }
        let (change, mean) = match self.now.take() {
            Some(kind) => ((kind, false), self.model.fault_every),
            None => {
                let length = u64::try_from(KINDS.len()).unwrap_or(1);
                let place = usize::try_from(below(random, length)).unwrap_or(0);
                let kind = *KINDS.get(place)?;
                self.now = Some(kind);
                ((kind, true), self.model.fault_for)
            }
        };
        self.changes_at = now.saturating_add(around(random, u64::from(mean) * 1000).max(1));
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_raised_is_cleared_before_anything_else_is_raised() {
        let model = TroubleModel {
            fault_every: 30,
            fault_for: 5,
        };
        let mut random = Random::new(5);
        let mut trouble = model.draw(&mut random);
        let mut raised = None;
        let mut changes = 0;
        for second in 0..1000 {
            if let Some((kind, is_raised)) = trouble.change(second * 1000, &mut random) {
                assert_eq!(raised.is_some(), !is_raised);
                raised = is_raised.then_some(kind);
                assert_eq!(trouble.now(), raised);
                changes += 1;
            }
        }
        assert!((35..100).contains(&changes), "{changes}");
    }

    #[test]
    fn nothing_fails_where_nothing_shall() {
        let model = TroubleModel {
            fault_every: 0,
            fault_for: 5,
        };
        let mut random = Random::new(6);
        let mut trouble = model.draw(&mut random);
        assert!(trouble.change(u64::MAX - 1, &mut random).is_none());
    }
}
