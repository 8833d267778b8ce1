//! The configuration file: read whole, checked whole, before anything starts.
//!
//! ```toml
//! database = "monitor.db"
//! key = "monitor.key"                      # Ed25519, PKCS #8; `monitor key` makes one
//! tenants = ["hoshino-shi"]                # none for all
//!
//! [broker]
//! kind = "mqtt"                            # or "rabbitmq", "nats": their own protocol, for messages that wait
//! endpoints = ["broker-1.example.jp:8883", "broker-2.example.jp:8883"]
//! authorities = "ca.pem"
//! certificate = "monitor.pem"
//! certificate_key = "monitor-tls.key"
//! ```
//! `kind` is how the monitor speaks with the broker; devices speak MQTT with any. The ports are other ones.
//! Everything else has a default. Unknown keys are errors. Paths are relative to the file's folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use telemetry::link::Endpoint;
use telemetry::name::{Label, NameError};
use thiserror::Error;

use crate::acks::Manner;
use crate::intake::Settings;
use crate::registry::Shard;
use crate::watch::Patience;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The monitor's name.
    pub monitor: Label,
    /// The database.
    pub database: PathBuf,
    /// The monitor's own key.
    pub key: PathBuf,
    /// The tenants whose devices are heard; all where there is none.
    pub tenants: Vec<Label>,
    /// The broker.
    pub broker: Option<Broker>,
    /// How messages are taken in.
    pub settings: Settings,
    /// How long evidence is kept, in days.
    pub keep_days: u32,
    /// How long signs of life are kept, in days.
    pub keep_signs_days: u32,
}

/// How the broker is reached.
#[derive(Debug, Clone)]
pub struct Broker {
    /// How it is spoken to.
    pub kind: BrokerKind,
    /// Where, in the order of preference.
    pub endpoints: Vec<Endpoint>,
    /// The certificates; none for a broker on this machine that needs none.
    pub files: Option<TlsFiles>,
}

/// How a broker is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BrokerKind {
    /// By MQTT, as devices do ([`crate::mqtt`]).
    #[default]
    Mqtt,
    /// By AMQP, from its queues ([`crate::rabbitmq`]).
    RabbitMq,
    /// By its own protocol, from a stream ([`crate::nats`]).
    Nats,
}

/// The certificates for the broker.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Whose brokers are accepted.
    pub authorities: PathBuf,
    /// Ours.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or has a key that is not known.
    #[error("the configuration cannot be understood")]
    Form(#[source] toml::de::Error),
    /// A name is none.
    #[error("{key} is no name")]
    Name {
        /// Where.
        key: &'static str,
        /// Why.
        source: NameError,
    },
    /// An endpoint is none.
    #[error("an endpoint is written as host:port, not as {text}")]
    Endpoint {
        /// What was found.
        text: String,
    },
    /// Some of the files for TLS are named, and not all.
    #[error(
        "a broker needs authorities, certificate and certificate_key, or, on this machine, none of them"
    )]
    Tls,
    /// A broker that tells users by their certificates is to be reached without one.
    #[error("rabbitmq and nats need authorities, certificate and certificate_key")]
    NoCertificate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    #[serde(default = "monitor")]
    monitor: String,
    database: PathBuf,
    key: PathBuf,
    #[serde(default)]
    tenants: Vec<String>,
    broker: Option<RawBroker>,
    #[serde(default)]
    patience: RawPatience,
    #[serde(default)]
    acknowledge: RawAcknowledge,
    #[serde(default)]
    keep: RawKeep,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBroker {
    #[serde(default)]
    kind: BrokerKind,
    endpoints: Vec<String>,
    authorities: Option<PathBuf>,
    certificate: Option<PathBuf>,
    certificate_key: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawPatience {
    clock_seconds: u32,
    resend_seconds: u32,
    suppressed_seconds: u32,
    replay_seconds: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawAcknowledge {
    interval_millis: u32,
    per_second: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawKeep {
    days: u32,
    signs_of_life_days: u32,
}

impl Default for RawPatience {
    fn default() -> Self {
        Self {
            clock_seconds: 300,
            resend_seconds: 30,
            suppressed_seconds: 600,
            replay_seconds: 600,
        }
    }
}

impl Default for RawAcknowledge {
    fn default() -> Self {
        Self {
            interval_millis: 1000,
            per_second: None,
        }
    }
}

impl Default for RawKeep {
    fn default() -> Self {
        Self {
            days: 400,
            signs_of_life_days: 14,
        }
    }
}

fn monitor() -> String {
    "monitor".to_owned()
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Each of [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text, path.parent().unwrap_or_else(|| Path::new("")))
    }

    /// Checks a text whose paths are relative to a folder.
    ///
    /// # Errors
    /// Each of [`ConfigError`] but [`ConfigError::Read`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(ConfigError::Form)?;
        let label = |key, text: String| {
            Label::try_from(text).map_err(|source| ConfigError::Name { key, source })
        };
        let tenants = raw.tenants.into_iter().map(|name| label("tenants", name));
        let broker = raw.broker.map(|broker| broker.check(folder)).transpose()?;
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Ok(Self {
            monitor: label("monitor", raw.monitor)?,
            database: folder.join(raw.database),
            key: folder.join(raw.key),
            tenants: tenants.collect::<Result<_, _>>()?,
            broker,
            settings: Settings {
                patience: Patience {
                    clock: seconds(raw.patience.clock_seconds),
                    resend: seconds(raw.patience.resend_seconds),
                    suppressed: seconds(raw.patience.suppressed_seconds),
                    replay: seconds(raw.patience.replay_seconds),
                },
                manner: Manner {
                    interval: Duration::from_millis(u64::from(raw.acknowledge.interval_millis)),
                    per_second: raw.acknowledge.per_second,
                },
                shard: Shard::WHOLE,
            },
            keep_days: raw.keep.days,
            keep_signs_days: raw.keep.signs_of_life_days,
        })
    }
}

impl RawBroker {
    fn check(self, folder: &Path) -> Result<Broker, ConfigError> {
        let endpoints = self.endpoints.into_iter().map(|text| {
            text.rsplit_once(':')
                .and_then(|(host, port)| {
                    Some(Endpoint {
                        host: host.to_owned(),
                        port: port.parse().ok()?,
                    })
                })
                .filter(|endpoint| !endpoint.host.is_empty())
                .ok_or(ConfigError::Endpoint { text })
        });
        let files = match (self.authorities, self.certificate, self.certificate_key) {
            (Some(authorities), Some(certificate), Some(key)) => Some(TlsFiles {
                authorities: folder.join(authorities),
                certificate: folder.join(certificate),
                key: folder.join(key),
            }),
            (None, None, None) => None,
            _ => return Err(ConfigError::Tls),
        };
        if self.kind != BrokerKind::Mqtt && files.is_none() {
            return Err(ConfigError::NoCertificate);
        }
        Ok(Broker {
            kind: self.kind,
            endpoints: endpoints.collect::<Result<_, _>>()?,
            files,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "database = 'm.db'\nkey = 'm.key'\n";

    fn parse(more: &str) -> Result<Config, ConfigError> {
        Config::parse(&format!("{SMALL}{more}"), Path::new("etc"))
    }

    #[test]
    fn defaults_work_and_paths_are_beside_the_file() {
        let config = parse("").unwrap();
        assert_eq!(config.database, Path::new("etc/m.db"));
        assert_eq!(config.settings.manner.interval, Duration::from_secs(1));
        let broker = "[broker]\nendpoints = ['b.example:8883']\nauthorities = 'ca.pem'\n\
                      certificate = 'm.pem'\ncertificate_key = 'm-tls.key'";
        for (kind, expected) in [
            ("", BrokerKind::Mqtt),
            ("\nkind = 'mqtt'", BrokerKind::Mqtt),
            ("\nkind = 'rabbitmq'", BrokerKind::RabbitMq),
            ("\nkind = 'nats'", BrokerKind::Nats),
        ] {
            let broker = parse(&format!("{broker}{kind}")).unwrap().broker.unwrap();
            assert_eq!(
                (
                    broker.kind,
                    broker.endpoints[0].port,
                    broker.files.is_some()
                ),
                (expected, 8883, true)
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (more, error) in [
            ("colour = 1", "the configuration cannot be understood"),
            ("tenants = ['星野市']", "tenants is no name"),
            (
                "[broker]\nendpoints = ['b']",
                "an endpoint is written as host:port, not as b",
            ),
            (
                "[broker]\nkind = 'kafka'\nendpoints = []",
                "the configuration cannot be understood",
            ),
            (
                "[broker]\nkind = 'nats'\nendpoints = ['b:4222']",
                "rabbitmq and nats need authorities, certificate and certificate_key",
            ),
            (
                "[broker]\nendpoints = []\ncertificate = 'm.pem'",
                "a broker needs authorities, certificate and certificate_key, or, on this machine, \
                 none of them",
            ),
        ] {
            assert_eq!(parse(more).unwrap_err().to_string(), error);
        }
    }
}
