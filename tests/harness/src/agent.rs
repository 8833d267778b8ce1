//! One agent, as a process with its own state folder and configuration file.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use toml::{Table, Value};

use crate::watch::FolderWatch;
use crate::{Oversight, Patience, Process, binary};

/// The audience of counter tokens.
pub const AGENT_ID: &str = "simulated-counter";

/// Starting takes some ten milliseconds; stopping has two seconds by promise.
const START_OR_END: u64 = 10;

/// Where an agent lives, and what surrounds it.
#[derive(Debug)]
pub(crate) struct AgentPlace<'a> {
    /// A folder for everything that it writes.
    pub(crate) folder: &'a Path,
    /// The PC/SC service that its driver host uses.
    pub(crate) pcsc_socket: &'a Path,
    /// Who watches it.
    pub(crate) oversight: Option<&'a mut Oversight>,
}

/// A running agent, or one that was stopped and can be started again on the same state.
#[derive(Debug)]
pub struct AgentProcess {
    process: Option<Process>,
    program: PathBuf,
    folder: PathBuf,
    pcsc_socket: PathBuf,
    addresses: Addresses,
    ready_after: Duration,
}

/// Where the agent really listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Addresses {
    /// The API.
    pub api: SocketAddr,
    /// The PIN page.
    pub pin: SocketAddr,
    /// The process that wrote this.
    pub pid: u32,
}

impl AgentProcess {
    /// Writes the configuration, starts the agent and waits until it is ready.
    ///
    /// `state_dir` and the driver host's program are added to `config` unless it names them.
    pub(crate) fn start(place: AgentPlace<'_>, config: Table) -> anyhow::Result<Self> {
        let folder = place.folder.to_owned();
        fs::create_dir_all(folder.join("state"))?;
        restrict(&folder.join("state"))?;
        let mut agent = Self {
            process: None,
            program: binary("agentd")?,
            folder,
            pcsc_socket: place.pcsc_socket.to_owned(),
            addresses: Addresses {
                api: SocketAddr::from(([127, 0, 0, 1], 0)),
                pin: SocketAddr::from(([127, 0, 0, 1], 0)),
                pid: 0,
            },
            ready_after: Duration::ZERO,
        };
        agent.write_config(config)?;
        if let Some(oversight) = place.oversight {
            oversight.begin(&agent.telemetry_key()?)?;
        }
        agent.start_again()?;
        Ok(agent)
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The process, while it runs.
    #[must_use]
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// Its state folder.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Its configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.folder.join("agent.toml")
    }

    /// The file into which it and its driver host log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.folder.join("agentd.log")
    }

    /// How long the last start took, from the start of the process to the port file.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Starts it on the state that is there.
    ///
    /// # Errors
    /// When it does not become ready; the text has the end of its log.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let watch = FolderWatch::begin(&self.state_dir())?;
        let mut command = self.command(&[]);
        command.arg("--config").arg(self.config_file());
        let patience = Patience::seconds(START_OR_END);
        let mut process = Process::start("agentd", &mut command, &self.log_file())?;
        let port_file = self.state_dir().join("ports.json");
        let pid = process.id();
        let addresses = watch.wait_for(&mut process, patience, || {
            // The file of a run that was killed can still lie there.
            let text = fs::read(&port_file).ok();
            let ports = text.and_then(|text| serde_json::from_slice::<Addresses>(&text).ok());
            Ok(ports.filter(|ports| ports.pid == pid))
        });
        self.ready_after = patience.spent();
        self.addresses = addresses.context("the agent did not become ready")?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it in order and gives the time that it took.
    ///
    /// # Errors
    /// When it does not end in time, or with another code than 0.
    pub fn stop(&mut self) -> anyhow::Result<Duration> {
        let Some(mut process) = self.process.take() else {
            return Ok(Duration::ZERO);
        };
        let patience = Patience::seconds(START_OR_END);
        let status = process.terminate(patience)?;
        let spent = patience.spent();
        anyhow::ensure!(
            status.success(),
            "agentd ended with {status}:\n{}",
            process.output()?
        );
        Ok(spent)
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When it cannot be reaped.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Runs the agent's program with other arguments, such as `doctor`, and waits for its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(arguments)
            .output()
            .context("cannot run agentd")
    }

    /// The line by which a monitor knows this agent, made by the agent's own command.
    fn telemetry_key(&self) -> anyhow::Result<String> {
        let file = self.config_file();
        let file = file.to_str().context("the folder is not UTF-8")?;
        let output = self.run(&["telemetry-key", "--config", file])?;
        anyhow::ensure!(
            output.status.success(),
            "agentd telemetry-key: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Verifies the audit log with the agent's own command.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn verify_audit(&self) -> anyhow::Result<Output> {
        let folder = self.state_dir().join("audit");
        let folder = folder.to_str().context("the folder is not UTF-8")?;
        self.run(&["audit", "verify", "--dir", folder])
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("PCSCLITE_CSOCK_NAME", &self.pcsc_socket);
        command
    }

    fn write_config(&self, mut config: Table) -> anyhow::Result<()> {
        let text = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .context("a path is not UTF-8")
        };
        let state_dir = Value::String(text(&self.state_dir())?);
        config.entry("state_dir").or_insert(state_dir);
        let program = Value::String(text(&binary("driver-host")?)?);
        let host = config
            .entry("driver_host")
            .or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(host) = host {
            host.entry("program").or_insert(program);
        }
        fs::write(self.config_file(), toml::to_string(&config)?)?;
        Ok(())
    }
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        // In order first, so that it ends its driver host; dropping the process kills it else.
        let _stopped = self.stop();
    }
}

/// The agent refuses a state folder that others may enter.
fn restrict(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    Ok(())
}
