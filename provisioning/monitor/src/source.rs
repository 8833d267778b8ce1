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
use telemetry::link::{Backoff, BackoffLimits, Connection, Endpoint};
use thiserror::Error;
use tokio::time::timeout;

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

/// Why a session with a broker of a cluster ended, or did not begin.
#[derive(Debug, Error)]
pub enum SessionFailure {
    /// There is no endpoint.
    #[error("no endpoint is named")]
    NoEndpoint,
    /// The broker does not let us do something.
    #[error("failed to {attempt} at {host}: {detail}")]
    Refused {
        /// What was attempted.
        attempt: &'static str,
        /// Where.
        host: String,
        /// What the library says.
        detail: String,
    },
    /// The broker takes too long to let us begin.
    #[error("{host} does not answer")]
    TimedOut {
        /// Which.
        host: String,
    },
    /// The broker gives nothing any more, because the connection broke or the broker closed something.
    #[error("the broker stopped delivering: {detail}")]
    Ended {
        /// What is known of it.
        detail: String,
    },
    /// Nobody takes messages any more.
    #[error("nobody takes messages any more")]
    Left,
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

    /// Begins a session with the one whose turn it is, within the time that connecting may take.
    ///
    /// # Errors
    /// Where there is none at all, it takes too long, or `open` fails.
    pub(crate) async fn begin<'a, S, F>(
        &'a self,
        open: impl FnOnce(&'a Endpoint) -> F,
    ) -> Result<S, SessionFailure>
    where
        F: Future<Output = Result<S, SessionFailure>>,
    {
        let endpoint = self.endpoint().ok_or(SessionFailure::NoEndpoint)?;
        match timeout(Connection::CONNECT_TIMEOUT, open(endpoint)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SessionFailure::TimedOut {
                host: endpoint.host.clone(),
            }),
        }
    }

    /// Goes on to the next one.
    pub fn pass(&mut self) {
        self.at = (self.at + 1).checked_rem(self.endpoints.len()).unwrap_or(0);
    }
}

impl SessionFailure {
    /// From what a library says when an endpoint does not let us do something.
    pub(crate) fn refused<E: Display>(
        attempt: &'static str,
        endpoint: &Endpoint,
    ) -> impl FnOnce(E) -> Self {
        let host = endpoint.host.clone();
        move |error| Self::Refused {
            attempt,
            host,
            detail: error.to_string(),
        }
    }

    /// From what is known of the end of a session that had begun.
    pub(crate) fn ended(detail: &impl Display) -> Self {
        Self::Ended {
            detail: detail.to_string(),
        }
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

    #[tokio::test]
    async fn a_session_begins_at_the_endpoint_whose_turn_it_is() {
        let named = |host: &str| Endpoint {
            host: host.to_owned(),
            port: 5671,
        };
        let turns = Turns::new(vec![named("a"), named("b")]);
        let begun = turns.begin(async |endpoint| Ok(endpoint.host.clone()));
        assert_eq!(begun.await.unwrap(), "a");
        let refused = turns.begin(async |endpoint| {
            Err::<(), _>(SessionFailure::refused("connect", endpoint)("no"))
        });
        let refused = refused.await.unwrap_err().to_string();
        assert_eq!(refused, "failed to connect at a: no");
        let none = Turns::new(Vec::new());
        let nowhere = none.begin(async |_| Ok(())).await;
        assert!(matches!(nowhere, Err(SessionFailure::NoEndpoint)));
    }
}
