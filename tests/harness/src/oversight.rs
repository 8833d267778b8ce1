//! Who watches a counter: a broker, and a monitor that verifies what comes through it.
//!
//! ```text
//! Oversight::start -> broker; Oversight::settings -> the agent's `[telemetry]`
//! Oversight::begin -> the agent's key is registered, the monitor runs
//! ```
//! Everything that the two write is in folders of their own, which go with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tempfile::TempDir;
use toml::{Table, Value};

use crate::broker::{Broker as _, ClientFiles, Mosquitto, TENANT};
use crate::watch::FolderWatch;
use crate::{Patience, Process, binary};

/// The device's name there.
const DEVICE: &str = "counter-01";
/// How long the monitor may take to end.
const END: u64 = 10;
/// How long it may take until news have come through a broker that was down.
const NEWS: u64 = 60;

/// A broker and a monitor.
#[derive(Debug)]
pub struct Oversight {
    // Before the broker, so that it says farewell to it.
    monitor: Option<Process>,
    news: Option<News>,
    broker: Mosquitto,
    device: ClientFiles,
    key: String,
    folder: TempDir,
}

impl Oversight {
    /// Starts the broker and makes the monitor's key.
    ///
    /// # Errors
    /// When a package or program is missing, or the broker does not come up.
    pub fn start() -> anyhow::Result<Self> {
        let mut broker = Mosquitto::start()?;
        let device = broker.admit(DEVICE)?;
        let folder = tempfile::Builder::new()
            .prefix("madoguchi-monitor-")
            .tempdir()?;
        let mut oversight = Self {
            monitor: None,
            news: None,
            broker,
            device,
            key: String::new(),
            folder,
        };
        oversight.configure()?;
        let printed = oversight.told(&["key"])?;
        // The first word is the key; what follows is for people.
        let key = printed.split_whitespace().next();
        oversight.key = key.context("no key of the monitor")?.to_owned();
        Ok(oversight)
    }

    /// The broker.
    pub fn broker(&mut self) -> &mut Mosquitto {
        &mut self.broker
    }

    /// The device's name, as tenant/device.
    #[must_use]
    pub fn device(&self) -> String {
        format!("{TENANT}/{DEVICE}")
    }

    /// The monitor's configuration file, for its commands.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("monitor.toml")
    }

    /// The agent's `[telemetry]`.
    ///
    /// # Errors
    /// When a path is not UTF-8.
    pub fn settings(&self) -> anyhow::Result<Table> {
        let (certificate, key) = files(&self.device)?;
        let mut settings = Table::new();
        settings.insert("tenant".into(), TENANT.into());
        settings.insert("device".into(), DEVICE.into());
        let broker = self.broker.address(0)?.to_string();
        settings.insert("brokers".into(), Value::Array(vec![broker.into()]));
        settings.insert("authorities".into(), text(&self.device.authority)?.into());
        settings.insert("certificate".into(), text(certificate)?.into());
        settings.insert("key".into(), text(key)?.into());
        let monitor = self.key.clone();
        settings.insert("monitors".into(), Value::Array(vec![monitor.into()]));
        settings.insert("beat_seconds".into(), 5.into());
        Ok(settings)
    }

    /// Registers an agent by the line that `agentd telemetry-key` prints, and starts the monitor.
    ///
    /// # Errors
    /// When the monitor does not take the key or cannot be started.
    pub fn begin(&mut self, identity: &str) -> anyhow::Result<()> {
        let (device, key) = identity
            .trim()
            .split_once(' ')
            .context("no key of the agent")?;
        self.told(&["device", "add", device, key])?;
        let mut follow = self.command(&["follow", "--json"])?;
        self.news = Some(News::follow(&mut follow, self.folder.path())?);
        self.start_monitor()
    }

    /// Waits for something that the monitor tells whoever follows it, or has told.
    ///
    /// # Errors
    /// When it does not come in time; the text has what came.
    pub fn wait_for(&mut self, what: &str, found: impl Fn(&Told) -> bool) -> anyhow::Result<Told> {
        let news = self.news.as_mut().context("nobody follows the monitor")?;
        news.wait_for(what, found)
    }

    /// Starts the monitor on the state that is there.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_monitor(&mut self) -> anyhow::Result<()> {
        let log = self.folder.path().join("monitor.log");
        let mut command = self.command(&["run"])?;
        self.monitor = Some(Process::start("monitor", &mut command, &log)?);
        Ok(())
    }

    /// Ends the monitor as a crash would.
    ///
    /// # Errors
    /// When it cannot be reaped.
    pub fn kill_monitor(&mut self) -> anyhow::Result<()> {
        if let Some(mut monitor) = self.monitor.take() {
            monitor.kill()?;
        }
        Ok(())
    }

    /// Runs a command of the monitor and gives what came of it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn ask(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = self.command(arguments)?.output();
        output.context("cannot run the monitor")
    }

    /// Ends the monitor in order.
    ///
    /// # Errors
    /// When it does not end in time, or with another code than 0.
    pub fn stop(mut self) -> anyhow::Result<()> {
        // It reads until nobody follows any more.
        self.news = None;
        if let Some(mut monitor) = self.monitor.take() {
            let status = monitor.terminate(Patience::seconds(END))?;
            ensure!(
                status.success(),
                "the monitor ended with {status}:\n{}",
                monitor.output()?
            );
        }
        Ok(())
    }

    /// What a command of the monitor printed, where it succeeded.
    fn told(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.ask(arguments)?;
        ensure!(
            output.status.success(),
            "monitor {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(binary("monitor")?);
        command
            .arg("--config")
            .arg(self.config_file())
            .args(arguments);
        Ok(command)
    }

    fn configure(&self) -> anyhow::Result<()> {
        let monitor = self.broker.trust().monitor()?;
        let (certificate, key) = files(&monitor)?;
        let endpoint = self.broker.monitor_address(0)?.to_string();
        let mut broker = Table::new();
        broker.insert("endpoints".into(), Value::Array(vec![endpoint.into()]));
        broker.insert("authorities".into(), text(&monitor.authority)?.into());
        broker.insert("certificate".into(), text(certificate)?.into());
        broker.insert("certificate_key".into(), text(key)?.into());
        let mut config = Table::new();
        config.insert("database".into(), "monitor.db".into());
        config.insert("key".into(), "monitor-key.pk8".into());
        config.insert("tenants".into(), Value::Array(vec![TENANT.into()]));
        config.insert("broker".into(), Value::Table(broker));
        fs::write(self.config_file(), toml::to_string(&config)?)?;
        Ok(())
    }
}

/// A line that the monitor tells whoever follows it.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    /// Of a message: its class.
    pub class: Option<String>,
    /// Of a message: what it says.
    #[serde(default)]
    pub said: serde_json::Value,
    /// Of anything else: what it is, such as an alarm.
    pub what: Option<String>,
    /// Of anything else: about what.
    pub detail: Option<String>,
}

/// Everything that the monitor has told since it was begun.
#[derive(Debug)]
struct News {
    process: Process,
    watch: FolderWatch,
    log: PathBuf,
}

impl News {
    fn follow(command: &mut Command, folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.join("news");
        fs::create_dir(&folder)?;
        let (watch, log) = (
            FolderWatch::begin_with_writing(&folder)?,
            folder.join("log"),
        );
        Ok(Self {
            process: Process::start("monitor follow", command, &log)?,
            watch,
            log,
        })
    }

    fn wait_for(&mut self, what: &str, found: impl Fn(&Told) -> bool) -> anyhow::Result<Told> {
        let log = &self.log;
        let told = self
            .watch
            .wait_for(&mut self.process, Patience::seconds(NEWS), || {
                let text = fs::read_to_string(log)?;
                // The last line may not be whole yet.
                let mut told = text
                    .lines()
                    .filter_map(|line| serde_json::from_str::<Told>(line).ok());
                Ok(told.find(|told| found(told)))
            });
        told.with_context(|| {
            let said = fs::read_to_string(log).unwrap_or_default();
            format!("the monitor does not tell of {what}; it told:\n{said}")
        })
    }
}

fn files(client: &ClientFiles) -> anyhow::Result<(&Path, &Path)> {
    let certificate = client.certificate.as_deref().context("no certificate")?;
    Ok((certificate, client.key.as_deref().context("no key")?))
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path is not UTF-8")
}
