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

use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::origin::Origin;
use crate::{agent, asyncapi, browser_policy, config, doctor, ledger, log, routes};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const FOUND: u8 = 3;

/// The agent on a counter machine.
#[derive(Debug, Parser)]
#[command(name = "agentd", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    start: StartArgs,
    #[command(subcommand)]
    command: Option<Verb>,
}

#[derive(Debug, Args)]
struct StartArgs {
    /// The configuration file; without it everything has its default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the configuration and end.
    #[arg(long)]
    check_config: bool,
}

#[derive(Debug, Args)]
struct WithConfig {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check the configuration.
    CheckConfig(WithConfig),
    /// Say in plain words what is wrong with this machine.
    Doctor(WithConfig),
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
        /// The folder of the audit log: `audit` in the state folder.
        #[arg(long)]
        dir: PathBuf,
        /// The agent's public key (base64url), as its proofs name it; without it the log is held against
        /// the key that it names itself, which is printed.
        #[arg(long)]
        public_key: Option<String>,
    },
}

/// Does what the command line asks for.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        None if cli.start.check_config => check(cli.start.config.as_deref()),
        None => start(cli.start.config.as_deref()),
        Some(Verb::CheckConfig(with)) => check(with.config.as_deref()),
        Some(Verb::Doctor(with)) => examine(with.config.as_deref()),
        Some(Verb::Audit(AuditVerb::Verify { dir, public_key })) => {
            match ledger::verify(&dir, public_key.as_deref()) {
                Ok(report) if report.sound => print(&report.text, ExitCode::SUCCESS),
                Ok(report) => print(&report.text, ExitCode::from(FOUND)),
                Err(error) => complain(&error, FAILED),
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
    match read(path) {
        Ok(_config) => print("the configuration is good", ExitCode::SUCCESS),
        Err(error) => complain(&error, USAGE),
    }
}

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
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
