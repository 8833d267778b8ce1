//! The shipped host of code scanners keeps the protocol that vendors are held to; so do the page and the
//! table of requirements.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;

use conformance::{FEEDER, REQUIREMENTS, Subject, examine};

const SPECIFICATION: &str = include_str!("../../../docs/protocol/driver-host.md");

/// Every family, without a device: what is left are lines, the life of the host, and refusals.
const FAMILIES: [&str; 8] = [
    "pcsc",
    "scanner",
    "ticket-printer",
    "page-printer",
    "document-scanner",
    "tablet",
    "keyboard",
    "handover",
];

fn shipped(family: &str) -> Subject {
    // Built beforehand: cargo build --package driver-host. Tests stand in a folder below the programs.
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(std::path::Path::parent);
    let program = folder.unwrap().join("driver-host");
    assert!(program.is_file(), "cargo build --package driver-host");
    Subject::new(program, vec![family.to_owned()])
}

#[test]
fn the_shipped_host_of_scanners_keeps_the_protocol() {
    let mut subject = shipped("scanner");
    subject.class = Some("codeScanner".to_owned());
    subject.settings = Some(serde_json::json!({"scanners": [{
        "name": "front", "connection": {"tcp": FEEDER}, "suffix": "cr_lf", "aim": false,
    }]}));
    let report = examine(&subject);
    assert!(report.failed().is_empty(), "{}", report.text());
    // No name, because it is no vendor's; no documents.
    assert_eq!(report.passed().len() + 2, report.findings.len());
}

#[test]
fn every_shipped_family_keeps_the_protocol_without_devices() {
    std::thread::scope(|scope| {
        for family in FAMILIES {
            scope.spawn(move || {
                let mut subject = shipped(family);
                // A reader that happens to be here is left alone.
                subject.class = Some("none".to_owned());
                subject.settings = (family != "pcsc").then(|| serde_json::json!({}));
                let report = examine(&subject);
                assert!(report.failed().is_empty(), "{}", report.text());
                assert!(report.passed().len() >= 17, "{}", report.text());
            });
        }
    });
}

#[test]
fn the_page_and_the_table_have_the_same_requirements() {
    let of_page: BTreeSet<&str> = SPECIFICATION
        .lines()
        .filter_map(|line| line.strip_prefix("- **DH-"))
        .filter_map(|rest| rest.split_once("**"))
        .map(|(number, _)| number)
        .collect();
    let of_table: BTreeSet<&str> = REQUIREMENTS
        .iter()
        .filter_map(|requirement| requirement.id.strip_prefix("DH-"))
        .collect();
    assert_eq!(of_page, of_table);
}
