//! Commands that take messages in.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use device_api::{Clock, Secret, SystemClock};
use serde::Deserialize;
use telemetry::link::{Connection, Identity, MqttConnector, ProtocolChoice, Security};

use super::deed::own;
use super::{Done, End, print};
use monitor::config::{Broker, BrokerKind, Config, ConfigError};
use monitor::intake::{Delivery, Intake, Own, Settings, Verdict};
use monitor::mqtt::{self, Mqtt};
use monitor::nats::Nats;
use monitor::presence::Arrival;
use monitor::rabbitmq::RabbitMq;
use monitor::registry::Shard;
use monitor::source;
use monitor::worker::{self, Keeping};

/// How often broker and monitor make sure of each other.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How many acknowledgements may be under way.
const WINDOW: u16 = 50;

/// Takes messages in from the broker until a signal ends it.
pub(super) fn run(config: Config, shard: Shard) -> Done {
    log();
    let broker = config
        .broker
        .clone()
        .context("the configuration names no broker")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let intake = open(&config, shard, &clock)?;
    let security = security(&broker)?;
    let keeping = Keeping {
        days: config.keep_days,
        signs_days: config.keep_signs_days,
    };
    let (inlet, outlet, worker) = worker::channel(Arc::clone(&clock));
    let thread = std::thread::Builder::new()
        .name("intake".into())
        .spawn(move || worker.run(intake, keeping))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ends = (inlet, outlet);
    let stop = crate::platform::ended();
    let name = shard.client(&config.monitor);
    match (broker.kind, security) {
        (BrokerKind::Mqtt, security) => {
            let connector = Box::new(MqttConnector::new(runtime.handle().clone()));
            let connection = connection(&config, &broker, (name, security));
            let source = Mqtt::new(connector, connection);
            runtime.block_on(source::run(source, ends, clock, stop));
        }
        (BrokerKind::RabbitMq, Security::MutualTls(identity)) => {
            let source = RabbitMq::new(broker.endpoints, identity, name, shard)
                .context("the queues cannot be shared by so many: 1, 2 or 4 parts")?;
            runtime.block_on(source::run(source, ends, clock, stop));
        }
        (BrokerKind::Nats, Security::MutualTls(identity)) => {
            let source = Nats::new(broker.endpoints, identity, name, shard);
            runtime.block_on(source::run(source, ends, clock, stop));
        }
        (BrokerKind::RabbitMq | BrokerKind::Nats, Security::PlainLoopback) => {
            anyhow::bail!(ConfigError::NoCertificate)
        }
    }
    anyhow::ensure!(
        thread.join().is_ok(),
        "the thread that takes messages in has failed"
    );
    Ok(End::Well)
}

/// One line of `evidence export`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    topic: String,
    envelope: String,
    #[serde(default)]
    received_at: Option<u64>,
}

/// Takes messages in from standard input, and prints what became of each when it is on the disk.
pub(super) fn ingest(config: &Config) -> Done {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut intake = open(config, Shard::WHOLE, &clock)?;
    let mut batch = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?).context("a line is no evidence")?;
        batch.push(Delivery {
            topic: line.topic,
            bytes: hex::decode(line.envelope).context("an envelope is not hexadecimal")?,
            arrival: Arrival {
                at: clock.now(),
                unix_millis: line.received_at.unwrap_or_else(|| clock.unix_millis()),
                // It proves what was, and no life now.
                retained: true,
            },
        });
        if batch.len() >= 64 {
            told(&mut intake, &mut batch)?;
        }
    }
    told(&mut intake, &mut batch)?;
    Ok(End::Well)
}

fn told(intake: &mut Intake, batch: &mut Vec<Delivery>) -> anyhow::Result<()> {
    for verdict in intake.take(batch)? {
        let word = match verdict {
            Verdict::Fresh => "fresh",
            Verdict::Duplicate => "duplicate",
            Verdict::Refused(kind) => kind.code(),
            Verdict::NotNow => "notNow",
            Verdict::Elsewhere => "elsewhere",
        };
        print(&format!("{word}\n"));
    }
    batch.clear();
    Ok(())
}

fn open(config: &Config, shard: Shard, clock: &Arc<dyn Clock>) -> anyhow::Result<Intake> {
    let own = Own {
        monitor: config.monitor.clone(),
        signer: Box::new(own(config)?),
    };
    let settings = Settings {
        shard,
        ..config.settings
    };
    Ok(Intake::open(
        &config.database,
        own,
        settings,
        Arc::clone(clock),
    )?)
}

fn security(broker: &Broker) -> anyhow::Result<Security> {
    let Some(files) = &broker.files else {
        return Ok(Security::PlainLoopback);
    };
    let read = |path: &std::path::Path| {
        std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))
    };
    Ok(Security::MutualTls(Identity::from_pem(
        &read(&files.authorities)?,
        &read(&files.certificate)?,
        &Secret::new(read(&files.key)?),
    )?))
}

fn connection(
    config: &Config,
    broker: &Broker,
    (client_id, security): (String, Security),
) -> Connection {
    Connection {
        endpoints: broker.endpoints.clone(),
        security,
        client_id,
        keep_alive: KEEP_ALIVE,
        will: None,
        subscriptions: mqtt::subscriptions(&config.tenants),
        window: WINDOW,
        protocol: ProtocolChoice::Newest,
    }
}

fn log() {
    let (Ok(()) | Err(_)) = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .try_init();
}
