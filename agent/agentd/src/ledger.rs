//! The audit log, as the recorder writes it and the command line verifies it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent_core::effect::{AuditEnd, AuditEntry, AuditOrder, AuditStage};
use agent_core::task::{Credential, Field, Verdict};
use audit::{AuditLog, Entry, HeadSigner, JobOutcome, JobRecord, Limits, StartRecord};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commands::step::AuditRecord;
use device_api::FaultCode;
use ring::signature::Ed25519KeyPair;
use thiserror::Error;

use crate::platform;
use crate::recorder::{Ledger, LedgerFailure};

mod order;

/// The folder of the audit log in the state folder.
const AUDIT_DIR: &str = "audit";

/// The audit log of a running agent.
#[derive(Debug)]
pub struct AuditLedger(AuditLog);

/// The audit log cannot be used.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// Its folder cannot be made.
    #[error("cannot make {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be opened for writing.
    #[error("the log in {path} was not opened")]
    Open {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: audit::OpenError,
    },
    /// It cannot be read.
    #[error("the log in {path} was not verified")]
    Verify {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: audit::VerifyError,
    },
    /// The key is no Ed25519 public key.
    #[error("a public key is 32 bytes as base64url without padding")]
    Key,
}

impl AuditLedger {
    /// Opens the log in the state folder, or begins one.
    ///
    /// # Errors
    /// See [`LedgerError`]. A log that was tampered with is not written on.
    pub fn open(
        state_dir: &Path,
        key: Arc<Ed25519KeyPair>,
        unix_millis: u64,
    ) -> Result<Self, LedgerError> {
        let path = state_dir.join(AUDIT_DIR);
        platform::make_private_dir(&path).map_err(|source| LedgerError::Folder {
            path: path.clone(),
            source,
        })?;
        let signer = Box::new(AgentKey(key));
        let opened = AuditLog::open(&path, signer, Limits::default(), unix_millis)
            .map_err(|source| LedgerError::Open { path, source })?;
        for recovery in &opened.recoveries {
            tracing::warn!(?recovery, "the audit log was put right after a crash");
        }
        Ok(Self(opened.log))
    }
}

impl Ledger for AuditLedger {
    fn append(&mut self, entry: &AuditEntry, unix_millis: u64) -> Result<(), LedgerFailure> {
        let receipt = self.0.append(&written(entry), unix_millis)?;
        tracing::debug!(seq = receipt.seq, job = %entry.job, "recorded");
        Ok(())
    }

    fn note(&mut self, record: &AuditRecord, unix_millis: u64) -> Result<(), LedgerFailure> {
        self.0.append(&order::noted(record), unix_millis)?;
        Ok(())
    }

    fn settle(&mut self) -> Result<(), LedgerFailure> {
        Ok(self.0.settle()?)
    }
}

/// The agent's key, which other parts of the agent use too.
#[derive(Debug)]
struct AgentKey(Arc<Ed25519KeyPair>);

impl HeadSigner for AgentKey {
    fn public_key(&self) -> [u8; 32] {
        HeadSigner::public_key(&*self.0)
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        HeadSigner::sign(&*self.0, message)
    }
}

/// An entry as the log keeps it.
fn written(entry: &AuditEntry) -> Entry {
    let job = entry.job.as_str().to_owned();
    match &entry.stage {
        AuditStage::Started(order) => Entry::Started(Box::new(start(job, order))),
        AuditStage::Ended(order, end) => Entry::Job(Box::new(record(start(job, order), end))),
        AuditStage::Withheld => Entry::Withheld { job },
    }
}

fn start(job: String, order: &AuditOrder) -> StartRecord {
    let field = |field: &Field| match field {
        Field::FourAttributes => "fourAttributes".to_owned(),
        Field::IndividualNumber => "individualNumber".to_owned(),
    };
    let credential = |credential: Credential| match credential {
        Credential::PinOnScreen { shuffled: false } => "pinOnScreen",
        Credential::PinOnScreen { shuffled: true } => "pinOnScreenShuffled",
        Credential::PinByApi => "pinByApi",
        Credential::PinOnDevice => "pinOnDevice",
        Credential::VerificationNumberB => "verificationNumberB",
    };
    StartRecord {
        job,
        staff: order.staff.clone(),
        origin: order.origin.as_str().to_owned(),
        counter: order.counter.clone(),
        device: order.device.as_str().to_owned(),
        purpose: order.purpose.clone(),
        operation: order.operation.to_owned(),
        subject: order.subject.clone(),
        fields: order.fields.iter().map(field).collect(),
        credential: order.credential.map(|used| credential(used).to_owned()),
    }
}

/// The record of an end says all that the record of the start said: each is read on its own.
fn record(start: StartRecord, end: &AuditEnd) -> JobRecord {
    let verdict = |verdict: Verdict| match verdict {
        Verdict::Genuine => "genuine",
        Verdict::NotVerified => "notVerified",
        Verdict::Forged => "forged",
    };
    JobRecord {
        job: start.job,
        staff: start.staff,
        origin: start.origin,
        counter: start.counter,
        device: start.device,
        purpose: start.purpose,
        operation: start.operation,
        subject: start.subject,
        fields: start.fields,
        credential: start.credential,
        outcome: outcome(end.fault.map(|fault| fault.code)),
        code: end.fault.map(|fault| fault.code.as_str().to_owned()),
        tries_left: end.fault.and_then(|fault| fault.tries_left),
        verdict: end.verdict.map(|found| verdict(found).to_owned()),
        last_try_allowed_by: end.last_try_allowed_by.clone(),
        secrets_used: end.secrets_used,
        items: end.items,
        evidence: end.evidence.map(hex::encode),
    }
}

fn outcome(fault: Option<FaultCode>) -> JobOutcome {
    match fault {
        None => JobOutcome::Succeeded,
        Some(FaultCode::JobCancelled) => JobOutcome::Cancelled,
        Some(_) => JobOutcome::Failed,
    }
}

/// What a verification found, for people.
#[derive(Debug)]
pub struct Verification {
    /// Whether nothing is wrong.
    pub sound: bool,
    /// What was found.
    pub text: String,
}

/// Verifies a log, against a public key (base64url) where one is given.
///
/// # Errors
/// The files cannot be read; what they say is never an error.
pub fn verify(dir: &Path, public_key: Option<&str>) -> Result<Verification, LedgerError> {
    let key = public_key.map(decode_key).transpose()?;
    let report = audit::verify(dir, key.as_ref()).map_err(|source| LedgerError::Verify {
        path: dir.to_owned(),
        source,
    })?;
    let mut text = String::new();
    let span = match (&report.first_time, &report.last_time) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    // Writing to a String cannot fail.
    let _written = writeln!(
        text,
        "proved: {} records in {} segments{span}",
        report.records, report.segments
    );
    if let Some(key) = &report.key {
        let how = if public_key.is_some() {
            "as named"
        } else {
            "compare it with the agent's"
        };
        let _written = writeln!(text, "key: {key} ({how})");
    }
    if report.unnamed > 0 || report.torn_bytes > 0 {
        let _written = writeln!(
            text,
            "at the end: {} records that no head names yet, {} bytes of a half-written line",
            report.unnamed, report.torn_bytes
        );
    }
    text.push_str(&unfinished(&report));
    let verdict = match &report.finding {
        None => "the log is sound".to_owned(),
        Some(finding) => format!("the log is DAMAGED: {}", describe(finding)),
    };
    text.push_str(&verdict);
    Ok(Verification {
        sound: report.finding.is_none(),
        text,
    })
}

/// The jobs whose end no record tells.
fn unfinished(report: &audit::Report) -> String {
    let mut text = String::new();
    if !report.unfinished.is_empty() {
        let starts: Vec<String> = report.unfinished.iter().map(u64::to_string).collect();
        // Writing to a String cannot fail.
        let _written = writeln!(
            text,
            "begun and not ended: the jobs of records {}, which run now or were cut short",
            starts.join(", ")
        );
    }
    if report.unknown > 0 {
        let _written = writeln!(
            text,
            "end unknown: {} jobs in whose middle the agent ended; each may have spent a PIN try",
            report.unknown
        );
    }
    text
}

fn decode_key(text: &str) -> Result<[u8; 32], LedgerError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    bytes.try_into().map_err(|_bytes| LedgerError::Key)
}

fn describe(finding: &audit::Finding) -> String {
    use audit::Defect;

    let what = match &finding.defect {
        Defect::Changed { seq } => format!("record {seq} was changed"),
        Defect::Missing { from, to } => format!("records {from} to {to} are missing"),
        Defect::Reordered { seq } => format!("record {seq} stands in the wrong place"),
        Defect::Repeated { seq } => format!("record {seq} stands there twice"),
        Defect::Rewritten => "the records are not those that the agent signed".to_owned(),
        Defect::HeadMissing => "there is no head".to_owned(),
        Defect::HeadDamaged { slot } => format!("head-{slot}.json is damaged"),
        Defect::ForeignKey => "the head is signed by another key".to_owned(),
        Defect::NotSigned { from } => format!("records from {from} on were added without the key"),
        Defect::Newer { format } => format!("it has format {format}, newer than this program"),
    };
    match &finding.place {
        Some(place) => format!("{what} ({}, line {})", place.segment, place.line),
        None => what,
    }
}

#[cfg(test)]
mod tests;
