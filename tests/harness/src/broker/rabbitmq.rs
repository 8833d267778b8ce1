//! RabbitMQ: three nodes that keep queues among them, MQTT in and AMQP out.
//!
//! A node belongs to whoever started it: it needs no user `rabbitmq` and nothing of `/etc/rabbitmq`.
//! The nodes find each other by a port mapper of their own, so that they neither see nor disturb a RabbitMQ
//! of the machine; it is a child like they, and ends after them, because a node that misses it starts
//! another one, as a daemon that nobody ends.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::{Broker, BrokerTrust, ClientFiles, Node, must_exist, numbered, shipped};
use crate::ports::PortPair;
use crate::{Patience, Process};

const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";

/// How many nodes there are.
const NODES: usize = 3;

/// How many queues the verifiers share; as many as `queues.json` has.
const SHARDS: usize = 4;

/// A start is work for one processor for several seconds, three at once, on machines that do other work.
const START: u64 = 180;

/// Asking a node starts a virtual machine of Erlang.
const QUESTION: u64 = 60;

/// A running cluster.
#[derive(Debug)]
pub struct RabbitMq {
    // In this order: nodes end before their port mapper, and all before the folder.
    nodes: Vec<Node>,
    _mapper: Process,
    mapper_port: PortPair,
    /// AMQP and MQTT of each node.
    ports: Vec<PortPair>,
    /// The port of each node for the others.
    inner_ports: Vec<PortPair>,
    devices: Vec<String>,
    trust: BrokerTrust,
    folder: TempDir,
}

impl RabbitMq {
    /// Starts three nodes that know `devices`, and returns when all serve and see each other.
    ///
    /// # Errors
    /// When the package is missing (the text says how to provide it), or a node does not come up.
    pub fn start(devices: &[&str]) -> anyhow::Result<Self> {
        must_exist(PROGRAM, "rabbitmq-server")?;
        let folder = tempfile::Builder::new()
            .prefix("madoguchi-rabbitmq-")
            .tempdir()?;
        let home = folder.path();
        let trust = BrokerTrust::new(&home.join("trust"))?;
        trust.server()?;
        let mapper_port = PortPair::reserve()?;
        let (ports, inner_ports) = (
            PortPair::reserve_some(NODES)?,
            PortPair::reserve_some(NODES)?,
        );
        let nodes = (0..NODES).map(|node| Node::new(node_name(node), home));
        let mut cluster = Self {
            nodes: nodes.collect::<anyhow::Result<_>>()?,
            _mapper: start_mapper(&mapper_port, home)?,
            mapper_port,
            ports,
            inner_ports,
            devices: devices.iter().map(|name| (*name).to_owned()).collect(),
            trust,
            folder,
        };
        cluster.configure()?;
        cluster.start_all()?;
        Ok(cluster)
    }

    /// Makes the queues of the verifiers, and binds each device to one of them, by number.
    ///
    /// It waits until they are there: the program that asks for them ends before.
    ///
    /// # Errors
    /// When the cluster does not take them.
    pub fn declare_queues(&self, queue_of: impl Fn(&str) -> u32) -> anyhow::Result<()> {
        let mut wanted = parse(&shipped("rabbitmq/queues.json", &[])?)?;
        for device in &self.devices {
            let device = device_definitions(device, queue_of(device))?;
            append(&mut wanted, &device, &["bindings"])?;
        }
        let file = self.folder.path().join("queues.json");
        fs::write(&file, Value::Object(wanted).to_string())?;
        self.control(&["import_definitions", &file.display().to_string()])?;
        let patience = Patience::seconds(QUESTION);
        let question = ["--quiet", "list_bindings", "source_name"];
        // Each round waits for a process; there is no event to wait for.
        while count(&self.control(&question)?, "amq.topic") < self.devices.len() {
            patience.left("the queues' appearance")?;
        }
        Ok(())
    }

    /// What each of the verifiers' queues holds, by their number.
    ///
    /// # Errors
    /// When the cluster does not say.
    pub fn queue_lengths(&self) -> anyhow::Result<Vec<usize>> {
        let said = self.control(&["--quiet", "list_queues", "name", "messages"])?;
        let length = |shard| {
            let name = format!("madoguchi-up-{shard}");
            let mut lines = said.lines().filter_map(|line| line.split_once('\t'));
            let found = lines.find(|(queue, _)| *queue == name);
            let (_, length) = found.with_context(|| format!("no queue {name} in:\n{said}"))?;
            Ok(length.trim().parse()?)
        };
        (0..SHARDS).map(length).collect()
    }

    /// Where the nodes speak AMQP.
    #[must_use]
    pub fn amqp_addresses(&self) -> Vec<SocketAddr> {
        self.ports
            .iter()
            .map(|pair| loopback(pair.first()))
            .collect()
    }

    /// Asks the first node that runs, and returns its answer.
    fn control(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut nodes = self.nodes.iter();
        let node = nodes.find(|node| node.process.is_some());
        let node = node.context("no node runs")?;
        let mut command = self.command(CONTROL);
        command.args(["-n", &node.name]).args(words);
        let folder = tempfile::tempdir_in(self.folder.path())?;
        let log = folder.path().join("log");
        let mut process = Process::start("rabbitmqctl", &mut command, &log)?;
        let status = process.wait(Patience::seconds(QUESTION))?;
        let said = process.output()?;
        if !status.success() {
            bail!(
                "rabbitmqctl {} ended with {status}:\n{said}",
                words.join(" ")
            );
        }
        Ok(said)
    }

    fn configure(&self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let cookie = folder.join(".erlang.cookie");
        fs::write(&cookie, "madoguchi-of-a-test")?;
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))?;
        let mut definitions = parse(&shipped("rabbitmq/definitions.json", &[])?)?;
        for device in &self.devices {
            let sections = ["users", "permissions", "topic_permissions"];
            append(&mut definitions, &device_definitions(device, 0)?, &sections)?;
        }
        fs::write(
            folder.join("definitions.json"),
            Value::Object(definitions).to_string(),
        )?;
        for (node, ports) in self.nodes.iter().zip(&self.ports) {
            self.configure_node(&node.folder, ports)?;
        }
        Ok(())
    }

    fn configure_node(&self, node: &Path, ports: &PortPair) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let text = |path: PathBuf| path.display().to_string();
        let (amqp, mqtt) = (loopback(ports.first()), loopback(ports.first() + 1));
        let exchanges = [
            (
                "\nlisteners.ssl.default = 5671",
                format!("\nlisteners.ssl.default = {amqp}"),
            ),
            (
                "mqtt.listeners.ssl.default = 8883",
                format!("mqtt.listeners.ssl.default = {mqtt}"),
            ),
            (
                "/etc/rabbitmq/madoguchi/definitions.json",
                text(folder.join("definitions.json")),
            ),
            ("/etc/rabbitmq/madoguchi", text(folder.join("trust"))),
            ("rabbit@broker-1", node_name(0)),
            ("rabbit@broker-2", node_name(1)),
            ("rabbit@broker-3", node_name(2)),
        ];
        let settings = shipped("rabbitmq/rabbitmq.conf", &exchanges)?;
        // The first finds nobody, and by default looks for 5 s.
        let impatient = "cluster_formation.discovery_retry_limit = 2\n\
                         cluster_formation.discovery_retry_interval = 200\n";
        fs::write(node.join("rabbitmq.conf"), settings + impatient)?;
        let plugins = shipped("rabbitmq/enabled_plugins", &[])?;
        Ok(fs::write(node.join("enabled_plugins"), plugins)?)
    }

    /// Starts the first node, then the others: where it makes the virtual host while another one is
    /// joining, that one may be left without it (`vhost_is_down`) until somebody restarts it there.
    fn start_all(&mut self) -> anyhow::Result<()> {
        let first = self.begin(0)?;
        numbered(&mut self.nodes, 0)?.await_log(&first, has_started)?;
        let mut begun = vec![first];
        for number in 1..NODES {
            begun.push(self.begin(number)?);
        }
        for (node, starting) in self.nodes.iter_mut().zip(&begun) {
            node.await_log(starting, |log| {
                let others = log.lines().filter(|line| is_other_up(line)).count();
                has_started(log) && others >= NODES - 1
            })?;
        }
        Ok(())
    }

    fn begin(&mut self, number: usize) -> anyhow::Result<super::Starting> {
        let mut command = self.command(PROGRAM);
        let inner = numbered(&mut self.inner_ports, number)?.first();
        let node = numbered(&mut self.nodes, number)?;
        let state = |name: &str| node.folder.join(name);
        command
            // The script then becomes the node, instead of waiting for it.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_NODENAME", &node.name)
            .env("RABBITMQ_DIST_PORT", inner.to_string())
            .env("RABBITMQ_CONFIG_FILE", state("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", state("advanced.config"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", state("enabled_plugins"))
            .env("RABBITMQ_FEATURE_FLAGS_FILE", state("feature_flags"))
            .env("RABBITMQ_MNESIA_BASE", state("mnesia"))
            .env("RABBITMQ_LOG_BASE", state("logs"))
            .env("RABBITMQ_PID_FILE", state("pid"))
            .env("RABBITMQ_LOGS", "-")
            // A scheduler for each processor of the machine, three times, would only stand in each other's way.
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1");
        node.begin(&mut command, Patience::seconds(START))
    }

    /// A program of RabbitMQ in this folder's world.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("ERL_EPMD_PORT", self.mapper_port.first().to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        command
    }
}

impl Broker for RabbitMq {
    fn name(&self) -> &'static str {
        "rabbitmq"
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        let mqtt = |pair: &PortPair| loopback(pair.first() + 1);
        self.ports.iter().map(mqtt).collect()
    }

    fn trust(&self) -> &BrokerTrust {
        &self.trust
    }

    fn admit(&mut self, device: &str) -> anyhow::Result<ClientFiles> {
        if !self.devices.iter().any(|name| name == device) {
            bail!("the cluster was started without the device {device}");
        }
        self.trust.device(device)
    }

    fn kill_node(&mut self, node: usize) -> anyhow::Result<()> {
        numbered(&mut self.nodes, node)?.kill()
    }

    fn start_node(&mut self, node: usize) -> anyhow::Result<()> {
        let starting = self.begin(node)?;
        numbered(&mut self.nodes, node)?.await_log(&starting, has_started)
    }
}

fn start_mapper(port: &PortPair, folder: &Path) -> anyhow::Result<Process> {
    let mut command = Command::new("epmd");
    command.args(["-address", "127.0.0.1", "-port", &port.first().to_string()]);
    Process::start("epmd", &mut command, &folder.join("epmd.log"))
}

fn node_name(number: usize) -> String {
    format!("broker-{}@localhost", number + 1)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn has_started(log: &str) -> bool {
    log.contains("Server startup complete")
}

fn is_other_up(line: &str) -> bool {
    line.contains("rabbit on node ") && line.ends_with(" up")
}

fn count(text: &str, line: &str) -> usize {
    text.lines().filter(|found| *found == line).count()
}

/// What makes one device known, from the shipped template.
fn device_definitions(device: &str, shard: u32) -> anyhow::Result<Map<String, Value>> {
    let exchanges = [("DEVICE", device.to_owned()), ("SHARD", shard.to_string())];
    parse(&shipped("rabbitmq/device.json", &exchanges)?)
}

fn parse(text: &str) -> anyhow::Result<Map<String, Value>> {
    serde_json::from_str(text).context("a shipped definition is no JSON object")
}

/// Adds the entries of some sections of `from` to those of `to`.
fn append(
    to: &mut Map<String, Value>,
    from: &Map<String, Value>,
    sections: &[&str],
) -> anyhow::Result<()> {
    for section in sections {
        let added = from.get(*section).and_then(Value::as_array);
        let added = added.with_context(|| format!("no list {section}"))?;
        let list = to
            .entry(*section)
            .or_insert_with(|| Value::Array(Vec::new()));
        let list = list.as_array_mut().context("not a list")?;
        list.extend(added.iter().cloned());
    }
    Ok(())
}
