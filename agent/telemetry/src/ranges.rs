//! Sets of numbers that lie mostly in a row, such as what was acknowledged.
//!
//! Invariant: ranges are in order, not empty, and neither overlap nor touch, so that a set of a million
//! numbers in a row is one range.

/// Numbers from the first to the last, both included.
pub(crate) type Range = (u64, u64);

/// A set of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranges(Vec<Range>);

impl Ranges {
    /// Adds all numbers from `first` to `last`; none where `first` is greater.
    pub(crate) fn insert(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let (mut first, mut last) = (first, last);
        let before = self
            .0
            .partition_point(|range| range.1.saturating_add(1) < first);
        let after = self
            .0
            .partition_point(|range| range.0 <= last.saturating_add(1));
        for (from, to) in self.0.drain(before..after.max(before)) {
            first = first.min(from);
            last = last.max(to);
        }
        self.0.insert(before, (first, last));
    }

    /// Whether it holds a number.
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// What of `first..=last` it does not hold, in order.
    pub(crate) fn missing(&self, first: u64, last: u64) -> Vec<Range> {
        let mut missing = Vec::new();
        let mut next = first;
        for (from, to) in self.0.iter().filter(|range| range.1 >= first) {
            if *from > last || next > last {
                break;
            }
            if next < *from {
                missing.push((next, from - 1));
            }
            match to.checked_add(1) {
                Some(after) => next = next.max(after),
                None => return missing,
            }
        }
        if next <= last {
            missing.push((next, last));
        }
        missing
    }

    /// The ranges, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_the_set_that_they_stand_for(
            added in prop::collection::vec((0u64..40, 0u64..40), 0..12),
            asked in (0u64..40, 0u64..40),
        ) {
            let mut ranges = Ranges::default();
            let mut set = BTreeSet::new();
            for (first, last) in added {
                ranges.insert(first, last);
                set.extend(first..=last);
            }
            for number in 0..42 {
                prop_assert_eq!(ranges.contains(number), set.contains(&number));
            }
            let all: Vec<Range> = ranges.iter().collect();
            prop_assert!(all.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            let missing: BTreeSet<u64> = ranges
                .missing(asked.0, asked.1)
                .into_iter()
                .flat_map(|(first, last)| first..=last)
                .collect();
            let expected: BTreeSet<u64> =
                (asked.0..=asked.1).filter(|number| !set.contains(number)).collect();
            prop_assert_eq!(missing, expected);
        }
    }

    #[test]
    fn the_greatest_number_is_no_edge() {
        let mut ranges = Ranges::default();
        ranges.insert(5, u64::MAX);
        ranges.insert(0, 4);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(0, u64::MAX)]);
        assert_eq!(ranges.missing(7, u64::MAX), []);
    }
}
