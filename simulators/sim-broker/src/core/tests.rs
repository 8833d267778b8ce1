//! The broker's conduct and misconduct, without a socket.

use super::*;
use crate::plan::Fault;

/// A broker with clients that connect one after the other.
struct Bench(Core);

impl Bench {
    fn new(plan: Plan) -> Self {
        Self(Core::new(VersionAnswer::Refusal, plan))
    }

    fn connect(&mut self, id: ConnectionId, clean: bool) -> Vec<Output> {
        self.0.opened(id);
        let connect = Connect {
            level: 4,
            clean,
            keep_alive: 0,
            client_id: format!("client-{id}"),
            will: Some(Will {
                topic: format!("will/{id}"),
                payload: b"lost".to_vec(),
                quality: 1,
                retain: false,
            }),
            user: None,
        };
        self.0.handle(id, Packet::Connect(connect));
        self.0.outputs()
    }

    fn subscribe(&mut self, id: ConnectionId, filter: &str) -> Vec<Output> {
        let filters = vec![(filter.to_owned(), 1)];
        self.0.handle(id, Packet::Subscribe { id: 1, filters });
        self.0.outputs()
    }

    fn publish(&mut self, id: ConnectionId, topic: &str, payload: &[u8]) {
        self.0.handle(
            id,
            Packet::Publish(Publish {
                duplicate: false,
                retain: topic.starts_with("kept"),
                topic: topic.to_owned(),
                id: Some(1),
                payload: payload.to_vec(),
            }),
        );
    }

    /// Topics and payloads that were sent to this connection.
    fn given(&mut self, to: ConnectionId) -> Vec<(String, Vec<u8>)> {
        given(&self.0.outputs(), to)
    }

    /// A publisher 1 and a subscriber 2 to everything.
    fn pair(plan: Plan) -> Self {
        let mut bench = Self::new(plan);
        bench.connect(1, true);
        bench.connect(2, true);
        bench.subscribe(2, "#");
        bench
    }
}

fn given(outputs: &[Output], to: ConnectionId) -> Vec<(String, Vec<u8>)> {
    let mut given = Vec::new();
    for output in outputs {
        if let Output::Send(id, bytes) = output
            && *id == to
            && bytes[0] >> 4 == 3
        {
            let Packet::Publish(publish) = wire::decode(bytes).unwrap().unwrap().0 else {
                panic!("no PUBLISH");
            };
            given.push((publish.topic, publish.payload));
        }
    }
    given
}

fn pubacks(outputs: &[Output]) -> usize {
    outputs
        .iter()
        .filter(|output| matches!(output, Output::Send(1, bytes) if bytes[0] == 0x40))
        .count()
}

fn message(topic: &str, payload: &[u8]) -> (String, Vec<u8>) {
    (topic.to_owned(), payload.to_vec())
}

#[test]
fn an_honest_broker_gives_each_message_once_and_acknowledges_it() {
    let mut bench = Bench::pair(Plan::honest());
    bench.publish(1, "a", b"1");
    let outputs = bench.0.outputs();
    assert_eq!(given(&outputs, 2), [message("a", b"1")]);
    assert_eq!(pubacks(&outputs), 1);
}

#[test]
fn a_will_is_published_unless_the_client_says_goodbye() {
    let mut bench = Bench::pair(Plan::honest());
    bench.0.gone(1);
    assert_eq!(bench.given(2), [message("will/1", b"lost")]);
    bench.connect(3, true);
    bench.0.handle(3, Packet::Disconnect);
    bench.0.gone(3);
    assert_eq!(bench.given(2), []);
    assert_eq!((bench.0.counts().wills, bench.0.counts().farewells), (1, 1));
}

#[test]
fn a_client_that_comes_twice_ends_its_older_connection() {
    let mut bench = Bench::pair(Plan::honest());
    bench.0.opened(9);
    let connect = Connect {
        level: 4,
        clean: true,
        keep_alive: 0,
        client_id: "client-1".to_owned(),
        will: None,
        user: None,
    };
    bench.0.handle(9, Packet::Connect(connect));
    let outputs = bench.0.outputs();
    assert!(outputs.contains(&Output::Close(1)));
    assert_eq!(given(&outputs, 2), [message("will/1", b"lost")]);
    bench.0.gone(1);
    assert_eq!(bench.given(2), []);
    assert_eq!(bench.0.counts().connected, 2);
}

#[test]
fn a_session_that_is_kept_gets_what_it_missed() {
    let mut bench = Bench::new(Plan::honest());
    bench.connect(1, true);
    bench.connect(2, false);
    bench.subscribe(2, "a");
    bench.0.handle(2, Packet::Disconnect);
    bench.0.gone(2);
    bench.publish(1, "a", b"1");
    assert_eq!(bench.given(2), []);
    let outputs = bench.connect(2, false);
    assert_eq!(outputs[0], Output::Send(2, vec![0x20, 2, 1, 0]));
    assert_eq!(given(&outputs, 2), [message("a", b"1")]);
    let outputs = bench.connect(3, true);
    assert_eq!(outputs[0], Output::Send(3, vec![0x20, 2, 0, 0]));
}

#[test]
fn another_version_is_refused_as_the_specification_says() {
    let mut bench = Bench::new(Plan::honest());
    bench.0.opened(1);
    let bytes = b"\x10\x10\0\x04MQTT\x05\x02\0\x3c\0\0\x03abc";
    let (packet, _) = wire::decode(bytes).unwrap().unwrap();
    bench.0.handle(1, packet);
    let expected = [Output::Send(1, vec![0x20, 2, 0, 1]), Output::Close(1)];
    assert_eq!(bench.0.outputs(), expected);
    assert_eq!(bench.0.counts().other_versions, 1);
}

#[test]
fn what_comes_before_connect_ends_the_connection() {
    let mut bench = Bench::new(Plan::honest());
    bench.0.opened(1);
    bench.0.handle(1, Packet::PingReq);
    assert_eq!(bench.0.outputs(), [Output::Close(1)]);
}

#[test]
fn each_fault_spoils_what_it_says() {
    for (kind, acknowledged, expected) in [
        (Kind::Drop, 2, vec![]),
        (
            Kind::Duplicate,
            2,
            vec![("a", "1"), ("a", "1"), ("b", "2"), ("b", "2")],
        ),
        (Kind::HoldBack(2), 2, vec![("b", "2"), ("a", "1")]),
        (Kind::Replay, 2, vec![("a", "1"), ("b", "2"), ("a", "1")]),
        (Kind::SwapTopics, 2, vec![("a", "2"), ("b", "1")]),
        (
            Kind::ForgeDeath,
            2,
            vec![
                ("a", "1"),
                ("will/1", "lost"),
                ("b", "2"),
                ("will/1", "lost"),
            ],
        ),
        (Kind::NoPuback, 0, vec![("a", "1"), ("b", "2")]),
        (Kind::LatePuback(5), 0, vec![("a", "1"), ("b", "2")]),
        (Kind::ReversePubacks(2), 2, vec![("a", "1"), ("b", "2")]),
        (Kind::DoublePuback, 4, vec![("a", "1"), ("b", "2")]),
    ] {
        let mut bench = Bench::pair(Plan::of(3, Fault::every(kind)));
        bench.publish(1, "a", b"1");
        bench.publish(1, "b", b"2");
        let outputs = bench.0.outputs();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(topic, payload)| message(topic, payload.as_bytes()))
            .collect();
        assert_eq!(given(&outputs, 2), expected, "{kind:?}");
        assert_eq!(pubacks(&outputs), acknowledged, "{kind:?}");
        assert_eq!(bench.0.counts().struck(kind), 2, "{kind:?}");
        assert_eq!(bench.0.seen().len(), 2, "{kind:?}");
    }
}

#[test]
fn a_flipped_bit_arrives_and_the_original_is_what_was_seen() {
    let mut bench = Bench::pair(Plan::of(3, Fault::every(Kind::FlipBit)));
    bench.publish(1, "a", b"payload");
    let [(_, payload)] = &bench.given(2)[..] else {
        panic!("not one message");
    };
    assert_eq!(payload.len(), 7);
    assert_ne!(payload, b"payload");
    assert_eq!(&*bench.0.seen()[0].payload, b"payload");
}

#[test]
fn what_is_retained_can_be_kept_old_rolled_back_and_lost() {
    let mut bench = Bench::pair(Plan::honest());
    let retained = |bench: &mut Bench| {
        bench.connect(7, true);
        let given = given(&bench.subscribe(7, "kept/#"), 7);
        bench.0.handle(7, Packet::Disconnect);
        bench.0.gone(7);
        given
    };
    bench.publish(1, "kept/a", b"1");
    bench.publish(1, "kept/a", b"2");
    assert_eq!(retained(&mut bench), [message("kept/a", b"2")]);
    assert_eq!(bench.0.roll_back(), 1);
    assert_eq!(retained(&mut bench), [message("kept/a", b"1")]);
    bench
        .0
        .set_plan(Plan::of(1, Fault::every(Kind::KeepOldRetained)));
    bench.publish(1, "kept/a", b"3");
    assert_eq!(retained(&mut bench), [message("kept/a", b"1")]);
    bench.0.set_plan(Plan::of(1, Fault::every(Kind::LoseStore)));
    bench.publish(1, "a", b"4");
    assert_eq!(retained(&mut bench), []);
}

#[test]
fn a_test_can_inject_replay_and_declare_dead() {
    let mut bench = Bench::pair(Plan::of(1, Fault::every(Kind::HoldBack(9))));
    bench.0.inject("forged", b"!", false);
    assert_eq!(bench.given(2), [message("forged", b"!")]);
    bench.publish(1, "a", b"1");
    assert_eq!(bench.given(2), []);
    bench.0.release();
    assert_eq!(bench.given(2), [message("a", b"1")]);
    assert!(bench.0.replay(1) && !bench.0.replay(2));
    assert_eq!(bench.given(2), [message("a", b"1")]);
    assert_eq!(bench.0.forge_deaths(), 2);
    let expected = [message("will/1", b"lost"), message("will/2", b"lost")];
    assert_eq!(bench.given(2), expected);
}

#[test]
fn faults_at_connect_take_the_place_of_the_answer() {
    for (kind, expected) in [
        (
            Kind::Refuse(3),
            vec![Output::Send(1, vec![0x20, 2, 0, 3]), Output::Close(1)],
        ),
        (Kind::CloseAtConnect, vec![Output::Close(1)]),
        (Kind::SilentAtConnect, vec![Output::GoSilent(1)]),
    ] {
        let mut bench = Bench::new(Plan::of(1, Fault::every(kind).times(1)));
        assert_eq!(bench.connect(1, true), expected);
        assert_eq!(bench.connect(2, true).len(), 1);
    }
}
