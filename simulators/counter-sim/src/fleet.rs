//! A simulated fleet: thousands of devices that sign and send as agents do, for load and for demonstrations.
//!
//! ```text
//! counter-sim fleet keys --devices 10000 > keys.txt        monitor device import keys.txt
//! counter-sim fleet run  --devices 10000 --connections 4 --broker 127.0.0.1:1883
//! ```
//! | module | its one job |
//! |---|---|
//! | `wall` | clocks that are off, run fast, stand still |
//! | `network` | cuts, slowness, the herd that comes back at once |
//! | `trouble` | printers without paper, readers that are gone |
//! | `kept` | what waits for the broker, and what a full disk costs |
//! | `device` | what one device says |
//! | `carrier` | one connection with its devices |
//! | `counts` | what was done |
//!
//! The same seed gives the same keys, and the same fates.
//!
//! It seals and connects with the product's crate `telemetry`, against the rule that simulators share no code
//! with it: a fleet is load and judges nothing; what judges the format is written in Python and JavaScript
//! (`docs/protocol/telemetry.md`).
//! It takes a broker's acknowledgement for the monitor's, which no agent may (TEL-032), and many devices may
//! share a connection, which no broker that ships lets a device do: 10,000 connections are more than a test
//! machine has descriptors for, so a load test gives the fleet a user that may publish for all.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use device_api::Secret;
use sim_kit::Random;
use telemetry::Signer as _;
use telemetry::envelope::SealError;
use telemetry::link::{
    Connection, Endpoint, Identity, IdentityError, MqttConnector, ProtocolChoice, Security,
};
use telemetry::name::NameError;
use telemetry::signer::SignError;
use thiserror::Error;
use tokio::task::JoinSet;
use tokio::time::Instant;

mod carrier;
mod counts;
mod device;
mod kept;
mod network;
mod random;
mod trouble;
mod wall;

pub use network::NetworkModel;
pub use trouble::TroubleModel;
pub use wall::ClockModel;

use carrier::Carrier;
use counts::Counts;
use device::{Common, Device};

/// How often broker and fleet make sure of each other.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// What is done with a fleet.
#[derive(Debug, Subcommand)]
pub enum Fleet {
    /// Print a line for each device, its name and its public key, as `monitor device import` reads them.
    Keys(Who),
    /// Have all devices speak until the time is over or a signal comes; the counts come as JSON.
    Run(Box<Run>),
}

/// Which devices.
#[derive(Debug, Clone, Args)]
pub struct Who {
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub devices: u32,
    /// Whose they are.
    #[arg(long, value_name = "NAME", default_value = "fleet")]
    pub tenant: String,
    /// From which keys and fates follow.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// How they speak, and through what.
#[derive(Debug, Clone, Args)]
pub struct Run {
    #[command(flatten)]
    who: Who,
    /// The broker; without certificates it must be on this machine.
    #[arg(long, value_name = "HOST:PORT", value_parser = endpoint)]
    broker: Endpoint,
    /// Whose brokers are accepted, PEM.
    #[arg(long, value_name = "FILE", requires_all = ["certificate", "key"])]
    authorities: Option<PathBuf>,
    /// The certificate for the broker, PEM.
    #[arg(long, value_name = "FILE", requires = "authorities")]
    certificate: Option<PathBuf>,
    /// The key of that certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "authorities")]
    key: Option<PathBuf>,
    /// How many connections all devices share; 0 for one each, with a will.
    #[arg(long, value_name = "M", default_value_t = 1)]
    connections: u32,
    /// Time between two messages of a device, in milliseconds; a beat that is due takes a message's place.
    #[arg(long, value_name = "MILLIS", default_value_t = 10_000)]
    every: u64,
    /// Time between two beats, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    beat: u64,
    /// Over how many seconds the devices begin.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    ramp: u64,
    /// How long it lasts, in seconds; without it, until a signal comes.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// The epoch of all devices, which must grow with every run; the time of day by default.
    #[arg(long, value_name = "N")]
    epoch: Option<u64>,
    /// Every so many seconds the counts are printed.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    report: u64,
    #[command(flatten)]
    traits: Traits,
}

/// What fate has for the devices.
#[derive(Debug, Clone, Copy, Args)]
pub struct Traits {
    #[command(flatten)]
    clock: ClockModel,
    #[command(flatten)]
    network: NetworkModel,
    #[command(flatten)]
    trouble: TroubleModel,
    #[command(flatten)]
    disk: DiskModel,
}

/// How much devices keep while they reach nobody.
#[derive(Debug, Clone, Copy, Args)]
pub struct DiskModel {
    /// How many messages a disk holds.
    #[arg(long = "disk", value_name = "MESSAGES", default_value_t = 1000)]
    pub room: u32,
    /// How many of a thousand disks are nearly full and hold eight.
    #[arg(long = "full-disks", value_name = "PER_MILLE", default_value_t = 0)]
    pub full: u16,
}

/// A fleet cannot go on.
#[derive(Debug, Error)]
pub enum FleetError {
    /// A name or a word is none.
    #[error("a name is none")]
    Name(#[source] NameError),
    /// A key is none.
    #[error("a key is none")]
    Key(#[source] SignError),
    /// A message cannot be sealed.
    #[error("a message cannot be sealed")]
    Seal(#[source] SealError),
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The certificates cannot be used.
    #[error("the certificates cannot be used")]
    Identity(#[source] IdentityError),
    /// A connection's task has failed.
    #[error("a connection's task has failed")]
    Task,
}

impl DiskModel {
    fn draw(self, random: &mut Random) -> usize {
        let room = if random.chance(self.full) {
            8
        } else {
            self.room
        };
        usize::try_from(room).unwrap_or(usize::MAX)
    }
}

impl Who {
    /// The line of each device.
    ///
    /// # Errors
    /// [`FleetError::Name`], [`FleetError::Key`].
    pub fn keys(&self) -> impl Iterator<Item = Result<String, FleetError>> + '_ {
        (0..self.devices).map(|number| {
            let name = device::name(&self.tenant, number)?;
            let key = device::key(self.seed, number)?.verifying_key();
            let digits: String = key
                .bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            Ok(format!("{name} {digits}"))
        })
    }
}

impl Run {
    /// Has the fleet speak on the current runtime; `told` hears the counts, `stop` ends it.
    ///
    /// # Errors
    /// [`FleetError`]; a broker that cannot be reached is none, it is tried again.
    pub async fn go(
        self,
        mut told: impl FnMut(String),
        stop: impl Future<Output = ()>,
    ) -> Result<(), FleetError> {
        let start = Instant::now();
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        for carrier in self.carriers(start, &counts)? {
            tasks.spawn(carrier.run());
        }
        let line = |counts: &Counts| {
            counts.line(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
        };
        let end = async {
            match self.seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        let mut reports = tokio::time::interval(Duration::from_secs(self.report.max(1)));
        reports.tick().await;
        let (mut end, mut stop) = (std::pin::pin!(end), std::pin::pin!(stop));
        loop {
            tokio::select! {
                _ = reports.tick() => told(line(&counts)),
                Some(ended) = tasks.join_next() => match ended {
                    Ok(Err(error)) => return Err(error),
                    Ok(Ok(())) | Err(_) => return Err(FleetError::Task),
                },
                () = &mut end => break,
                () = &mut stop => break,
            }
        }
        tasks.shutdown().await;
        told(line(&counts));
        Ok(())
    }

    fn carriers(&self, start: Instant, counts: &Arc<Counts>) -> Result<Vec<Carrier>, FleetError> {
        let started = crate::clock::unix_seconds();
        let beat = self.beat.max(1) * 1000;
        let common = Arc::new(Common {
            traits: self.traits,
            tenant: self.who.tenant.clone(),
            seed: self.who.seed,
            epoch: self.epoch.unwrap_or(started),
            started,
            every: self.every.clamp(1, beat),
            beat,
        });
        let security = self.security()?;
        let runtime = tokio::runtime::Handle::current();
        let devices = self.who.devices;
        let is_own = self.connections == 0;
        let count = if is_own { devices } else { self.connections };
        let carrier = |number: u32| {
            let own = (number..devices).step_by(usize::try_from(count).unwrap_or(1).max(1));
            let begins = |device: u32| {
                let ramp = self.ramp.saturating_mul(1000);
                ramp.saturating_mul(u64::from(device)) / u64::from(devices.max(1))
            };
            let devices = own
                .map(|device| Device::new(&common, counts, device, begins(device)))
                .collect::<Result<Vec<_>, _>>()?;
            let client_id = match devices.first().filter(|_| is_own) {
                Some(device) => device.name.device.to_string(),
                None => format!("fleet-{}-{number}", self.who.seed),
            };
            Ok(Carrier {
                devices,
                connection: Connection {
                    endpoints: vec![self.broker.clone()],
                    security: security.clone(),
                    client_id,
                    keep_alive: KEEP_ALIVE,
                    will: None,
                    subscriptions: Vec::new(),
                    window: Connection::MOST_UNDER_WAY,
                    protocol: ProtocolChoice::Newest,
                },
                connector: MqttConnector::new(runtime.clone()),
                network: self.traits.network,
                counts: Arc::clone(counts),
                start,
                is_own,
                random: carrier::waits(self.who.seed, number),
            })
        };
        (0..count).map(carrier).collect()
    }

    fn security(&self) -> Result<Security, FleetError> {
        let (Some(authorities), Some(certificate), Some(key)) =
            (&self.authorities, &self.certificate, &self.key)
        else {
            return Ok(Security::PlainLoopback);
        };
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|source| FleetError::File {
                path: path.clone(),
                source,
            })
        };
        let (authorities, certificate) = (read(authorities)?, read(certificate)?);
        let identity = Identity::from_pem(&authorities, &certificate, &Secret::new(read(key)?));
        Ok(Security::MutualTls(identity.map_err(FleetError::Identity)?))
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    text.rsplit_once(':')
        .and_then(|(host, port)| {
            Some(Endpoint {
                host: host.to_owned(),
                port: port.parse().ok()?,
            })
        })
        .filter(|endpoint| !endpoint.host.is_empty())
        .ok_or_else(|| "a broker is written as host:port".to_owned())
}

#[cfg(test)]
mod tests;
