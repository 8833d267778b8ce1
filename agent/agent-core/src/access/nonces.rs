//! Nonces: each spent at most once, by the one who asked for it, within its life.
//!
//! Invariant: never more than [`MAX_NONCES`] are kept, and one owner cannot crowd out the others.

use std::collections::VecDeque;
use std::time::Duration;

use device_api::{FaultCode, Moment};

use super::Owner;

/// Time until a nonce expires unused: a page needs it for one round trip to its backend.
pub const NONCE_LIFE: Duration = Duration::from_secs(120);

/// How many are kept in all.
const MAX_NONCES: usize = 512;

/// How many are kept for one owner; a further one replaces its oldest.
const MAX_PER_OWNER: usize = 8;

/// The unspent nonces, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    unspent: VecDeque<Unspent>,
}

#[derive(Debug)]
struct Unspent {
    nonce: String,
    owner: Owner,
    until: Moment,
}

impl Nonces {
    /// Keeps a freshly drawn nonce for `owner`.
    pub(crate) fn keep(
        &mut self,
        nonce: String,
        owner: &Owner,
        now: Moment,
    ) -> Result<(), FaultCode> {
        self.unspent.retain(|kept| kept.until > now);
        let mut owned = self
            .unspent
            .iter()
            .enumerate()
            .filter(|(_, kept)| kept.owner == *owner);
        let oldest = owned.next().map(|(place, _)| place);
        if owned.count() + 1 >= MAX_PER_OWNER
            && let Some(place) = oldest
        {
            self.unspent.remove(place);
        }
        if self.unspent.len() >= MAX_NONCES {
            return Err(FaultCode::DoorTooMany);
        }
        self.unspent.push_back(Unspent {
            nonce,
            owner: owner.clone(),
            until: now.plus(NONCE_LIFE),
        });
        Ok(())
    }

    /// Spends a nonce.
    pub(crate) fn spend(
        &mut self,
        nonce: &str,
        owner: &Owner,
        now: Moment,
    ) -> Result<(), FaultCode> {
        self.unspent.retain(|kept| kept.until > now);
        let found = self
            .unspent
            .iter()
            .position(|kept| kept.nonce == nonce && kept.owner == *owner);
        match found {
            Some(place) => {
                self.unspent.remove(place);
                Ok(())
            }
            None => Err(FaultCode::DoorNonce),
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.unspent.len()
    }
}
