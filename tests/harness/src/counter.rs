//! A whole counter: PC/SC service, simulation, agent with its driver host; all real processes.
//!
//! ```text
//! Counter::start -> PrivatePcscd, simulation, agent (in this order; each waits for the one before)
//! Counter::stop  -> agent, simulation, PrivatePcscd; then looks whether anything is left
//! ```
//! Everything that a counter writes is in one temporary folder, which goes with it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use agent_api::token::Scope;
use anyhow::{Context as _, ensure};
use serde_json::json;
use tempfile::TempDir;
use toml::Table;

use crate::agent::AgentPlace;
use crate::devices;
use crate::figures::process_tree;
use crate::ports::PortPair;
use crate::simulation::{Facts, Simulation, SimulationPlace};
use crate::{
    AGENT_ID, AgentProcess, Control, Door, Events, Oversight, Patience, PinScreen, PrivatePcscd,
};
use crate::{ProcessFigures, TokenWish};

/// Everything that a token and a grant can permit.
pub const ALL_SCOPES: [Scope; 24] = Scope::ALL;

/// What kind of counter is wanted.
#[derive(Debug, Clone)]
pub struct Options {
    /// Virtual readers, 1 to 16.
    pub slots: usize,
    /// The log filter of agent and driver host.
    pub log: String,
    /// Whether the pages stand at their usual ports, for people, or at any free ones, for tests.
    pub usual_ports: bool,
    /// Top-level keys that replace those of the agent's generated configuration.
    pub agent: Table,
    /// Files of holders beside those that come with the simulator.
    pub holders: Vec<PathBuf>,
    /// Whether there are devices beside the card readers, each served by a driver host of its own.
    pub devices: bool,
    /// Whether the agent reports to a broker and a monitor, which are started too.
    pub overseen: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            slots: 2,
            log: "info".to_owned(),
            usual_ports: false,
            agent: Table::new(),
            holders: Vec::new(),
            devices: false,
            overseen: false,
        }
    }
}

/// A running counter.
#[derive(Debug)]
pub struct Counter {
    /// The agent.
    pub agent: AgentProcess,
    /// Who watches it, where somebody does.
    pub oversight: Option<Oversight>,
    /// The PC/SC service.
    pub pcscd: PrivatePcscd,
    simulation: Simulation,
    _ports: Option<PortPair>,
    folder: TempDir,
}

/// A clerk's page with its event stream, and the citizen's PIN screen of the same counter.
#[derive(Debug)]
pub struct Desk {
    /// The calls of the page.
    pub door: Door,
    /// Its event stream.
    pub events: Events,
    /// The citizen's screen, paired with this counter.
    pub screen: PinScreen,
}

impl Counter {
    /// Starts a counter and returns when all of it is ready.
    ///
    /// # Errors
    /// When a part does not come up; the text names it and has the end of its log, or the command that
    /// provides what is missing.
    pub fn start(options: &Options) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("madoguchi-counter-")
            .tempdir()?;
        let pcscd = PrivatePcscd::start(options.slots)?;
        // The page must know the agent's address, and the agent the page's: so the agent's ports are
        // kept for it before either starts.
        let ports = (!options.usual_ports).then(PortPair::reserve).transpose()?;
        let (api, pin) = ports
            .as_ref()
            .map_or((21710, 21711), |p| (p.first(), p.first() + 1));
        let place = SimulationPlace {
            folder: &folder.path().join("simulation"),
            readers: &pcscd.ports(),
            service_owner: pcscd.owner(),
            agent: loopback(api),
            usual_ports: options.usual_ports,
            holders: &options.holders,
            devices: &devices::simulated(options.devices, folder.path()),
        };
        let simulation = Simulation::start(&place)?;
        let mut config = agent_config(simulation.facts(), options)?;
        config.insert("listen".to_owned(), loopback(api).to_string().into());
        config.insert("pin_listen".to_owned(), loopback(pin).to_string().into());
        let agent_folder = folder.path().join("agent");
        if options.devices {
            config.extend(devices::configured(
                &simulation.facts().devices,
                folder.path(),
            )?);
        }
        let mut oversight = options.overseen.then(Oversight::start).transpose()?;
        if let Some(oversight) = &oversight {
            config.insert("telemetry".to_owned(), oversight.settings()?.into());
        }
        config.extend(options.agent.clone());
        let place = AgentPlace {
            folder: &agent_folder,
            pcsc_socket: &pcscd.socket(),
            oversight: oversight.as_mut(),
        };
        let agent = AgentProcess::start(place, config)?;
        Ok(Self {
            agent,
            oversight,
            pcscd,
            simulation,
            _ports: ports,
            folder,
        })
    }

    /// The folder in which every process of the counter writes.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Every file that was written so far.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn written_files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path)
                } else {
                    files.push(path)
                }
            }
        }
        Ok(files)
    }

    /// The folder of handover files, and the one in which they are acknowledged.
    #[must_use]
    pub fn handover_folders(&self) -> [PathBuf; 2] {
        devices::handover_folders(self.folder.path())
    }

    /// The names of the simulated devices beside the card readers.
    #[must_use]
    pub fn simulated_devices(&self) -> Vec<String> {
        let devices = self.simulation.facts().devices.as_object();
        let names = devices.into_iter().flat_map(|devices| devices.keys());
        names.cloned().collect()
    }

    /// The simulation's control surface.
    #[must_use]
    pub fn control(&self) -> &Control {
        self.simulation.control()
    }

    /// The address of the counter page, which is its origin too.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.simulation.facts().counter_app
    }

    /// The address of the bench page.
    #[must_use]
    pub fn bench(&self) -> &str {
        &self.simulation.facts().bench
    }

    /// The address of the control surface.
    #[must_use]
    pub fn control_address(&self) -> &str {
        &self.simulation.facts().control
    }

    /// A token of the application's backend.
    ///
    /// # Errors
    /// When the backend refuses.
    pub fn token(&self, scopes: &[Scope]) -> anyhow::Result<String> {
        self.control().token(&Self::wish(scopes, None))
    }

    /// A token with a nonce that the agent gives out now, for one privileged call.
    ///
    /// # Errors
    /// When agent or backend refuses.
    pub fn privileged_token(&self, door: &Door, scopes: &[Scope]) -> anyhow::Result<String> {
        let nonce = door.nonce()?.nonce;
        self.control().token(&Self::wish(scopes, Some(nonce)))
    }

    /// The agent's door for a page of the enrolled origin, with a token that permits everything.
    ///
    /// # Errors
    /// When the backend refuses.
    pub fn door(&self) -> anyhow::Result<Door> {
        let door = Door::new(self.agent.addresses().api, self.origin());
        Ok(door.with_token(&self.token(&ALL_SCOPES)?))
    }

    /// A clerk's page that is connected, with a PIN screen that is paired with its counter.
    ///
    /// # Errors
    /// When a part of it is refused.
    pub fn desk(&self) -> anyhow::Result<Desk> {
        let token = self.token(&ALL_SCOPES)?;
        let addresses = self.agent.addresses();
        let door = Door::new(addresses.api, self.origin()).with_token(&token);
        let events = Events::open(addresses.api, self.origin(), &token, None)?;
        let (mut screen, code) = PinScreen::open_new(addresses.pin)?;
        door.pair_screen(&agent_api::screen::PairRequest { code })?;
        screen.wait_paired(Patience::seconds(10))?;
        Ok(Desk {
            door,
            events,
            screen,
        })
    }

    /// What the agent and its driver hosts use now.
    ///
    /// # Errors
    /// When the agent does not run.
    pub fn figures(&mut self) -> anyhow::Result<Vec<ProcessFigures>> {
        let process = self.agent.process().context("the agent does not run")?;
        process_tree(process.id())
    }

    /// Ends everything in order, and fails where a process is left.
    ///
    /// # Errors
    /// When a part does not end in time or with another code than 0, or leaves a process behind.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let mut known = Vec::new();
        let agent = self.agent.process().map(|process| process.id());
        let simulation = Some(self.simulation.process().id());
        for root in [agent, simulation, self.pcscd.id()].into_iter().flatten() {
            // One that a test has ended already has nothing to leave.
            known.extend(process_tree(root).unwrap_or_default());
        }
        self.agent.stop()?;
        if let Some(oversight) = self.oversight.take() {
            oversight.stop()?;
        }
        self.simulation.process().terminate(Patience::seconds(10))?;
        self.pcscd.stop()?;
        // A driver host ends when its agent has.
        let patience = Patience::seconds(5);
        let left = known.iter().filter(|process| !process.ends(&patience));
        let left: Vec<String> = left
            .map(|left| format!("{} ({})", left.name, left.id))
            .collect();
        ensure!(left.is_empty(), "left behind: {}", left.join(", "));
        Ok(())
    }

    fn wish(scopes: &[Scope], nonce: Option<String>) -> TokenWish {
        TokenWish {
            scopes: scopes.to_vec(),
            nonce,
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A configuration that lets the simulated counter's page do everything, and nobody else anything.
fn agent_config(facts: &Facts, options: &Options) -> anyhow::Result<Table> {
    let config = json!({
        "agent_id": AGENT_ID,
        "log": options.log,
        "grant": [{ "origin": facts.counter_app, "operations": ALL_SCOPES }],
        "issuer": [{ "name": facts.issuer, "public_key": facts.issuer_public_key }],
        "card_trust": { "builtin": ["jlis-test"], "files": [facts.authorities] },
    });
    Table::try_from(config).context("the agent's configuration")
}
