//! `driver-conformance`: examines a driver host and prints what it keeps and what it breaks.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | no requirement is broken |
//! | 1 | at least one is |
//! | 2 | the arguments or the settings make no sense |

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use conformance::{REQUIREMENTS, Subject, examine, examine_only};

/// Examines a driver host against docs/protocol/driver-host.md.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// A JSON file: what the host is told with the welcome. `$FEEDER` in a text becomes the address of a
    /// scanner that the suite plays (codes end with CR LF).
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The class of the device to examine, such as `codeScanner`.
    #[arg(long)]
    class: Option<String>,
    /// The name under which the driver will be listed; ids of its devices must begin with it.
    #[arg(long)]
    name: Option<String>,
    /// Examines only these requirements, such as `DH-071`.
    #[arg(long, value_name = "NUMBER")]
    only: Vec<String>,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
    /// The program of the host and its arguments.
    #[arg(last = true, required = true, num_args = 1.., value_name = "PROGRAM")]
    host: Vec<String>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command-line program")]
fn complain(error: &anyhow::Error) {
    eprintln!("driver-conformance: {error:#}");
}

fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let mut words = arguments.host.into_iter();
    let program = words.next().context("no program is named")?;
    let settings = arguments.settings.map(|path| {
        let text =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))
    });
    let subject = Subject {
        program: program.into(),
        args: words.collect(),
        settings: settings.transpose()?,
        class: arguments.class,
        name: arguments.name,
    };
    let only: Vec<&str> = arguments.only.iter().map(String::as_str).collect();
    let is_known = |id: &&str| REQUIREMENTS.iter().any(|known| known.id == *id);
    if let Some(unknown) = only.iter().find(|id| !is_known(id)) {
        anyhow::bail!("no requirement {unknown}");
    }
    let report = match only.as_slice() {
        [] => examine(&subject),
        some => examine_only(&subject, some),
    };
    let text = if arguments.json {
        let mut json = serde_json::to_string_pretty(&report)?;
        json.push('\n');
        json
    } else {
        report.text()
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(report.failed().is_empty())
}
