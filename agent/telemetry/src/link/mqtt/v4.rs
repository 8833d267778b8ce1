//! MQTT 3.1.1 by `rumqttc-v4-next`.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use rumqttc_v4::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions,
    Outgoing, Packet, PublishOptions, QoS, StateError, SubscribeFilter, SubscribeReasonCode,
    TlsConfiguration, Transport, mqttbytes,
};

use super::dial::dial;
use super::plan::Plan;
use super::{Acknowledgement, Fate, Heard, Listener, Speaker};
use crate::link::{
    Connection, LinkEvent, LinkFailure, Publication, PublishRefusal, Refusal, Reliability,
};

/// Both halves of a new client that has done nothing yet.
type Halves = (Box<dyn Speaker>, Box<dyn Listener>);

/// Makes a client for this plan.
pub(super) fn open(plan: &Plan) -> Result<Halves, LinkFailure> {
    let broker = (plan.endpoint.host.clone(), plan.endpoint.port);
    let mut options = MqttOptions::new(plan.client_id.clone(), broker);
    let endpoint = plan.endpoint.clone();
    options.set_keep_alive(plan.keep_alive_seconds());
    options.set_max_packet_size(Connection::LARGEST_PACKET, Connection::LARGEST_PACKET);
    options.set_read_batch_size(super::READ_BATCH);
    options.set_socket_connector(move |_, _| dial(endpoint.clone()));
    options
        .try_set_inflight(plan.library_inflight())
        .map_err(|error| misuse(&error))?;
    options
        .try_set_clean_session(true)
        .map_err(|error| misuse(&error))?;
    if let Some(identity) = &plan.identity {
        let tls = TlsConfiguration::Rustls(identity.config());
        options.set_transport(Transport::tls_with_config(tls));
    }
    if let Some(will) = &plan.will {
        options.set_last_will(LastWill::new(
            will.topic.clone(),
            will.payload.clone(),
            quality(will.reliability),
            will.retain,
        ));
    }
    let (client, mut events) = AsyncClient::builder(options)
        .capacity(plan.library_queue())
        .try_build()
        .map_err(|error| misuse(&error))?;
    events
        .network_options
        .set_connection_timeout(Connection::CONNECT_TIMEOUT.as_secs());
    Ok((Box::new(Speaking(client)), Box::new(Listening(events))))
}

struct Speaking(AsyncClient);

impl Speaker for Speaking {
    fn publish(&self, publication: Publication) -> Result<Acknowledgement, PublishRefusal> {
        let options =
            PublishOptions::new(quality(publication.reliability)).retain(publication.retain);
        let notice = self
            .0
            .try_publish_tracked(publication.topic, publication.payload, options)
            .ok()
            .ok_or(PublishRefusal::Busy)?;
        Ok(Box::pin(async {
            match notice.wait_completion_async().await {
                Ok(()) => Fate::Delivered,
                Err(_) => Fate::Lost,
            }
        }))
    }

    fn subscribe(&self, filters: &[String], how: Reliability) -> Result<(), LinkFailure> {
        let filters = filters
            .iter()
            .map(|filter| SubscribeFilter::new(filter.clone(), quality(how)));
        self.0
            .try_subscribe_many(filters)
            .map_err(|error| misuse(&error))
    }

    fn leave(&self, patience: Duration) {
        // It fails if the connection is over, and then there is nothing to leave.
        drop(self.0.try_disconnect_with_timeout(patience));
    }
}

struct Listening(EventLoop);

impl Listener for Listening {
    fn hear(&mut self) -> Pin<Box<dyn Future<Output = Result<Heard, LinkFailure>> + Send + '_>> {
        Box::pin(async {
            match self.0.poll().await {
                Ok(event) => heard(event),
                Err(error) => Err(failure(error)),
            }
        })
    }
}

fn heard(event: Event) -> Result<Heard, LinkFailure> {
    match event {
        Event::Incoming(Packet::ConnAck(_)) => Ok(Heard::Accepted { keep_alive: None }),
        Event::Incoming(Packet::SubAck(answer)) => Ok(Heard::Subscribed {
            granted: answer.return_codes.iter().map(granted).min().flatten(),
        }),
        Event::Incoming(Packet::Publish(message)) => Ok(Heard::Arrived(LinkEvent::Arrived {
            topic: super::topic(&message.topic)?,
            payload: message.payload.into(),
            retained: message.retain,
        })),
        Event::Incoming(_) => Ok(Heard::Other),
        Event::Outgoing(Outgoing::Disconnect) => Ok(Heard::Left),
        Event::Outgoing(_) => Ok(Heard::Sent),
    }
}

/// What the library's failure means for us.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's errors are open-ended, and what is not named here is the broker's fault"
)]
fn failure(error: ConnectionError) -> LinkFailure {
    let detail = super::words(&error);
    match error {
        ConnectionError::NetworkTimeout
        | ConnectionError::FlushTimeout
        | ConnectionError::MqttState(StateError::AwaitPingResp | StateError::CollisionTimeout) => {
            LinkFailure::TimedOut
        }
        ConnectionError::DisconnectTimeout | ConnectionError::RequestsDone => LinkFailure::Left,
        ConnectionError::Tls(_) => LinkFailure::Tls { detail },
        // Before a connection, this is the only thing that fails by itself.
        ConnectionError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            LinkFailure::TimedOut
        }
        ConnectionError::Io(_) => LinkFailure::Unreachable { detail },
        ConnectionError::ConnectionRefused(code) => LinkFailure::Refused(refusal(code)),
        ConnectionError::MqttState(
            StateError::ConnectionAborted
            | StateError::Io(_)
            | StateError::Deserialization(mqttbytes::Error::Io(_)),
        ) => LinkFailure::Broken { detail },
        _ => LinkFailure::Protocol { detail },
    }
}

const fn refusal(code: ConnectReturnCode) -> Refusal {
    match code {
        ConnectReturnCode::RefusedProtocolVersion => Refusal::ProtocolVersion,
        ConnectReturnCode::BadClientId => Refusal::ClientId,
        ConnectReturnCode::ServiceUnavailable => Refusal::Unavailable,
        ConnectReturnCode::BadUserNamePassword => Refusal::Credentials,
        ConnectReturnCode::NotAuthorized => Refusal::NotAuthorised,
        ConnectReturnCode::Success => Refusal::Request,
    }
}

/// How a subscription was granted; `None` where it was refused.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a library's enum; what is not listed refuses"
)]
const fn granted(code: &SubscribeReasonCode) -> Option<Reliability> {
    match code {
        SubscribeReasonCode::Success(QoS::AtLeastOnce) => Some(Reliability::AtLeastOnce),
        SubscribeReasonCode::Success(QoS::AtMostOnce) => Some(Reliability::AtMostOnce),
        _ => None,
    }
}

const fn quality(reliability: Reliability) -> QoS {
    match reliability {
        Reliability::AtMostOnce => QoS::AtMostOnce,
        Reliability::AtLeastOnce => QoS::AtLeastOnce,
    }
}

/// The library refuses its settings, which the plan has checked.
fn misuse(error: &dyn std::error::Error) -> LinkFailure {
    tracing::warn!(error = %error, "the MQTT library refuses its settings");
    LinkFailure::Unusable {
        reason: "the library refuses the settings",
    }
}
