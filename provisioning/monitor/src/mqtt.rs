//! Messages from a broker by MQTT, and acknowledgements back.
//!
//! Each connection begins with a clean session. What was on its way when a connection broke, or when this
//! process ended, the devices send again, because nothing but our acknowledgement frees it: that is why a
//! PUBACK to the broker need not wait for the disk.

use std::time::Duration;

use telemetry::link::{
    Connection, Connector, Link, LinkEvent, LinkFailure, Publication, PublishRefusal, Reliability,
};
use telemetry::name::Label;
use telemetry::topic;

use crate::acks::Outgoing;
use crate::source::Source;
use crate::worker::{Incoming, Inlet, Outlet};

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// A broker by MQTT.
pub struct Mqtt {
    connector: Box<dyn Connector>,
    connection: Connection,
    /// There during a session, and after one that was dropped.
    link: Option<Box<dyn Link>>,
}

/// The topics of these tenants; of all where there is none.
#[must_use]
pub fn subscriptions(tenants: &[Label]) -> Vec<String> {
    if tenants.is_empty() {
        return vec![topic::all_up()];
    }
    let one = |tenant: &Label| format!("{}/{tenant}/+/up/+/+", topic::ROOT);
    tenants.iter().map(one).collect()
}

impl Mqtt {
    /// A source that has not connected.
    #[must_use]
    pub fn new(connector: Box<dyn Connector>, connection: Connection) -> Self {
        Self {
            connector,
            connection,
            link: None,
        }
    }
}

impl Source for Mqtt {
    type Failure = LinkFailure;

    async fn session(&mut self, inlet: &Inlet, outlet: &mut Outlet) -> LinkFailure {
        let link = self.link.insert(self.connector.connect(&self.connection));
        let failure = talk(link.as_mut(), inlet, outlet).await;
        self.link = None;
        failure
    }

    async fn leave(&mut self) {
        let Some(mut link) = self.link.take() else {
            return;
        };
        link.leave(FAREWELL);
        let gone = async { while !matches!(link.next().await, LinkEvent::Closed(_)) {} };
        let (Ok(()) | Err(_)) = tokio::time::timeout(FAREWELL, gone).await;
    }
}

impl std::fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mqtt({:?})", self.connection.endpoints)
    }
}

/// Carries messages in and acknowledgements out until the connection ends.
async fn talk(link: &mut dyn Link, inlet: &Inlet, outlet: &mut Outlet) -> LinkFailure {
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
                    let incoming = Incoming { topic, bytes: payload, retained, receipt: None };
                    if !inlet.give(incoming).await {
                        return LinkFailure::Left;
                    }
                }
                LinkEvent::Delivered(_) => {}
                LinkEvent::Rejected(_) => tracing::warn!("the broker refuses an acknowledgement"),
                LinkEvent::Closed(failure) => return failure,
            },
            Some(next) = outlet.recv(), if ready && waiting.is_none() => waiting = Some(next),
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
