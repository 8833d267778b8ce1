//! Randomness as a value that is passed in, and everything that is drawn from it.
//!
//! Invariant: every choice is uniform; a draw that would favour a value is repeated.

use device_api::Secret;

/// Bytes that nobody can foresee, and a one-way digest of secrets that are stored.
pub trait Chance: Send + std::fmt::Debug {
    /// Fills `bytes` from the operating system's generator.
    fn fill(&mut self, bytes: &mut [u8]);

    /// SHA-256 of a PIN screen's key, so that the key itself is stored nowhere.
    fn digest(&self, secret: &Secret) -> [u8; 32];
}

/// An unguessable name: 128 bits as 32 hexadecimal digits.
pub(crate) fn name(chance: &mut dyn Chance) -> String {
    let mut bytes = [0_u8; 16];
    chance.fill(&mut bytes);
    hex(&bytes)
}

/// A secret key: 256 bits as 64 hexadecimal digits.
pub(crate) fn key(chance: &mut dyn Chance) -> Secret {
    let mut bytes = [0_u8; 32];
    chance.fill(&mut bytes);
    Secret::from(hex(&bytes))
}

/// Six digits.
pub(crate) fn code(chance: &mut dyn Chance) -> String {
    format!("{:06}", below(chance, 1_000_000))
}

/// The ten digits in an order that is one of all orders, each as likely as any other.
pub(crate) fn shuffled_digits(chance: &mut dyn Chance) -> [u8; 10] {
    let mut digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    // Fisher and Yates: each place from the last takes one of those not yet placed.
    for last in (1..10_u8).rev() {
        let other = below(chance, u32::from(last) + 1);
        digits.swap(
            usize::from(last),
            usize::try_from(other).unwrap_or_default(),
        );
    }
    digits
}

/// A number from 0 to `bound - 1`.
pub(crate) fn below(chance: &mut dyn Chance, bound: u32) -> u32 {
    // The top of the range that is no whole multiple of `bound` would favour small numbers.
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let mut bytes = [0_u8; 4];
        chance.fill(&mut bytes);
        let drawn = u32::from_le_bytes(bytes);
        if drawn < fair {
            return drawn % bound;
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0F)])
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Chance, Secret, below, code, key, name, shuffled_digits};

    /// Says the same bytes again and again.
    #[derive(Debug)]
    struct Recited {
        bytes: Vec<u8>,
        next: usize,
    }

    impl Chance for Recited {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.bytes[self.next % self.bytes.len()];
                self.next += 1;
            }
        }

        fn digest(&self, _secret: &Secret) -> [u8; 32] {
            [0; 32]
        }
    }

    fn recited(bytes: Vec<u8>) -> Recited {
        Recited { bytes, next: 0 }
    }

    #[test]
    fn a_draw_that_would_favour_small_numbers_is_repeated() {
        // 2^32 - 1 lies above the last whole multiple of a million; 2,000,007 does not.
        let mut chance = recited([[0xFF; 4], 2_000_007_u32.to_le_bytes()].concat());
        assert_eq!(code(&mut chance), "000007");
        assert_eq!(chance.next, 8);
    }

    #[test]
    fn every_number_below_the_bound_is_drawn_about_equally_often() {
        let mut state = 1_u32;
        let bytes = (0..40_000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        let mut chance = recited(bytes.collect());
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        for _ in 0..10_000 {
            *counts.entry(below(&mut chance, 10)).or_default() += 1;
        }
        assert_eq!(
            counts.keys().copied().collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
        assert!(
            counts.values().all(|count| (800..1200).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn shuffled_digits_are_the_ten_digits_and_names_are_hexadecimal() {
        let mut chance = recited((0..=255).collect());
        for _ in 0..50 {
            let mut digits = shuffled_digits(&mut chance);
            digits.sort_unstable();
            assert_eq!(digits, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
        let mut chance = recited(vec![0x0F, 0xA5]);
        assert_eq!(name(&mut chance), "0fa5".repeat(8));
        assert_eq!(key(&mut chance).expose(), "0fa5".repeat(16).as_bytes());
    }
}
