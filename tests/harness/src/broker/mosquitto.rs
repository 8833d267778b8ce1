//! Mosquitto: one node, with the shipped configuration and access rules.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use super::{Broker, BrokerTrust, ClientFiles, Node, must_exist, numbered, shipped};
use crate::Patience;
use crate::ports::PortPair;

const PROGRAM: &str = "/usr/sbin/mosquitto";

/// A start takes some ten milliseconds.
const START: u64 = 10;

/// A running Mosquitto.
#[derive(Debug)]
pub struct Mosquitto {
    // Before the folder, in which it works.
    nodes: [Node; 1],
    ports: PortPair,
    trust: BrokerTrust,
    folder: TempDir,
}

impl Mosquitto {
    /// Starts a broker and returns when it listens.
    ///
    /// # Errors
    /// When the package is missing (the text says how to provide it), or the broker does not come up.
    pub fn start() -> anyhow::Result<Self> {
        must_exist(PROGRAM, "mosquitto mosquitto-clients")?;
        let folder = tempfile::Builder::new()
            .prefix("madoguchi-mosquitto-")
            .tempdir()?;
        let trust = BrokerTrust::new(&folder.path().join("trust"))?;
        let node = Node::new("mosquitto".to_owned(), folder.path())?;
        let mut broker = Self {
            nodes: [node],
            ports: PortPair::reserve()?,
            trust,
            folder,
        };
        broker.configure()?;
        broker.start_node(0)?;
        Ok(broker)
    }

    fn configure(&self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let rules = folder.join("madoguchi.acl");
        fs::write(&rules, shipped("mosquitto/madoguchi.acl", &[])?)?;
        let (certificate, key) = self.trust.server()?;
        let state = folder.join("state");
        fs::create_dir_all(&state)?;
        let text = |path: &std::path::Path| path.display().to_string();
        let (first, second) = (self.ports.first(), self.ports.first() + 1);
        let exchanges = [
            ("listener 8883", format!("listener {first} 127.0.0.1")),
            (
                "listener 8884 127.0.0.1",
                format!("listener {second} 127.0.0.1"),
            ),
            (
                "/etc/mosquitto/madoguchi/ca.pem",
                text(&self.trust.authority_file()),
            ),
            ("/etc/mosquitto/madoguchi/server.pem", text(&certificate)),
            ("/etc/mosquitto/madoguchi/server.key", text(&key)),
            ("/etc/mosquitto/madoguchi.acl", text(&rules)),
            ("/var/lib/mosquitto/", format!("{}/", text(&state))),
        ];
        let settings = shipped("mosquitto/mosquitto.conf", &exchanges)?;
        // Started by root, it would become a user that may not read this folder.
        fs::write(folder.join("mosquitto.conf"), settings + "\nuser root\n")?;
        Ok(())
    }
}

impl Broker for Mosquitto {
    fn name(&self) -> &'static str {
        "mosquitto"
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        vec![SocketAddr::from(([127, 0, 0, 1], self.ports.first()))]
    }

    fn monitor_addresses(&self) -> Vec<SocketAddr> {
        vec![SocketAddr::from(([127, 0, 0, 1], self.ports.first() + 1))]
    }

    fn trust(&self) -> &BrokerTrust {
        &self.trust
    }

    /// A certificate is all that it takes: the access rules are patterns.
    fn admit(&mut self, device: &str) -> anyhow::Result<ClientFiles> {
        self.trust.device(device)
    }

    fn kill_node(&mut self, node: usize) -> anyhow::Result<()> {
        numbered(&mut self.nodes, node)?.kill()
    }

    fn start_node(&mut self, node: usize) -> anyhow::Result<()> {
        let node = numbered(&mut self.nodes, node)?;
        let mut command = Command::new(PROGRAM);
        command.arg("-c");
        command.arg(self.folder.path().join("mosquitto.conf"));
        let starting = node.begin(&mut command, Patience::seconds(START))?;
        // It says so when every listener is open.
        node.await_log(&starting, |log| log.contains(" running"))
    }
}
