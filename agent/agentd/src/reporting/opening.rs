//! What a station is made of, read from the settings and the state folder: certificates, key, store.

use std::io;
use std::path::Path;
use std::sync::Arc;

use device_api::Secret;
use telemetry::Word;
use telemetry::disk::Folder;
use telemetry::link::{
    BackoffLimits, Connection, Identity, IdentityError, ProtocolChoice, Security,
};
use telemetry::outbox::{OpenError, Outbox, Settings};
use telemetry::signer::Signer as _;
use telemetry::station::Profile;
use thiserror::Error;
use trust::TrustError;

use super::key::{self, KeyError};
use super::{Machine, Surroundings, succession};
use crate::config::telemetry::Telemetry;

/// The folder of what is kept, within the state folder.
const STORE_DIR: &str = "telemetry";

/// Why nothing can be reported.
#[derive(Debug, Error)]
pub enum ReportingError {
    /// A file of the settings cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Certificate and key for the broker cannot be used.
    #[error("cannot use the certificate for the broker")]
    Identity(#[source] IdentityError),
    /// The certificate cannot be read.
    #[error("cannot read the certificate for the broker")]
    Certificate(#[source] TrustError),
    /// The key that signs cannot be used.
    #[error("cannot use the key of reports")]
    Key(#[source] KeyError),
    /// The store cannot be opened.
    #[error("cannot open the store of telemetry")]
    Store(#[source] OpenError),
    /// The system gives no thread.
    #[error("cannot start the thread of telemetry")]
    Thread(#[source] io::Error),
}

/// Who the agent is to the broker, and when its certificate ends, in seconds since 1970.
pub(super) fn identity(settings: &Telemetry) -> Result<(Identity, i64), ReportingError> {
    let (authorities, certificate) = (read(&settings.authorities)?, read(&settings.certificate)?);
    let key = Secret::new(read(&settings.key)?);
    let identity =
        Identity::from_pem(&authorities, &certificate, &key).map_err(ReportingError::Identity)?;
    Ok((identity, certificate_ends(&certificate)?))
}

/// The store with the key that is in force from now on, opened for this start.
pub(super) fn outbox(around: &Surroundings<'_>) -> Result<Outbox, ReportingError> {
    let dir = around.dir.as_ref();
    // Before the epoch begins, so that each is signed with one key.
    let _in_force = succession::take_over(dir).map_err(ReportingError::Key)?;
    let signer = key::signer(dir).map_err(ReportingError::Key)?;
    tracing::info!(key = %signer.verifying_key().id(), device = %around.settings.name, "telemetry");
    let folder = around.dir.path().join(STORE_DIR);
    let disk = Folder::open(&folder).map_err(|source| ReportingError::File {
        path: folder.display().to_string(),
        source,
    })?;
    let settings = Settings {
        quota_bytes: around.settings.store,
        ..Settings::default()
    };
    let (mut outbox, recovery) = Outbox::open(
        Box::new(disk),
        around.settings.name.clone(),
        Box::new(signer),
        Arc::clone(&around.clock),
        settings,
    )
    .map_err(ReportingError::Store)?;
    outbox.set_quality(Machine::time_quality());
    tracing::info!(
        epoch = outbox.epoch(),
        ?recovery,
        "the store of telemetry is open"
    );
    Ok(outbox)
}

/// What the station is told once.
pub(super) fn profile(around: &Surroundings<'_>, identity: Identity) -> Profile {
    let settings = around.settings;
    Profile {
        name: settings.name.clone(),
        version: Word::or_unnamed(env!("CARGO_PKG_VERSION")),
        platform: Word::or_unnamed(&format!(
            "{}-{}",
            std::env::consts::OS,
            std::env::consts::ARCH
        )),
        configuration: around.configuration.clone(),
        beat: settings.beat,
        monitors: settings.monitors.clone(),
        connection: Connection {
            endpoints: settings.brokers.clone(),
            security: Security::MutualTls(identity),
            client_id: settings.name.device.to_string(),
            keep_alive: settings.beat,
            will: None,
            subscriptions: Vec::new(),
            window: Connection::MOST_UNDER_WAY,
            protocol: ProtocolChoice::Newest,
        },
        backoff: BackoffLimits::default(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ReportingError> {
    std::fs::read(path).map_err(|source| ReportingError::File {
        path: path.display().to_string(),
        source,
    })
}

fn certificate_ends(certificate: &[u8]) -> Result<i64, ReportingError> {
    let text = String::from_utf8_lossy(certificate);
    let facts = trust::read_certificate(&text).map_err(ReportingError::Certificate)?;
    Ok(facts.not_after())
}
