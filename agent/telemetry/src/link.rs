//! One connection to a broker, of topics and bytes.
//!
//! What a [`Link`] carries it does not understand, and what it loses it does not bring back.
//! The layer above owns the log of what is to be sent: it publishes from there, at most a window at a time,
//! and after every [`LinkEvent::Closed`] it connects anew and begins again at what is not yet acknowledged.
//!
//! ```text
//!  Connector::connect -> Link, connecting
//!                          | CONNACK, and SUBACK for every subscription
//!                          v
//!                        Ready    publish -> Token, Delivered(Token), Arrived
//!                          | leave, a failure, silence
//!                          v
//!                        Closed   the last event, given again for ever
//! ```
//!
//! The client library is trusted with nothing: each connection is a new client with a clean session, so that
//! no queue, packet identifier or session state of it outlives the connection.
//! A PUBACK says that a broker took the bytes over, not that anybody keeps them; only the receiver's signed
//! acknowledgement frees the log.
//! Its tests, with a broker that misbehaves, are in `tests/scenarios/tests/telemetry_link.rs`.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

mod backoff;
mod connection;
mod failure;
mod identity;
mod mqtt;

pub use backoff::{Backoff, BackoffLimits};
pub use connection::{
    Connection, Endpoint, Protocol, ProtocolChoice, Publication, Reliability, Security,
};
pub use failure::{LinkFailure, PublishRefusal, Refusal};
pub use identity::{Identity, IdentityError};
pub use mqtt::MqttConnector;

/// The future of a link's next event.
pub type NextEvent<'a> = Pin<Box<dyn Future<Output = LinkEvent> + Send + 'a>>;

/// Where links come from.
pub trait Connector: Send {
    /// Begins a new connection and returns at once; the link tells by events how it goes.
    ///
    /// A connector goes through the endpoints in turn: it stays at one that became ready, and takes the next
    /// one after a failure.
    fn connect(&mut self, connection: &Connection) -> Box<dyn Link>;
}

/// One connection to a broker. Dropping it ends the connection without a farewell, so that the broker
/// publishes the will.
pub trait Link: Send {
    /// Gives a publication to the connection, without waiting.
    ///
    /// The token comes back in [`LinkEvent::Delivered`], unless the connection closes before.
    ///
    /// # Errors
    ///
    /// [`PublishRefusal::NotReady`] before [`LinkEvent::Ready`], [`PublishRefusal::Busy`] while the window is
    /// full, [`PublishRefusal::TooLarge`] and [`PublishRefusal::Topic`] for what can never be sent, and
    /// [`PublishRefusal::Closed`] after the end.
    fn publish(&mut self, publication: Publication) -> Result<Token, PublishRefusal>;

    /// Waits for the next event.
    ///
    /// Dropping the future loses no event.
    /// A link whose events nobody takes reads nothing from the broker any more, which then gives it up.
    fn next(&mut self) -> NextEvent<'_>;

    /// Ends the connection cleanly, so that the broker forgets the will.
    ///
    /// What was published before is waited for, at most `patience`; go on with [`Link::next`] until
    /// [`LinkEvent::Closed`].
    fn leave(&mut self, patience: Duration);
}

/// Names one publication of one link; counted from zero, in the order of [`Link::publish`].
///
/// Tokens of different links must not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

impl Token {
    /// The token of the publication that `before` others of this link preceded.
    #[must_use]
    pub const fn after(before: u64) -> Self {
        Self(before)
    }

    /// How many publications of this link preceded.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What a link tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// The broker accepted the connection and every subscription.
    Ready {
        /// The version that both speak.
        protocol: Protocol,
        /// Which of the connection's endpoints it is, counted from zero.
        endpoint: usize,
    },
    /// The broker acknowledged it (PUBACK); one sent at most once has left.
    Delivered(Token),
    /// The broker refused it, and will refuse it again; only MQTT 5 can say so.
    Rejected(Token),
    /// A message for one of the subscriptions; retained ones may come before [`LinkEvent::Ready`].
    Arrived {
        /// Where it was published.
        topic: String,
        /// The bytes, as they came.
        payload: Vec<u8>,
        /// Whether the broker had kept it from before the subscription.
        retained: bool,
    },
    /// The connection is over, and everything not yet delivered is as good as lost.
    Closed(LinkFailure),
}
