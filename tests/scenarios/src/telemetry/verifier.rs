//! The real monitor as a process that can be killed, and what it holds as evidence.
//!
//! What is held is read from its database, and each envelope is verified again: nothing is taken from the
//! monitor's own view of what it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use harness::broker::ClientFiles;
use harness::{FolderWatch, Patience, Process, binary};
use monitor::store::Store;
use monitor::store::alarms::KeptAlarm;
use telemetry::message::Message;
use telemetry::message::gaps::Dropped;
use telemetry::message::presence::LaneMark;
use telemetry::name::DeviceName;
use telemetry::{Envelope, Lane, Signer as _, SoftwareSigner, VerifyingKey};

use super::device::MessageName;
use super::reports;

/// How many rows are read at once.
const ROWS: usize = 2000;

/// The monitor, running or not.
#[derive(Debug)]
pub struct Verifier {
    /// The running process.
    pub process: Option<Process>,
    folder: PathBuf,
    shard: &'static str,
    key: VerifyingKey,
}

/// How the monitor waits, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// Until it asks for what is missing.
    pub resend: u32,
    /// Until it calls that suppressed.
    pub suppressed: u32,
    /// How old a repetition may be.
    pub replay: u32,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            resend: 2,
            suppressed: 120,
            replay: 120,
        }
    }
}

/// What is proved by evidence, read further with each [`Evidence::read`].
#[derive(Debug)]
pub struct Evidence {
    store: Store,
    device: VerifyingKey,
    after: i64,
    /// How often each message of a kept lane is there.
    pub names: BTreeMap<MessageName, u32>,
    /// The drop records.
    pub dropped: Vec<Dropped>,
    /// The newest beat: epoch, number, marks.
    pub beat: Option<(u64, u64, Vec<LaneMark>)>,
    /// How many envelopes there are, presence among them.
    pub envelopes: u64,
}

impl Verifier {
    /// A monitor of a part of all devices, in `folder`, that has a key and an empty database, and has not
    /// been started.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(folder: &Path, shard: &'static str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("data"))?;
        let document = SoftwareSigner::generate()?;
        fs::write(folder.join("monitor.key"), &document)?;
        let key = SoftwareSigner::from_pkcs8(&document)?.verifying_key();
        Store::open(&folder.join("data/monitor.db"))?;
        Ok(Self {
            process: None,
            folder: folder.to_owned(),
            shard,
            key,
        })
    }

    /// The key that verifies its acknowledgements.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Registers a device.
    ///
    /// # Errors
    /// When it is registered.
    pub fn register(&self, name: &DeviceName, key: &VerifyingKey) -> anyhow::Result<()> {
        Store::open(&self.database())?.add_device(name, key)?;
        Ok(())
    }

    /// Writes how brokers are spoken to, where they are, and how long it waits.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn configure(
        &self,
        (kind, endpoints): (&str, &[String]),
        files: Option<&ClientFiles>,
        waits: Waits,
    ) -> anyhow::Result<()> {
        let Waits {
            resend,
            suppressed,
            replay,
        } = waits;
        let mut text = format!(
            "database = 'data/monitor.db'\nkey = 'monitor.key'\n\
             [acknowledge]\ninterval_millis = 100\nper_second = 2000\n\
             [patience]\nresend_seconds = {resend}\nsuppressed_seconds = {suppressed}\n\
             replay_seconds = {replay}\n[broker]\nkind = '{kind}'\nendpoints = {endpoints:?}\n"
        );
        if let Some(files) = files {
            let certificate = files.certificate.as_ref().context("no certificate")?;
            let key = files.key.as_ref().context("no key")?;
            text.push_str(&format!(
                "authorities = {:?}\ncertificate = {certificate:?}\ncertificate_key = {key:?}\n",
                files.authority
            ));
        }
        Ok(fs::write(self.folder.join("monitor.toml"), text)?)
    }

    /// Starts the process.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let mut command = self.command()?;
        command.args(["run", "--shard", self.shard]);
        let log = self.folder.join("monitor.log");
        self.process = Some(Process::start("monitor", &mut command, &log)?);
        Ok(())
    }

    /// Ends the process with SIGKILL.
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

    /// Has the monitor verify all evidence again.
    ///
    /// # Errors
    /// When some does not verify.
    pub fn verify(&self) -> anyhow::Result<()> {
        let output = self.command()?.arg("verify").output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "monitor verify: {said}");
        Ok(())
    }

    /// Waits until `ready` gives a value, asked after every change of the database.
    ///
    /// # Errors
    /// When it fails, does not in time, or the process ends.
    pub fn wait_for<T>(
        &mut self,
        patience: Patience,
        ready: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let watch = FolderWatch::begin_with_writing(&self.folder.join("data"))?;
        let process = self.process.as_mut().context("the monitor does not run")?;
        watch.wait_for(process, patience, ready)
    }

    /// What is proved so far about a device of this key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn evidence(&self, device: VerifyingKey) -> anyhow::Result<Evidence> {
        Ok(Evidence {
            store: Store::open(&self.database())?,
            device,
            after: 0,
            names: BTreeMap::new(),
            dropped: Vec::new(),
            beat: None,
            envelopes: 0,
        })
    }

    /// The folder of the database.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn database(&self) -> PathBuf {
        self.folder.join("data/monitor.db")
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(binary("monitor")?);
        command
            .arg("--config")
            .arg(self.folder.join("monitor.toml"));
        Ok(command)
    }
}

impl Evidence {
    /// Reads what has come since the last time.
    ///
    /// # Errors
    /// When the database cannot be read, or an envelope proves nothing, or carries another message's number.
    pub fn read(&mut self) -> anyhow::Result<()> {
        loop {
            let rows = self.store.evidence_after(self.after, None, ROWS)?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            self.after = last.id;
            for row in &rows {
                let envelope = Envelope::read(&row.envelope)?;
                let topic = row.topic.to_string();
                ensure!(
                    envelope.is_signed_by(&self.device, &topic),
                    "evidence {} is not signed by the device",
                    row.id
                );
                let message = Message::decode(row.topic.class, envelope.payload())?;
                self.note(&envelope, message)?;
            }
        }
    }

    /// Every alarm, and how often it was raised.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alarms(&self) -> anyhow::Result<Vec<KeptAlarm>> {
        Ok(self.store.alarms(None, true)?)
    }

    /// How often the monitor has counted something: `fresh`, `duplicate`, an alarm.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count(&self, name: &str) -> anyhow::Result<u64> {
        let counts = self.store.counts()?;
        let found = counts.into_iter().find(|(known, _)| known == name);
        Ok(found.map_or(0, |(_, count)| count))
    }

    /// The greatest epoch of which anything is there.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        let beat = self.beat.as_ref().map_or(0, |(epoch, ..)| *epoch);
        let named = self.names.last_key_value();
        named.map_or(0, |((epoch, ..), _)| *epoch).max(beat)
    }

    fn note(&mut self, envelope: &Envelope, message: Message) -> anyhow::Result<()> {
        let stamp = envelope.header().stamp;
        self.envelopes += 1;
        if let Some(carried) = reports::carried(&message) {
            ensure!(
                carried == stamp.number,
                "number {} of epoch {} carries the report of number {carried}",
                stamp.number,
                stamp.epoch
            );
        }
        if stamp.lane != Lane::Presence {
            let name = (stamp.epoch, stamp.lane, stamp.number);
            *self.names.entry(name).or_default() += 1;
        }
        match message {
            Message::Dropped(dropped) => self.dropped.push(dropped),
            Message::Beat(beat) => {
                let place = (stamp.epoch, stamp.number);
                let newest = self
                    .beat
                    .as_ref()
                    .map(|(epoch, number, _)| (*epoch, *number));
                if newest.is_none_or(|newest| newest < place) {
                    self.beat = Some((stamp.epoch, stamp.number, beat.lanes));
                }
            }
            Message::Birth(_)
            | Message::Leaving(_)
            | Message::Lost(_)
            | Message::Closed(_)
            | Message::Fault(_)
            | Message::Command(_)
            | Message::Part(_)
            | Message::Key(_)
            | Message::Device(_)
            | Message::Machine(_)
            | Message::Queue(_)
            | Message::Jobs(_) => {}
        }
        Ok(())
    }
}
