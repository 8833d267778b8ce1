//! Messages from a stream of NATS JetStream, and acknowledgements back.
//!
//! ```text
//! devices --MQTT--> madoguchi.1.*.*.up.> --stream madoguchi-up--> consumer part-0-of-1 --> Inlet
//! devices <--MQTT-- madoguchi.1.{tenant}.{device}.dn.{ack|cmd} <-- Outlet
//! ```
//! Each part of the devices ([`Shard`]) has a durable consumer of its own, and each consumer is given every
//! message: the process of a part takes what is of its devices and lets the rest pass
//! (`Verdict::Elsewhere`), so that all of a device comes to the process that has its ledger.
//! A server of 2.9 cannot spread subjects by device in a way that other programs can compute; to look at a
//! topic costs little beside a signature.
//! The stream forgets a message when every consumer has acknowledged it: that is when it is on the disk, and
//! whatever the verdict. What is not acknowledged in 30 seconds comes again, and the ledger knows it.
//! What waited in the stream from before a session, or comes again, is `retained`: it proves what was, and no
//! life now.
//! Stream and consumers are there before: this process may not make any.
//! The files for the broker are in `provisioning/packaging/broker/nats`; it runs in
//! `tests/scenarios/tests/telemetry.rs`.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::Stream;
use async_nats::jetstream::message::Acker;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, jetstream};
use telemetry::link::{Endpoint, Identity};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;

use crate::acks::Outgoing;
use crate::dotted;
use crate::registry::Shard;
use crate::source::{SessionFailure, Source, Turns};
use crate::worker::{Incoming, Inlet, Outlet, Receipts};

/// The stream that keeps what devices say.
const STREAM: &str = "madoguchi-up";
/// How many messages are asked for at once: with the longest envelope 8 MB.
const BATCH: usize = 512;
/// How long the server waits to fill a batch before it is asked again.
const EXPIRES: Duration = Duration::from_secs(30);
/// How often the server says that it still waits; after twice so long of silence the session is over.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A cluster of NATS with JetStream.
#[derive(Debug)]
pub struct Nats {
    turns: Turns,
    identity: Identity,
    name: String,
    consumer: String,
}

/// The durable consumer of a part.
#[must_use]
pub fn consumer(shard: Shard) -> String {
    format!("part-{}-of-{}", shard.index(), shard.of())
}

impl Nats {
    /// A source that has not connected. `name` is how its connections are called at the server.
    #[must_use]
    pub fn new(endpoints: Vec<Endpoint>, identity: Identity, name: String, shard: Shard) -> Self {
        Self {
            turns: Turns::new(endpoints),
            identity,
            name,
            consumer: consumer(shard),
        }
    }

    async fn open(&self, endpoint: &Endpoint) -> Result<Session, SessionFailure> {
        let Endpoint { host, port } = endpoint;
        let (heard, events) = mpsc::unbounded_channel();
        let options = ConnectOptions::new()
            .name(&self.name)
            .require_tls(true)
            .tls_client_config((*self.identity.config()).clone())
            // Sessions follow each other here, and not within the library.
            .max_reconnects(1)
            .ignore_discovered_servers()
            .event_callback(move |event| {
                // Where the session is over, nobody listens.
                let (Ok(()) | Err(_)) = heard.send(event);
                std::future::ready(())
            });
        let address = format!("tls://{host}:{port}")
            .parse::<ServerAddr>()
            .map_err(SessionFailure::refused("connect", endpoint))?;
        let client = options
            .connect(address)
            .await
            .map_err(SessionFailure::refused("connect", endpoint))?;
        let consumer: PullConsumer = jetstream::new(client.clone())
            .get_consumer_from_stream(&self.consumer, STREAM)
            .await
            .map_err(SessionFailure::refused("find its consumer", endpoint))?;
        let info = consumer.cached_info();
        let unacknowledged = u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX);
        let backlog = info.num_pending.saturating_add(unacknowledged);
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH)
            .expires(EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(SessionFailure::refused("ask for messages", endpoint))?;
        tracing::info!(host, port, "connected");
        Ok(Session {
            client,
            events,
            messages,
            receipts: Receipts::new(),
            unsettled: VecDeque::new(),
            taken: 0,
            backlog,
        })
    }
}

impl Source for Nats {
    type Failure = SessionFailure;

    async fn session(&mut self, inlet: &Inlet, outlet: &mut Outlet) -> SessionFailure {
        let failure = match self.turns.begin(|endpoint| self.open(endpoint)).await {
            Ok(session) => session.carry(inlet, outlet).await,
            Err(failure) => failure,
        };
        self.turns.pass();
        failure
    }

    /// A connection that is dropped closes itself, and what was not acknowledged comes again.
    async fn leave(&mut self) {}
}

/// A connection on which a consumer is asked for messages.
struct Session {
    client: Client,
    events: mpsc::UnboundedReceiver<Event>,
    messages: Stream,
    receipts: Receipts,
    /// By whom each message is acknowledged that is not judged yet, and its number in this session.
    unsettled: VecDeque<(u64, Acker)>,
    taken: u64,
    /// How many messages there are still from before.
    backlog: u64,
}

impl Session {
    async fn carry(mut self, inlet: &Inlet, outlet: &mut Outlet) -> SessionFailure {
        if !inlet.resume().await {
            return SessionFailure::Left;
        }
        loop {
            tokio::select! {
                message = self.messages.next() => {
                    let message = match message {
                        Some(Ok(message)) => message,
                        Some(Err(error)) => return SessionFailure::ended(&error),
                        None => return SessionFailure::ended(&"the messages are at their end"),
                    };
                    if !inlet.give(self.incoming(message)).await {
                        return SessionFailure::Left;
                    }
                }
                through = self.receipts.settled() => {
                    if let Err(error) = self.acknowledge(through).await {
                        return SessionFailure::ended(&error);
                    }
                }
                Some(next) = outlet.recv() => {
                    // The device is told again after its next sign of life.
                    if let Err(error) = publish(&self.client, next).await {
                        return SessionFailure::ended(&error);
                    }
                }
                Some(event) = self.events.recv() => match event {
                    Event::Connected => {}
                    Event::Disconnected | Event::Closed | Event::Draining | Event::LameDuckMode => {
                        return SessionFailure::ended(&event);
                    }
                    Event::SlowConsumer(_) | Event::ServerError(_) | Event::ClientError(_) => {
                        tracing::warn!(%event, "the connection complains");
                    }
                },
            }
        }
    }

    fn incoming(&mut self, message: jetstream::Message) -> Incoming {
        let again = message.info().is_ok_and(|info| info.delivered > 1);
        let retained = self.backlog > 0 || again;
        let (message, acker) = message.split();
        self.taken += 1;
        self.unsettled.push_back((self.taken, acker));
        self.backlog = self.backlog.saturating_sub(1);
        Incoming {
            topic: dotted::to_topic(&message.subject),
            bytes: message.payload.to_vec(),
            retained,
            receipt: Some(self.receipts.receipt(self.taken)),
        }
    }

    async fn acknowledge(&mut self, through: u64) -> Result<(), async_nats::Error> {
        while let Some((_, acker)) = self
            .unsettled
            .pop_front_if(|(number, _)| *number <= through)
        {
            acker.ack().await?;
        }
        Ok(())
    }
}

async fn publish(client: &Client, outgoing: Outgoing) -> Result<(), async_nats::PublishError> {
    let subject = dotted::from_topic(&outgoing.topic);
    client.publish(subject, outgoing.bytes.into()).await
}
