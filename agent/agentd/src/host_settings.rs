//! Whether the driver hosts can use what the configuration tells them.
//!
//! Each host is asked itself, because nobody else knows its devices; it touches none of them for it. Hosts of
//! vendors are not asked: their protocol has no such question.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use thiserror::Error;

use crate::config::{Config, Host};

/// How long a host may take to read its settings.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of a complaint.
const MAX_COMPLAINT: u64 = 4096;

/// Settings that nobody can vouch for.
#[derive(Debug, Error)]
pub enum HostSettingsError {
    /// The host cannot be asked.
    #[error("the driver host {} cannot be started", program.display())]
    Start {
        /// Its program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The host does not answer.
    #[error("the driver host {} does not say what it thinks of its settings", program.display())]
    Silent {
        /// Its program.
        program: PathBuf,
    },
    /// The host cannot use them.
    #[error("{why}")]
    Unusable {
        /// What is wrong with them, in the host's words.
        why: String,
    },
}

/// Asks every host that has settings, and ships with the agent. Blocks until all have answered, five seconds for
/// each at most.
#[must_use]
pub fn faults(config: &Config) -> Vec<HostSettingsError> {
    let asked = config.hosts.iter().filter(|host| host.vendor().is_none());
    asked.filter_map(|host| ask(host).err()).collect()
}

fn ask(host: &Host) -> Result<(), HostSettingsError> {
    let Some(settings) = &host.settings else {
        return Ok(());
    };
    let program = host.command.program.clone();
    let spawned = Command::new(&program)
        .args(&host.command.args)
        .arg("--check-settings")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(source) => return Err(HostSettingsError::Start { program, source }),
    };
    let complaint = complaint(&mut child, settings.to_string());
    let Some((status, why)) = complaint else {
        return Err(HostSettingsError::Silent { program });
    };
    if status.success() {
        return Ok(());
    }
    Err(HostSettingsError::Unusable {
        why: if why.is_empty() {
            format!("{} ended with {status}", program.display())
        } else {
            why
        },
    })
}

/// Tells a host its settings, and returns how it ended and what it said; `None` where it did not end.
fn complaint(child: &mut Child, settings: String) -> Option<(ExitStatus, String)> {
    let (mut stdin, stderr) = (child.stdin.take()?, child.stderr.take()?);
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || {
        // A host that has ended already says why below.
        let _told = stdin.write_all(settings.as_bytes());
        drop(stdin);
        let mut said = Vec::new();
        let _read = stderr.take(MAX_COMPLAINT).read_to_end(&mut said);
        // Whoever asked may have lost patience.
        let _heard = ended.send(String::from_utf8_lossy(&said).trim().to_owned());
    });
    let said = end.recv_timeout(PATIENCE).ok();
    if said.is_none() && child.kill().is_err() {
        tracing::debug!("the host that was asked had ended before");
    }
    let status = child.wait().ok()?;
    Some((status, said?))
}
