//! What a connection is told: where to, as whom, and what is published through it.

use std::time::Duration;

use super::identity::Identity;

/// Everything that one connection needs.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The brokers, in the order of preference.
    pub endpoints: Vec<Endpoint>,
    /// How the connection is protected.
    pub security: Security,
    /// The client identifier, which is the device's name; a broker keeps one connection for each.
    pub client_id: String,
    /// How long nothing may be said before each side makes sure that the other is there; at least a second.
    ///
    /// A broker that says nothing for two and a half times as long is given up.
    pub keep_alive: Duration,
    /// What the broker publishes when the connection ends without a farewell.
    pub will: Option<Publication>,
    /// Topic filters, each subscribed before the connection is ready: for delivery at least once, or at most
    /// once after a broker has closed instead of granting that.
    pub subscriptions: Vec<String>,
    /// How many publications may be under way at once: 1 to [`Connection::MOST_UNDER_WAY`].
    pub window: u16,
    /// Which version of MQTT is spoken.
    pub protocol: ProtocolChoice,
}

impl Connection {
    /// The widest window: it stays far below what the library and brokers keep in flight, so that packet
    /// identifiers never meet even when a broker acknowledges out of order.
    pub const MOST_UNDER_WAY: u16 = 50;

    /// The largest packet either way, in bytes; an envelope has at most half of it.
    pub const LARGEST_PACKET: usize = 32 * 1024;

    /// How long a broker may take until CONNACK, and as long again until the last SUBACK.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

    /// The window, within its bounds.
    #[must_use]
    pub fn bounded_window(&self) -> u16 {
        self.window.clamp(1, Self::MOST_UNDER_WAY)
    }
}

/// One broker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// Its name, which its certificate must bear, or its address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
}

/// How a connection is protected.
#[derive(Debug, Clone)]
pub enum Security {
    /// TLS, with certificates on both sides.
    MutualTls(Identity),
    /// Nothing. Refused unless the endpoint is a loopback address: for tests, and for brokers that another
    /// program of this machine protects.
    PlainLoopback,
}

/// A version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// MQTT 3.1.1, the base.
    V311,
    /// MQTT 5, which lets messages expire and gives reasons.
    V5,
}

/// Which versions a connection tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProtocolChoice {
    /// MQTT 5 where the broker offers it, otherwise 3.1.1, remembered for each endpoint for a while.
    #[default]
    Newest,
    /// This one or none.
    Only(Protocol),
}

/// How often a publication may reach the broker; the more reliable is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reliability {
    /// Never more than once, perhaps not at all (quality of service 0).
    AtMostOnce,
    /// Until the broker acknowledges it (quality of service 1).
    AtLeastOnce,
}

/// Something to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// After how long the broker may forget it; only MQTT 5 can tell it so.
    pub expiry: Option<Duration>,
    /// How often it may reach the broker.
    pub reliability: Reliability,
}
