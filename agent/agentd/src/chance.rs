//! The operating system's randomness, for the core.

use agent_core::Chance;
use device_api::Secret;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Randomness of the operating system.
#[derive(Debug)]
pub struct SystemChance(SystemRandom);

impl SystemChance {
    /// The one source of the process.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemChance {
    fn default() -> Self {
        Self::new()
    }
}

impl Chance for SystemChance {
    /// # Panics
    /// Where the operating system has no randomness: every name and key would then be guessable, and no
    /// way on is safe.
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0
            .fill(bytes)
            .expect("the operating system gives randomness once it has started");
    }

    fn digest(&self, secret: &Secret) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, secret.expose()).as_ref());
        out
    }
}
