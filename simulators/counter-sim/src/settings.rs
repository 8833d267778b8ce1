//! Settings: a TOML file, checked.
//!
//! Flags of the program overlay the file's values before they are checked.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sim_peripherals::PeripheralSettings;
use thiserror::Error;

/// What a simulated counter needs to know, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder of keys, retry counters and the port file.
    pub state: PathBuf,
    /// Folder of the test authorities' and cards' keys; several counters may share one.
    pub pki: PathBuf,
    /// Where the virtual reader's slots listen, in order.
    pub slots: Vec<SocketAddr>,
    /// Port of the control surface and the bench page on 127.0.0.1; 0 takes any.
    pub control_port: u16,
    /// Port of the counter application on 127.0.0.1; 0 takes any.
    pub counter_port: u16,
    /// The built counter page.
    pub counter_page: Option<PathBuf>,
    /// The agent of this counter.
    pub agent: Agent,
    /// The counter's name, which tokens carry.
    pub counter_name: String,
    /// The staff id, which tokens carry.
    pub staff: String,
    /// How long each card takes for each command.
    pub delay: Duration,
    /// Files of further holders.
    pub holders: Vec<PathBuf>,
    /// The datagram socket at which the card service's owner takes orders; without it, nobody kills
    /// the service.
    pub service_owner: Option<PathBuf>,
    /// The devices beside the card readers.
    pub devices: PeripheralSettings,
}

/// The agent of this counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Where it answers, such as `http://127.0.0.1:21710`.
    pub address: String,
    /// Its id, the audience of tokens.
    pub id: String,
}

/// Settings as written in the file; every value has a default except the state folder.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// See [`Settings::state`].
    pub state: Option<PathBuf>,
    /// See [`Settings::pki`]; `pki` in the state folder when absent.
    pub pki: Option<PathBuf>,
    /// See [`Settings::slots`].
    #[serde(default)]
    pub slots: Vec<SocketAddr>,
    /// See [`Settings::control_port`].
    #[serde(default)]
    pub control_port: u16,
    /// See [`Settings::counter_port`].
    #[serde(default)]
    pub counter_port: u16,
    /// See [`Settings::counter_page`].
    pub counter_page: Option<PathBuf>,
    /// Where the agent answers; `http://127.0.0.1:21710` when absent.
    pub agent: Option<String>,
    /// The agent's id, the audience of tokens; `agent` when absent.
    pub agent_id: Option<String>,
    /// See [`Settings::counter_name`]; `1` when absent.
    pub counter_name: Option<String>,
    /// See [`Settings::staff`]; `staff-001` when absent.
    pub staff: Option<String>,
    /// See [`Settings::delay`], in milliseconds; 0 when absent. A real card takes about 12.
    #[serde(default)]
    pub delay_ms: u64,
    /// See [`Settings::holders`].
    #[serde(default)]
    pub holders: Vec<PathBuf>,
    /// See [`Settings::service_owner`].
    pub service_owner: Option<PathBuf>,
    /// See [`Settings::devices`]; none when absent.
    #[serde(default)]
    pub devices: PeripheralSettings,
}

/// Why settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what a settings file is.
    #[error("cannot understand {path}")]
    Syntax {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// There is no place for state.
    #[error("no state folder is named")]
    NoState,
    /// Without a slot, no card can be put anywhere.
    #[error("no slot of a virtual reader is named")]
    NoSlot,
}

impl SettingsFile {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// When it cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| SettingsError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// Checks the values and fills in defaults.
    ///
    /// # Errors
    ///
    /// When something that has no default is missing.
    pub fn check(self) -> Result<Settings, SettingsError> {
        let state = self.state.ok_or(SettingsError::NoState)?;
        if self.slots.is_empty() {
            return Err(SettingsError::NoSlot);
        }
        let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
        Ok(Settings {
            pki: self.pki.unwrap_or_else(|| state.join("pki")),
            state,
            slots: self.slots,
            control_port: self.control_port,
            counter_port: self.counter_port,
            counter_page: self.counter_page,
            agent: Agent {
                address: or(self.agent, "http://127.0.0.1:21710"),
                id: or(self.agent_id, "agent"),
            },
            counter_name: or(self.counter_name, "1"),
            staff: or(self.staff, "staff-001"),
            delay: Duration::from_millis(self.delay_ms),
            holders: self.holders,
            service_owner: self.service_owner,
            devices: self.devices,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_folder_and_a_slot_are_enough() {
        let file: SettingsFile =
            toml::from_str("state = \"/s\"\nslots = [\"127.0.0.1:35963\"]").unwrap();
        let settings = file.check().unwrap();
        assert_eq!(settings.pki, Path::new("/s/pki"));
        assert_eq!((settings.control_port, settings.delay), (0, Duration::ZERO));
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let check = |text: &str| toml::from_str::<SettingsFile>(text).unwrap().check();
        assert!(matches!(
            check("slots = [\"127.0.0.1:1\"]"),
            Err(SettingsError::NoState)
        ));
        assert!(matches!(
            check("state = \"/s\""),
            Err(SettingsError::NoSlot)
        ));
        assert!(toml::from_str::<SettingsFile>("state = \"/s\"\ncolour = 1").is_err());
    }
}
