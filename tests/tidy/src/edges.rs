//! Which crate may use which.
//!
//! The table is the picture of `docs/architecture.md` as data.
//! Vocabulary <- drivers <- daemons; cores know no driver; a simulator uses no driver and a driver no
//! simulator, because a mistake that both share would cancel out; nothing uses the tests.
//! Between our own crates, build and test dependencies count too.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::DependencyKind;

use crate::Repository;

/// Each crate with the crates of this workspace that it may use.
const MAY_USE: [(&str, &[&str]); 36] = [
    ("device-api", &[]),
    ("host-protocol", &["device-api"]),
    ("link", &["device-api"]),
    ("smartcard", &["device-api"]),
    ("idcards", &["device-api", "smartcard"]),
    ("scanner", &["device-api", "link"]),
    ("tablet", &["device-api", "link"]),
    ("journal-file", &[]),
    ("printer", &["device-api", "journal-file", "link"]),
    ("document", &["device-api"]),
    ("keystroke", &["device-api"]),
    (
        "driver-host",
        &[
            "device-api",
            "document",
            "handover",
            "host-protocol",
            "idcards",
            "keystroke",
            "link",
            "printer",
            "scanner",
            "smartcard",
            "tablet",
        ],
    ),
    ("conformance", &["device-api", "host-protocol"]),
    ("driver-template", &["conformance", "host-protocol"]),
    ("agent-api", &[]),
    ("agent-core", &["device-api"]),
    ("audit", &[]),
    ("handover", &["device-api"]),
    ("signature", &[]),
    ("telemetry", &["device-api"]),
    ("commands", &["device-api", "journal-file", "telemetry"]),
    (
        "agentd",
        &[
            "agent-api",
            "agent-core",
            "audit",
            "commands",
            "device-api",
            "host-protocol",
            "signature",
            "telemetry",
            "trust",
        ],
    ),
    ("trust", &[]),
    ("monitor", &["commands", "device-api", "telemetry", "trust"]),
    ("sim-kit", &[]),
    ("sim-broker", &["sim-kit"]),
    ("sim-cards", &["sim-kit"]),
    ("sim-peripherals", &["sim-kit"]),
    // `telemetry`, and what it is called with, for the simulated fleet alone: it is load, and judges nothing;
    // what judges the format is written in other languages.
    (
        "counter-sim",
        &[
            "device-api",
            "sim-broker",
            "sim-cards",
            "sim-kit",
            "sim-peripherals",
            "telemetry",
        ],
    ),
    ("harness", &["agent-api", "device-api", "trust"]),
    ("scenarios", &["*", "harness"]),
    ("bench", &["*", "harness", "scenarios"]),
    ("kernel", &["*"]),
    ("fuzz", &["*"]),
    ("tidy", &[]),
    ("xtask", &[]),
];

/// The crates that only tests may use, or nobody.
///
/// A vendor runs `conformance` as a program and copies `driver-template`, whose tests show the way; nothing
/// that ships depends on either.
const TESTS: [&str; 9] = [
    "bench",
    "conformance",
    "driver-template",
    "fuzz",
    "harness",
    "kernel",
    "scenarios",
    "tidy",
    "xtask",
];

/// Outside crates that only some of ours may ship with, and why.
const KEPT_TO: [(&str, &[&str], &str); 23] = [
    (
        "pcsc",
        &["smartcard", "scenarios", "bench"],
        "one crate touches the PC/SC library",
    ),
    ("rusb", &["link"], ONE_LINK),
    ("hidapi", &["link"], ONE_LINK),
    ("serialport", &["link"], ONE_LINK),
    (
        "evdev",
        &["scanner"],
        "one crate takes keyboards for itself",
    ),
    (
        "x11rb",
        &["keystroke"],
        "one crate types into the windows of others",
    ),
    (
        "lopdf",
        &["signature"],
        "it writes what our own reader has read; it reads no hostile file",
    ),
    (
        "hayro",
        &["tablet"],
        "one crate draws documents, in a process that may be killed",
    ),
    (
        "hidreport",
        &[],
        "it panics on malformed descriptors; tests compare with it",
    ),
    (
        "rsa",
        &["sim-cards", "counter-sim", "scenarios"],
        "its private-key operations leak timing",
    ),
    (
        "tokio",
        &[
            "agentd",
            "counter-sim",
            "bench",
            "monitor",
            "telemetry",
            "scenarios",
        ],
        "drivers and cores are synchronous",
    ),
    (
        "axum",
        &["agentd", "counter-sim"],
        "only daemons serve HTTP",
    ),
    (
        "tungstenite",
        &["harness", "scenarios", "bench"],
        "the product's WebSocket is axum's",
    ),
    (
        "ureq",
        &["harness", "scenarios", "bench"],
        "the product is no HTTP client",
    ),
    (
        "csv",
        &["handover"],
        "one crate writes files that other systems read",
    ),
    (
        "amqprs",
        &["monitor"],
        "only the monitor reads the queues of RabbitMQ",
    ),
    (
        "async-nats",
        &["monitor", "scenarios"],
        "only the monitor reads the stream of NATS, which tests set up",
    ),
    ("rumqttc-v4-next", &["monitor", "telemetry"], ONE_MQTT),
    ("rumqttc-v5-next", &["monitor", "telemetry"], ONE_MQTT),
    (
        "libc",
        &["agentd"],
        "rustix has the calls of the system, but for adjtimex(2)",
    ),
    ("rusqlite", &["monitor"], "one crate keeps a database"),
    ("rcgen", &["trust"], "one crate issues certificates"),
    ("x509-parser", &["trust"], "one crate reads certificates"),
];

const ONE_LINK: &str = "one crate opens USB, HID and serial devices";

const ONE_MQTT: &str = "everything else speaks MQTT through the trait `telemetry::link::Link`";

/// Complains about every edge that the tables do not allow.
#[must_use]
pub fn check(repository: &Repository) -> Vec<String> {
    let packages = repository.metadata.workspace_packages();
    let own: BTreeSet<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut complaints = table_fits(&own);
    for package in &packages {
        for dependency in &package.dependencies {
            let (from, to) = (package.name.as_str(), dependency.name.as_str());
            let ships = dependency.kind != DependencyKind::Development;
            if own.contains(to) {
                complaints.extend(inner(from, to));
            } else if ships {
                complaints.extend(outer(from, to));
            }
        }
    }
    complaints
}

fn table_fits(own: &BTreeSet<&str>) -> Vec<String> {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let unknown = own.iter().filter(|name| !table.contains_key(*name));
    let gone = table.keys().filter(|name| !own.contains(*name));
    unknown
        .map(|name| format!("crate {name} is not in the table of tests/tidy/src/edges.rs"))
        .chain(gone.map(|name| format!("the table of tests/tidy/src/edges.rs names {name}, gone")))
        .collect()
}

fn inner(from: &str, to: &str) -> Option<String> {
    let allowed = MAY_USE
        .iter()
        .find(|(name, _)| *name == from)
        .map_or(&[][..], |(_, uses)| uses);
    let any = allowed.contains(&"*") && !TESTS.contains(&to);
    (!any && !allowed.contains(&to)).then(|| format!("{from} must not use {to}"))
}

fn outer(from: &str, to: &str) -> Option<String> {
    let (_, keepers, why) = KEPT_TO.into_iter().find(|(name, _, _)| *name == to)?;
    (!keepers.contains(&from)).then(|| format!("{from} must not use {to}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_against_the_picture_is_refused() {
        for (from, to) in [
            ("sim-cards", "idcards"),
            ("idcards", "sim-cards"),
            ("agentd", "smartcard"),
            ("agentd", "idcards"),
            ("agent-core", "agent-api"),
            ("agentd", "handover"),
            ("device-api", "host-protocol"),
            ("document", "link"),
            ("driver-template", "device-api"),
            ("scanner", "smartcard"),
            ("sim-peripherals", "scanner"),
            ("agentd", "harness"),
            ("scenarios", "bench"),
        ] {
            assert!(inner(from, to).is_some(), "{from} -> {to}");
        }
        assert_eq!(inner("scenarios", "harness"), None);
        assert_eq!(inner("driver-host", "idcards"), None);
        assert_eq!(inner("printer", "link"), None);
        assert_eq!(inner("kernel", "link"), None);
    }

    #[test]
    fn an_outside_crate_stays_where_it_is_kept() {
        assert!(outer("agentd", "pcsc").is_some());
        assert!(outer("smartcard", "tokio").is_some());
        assert!(outer("scanner", "hidapi").is_some());
        assert!(outer("scanner", "hidreport").is_some());
        assert_eq!(outer("link", "hidapi"), None);
        assert_eq!(outer("smartcard", "pcsc"), None);
        assert_eq!(outer("agentd", "serde"), None);
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_named() {
        let own: BTreeSet<&str> = MAY_USE
            .iter()
            .map(|(name, _)| *name)
            .chain(["newcomer"])
            .collect();
        assert_eq!(table_fits(&own).len(), 1);
    }
}
