//! What the log tells after an agent was killed in the middle of a job.

use std::path::Path;
use std::sync::Arc;

use agent_core::effect::{AuditEnd, AuditEntry, AuditOrder, AuditStage};
use agent_core::ids::{JobId, Origin};
use agent_core::task::{Credential, Field};
use device_api::DeviceId;
use ring::signature::Ed25519KeyPair;

use super::{AuditLedger, verify};
use crate::recorder::Ledger as _;

/// 2026-11-21T10:42:14.000Z.
const NOW: u64 = 1_795_257_734_000;

fn open(state: &Path) -> AuditLedger {
    let key = Arc::new(Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap());
    AuditLedger::open(state, key, NOW).unwrap()
}

fn order() -> AuditOrder {
    AuditOrder {
        staff: "staff-7".to_owned(),
        origin: Origin::new("https://a.test"),
        counter: "3".to_owned(),
        device: DeviceId::new("pcsc:Reader 0"),
        purpose: "住民票の写しの交付".to_owned(),
        operation: "readMyNumberCard",
        subject: None,
        fields: vec![Field::IndividualNumber],
        credential: Some(Credential::PinOnScreen { shuffled: false }),
    }
}

fn append(ledger: &mut AuditLedger, job: &str, stage: AuditStage) {
    let job = JobId::new(job);
    ledger.append(&AuditEntry { job, stage }, NOW).unwrap();
}

fn said(state: &Path) -> String {
    let verified = verify(&state.join("audit"), None).unwrap();
    assert!(verified.sound, "{}", verified.text);
    verified.text
}

#[test]
fn a_job_that_a_killed_agent_left_names_its_clerk_and_is_closed_as_unknown() {
    let state = tempfile::tempdir().unwrap();
    let mut ledger = open(state.path());
    append(&mut ledger, "job-1", AuditStage::Started(order()));
    // No settling and no end: as a kill leaves it.
    drop(ledger);
    let text = said(state.path());
    assert!(
        text.contains("begun and not ended: the jobs of records 1,"),
        "{text}"
    );
    let log = state.path().join("audit/segment-0000000000000001.jsonl");
    let line = std::fs::read_to_string(&log).unwrap();
    for part in [
        "started",
        "job-1",
        "staff-7",
        "individualNumber",
        "pinOnScreen",
    ] {
        assert!(line.contains(&format!("\"{part}\"")), "{part}: {line}");
    }

    drop(open(state.path()));
    let text = said(state.path());
    assert!(!text.contains("not ended"), "{text}");
    assert!(text.contains("end unknown: 1 jobs"), "{text}");
}

#[test]
fn a_job_that_ended_is_told_as_neither_running_nor_unknown() {
    let state = tempfile::tempdir().unwrap();
    let mut ledger = open(state.path());
    let end = AuditEnd {
        fault: None,
        verdict: None,
        last_try_allowed_by: None,
        secrets_used: 1,
        items: 0,
        evidence: None,
    };
    append(&mut ledger, "job-1", AuditStage::Started(order()));
    append(&mut ledger, "job-1", AuditStage::Ended(order(), end));
    append(&mut ledger, "job-1", AuditStage::Withheld);
    drop(ledger);
    drop(open(state.path()));
    let text = said(state.path());
    assert!(text.starts_with("proved: 3 records"), "{text}");
    assert!(
        !text.contains("unknown") && !text.contains("not ended"),
        "{text}"
    );
}
