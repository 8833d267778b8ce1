//! The settings of telemetry, checked: who the agent is to the monitor, and whose word it takes.

use std::path::PathBuf;
use std::time::Duration;

use ::telemetry::link::Endpoint;
use ::telemetry::name::Label;
use ::telemetry::{DeviceName, VerifyingKey};
use commands::{Approver, Authority, Danger};

use super::{ConfigError, raw, value};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// The settings.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Who the agent is to the monitor.
    pub name: DeviceName,
    /// The brokers.
    pub brokers: Vec<Endpoint>,
    /// Whose brokers are believed, PEM.
    pub authorities: PathBuf,
    /// The certificate for the broker, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Whose acknowledgements count.
    pub monitors: Vec<VerifyingKey>,
    /// Time between two signs of life.
    pub beat: Duration,
    /// How much is kept, in bytes.
    pub store: u64,
    /// Who may approve commands.
    pub authority: Authority,
    /// When the counter is closed.
    pub closed: Option<Closed>,
}

/// When the counter is closed, in minutes of the day in Japan; it may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    from: u16,
    until: u16,
}

impl Closed {
    /// Whether the counter is closed at this time of Unix.
    #[must_use]
    pub fn at(self, unix_seconds: u64) -> bool {
        /// Japan is nine hours ahead of UTC, and knows no daylight saving time.
        const JAPAN: u64 = 9 * 3_600;
        let minute = unix_seconds.saturating_add(JAPAN) / 60 % u64::from(DAY);
        let (from, until) = (u64::from(self.from), u64::from(self.until));
        if from <= until {
            (from..until).contains(&minute)
        } else {
            minute >= from || minute < until
        }
    }
}

/// Checks the settings.
pub(super) fn telemetry(raw: raw::Telemetry) -> Result<Telemetry, ConfigError> {
    let label = |key: &str, text: &str| {
        let wrong = |error: ::telemetry::name::NameError| value(key, &error.to_string());
        text.parse::<Label>().map_err(wrong)
    };
    let files = [&raw.authorities, &raw.certificate, &raw.key];
    if files.iter().any(|file| !file.is_absolute()) {
        return Err(value("telemetry", "files must be absolute paths"));
    }
    if raw.brokers.is_empty() || raw.monitors.is_empty() {
        return Err(value(
            "telemetry",
            "needs at least one broker and one monitor",
        ));
    }
    if !(5..=300).contains(&raw.beat_seconds) {
        return Err(value("telemetry.beat_seconds", "5 to 300"));
    }
    if !(8..=4096).contains(&raw.store_mib) {
        return Err(value("telemetry.store_mib", "8 to 4096"));
    }
    let monitors = raw
        .monitors
        .iter()
        .map(|text| key("telemetry.monitors", text));
    let approvers = raw.approver.into_iter().map(|approver| {
        Ok(Approver {
            name: label("telemetry.approver.name", &approver.name)?,
            key: key("telemetry.approver.public_key", &approver.public_key)?,
            may: approver.classes.into_iter().map(danger).collect(),
        })
    });
    let approvers = approvers.collect::<Result<Vec<_>, ConfigError>>()?;
    let authority = Authority::new(approvers)
        .map_err(|error| value("telemetry.approver", &error.to_string()))?;
    Ok(Telemetry {
        name: DeviceName {
            tenant: label("telemetry.tenant", &raw.tenant)?,
            device: label("telemetry.device", &raw.device)?,
        },
        brokers: raw
            .brokers
            .iter()
            .map(|text| broker(text))
            .collect::<Result<_, _>>()?,
        authorities: raw.authorities,
        certificate: raw.certificate,
        key: raw.key,
        monitors: monitors.collect::<Result<_, _>>()?,
        beat: Duration::from_secs(u64::from(raw.beat_seconds)),
        store: u64::from(raw.store_mib) << 20,
        authority,
        closed: raw.closed.as_deref().map(closed).transpose()?,
    })
}

const fn danger(class: raw::CommandClass) -> Danger {
    match class {
        raw::CommandClass::Read => Danger::ReadOnly,
        raw::CommandClass::Reversible => Danger::Reversible,
        raw::CommandClass::Destructive => Danger::Destructive,
    }
}

fn key(name: &str, text: &str) -> Result<VerifyingKey, ConfigError> {
    VerifyingKey::from_hex(text)
        .map_err(|_no_key| value(name, "an Ed25519 public key is 64 hexadecimal digits"))
}

fn broker(text: &str) -> Result<Endpoint, ConfigError> {
    let parts = text.rsplit_once(':');
    let port = parts.and_then(|(_, port)| port.parse::<u16>().ok());
    match (parts, port) {
        (Some((host, _)), Some(port)) if !host.is_empty() && port > 0 => Ok(Endpoint {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
        }),
        _ => Err(value("telemetry.brokers", "each is `host:port`")),
    }
}

fn closed(text: &str) -> Result<Closed, ConfigError> {
    let minutes = |time: &str| {
        let (hours, minutes) = time.split_once(':')?;
        let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    let ends = text.split_once('-');
    let ends = ends.and_then(|(from, until)| minutes(from).zip(minutes(until)));
    match ends {
        Some((from, until)) if from != until => Ok(Closed { from, until }),
        _ => Err(value(
            "telemetry.closed",
            "two times of day such as `19:00-07:30`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_hours_are_those_of_japan_and_may_go_over_midnight() {
        let night = closed("19:00-07:30").unwrap();
        // 2026-11-21 in UTC; Japan is nine hours ahead.
        let day = 1_795_219_200;
        assert!(night.at(day + 10 * 3_600) && !night.at(day + 9 * 3_600));
        assert!(night.at(day + 22 * 3_600) && !night.at(day + 22 * 3_600 + 1_800));
        for wrong in ["", "19:00", "19:00-19:00", "24:00-07:00", "a-b"] {
            assert!(closed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn brokers_are_hosts_with_ports() {
        let endpoint = |host: &str, port| Endpoint {
            host: host.into(),
            port,
        };
        assert_eq!(
            broker("mqtt.city.example.jp:8883").unwrap(),
            endpoint("mqtt.city.example.jp", 8883)
        );
        assert_eq!(broker("[::1]:8883").unwrap(), endpoint("::1", 8883));
        for wrong in ["", "host", ":8883", "host:0", "host:70000", "mqtts://host"] {
            assert!(broker(wrong).is_err(), "{wrong}");
        }
    }
}
