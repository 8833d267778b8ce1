//! Messages from a broker by MQTT, and acknowledgements back.
//!
//! Each connection begins with a clean session. What was on its way when a connection broke, or when this
//! process ended, the devices send again, because nothing but our acknowledgement frees it.

use std::sync::Arc;
use std::time::Duration;

use device_api::Clock;
use ring::rand::{SecureRandom as _, SystemRandom};
use telemetry::link::{
    Backoff, BackoffLimits, Connection, Connector, Link, LinkEvent, LinkFailure, Publication,
    PublishRefusal, Reliability,
};
use telemetry::name::Label;
use telemetry::topic;

use crate::acks::Outgoing;
use crate::source::{Inlet, Outlet};

/// A connection that held for so long begins the waits anew.
const HELD: Duration = Duration::from_secs(60);
/// How often presence is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The topics of these tenants; of all where there is none.
#[must_use]
pub fn subscriptions(tenants: &[Label]) -> Vec<String> {
    if tenants.is_empty() {
        return vec![topic::all_up()];
    }
    let one = |tenant: &Label| format!("{}/{tenant}/+/up/+/+", topic::ROOT);
    tenants.iter().map(one).collect()
}

/// Connects again and again until `stop` resolves.
pub async fn run(
    mut connector: Box<dyn Connector>,
    connection: Connection,
    (inlet, mut outlet): (Inlet, Outlet),
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) {
    let mut backoff = Backoff::new(BackoffLimits::default());
    let mut stop = std::pin::pin!(stop);
    loop {
        let began = clock.now();
        let mut link = connector.connect(&connection);
        let failure = tokio::select! {
            failure = talk(link.as_mut(), &inlet, &mut outlet) => failure,
            () = &mut stop => {
                leave(link.as_mut()).await;
                return;
            }
        };
        drop(link);
        if clock.now().since(began) >= HELD {
            backoff.reset();
        }
        let wait = backoff.next(random);
        tracing::warn!(%failure, wait_ms = wait.as_millis(), "no broker");
        tokio::select! {
            () = rest(&inlet, wait) => {}
            () = &mut stop => return,
        }
    }
}

/// Carries messages in and acknowledgements out until the connection ends.
async fn talk(link: &mut dyn Link, inlet: &Inlet, outlet: &mut Outlet) -> LinkFailure {
    let mut look = tokio::time::interval(LOOK);
    let mut waiting: Option<Outgoing> = None;
    let mut ready = false;
    loop {
        tokio::select! {
            event = link.next() => match event {
                LinkEvent::Ready { protocol, endpoint } => {
                    ready = true;
                    tracing::info!(?protocol, endpoint, "connected");
                    if !inlet.resume().await {
                        return LinkFailure::Left;
                    }
                }
                LinkEvent::Arrived { topic, payload, retained } => {
                    if !inlet.give(topic, payload, retained).await {
                        return LinkFailure::Left;
                    }
                }
                LinkEvent::Delivered(_) => {}
                LinkEvent::Rejected(_) => tracing::warn!("the broker refuses an acknowledgement"),
                LinkEvent::Closed(failure) => return failure,
            },
            Some(next) = outlet.recv(), if ready && waiting.is_none() => waiting = Some(next),
            _ = look.tick() => {
                if !inlet.look().await {
                    return LinkFailure::Left;
                }
            }
        }
        if let Some(next) = waiting.take() {
            waiting = publish(link, next);
        }
    }
}

/// What could not be published now, and can be later.
fn publish(link: &mut dyn Link, outgoing: Outgoing) -> Option<Outgoing> {
    let publication = Publication {
        topic: outgoing.topic.clone(),
        payload: outgoing.bytes.clone(),
        retain: false,
        expiry: Some(Duration::from_secs(3600)),
        reliability: Reliability::AtLeastOnce,
    };
    match link.publish(publication) {
        Ok(_token) => None,
        Err(PublishRefusal::Busy | PublishRefusal::NotReady) => Some(outgoing),
        Err(refusal @ (PublishRefusal::TooLarge | PublishRefusal::Topic)) => {
            tracing::error!(%refusal, topic = outgoing.topic, "an acknowledgement cannot be sent");
            None
        }
        // The device is told again after its next sign of life.
        Err(PublishRefusal::Closed) => None,
    }
}

async fn rest(inlet: &Inlet, wait: Duration) {
    let mut look = tokio::time::interval(LOOK);
    let resting = async {
        loop {
            look.tick().await;
            inlet.look().await;
        }
    };
    let (Ok(()) | Err(_)) = tokio::time::timeout(wait, resting).await;
}

async fn leave(link: &mut dyn Link) {
    link.leave(FAREWELL);
    let gone = async { while !matches!(link.next().await, LinkEvent::Closed(_)) {} };
    let (Ok(()) | Err(_)) = tokio::time::timeout(FAREWELL, gone).await;
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness the wait is the shortest.
    let (Ok(()) | Err(_)) = SystemRandom::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
