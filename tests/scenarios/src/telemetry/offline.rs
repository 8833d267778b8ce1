//! Eight days without a broker, on a clock that is told, and then a broker.
//!
//! What waited is sent newest state first, and what is new does not wait behind it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use device_api::{Clock, Moment, SystemClock};
use harness::Patience;
use sim_broker::{Broker, Plan};
use telemetry::disk::Folder;
use telemetry::link::{
    BackoffLimits, Connection, Endpoint, MqttConnector, ProtocolChoice, Security,
};
use telemetry::name::Digest;
use telemetry::outbox::{Outbox, Settings};
use telemetry::station::{Means, Profile, Reporter, Station};
use telemetry::topic::UpTopic;
use telemetry::{Envelope, Lane, VerifyingKey};

use super::device::{Device, MessageName};
use super::reports;
use super::rig::{LONG, Rig, Way};
use super::settling::Balance;
use super::verifier::Waits;

/// Minutes of eight days.
const MINUTES: u64 = 8 * 24 * 60;
/// A report of jobs every so many minutes, and a state every so many.
const JOBS_EVERY: u64 = 2;
const STATE_EVERY: u64 = 15;
/// What is reported once the broker is there.
const FRESH: u64 = 30;
/// Further messages of the backlog may have been under way when a new one was made: the window, and what the
/// station hands out in one turn.
const MOST_BEFORE: usize = 2 * Connection::MOST_UNDER_WAY as usize;

/// A clock that is eight days behind, and is set forward until it is right.
#[derive(Debug)]
struct ToldClock {
    real: SystemClock,
    told_minutes: AtomicU64,
}

impl ToldClock {
    fn told_millis(&self) -> u64 {
        self.told_minutes.load(Ordering::SeqCst) * 60_000
    }
}

impl Clock for ToldClock {
    fn now(&self) -> Moment {
        self.real
            .now()
            .plus(Duration::from_millis(self.told_millis()))
    }

    fn unix_millis(&self) -> u64 {
        self.real.unix_millis() - MINUTES * 60_000 + self.told_millis()
    }
}

/// What happened once the broker was there.
#[derive(Debug)]
pub struct Return {
    /// The balance of everything.
    pub balance: Balance,
    /// What was kept when the broker came.
    pub kept: u64,
    /// For each new report how many older messages went before it.
    pub before_fresh: Vec<usize>,
}

/// Reports for eight days without a broker, then connects to one, and reports on.
///
/// # Errors
/// When anything is lost, dropped or named, state comes in another order, or a new report waited.
pub fn eight_days(seed: u64) -> anyhow::Result<Return> {
    let broker = Arc::new(Broker::start(Plan::honest())?);
    let mut rig = Rig::new(&Way::plain(broker.address()), Waits::default(), seed)?;
    let clock = Arc::new(ToldClock {
        real: SystemClock::new(),
        told_minutes: AtomicU64::new(0),
    });
    let outbox = away(&rig.device, &clock)?;
    let kept = outbox.marks().iter().map(|mark| mark.kept).sum();
    let epoch = outbox.epoch();
    rig.verifier.start()?;
    // Only once the monitor listens, so that all is given once.
    ensure!(
        broker.wait(Duration::from_secs(60), |counts| counts.connected == 1),
        "no monitor"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let means = Means {
        outbox,
        connector: Box::new(MqttConnector::new(runtime.handle().clone())),
        clock,
        random: Arc::new(ring::rand::SystemRandom::new()),
    };
    let (station, reporter, _happenings) = Station::new(profile(&rig.device, &broker)?, means);
    let (told, fresh) = std::sync::mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("device".to_owned());
    let thread = thread.spawn({
        let broker = Arc::clone(&broker);
        move || {
            runtime.block_on(async {
                let station = tokio::spawn(station.run());
                let outcome = report_on(&reporter, &broker, epoch).await;
                // Where nobody listens any more, the test has failed already.
                let (Ok(()) | Err(_)) = told.send(outcome);
                let (Ok(()) | Err(_)) = ended.await;
                station.abort();
            });
        }
    })?;
    let places = fresh
        .recv_timeout(Duration::from_secs(LONG))
        .context("no new report was made")??;
    let names: Vec<MessageName> = places.iter().map(|(name, _)| *name).collect();
    note(&rig.device, &names)?;
    let balance = rig.settle(Patience::seconds(LONG))?;
    drop(end);
    ensure!(thread.join().is_ok(), "the device panicked");
    balance.must_be_whole()?;
    balance.must_name(&[], &[])?;
    let spoken = spoken(&broker)?;
    in_order(&spoken, epoch)?;
    Ok(Return {
        balance,
        kept,
        before_fresh: waits(&spoken, &places)?,
    })
}

/// Adds messages to the ledger.
fn note(device: &Device, names: &[MessageName]) -> anyhow::Result<()> {
    let lines = names
        .iter()
        .map(|(epoch, lane, number)| format!("{epoch} {} {number}\n", lane.code()));
    let mut ledger = File::options()
        .create(true)
        .append(true)
        .open(&device.orders.ledger)?;
    Ok(ledger.write_all(lines.collect::<String>().as_bytes())?)
}

/// Eight days of reports, synced every hour.
fn away(device: &Device, clock: &Arc<ToldClock>) -> anyhow::Result<Outbox> {
    let orders = &device.orders;
    let (mut outbox, _) = Outbox::open(
        Box::new(Folder::open(&orders.store)?),
        orders.name()?,
        Box::new(orders.signer()?),
        Arc::clone(clock) as Arc<dyn Clock>,
        Settings::default(),
    )?;
    let mut names = Vec::new();
    for minute in 1..=MINUTES {
        clock.told_minutes.store(minute, Ordering::SeqCst);
        for (lane, every) in [
            (Lane::Telemetry, JOBS_EVERY),
            (Lane::State, STATE_EVERY),
            (Lane::Alerts, 8 * STATE_EVERY),
        ] {
            if minute % every == 0 {
                let stamp = outbox.accept(&reports::message(lane, minute / every, 1)?)?;
                names.push((stamp.epoch, lane, stamp.number));
            }
        }
        if minute % 60 == 0 {
            outbox.expire()?;
            outbox.commit()?;
        }
    }
    note(device, &names)?;
    Ok(outbox)
}

/// Reports something new again and again while the backlog goes out; where each stands, at the earliest.
async fn report_on(
    reporter: &Reporter,
    broker: &Broker,
    epoch: u64,
) -> anyhow::Result<Vec<(MessageName, usize)>> {
    let mut places = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(40));
    let first = MINUTES / JOBS_EVERY;
    while broker.counts().published < 100 {
        pace.tick().await;
    }
    for number in first + 1..=first + FRESH {
        pace.tick().await;
        let message = reports::message(Lane::Telemetry, number, 1)?;
        reporter.report(message)?.await??;
        places.push(((epoch, Lane::Telemetry, number), broker.seen().len()));
    }
    Ok(places)
}

/// The names of everything that the device published, in the order in which it first was.
fn spoken(broker: &Broker) -> anyhow::Result<Vec<(usize, MessageName)>> {
    let mut known = BTreeSet::new();
    let mut names = Vec::new();
    for (place, seen) in broker.seen().iter().enumerate() {
        if seen.topic.parse::<UpTopic>().is_ok() {
            let stamp = Envelope::read(&seen.payload)?.header().stamp;
            let name = (stamp.epoch, stamp.lane, stamp.number);
            if known.insert(name) {
                names.push((place, name));
            }
        }
    }
    Ok(names)
}

/// Birth first; then faults, states from the newest on, then counts from the oldest on.
fn in_order(names: &[(usize, MessageName)], epoch: u64) -> anyhow::Result<()> {
    let first = names.first();
    ensure!(
        first.is_some_and(|(_, (_, lane, _))| *lane == Lane::Presence),
        "first came {first:?}"
    );
    let of = |wanted: Lane| -> Vec<(usize, u64)> {
        let all = names.iter();
        all.filter(|(_, (of, lane, _))| (*of, *lane) == (epoch, wanted))
            .map(|(place, (.., number))| (*place, *number))
            .collect()
    };
    let states = of(Lane::State);
    ensure!(
        states.is_sorted_by(|one, next| one.1 > next.1),
        "states did not come newest first"
    );
    let jobs: Vec<_> = of(Lane::Telemetry)
        .into_iter()
        .filter(|(_, number)| *number <= MINUTES / JOBS_EVERY)
        .collect();
    ensure!(
        jobs.is_sorted_by(|one, next| one.1 < next.1),
        "counts did not come oldest first"
    );
    let last_alert = of(Lane::Alerts).last().map_or(0, |(place, _)| *place);
    let last_state = states.last().map_or(0, |(place, _)| *place);
    ensure!(
        jobs.first().is_some_and(|(place, _)| *place > last_state),
        "counts came before states"
    );
    ensure!(
        states.first().is_some_and(|(place, _)| *place > last_alert),
        "states came before faults"
    );
    Ok(())
}

/// How many messages went between the confirmation of each new one and itself.
fn waits(
    names: &[(usize, MessageName)],
    places: &[(MessageName, usize)],
) -> anyhow::Result<Vec<usize>> {
    let end = names.last().map_or(0, |(place, _)| *place);
    let mut waits = Vec::new();
    for (fresh, earliest) in places {
        let place = names.iter().find(|(_, name)| name == fresh);
        let place = place
            .with_context(|| format!("{fresh:?} was never published"))?
            .0;
        let waited = place.saturating_sub(*earliest);
        ensure!(
            waited <= MOST_BEFORE,
            "{fresh:?} waited for {waited} older messages"
        );
        // The backlog was not over: more than as many again followed.
        ensure!(
            place + MOST_BEFORE < end,
            "{fresh:?} came when little was left: place {place} of {end}"
        );
        waits.push(waited);
    }
    Ok(waits)
}

fn profile(device: &Device, broker: &Broker) -> anyhow::Result<Profile> {
    let address = broker.address();
    Ok(Profile {
        name: device.name()?,
        version: "0.1.0".parse()?,
        platform: "linux-x86-64".parse()?,
        configuration: Digest::of(b"orders"),
        beat: Duration::from_millis(300),
        monitors: vec![VerifyingKey::from_hex(&device.orders.monitor_key)?],
        connection: Connection {
            endpoints: vec![Endpoint {
                host: address.ip().to_string(),
                port: address.port(),
            }],
            security: Security::PlainLoopback,
            client_id: device.orders.device.clone(),
            keep_alive: Duration::from_secs(30),
            will: None,
            subscriptions: Vec::new(),
            window: Connection::MOST_UNDER_WAY,
            protocol: ProtocolChoice::Newest,
        },
        backoff: BackoffLimits::default(),
    })
}
