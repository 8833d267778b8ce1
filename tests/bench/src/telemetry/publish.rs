//! Messages through a station, with its disk, beside a loop that signs and publishes them.
//!
//! Both are one thread with one runtime, and end when the broker has acknowledged the last message.

use std::path::Path;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use device_api::{Clock, SystemClock};
use ring::rand::SystemRandom;
use telemetry::disk::Folder;
use telemetry::envelope::seal;
use telemetry::link::{
    BackoffLimits, Connection, Connector, Link, LinkEvent, MqttConnector, NextEvent, Publication,
    PublishRefusal, Reliability, Token,
};
use telemetry::message::machine::TimeQuality;
use telemetry::name::Digest;
use telemetry::outbox::{Outbox, Settings};
use telemetry::station::{Happening, Means, NotKept, Profile, Station};
use telemetry::{DeviceName, Lane, SoftwareSigner, Stamp, UpTopic};
use tokio::sync::mpsc;

use super::broker::PlainBroker;
use super::{connection, device, processor_time, state};
use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::median_ratio;

/// Promised of the bare speed.
const LEAST: f64 = 0.9;

/// How long one half of a pair took.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: Duration,
    processor: Duration,
}

/// Measures both in turn.
pub(super) fn measure(plan: &Plan, broker: &PlainBroker) -> anyhow::Result<Section> {
    let (mut stations, mut bares) = (Vec::new(), Vec::new());
    for round in 0..plan.publishing_rounds {
        let name = device(&format!("publish-{round}"))?;
        bares.push(bare(&name, plan.published, broker.port())?);
        stations.push(through_station(&name, plan.published, broker.port())?);
    }
    let columns = ["messages a second", "wall clock", "one core"];
    let mut section = Section::new("Messages to a broker", &columns);
    section.note(format!(
        "{} pairs of {} messages in turn, signed, published with quality of service 1 and at most {} under way, until the last PUBACK.",
        plan.publishing_rounds, plan.published, Connection::MOST_UNDER_WAY
    ));
    section.note("A station writes each to the disk before, syncs those that wait together, and reads them back; the bare loop has no disk. One core is the processor time of the process, the link's included.");
    let sum = |all: &[Took], part: fn(&Took) -> Duration| all.iter().map(part).sum::<Duration>();
    let rate = |all: &[Took], part: fn(&Took) -> Duration| {
        let messages = plan.published * all.len();
        format!("{:.0}", messages as f64 / sum(all, part).as_secs_f64())
    };
    for (name, all) in [("station", &stations), ("bare loop", &bares)] {
        let cells = [
            rate(all, |took| took.wall),
            rate(all, |took| took.processor),
        ];
        section.row([&[name.to_owned()], &cells[..]].concat());
    }
    let ratio = |part: fn(&Took) -> Duration| {
        let pairs = bares.iter().zip(&stations);
        let pairs: Vec<_> = pairs
            .map(|(bare, station)| (part(bare), part(station)))
            .collect();
        median_ratio(&pairs)
    };
    let (wall, processor) = (ratio(|took| took.wall), ratio(|took| took.processor));
    section.row([
        "**median of the pairs' ratios**".to_owned(),
        format!("**{wall:.2}**"),
        format!("**{processor:.2}**"),
    ]);
    section.goal_at_least("station / bare loop", (wall, LEAST), "");
    Ok(section)
}

fn through_station(name: &DeviceName, count: usize, port: u16) -> anyhow::Result<Took> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (told, mut delivered) = mpsc::unbounded_channel();
    let connector = Counted {
        inner: MqttConnector::new(runtime.handle().clone()),
        told,
        expected: count,
    };
    let (profile, means) = parts(name, folder.path(), port, Box::new(connector))?;
    let (station, reporter, mut happenings) = Station::new(profile, means);
    runtime.block_on(async {
        let station = tokio::spawn(station.run());
        while !matches!(
            happenings.recv().await.context("the station has ended")?,
            Happening::Connected { .. }
        ) {}
        let began = Began::now()?;
        let mut said = 0;
        while said < count {
            match reporter.report(state(u64::try_from(said)?)?) {
                Ok(_kept) => said += 1,
                Err(NotKept::Busy) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        delivered.recv().await.context("the link has ended")?;
        let took = began.took();
        station.abort();
        took
    })
}

fn bare(name: &DeviceName, count: usize, port: u16) -> anyhow::Result<Took> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let signer = SoftwareSigner::from_seed(&[3; 32])?;
    let mut connector = MqttConnector::new(runtime.handle().clone());
    runtime.block_on(async {
        let mut link = connector.connect(&connection(name.device.as_str(), port));
        let ready = link.next().await;
        ensure!(matches!(ready, LinkEvent::Ready { .. }), "{ready:?}");
        let began = Began::now()?;
        let (mut under_way, mut delivered) = (0, 0);
        for number in 1..=count {
            while under_way >= Connection::MOST_UNDER_WAY {
                wait_for_delivery(link.as_mut()).await?;
                under_way -= 1;
                delivered += 1;
            }
            let message = state(u64::try_from(number - 1)?)?;
            let topic = UpTopic {
                from: name.clone(),
                class: message.class(),
            }
            .to_string();
            let stamp = Stamp {
                epoch: 1,
                lane: Lane::State,
                number: u64::try_from(number)?,
                monotonic_millis: 0,
                issued_at: 1_795_000_000,
                quality: TimeQuality::Free,
            };
            let payload = seal(&signer, &name.urn(), stamp, &topic, message.encode()?)?;
            link.publish(Publication {
                topic,
                payload,
                retain: false,
                expiry: Some(Duration::from_secs(86_400)),
                reliability: Reliability::AtLeastOnce,
            })?;
            under_way += 1;
        }
        while delivered < count {
            wait_for_delivery(link.as_mut()).await?;
            delivered += 1;
        }
        began.took()
    })
}

async fn wait_for_delivery(link: &mut dyn Link) -> anyhow::Result<()> {
    let event = link.next().await;
    ensure!(matches!(event, LinkEvent::Delivered(_)), "{event:?}");
    Ok(())
}

/// What a station is made of.
pub(super) fn parts(
    name: &DeviceName,
    folder: &Path,
    port: u16,
    connector: Box<dyn Connector>,
) -> anyhow::Result<(Profile, Means)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let signer = SoftwareSigner::from_seed(&[3; 32])?;
    let (outbox, _recovery) = Outbox::open(
        Box::new(Folder::open(folder)?),
        name.clone(),
        Box::new(signer),
        Arc::clone(&clock),
        Settings::default(),
    )?;
    let profile = Profile {
        name: name.clone(),
        version: "0.1.0".parse()?,
        platform: "linux-x86_64".parse()?,
        configuration: Digest::of(b"bench"),
        beat: Duration::from_secs(30),
        monitors: Vec::new(),
        connection: connection(name.device.as_str(), port),
        backoff: BackoffLimits::default(),
    };
    let means = Means {
        outbox,
        connector,
        clock,
        random: Arc::new(SystemRandom::new()),
    };
    Ok((profile, means))
}

/// The moment at which a half began, by both clocks.
struct Began {
    wall: SystemClock,
    processor: Duration,
}

impl Began {
    fn now() -> anyhow::Result<Self> {
        let processor = processor_time(process::id())?;
        Ok(Self {
            wall: SystemClock::new(),
            processor,
        })
    }

    fn took(&self) -> anyhow::Result<Took> {
        let wall = self.wall.now().since_origin();
        let processor = processor_time(process::id())?.saturating_sub(self.processor);
        Ok(Took { wall, processor })
    }
}

/// Tells when the broker has acknowledged as many kept messages as are expected.
///
/// Once, because a word for each would be time of the station's that the bare loop does not spend.
struct Counted {
    inner: MqttConnector,
    told: mpsc::UnboundedSender<()>,
    expected: usize,
}

struct CountedLink {
    inner: Box<dyn Link>,
    told: mpsc::UnboundedSender<()>,
    expected: usize,
    /// Tokens of presence, of which there are few.
    presence: Vec<Token>,
}

impl Connector for Counted {
    fn connect(&mut self, connection: &Connection) -> Box<dyn Link> {
        Box::new(CountedLink {
            inner: self.inner.connect(connection),
            told: self.told.clone(),
            expected: self.expected,
            presence: Vec::new(),
        })
    }
}

impl Link for CountedLink {
    fn publish(&mut self, publication: Publication) -> Result<Token, PublishRefusal> {
        let is_presence = publication.topic.contains("/up/hb/");
        let token = self.inner.publish(publication)?;
        if is_presence {
            self.presence.push(token);
        }
        Ok(token)
    }

    fn next(&mut self) -> NextEvent<'_> {
        Box::pin(async {
            let event = self.inner.next().await;
            if let LinkEvent::Delivered(token) = &event
                && !self.presence.contains(token)
            {
                self.expected = self.expected.saturating_sub(1);
                if self.expected == 0 {
                    // Whoever waited may have gone.
                    let (Ok(()) | Err(_)) = self.told.send(());
                }
            }
            event
        })
    }

    fn leave(&mut self, patience: Duration) {
        self.inner.leave(patience);
    }
}
