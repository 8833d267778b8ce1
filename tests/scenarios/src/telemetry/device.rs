//! A device that can be killed: what its process is told, and what it has written down.
//!
//! The process (`src/bin/telemetry_device.rs`) reports numbered messages through the agent's own station, and
//! appends to its ledger, synced, the name of each message that the station confirmed as kept.
//! The ledger is written after the confirmation: what stands in it must reach the monitor, whatever happens.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use harness::broker::ClientFiles;
use harness::{FolderWatch, Patience, Process, binary};
use serde::{Deserialize, Serialize};
use telemetry::name::DeviceName;
use telemetry::{Lane, Signer as _, SoftwareSigner, VerifyingKey};

/// The tenant of every device here; brokers know no other.
pub const TENANT: &str = harness::broker::TENANT;

/// What a device's process is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Its name within the tenant.
    pub device: String,
    /// The seed of its key, in hexadecimal.
    pub key_seed: String,
    /// The monitor's public key, in hexadecimal.
    pub monitor_key: String,
    /// Where the outbox is.
    pub store: PathBuf,
    /// Where the ledger is.
    pub ledger: PathBuf,
    /// The brokers, as host:port.
    pub endpoints: Vec<String>,
    /// Authority, certificate and key; none for a broker without TLS.
    pub tls: Option<[PathBuf; 3]>,
    /// How fast it reports.
    pub per_second: u32,
    /// How many reports it makes in each life; for ever where there is none.
    pub limit: Option<u64>,
    /// How many entries a report of jobs has; the more, the longer.
    pub entries: u16,
    /// How much the outbox keeps.
    pub quota_bytes: u64,
    /// Milliseconds between two beats.
    pub beat_millis: u32,
    /// What decides about lanes and bursts.
    pub seed: u64,
}

/// How many confirmed messages are waited for.
#[derive(Debug, Clone, Copy)]
enum More {
    /// So many in all.
    Total(usize),
    /// So many besides those that there are.
    Further(usize),
}

/// A message's name.
pub type MessageName = (u64, Lane, u64);

/// A device in a folder of its own, running or not.
#[derive(Debug)]
pub struct Device {
    /// What the next start is told.
    pub orders: Orders,
    /// The running process.
    pub process: Option<Process>,
    folder: PathBuf,
    starts: u32,
}

impl Device {
    /// A device that lives in `folder` and has not been started.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(folder: &Path, name: &str, monitor_key: &VerifyingKey) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("written"))?;
        let orders = Orders {
            device: name.to_owned(),
            key_seed: hex::encode([0x2A; 32]),
            monitor_key: hex::encode(monitor_key.bytes()),
            store: folder.join("store"),
            ledger: folder.join("written/ledger"),
            endpoints: Vec::new(),
            tls: None,
            per_second: 60,
            limit: None,
            entries: 1,
            quota_bytes: 64 << 20,
            beat_millis: 300,
            seed: 1,
        };
        Ok(Self {
            orders,
            process: None,
            folder: folder.to_owned(),
            starts: 0,
        })
    }

    /// Connects with a certificate.
    ///
    /// # Errors
    /// When there is none.
    pub fn set_tls(&mut self, files: &ClientFiles) -> anyhow::Result<()> {
        let certificate = files.certificate.clone().context("no certificate")?;
        let key = files.key.clone().context("no key")?;
        self.orders.tls = Some([files.authority.clone(), certificate, key]);
        Ok(())
    }

    /// Starts the process.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.starts += 1;
        let orders = Orders {
            seed: self.orders.seed.wrapping_add(u64::from(self.starts)),
            ..self.orders.clone()
        };
        let file = self.folder.join("orders.json");
        fs::write(&file, serde_json::to_vec(&orders)?)?;
        let mut command = Command::new(binary("telemetry-device")?);
        command.arg(&file);
        let log = self.folder.join("device.log");
        self.process = Some(Process::start("device", &mut command, &log)?);
        Ok(())
    }

    /// Ends the process as a power cut would, but for the disk: SIGKILL.
    ///
    /// # Errors
    /// When it had ended by itself, or cannot be reaped.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.must_run()?;
            process.kill()?;
        }
        Ok(())
    }

    /// What the ledger holds now.
    ///
    /// # Errors
    /// When it cannot be read, or names a message twice.
    pub fn confirmed(&self) -> anyhow::Result<BTreeSet<MessageName>> {
        read_ledger(&self.orders.ledger)
    }

    /// Waits until `more` further messages have been confirmed.
    ///
    /// # Errors
    /// When that does not happen in time, or the process ends.
    pub fn await_confirmed(&mut self, more: usize, patience: Patience) -> anyhow::Result<()> {
        self.await_more(More::Further(more), patience)
    }

    /// Waits until so many messages have been confirmed in all lives together.
    ///
    /// # Errors
    /// When that does not happen in time, or the process ends.
    pub fn await_total(&mut self, total: usize, patience: Patience) -> anyhow::Result<()> {
        self.await_more(More::Total(total), patience)
    }

    fn await_more(&mut self, more: More, patience: Patience) -> anyhow::Result<()> {
        let ledger = self.orders.ledger.clone();
        let folder = ledger.parent().context("the ledger has a folder")?;
        let watch = FolderWatch::begin_with_writing(folder)?;
        let length = |ledger: &Path| -> anyhow::Result<usize> {
            Ok(fs::read(ledger)
                .or_else(absent)?
                .iter()
                .filter(|byte| **byte == b'\n')
                .count())
        };
        let wanted = match more {
            More::Total(earlier) => earlier,
            More::Further(more) => length(&ledger)? + more,
        };
        let process = self.process.as_mut().context("the device does not run")?;
        watch
            .wait_for(process, patience, || {
                Ok((length(&ledger)? >= wanted).then_some(()))
            })
            .with_context(|| format!("{more:?} confirmed messages"))
    }

    /// Waits until everything that this life was ordered to report has been confirmed.
    ///
    /// # Errors
    /// When there is no limit, that does not happen in time, or the process ends.
    pub fn await_all(&mut self, patience: Patience) -> anyhow::Result<()> {
        let limit = self.orders.limit.context("no limit")?;
        self.await_total(usize::try_from(limit)?, patience)
    }

    /// Waits until the process says something that it has not said before.
    ///
    /// # Errors
    /// When it does not in time, or ends.
    pub fn await_log(&mut self, words: &str, patience: Patience) -> anyhow::Result<()> {
        let watch = FolderWatch::begin_with_writing(&self.folder)?;
        let log = self.folder.join("device.log");
        let times = || anyhow::Ok(fs::read_to_string(&log)?.matches(words).count());
        let before = times()?;
        let process = self.process.as_mut().context("the device does not run")?;
        watch
            .wait_for(process, patience, || Ok((times()? > before).then_some(())))
            .with_context(|| format!("{words:?} of the device"))
    }

    /// Its name.
    ///
    /// # Errors
    /// When it is none.
    pub fn name(&self) -> anyhow::Result<DeviceName> {
        self.orders.name()
    }

    /// The key that verifies what it says.
    ///
    /// # Errors
    /// When its seed is none.
    pub fn key(&self) -> anyhow::Result<VerifyingKey> {
        Ok(self.orders.signer()?.verifying_key())
    }
}

impl Orders {
    /// The device's name.
    ///
    /// # Errors
    /// When it is none.
    pub fn name(&self) -> anyhow::Result<DeviceName> {
        Ok(DeviceName {
            tenant: TENANT.parse()?,
            device: self.device.parse()?,
        })
    }

    /// The device's key.
    ///
    /// # Errors
    /// When the seed is none.
    pub fn signer(&self) -> anyhow::Result<SoftwareSigner> {
        let mut seed = [0; 32];
        hex::decode_to_slice(&self.key_seed, &mut seed)?;
        Ok(SoftwareSigner::from_seed(&seed)?)
    }
}

/// A file that does not exist yet is empty.
fn absent(error: std::io::Error) -> std::io::Result<Vec<u8>> {
    if error.kind() == std::io::ErrorKind::NotFound {
        Ok(Vec::new())
    } else {
        Err(error)
    }
}

/// The names in a ledger; a line that a kill left without its end does not count.
fn read_ledger(path: &Path) -> anyhow::Result<BTreeSet<MessageName>> {
    let text = String::from_utf8(fs::read(path).or_else(absent)?)?;
    let mut names = BTreeSet::new();
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else {
            continue;
        };
        let mut words = line.split(' ');
        let (epoch, lane, number) = (words.next(), words.next(), words.next());
        let name = (
            epoch.context("an epoch")?.parse()?,
            lane.and_then(Lane::of_code).context("a lane")?,
            number.context("a number")?.parse()?,
        );
        anyhow::ensure!(names.insert(name), "{name:?} was confirmed twice");
    }
    Ok(names)
}
