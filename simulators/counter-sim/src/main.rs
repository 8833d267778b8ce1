//! The simulated counter as a program: flags over a settings file, until it is told to end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use counter_sim::fleet::Fleet;
use counter_sim::{CounterSim, SettingsFile};
use sim_peripherals::PeripheralSettings;
use tracing_subscriber::EnvFilter;

mod platform;

/// Simulates a whole municipal counter: citizens' cards, the counter application's backend, a bench.
#[derive(Debug, Parser)]
#[command(name = "counter-sim", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    instead: Option<Instead>,
    /// Settings as TOML; flags override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of keys, retry counters and the port file counter-sim.json.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Folder of the test keys; in the state folder by default.
    #[arg(long, value_name = "DIR")]
    pki: Option<PathBuf>,
    /// Where a slot of the virtual reader listens; once per slot.
    #[arg(long = "slot", value_name = "HOST:PORT")]
    slots: Vec<SocketAddr>,
    /// Port of the control surface and the bench page; 0 takes any.
    #[arg(long, value_name = "PORT")]
    control_port: Option<u16>,
    /// Port of the counter application; 0 takes any.
    #[arg(long, value_name = "PORT")]
    counter_port: Option<u16>,
    /// The built counter page.
    #[arg(long, value_name = "DIR")]
    counter_page: Option<PathBuf>,
    /// Where the agent answers.
    #[arg(long, value_name = "URL")]
    agent: Option<String>,
    /// The agent's id, the audience of tokens.
    #[arg(long, value_name = "ID")]
    agent_id: Option<String>,
    /// The counter's name in tokens.
    #[arg(long, value_name = "NAME")]
    counter_name: Option<String>,
    /// The staff id in tokens.
    #[arg(long, value_name = "ID")]
    staff: Option<String>,
    /// Time per command in milliseconds; a real card takes about 12.
    #[arg(long, value_name = "MS")]
    delay_ms: Option<u64>,
    /// A file of further holders; may be repeated.
    #[arg(long, value_name = "FILE")]
    holders: Vec<PathBuf>,
    /// The socket at which the card service's owner takes the order to kill it.
    #[arg(long, value_name = "SOCKET")]
    service_owner: Option<PathBuf>,
    /// The devices beside the card readers, as JSON such as {"printer":{},"codeScanner":{}}.
    #[arg(long, value_name = "JSON", value_parser = devices)]
    devices: Option<PeripheralSettings>,
    /// What to log, such as `debug` or `sim_kit=trace,info`.
    #[arg(long, value_name = "FILTER", default_value = "info", value_parser = log_filter)]
    log: String,
}

/// What else this program simulates.
#[derive(Debug, Subcommand)]
enum Instead {
    /// Thousands of devices that report to a broker.
    #[command(subcommand)]
    Fleet(Fleet),
}

/// Refuses a filter that is not understood while there is still somebody to read it.
fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn devices(text: &str) -> Result<PeripheralSettings, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

impl Arguments {
    fn settings_file(self) -> anyhow::Result<SettingsFile> {
        let mut file = match &self.config {
            Some(path) => SettingsFile::read(path)?,
            None => SettingsFile::default(),
        };
        file.state = self.state.or(file.state);
        file.pki = self.pki.or(file.pki);
        if !self.slots.is_empty() {
            file.slots = self.slots;
        }
        file.control_port = self.control_port.unwrap_or(file.control_port);
        file.counter_port = self.counter_port.unwrap_or(file.counter_port);
        file.counter_page = self.counter_page.or(file.counter_page);
        file.agent = self.agent.or(file.agent);
        file.agent_id = self.agent_id.or(file.agent_id);
        file.counter_name = self.counter_name.or(file.counter_name);
        file.staff = self.staff.or(file.staff);
        file.delay_ms = self.delay_ms.unwrap_or(file.delay_ms);
        file.holders.extend(self.holders);
        file.service_owner = self.service_owner.or(file.service_owner);
        file.devices = self.devices.unwrap_or(file.devices);
        Ok(file)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&arguments.log).context("the log filter is not understood")?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    // Signals are awaited before anything starts, so that none is lost in between.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let told_to_end = runtime.block_on(async { platform::told_to_end() })?;
    if let Some(Instead::Fleet(fleet)) = arguments.instead {
        return speak(fleet, &runtime, told_to_end);
    }
    let running = CounterSim::start(&arguments.settings_file()?.check()?)?;
    runtime.block_on(told_to_end);
    tracing::info!("ending");
    drop(running);
    Ok(())
}

/// Has a fleet speak; keys and counts go to standard output.
fn speak(
    fleet: Fleet,
    runtime: &tokio::runtime::Runtime,
    told_to_end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    match fleet {
        Fleet::Keys(who) => {
            let mut out = std::io::stdout().lock();
            for line in who.keys() {
                writeln!(out, "{}", line?)?;
            }
        }
        Fleet::Run(run) => {
            let told = |line: String| {
                // Nobody may listen.
                let (Ok(()) | Err(_)) = writeln!(std::io::stdout().lock(), "{line}");
            };
            runtime.block_on(run.go(told, told_to_end))?;
        }
    }
    Ok(())
}
