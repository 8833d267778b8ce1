//! From where messages come: one session with a broker after another, until somebody ends the program.
//!
//! A source knows topics and bytes and nothing of what they mean.
//! What was on its way when a session ended, the devices or the broker send again: a message is acknowledged,
//! to both, only when it is on the disk.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use device_api::Clock;
use ring::rand::{SecureRandom as _, SystemRandom};
use telemetry::link::{Backoff, BackoffLimits, Endpoint};

use crate::worker::{Inlet, Outlet};

/// A session that held for so long begins the waits anew.
const HELD: Duration = Duration::from_secs(60);
/// How often presence is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A broker, and how it is spoken to.
pub trait Source {
    /// Why a session ended.
    type Failure: Display;

    /// Connects, and carries messages in and acknowledgements out until the connection ends.
    ///
    /// It reads from its broker only as fast as [`Inlet::give`] takes.
    /// Dropping the future ends the session.
    fn session(
        &mut self,
        inlet: &Inlet,
        outlet: &mut Outlet,
    ) -> impl Future<Output = Self::Failure>;

    /// Says farewell after the last session was dropped, where the broker makes a difference; waits for two
    /// seconds at most.
    fn leave(&mut self) -> impl Future<Output = ()>;
}

/// The brokers of a cluster, one after another: it stays at one until that fails.
#[derive(Debug, Clone)]
pub struct Turns {
    endpoints: Vec<Endpoint>,
    at: usize,
}

/// Runs a source until `stop` resolves, or nobody takes messages any more.
///
/// Between sessions it waits as [`Backoff`] says; a session that held begins the waits anew.
pub async fn run(
    mut source: impl Source,
    (inlet, outlet): (Inlet, Outlet),
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) {
    tokio::select! {
        () = sessions(&mut source, &inlet, outlet, clock.as_ref()) => {}
        () = looks(&inlet) => {}
        () = stop => {}
    }
    source.leave().await;
}

async fn sessions(source: &mut impl Source, inlet: &Inlet, mut outlet: Outlet, clock: &dyn Clock) {
    let mut backoff = Backoff::new(BackoffLimits::default());
    loop {
        let began = clock.now();
        let failure = source.session(inlet, &mut outlet).await;
        if clock.now().since(began) >= HELD {
            backoff.reset();
        }
        let wait = backoff.next(random);
        tracing::warn!(%failure, wait_ms = wait.as_millis(), "no broker");
        tokio::time::sleep(wait).await;
    }
}

/// Has the worker look every second, whether there is a broker or not.
async fn looks(inlet: &Inlet) {
    let mut interval = tokio::time::interval(LOOK);
    loop {
        interval.tick().await;
        if !inlet.look().await {
            return;
        }
    }
}

impl Turns {
    /// Begins with the first.
    #[must_use]
    pub const fn new(endpoints: Vec<Endpoint>) -> Self {
        Self { endpoints, at: 0 }
    }

    /// Whose turn it is; `None` where there is none at all.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoints.get(self.at)
    }

    /// Goes on to the next one.
    pub fn pass(&mut self) {
        self.at = (self.at + 1).checked_rem(self.endpoints.len()).unwrap_or(0);
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness the wait is the shortest.
    let (Ok(()) | Err(_)) = SystemRandom::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_turn() {
        let named = |host: &str| Endpoint {
            host: host.to_owned(),
            port: 5671,
        };
        let mut turns = Turns::new(vec![named("a"), named("b")]);
        let mut hosts = Vec::new();
        for _ in 0..3 {
            hosts.extend(turns.endpoint().map(|endpoint| endpoint.host.clone()));
            turns.pass();
        }
        assert_eq!(hosts, ["a", "b", "a"]);
        let mut none = Turns::new(Vec::new());
        none.pass();
        assert_eq!(none.endpoint(), None);
    }
}
