//! Real brokers on loopback, with mutual TLS and the configuration that ships.
//!
//! Each runs in a folder of its own, at ports that the system chose, with an authority of its own, and
//! reads the files of `provisioning/packaging/broker` in which only paths, ports and sizes are other ones.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use harness::broker::{Broker as _, Mosquitto, Subscription, publish};
//!
//! let mut broker = Mosquitto::start()?;
//! let device = broker.admit("counter-07")?;
//! let monitor = broker.trust().monitor()?;
//! let up = Subscription::start(broker.monitor_address(0)?, &monitor, "madoguchi/1/+/+/up/#")?;
//! let topic = broker.trust().up("counter-07", "st/door");
//! publish(broker.address(0)?, &device, &topic, "open")?;
//! up.wait_for("open")?;
//! # Ok(())
//! # }
//! ```
//!
//! What is dropped has ended, and its folder is gone.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use device_api::{Clock as _, SystemClock};

use crate::binaries::workspace;
use crate::watch::FolderWatch;
use crate::{Patience, Process};

mod client;
mod mosquitto;
mod nats;
mod rabbitmq;
mod trusted;

pub use client::{Subscription, publish, publish_as, publish_v5};
pub use mosquitto::Mosquitto;
pub use nats::Nats;
pub use rabbitmq::RabbitMq;
pub use trusted::{BrokerTrust, ClientFiles, TENANT};

/// What tests do with any broker.
pub trait Broker: std::fmt::Debug {
    /// Its name, for messages.
    fn name(&self) -> &'static str;

    /// Where the nodes listen for devices, by their number; a killed node keeps its address.
    fn addresses(&self) -> Vec<SocketAddr>;

    /// Where the nodes listen for the monitor.
    fn monitor_addresses(&self) -> Vec<SocketAddr> {
        self.addresses()
    }

    /// Where a node listens for devices.
    ///
    /// # Errors
    /// When there is no such node.
    fn address(&self, node: usize) -> anyhow::Result<SocketAddr> {
        numbered(&mut self.addresses(), node).copied()
    }

    /// Where a node listens for the monitor.
    ///
    /// # Errors
    /// When there is no such node.
    fn monitor_address(&self, node: usize) -> anyhow::Result<SocketAddr> {
        numbered(&mut self.monitor_addresses(), node).copied()
    }

    /// Who signs what servers and clients are known by.
    fn trust(&self) -> &BrokerTrust;

    /// Makes a device known, and gives what it connects with.
    ///
    /// # Errors
    /// When the name is none of a device, or the broker does not take the new user.
    fn admit(&mut self, device: &str) -> anyhow::Result<ClientFiles>;

    /// Ends a node as a crash would, with SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// When there is no such node, or it cannot be reaped.
    fn kill_node(&mut self, node: usize) -> anyhow::Result<()>;

    /// Starts a node again on the state that it left, and waits until it serves.
    ///
    /// # Errors
    /// When there is no such node, it runs already, or it does not come up.
    fn start_node(&mut self, node: usize) -> anyhow::Result<()>;
}

/// One process of a broker, that may be dead.
#[derive(Debug)]
struct Node {
    name: String,
    folder: PathBuf,
    /// Where its logs are; nodes of a cluster share the folder, so that waiting for one sees all.
    logs: PathBuf,
    process: Option<Process>,
    starts: u32,
}

/// A process that was started and may not serve yet.
#[derive(Debug)]
struct Starting {
    watch: FolderWatch,
    patience: Patience,
}

impl Node {
    /// A node that lives in a folder of its name in `home`.
    fn new(name: String, home: &Path) -> anyhow::Result<Self> {
        let (folder, logs) = (home.join(&name), home.join("logs"));
        std::fs::create_dir_all(&folder)?;
        std::fs::create_dir_all(&logs)?;
        Ok(Self {
            name,
            folder,
            logs,
            process: None,
            starts: 0,
        })
    }

    /// Starts the process; each start has a log of its own, so that it is not taken for an earlier one.
    fn begin(&mut self, command: &mut Command, patience: Patience) -> anyhow::Result<Starting> {
        if self.process.is_some() {
            bail!("{} runs already", self.name);
        }
        self.starts += 1;
        let watch = FolderWatch::begin_with_writing(&self.logs)?;
        self.process = Some(Process::start(&self.name, command, &self.log())?);
        Ok(Starting { watch, patience })
    }

    /// Waits until the log of this start satisfies `ready`.
    fn await_log(
        &mut self,
        starting: &Starting,
        ready: impl Fn(&str) -> bool,
    ) -> anyhow::Result<()> {
        let log = self.log();
        let Some(process) = self.process.as_mut() else {
            bail!("{} does not run", self.name);
        };
        let outcome = starting.watch.wait_for(process, starting.patience, || {
            let text = std::fs::read(&log)?;
            Ok(ready(&String::from_utf8_lossy(&text)).then_some(()))
        });
        if let Err(error) = outcome {
            let said = process.output()?;
            return Err(error.context(format!("{} did not come up; it said:\n{said}", self.name)));
        }
        Ok(())
    }

    /// Where the log of the latest start is.
    fn log(&self) -> PathBuf {
        self.logs.join(format!("{}-{}", self.name, self.starts))
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }
}

/// The node of that number.
fn numbered<T>(nodes: &mut [T], number: usize) -> anyhow::Result<&mut T> {
    let count = nodes.len();
    let node = nodes.get_mut(number);
    node.with_context(|| format!("there is no node {number}, only {count}"))
}

/// A shipped file, with some of its text exchanged; each must be there, so that the two do not part.
fn shipped(file: &str, exchanges: &[(&str, String)]) -> anyhow::Result<String> {
    let path = workspace().join("provisioning/packaging/broker").join(file);
    let mut text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    for (from, to) in exchanges {
        if !text.contains(from) {
            bail!("{file} does not say {from:?}");
        }
        text = text.replace(from, to);
    }
    Ok(text)
}

/// Fails with the way to provide a program that is missing.
fn must_exist(program: &str, package: &str) -> anyhow::Result<()> {
    if !Path::new(program).exists() {
        bail!("{program} is missing; apt-get install --no-install-recommends {package}");
    }
    Ok(())
}

/// Seconds since 1970.
fn now() -> anyhow::Result<i64> {
    let seconds = SystemClock::new().unix_millis() / 1000;
    i64::try_from(seconds).context("the machine's clock is out of range")
}
