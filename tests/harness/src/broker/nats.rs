//! NATS: three nodes with JetStream, MQTT in and a stream out.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use super::{
    Broker, BrokerTrust, ClientFiles, Node, Subscription, TENANT, must_exist, numbered, shipped,
};
use crate::Patience;
use crate::ports::PortPair;

const PROGRAM: &str = "/usr/sbin/nats-server";

/// Who sets up the stream; the shipped users have no such right.
const OPERATOR: &str = "operator";

/// What the monitor subscribes to.
const EVERY_UP: &str = "madoguchi/1/+/+/up/#";

/// How many nodes there are.
const NODES: usize = 3;

/// A start takes a second, until the nodes have chosen who leads.
const START: u64 = 60;

/// A running cluster.
#[derive(Debug)]
pub struct Nats {
    // Before the folder, in which they work.
    nodes: Vec<Node>,
    /// NATS and MQTT of each node.
    ports: Vec<PortPair>,
    /// The port of each node for the others.
    routes: Vec<PortPair>,
    devices: Vec<String>,
    trust: BrokerTrust,
    _folder: TempDir,
}

impl Nats {
    /// Starts three nodes that know `devices`, and returns when each serves a client.
    ///
    /// # Errors
    /// When the package is missing (the text says how to provide it), or a node does not come up.
    pub fn start(devices: &[&str]) -> anyhow::Result<Self> {
        must_exist(PROGRAM, "nats-server")?;
        let folder = tempfile::Builder::new()
            .prefix("madoguchi-nats-")
            .tempdir()?;
        let trust = BrokerTrust::new(&folder.path().join("trust"))?;
        let (ports, routes) = (
            PortPair::reserve_some(NODES)?,
            PortPair::reserve_some(NODES)?,
        );
        let home = folder.path();
        let nodes = (0..NODES).map(|node| Node::new(node_name(node), home));
        let mut cluster = Self {
            nodes: nodes.collect::<anyhow::Result<_>>()?,
            ports,
            routes,
            devices: devices.iter().map(|name| (*name).to_owned()).collect(),
            trust,
            _folder: folder,
        };
        cluster.configure()?;
        cluster.start_all()?;
        Ok(cluster)
    }

    /// Where the nodes speak NATS.
    #[must_use]
    pub fn nats_addresses(&self) -> Vec<SocketAddr> {
        self.ports
            .iter()
            .map(|pair| loopback(pair.first()))
            .collect()
    }

    /// What an operator asks for once, so that verifiers of so many parts are served: for each request its
    /// subject and the shipped body.
    ///
    /// # Errors
    /// When a shipped file cannot be read.
    pub fn stream_requests(parts: u32) -> anyhow::Result<Vec<(String, String)>> {
        let subject = "$JS.API.STREAM.CREATE.madoguchi-up".to_owned();
        let mut requests = vec![(subject, shipped("nats/stream.json", &[])?)];
        for part in 0..parts {
            let name = format!("part-{part}-of-{parts}");
            let subject = format!("$JS.API.CONSUMER.DURABLE.CREATE.madoguchi-up.{name}");
            let exchanges = [("part-0-of-1", name)];
            requests.push((subject, shipped("nats/consumer.json", &exchanges)?));
        }
        Ok(requests)
    }

    /// What the operator connects with who may ask for that.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn operator(&self) -> anyhow::Result<ClientFiles> {
        self.trust.device(OPERATOR)
    }

    fn configure(&self) -> anyhow::Result<()> {
        let (certificate, key) = self.trust.peer()?;
        let users = users(&self.devices)?;
        for (number, node) in self.nodes.iter().enumerate() {
            let mut exchanges = vec![
                ("broker-1\n".to_owned(), format!("{}\n", node.name)),
                (
                    "/etc/nats/madoguchi/server.pem".to_owned(),
                    text(&certificate),
                ),
                ("/etc/nats/madoguchi/server.key".to_owned(), text(&key)),
                (
                    "/etc/nats/madoguchi/ca.pem".to_owned(),
                    text(&self.trust.authority_file()),
                ),
                ("/var/lib/nats".to_owned(), text(&node.folder.join("state"))),
            ];
            let ports = self.ports.get(number).context("a node without ports")?;
            let route = self.routes.get(number).context("a node without a route")?;
            for (from, port) in [
                ("0.0.0.0:4222", ports.first()),
                ("0.0.0.0:8883", ports.first() + 1),
                ("0.0.0.0:6222", route.first()),
            ] {
                exchanges.push((from.to_owned(), loopback(port).to_string()));
            }
            for (other, route) in self.routes.iter().enumerate() {
                let address = loopback(route.first()).to_string();
                exchanges.push((format!("{}:6222", node_name(other)), address));
            }
            let exchanges: Vec<(&str, String)> = exchanges
                .iter()
                .map(|(from, to)| (from.as_str(), to.clone()))
                .collect();
            let settings = shipped("nats/nats.conf", &exchanges)?;
            fs::write(node.folder.join("nats.conf"), settings)?;
            fs::write(node.folder.join("madoguchi-users.conf"), &users)?;
        }
        Ok(())
    }

    fn start_all(&mut self) -> anyhow::Result<()> {
        let begun = self.nodes.iter_mut().map(begin);
        let begun: Vec<_> = begun.collect::<anyhow::Result<_>>()?;
        let logs: Vec<PathBuf> = self.nodes.iter().map(Node::log).collect();
        for (node, starting) in self.nodes.iter_mut().zip(&begun) {
            // Who follows does not always say so; who leads does.
            node.await_log(starting, |log| {
                is_ready(log) && logs.iter().any(|log| leads(log))
            })?;
        }
        // The first MQTT client has it make streams, for which a follower may not be ready yet.
        let monitor = self.trust.monitor()?;
        for address in self.addresses() {
            Subscription::wait_until_agreed(address, &monitor, EVERY_UP)?;
        }
        Ok(())
    }
}

impl Broker for Nats {
    fn name(&self) -> &'static str {
        "nats"
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
        let node = numbered(&mut self.nodes, node)?;
        let starting = begin(node)?;
        node.await_log(&starting, is_ready)
    }
}

fn begin(node: &mut Node) -> anyhow::Result<super::Starting> {
    let mut command = Command::new(PROGRAM);
    command.arg("--config").arg(node.folder.join("nats.conf"));
    node.begin(&mut command, Patience::seconds(START))
}

fn is_ready(log: &str) -> bool {
    log.contains("Server is ready")
}

/// Before there is a leader, no MQTT session can be made.
fn leads(log: &Path) -> bool {
    let text = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text).contains("Self is new JetStream cluster metadata leader")
}

/// The shipped users, with the entry of a device once for each.
fn users(devices: &[String]) -> anyhow::Result<String> {
    let text = shipped("nats/madoguchi-users.conf", &[])?;
    let mark = "# One entry for each device.\n";
    let (before, rest) = text
        .split_once(mark)
        .context("no mark before the devices")?;
    let (entry, after) = rest.split_once("  ]\n}\n").context("no end of the users")?;
    let operator = format!(
        "    {{\n      user: \"CN={OPERATOR},O={TENANT}\"\n      permissions: {{\n        \
         publish: [\"$JS.API.>\"]\n        subscribe: [\"_INBOX.>\"]\n      }}\n    }}\n"
    );
    let entries: String = devices
        .iter()
        .map(|device| entry.replace("DEVICE", device).replace("TENANT", TENANT))
        .collect();
    Ok(format!("{before}{operator}{mark}{entries}  ]\n}}\n{after}"))
}

fn node_name(number: usize) -> String {
    format!("broker-{}", number + 1)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
