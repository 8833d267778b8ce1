//! Randomness by seed: the same seed gives the same faults, today and in a year.

/// SplitMix64 (Steele, Lea, Flood 2014): written out, so that a seed found in an old log
/// still gives the same faults after any library was updated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One random byte.
    pub const fn byte(&mut self) -> u8 {
        let [byte, ..] = self.word().to_be_bytes();
        byte
    }

    /// Whether something of this likelihood happens.
    pub fn chance(&mut self, per_mille: u16) -> bool {
        self.word() % 1000 < u64::from(per_mille)
    }
}
