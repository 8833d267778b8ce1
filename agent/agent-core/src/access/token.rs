//! Checks the claims of a counter token whose signature the daemon has verified.
//!
//! Invariants: an issuer speaks only for the origins that the configuration gives it; a token serves
//! only this agent and only the page that presents it; none lives longer than [`MAX_TOKEN_LIFE`].
//! Claims: RFC 7519 section 4.1, and the private claims of the local API.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use device_api::{FaultCode, Moment};

use super::{Caller, Owner, Proof, Scope};
use crate::ids::Origin;

/// The longest time from issue to expiry.
pub const MAX_TOKEN_LIFE: Duration = Duration::from_secs(15 * 60);

/// How far the clocks of the issuer and of this machine may lie apart.
const SKEW: Duration = Duration::from_secs(60);

/// The longest staff id or counter name, in characters.
const MAX_NAME: usize = 64;

/// The claims, after the signature has been verified with the key of `issuer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who issued it.
    pub issuer: String,
    /// For which agent.
    pub audience: String,
    /// The staff id.
    pub staff: String,
    /// For which page.
    pub origin: Origin,
    /// At which counter.
    pub counter: String,
    /// What it permits.
    pub scopes: Vec<Scope>,
    /// Seconds since 1970 at which it was issued.
    pub issued_at: u64,
    /// Seconds since 1970 at which it expires.
    pub expires_at: u64,
    /// For a privileged call.
    pub nonce: Option<String>,
}

/// How and when a token was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The origin of the request; for a local client the name of its user.
    pub origin: Origin,
    /// Seconds since 1970.
    pub unix_seconds: u64,
    /// The same moment on the monotonic clock.
    pub now: Moment,
}

/// What tokens are checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// This agent's id: the audience.
    pub agent: String,
    /// The issuers, each with the origins that it may speak for.
    pub issuers: BTreeMap<String, BTreeSet<Origin>>,
}

/// Turns claims into a caller.
///
/// # Errors
/// `DoorTokenExpired` where only the time is over; `DoorToken` for everything else, without telling
/// which, so that nobody learns how to forge a better one.
pub fn check_claims(
    claims: &Claims,
    presented: &Presented,
    rules: &TokenRules,
) -> Result<Caller, FaultCode> {
    let speaks_for_origin = rules
        .issuers
        .get(&claims.issuer)
        .is_some_and(|origins| origins.contains(&claims.origin));
    let meant_for_us = claims.audience == rules.agent && claims.origin == presented.origin;
    let named = [&claims.staff, &claims.counter]
        .into_iter()
        .all(|name| is_name(name));
    let life = claims.expires_at.checked_sub(claims.issued_at);
    let short_lived = life.is_some_and(|life| life > 0 && life <= MAX_TOKEN_LIFE.as_secs());
    let from_the_future = claims.issued_at > presented.unix_seconds.saturating_add(SKEW.as_secs());
    if !(speaks_for_origin && meant_for_us && named && short_lived) || from_the_future {
        return Err(FaultCode::DoorToken);
    }
    let ends = claims.expires_at.saturating_add(SKEW.as_secs());
    let left = ends.saturating_sub(presented.unix_seconds);
    if left == 0 {
        return Err(FaultCode::DoorTokenExpired);
    }
    Ok(Caller {
        owner: Owner {
            origin: claims.origin.clone(),
            counter: claims.counter.clone(),
            staff: claims.staff.clone(),
        },
        scopes: claims.scopes.iter().copied().collect(),
        proof: claims.nonce.clone().map_or(Proof::Token, Proof::Nonce),
        until: Some(presented.now.plus(Duration::from_secs(left))),
    })
}

/// Names stand in the audit log and in log lines, so they hold no control characters.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_NAME && !text.chars().any(char::is_control)
}
