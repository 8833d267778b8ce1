//! Who may do what.
//!
//! Three things must agree: the grant that the configuration gives to an origin, the scopes of the
//! staff member's token, and, for a privileged call, a nonce of this agent that nobody has spent yet.
//!
//! Invariants: what is not granted is refused; origins are compared as a whole; a nonce is spent by the
//! one who asked for it, once.

mod nonces;
mod scope;
mod token;

use std::collections::{BTreeMap, BTreeSet};

use device_api::{FaultCode, Moment};

use crate::ids::Origin;

pub use nonces::NONCE_LIFE;
pub(crate) use nonces::Nonces;
pub use scope::Scope;
pub(crate) use scope::{scope_to_answer, scope_to_start};
pub use token::{Claims, MAX_TOKEN_LIFE, Presented, TokenRules, check_claims};

/// What each origin may do, from the configuration.
pub type Grants = BTreeMap<Origin, BTreeSet<Scope>>;

/// Somebody whose identity the daemon has established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who asks, where, for whom.
    pub owner: Owner,
    /// What the caller's token permits; a local client without a token has what its grant gives.
    pub scopes: BTreeSet<Scope>,
    /// What a privileged call rests on.
    pub proof: Proof,
    /// When the token expires; `None` for a local client.
    pub until: Option<Moment>,
}

/// The one to whom a lease, a job or a nonce belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// The counter application, or the local user.
    pub origin: Origin,
    /// The counter.
    pub counter: String,
    /// The staff id.
    pub staff: String,
}

impl Owner {
    /// Whether both stand at the same counter of the same application.
    #[must_use]
    pub fn same_counter(&self, other: &Self) -> bool {
        self.origin == other.origin && self.counter == other.counter
    }
}

/// What a privileged call rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A token without a nonce: not enough for a privileged call.
    Token,
    /// A token that carries this nonce.
    Nonce(String),
    /// The operating system vouches for the peer of a local socket, where nothing can be replayed.
    Peer,
}

/// What a call needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// All of these.
    pub(crate) scopes: Vec<Scope>,
    /// Whether a nonce must be spent.
    pub(crate) privileged: bool,
}

/// The grants and the nonces.
#[derive(Debug)]
pub(crate) struct Access {
    grants: Grants,
    pub(crate) nonces: Nonces,
}

impl Access {
    pub(crate) fn new(grants: Grants) -> Self {
        Self {
            grants,
            nonces: Nonces::default(),
        }
    }

    /// Whether grant and token both cover `scope`.
    pub(crate) fn permits(&self, caller: &Caller, scope: Scope) -> bool {
        self.grants_origin(caller, scope) && caller.scopes.contains(&scope)
    }

    /// Whether the grant of the caller's origin covers `scope`, whatever the token says.
    pub(crate) fn grants_origin(&self, caller: &Caller, scope: Scope) -> bool {
        self.grants
            .get(&caller.owner.origin)
            .is_some_and(|grant| grant.contains(&scope))
    }

    /// Whether a caller has all rights that a call needs.
    pub(crate) fn check(&self, caller: &Caller, need: &Need) -> Result<(), FaultCode> {
        if need.scopes.iter().all(|scope| self.permits(caller, *scope)) {
            return Ok(());
        }
        Err(FaultCode::DoorGrant)
    }

    /// Spends the nonce of a privileged call; comes last, so that no refused call costs a nonce.
    pub(crate) fn confirm(
        &mut self,
        caller: &Caller,
        need: &Need,
        now: Moment,
    ) -> Result<(), FaultCode> {
        if !need.privileged {
            return Ok(());
        }
        match &caller.proof {
            Proof::Peer => Ok(()),
            Proof::Token => Err(FaultCode::DoorNonce),
            Proof::Nonce(nonce) => self.nonces.spend(nonce, &caller.owner, now),
        }
    }
}

#[cfg(test)]
mod tests;
