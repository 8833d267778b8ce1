//! From a link to the disk and back, as `run` does it, over a link in memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use commands::{Document, Order, Preconditions, Verb, approve, join};
use device_api::{Clock, SystemClock};
use monitor::intake::Intake;
use monitor::mqtt::{self, Mqtt};
use monitor::source;
use monitor::store::Store;
use monitor::store::orders::Given;
use monitor::worker::{self, Keeping};
use telemetry::link::{
    Connection, Connector, Link, LinkEvent, LinkFailure, NextEvent, Protocol, ProtocolChoice,
    Publication, PublishRefusal, Reliability, Security, Token,
};
use telemetry::message::outcome::CommandId;
use telemetry::topic::DownKind;
use telemetry::{DownTopic, Envelope, Lane, SoftwareSigner, cbor};
use tokio::sync::mpsc;

use crate::kit::{SETTINGS, device, jobs, own, own_key};

/// Gives what it was told to give, in one connection after another, and shows what is published.
struct Rehearsal {
    connections: VecDeque<Vec<LinkEvent>>,
    published: mpsc::UnboundedSender<Publication>,
}

struct Wire {
    events: VecDeque<LinkEvent>,
    published: mpsc::UnboundedSender<Publication>,
}

impl Connector for Rehearsal {
    fn connect(&mut self, connection: &Connection) -> Box<dyn Link> {
        assert_eq!(
            connection.subscriptions,
            ["madoguchi/1/hoshino-shi/+/up/+/+"]
        );
        Box::new(Wire {
            events: self.connections.pop_front().unwrap_or_default().into(),
            published: self.published.clone(),
        })
    }
}

impl Link for Wire {
    fn publish(&mut self, publication: Publication) -> Result<Token, PublishRefusal> {
        self.published.send(publication).unwrap();
        Ok(Token::after(0))
    }

    fn next(&mut self) -> NextEvent<'_> {
        Box::pin(async {
            match self.events.pop_front() {
                Some(event) => event,
                None => std::future::pending().await,
            }
        })
    }

    fn leave(&mut self, _patience: Duration) {
        self.events.push_back(LinkEvent::Closed(LinkFailure::Left));
    }
}

/// An order for a device, which somebody has approved.
fn order(counter: &monitor::rehearsal::Rehearsed) -> Given {
    let now = SystemClock::new().unix_millis() / 1000;
    let name = "sato".parse().unwrap();
    let mut id = [7; 16];
    id[6] = 0x70;
    id[8] = 0x80;
    let document = Document::new(Order {
        id: CommandId(id),
        target: counter.name.clone(),
        issuer: "sato".parse().unwrap(),
        counter: 1,
        not_before: now,
        expires: now + 3600,
        verb: Verb::Diagnostics,
        preconditions: Preconditions::default(),
        challenge: None,
    })
    .unwrap();
    let signer = SoftwareSigner::from_seed(&[5; 32]).unwrap();
    let approval = approve(&document, &signer, &name, now).unwrap();
    Given {
        id: CommandId(id).to_string(),
        device: 1,
        given_at: now * 1000,
        expires: now + 3600,
        message: join(&[approval]).unwrap(),
        sent_at: None,
        sent_in: None,
        settled: None,
        heard_in: None,
    }
}

#[test]
fn what_comes_by_a_link_is_kept_and_acknowledged_over_a_broken_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("monitor.db");
    let mut counter = device(3);
    let store = Store::open(&path).unwrap();
    store.add_device(&counter.name, &counter.key()).unwrap();
    store.give(&order(&counter)).unwrap();
    let arrived = |said: monitor::intake::Delivery| LinkEvent::Arrived {
        topic: said.topic,
        payload: said.bytes,
        retained: false,
    };
    let ready = LinkEvent::Ready {
        protocol: Protocol::V311,
        endpoint: 0,
    };
    let first = arrived(counter.say(&jobs(1)).unwrap());
    let second = arrived(counter.say(&jobs(2)).unwrap());
    let birth = arrived(counter.birth(&[(Lane::Telemetry, 2)]).unwrap());
    let broken = LinkEvent::Closed(LinkFailure::TimedOut);
    let (published, mut seen) = mpsc::unbounded_channel();
    let connector = Box::new(Rehearsal {
        connections: [
            vec![ready.clone(), first.clone(), broken],
            vec![ready, first, second, birth],
        ]
        .into(),
        published,
    });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let intake = Intake::open(&path, own(), SETTINGS, Arc::clone(&clock)).unwrap();
    let (inlet, outlet, worker) = worker::channel(Arc::clone(&clock));
    let keeping = Keeping {
        days: 1,
        signs_days: 1,
    };
    let thread = std::thread::spawn(move || worker.run(intake, keeping));
    let connection = Connection {
        endpoints: Vec::new(),
        security: Security::PlainLoopback,
        client_id: "monitor".into(),
        keep_alive: Duration::from_secs(30),
        will: None,
        subscriptions: mqtt::subscriptions(&["hoshino-shi".parse().unwrap()]),
        window: 10,
        protocol: ProtocolChoice::Newest,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mark = runtime.block_on(async {
        let (heard, stop) = tokio::sync::oneshot::channel();
        let stop = async {
            stop.await.unwrap();
        };
        let source = Mqtt::new(connector, connection);
        let running = source::run(source, (inlet, outlet), clock, stop);
        let listening = async {
            let (mut ordered, mut through) = (false, None);
            loop {
                let told = seen.recv().await.unwrap();
                let topic: DownTopic = told.topic.parse().unwrap();
                assert_eq!(topic.to, counter.name);
                assert_eq!(told.reliability, Reliability::AtLeastOnce);
                assert!(!told.retain);
                if topic.kind == DownKind::Command {
                    ordered = true;
                    if let Some(mark) = through {
                        heard.send(()).unwrap();
                        return mark;
                    }
                    continue;
                }
                let envelope = Envelope::read(&told.payload).unwrap();
                assert!(envelope.is_signed_by(&own_key(), &told.topic));
                let ack: telemetry::down::Ack = cbor::decode(envelope.payload()).unwrap();
                if ack.marks.iter().any(|mark| mark.through == 2) {
                    through = Some(ack.marks[0]);
                    if ordered {
                        heard.send(()).unwrap();
                        return ack.marks[0];
                    }
                }
            }
        };
        tokio::join!(running, listening).1
    });
    thread.join().unwrap();
    assert_eq!(
        (mark.epoch, mark.lane, mark.through),
        (1, Lane::Telemetry, 2)
    );
    assert_eq!(store.evidence_count().unwrap(), 3);
}
