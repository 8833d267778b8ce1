//! A device that reports numbered messages, to be killed: `telemetry-device ORDERS.json`.
//!
//! It runs the agent's station over a real folder.
//! Each report carries the number that it will have in its lane, so that whoever reads the evidence can tell
//! whether a number was given to another message.
//! What the station confirms is appended to the ledger and synced.
#![expect(
    clippy::print_stdout,
    clippy::use_debug,
    reason = "its output is a log for tests"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use device_api::{Clock, Secret, SystemClock};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use scenarios::telemetry::device::Orders;
use scenarios::telemetry::reports;
use telemetry::disk::Folder;
use telemetry::link::{
    BackoffLimits, Connection, Endpoint, Identity, MqttConnector, ProtocolChoice, Security,
};
use telemetry::name::Digest;
use telemetry::outbox::{Outbox, Settings};
use telemetry::station::{Means, Profile, Reporter, Station};
use telemetry::{Lane, VerifyingKey};

/// Nothing that starts a device needs it for longer.
const LIFETIME: Duration = Duration::from_secs(3 * 3600);
/// The most reports that are made together.
const BURST: u32 = 6;

fn main() -> anyhow::Result<()> {
    let file = std::env::args().nth(1).context("no file of orders")?;
    let orders: Orders = serde_json::from_slice(&std::fs::read(file)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let settings = Settings {
        quota_bytes: orders.quota_bytes,
        ..Settings::default()
    };
    let disk = Folder::open(&orders.store)?;
    let (outbox, recovery) = Outbox::open(
        Box::new(disk),
        orders.name()?,
        Box::new(orders.signer()?),
        Arc::clone(&clock),
        settings,
    )?;
    println!(
        "epoch {}: {} kept, lost {:?}, damage {:?}",
        recovery.epoch, recovery.records, recovery.lost, recovery.damage
    );
    let epoch = outbox.epoch();
    let means = Means {
        outbox,
        connector: Box::new(MqttConnector::new(runtime.handle().clone())),
        clock,
        random: Arc::new(ring::rand::SystemRandom::new()),
    };
    let (station, reporter, mut happenings) = Station::new(profile(&orders)?, means);
    runtime.block_on(async {
        let station = tokio::spawn(station.run());
        tokio::spawn(async move {
            while let Some(happening) = happenings.recv().await {
                println!("{happening:?}");
            }
        });
        let load = load(&orders, epoch, &reporter);
        let outcome = tokio::time::timeout(LIFETIME, load).await;
        station.abort();
        outcome.unwrap_or(Ok(()))
    })
}

/// Reports until the limit, and then waits.
async fn load(orders: &Orders, epoch: u64, reporter: &Reporter) -> anyhow::Result<()> {
    let mut ledger = File::options()
        .create(true)
        .append(true)
        .open(&orders.ledger)?;
    let mut random = StdRng::seed_from_u64(orders.seed);
    let mut numbers: BTreeMap<Lane, u64> = BTreeMap::new();
    let mut left = orders.limit.unwrap_or(u64::MAX);
    let apart = Duration::from_secs(1) / orders.per_second.max(1) * BURST.div_ceil(2);
    let mut pace = tokio::time::interval(apart);
    while left > 0 {
        pace.tick().await;
        let mut waiting = Vec::new();
        for _ in 0..u64::from(random.random_range(1..=BURST)).min(left) {
            let lane = reports::lane(random.random_range(0..100));
            let number = numbers.entry(lane).or_default();
            let message = reports::message(lane, *number + 1, orders.entries)?;
            waiting.push((lane, *number + 1, reporter.report(message)?));
            *number += 1;
            left -= 1;
        }
        let mut lines = String::new();
        for (lane, number, kept) in waiting {
            // No quota holds a report back; one that is refused is a failure of the test.
            kept.await??;
            lines.push_str(&format!("{epoch} {} {number}\n", lane.code()));
        }
        ledger.write_all(lines.as_bytes())?;
        ledger.sync_data()?;
    }
    std::future::pending().await
}

fn profile(orders: &Orders) -> anyhow::Result<Profile> {
    let endpoints = orders.endpoints.iter().map(|text| {
        let (host, port) = text.rsplit_once(':').context("an endpoint has a port")?;
        Ok(Endpoint {
            host: host.to_owned(),
            port: port.parse()?,
        })
    });
    let security = match &orders.tls {
        None => Security::PlainLoopback,
        Some([authority, certificate, key]) => {
            let read = |path: &Path| std::fs::read(path);
            Security::MutualTls(Identity::from_pem(
                &read(authority)?,
                &read(certificate)?,
                &Secret::new(read(key)?),
            )?)
        }
    };
    Ok(Profile {
        name: orders.name()?,
        version: "0.1.0".parse()?,
        platform: "linux-x86-64".parse()?,
        configuration: Digest::of(b"orders"),
        beat: Duration::from_millis(u64::from(orders.beat_millis)),
        monitors: vec![VerifyingKey::from_hex(&orders.monitor_key)?],
        connection: Connection {
            endpoints: endpoints.collect::<anyhow::Result<_>>()?,
            security,
            client_id: orders.device.clone(),
            keep_alive: Duration::from_secs(1),
            will: None,
            subscriptions: Vec::new(),
            window: Connection::MOST_UNDER_WAY,
            protocol: ProtocolChoice::Newest,
        },
        backoff: BackoffLimits {
            base: Duration::from_millis(50),
            cap: Duration::from_secs(1),
        },
    })
}
