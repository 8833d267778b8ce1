//! What is drawn from randomness by seed.

use sim_kit::Random;

/// A number below `bound`; 0 where there is none.
pub(super) fn below(random: &mut Random, bound: u64) -> u64 {
    random.word().checked_rem(bound).unwrap_or(0)
}

/// A span that is `mean` on average, from half of it to half as much again.
pub(super) fn around(random: &mut Random, mean: u64) -> u64 {
    (mean / 2).saturating_add(below(random, mean.saturating_add(1)))
}

/// The randomness of one device of a fleet.
pub(super) fn of_device(seed: u64, device: u32) -> Random {
    let mut random = Random::new(seed ^ (u64::from(device) << 32));
    // Neighbouring seeds begin alike.
    Random::new(random.word())
}
