//! The monitor: verifies what devices report, keeps the evidence, and says what is true.
//!
//! ```text
//! broker -> source -> Intake: verify -> ledger -> database, one commit for many -> acknowledgements -> broker
//!                                                     |
//!                                             show, follow, alarms, evidence, verify
//! ```
//! | module | its one job |
//! |---|---|
//! | [`ranges`] | a set of numbers |
//! | [`ledger`] | which messages came, which never will, which are missing |
//! | [`alarm`] | everything that can be wrong, by name |
//! | [`rehearsal`] | simulated devices, for tests and measurements |
//! | [`registry`] | which devices exist, with which keys |
//! | [`verify`] | from bytes at a topic to a proved message |
//! | [`presence`] | whether a device lives |
//! | [`watch`] | one device: what it said against what it made |
//! | [`intake`] | a batch: judged, kept, committed |
//! | [`throughput`] | how fast all of it is |
//! | [`acks`] | what devices are told |
//! | [`orders`] | commands on their way, and what they fetched |
//! | [`store`] | the database |
//! | [`worker`] | the thread that takes messages in |
//! | [`source`] | from where messages come: one session with a broker after another |
//! | [`mqtt`] | a source: any broker by MQTT |
//! | [`rabbitmq`] | a source: queues of RabbitMQ by AMQP |
//! | [`nats`] | a source: a stream of NATS |
//! | [`dotted`] | topics as the last two write them |
//! | [`config`] | the configuration file |
//! | [`mod@print`] | what the commands print |
//!
//! Guarantees: a message is accepted once, whatever happens to broker, process or power; what is acknowledged
//! is on the disk; everything that is shown is proved by an envelope that anybody can verify again.
//! What it refuses to do: believe a broker; accept a message of a device or key that nobody registered;
//! change or delete an alarm.

pub mod acks;
pub mod alarm;
pub mod config;
pub mod dotted;
pub mod intake;
pub mod ledger;
pub mod mqtt;
pub mod nats;
pub mod orders;
pub mod presence;
pub mod print;
pub mod rabbitmq;
pub mod ranges;
pub mod registry;
pub mod rehearsal;
pub mod source;
pub mod store;
pub mod throughput;
pub mod verify;
pub mod watch;
pub mod worker;
