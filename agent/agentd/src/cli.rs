//! The command line, and what exit codes mean.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; nothing is wrong |
//! | 1 | the agent could not start, or could not do what was asked |
//! | 2 | the command line or the configuration is wrong |
//! | 3 | something was found: the audit log is damaged, or the machine has faults |
//!
//! No secret is ever an argument.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::origin::Origin;
use crate::{
    agent, asyncapi, browser_policy, config, doctor, host_settings, ledger, log, reporting, routes,
};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const FOUND: u8 = 3;

/// The agent on a counter machine.
#[derive(Debug, Parser)]
#[command(name = "agentd", version)]
pub struct Cli {
    /// The configuration file, before or after a command; without it everything has its default.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The same as the command `check-config`.
    #[arg(long)]
    check_config: bool,
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check the configuration, and ask each driver host whether it can use what it will be told.
    CheckConfig,
    /// Say in plain words what is wrong with this machine.
    Doctor,
    /// Print this machine's name to the monitor and the public key that its reports are signed with, for
    /// `monitor device add`; the key is made where there is none.
    TelemetryKey,
    /// Look after the audit log.
    #[command(subcommand)]
    Audit(AuditVerb),
    /// Print browser policies that let one page reach the agent without a prompt.
    BrowserPolicy {
        /// The page's origin, such as `https://madoguchi.city.example.jp`.
        #[arg(long)]
        origin: String,
    },
    /// Print the OpenAPI 3.1 document of the API.
    Openapi,
    /// Print the `AsyncAPI` 3 document of the event streams.
    Asyncapi,
    /// Print the reference page of the configuration.
    ConfigReference,
}

#[derive(Debug, Subcommand)]
enum AuditVerb {
    /// Find any changed, missing or reordered record.
    Verify {
        /// The folder of the audit log; without it `audit` in the configured state folder.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// The agent's public key (base64url), as its proofs name it; without it the log is held against
        /// the key that it names itself, which is printed.
        #[arg(long)]
        public_key: Option<String>,
    },
}

/// Does what the command line asks for.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let config = cli.config.as_deref();
    match cli.command {
        None if cli.check_config => check(config),
        None => start(config),
        Some(Verb::CheckConfig) => check(config),
        Some(Verb::Doctor) => examine(config),
        Some(Verb::TelemetryKey) => telemetry_key(config),
        Some(Verb::Audit(AuditVerb::Verify { dir, public_key })) => {
            let dir = match dir {
                Some(dir) => Ok(dir),
                None => read(config).map(|config| config.state_dir.join("audit")),
            };
            match dir {
                Ok(dir) => verify(&dir, public_key.as_deref()),
                Err(error) => complain(&error, USAGE),
            }
        }
        Some(Verb::BrowserPolicy { origin }) => match Origin::parse(&origin) {
            Ok(origin) if !origin.is_native() => print_json(&browser_policy::policies(&origin)),
            Ok(_native) => complain(&crate::origin::OriginError::Scheme, USAGE),
            Err(error) => complain(&error, USAGE),
        },
        Some(Verb::Openapi) => print_json(&routes::router().1),
        Some(Verb::Asyncapi) => print_json(&asyncapi::document()),
        Some(Verb::ConfigReference) => {
            print(config::reference::markdown().trim_end(), ExitCode::SUCCESS)
        }
    }
}

fn read(path: Option<&Path>) -> Result<Config, config::ConfigError> {
    match path {
        Some(path) => Config::read(path),
        None => Config::parse("", Path::new("")),
    }
}

fn start(path: Option<&Path>) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(error) => return complain(&error, USAGE),
    };
    log::start(&config.log);
    match agent::run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, FAILED),
    }
}

fn check(path: Option<&Path>) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(error) => return complain(&error, USAGE),
    };
    let faults = host_settings::faults(&config);
    for fault in &faults {
        complain(fault, USAGE);
    }
    if faults.is_empty() {
        print("the configuration is good", ExitCode::SUCCESS)
    } else {
        ExitCode::from(USAGE)
    }
}

fn telemetry_key(path: Option<&Path>) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(error) => return complain(&error, USAGE),
    };
    let Some(settings) = &config.telemetry else {
        return complain(&NoTelemetry, USAGE);
    };
    match reporting::public_key(&config.state_dir) {
        Ok(key) => {
            let line = format!("{} {}", settings.name, hex::encode(key.bytes()));
            print(&line, ExitCode::SUCCESS)
        }
        Err(error) => complain(&error, FAILED),
    }
}

/// There is nothing to print a key for.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has no [telemetry]")]
struct NoTelemetry;

fn examine(path: Option<&Path>) -> ExitCode {
    let findings = match read(path) {
        Ok(config) => doctor::examine(&config),
        Err(error) => return complain(&error, USAGE),
    };
    let code = if findings.healthy() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    };
    print(findings.to_string().trim_end(), code)
}

fn verify(dir: &Path, public_key: Option<&str>) -> ExitCode {
    match ledger::verify(dir, public_key) {
        Ok(report) if report.sound => print(&report.text, ExitCode::SUCCESS),
        Ok(report) => print(&report.text, ExitCode::from(FOUND)),
        Err(error) => complain(&error, FAILED),
    }
}

fn print_json(value: &impl serde::Serialize) -> ExitCode {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(&text, ExitCode::SUCCESS),
        Err(error) => complain(&error, FAILED),
    }
}

fn print(text: &str, code: ExitCode) -> ExitCode {
    match writeln!(io::stdout().lock(), "{text}") {
        Ok(()) => code,
        // The reader has closed the pipe.
        Err(_closed) => ExitCode::from(FAILED),
    }
}

/// Prints an error with everything that caused it.
fn complain(error: &dyn std::error::Error, code: u8) -> ExitCode {
    let mut text = format!("agentd: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    // Without standard error there is nobody to complain to; the exit code remains.
    let _told = writeln!(io::stderr().lock(), "{}", text.trim_end());
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }

    /// An operator wrote the flag before the verb, as for starting the agent, and was refused.
    #[test]
    fn the_configuration_is_named_before_or_after_a_command() {
        for words in [
            ["agentd", "--config", "x", "doctor"],
            ["agentd", "doctor", "--config", "x"],
        ] {
            let cli = super::Cli::try_parse_from(words).unwrap();
            assert_eq!(cli.config.as_deref(), Some(std::path::Path::new("x")));
        }
    }
}
