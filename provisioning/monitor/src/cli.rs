//! The command line, and what exit codes mean.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; nothing is wrong |
//! | 1 | it could not be done |
//! | 2 | the command line or the configuration is wrong |
//! | 3 | something was found: evidence that does not verify, an open alarm |
//!
//! No secret is ever an argument.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use telemetry::name::DeviceName;
use telemetry::{KeyId, VerifyingKey};

use monitor::config::Config;
use monitor::registry::Shard;
use monitor::store::Store;

mod command;
mod deed;
mod look;
mod serve;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const FOUND: u8 = 3;

/// Verifies what devices report, keeps the evidence, and says what is true.
#[derive(Debug, Parser)]
#[command(name = "monitor", version)]
pub(crate) struct Cli {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "monitor.toml"
    )]
    config: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Take messages in from the broker until ended by a signal.
    Run {
        /// Serve one part of all devices, such as 0/4; each part has a database of its own.
        #[arg(long, value_name = "I/N")]
        shard: Option<Shard>,
    },
    /// Take messages in from standard input, as `evidence export` writes them; print what became of each.
    Ingest,
    /// Show all devices, or everything about one.
    Show {
        /// Its name, as tenant/device.
        #[arg(value_parser = device_name)]
        device: Option<DeviceName>,
        /// For programs: one JSON object in each line.
        #[arg(long)]
        json: bool,
    },
    /// Print verified messages, presence and alarms as they come.
    Follow {
        /// For programs: one JSON object in each line.
        #[arg(long)]
        json: bool,
    },
    /// Print the open alarms; the exit code is 3 where there is one.
    Alarms {
        /// Those too that are settled.
        #[arg(long)]
        all: bool,
        /// For programs: one JSON object in each line.
        #[arg(long)]
        json: bool,
        /// Settle this alarm: somebody has dealt with it.
        #[arg(long, value_name = "ID")]
        settle: Option<i64>,
    },
    /// Register devices and their keys.
    #[command(subcommand)]
    Device(DeviceVerb),
    /// Register people who may command.
    #[command(subcommand)]
    Person(PersonVerb),
    /// Order something from a device, and see what became of it.
    #[command(subcommand)]
    Command(command::CommandVerb),
    /// Hand evidence out.
    #[command(subcommand)]
    Evidence(EvidenceVerb),
    /// Verify all evidence again; the exit code is 3 where some does not verify.
    Verify,
    /// Make the monitor's own key where there is none, and print its public half.
    Key,
}

#[derive(Debug, Subcommand)]
enum DeviceVerb {
    /// Register a device with its public key (64 hexadecimal digits).
    Add {
        /// Its name, as tenant/device.
        #[arg(value_parser = device_name)]
        device: DeviceName,
        /// Its public key.
        #[arg(value_parser = public_key)]
        key: VerifyingKey,
    },
    /// Register many devices at once, all or none: a line for each, tenant/device and public key.
    Import {
        /// The file; - for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Register a further key of a device, which takes over from an epoch on.
    AddKey {
        /// Its name, as tenant/device.
        #[arg(value_parser = device_name)]
        device: DeviceName,
        /// The new key.
        #[arg(value_parser = public_key)]
        key: VerifyingKey,
        /// The first epoch in which it counts, and the last one of the keys before it.
        #[arg(long)]
        from_epoch: u64,
        /// The keys before it count on.
        #[arg(long)]
        beside: bool,
    },
    /// Begin a new life of a device with a new key: its earlier keys are void, its counters begin anew.
    EnrolAnew {
        /// Its name, as tenant/device.
        #[arg(value_parser = device_name)]
        device: DeviceName,
        /// The new key.
        #[arg(value_parser = public_key)]
        key: VerifyingKey,
    },
    /// List the devices with their keys.
    List,
    /// Accept nothing of a device any more; it keeps what it has to say.
    Quarantine {
        /// Its name, as tenant/device.
        #[arg(value_parser = device_name)]
        device: DeviceName,
        /// Why.
        #[arg(long, default_value = "operator")]
        reason: String,
    },
    /// Accept a device again.
    Release {
        /// Its name, as tenant/device.
        #[arg(value_parser = device_name)]
        device: DeviceName,
    },
}

#[derive(Debug, Subcommand)]
enum PersonVerb {
    /// Register somebody who may command, with their public key (64 hexadecimal digits).
    Add {
        /// What they are called.
        name: String,
        /// What they may do.
        role: String,
        /// Their public key.
        #[arg(value_parser = public_key)]
        key: VerifyingKey,
    },
    /// Make a private key for somebody, in a new file that only this user can read; print its public half.
    Key {
        /// The file.
        file: PathBuf,
    },
    /// Make a person's key count no longer.
    Retire {
        /// Their public key.
        #[arg(value_parser = public_key)]
        key: VerifyingKey,
    },
    /// List the people.
    List,
}

#[derive(Debug, Subcommand)]
enum EvidenceVerb {
    /// Print evidence as lines of JSON: topic, time of arrival, envelope in hexadecimal.
    Export {
        /// Of this device only.
        #[arg(long, value_parser = device_name)]
        device: Option<DeviceName>,
        /// Into this folder instead: for each envelope its bytes, and its topic beside them.
        #[arg(long, value_name = "FOLDER")]
        files: Option<PathBuf>,
    },
}

/// Does what the command line asks for.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let config = match Config::read(&cli.config) {
        Ok(config) => config,
        Err(error) => return complain(USAGE, &anyhow::Error::from(error)),
    };
    let done = match cli.verb {
        Verb::Run { shard } => serve::run(config, shard.unwrap_or(Shard::WHOLE)),
        Verb::Ingest => serve::ingest(&config),
        Verb::Key => deed::key(&config),
        Verb::Device(verb) => deed::device(&config, verb),
        Verb::Command(verb) => command::command(&config, verb),
        Verb::Person(verb) => deed::person(&config, verb),
        Verb::Show { device, json } => look::show(&config, device.as_ref(), json),
        Verb::Follow { json } => look::follow(&config, json),
        Verb::Alarms { all, json, settle } => look::alarms(&config, all, json, settle),
        Verb::Evidence(EvidenceVerb::Export { device, files }) => {
            look::export(&config, device.as_ref(), files.as_deref())
        }
        Verb::Verify => look::verify(&config),
    };
    match done {
        Ok(End::Well) => ExitCode::SUCCESS,
        Ok(End::Found) => ExitCode::from(FOUND),
        Err(error) => complain(FAILED, &error),
    }
}

/// How a command ended that did not fail.
enum End {
    /// Nothing is wrong.
    Well,
    /// Something was found.
    Found,
}

type Done = anyhow::Result<End>;

fn store(path: &Path) -> anyhow::Result<Store> {
    Ok(Store::open(path)?)
}

fn complain(code: u8, error: &anyhow::Error) -> ExitCode {
    #[expect(
        clippy::print_stderr,
        reason = "it is what the person asked this program"
    )]
    {
        eprintln!("monitor: {error:#}");
    }
    ExitCode::from(code)
}

/// Prints; `false` where nobody reads any more.
fn print(text: &str) -> bool {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_ok()
}

fn device_name(text: &str) -> Result<DeviceName, String> {
    text.split_once('/')
        .and_then(|(tenant, device)| {
            Some(DeviceName {
                tenant: tenant.parse().ok()?,
                device: device.parse().ok()?,
            })
        })
        .ok_or_else(|| {
            "a device is written as tenant/device, each 1 to 32 of a-z, 0-9 and -".into()
        })
}

fn public_key(text: &str) -> Result<VerifyingKey, String> {
    VerifyingKey::from_hex(text).map_err(|_no_key| "a public key is 64 hexadecimal digits".into())
}

fn key_line(id: KeyId, key: &VerifyingKey) -> String {
    format!("{} (id {id})\n", hex::encode(key.bytes()))
}
