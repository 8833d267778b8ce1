//! The program `driver-conformance`: its exit codes and its report for programs.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::path::Path;
use std::process::{Command, Output};

const SETTINGS: &str = r#"{"address": "$FEEDER", "name": "front"}"#;

fn examine(mistake: &str, more: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let settings = folder.join(format!("{mistake}.json"));
    std::fs::write(&settings, SETTINGS).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong_host.py");
    Command::new(env!("CARGO_BIN_EXE_driver-conformance"))
        .args(["--settings", settings.to_str().unwrap()])
        .args(more)
        .args(["--", "python3", script.to_str().unwrap(), mistake])
        .output()
        .unwrap()
}

#[test]
fn a_broken_requirement_is_told_and_ends_with_one() {
    let output = examine("two_hellos", &["--only", "DH-010"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("DH-010  FAILED"), "{text}");
    assert!(text.contains("0 passed, 1 failed"), "{text}");
}

#[test]
fn a_host_that_breaks_nothing_ends_with_zero_and_can_be_told_as_json() {
    let output = examine("none", &["--only", "DH-071", "--only", "DH-080", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings[0]["requirement"], "DH-071");
    assert_eq!(findings[0]["verdict"], "passed");
    assert_eq!(findings[1]["verdict"], "notApplicable");
    assert_eq!(findings[1]["why"], "no attachment was sent");
}

#[test]
fn a_program_that_cannot_be_started_breaks_what_it_is_asked_for() {
    let output = Command::new(env!("CARGO_BIN_EXE_driver-conformance"))
        .args(["--only", "DH-010", "--", "/nonexistent/host"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn arguments_that_make_no_sense_end_with_two() {
    let program = env!("CARGO_BIN_EXE_driver-conformance");
    for arguments in [
        &["--only", "DH-010"][..],
        &["--settings", "/nonexistent.json", "--", "/bin/cat"],
        &["--only", "DH-999", "--", "/bin/cat"],
    ] {
        let output = Command::new(program).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
