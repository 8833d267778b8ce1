//! The configuration: one TOML file, read once, checked whole before anything starts.
//!
//! [`raw`] is the file as written; [`Config`] is what the rest of the agent sees, in checked types.
//! Every key has a default that is safe: with an empty file the agent runs, listens on loopback, and
//! grants nothing to anybody.
//! An unknown key is an error, because a misspelt restriction that is ignored is an open door.
//! The reference page `docs/configuration.md` is generated from the doc comments of [`raw`].

mod hosts;
pub mod raw;
pub mod reference;
pub mod telemetry;
mod vendors;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::telemetry::name::Digest;
use agent_api::token::Scope;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use host_protocol::settings::{
    CodeScanners, DocumentScanners, Handovers, Keyboards, PagePrinters, SignatureTablets,
    TicketPrinters,
};

use crate::allowing::Vendor;
use crate::origin::{Origin, OriginError};
use crate::platform;
use crate::state_dir::TICKETS_DIR;

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The agent's id, the audience of counter tokens.
    pub agent_id: String,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where the PIN page is served.
    pub pin_listen: SocketAddr,
    /// Where the agent keeps its key, its audit log and its port file.
    pub state_dir: PathBuf,
    /// The door for native clients, where wanted.
    pub native: Option<NativeDoor>,
    /// What each origin may do.
    pub grants: BTreeMap<Origin, BTreeSet<Scope>>,
    /// Who may sign counter tokens.
    pub issuers: Vec<Issuer>,
    /// The driver host of card readers, where there is one, then all others.
    pub hosts: Vec<Host>,
    /// With which key of the municipality documents are signed.
    pub document_signing: Option<raw::DocumentSigning>,
    /// Where and as whom the agent reports how it stands.
    pub telemetry: Option<telemetry::Telemetry>,
    /// What is logged.
    pub log: String,
    /// How many requests an origin may make in a second.
    pub requests_per_second: u32,
    /// The SHA-256 of the file, by which the monitor knows which one is in force.
    pub digest: Digest,
}

/// The Unix socket for native clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeDoor {
    /// The socket.
    pub path: PathBuf,
    /// The users that may connect.
    pub allowed_uids: BTreeSet<u32>,
}

/// A backend that may sign counter tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The `iss` claim.
    pub name: String,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// The origins that it may speak for.
    pub origins: BTreeSet<Origin>,
}

use hosts::Devices;
pub use hosts::{CARDS, TABLETS};

/// A driver host.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// What it serves, for logs and errors.
    pub name: String,
    /// How it is started.
    pub command: HostCommand,
    /// What it is told with the welcome.
    pub settings: Option<serde_json::Value>,
}

impl Host {
    /// The name of the vendor's driver, for a host that did not ship with the agent.
    #[must_use]
    pub fn vendor(&self) -> Option<&str> {
        let vendor = self.command.vendor.as_deref();
        vendor.map(|vendor| vendor.name.as_str())
    }
}

/// A driver host's command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, the card trust included.
    pub args: Vec<String>,
    /// For a host of another vendor: what must be verified before each start.
    pub vendor: Option<Arc<Vendor>>,
}

/// A configuration that the agent does not start with.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML, or has a key or a value that does not exist.
    #[error("{path} is not a configuration")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value is outside of what is safe or possible.
    #[error("{key}: {reason}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong, and what is accepted.
        reason: String,
    },
    /// An origin cannot be one.
    #[error("origin {origin:?}")]
    Origin {
        /// As written.
        origin: String,
        /// Why.
        source: OriginError,
    },
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Checks the text of a file; `path` only names it in errors.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let raw: raw::Config = toml::from_str(text).map_err(|source| ConfigError::Malformed {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        Self::check(raw, Digest::of(text.as_bytes()))
    }

    fn check(raw: raw::Config, digest: Digest) -> Result<Self, ConfigError> {
        let log = raw.log;
        if log.parse::<tracing_subscriber::EnvFilter>().is_err() {
            return Err(value(
                "log",
                "not a filter such as `info` or `agentd=debug`",
            ));
        }
        let grants = grants(raw.grant)?;
        let state_dir = raw.state_dir.unwrap_or_else(platform::default_state_dir);
        let devices = Devices {
            code_scanners: CodeScanners {
                scanners: raw.code_scanner,
                pre_applications: raw.pre_applications,
            },
            ticket_printers: TicketPrinters {
                state_dir: tickets_dir(&state_dir),
                printers: raw.ticket_printer,
            },
            page_printers: PagePrinters {
                printers: raw.page_printer,
            },
            document_scanners: DocumentScanners {
                scanners: raw.document_scanner,
            },
            signature_tablets: SignatureTablets {
                tablets: raw.signature_tablet,
                kept: BTreeMap::new(),
            },
            keyboards: Keyboards {
                keyboard: raw.keyboard,
            },
            handovers: Handovers {
                handovers: raw.handover,
            },
        };
        let mut hosts = hosts::hosts(raw.driver_host, raw.card_trust, &devices, &log)?;
        hosts.extend(vendors::hosts(
            raw.vendor_driver,
            raw.driver_publisher,
            &state_dir,
        )?);
        Ok(Self {
            agent_id: name("agent_id", raw.agent_id)?,
            listen: loopback("listen", &raw.listen)?,
            pin_listen: loopback("pin_listen", &raw.pin_listen)?,
            state_dir,
            native: raw.unix_socket.map(native_door).transpose()?,
            issuers: issuers(raw.issuer, &grants)?,
            grants,
            hosts,
            document_signing: document_signing(raw.document_signing)?,
            telemetry: raw.telemetry.map(telemetry::telemetry).transpose()?,
            log,
            requests_per_second: request_rate(raw.requests_per_second)?,
            digest,
        })
    }
}

fn value(key: &str, reason: &str) -> ConfigError {
    ConfigError::Value {
        key: key.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Where ticket printers keep what became of their tickets; `None` where it cannot be told as text, which
/// their host refuses.
fn tickets_dir(state_dir: &Path) -> Option<String> {
    let folder = std::path::absolute(state_dir.join(TICKETS_DIR)).ok()?;
    folder.to_str().map(str::to_owned)
}

/// A name that is safe in logs, tokens and file names.
fn name(key: &str, text: String) -> Result<String, ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
        return Err(value(
            key,
            "1 to 64 letters, digits, dots, hyphens or underscores",
        ));
    }
    Ok(text)
}

/// Defence D1: a listener that another machine can reach is refused, not warned about.
fn loopback(key: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_error| value(key, "not an address such as 127.0.0.1:21710"))?;
    if !address.ip().is_loopback() {
        return Err(value(
            key,
            "only a loopback address (127.0.0.1 or [::1]) is accepted",
        ));
    }
    Ok(address)
}

fn request_rate(per_second: u32) -> Result<u32, ConfigError> {
    if !(10..=10_000).contains(&per_second) {
        return Err(value("requests_per_second", "10 to 10000"));
    }
    Ok(per_second)
}

fn native_door(raw: raw::UnixSocket) -> Result<NativeDoor, ConfigError> {
    if !platform::HAS_NATIVE_DOOR {
        return Err(value(
            "unix_socket",
            "this operating system has no such socket",
        ));
    }
    if !raw.path.is_absolute() {
        return Err(value("unix_socket.path", "must be an absolute path"));
    }
    Ok(NativeDoor {
        path: raw.path,
        allowed_uids: raw.allowed_uids.into_iter().collect(),
    })
}

fn grants(raw: Vec<raw::Grant>) -> Result<BTreeMap<Origin, BTreeSet<Scope>>, ConfigError> {
    let mut grants = BTreeMap::new();
    for grant in raw {
        let origin = Origin::parse(&grant.origin).map_err(|source| ConfigError::Origin {
            origin: grant.origin,
            source,
        })?;
        let operations: BTreeSet<Scope> = grant.operations.into_iter().collect();
        if grants.insert(origin, operations).is_some() {
            return Err(value("grant", "an origin stands in more than one grant"));
        }
    }
    Ok(grants)
}

fn issuers(
    raw: Vec<raw::Issuer>,
    grants: &BTreeMap<Origin, BTreeSet<Scope>>,
) -> Result<Vec<Issuer>, ConfigError> {
    let mut issuers: Vec<Issuer> = Vec::with_capacity(raw.len());
    for issuer in raw {
        let bytes = URL_SAFE_NO_PAD
            .decode(&issuer.public_key)
            .unwrap_or_default();
        let public_key = <[u8; 32]>::try_from(bytes).map_err(|_bytes| {
            value(
                "issuer.public_key",
                "must be 32 bytes as base64url without padding (43 characters)",
            )
        })?;
        let name = name("issuer.name", issuer.name)?;
        if issuers.iter().any(|known| known.name == name) {
            return Err(value("issuer.name", "an issuer is named twice"));
        }
        issuers.push(Issuer {
            name,
            public_key,
            origins: speaks_for(issuer.origins, grants)?,
        });
    }
    Ok(issuers)
}

/// An issuer speaks for the origins that it names, else for every origin that has a grant.
fn speaks_for(
    named: Option<Vec<String>>,
    grants: &BTreeMap<Origin, BTreeSet<Scope>>,
) -> Result<BTreeSet<Origin>, ConfigError> {
    let Some(named) = named else {
        return Ok(grants.keys().cloned().collect());
    };
    let mut origins = BTreeSet::new();
    for text in named {
        match Origin::parse(&text) {
            Ok(origin) if grants.contains_key(&origin) => origins.insert(origin),
            Ok(_) => return Err(value("issuer.origins", "names an origin that has no grant")),
            Err(source) => {
                return Err(ConfigError::Origin {
                    origin: text,
                    source,
                });
            }
        };
    }
    Ok(origins)
}

fn document_signing(
    raw: Option<raw::DocumentSigning>,
) -> Result<Option<raw::DocumentSigning>, ConfigError> {
    let Some(signing) = raw else {
        return Ok(None);
    };
    if !signing.key.is_absolute() || !signing.certificates.is_absolute() {
        return Err(value("document_signing", "files must be absolute paths"));
    }
    if signing.name.trim().is_empty() {
        return Err(value("document_signing.name", "must not be empty"));
    }
    Ok(Some(signing))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use host_protocol::settings::{DocumentScanners, TicketPrinters};

    use super::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("agent.toml")).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn an_empty_file_listens_on_loopback_and_grants_nothing() {
        let config = parse("").unwrap();
        assert!(config.listen.ip().is_loopback() && config.pin_listen.ip().is_loopback());
        assert!(config.grants.is_empty() && config.issuers.is_empty() && config.native.is_none());
    }

    #[test]
    fn a_listener_that_others_could_reach_is_refused() {
        for address in [
            "0.0.0.0:21710",
            "[::]:21710",
            "192.168.0.2:21710",
            "localhost:21710",
            "21710",
        ] {
            assert!(
                parse(&format!("listen = {address:?}")).is_err(),
                "{address}"
            );
            assert!(
                parse(&format!("pin_listen = {address:?}")).is_err(),
                "{address}"
            );
        }
    }

    #[test]
    fn a_misspelt_key_is_an_error_everywhere() {
        for text in [
            "agentid = \"a\"",
            "[unix_socket]\npath = \"/a\"\nuids = []",
            "[[grant]]\norigin = \"https://a.test\"\noperations = []\nnote = 1",
            "[[issuer]]\nname = \"a\"\npublic_key = \"\"\nalg = \"none\"",
            "[card_trust]\nbuiltins = []",
            "[driver_host]\nprogramme = \"/a\"",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_operation_or_issuer_key_is_refused() {
        assert!(
            parse("[[grant]]\norigin = \"https://a.test\"\noperations = [\"cardReader.all\"]")
                .is_err()
        );
        assert!(parse("[[issuer]]\nname = \"a\"\npublic_key = \"AAAA\"").is_err());
        assert!(parse("[[grant]]\norigin = \"https://*\"\noperations = []").is_err());
    }

    #[test]
    fn each_family_with_devices_has_a_host_that_is_told_of_them() {
        let config = parse(
            r#"state_dir = "/var/lib/m"
[driver_host]
program = "/opt/h"
[keyboard]
forms = ["/etc/form.toml"]
[[code_scanner]]
name = "a"
connection = { tcp = "127.0.0.1:1" }
[[ticket_printer]]
name = "b"
connection = { tcp = "127.0.0.1:2" }
profile = "generic-80"
[[page_printer]]
name = "c"
uri = "ipp://127.0.0.1/printers/c"
[[document_scanner]]
name = "d"
reached_by = { sane = { address = "127.0.0.1", device = "test:0" } }
[[signature_tablet]]
name = "e"
connection = "page"
[[signature_tablet]]
name = "f"
connection = { usb = { vendor = 0x056A, product = 0x00A8 } }
kind = "pad"
[[handover]]
template = "/etc/t.toml"
counter = "3"
outgoing = "/o"
acknowledgements = "/a"
state = "/s"
"#,
        )
        .unwrap();
        let words = [
            "scanner",
            "ticket-printer",
            "page-printer",
            "document-scanner",
            "tablet",
            "keyboard",
            "handover",
        ];
        let names: Vec<&str> = config.hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names[1..], words);
        for host in &config.hosts[1..] {
            assert_eq!(host.command.args[0], host.name);
        }
        let told = |at: usize| config.hosts[at].settings.clone().unwrap();
        let tickets: TicketPrinters = serde_json::from_value(told(2)).unwrap();
        assert_eq!(tickets.state_dir.as_deref(), Some("/var/lib/m/tickets"));
        let scanners: DocumentScanners = serde_json::from_value(told(4)).unwrap();
        assert_eq!(scanners.scanners[0].name, "d");
    }

    #[test]
    fn card_trust_reaches_the_driver_host_as_arguments() {
        let config = parse(
            "[driver_host]\nprogram = \"/opt/h\"\n[card_trust]\nbuiltin = [\"jlis-test\"]\nfiles = [\"/etc/ca.json\"]",
        )
        .unwrap();
        let args: Vec<&str> = config.hosts[0]
            .command
            .args
            .iter()
            .map(String::as_str)
            .collect();
        assert_eq!(
            args,
            [
                "pcsc",
                "--trust",
                "jlis-test",
                "--trust-file",
                "/etc/ca.json",
                "--log",
                "info"
            ]
        );
    }
}
