//! A set of numbers, kept as the ranges that it is made of.
//!
//! Devices count without holes, so that a set of a million numbers is usually one range.
//! Invariant: ranges are ascending, never empty, and never touch each other; there is one way to hold a set.

/// A set of numbers from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<Range>);

/// Numbers from the first to the last, both of them included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

impl Range {
    /// How many numbers it holds.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    /// The numbers that both hold.
    #[must_use]
    pub fn shared_with(self, other: Self) -> Option<Self> {
        let first = self.first.max(other.first);
        let last = self.last.min(other.last);
        (first <= last).then_some(Self { first, last })
    }
}

impl Ranges {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a number; `false` where it was there.
    pub fn insert(&mut self, number: u64) -> bool {
        // Numbers come in order nearly always.
        if let Some(last) = self.0.last_mut()
            && last.last.checked_add(1) == Some(number)
        {
            last.last = number;
            return true;
        }
        if self.contains(number) {
            return false;
        }
        self.insert_all(Range {
            first: number,
            last: number,
        });
        true
    }

    /// Adds every number of a range.
    pub fn insert_all(&mut self, range: Range) {
        if range.first > range.last {
            return;
        }
        // Those that touch the new one lie between `from` and `to`.
        let from = self
            .0
            .partition_point(|held| held.last.saturating_add(1) < range.first);
        let to = self
            .0
            .partition_point(|held| held.first <= range.last.saturating_add(1));
        let merged = self
            .0
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .fold(range, |all, held| Range {
                first: all.first.min(held.first),
                last: all.last.max(held.last),
            });
        drop(self.0.splice(from..to.max(from), [merged]));
    }

    /// Whether a number is there.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.around(number).is_some()
    }

    /// The range in which a number lies.
    #[must_use]
    pub fn around(&self, number: u64) -> Option<Range> {
        let at = self.0.partition_point(|held| held.last < number);
        self.0.get(at).copied().filter(|held| held.first <= number)
    }

    /// How many numbers of a range are there.
    #[must_use]
    pub fn count_in(&self, range: Range) -> u64 {
        self.0
            .iter()
            .skip(self.0.partition_point(|held| held.last < range.first))
            .take_while(|held| held.first <= range.last)
            .filter_map(|held| held.shared_with(range))
            .map(Range::count)
            .fold(0, u64::saturating_add)
    }

    /// What of a range is not there.
    #[must_use]
    pub fn gaps(&self, within: Range) -> Vec<Range> {
        let mut gaps = Vec::new();
        let mut next = within.first;
        let from = self.0.partition_point(|held| held.last < within.first);
        for held in self.0.iter().skip(from) {
            if held.first > within.last {
                break;
            }
            if held.first > next {
                gaps.push(Range {
                    first: next,
                    last: held.first - 1,
                });
            }
            let Some(after) = held.last.checked_add(1) else {
                return gaps;
            };
            next = next.max(after);
        }
        if next <= within.last {
            gaps.push(Range {
                first: next,
                last: within.last,
            });
        }
        gaps
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Range> + '_ {
        self.0.iter().copied()
    }

    /// How many ranges there are.
    #[must_use]
    pub const fn pieces(&self) -> usize {
        self.0.len()
    }

    /// The greatest number; 0 where there is none.
    #[must_use]
    pub fn highest(&self) -> u64 {
        self.0.last().map_or(0, |held| held.last)
    }

    /// The bytes in which the set is stored: distances, seven bits in each byte.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 4);
        let mut before = 0;
        for held in &self.0 {
            write(&mut bytes, held.first.saturating_sub(before));
            write(&mut bytes, held.last.saturating_sub(held.first));
            before = held.last;
        }
        bytes
    }

    /// The set in these bytes; `None` where they are damaged.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut set = Self::new();
        let mut before: u64 = 0;
        while !bytes.is_empty() {
            let first = before.checked_add(read(&mut bytes)?)?;
            let last = first.checked_add(read(&mut bytes)?)?;
            set.insert_all(Range { first, last });
            before = last;
        }
        Some(set)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

fn write(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7F).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    for shift in (0..=63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_set_that_it_stands_for(steps in prop::collection::vec((1_u64..60, 0_u64..4), 0..80)) {
            let (mut ranges, mut model) = (Ranges::new(), BTreeSet::new());
            for (first, more) in steps {
                if more == 0 {
                    prop_assert_eq!(ranges.insert(first), model.insert(first));
                } else {
                    ranges.insert_all(Range { first, last: first + more });
                    model.extend(first..=first + more);
                }
                let held: Vec<Range> = ranges.iter().collect();
                prop_assert!(held.windows(2).all(|two| two[0].last + 1 < two[1].first));
            }
            for number in 0..70 {
                prop_assert_eq!(ranges.contains(number), model.contains(&number));
            }
            let within = Range { first: 5, last: 40 };
            prop_assert_eq!(ranges.count_in(within), model.range(5..=40).count() as u64);
            let missing: Vec<u64> = ranges.gaps(within).into_iter().flat_map(|gap| gap.first..=gap.last).collect();
            prop_assert_eq!(missing, (5..=40).filter(|n| !model.contains(n)).collect::<Vec<_>>());
            prop_assert_eq!(Ranges::from_bytes(&ranges.to_bytes()), Some(ranges));
        }

        #[test]
        fn bytes_of_any_kind_end_no_process(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(set) = Ranges::from_bytes(&bytes) {
                prop_assert!(set.pieces() <= bytes.len());
            }
        }
    }

    #[test]
    fn the_greatest_number_is_no_exception() {
        let mut ranges = Ranges::new();
        assert!(ranges.insert(u64::MAX));
        ranges.insert_all(Range {
            first: 1,
            last: u64::MAX,
        });
        assert_eq!(ranges.pieces(), 1);
        assert!(
            ranges
                .gaps(Range {
                    first: 1,
                    last: u64::MAX
                })
                .is_empty()
        );
        assert_eq!(Ranges::from_bytes(&ranges.to_bytes()), Some(ranges));
    }
}
