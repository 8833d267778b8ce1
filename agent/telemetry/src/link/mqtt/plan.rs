//! What one attempt is to do: which endpoint, which versions, and whether it can be done at all.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::link::{
    Connection, Endpoint, Identity, Protocol, ProtocolChoice, Publication, PublishRefusal,
    Reliability, Security,
};

/// What the heads of a packet may take beside topic and payload, in either version.
const HEADS: usize = 64;

/// How many connections a broker is spared from being asked for MQTT 5 again.
///
/// It may have been a connection that broke by chance, and brokers are renewed.
const SPARED: u16 = 50;

/// What is known from earlier connections.
#[derive(Debug, Default)]
pub(super) struct Memory {
    turn: usize,
    /// For how many more connections each broker is not asked for MQTT 5.
    without_v5: BTreeMap<Endpoint, u16>,
    /// Whether a broker has closed instead of granting subscriptions at least once.
    at_most_once: bool,
}

impl Memory {
    /// The next attempt takes the next endpoint.
    pub(super) const fn move_on(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }

    /// This broker took 3.1.1 after it had not taken 5.
    pub(super) fn note_without_v5(&mut self, endpoint: &Endpoint) {
        self.without_v5.insert(endpoint.clone(), SPARED);
    }

    /// A broker closed at a subscription, or granted one.
    ///
    /// RabbitMQ 3.10 keeps a queue for each client that subscribes at least once, on the node to which it was
    /// connected first; while that node is dead, the others close at such a subscription of that client.
    /// One for at most once has no such queue, and what it may lose is sent again: commands and
    /// acknowledgements by who waits for an answer, messages by the device.
    pub(super) const fn note_subscription(&mut self, closed: bool) {
        self.at_most_once = closed;
    }

    /// Whether this connection is one that is spared.
    fn spare(&mut self, endpoint: &Endpoint) -> bool {
        let Some(left) = self.without_v5.get_mut(endpoint) else {
            return false;
        };
        if *left == 0 {
            self.without_v5.remove(endpoint);
            return false;
        }
        *left -= 1;
        true
    }
}

/// One attempt.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) endpoint: Endpoint,
    /// Its place among the connection's endpoints.
    pub(super) place: usize,
    /// The versions to try, in this order.
    pub(super) protocols: &'static [Protocol],
    pub(super) identity: Option<Identity>,
    pub(super) client_id: String,
    pub(super) keep_alive: Duration,
    pub(super) will: Option<Publication>,
    pub(super) subscriptions: Vec<String>,
    /// How they are asked for.
    pub(super) subscribed: Reliability,
    pub(super) window: u16,
}

impl Plan {
    /// Checks what can be checked without a broker.
    pub(super) fn new(connection: &Connection, memory: &mut Memory) -> Result<Self, &'static str> {
        let place = memory
            .turn
            .checked_rem(connection.endpoints.len())
            .ok_or("no endpoint")?;
        let endpoint = connection.endpoints.get(place).ok_or("no endpoint")?;
        let identity = match &connection.security {
            Security::MutualTls(identity) => Some(identity.clone()),
            Security::PlainLoopback if is_loopback(&endpoint.host) => None,
            Security::PlainLoopback => return Err("no protection outside this machine"),
        };
        if connection.client_id.is_empty() || connection.client_id.len() > 128 {
            return Err("the client identifier must have 1 to 128 bytes");
        }
        if connection.keep_alive < Duration::from_secs(1) {
            return Err("the keep-alive must be at least a second");
        }
        if let Some(will) = &connection.will {
            check(will)
                .ok()
                .ok_or("the will cannot be published: topic or size")?;
        }
        let filters: usize = connection
            .subscriptions
            .iter()
            .map(|one| one.len() + 3)
            .sum();
        if filters + HEADS > Connection::LARGEST_PACKET
            || connection.subscriptions.iter().any(|one| !is_filter(one))
        {
            return Err("a subscription is no topic filter, or there are too many");
        }
        Ok(Self {
            endpoint: endpoint.clone(),
            place,
            protocols: protocols(connection.protocol, memory, endpoint),
            identity,
            client_id: connection.client_id.clone(),
            keep_alive: connection
                .keep_alive
                .min(Duration::from_secs(u64::from(u16::MAX))),
            will: connection.will.clone(),
            subscriptions: connection.subscriptions.clone(),
            subscribed: if memory.at_most_once {
                Reliability::AtMostOnce
            } else {
                Reliability::AtLeastOnce
            },
            window: connection.bounded_window(),
        })
    }

    /// The keep-alive in the seconds of the protocol.
    pub(super) fn keep_alive_seconds(&self) -> u16 {
        u16::try_from(self.keep_alive.as_secs())
            .unwrap_or(u16::MAX)
            .max(1)
    }

    /// How many publications the library may have in flight: far more than the window, so that it never
    /// waits for one identifier while others are free.
    pub(super) const fn library_inflight(&self) -> u16 {
        self.window.saturating_mul(10)
    }

    /// How many requests the library must be able to take without waiting.
    pub(super) fn library_queue(&self) -> usize {
        usize::from(self.window) + 4
    }
}

fn protocols(
    choice: ProtocolChoice,
    memory: &mut Memory,
    endpoint: &Endpoint,
) -> &'static [Protocol] {
    match choice {
        ProtocolChoice::Only(Protocol::V5) => &[Protocol::V5],
        ProtocolChoice::Only(Protocol::V311) => &[Protocol::V311],
        ProtocolChoice::Newest if memory.spare(endpoint) => &[Protocol::V311],
        ProtocolChoice::Newest => &[Protocol::V5, Protocol::V311],
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// MQTT 3.1.1, 4.7: a filter is not empty, has no U+0000, `#` only as the last level, wildcards only alone.
fn is_filter(filter: &str) -> bool {
    let levels = filter.split('/').count();
    !filter.is_empty()
        && !filter.contains('\0')
        && filter.split('/').enumerate().all(|(at, level)| {
            level == "+" || (level == "#" && at + 1 == levels) || !level.contains(['+', '#'])
        })
}

/// Whether it can ever be sent.
pub(super) fn check(publication: &Publication) -> Result<(), PublishRefusal> {
    let topic = &publication.topic;
    if topic.is_empty() || topic.len() > 1024 || topic.contains(['+', '#', '\0']) {
        return Err(PublishRefusal::Topic);
    }
    let length = topic.len().saturating_add(publication.payload.len());
    if length.saturating_add(HEADS) > Connection::LARGEST_PACKET {
        return Err(PublishRefusal::TooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = fn(&mut Connection);

    fn connection() -> Connection {
        Connection {
            endpoints: ["127.0.0.1", "::1", "localhost"]
                .map(|host| Endpoint {
                    host: host.to_owned(),
                    port: 1883,
                })
                .to_vec(),
            security: Security::PlainLoopback,
            client_id: "counter-1".to_owned(),
            keep_alive: Duration::from_secs(30),
            will: None,
            subscriptions: vec!["ct/1/town/counter-1/dn/+".to_owned()],
            window: 400,
            protocol: ProtocolChoice::Newest,
        }
    }

    fn publication(topic: &str, length: usize) -> Publication {
        Publication {
            topic: topic.to_owned(),
            payload: vec![0; length],
            retain: false,
            expiry: None,
            reliability: Reliability::AtLeastOnce,
        }
    }

    #[test]
    fn endpoints_take_turns_and_versions_are_remembered_for_each() {
        let mut memory = Memory::default();
        let connection = connection();
        let first = Plan::new(&connection, &mut memory).unwrap();
        assert_eq!((first.place, first.window), (0, 50));
        assert_eq!(first.protocols, [Protocol::V5, Protocol::V311]);
        memory.note_without_v5(&first.endpoint);
        for _ in 0..SPARED {
            let again = Plan::new(&connection, &mut memory).unwrap();
            assert_eq!(again.protocols, [Protocol::V311]);
        }
        let later = Plan::new(&connection, &mut memory).unwrap();
        assert_eq!(later.protocols, [Protocol::V5, Protocol::V311]);
        memory.move_on();
        let second = Plan::new(&connection, &mut memory).unwrap();
        assert_eq!((second.place, second.endpoint.host.as_str()), (1, "::1"));
        assert_eq!(second.protocols, [Protocol::V5, Protocol::V311]);
    }

    #[test]
    fn what_can_never_connect_is_refused_before_a_packet_is_sent() {
        let spoils: [(&str, Spoil); 6] = [
            ("no endpoint", |it| it.endpoints.clear()),
            ("plain over the network", |it| {
                it.endpoints[0].host = "192.0.2.1".to_owned()
            }),
            ("no client identifier", |it| it.client_id.clear()),
            ("no keep-alive", |it| it.keep_alive = Duration::ZERO),
            ("no filter", |it| it.subscriptions.push("a/#/b".to_owned())),
            ("a will with a wildcard", |it| {
                it.will = Some(publication("a/#", 1))
            }),
        ];
        for (name, spoil) in spoils {
            let mut connection = connection();
            spoil(&mut connection);
            assert!(
                Plan::new(&connection, &mut Memory::default()).is_err(),
                "{name}"
            );
        }
    }

    #[test]
    fn filters_are_judged_as_the_specification_says() {
        for good in ["#", "+", "a", "/", "+/+", "a/+/b", "a/#", "/finance"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["", "a#", "a/#/b", "a+", "+a/b", "a\0b"] {
            assert!(!is_filter(bad), "{bad}");
        }
    }

    #[test]
    fn publications_that_no_packet_holds_are_refused() {
        assert_eq!(
            check(&publication("a", 32 * 1024)),
            Err(PublishRefusal::TooLarge)
        );
        assert_eq!(check(&publication("a/+", 1)), Err(PublishRefusal::Topic));
        assert_eq!(check(&publication("", 1)), Err(PublishRefusal::Topic));
        assert_eq!(check(&publication("a/b", 16 * 1024)), Ok(()));
    }
}
