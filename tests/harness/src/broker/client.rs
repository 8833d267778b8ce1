//! Clients that none of us wrote: `mosquitto_pub` and `mosquitto_sub`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use super::ClientFiles;
use crate::watch::FolderWatch;
use crate::{Patience, Process};

/// How long a connection, a message or a refusal may take. A cluster that lost a node chooses leaders first.
const EXCHANGE: u64 = 30;

/// Publishes one message at QoS 1 over MQTT 3.1.1, with the client id of the certificate's file, and returns
/// when the broker has acknowledged it.
///
/// That proves nothing: 3.1.1 knows no refusal of a message, and Mosquitto acknowledges what it drops.
///
/// # Errors
/// When the broker refuses the connection, ends it, or does not answer.
pub fn publish(
    address: SocketAddr,
    files: &ClientFiles,
    topic: &str,
    text: &str,
) -> anyhow::Result<()> {
    publish_as(&client_id(files), address, files, topic, text)
}

/// Publishes with a client id of one's own choice.
///
/// # Errors
/// As [`publish`].
pub fn publish_as(
    client: &str,
    address: SocketAddr,
    files: &ClientFiles,
    topic: &str,
    text: &str,
) -> anyhow::Result<()> {
    let words = ["-V", "mqttv311", "-i", client, "-t", topic, "-m", text];
    run_publisher(address, files, &words).map(drop)
}

/// Publishes over MQTT 5, whose brokers say whether they took a message.
///
/// # Errors
/// As [`publish`], and when the broker refuses the message.
pub fn publish_v5(
    address: SocketAddr,
    files: &ClientFiles,
    topic: &str,
    text: &str,
) -> anyhow::Result<()> {
    let client = client_id(files);
    let words = ["-V", "mqttv5", "-i", &client, "-t", topic, "-m", text];
    let said = run_publisher(address, files, &words)?;
    // The program ends with success even so. 16: taken, and nobody listens.
    if !said.contains("(Mid: 1, RC:0)") && !said.contains("(Mid: 1, RC:16)") {
        bail!("the message was refused; mosquitto_pub said:\n{said}");
    }
    Ok(())
}

fn client_id(files: &ClientFiles) -> String {
    let name = files.certificate.as_deref().and_then(Path::file_stem);
    name.map_or_else(|| "nobody".to_owned(), |name| name.display().to_string())
}

/// Runs `mosquitto_pub` until its message is acknowledged; what it said.
fn run_publisher(
    address: SocketAddr,
    files: &ClientFiles,
    words: &[&str],
) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let mut command = client_command("mosquitto_pub", address, files);
    command.args(["-d", "-q", "1"]).args(words);
    let log = folder.path().join("log");
    let mut process = Process::start("mosquitto_pub", &mut command, &log)?;
    let ended = process.wait(Patience::seconds(EXCHANGE));
    let said = process.output()?;
    let ended = ended.with_context(|| format!("mosquitto_pub said:\n{said}"))?;
    if !ended.success() || !said.contains("received PUBACK") {
        bail!("mosquitto_pub ended with {ended} and said:\n{said}");
    }
    Ok(said)
}

/// A running `mosquitto_sub`.
#[derive(Debug)]
pub struct Subscription {
    client: String,
    process: Mutex<Process>,
    watch: FolderWatch,
    folder: TempDir,
}

impl Subscription {
    /// Subscribes at QoS 1, as a device under its name or as one of many monitors, and returns when the broker has agreed.
    ///
    /// # Errors
    /// When the broker refuses the connection or the subscription, or does not answer.
    pub fn start(address: SocketAddr, files: &ClientFiles, filter: &str) -> anyhow::Result<Self> {
        let subscription = Self::ask(address, files, filter)?;
        // Another attempt means that the connection was ended: a refusal too.
        let granted = |log: &str| {
            let again = log.matches("sending CONNECT").count() > 1;
            again.then_some(false).or_else(|| agreed(log))
        };
        if !subscription.wait(granted)? {
            let said = subscription.said()?;
            bail!("the subscription to {filter} was refused; mosquitto_sub said:\n{said}");
        }
        Ok(subscription)
    }

    /// Waits until a broker that is being started agrees to a subscription: before all of its parts stand, it ends
    /// connections, and the client makes another one.
    ///
    /// # Errors
    /// When it does not agree in time.
    pub(super) fn wait_until_agreed(
        address: SocketAddr,
        files: &ClientFiles,
        filter: &str,
    ) -> anyhow::Result<()> {
        let subscription = Self::ask(address, files, filter)?;
        subscription.wait(|log| agreed(log).filter(|agreed| *agreed).map(drop))
    }

    fn ask(address: SocketAddr, files: &ClientFiles, filter: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let client = match client_id(files) {
            // A device has one session; the monitor has as many as it has processes.
            name if name == trust::MONITOR => {
                let unique = folder.path().file_name().unwrap_or_default();
                format!("{name}{}", unique.display()).replace('.', "-")
            }
            name => name,
        };
        let mut command = client_command("mosquitto_sub", address, files);
        command.args(["-d", "-v", "-q", "1", "-i", &client, "-t", filter]);
        let log = folder.path().join("log");
        let watch = FolderWatch::begin_with_writing(folder.path())?;
        let process = Process::start("mosquitto_sub", &mut command, &log)?;
        Ok(Self {
            client,
            process: Mutex::new(process),
            watch,
            folder,
        })
    }

    /// The client id that it chose.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }

    /// Waits until a message with that text has come; its topic.
    ///
    /// # Errors
    /// When none comes in time, or the client has ended.
    pub fn wait_for(&self, text: &str) -> anyhow::Result<String> {
        self.wait(|log| topic_of(log, text))
    }

    /// Whether a message with that text has come by now.
    ///
    /// # Errors
    /// When the client's output cannot be read.
    pub fn has(&self, text: &str) -> anyhow::Result<bool> {
        Ok(topic_of(&self.said()?, text).is_some())
    }

    fn wait<T>(&self, found: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        self.watch
            .wait_for(&mut process, Patience::seconds(EXCHANGE), || {
                Ok(found(&self.said()?))
            })
            .with_context(|| {
                let said = self.said().unwrap_or_default();
                format!("mosquitto_sub said:\n{said}")
            })
    }

    fn said(&self) -> anyhow::Result<String> {
        let log = std::fs::read(self.folder.path().join("log"))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }
}

/// Whether the broker has agreed, once it has answered: `Subscribed (mid: 1): 1`; 128 and more is a refusal.
fn agreed(log: &str) -> Option<bool> {
    let line = log.lines().find(|line| line.starts_with("Subscribed ("))?;
    Some(line.ends_with(": 0") || line.ends_with(": 1"))
}

/// The lines of messages are topic, space, text; those about the protocol begin otherwise.
fn topic_of(log: &str, text: &str) -> Option<String> {
    let mut messages = log.lines().filter_map(|line| line.split_once(' '));
    let found = messages.find(|(topic, message)| topic.contains('/') && *message == text);
    found.map(|(topic, _)| topic.to_owned())
}

fn client_command(program: &str, address: SocketAddr, files: &ClientFiles) -> Command {
    // Into a file, the C library would keep the lines back.
    let mut command = Command::new("stdbuf");
    command.args(["--output=L", program]);
    command.args(["-h", &address.ip().to_string()]);
    command.args(["-p", &address.port().to_string()]);
    command.arg("--cafile").arg(&files.authority);
    if let Some(certificate) = &files.certificate {
        command.arg("--cert").arg(certificate);
    }
    if let Some(key) = &files.key {
        command.arg("--key").arg(key);
    }
    command
}
