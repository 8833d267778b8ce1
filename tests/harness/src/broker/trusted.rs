//! Who a broker of a test trusts: an authority of its own, and what clients connect with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use trust::{Authority, Credentials, DeviceName, Validity, write_credentials, write_public};

use super::now;

/// The tenant of every device.
pub const TENANT: &str = "sakura-city";

/// An hour: certificates begin so long before now, for clocks that differ, and live so long.
const HOUR: i64 = 3600;

/// An authority, and the folder in which files of clients and servers are.
#[derive(Debug)]
pub struct BrokerTrust {
    root: Authority,
    folder: PathBuf,
}

/// What a client connects with, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    /// The authority that the broker's certificate is checked against.
    pub authority: PathBuf,
    /// The client's certificate; `None` for a client that shows none.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
}

impl BrokerTrust {
    /// Makes an authority that keeps its files in `folder`.
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let root = authority()?;
        write_public(&folder.join("ca.pem"), root.certificate_pem())?;
        Ok(Self {
            root,
            folder: folder.to_owned(),
        })
    }

    /// The authority, for certificates that this type does not make.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.root
    }

    /// The file of the authority's certificate.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// What a device connects with. A broker that lists its users must know it too: see
    /// [`Broker::admit`](super::Broker::admit).
    ///
    /// # Errors
    /// When the name is none of a device, or a file cannot be written.
    pub fn device(&self, device: &str) -> anyhow::Result<ClientFiles> {
        let name = DeviceName::new(TENANT, device)?;
        self.write(device, &self.root.issue_device(&name, span()?)?)
    }

    /// What the monitor connects with.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn monitor(&self) -> anyhow::Result<ClientFiles> {
        self.write(trust::MONITOR, &self.root.issue_monitor(span()?)?)
    }

    /// What a stranger has: a device's certificate of that name, by another authority.
    ///
    /// # Errors
    /// As [`BrokerTrust::device`].
    pub fn stranger(&self, device: &str) -> anyhow::Result<ClientFiles> {
        let name = DeviceName::new(TENANT, device)?;
        let credentials = authority()?.issue_device(&name, span()?)?;
        self.write(&format!("stranger-{device}"), &credentials)
    }

    /// A client that knows the authority and shows no certificate.
    #[must_use]
    pub fn nobody(&self) -> ClientFiles {
        ClientFiles {
            authority: self.authority_file(),
            certificate: None,
            key: None,
        }
    }

    /// A topic on which a device speaks: `what` is its lane and class.
    #[must_use]
    pub fn up(&self, device: &str, what: &str) -> String {
        format!("madoguchi/1/{TENANT}/{device}/up/{what}")
    }

    /// A topic on which a device is spoken to.
    #[must_use]
    pub fn down(&self, device: &str, what: &str) -> String {
        format!("madoguchi/1/{TENANT}/{device}/dn/{what}")
    }

    /// A node's certificate and key, as files: for loopback, as server and as client of other nodes.
    pub(super) fn peer(&self) -> anyhow::Result<(PathBuf, PathBuf)> {
        let names = ["localhost", "127.0.0.1", "::1"];
        let credentials = self.root.issue_peer(&names, span()?)?;
        Ok(write_credentials(&self.folder, "peer", &credentials)?)
    }

    /// A server's certificate and key, as files, for loopback.
    pub(super) fn server(&self) -> anyhow::Result<(PathBuf, PathBuf)> {
        let names = ["localhost", "127.0.0.1", "::1"];
        let credentials = self.root.issue_server(&names, span()?)?;
        Ok(write_credentials(&self.folder, "server", &credentials)?)
    }

    fn write(&self, name: &str, credentials: &Credentials) -> anyhow::Result<ClientFiles> {
        let (certificate, key) = write_credentials(&self.folder, name, credentials)?;
        Ok(ClientFiles {
            authority: self.authority_file(),
            certificate: Some(certificate),
            key: Some(key),
        })
    }
}

impl ClientFiles {
    /// The authority's certificate, the client's, and its key, as PEM.
    ///
    /// # Errors
    /// When the client shows no certificate, or a file is gone.
    pub fn pems(&self) -> anyhow::Result<[String; 3]> {
        let certificate = self.certificate.as_ref().context("shows no certificate")?;
        let key = self.key.as_ref().context("has no key")?;
        Ok([
            fs::read_to_string(&self.authority)?,
            fs::read_to_string(certificate)?,
            fs::read_to_string(key)?,
        ])
    }
}

/// Every authority has the same name, so that only its key tells it from another.
fn authority() -> anyhow::Result<Authority> {
    let begin = now()? - HOUR;
    let span = Validity::new(begin, begin + 48 * HOUR)?;
    Ok(Authority::create("Sakura City", span)?)
}

fn span() -> anyhow::Result<Validity> {
    let now = now()?;
    Ok(Validity::new(now - HOUR, now + 24 * HOUR)?)
}
