//! The task of one connection: versions in turn, CONNACK, SUBACK, then whatever comes, until the end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::plan::{Memory, Plan};
use super::{Heard, Listener, Speaker, Step, v4, v5};
use crate::link::{Connection, LinkFailure, Protocol, Refusal, Reliability};

/// The longest keep-alive that a broker may prescribe; a longer one is taken as ours, because a broker that
/// is gone would be noticed only hours later.
const LONGEST_PRESCRIBED: Duration = Duration::from_secs(600);

/// Carries out the plan, and says at last why it is over.
pub(super) async fn run(
    plan: Plan,
    memory: Arc<Mutex<Memory>>,
    steps: mpsc::Sender<Step>,
    hearing: watch::Sender<Option<Instant>>,
) {
    let mut pump = Pump {
        plan,
        memory,
        steps,
        hearing,
        was_ready: false,
        after_refusal: false,
    };
    let failure = pump.all_versions().await;
    if !pump.was_ready {
        pump.with_memory(Memory::move_on);
    }
    // Nobody hears it if the link is gone, and then nobody needs to.
    drop(pump.steps.send(Step::Closed(failure)).await);
}

struct Pump {
    plan: Plan,
    memory: Arc<Mutex<Memory>>,
    steps: mpsc::Sender<Step>,
    hearing: watch::Sender<Option<Instant>>,
    was_ready: bool,
    /// Whether MQTT 5 was tried and not taken.
    after_refusal: bool,
}

/// How an attempt with one version ended.
struct Ending {
    failure: LinkFailure,
    /// Whether the broker had accepted the connection.
    accepted: bool,
}

impl Pump {
    async fn all_versions(&mut self) -> LinkFailure {
        let mut last = LinkFailure::Refused(Refusal::ProtocolVersion);
        for protocol in self.plan.protocols {
            let ending = self.attempt(*protocol).await;
            let another_may_do = !ending.accepted
                && *protocol == Protocol::V5
                && is_of_another_version(&ending.failure);
            last = ending.failure;
            if !another_may_do {
                break;
            }
            tracing::debug!(failure = %last, "no MQTT 5, trying 3.1.1");
            self.after_refusal = true;
        }
        last
    }

    async fn attempt(&mut self, protocol: Protocol) -> Ending {
        let mut accepted = false;
        let opened = match protocol {
            Protocol::V311 => v4::open(&self.plan),
            Protocol::V5 => v5::open(&self.plan),
        };
        let failure = match opened {
            Ok((speaker, mut listener)) => {
                self.converse(protocol, speaker, listener.as_mut(), &mut accepted)
                    .await
            }
            Err(failure) => failure,
        };
        Ending { failure, accepted }
    }

    async fn converse(
        &mut self,
        protocol: Protocol,
        speaker: Box<dyn Speaker>,
        listener: &mut dyn Listener,
        accepted: &mut bool,
    ) -> LinkFailure {
        let answer = timeout(Connection::CONNECT_TIMEOUT, listener.hear()).await;
        let keep_alive = match answer {
            Ok(Ok(Heard::Accepted { keep_alive })) => keep_alive,
            Ok(Ok(_)) => {
                return LinkFailure::Protocol {
                    detail: "something came before CONNACK".to_owned(),
                };
            }
            Ok(Err(failure)) => return failure,
            Err(_) => return LinkFailure::TimedOut,
        };
        *accepted = true;
        if self.after_refusal {
            // Now and not at the end, because a link may be dropped at any time.
            let endpoint = self.plan.endpoint.clone();
            self.with_memory(|memory| memory.note_without_v5(&endpoint));
        }
        self.heard();
        let subscribed = self.subscribe(speaker.as_ref(), listener).await;
        let closed = matches!(&subscribed, Err(LinkFailure::Broken { .. }))
            && self.plan.subscribed == Reliability::AtLeastOnce;
        self.with_memory(|memory| memory.note_subscription(closed));
        if let Err(failure) = subscribed {
            return failure;
        }
        let ready = Step::Ready {
            protocol,
            endpoint: self.plan.place,
            speaker,
        };
        self.was_ready = true;
        if self.steps.send(ready).await.is_err() {
            return LinkFailure::Left;
        }
        let limit = self.silence_limit(keep_alive);
        loop {
            match self.step(listener, limit).await {
                Ok(Heard::Left) => return LinkFailure::Left,
                Ok(_) => {}
                Err(failure) => return failure,
            }
        }
    }

    async fn subscribe(
        &self,
        speaker: &dyn Speaker,
        listener: &mut dyn Listener,
    ) -> Result<(), LinkFailure> {
        if self.plan.subscriptions.is_empty() {
            return Ok(());
        }
        speaker.subscribe(&self.plan.subscriptions, self.plan.subscribed)?;
        let until = Instant::now() + Connection::CONNECT_TIMEOUT;
        loop {
            let step = self.step(listener, Connection::CONNECT_TIMEOUT);
            match timeout_at(until, step).await {
                Ok(Ok(Heard::Subscribed { granted })) => {
                    let enough = granted.is_some_and(|granted| granted >= self.plan.subscribed);
                    return enough.then_some(()).ok_or(LinkFailure::SubscriptionRefused);
                }
                Ok(Ok(_)) => {}
                Ok(Err(failure)) => return Err(failure),
                Err(_) => return Err(LinkFailure::TimedOut),
            }
        }
    }

    /// One step of the library, in whose course nothing may be silent for longer than `limit`.
    ///
    /// The library notices a broker that does not answer its ping.
    /// It does not notice one that takes no bytes any more, because it waits for the socket then.
    async fn step(
        &self,
        listener: &mut dyn Listener,
        limit: Duration,
    ) -> Result<Heard, LinkFailure> {
        let last = (*self.hearing.borrow()).unwrap_or_else(Instant::now);
        let heard = match timeout_at(last + limit, listener.hear()).await {
            Ok(heard) => heard?,
            Err(_) => return Err(LinkFailure::TimedOut),
        };
        match heard {
            Heard::Arrived(event) => {
                self.heard();
                if self.steps.send(Step::Arrived(event)).await.is_err() {
                    return Err(LinkFailure::Left);
                }
                Ok(Heard::Other)
            }
            Heard::Accepted { .. } | Heard::Subscribed { .. } | Heard::Other => {
                self.heard();
                Ok(heard)
            }
            Heard::Sent | Heard::Left => Ok(heard),
        }
    }

    fn heard(&self) {
        self.hearing.send_replace(Some(Instant::now()));
    }

    fn silence_limit(&self, prescribed: Option<Duration>) -> Duration {
        let keep_alive = prescribed
            .filter(|prescribed| !prescribed.is_zero() && *prescribed <= LONGEST_PRESCRIBED)
            .unwrap_or(self.plan.keep_alive);
        keep_alive * 5 / 2
    }

    fn with_memory(&self, change: impl FnOnce(&mut Memory)) {
        change(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Whether it may be the answer of a broker that does not speak MQTT 5: it says so, or it closes, or its
/// CONNACK is one of 3.1.1, for whose end the library waits in vain.
fn is_of_another_version(failure: &LinkFailure) -> bool {
    match failure {
        LinkFailure::Refused(Refusal::ProtocolVersion)
        | LinkFailure::TimedOut
        | LinkFailure::Broken { .. }
        | LinkFailure::Protocol { .. } => true,
        LinkFailure::Refused(_)
        | LinkFailure::Left
        | LinkFailure::Unusable { .. }
        | LinkFailure::Unreachable { .. }
        | LinkFailure::Tls { .. }
        | LinkFailure::SubscriptionRefused => false,
    }
}
