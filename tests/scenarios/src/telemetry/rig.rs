//! One device and one monitor at one broker, in a folder that goes with them.

use std::fs;
use std::net::SocketAddr;

use anyhow::Context as _;
use harness::Patience;
use harness::broker::ClientFiles;
use monitor::alarm::AlarmKind;
use tempfile::TempDir;

use super::device::Device;
use super::settling::{Balance, is_settled};
use super::verifier::{Evidence, Verifier, Waits};

/// The device's name.
pub const DEVICE: &str = "counter-07";
/// Nothing takes longer, unless it never happens.
pub const LONG: u64 = 110;

/// Device and monitor.
#[derive(Debug)]
pub struct Rig {
    // Processes end before the folder goes.
    /// The device.
    pub device: Device,
    /// The monitor.
    pub verifier: Verifier,
    /// What is proved.
    pub evidence: Evidence,
    folder: TempDir,
}

/// Where device and monitor connect to.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// The device's endpoints.
    pub device: Vec<SocketAddr>,
    /// The monitor's endpoints.
    pub monitor: Vec<SocketAddr>,
    /// What both show, the device first; none without TLS.
    pub files: Option<(ClientFiles, ClientFiles)>,
    /// Whom it serves, and how.
    pub post: Post,
}

/// Which device is served, and how its monitor hears of it.
#[derive(Debug, Clone)]
pub struct Post {
    /// The device's name.
    pub device: String,
    /// How the monitor speaks with the broker.
    pub kind: &'static str,
    /// Which part of all devices the monitor serves, as its command line takes it.
    pub shard: &'static str,
}

impl Default for Post {
    fn default() -> Self {
        Self {
            device: DEVICE.to_owned(),
            kind: "mqtt",
            shard: "0/1",
        }
    }
}

impl Way {
    /// Through one address, without TLS.
    #[must_use]
    pub fn plain(address: SocketAddr) -> Self {
        Self {
            device: vec![address],
            monitor: vec![address],
            ..Self::default()
        }
    }

    /// Certificates are for the name, brokers without TLS are only reached by address.
    fn endpoints(&self, addresses: &[SocketAddr]) -> Vec<String> {
        let named = |address: &SocketAddr| match self.files {
            Some(_) => format!("localhost:{}", address.port()),
            None => address.to_string(),
        };
        addresses.iter().map(named).collect()
    }
}

impl Rig {
    /// Makes both known to each other; neither runs.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(way: &Way, waits: Waits, seed: u64) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("madoguchi-telemetry-")
            .tempdir()?;
        let verifier = Verifier::new(&folder.path().join("monitor"), way.post.shard)?;
        let home = folder.path().join("device");
        let mut device = Device::new(&home, &way.post.device, verifier.key())?;
        device.orders.seed = seed;
        device.orders.endpoints = way.endpoints(&way.device);
        if let Some((files, _)) = &way.files {
            device.set_tls(files)?;
        }
        verifier.register(&device.name()?, &device.key()?)?;
        let files = way.files.as_ref().map(|(_, monitor)| monitor);
        let endpoints = way.endpoints(&way.monitor);
        verifier.configure((way.post.kind, &endpoints), files, waits)?;
        let evidence = verifier.evidence(device.key()?)?;
        Ok(Self {
            device,
            verifier,
            evidence,
            folder,
        })
    }

    /// Starts both.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.verifier.start()?;
        self.device.start()
    }

    /// Waits until so many more messages are proved.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn await_proved(&mut self, more: usize, patience: Patience) -> anyhow::Result<()> {
        let Self {
            verifier, evidence, ..
        } = self;
        evidence.read()?;
        let wanted = evidence.names.len() + more;
        verifier
            .wait_for(patience, || {
                evidence.read()?;
                Ok((evidence.names.len() >= wanted).then_some(()))
            })
            .with_context(|| format!("{more} more proved messages"))
    }

    /// Waits until an alarm of this kind stands.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn await_alarm(&mut self, kind: AlarmKind, patience: Patience) -> anyhow::Result<()> {
        let Self {
            verifier, evidence, ..
        } = self;
        let found = verifier.wait_for(patience, || {
            let alarms = evidence.alarms()?;
            Ok(alarms.iter().any(|alarm| alarm.kind == kind).then_some(()))
        });
        found.with_context(|| format!("alarm {}; {:?}", kind.code(), self.evidence.alarms()))
    }

    /// Kills the device and starts it again without load, so that what it keeps only becomes less.
    ///
    /// # Errors
    /// When it had ended, or cannot be started.
    pub fn calm(&mut self) -> anyhow::Result<()> {
        self.device.kill()?;
        self.device.orders.limit = Some(0);
        self.device.start()
    }

    /// Waits until the device keeps nothing any more, and draws the balance.
    ///
    /// # Errors
    /// When that does not happen in time, or the two do not agree.
    pub fn settle(&mut self, patience: Patience) -> anyhow::Result<Balance> {
        let Self {
            device,
            verifier,
            evidence,
            ..
        } = self;
        let settled = verifier.wait_for(patience, || {
            evidence.read()?;
            if evidence
                .beat
                .as_ref()
                .is_none_or(|(.., marks)| marks.iter().any(|mark| mark.kept > 0))
            {
                return Ok(None);
            }
            let confirmed = device.confirmed()?;
            Ok(is_settled(&confirmed, evidence).then_some(confirmed))
        });
        let outcome = settled
            .with_context(|| format!("the newest beat says {:?}", evidence.beat))
            .and_then(|confirmed| Balance::draw(&confirmed, evidence));
        let balance = outcome.map_err(|error| self.complain(error))?;
        self.verifier.verify()?;
        Ok(balance)
    }

    /// The same failure, with what both processes said last.
    fn complain(&self, error: anyhow::Error) -> anyhow::Error {
        let tail = |file: &str| {
            let text = fs::read_to_string(self.folder.path().join(file)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(12).collect();
            lines.into_iter().rev().collect::<Vec<_>>().join("\n")
        };
        error.context(format!(
            "device:\n{}\nmonitor:\n{}\nalarms: {:?}",
            tail("device/device.log"),
            tail("monitor/monitor.log"),
            self.evidence.alarms()
        ))
    }
}
