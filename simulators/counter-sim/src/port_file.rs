//! `counter-sim.json` in the state folder: every address, written when all of them answer.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sim_peripherals::PeripheralsView;

const NAME: &str = "counter-sim.json";

/// Where everything is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PortFile {
    /// Number of this file's format.
    pub(crate) format: u32,
    /// The process that serves.
    pub(crate) pid: u32,
    /// The control surface.
    pub(crate) control: String,
    /// The bench page.
    pub(crate) bench: String,
    /// The counter application: its address is also its origin.
    pub(crate) counter_app: String,
    /// The issuer's name in tokens.
    pub(crate) issuer: String,
    /// The public key that verifies tokens, 32 bytes as base64url.
    pub(crate) issuer_public_key: String,
    /// The test authorities' public keys.
    pub(crate) authorities: PathBuf,
    /// Where the virtual reader's slots listen.
    pub(crate) slots: Vec<SocketAddr>,
    /// Where the other devices are.
    pub(crate) devices: PeripheralsView,
}

impl PortFile {
    /// The format written here.
    pub(crate) const FORMAT: u32 = 1;

    /// Replaces the file in one step, so that nobody reads half of it.
    pub(crate) fn write(&self, state: &Path) -> io::Result<()> {
        let beside = state.join("counter-sim.json.new");
        fs::write(&beside, serde_json::to_vec_pretty(self)?)?;
        fs::rename(beside, state.join(NAME))
    }

    /// Removes the file of this or an earlier process.
    pub(crate) fn remove(state: &Path) -> io::Result<()> {
        match fs::remove_file(state.join(NAME)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
