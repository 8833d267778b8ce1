//! Messages from the queues of RabbitMQ by AMQP 0-9-1, and acknowledgements back.
//!
//! ```text
//! devices --MQTT--> amq.topic --bindings--> madoguchi-up-0..3 --one channel each--> Inlet
//! devices <--MQTT-- amq.topic <--routing key with dots-- Outlet
//! ```
//! Queue `n` holds the devices of part `n` of four ([`crate::registry::shard_of`]), and a process consumes the
//! queues that make up its own part ([`Shard::parts_of`]), so that all of a device comes to the process that
//! has its ledger.
//! A delivery is acknowledged to the broker when it is on the disk, whatever the verdict; what is not, because
//! process or connection ended, the broker delivers again, and the ledger knows it.
//! The queues are there before: this process may not make any. They have a single active consumer, so that
//! a connection that is dead and not given up yet shares nothing with the next one.
//! What waited in a queue from before a session, or comes again, is `retained`: it proves what was, and no life
//! now.
//! The files for the broker are in `provisioning/packaging/broker/rabbitmq`; it runs in
//! `tests/scenarios/tests/telemetry.rs`.

use amqprs::callbacks::{DefaultChannelCallback, DefaultConnectionCallback};
use amqprs::channel::{
    BasicAckArguments, BasicConsumeArguments, BasicPublishArguments, BasicQosArguments, Channel,
    ConsumerMessage, QueueDeclareArguments,
};
use amqprs::connection::{Connection, OpenConnectionArguments};
use amqprs::security::SecurityCredentials;
use amqprs::tls::TlsAdaptor;
use amqprs::{BasicProperties, DELIVERY_MODE_PERSISTENT};
use telemetry::link::{Endpoint, Identity};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::acks::Outgoing;
use crate::dotted;
use crate::registry::Shard;
use crate::source::{SessionFailure, Source, Turns};
use crate::worker::{Incoming, Inlet, Outlet, Receipts};

/// How many queues the devices are spread over; as many as `queues.json` has.
pub const QUEUES: u32 = 4;

/// The exchange to which the MQTT plugin publishes, and from which it delivers.
const EXCHANGE: &str = "amq.topic";
/// How many deliveries of one queue may wait for their acknowledgement: with the longest envelope 8 MB.
const PREFETCH: u16 = 512;
/// After twice so many silent seconds each side gives the other up.
const HEARTBEAT: u16 = 10;
/// How long the broker keeps an acknowledgement for a device that is away, in milliseconds.
const EXPIRATION: &str = "3600000";

/// A cluster of RabbitMQ.
#[derive(Debug)]
pub struct RabbitMq {
    turns: Turns,
    identity: Identity,
    name: String,
    shard: Shard,
}

impl RabbitMq {
    /// A source that has not connected; `None` where the parts of [`QUEUES`] do not make up the shard.
    ///
    /// `name` is how its connections are called at the broker.
    #[must_use]
    pub fn new(
        endpoints: Vec<Endpoint>,
        identity: Identity,
        name: String,
        shard: Shard,
    ) -> Option<Self> {
        let source = Self {
            turns: Turns::new(endpoints),
            identity,
            name,
            shard,
        };
        (!shard.parts_of(QUEUES).is_empty()).then_some(source)
    }

    async fn open(&self, endpoint: &Endpoint) -> Result<Session, SessionFailure> {
        let refused = |attempt| SessionFailure::refused(attempt, endpoint);
        let tls = TlsConnector::from(self.identity.config());
        let arguments = OpenConnectionArguments::default()
            .host(&endpoint.host)
            .port(endpoint.port)
            .connection_name(&self.name)
            .credentials(SecurityCredentials::new_external())
            .heartbeat(HEARTBEAT)
            .tls_adaptor(TlsAdaptor::new(tls, endpoint.host.clone()))
            .finish();
        let connection = Connection::open(&arguments)
            .await
            .map_err(refused("connect"))?;
        // The callbacks write into the log why the broker closes something.
        connection
            .register_callback(DefaultConnectionCallback)
            .await
            .map_err(refused("connect"))?;
        let down = channel(&connection)
            .await
            .map_err(refused("open a channel"))?;
        let mut lanes = Vec::new();
        for part in self.shard.parts_of(QUEUES) {
            let lane = Lane::open(&connection, part, self.shard).await;
            lanes.push(lane.map_err(refused("consume a queue"))?);
        }
        tracing::info!(host = endpoint.host, port = endpoint.port, "connected");
        Ok(Session {
            lanes,
            down,
            _connection: connection,
        })
    }
}

impl Source for RabbitMq {
    type Failure = SessionFailure;

    async fn session(&mut self, inlet: &Inlet, outlet: &mut Outlet) -> SessionFailure {
        let failure = match self.turns.begin(|endpoint| self.open(endpoint)).await {
            Ok(session) => session.carry(inlet, outlet).await,
            Err(failure) => failure,
        };
        self.turns.pass();
        failure
    }

    /// A connection that is dropped closes itself, and the broker delivers again what was not acknowledged.
    async fn leave(&mut self) {}
}

/// A connection on which queues are consumed.
struct Session {
    lanes: Vec<Lane>,
    down: Channel,
    // It is closed when it is dropped, after its channels.
    _connection: Connection,
}

impl Session {
    async fn carry(self, inlet: &Inlet, outlet: &mut Outlet) -> SessionFailure {
        if !inlet.resume().await {
            return SessionFailure::Left;
        }
        // Tasks end when the set is dropped.
        let mut lanes = JoinSet::new();
        for lane in self.lanes {
            lanes.spawn(lane.carry(inlet.clone()));
        }
        loop {
            tokio::select! {
                Some(ended) = lanes.join_next() => {
                    return ended.unwrap_or(SessionFailure::Left);
                }
                Some(next) = outlet.recv() => {
                    // The device is told again after its next sign of life, and the lanes tell of the end.
                    if let Err(error) = publish(&self.down, next).await {
                        tracing::warn!(%error, "an acknowledgement was not sent");
                    }
                }
            }
        }
    }
}

/// One queue and its channel: delivery tags count within a channel, and through which one all is judged is
/// known only where they come in order.
struct Lane {
    queue: String,
    channel: Channel,
    messages: UnboundedReceiver<ConsumerMessage>,
    receipts: Receipts,
    /// How many deliveries there are still from before.
    backlog: u64,
    shard: Shard,
    /// Whether it was told that a device is bound to the wrong queue; once in a session is enough.
    stray_told: bool,
}

impl Lane {
    async fn open(
        connection: &Connection,
        part: u32,
        shard: Shard,
    ) -> Result<Self, amqprs::error::Error> {
        let queue = format!("madoguchi-up-{part}");
        let channel = channel(connection).await?;
        let qos = BasicQosArguments::new(0, PREFETCH, false);
        channel.basic_qos(qos).await?;
        let asks = QueueDeclareArguments::new(&queue)
            .passive(true)
            .durable(true)
            .finish();
        let declared = channel.queue_declare(asks).await?;
        let backlog = declared.map_or(0, |(_, messages, _)| u64::from(messages));
        let consume = BasicConsumeArguments::new(&queue, &queue)
            .manual_ack(true)
            .finish();
        let (_, messages) = channel.basic_consume_rx(consume).await?;
        Ok(Self {
            queue,
            channel,
            messages,
            receipts: Receipts::new(),
            backlog,
            shard,
            stray_told: false,
        })
    }

    async fn carry(mut self, inlet: Inlet) -> SessionFailure {
        loop {
            tokio::select! {
                message = self.messages.recv() => {
                    let Some(incoming) = message.and_then(|message| self.incoming(message)) else {
                        return SessionFailure::ended(&self.queue);
                    };
                    if !inlet.give(incoming).await {
                        return SessionFailure::Left;
                    }
                }
                through = self.receipts.settled() => {
                    let acknowledged = BasicAckArguments::new(through, true);
                    if self.channel.basic_ack(acknowledged).await.is_err() {
                        return SessionFailure::ended(&self.queue);
                    }
                }
            }
        }
    }

    fn incoming(&mut self, message: ConsumerMessage) -> Option<Incoming> {
        let delivered = message.deliver?;
        let topic = dotted::to_topic(delivered.routing_key());
        if !self.shard.holds(&topic) && !std::mem::replace(&mut self.stray_told, true) {
            tracing::error!(
                topic,
                queue = self.queue,
                "a device is bound to the wrong queue"
            );
        }
        let retained = self.backlog > 0 || delivered.redelivered();
        self.backlog = self.backlog.saturating_sub(1);
        Some(Incoming {
            topic,
            bytes: message.content?,
            retained,
            receipt: Some(self.receipts.receipt(delivered.delivery_tag())),
        })
    }
}

async fn channel(connection: &Connection) -> Result<Channel, amqprs::error::Error> {
    let channel = connection.open_channel(None).await?;
    channel.register_callback(DefaultChannelCallback).await?;
    Ok(channel)
}

async fn publish(channel: &Channel, outgoing: Outgoing) -> Result<(), amqprs::error::Error> {
    let properties = BasicProperties::default()
        .with_delivery_mode(DELIVERY_MODE_PERSISTENT)
        .with_expiration(EXPIRATION)
        .finish();
    // A topic to a device has at most 88 bytes; the library panics beyond 255.
    let place = BasicPublishArguments::new(EXCHANGE, &dotted::from_topic(&outgoing.topic));
    channel
        .basic_publish(properties, outgoing.bytes, place)
        .await
}
