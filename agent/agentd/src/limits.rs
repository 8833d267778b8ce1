//! How much anybody may ask of the agent at once.
//!
//! Invariants: memory per peer is bounded, whatever the peer sends; what is refused costs the agent less
//! than what it costs the peer; one origin cannot use up another's share; and who only says that it is of
//! an origin, as any program on the machine can, cannot use up the share of those whose token holds.
//! Only enrolled origins get an entry, so the table cannot be filled from outside.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use device_api::{FaultCode, Moment};
use tokio::sync::OwnedSemaphorePermit;

use crate::origin::Origin;
use crate::refusal::Refusal;

/// Longest body of a request, and longest message of a WebSocket.
pub const MAX_BODY: usize = 64 * 1024;
/// Deepest nesting of JSON; the deepest message of the API has 4.
pub const MAX_JSON_DEPTH: usize = 16;
/// Connections in all.
pub const MAX_CONNECTIONS: usize = 256;
/// Connections of one origin: so many with a token that holds, and so many without.
pub const MAX_CONNECTIONS_PER_ORIGIN: usize = 16;
/// Requests that wait for the core at once.
pub const MAX_OUTSTANDING: usize = 64;
/// Requests of one origin that wait for the core at once.
pub const MAX_OUTSTANDING_PER_ORIGIN: usize = 16;
/// Messages that wait for one slow reader.
pub const MAX_UNREAD: usize = 64;
/// How long a message may wait for a reader that takes nothing.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a peer may take for its head, and stay silent between two requests.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the body of a request may take; [`MAX_BODY`] over loopback takes milliseconds.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the body of a document may take.
pub const DOCUMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest message that the agent sends on a WebSocket: a page of a document as a picture.
pub const MAX_SAID: usize = 16 * 1024 * 1024;
/// How long the first message of a WebSocket may take.
pub const FIRST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds' worth of requests that one origin may make at once: a page that loads asks in a burst.
const BURST_SECONDS: u32 = 4;
/// Tokens that did not hold, of one origin.
const FAILED_TOKENS: Bucket = Bucket {
    size: 10,
    per_second: 1,
};
#[derive(Debug, Clone, Copy)]
struct Bucket {
    size: u32,
    per_second: u32,
}

impl Bucket {
    fn of(per_second: u32) -> Self {
        Self {
            size: per_second.saturating_mul(BURST_SECONDS),
            per_second,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Level {
    bucket: Bucket,
    /// In thousandths, so that slow refilling loses nothing to rounding.
    millis: u64,
    seen: Moment,
}

impl Level {
    fn full(bucket: Bucket, now: Moment) -> Self {
        Self {
            bucket,
            millis: u64::from(bucket.size) * 1000,
            seen: now,
        }
    }

    fn refill(&mut self, now: Moment) {
        let passed = u64::try_from(now.since(self.seen).as_millis()).unwrap_or(u64::MAX);
        let gained = passed.saturating_mul(u64::from(self.bucket.per_second));
        self.millis = self
            .millis
            .saturating_add(gained)
            .min(u64::from(self.bucket.size) * 1000);
        self.seen = now;
    }

    fn take(&mut self, now: Moment) -> bool {
        self.refill(now);
        let left = self.millis.checked_sub(1000);
        self.millis = left.unwrap_or(self.millis);
        left.is_some()
    }
}

/// What is known of who uses an origin's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It names an enrolled origin, as any program on this machine can.
    Claimed,
    /// Its token holds, or the kernel vouches for its user.
    Proven,
}

#[derive(Debug)]
struct Share {
    requests: Level,
    failed_tokens: Level,
    connections: usize,
}

/// Counts what every origin uses. Clones share one table.
#[derive(Debug, Clone)]
pub struct Limits {
    requests: Bucket,
    table: Arc<Mutex<BTreeMap<Account, Share>>>,
}

/// Whose share it is.
type Account = (Origin, Standing);

/// How often one thing may happen in a second; four times as often at once.
#[derive(Debug)]
pub struct Rate(Mutex<Level>);

impl Rate {
    /// A full rate at `now`.
    #[must_use]
    pub fn new(per_second: u32, now: Moment) -> Self {
        Self(Mutex::new(Level::full(Bucket::of(per_second), now)))
    }

    /// Counts one.
    ///
    /// # Errors
    /// `DOR-TOO-MANY`.
    pub fn spend(&self, now: Moment) -> Result<(), Refusal> {
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = level.take(now);
        taken.then_some(()).ok_or_else(|| too_many("rate"))
    }
}

/// One connection's place in the share of the origin that used it first: among those that only claim the
/// origin, until a token on it holds.
#[derive(Debug)]
pub struct ConnectionPlace {
    limits: Limits,
    account: Mutex<Option<Account>>,
    _seat: Option<OwnedSemaphorePermit>,
}

impl Limits {
    /// Everybody has a full share: so many requests a second, and a burst at once.
    #[must_use]
    pub fn new(requests_per_second: u32) -> Self {
        Self {
            requests: Bucket::of(requests_per_second),
            table: Arc::default(),
        }
    }

    /// A new connection, not yet of any origin. It keeps its `seat` among all connections for as long as
    /// anybody holds it, a WebSocket that has outlived its HTTP connection included.
    #[must_use]
    pub fn connection(&self, seat: Option<OwnedSemaphorePermit>) -> Arc<ConnectionPlace> {
        Arc::new(ConnectionPlace {
            limits: self.clone(),
            account: Mutex::new(None),
            _seat: seat,
        })
    }

    /// Counts a request, or a message on a stream, of an enrolled origin.
    ///
    /// # Errors
    /// `DOR-TOO-MANY`.
    pub fn request(&self, origin: &Origin, standing: Standing, now: Moment) -> Result<(), Refusal> {
        let account = (origin.clone(), standing);
        let taken = self.with(account, now, |share| share.requests.take(now));
        taken
            .then_some(())
            .ok_or_else(|| too_many("request rate of the origin"))
    }

    /// Counts a token that did not hold.
    ///
    /// Only such a token is ever refused for its number: whoever guesses under the origin of an honest
    /// page must not keep that page out.
    ///
    /// # Errors
    /// `DOR-TOO-MANY` after too many that did not hold.
    pub fn token_failed(&self, origin: &Origin, now: Moment) -> Result<(), Refusal> {
        let account = (origin.clone(), Standing::Claimed);
        let taken = self.with(account, now, |share| share.failed_tokens.take(now));
        taken
            .then_some(())
            .ok_or_else(|| too_many("failed authentications of the origin"))
    }

    fn with<T>(&self, account: Account, now: Moment, work: impl FnOnce(&mut Share) -> T) -> T {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let share = table.entry(account).or_insert_with(|| Share {
            requests: Level::full(self.requests, now),
            failed_tokens: Level::full(FAILED_TOKENS, now),
            connections: 0,
        });
        work(share)
    }

    fn give_back(&self, account: &Account) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = table.get_mut(account) {
            share.connections = share.connections.saturating_sub(1);
        }
    }
}

impl ConnectionPlace {
    /// Counts the connection for the first origin that uses it; the first token that holds moves it to the
    /// proven share.
    ///
    /// # Errors
    /// `DOR-TOO-MANY` where that share has too many connections already.
    pub fn claim(&self, origin: &Origin, standing: Standing, now: Moment) -> Result<(), Refusal> {
        let mut claimed = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let stays = claimed.as_ref().is_some_and(|(_, held)| *held >= standing);
        if stays {
            return Ok(());
        }
        let account = (origin.clone(), standing);
        let admitted = self.limits.with(account.clone(), now, |share| {
            let free = share.connections < MAX_CONNECTIONS_PER_ORIGIN;
            share.connections += usize::from(free);
            free
        });
        if !admitted {
            return Err(too_many("connections of the origin"));
        }
        if let Some(before) = claimed.replace(account) {
            self.limits.give_back(&before);
        }
        Ok(())
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let account = self
            .account
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = account.take() {
            self.limits.give_back(&account);
        }
    }
}

fn too_many(which: &'static str) -> Refusal {
    Refusal::new(FaultCode::DoorTooMany).because(which)
}

/// Whether JSON nests no deeper than [`MAX_JSON_DEPTH`], without building anything.
#[must_use]
pub fn is_shallow(json: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_JSON_DEPTH {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use device_api::Moment;

    use super::{Limits, MAX_CONNECTIONS_PER_ORIGIN, Standing, is_shallow};
    use crate::origin::Origin;

    fn origin(name: &str) -> Origin {
        Origin::parse(&format!("https://{name}.test")).unwrap()
    }

    #[test]
    fn a_flood_of_one_origin_leaves_the_share_of_another() {
        let start = Moment::default();
        let limits = Limits::new(50);
        let passed = (0..1000)
            .filter(|_n| {
                limits
                    .request(&origin("a"), Standing::Proven, start)
                    .is_ok()
            })
            .count();
        assert_eq!(passed, 200);
        assert!(
            limits
                .request(&origin("b"), Standing::Proven, start)
                .is_ok()
        );
        let later = start.plus(Duration::from_secs(1));
        assert_eq!(
            (0..1000)
                .filter(|_n| limits
                    .request(&origin("a"), Standing::Proven, later)
                    .is_ok())
                .count(),
            50
        );
    }

    #[test]
    fn guessing_tokens_becomes_slow() {
        let start = Moment::default();
        let limits = Limits::new(50);
        let mut guesses = 0;
        while limits.token_failed(&origin("a"), start).is_ok() {
            guesses += 1;
        }
        assert_eq!(guesses, 10);
        let later = start.plus(Duration::from_secs(1));
        assert!(limits.token_failed(&origin("a"), later).is_ok());
    }

    #[test]
    fn a_closed_connection_gives_its_place_back() {
        let now = Moment::default();
        let limits = Limits::new(50);
        let mut open: Vec<_> = (0..MAX_CONNECTIONS_PER_ORIGIN)
            .map(|_n| limits.connection(None))
            .collect();
        assert!(
            open.iter()
                .all(|place| place.claim(&origin("a"), Standing::Proven, now).is_ok())
        );
        assert!(
            limits
                .connection(None)
                .claim(&origin("a"), Standing::Proven, now)
                .is_err()
        );
        open.pop();
        assert!(
            limits
                .connection(None)
                .claim(&origin("a"), Standing::Proven, now)
                .is_ok()
        );
    }

    #[test]
    fn who_only_claims_an_origin_leaves_the_share_of_its_page() {
        let now = Moment::default();
        let limits = Limits::new(50);
        let (page, claims) = (origin("a"), Standing::Claimed);
        while limits.request(&page, claims, now).is_ok() {}
        let held: Vec<_> = (0..MAX_CONNECTIONS_PER_ORIGIN)
            .map(|_n| limits.connection(None))
            .collect();
        assert!(
            held.iter()
                .all(|place| place.claim(&page, claims, now).is_ok())
        );
        let refused = limits.connection(None);
        assert!(refused.claim(&page, claims, now).is_err());
        assert!(refused.claim(&page, Standing::Proven, now).is_ok());
        assert!(limits.request(&page, Standing::Proven, now).is_ok());
    }

    #[test]
    fn a_token_that_holds_moves_its_connection_and_no_second_token_does() {
        let now = Moment::default();
        let limits = Limits::new(50);
        let page = origin("a");
        let held: Vec<_> = (0..MAX_CONNECTIONS_PER_ORIGIN)
            .map(|_n| limits.connection(None))
            .collect();
        for standing in [Standing::Claimed, Standing::Proven, Standing::Proven] {
            assert!(
                held.iter()
                    .all(|place| place.claim(&page, standing, now).is_ok())
            );
        }
        assert!(
            limits
                .connection(None)
                .claim(&page, Standing::Proven, now)
                .is_err()
        );
        assert!(
            limits
                .connection(None)
                .claim(&page, Standing::Claimed, now)
                .is_ok()
        );
        drop(held);
        assert!(
            limits
                .connection(None)
                .claim(&page, Standing::Proven, now)
                .is_ok()
        );
    }

    #[test]
    fn depth_is_counted_outside_of_text() {
        assert!(is_shallow(br#"{"a":"[[[[[[[[[[[[[[[[[[[[\"[[[["}"#));
        assert!(is_shallow(&[b'['; 16]) && !is_shallow(&[b'['; 17]));
    }
}
