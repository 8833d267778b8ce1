//! Both templates keep every requirement that can be seen from outside. Copy this test with the template.

use std::path::Path;

use conformance::{FEEDER, Report, Subject, examine};

/// What only hosts that send or take documents can break.
const OF_DOCUMENTS: [&str; 1] = ["DH-080"];

fn examined(program: &str, args: Vec<String>) -> Report {
    let mut subject = Subject::new(program, args);
    subject.settings = Some(serde_json::json!({"address": FEEDER, "name": "front"}));
    subject.name = Some("driver-template".to_owned());
    examine(&subject)
}

fn demand_all(report: &Report) {
    assert!(report.failed().is_empty(), "{}", report.text());
    let tried = report.passed().len() + OF_DOCUMENTS.len();
    assert_eq!(tried, report.findings.len(), "{}", report.text());
}

#[test]
fn the_rust_template_keeps_the_protocol() {
    demand_all(&examined(env!("CARGO_BIN_EXE_driver-template"), Vec::new()));
}

#[test]
fn the_python_template_keeps_the_protocol() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/driver_template.py");
    let script = script.to_str().expect("the path is Unicode").to_owned();
    demand_all(&examined("python3", vec![script]));
}
