//! A station with a broker in memory, on time that stands still while something is to do.

use std::collections::BTreeSet;
use std::sync::Mutex;

use device_api::Moment;
use tokio::time::Instant;

use super::*;
use crate::Envelope;
use crate::disk::memory::MemoryDisk;
use crate::link::{
    Link, LinkEvent, NextEvent, Protocol, ProtocolChoice, Publication, PublishRefusal, Security,
    Token,
};
use crate::message::Class;
use crate::message::device::FaultChange;
use crate::outbox::Settings;
use crate::signer::SoftwareSigner;
use crate::topic::UpTopic;

const BEAT: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Moment {
        Moment::after_origin(self.0.elapsed())
    }

    fn unix_millis(&self) -> u64 {
        1_795_000_000_000
    }
}

/// What a broker heard, with when: wills, publications and farewells.
#[derive(Debug, Clone, PartialEq)]
enum Heard {
    Will(Publication),
    Said(Publication),
    Left,
}

type Log = Arc<Mutex<Vec<(Instant, Heard)>>>;

struct Wire {
    log: Log,
    events: Vec<LinkEvent>,
    published: u64,
    /// When it breaks.
    until: Instant,
}

struct Brokers(Log);

impl Connector for Brokers {
    fn connect(&mut self, connection: &Connection) -> Box<dyn Link> {
        let will = connection.will.clone().unwrap();
        note(&self.0, Heard::Will(will));
        Box::new(Wire {
            log: Arc::clone(&self.0),
            events: vec![LinkEvent::Ready {
                protocol: Protocol::V311,
                endpoint: 0,
            }],
            published: 0,
            until: Instant::now() + Duration::from_secs(100),
        })
    }
}

impl Link for Wire {
    fn publish(&mut self, publication: Publication) -> Result<Token, PublishRefusal> {
        note(&self.log, Heard::Said(publication));
        let token = Token::after(self.published);
        self.published += 1;
        self.events.push(LinkEvent::Delivered(token));
        Ok(token)
    }

    fn next(&mut self) -> NextEvent<'_> {
        Box::pin(async {
            if self.events.is_empty() {
                tokio::time::sleep_until(self.until).await;
                return LinkEvent::Closed(LinkFailure::TimedOut);
            }
            self.events.remove(0)
        })
    }

    fn leave(&mut self, _patience: Duration) {
        note(&self.log, Heard::Left);
        self.events.push(LinkEvent::Closed(LinkFailure::Left));
    }
}

fn note(log: &Log, heard: Heard) {
    log.lock().unwrap().push((Instant::now(), heard));
}

fn name() -> DeviceName {
    DeviceName {
        tenant: "hoshino-shi".parse().unwrap(),
        device: "c-03".parse().unwrap(),
    }
}

/// What a broker heard of a station in five minutes with two connections that broke, and its farewell.
async fn five_minutes() -> Vec<(Instant, Heard)> {
    let log = Log::default();
    let clock: Arc<dyn Clock> = Arc::new(Virtual(Instant::now()));
    let signer = Box::new(SoftwareSigner::from_seed(&[7; 32]).unwrap());
    let (outbox, _) = Outbox::open(
        Box::new(MemoryDisk::new()),
        name(),
        signer,
        Arc::clone(&clock),
        Settings::default(),
    )
    .unwrap();
    let profile = Profile {
        name: name(),
        version: Word::or_unnamed("0.1.0"),
        platform: Word::or_unnamed("linux-x86_64"),
        configuration: Digest::of(b"configuration"),
        beat: BEAT,
        monitors: Vec::new(),
        connection: Connection {
            endpoints: Vec::new(),
            security: Security::PlainLoopback,
            client_id: "c-03".to_owned(),
            keep_alive: BEAT,
            will: None,
            subscriptions: Vec::new(),
            window: 10,
            protocol: ProtocolChoice::Newest,
        },
        backoff: BackoffLimits::default(),
    };
    let means = Means {
        outbox,
        connector: Box::new(Brokers(Arc::clone(&log))),
        clock,
        random: Arc::new(ring::rand::SystemRandom::new()),
    };
    let (station, reporter, _happenings) = Station::new(profile, means);
    let station = tokio::spawn(station.run());
    for raised in [true, false] {
        let fault = Message::Fault(FaultChange {
            device: Word::or_unnamed("printer"),
            fault: Word::or_unnamed("PRN-PAPER-OUT"),
            raised,
        });
        let kept = reporter.report(fault).unwrap();
        assert_eq!(kept.await.unwrap(), Ok(()));
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    tokio::time::sleep(Duration::from_secs(300)).await;
    reporter.leave(LeavingReason::Stopped).await;
    station.await.unwrap();
    let log = log.lock().unwrap();
    log.clone()
}

fn class(publication: &Publication) -> Class {
    publication.topic.parse::<UpTopic>().unwrap().class
}

#[tokio::test(start_paused = true)]
async fn a_session_begins_with_its_birth_lives_by_beats_and_ends_with_a_farewell() {
    let log = five_minutes().await;
    let mut sessions = 0;
    let mut challenges = BTreeSet::new();
    let mut alive: Option<Instant> = None;
    for (place, (at, heard)) in log.iter().enumerate() {
        let publication = match heard {
            Heard::Will(will) => {
                assert_eq!(class(will), Class::Lost);
                let (_, next) = &log[place + 1];
                assert!(matches!(next, Heard::Said(birth) if class(birth) == Class::Birth));
                sessions += 1;
                alive = None;
                continue;
            }
            Heard::Said(publication) => publication,
            Heard::Left => continue,
        };
        let class = class(publication);
        if matches!(class, Class::Birth | Class::Beat) {
            let since = alive.map_or(Duration::ZERO, |before| *at - before);
            assert!(since <= BEAT, "silent for {since:?}");
            alive = Some(*at);
        }
        if class == Class::Beat {
            let envelope = Envelope::read(&publication.payload).unwrap();
            let Message::Beat(beat) = Message::decode(class, envelope.payload()).unwrap() else {
                panic!("another message");
            };
            assert!(challenges.insert(beat.challenge), "a challenge came twice");
        }
    }
    assert!(sessions >= 3, "{sessions} connections");
    assert!(challenges.len() >= 8, "{} beats", challenges.len());
    let [.., (_, Heard::Said(farewell)), (_, Heard::Left)] = log.as_slice() else {
        panic!("no farewell: {log:?}");
    };
    assert_eq!(class(farewell), Class::Leaving);
}

#[tokio::test(start_paused = true)]
async fn a_device_speaks_below_its_own_name_and_has_its_birth_alone_retained() {
    let log = five_minutes().await;
    let mut classes = BTreeSet::new();
    for (_, heard) in log {
        let (Heard::Will(publication) | Heard::Said(publication)) = heard else {
            continue;
        };
        let topic: UpTopic = publication.topic.parse().unwrap();
        assert_eq!(topic.from, name());
        assert_eq!(publication.retain, topic.class == Class::Birth);
        classes.insert(topic.class);
    }
    let all = [Class::Birth, Class::Beat, Class::Leaving, Class::Lost];
    assert!(all.iter().all(|class| classes.contains(class)));
    assert!(classes.contains(&Class::Fault));
}
