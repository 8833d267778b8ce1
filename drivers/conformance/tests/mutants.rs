//! A suite that passes everything proves nothing: for every mistake that it should see, a host that makes
//! it, and the requirement by which it is found.

#![expect(
    clippy::expect_used,
    reason = "a test fails where its material cannot be read"
)]

use std::path::Path;
use std::sync::Mutex;

use conformance::{FEEDER, REQUIREMENTS, Report, Seen, Subject, examine_only};

/// Each mistake of `wrong_host.py`, a requirement that it breaks, and the check in whose course that shows.
const MISTAKES: [(&str, &str, &str); 42] = [
    ("prints", "DH-001", "DH-037"),
    ("unknown_field", "DH-001", "DH-051"),
    ("takes_long_lines", "DH-002", ""),
    ("answers_garbage", "DH-003", ""),
    ("dies_of_garbage", "DH-003", ""),
    ("takes_unfinished_lines", "DH-004", ""),
    ("logs_what_was_scanned", "DH-005", "DH-073"),
    ("logs_bad_lines", "DH-005", "DH-003"),
    ("no_hello", "DH-010", ""),
    ("two_hellos", "DH-010", ""),
    ("another_version", "DH-011", ""),
    ("takes_any_version", "DH-012", ""),
    ("early_devices", "DH-013", ""),
    ("ends_on_second_welcome", "DH-014", ""),
    ("takes_any_settings", "DH-015", ""),
    ("job_before_welcome", "DH-016", ""),
    ("forgets_jobs_at_the_end", "DH-017", ""),
    ("ignores_the_end", "DH-018", ""),
    ("ends_with_another_code", "DH-018", ""),
    ("no_devices", "DH-021", ""),
    ("device_twice", "DH-021", "DH-030"),
    ("new_ids", "DH-022", ""),
    ("foreign_ids", "DH-023", ""),
    ("unknown_class", "DH-024", "DH-022"),
    ("progress_before_accepted", "DH-030", ""),
    ("two_finished", "DH-031", "DH-035"),
    ("forgets_jobs_at_the_end", "DH-031", "DH-017"),
    ("takes_any_device", "DH-032", ""),
    ("takes_any_task", "DH-033", ""),
    ("second_job_replaces_the_first", "DH-034", ""),
    ("ignores_cancel", "DH-035", ""),
    ("ignores_the_deadline", "DH-036", ""),
    ("answers_words_for_no_job", "DH-037", ""),
    ("invents_faults", "DH-038", "DH-032"),
    ("refuses_its_task", "DH-039", ""),
    ("busy_while_waiting", "DH-050", ""),
    ("rounds_numbers", "DH-051", ""),
    ("items_count_on", "DH-070", "DH-074"),
    ("items_before_received", "DH-071", ""),
    ("keeps_strays", "DH-072", ""),
    ("counts_wrong", "DH-073", ""),
    ("serves_once", "DH-074", ""),
];
/// How many are tried at once; most of the time they wait.
const AT_ONCE: usize = 14;

fn report_on(mistake: &str, only: &[&str]) -> Report {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong_host.py");
    let script = script.to_str().expect("the path is Unicode").to_owned();
    let mut subject = Subject::new("python3", vec![script, mistake.to_owned()]);
    subject.settings = Some(serde_json::json!({"address": FEEDER, "name": "front"}));
    subject.name = Some("driver-template".to_owned());
    examine_only(&subject, only)
}

#[test]
fn every_mistake_is_found_by_the_requirement_that_forbids_it() {
    let missed = Mutex::new(Vec::new());
    for group in MISTAKES.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            for (mistake, requirement, course) in group {
                let missed = &missed;
                scope.spawn(move || {
                    let report = report_on(mistake, &[requirement, course]);
                    if !report.failed().contains(requirement) {
                        let text = format!("{mistake}\n{}", report.text());
                        missed.lock().expect("nobody panics with it").push(text);
                    }
                });
            }
        });
    }
    let missed = missed.into_inner().expect("nobody panicked with it");
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_host_without_a_mistake_passes_what_the_mistakes_break() {
    let report = report_on("none", &MISTAKES.map(|(_, requirement, _)| requirement));
    assert!(report.failed().is_empty(), "{}", report.text());
}

/// DH-080 needs a host with documents; no template has one.
#[test]
fn every_requirement_that_is_examined_has_a_mistake() {
    for requirement in REQUIREMENTS {
        let broken = MISTAKES.iter().any(|(_, id, _)| *id == requirement.id);
        let examined = requirement.seen == Seen::FromOutside && requirement.id != "DH-080";
        assert_eq!(broken, examined, "{}", requirement.id);
    }
}
