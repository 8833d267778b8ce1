//! The MQTT link against a broker that misbehaves by plan, and against one that is none.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use sim_broker::{Broker, Fault, Kind, Plan, Settings, VersionAnswer};
use telemetry::link::{
    Connection, Connector, Endpoint, Link, LinkEvent, LinkFailure, MqttConnector, Protocol,
    ProtocolChoice, Publication, PublishRefusal, Refusal, Reliability, Security, Token,
};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// Nothing in these tests takes longer, unless it never happens.
const PATIENCE: Duration = Duration::from_secs(30);

fn connection(address: SocketAddr) -> Connection {
    Connection {
        endpoints: vec![Endpoint {
            host: address.ip().to_string(),
            port: address.port(),
        }],
        security: Security::PlainLoopback,
        client_id: "counter-07".to_owned(),
        keep_alive: Duration::from_secs(30),
        will: Some(publication("state", "lost")),
        subscriptions: vec!["down/#".to_owned(), "notice".to_owned()],
        window: 50,
        protocol: ProtocolChoice::Newest,
    }
}

fn publication(topic: &str, text: &str) -> Publication {
    Publication {
        topic: topic.to_owned(),
        payload: text.as_bytes().to_vec(),
        retain: false,
        expiry: Some(Duration::from_secs(60)),
        reliability: Reliability::AtLeastOnce,
    }
}

fn connector() -> MqttConnector {
    MqttConnector::new(Handle::current())
}

async fn next(link: &mut dyn Link) -> LinkEvent {
    timeout(PATIENCE, link.next())
        .await
        .expect("an event of the link")
}

/// A link that is ready, and the version that it speaks.
async fn ready(
    connector: &mut MqttConnector,
    connection: &Connection,
) -> (Box<dyn Link>, Protocol) {
    let mut link = connector.connect(connection);
    let event = next(link.as_mut()).await;
    let protocol = if let LinkEvent::Ready { protocol, .. } = event {
        Some(protocol)
    } else {
        None
    };
    assert!(protocol.is_some(), "not ready: {event:?}");
    (link, protocol.expect("just asserted"))
}

/// The numbers of the next tokens that come back; nothing else may come.
async fn delivered(link: &mut dyn Link, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let event = next(link).await;
        if let LinkEvent::Delivered(token) = event {
            numbers.push(token.number());
        } else {
            assert_eq!(event, LinkEvent::Delivered(Token::after(u64::MAX)));
        }
    }
    numbers
}

async fn closed(link: &mut dyn Link) -> LinkFailure {
    loop {
        if let LinkEvent::Closed(failure) = next(link).await {
            return failure;
        }
    }
}

#[tokio::test]
async fn every_publication_comes_back_by_its_token() {
    let broker = Broker::start(Plan::honest()).unwrap();
    let (mut link, _) = ready(&mut connector(), &connection(broker.address())).await;
    for number in 0..50 {
        let token = link
            .publish(publication("up", &number.to_string()))
            .unwrap();
        assert_eq!(token, Token::after(number));
    }
    let numbers = delivered(link.as_mut(), 50).await;
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    let seen: Vec<_> = broker.seen().into_iter().map(|seen| seen.payload).collect();
    let expected: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    assert!(
        seen.iter()
            .zip(&expected)
            .all(|(seen, text)| **seen == *text.as_bytes())
    );
}

#[tokio::test]
async fn acknowledgements_in_another_order_and_missing_ones_are_told_apart() {
    let plan = Plan {
        seed: 1,
        faults: vec![
            Fault::every(Kind::NoPuback).within("odd"),
            Fault::every(Kind::ReversePubacks(25)),
        ],
    };
    let broker = Broker::start(plan).unwrap();
    let (mut link, _) = ready(&mut connector(), &connection(broker.address())).await;
    for number in 0..50 {
        let topic = if number % 2 == 0 { "even" } else { "odd" };
        link.publish(publication(topic, "x")).unwrap();
    }
    let mut numbers = delivered(link.as_mut(), 25).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..50).step_by(2).collect::<Vec<_>>());
    assert!(
        timeout(Duration::from_millis(200), link.next())
            .await
            .is_err()
    );
    // The identifiers go round below the ones that were never acknowledged.
    broker.set_plan(Plan::honest());
    for round in 0..40 {
        for _ in 0..25 {
            link.publish(publication("even", &round.to_string()))
                .unwrap();
        }
        delivered(link.as_mut(), 25).await;
    }
}

#[tokio::test]
async fn a_window_is_never_exceeded() {
    let broker = Broker::start(Plan::of(1, Fault::every(Kind::NoPuback))).unwrap();
    let mut connection = connection(broker.address());
    connection.window = 3;
    let (mut link, _) = ready(&mut connector(), &connection).await;
    for _ in 0..3 {
        link.publish(publication("up", "x")).unwrap();
    }
    assert_eq!(
        link.publish(publication("up", "x")),
        Err(PublishRefusal::Busy)
    );
    assert!(wait(&broker, |counts| counts.published == 3).await);
    assert_eq!(
        link.publish(publication("up", "x")),
        Err(PublishRefusal::Busy)
    );
    assert_eq!(broker.counts().most_under_way, 3);
}

#[tokio::test]
async fn what_can_never_be_sent_is_refused_at_once() {
    let broker = Broker::start(Plan::honest()).unwrap();
    let mut connector = connector();
    let mut link = connector.connect(&connection(broker.address()));
    assert_eq!(
        link.publish(publication("up", "x")),
        Err(PublishRefusal::NotReady)
    );
    drop(link);
    let (mut link, _) = ready(&mut connector, &connection(broker.address())).await;
    let large = "x".repeat(33 * 1024);
    assert_eq!(
        link.publish(publication("up", &large)),
        Err(PublishRefusal::TooLarge)
    );
    assert_eq!(
        link.publish(publication("up/#", "x")),
        Err(PublishRefusal::Topic)
    );
    // The largest that is taken does arrive.
    let large = "x".repeat(32 * 1024 - 128);
    link.publish(publication("up", &large)).unwrap();
    assert_eq!(
        next(link.as_mut()).await,
        LinkEvent::Delivered(Token::after(0))
    );
}

#[tokio::test]
async fn a_broker_without_mqtt_5_is_asked_for_it_once() {
    for version_answer in [VersionAnswer::Refusal, VersionAnswer::Close] {
        let settings = Settings {
            version_answer,
            ..Settings::default()
        };
        let broker = Broker::start_with(settings, Plan::honest()).unwrap();
        let mut connector = connector();
        for _ in 0..2 {
            let (link, protocol) = ready(&mut connector, &connection(broker.address())).await;
            assert_eq!(protocol, Protocol::V311, "{version_answer:?}");
            drop(link);
        }
        assert_eq!(broker.counts().other_versions, 1, "{version_answer:?}");
        let mut fixed = connection(broker.address());
        fixed.protocol = ProtocolChoice::Only(Protocol::V5);
        let failure = closed(connector.connect(&fixed).as_mut()).await;
        assert!(
            matches!(
                failure,
                LinkFailure::Refused(Refusal::ProtocolVersion)
                    | LinkFailure::Broken { .. }
                    | LinkFailure::Protocol { .. }
            ),
            "{version_answer:?}: {failure:?}"
        );
    }
}

/// The library takes the refusal for the beginning of a longer packet and waits for the rest, so that only
/// the time for connecting ends it.
#[tokio::test]
async fn a_broker_that_refuses_mqtt_5_and_does_not_close_is_connected_all_the_same() {
    let settings = Settings {
        version_answer: VersionAnswer::OpenRefusal,
        ..Settings::default()
    };
    let broker = Broker::start_with(settings, Plan::honest()).unwrap();
    let mut connector = connector();
    for _ in 0..2 {
        let (_, protocol) = ready(&mut connector, &connection(broker.address())).await;
        assert_eq!(protocol, Protocol::V311);
    }
    assert_eq!(broker.counts().other_versions, 1);
}

#[tokio::test]
async fn messages_arrive_and_retained_ones_are_marked() {
    let broker = Broker::start(Plan::honest()).unwrap();
    broker.inject_retained("notice", b"kept");
    let mut link = connector().connect(&connection(broker.address()));
    let mut events = vec![next(link.as_mut()).await, next(link.as_mut()).await];
    broker.inject("down/cmd", b"now");
    events.push(next(link.as_mut()).await);
    let arrived = |topic: &str, payload: &[u8], retained| LinkEvent::Arrived {
        topic: topic.to_owned(),
        payload: payload.to_vec(),
        retained,
    };
    assert!(
        events.contains(&arrived("notice", b"kept", true)),
        "{events:?}"
    );
    assert_eq!(events.pop().unwrap(), arrived("down/cmd", b"now", false));
    assert!(wait(&broker, |counts| counts.taken == 2).await);
}

#[tokio::test]
async fn a_silent_broker_is_noticed_by_the_keep_alive() {
    for busy in [false, true] {
        let broker = Broker::start(Plan::honest()).unwrap();
        let mut connection = connection(broker.address());
        connection.keep_alive = Duration::from_secs(1);
        let (mut link, _) = ready(&mut connector(), &connection).await;
        broker.silence_all();
        // What is sent all the time, and never answered, must not keep the connection alive.
        let failure = timeout(PATIENCE, async {
            loop {
                let pause = Duration::from_millis(if busy { 100 } else { 10_000 });
                if let Ok(LinkEvent::Closed(failure)) = timeout(pause, link.next()).await {
                    return failure;
                }
                let mut hint = publication("up", "x");
                hint.reliability = Reliability::AtMostOnce;
                // Refused once the window is full.
                link.publish(hint).ok();
            }
        });
        assert_eq!(
            failure.await.unwrap(),
            LinkFailure::TimedOut,
            "busy: {busy}"
        );
        assert_eq!(
            link.publish(publication("up", "x")),
            Err(PublishRefusal::Closed)
        );
    }
}

#[tokio::test]
async fn the_will_is_published_when_the_link_is_dropped_and_not_when_it_is_left() {
    let broker = Broker::start(Plan::honest()).unwrap();
    let mut connector = connector();
    let (link, _) = ready(&mut connector, &connection(broker.address())).await;
    drop(link);
    assert!(wait(&broker, |counts| counts.wills == 1).await);

    let (mut link, _) = ready(&mut connector, &connection(broker.address())).await;
    link.publish(publication("state", "leaving")).unwrap();
    link.leave(Duration::from_secs(5));
    assert_eq!(
        next(link.as_mut()).await,
        LinkEvent::Delivered(Token::after(0))
    );
    assert_eq!(
        next(link.as_mut()).await,
        LinkEvent::Closed(LinkFailure::Left)
    );
    assert_eq!(
        next(link.as_mut()).await,
        LinkEvent::Closed(LinkFailure::Left)
    );
    assert!(wait(&broker, |counts| counts.connected == 0).await);
    let counts = broker.counts();
    assert_eq!((counts.wills, counts.farewells), (1, 1));
}

/// Waits in a thread of its own, so that the link's task goes on.
async fn wait(broker: &Broker, wanted: fn(&sim_broker::Counts) -> bool) -> bool {
    for _ in 0..150 {
        if broker.wait(Duration::from_millis(1), wanted) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

#[tokio::test]
async fn leaving_does_not_wait_for_a_broker_that_never_acknowledges() {
    let broker = Broker::start(Plan::of(1, Fault::every(Kind::NoPuback))).unwrap();
    let (mut link, _) = ready(&mut connector(), &connection(broker.address())).await;
    link.publish(publication("up", "x")).unwrap();
    link.leave(Duration::from_millis(300));
    assert_eq!(closed(link.as_mut()).await, LinkFailure::Left);
}

#[tokio::test]
async fn after_a_cut_everything_begins_anew() {
    let broker = Broker::start(Plan::of(1, Fault::every(Kind::NoPuback).times(5))).unwrap();
    let mut connector = connector();
    let (mut link, _) = ready(&mut connector, &connection(broker.address())).await;
    for _ in 0..5 {
        link.publish(publication("up", "before")).unwrap();
    }
    assert!(wait(&broker, |counts| counts.published == 5).await);
    broker.cut_all();
    let failure = closed(link.as_mut()).await;
    assert!(matches!(failure, LinkFailure::Broken { .. }), "{failure:?}");
    let (mut link, _) = ready(&mut connector, &connection(broker.address())).await;
    assert_eq!(
        link.publish(publication("up", "after")),
        Ok(Token::after(0))
    );
    assert_eq!(
        next(link.as_mut()).await,
        LinkEvent::Delivered(Token::after(0))
    );
    // Nothing of the earlier client came along.
    assert_eq!(broker.counts().published, 6);
}

#[tokio::test]
async fn refusals_are_told_by_their_reason_and_endpoints_take_turns() {
    let broker = Broker::start(Plan::of(1, Fault::every(Kind::Refuse(5)).times(1))).unwrap();
    let mut connection = connection(broker.address());
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let gone_port = gone.local_addr().unwrap().port();
    drop(gone);
    connection.endpoints.insert(
        0,
        Endpoint {
            host: "localhost".to_owned(),
            port: gone_port,
        },
    );
    let mut connector = connector();
    let failure = closed(connector.connect(&connection).as_mut()).await;
    assert!(
        matches!(failure, LinkFailure::Unreachable { .. }),
        "{failure:?}"
    );
    let failure = closed(connector.connect(&connection).as_mut()).await;
    assert_eq!(failure, LinkFailure::Refused(Refusal::NotAuthorised));
    let failure = closed(connector.connect(&connection).as_mut()).await;
    assert!(
        matches!(failure, LinkFailure::Unreachable { .. }),
        "{failure:?}"
    );
    for _ in 0..2 {
        let mut link = connector.connect(&connection);
        let event = next(link.as_mut()).await;
        assert!(
            matches!(event, LinkEvent::Ready { endpoint: 1, .. }),
            "{event:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_subscription_is_not_ready() {
    let broker = Broker::start(Plan::of(1, Fault::every(Kind::RefuseSubscriptions))).unwrap();
    let mut link = connector().connect(&connection(broker.address()));
    assert_eq!(
        closed(link.as_mut()).await,
        LinkFailure::SubscriptionRefused
    );
}

/// A cluster of RabbitMQ closed at every subscription of a device whose first node was dead, until that node
/// was back.
#[tokio::test]
async fn a_broker_that_closes_at_a_subscription_is_asked_for_less_next_time() {
    let broker = Broker::start(Plan::of(1, Fault::every(Kind::CloseAtSubscription))).unwrap();
    let mut connector = connector();
    let connection = connection(broker.address());
    for _ in 0..2 {
        let failure = closed(connector.connect(&connection).as_mut()).await;
        assert!(matches!(failure, LinkFailure::Broken { .. }), "{failure:?}");
        let (mut link, _) = ready(&mut connector, &connection).await;
        broker.inject("down/cmd", b"now");
        let event = next(link.as_mut()).await;
        assert!(matches!(event, LinkEvent::Arrived { .. }), "{event:?}");
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_says_so() {
    let mut elsewhere = connection((Ipv4Addr::LOCALHOST, 1).into());
    elsewhere.endpoints[0].host = "192.0.2.1".to_owned();
    let mut link = connector().connect(&elsewhere);
    assert!(matches!(
        closed(link.as_mut()).await,
        LinkFailure::Unusable { .. }
    ));
}

/// Accepts connections for ever, waits for CONNECT, answers with these bytes and closes.
fn babbler(answer: impl Fn(u64) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for (number, stream) in (0..).zip(listener.incoming()) {
            let Ok(mut stream) = stream else { return };
            let mut connect = [0; 1024];
            if stream.read(&mut connect).is_ok() {
                drop(stream.write_all(&answer(number)));
            }
        }
    });
    address
}

/// SplitMix64, so that a seed that is found gives the same bytes again.
fn rubbish(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut word = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let length = word() % 64;
    (0..length).map(|_| word().to_le_bytes()[0]).collect()
}

/// Packets that are nearly right: a type that brokers send, a length that fits, and anything inside.
fn nearly_right(seed: u64) -> Vec<u8> {
    let inside = rubbish(seed);
    let types = [
        0x20, 0x30, 0x32, 0x3A, 0x40, 0x50, 0x62, 0x70, 0x90, 0xB0, 0xD0, 0xE0, 0xF0,
    ];
    let at = usize::try_from(seed).unwrap_or(0) % types.len();
    let kind = types.get(at).copied().unwrap_or(0);
    let length = u8::try_from(inside.len()).unwrap_or(0);
    [vec![kind, length], inside].concat()
}

#[tokio::test]
async fn rubbish_ends_the_connection_and_nothing_else() {
    for (protocol, connack) in [
        (Protocol::V311, &[0x20, 2, 0, 0][..]),
        (Protocol::V5, &[0x20, 3, 0, 0, 0][..]),
    ] {
        for (name, make) in [
            ("rubbish", rubbish as fn(u64) -> Vec<u8>),
            ("nearly right", nearly_right),
        ] {
            for accepted in [false, true] {
                let address = babbler(move |seed| {
                    let head = if accepted { connack } else { &[] };
                    [head.to_vec(), make(seed)].concat()
                });
                let mut connection = connection(address);
                connection.protocol = ProtocolChoice::Only(protocol);
                connection.subscriptions.clear();
                let mut connector = connector();
                for seed in 0..130 {
                    let mut link = connector.connect(&connection);
                    let failure = closed(link.as_mut()).await;
                    let at = format!("{protocol:?} {name} accepted {accepted} seed {seed}");
                    assert_ne!(failure, LinkFailure::Left, "{at}");
                    assert!(
                        !failure.to_string().contains("the client library failed"),
                        "{at}: it panicked"
                    );
                }
            }
        }
    }
}
