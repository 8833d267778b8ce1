//! Which fault strikes when.

use sim_kit::Random;

use crate::plan::{Fault, Kind, Moment, Plan};
use crate::topics;

/// A plan under way.
#[derive(Debug)]
pub(crate) struct Mischief {
    random: Random,
    faults: Vec<(Fault, u32)>,
}

impl Mischief {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            random: Random::new(plan.seed),
            faults: plan.faults.into_iter().map(|fault| (fault, 0)).collect(),
        }
    }

    /// The fault that strikes now, if any.
    pub(crate) fn strike(&mut self, moment: Moment, topic: &str) -> Option<Kind> {
        for (fault, struck) in &mut self.faults {
            let here = moment != Moment::Publish
                || fault
                    .topics
                    .as_ref()
                    .is_none_or(|filter| topics::matches(filter, topic));
            let left = fault.times.is_none_or(|times| *struck < times);
            if fault.kind.moment() == moment && here && left && self.random.chance(fault.per_mille)
            {
                *struck += 1;
                return Some(fault.kind);
            }
        }
        None
    }

    /// A number below `bound`, or zero when there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        let drawn = self.random.word().checked_rem(bound).unwrap_or(0);
        usize::try_from(drawn).unwrap_or(0)
    }

    /// Any order but, where there are two or more, the one that they have.
    pub(crate) fn disorder<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            // Never itself (Sattolo's algorithm): nothing stays where it is.
            items.swap(last, self.below(last));
        }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.random.byte()).collect()
    }

    /// The same bytes but for one bit; nothing has no bit.
    pub(crate) fn flip_bit(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let place = self.below(bytes.len());
        let bit = self.below(8);
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << bit;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_strikes_the_same_publications() {
        let plan = Plan::of(11, Fault::every(Kind::Drop).per_mille(300));
        let strikes = |plan: &Plan| {
            let mut mischief = Mischief::new(plan.clone());
            (0..64)
                .map(|_| mischief.strike(Moment::Publish, "a").is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(strikes(&plan), strikes(&plan));
        assert!(strikes(&plan).contains(&true) && strikes(&plan).contains(&false));
    }

    #[test]
    fn a_fault_strikes_within_its_topics_and_so_often() {
        let plan = Plan::of(1, Fault::every(Kind::Drop).within("a/+").times(2));
        let mut mischief = Mischief::new(plan);
        let mut strike = |topic| mischief.strike(Moment::Publish, topic);
        assert_eq!(strike("b/1"), None);
        assert_eq!(strike("a/1"), Some(Kind::Drop));
        assert_eq!(strike("a/2"), Some(Kind::Drop));
        assert_eq!(strike("a/3"), None);
    }

    #[test]
    fn nothing_stays_where_it_is() {
        let mut mischief = Mischief::new(Plan::honest());
        for length in 2..20 {
            let mut items: Vec<usize> = (0..length).collect();
            mischief.disorder(&mut items);
            assert!(items.iter().enumerate().all(|(at, item)| at != *item));
        }
    }

    #[test]
    fn exactly_one_bit_is_another() {
        let mut mischief = Mischief::new(Plan::honest());
        let before = [0xA5; 40];
        let after = mischief.flip_bit(&before);
        let bits: u32 = before
            .iter()
            .zip(&after)
            .map(|(one, other)| (one ^ other).count_ones())
            .sum();
        assert_eq!(bits, 1);
    }
}
