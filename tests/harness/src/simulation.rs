//! The simulated counter as a process: cards, the application's backend, the bench.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use crate::binaries::{target_folder, workspace};
use crate::watch::FolderWatch;
use crate::{AGENT_ID, Control, Patience, Process, binary};

/// Starting makes an authority's RSA keys where there are none yet, which takes seconds without
/// optimisation.
const START: u64 = 60;

/// Where a person finds the pages, beside the agent's own 21710 and 21711.
const USUAL_COUNTER_PORT: u16 = 21700;
const USUAL_CONTROL_PORT: u16 = 21701;

/// What surrounds a simulation.
#[derive(Debug)]
pub(crate) struct SimulationPlace<'a> {
    /// A folder for everything that it writes.
    pub(crate) folder: &'a Path,
    /// Where the virtual readers wait for cards.
    pub(crate) readers: &'a [u16],
    /// Where the card service's owner takes orders to kill it.
    pub(crate) service_owner: &'a Path,
    /// Where the agent will be.
    pub(crate) agent: SocketAddr,
    /// Whether the pages stand at their usual ports.
    pub(crate) usual_ports: bool,
    /// Files of holders beside those that come with it.
    pub(crate) holders: &'a [PathBuf],
    /// The devices beside the card readers.
    pub(crate) devices: &'a Value,
}

/// A running simulation.
#[derive(Debug)]
pub(crate) struct Simulation {
    process: Process,
    facts: Facts,
    control: Control,
}

/// What a simulation says of itself when it is ready.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    /// The control surface.
    pub(crate) control: String,
    /// The bench page.
    pub(crate) bench: String,
    /// The counter application: its address, which is its origin.
    pub(crate) counter_app: String,
    /// The issuer of counter tokens.
    pub(crate) issuer: String,
    /// Its public key.
    pub(crate) issuer_public_key: String,
    /// The file of the test authorities' public keys.
    pub(crate) authorities: PathBuf,
    /// The other devices, as they stood at the start.
    pub(crate) devices: Value,
}

impl Simulation {
    /// Starts it and waits until it answers.
    pub(crate) fn start(place: &SimulationPlace<'_>) -> anyhow::Result<Self> {
        fs::create_dir_all(place.folder)?;
        let mut command = Command::new(binary("counter-sim")?);
        command.arg("--state").arg(place.folder);
        // Keys of simulated cards are made once and kept: nothing about them is secret.
        command
            .arg("--pki")
            .arg(target_folder()?.join("simulated-pki"));
        for port in place.readers {
            command.arg("--slot").arg(format!("127.0.0.1:{port}"));
        }
        command
            .arg("--agent")
            .arg(format!("http://{}", place.agent));
        command.args(["--agent-id", AGENT_ID]);
        command.arg("--service-owner").arg(place.service_owner);
        for file in place.holders {
            command.arg("--holders").arg(file);
        }
        command.arg("--devices").arg(place.devices.to_string());
        if place.usual_ports {
            command
                .arg("--counter-port")
                .arg(USUAL_COUNTER_PORT.to_string());
            command
                .arg("--control-port")
                .arg(USUAL_CONTROL_PORT.to_string());
        }
        let page = workspace().join("agent/sdk/dist/counter-page");
        if page.is_dir() {
            command.arg("--counter-page").arg(page);
        }
        let watch = FolderWatch::begin(place.folder)?;
        let log = place.folder.join("counter-sim.log");
        let mut process = Process::start("counter-sim", &mut command, &log)?;
        let file = place.folder.join("counter-sim.json");
        let facts: Facts = watch
            .wait_for(&mut process, Patience::seconds(START), || {
                let text = fs::read(&file).ok();
                Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
            })
            .context("the simulated counter did not come up")?;
        let control = Control::new(&facts.control, &facts.counter_app);
        Ok(Self {
            process,
            facts,
            control,
        })
    }

    /// What it said of itself.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its control surface.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// Its process.
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
