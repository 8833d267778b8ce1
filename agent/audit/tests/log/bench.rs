//! A log in a directory of its own, with a key that is always the same.

use std::fs;
use std::path::{Path, PathBuf};

use audit::{
    AuditLog, Entry, HeadSigner, JobOutcome, JobRecord, Limits, OpenError, Opened, StartRecord,
};
use ring::signature::Ed25519KeyPair;
use tempfile::TempDir;

/// 2026-11-21T10:42:14.000Z.
pub(crate) const NOW: u64 = 1_795_257_734_000;

/// A directory that is removed at the end.
#[derive(Debug)]
pub(crate) struct Bench {
    directory: TempDir,
    pub(crate) limits: Limits,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            limits: Limits::default(),
        }
    }

    /// A log of so many records, all on the disk.
    pub(crate) fn with_records(count: u64) -> Self {
        let bench = Self::new();
        bench.append(count);
        bench
    }

    /// The same with a new segment every few records.
    pub(crate) fn with_segments(count: u64) -> Self {
        let bench = Self {
            limits: Limits {
                segment_bytes: 1200,
            },
            ..Self::new()
        };
        bench.append(count);
        assert!(bench.segments().len() > 2);
        bench
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn try_open(&self) -> Result<Opened, OpenError> {
        AuditLog::open(self.path(), Box::new(key()), self.limits, NOW)
    }

    pub(crate) fn open(&self) -> Opened {
        self.try_open().unwrap()
    }

    pub(crate) fn append(&self, count: u64) {
        let mut log = self.open().log;
        for _ in 0..count {
            let number = log.last() + 1;
            log.append(&record(number), NOW + number * 1000).unwrap();
        }
        log.settle().unwrap();
    }

    /// The paths of all segments in their order.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut segments: Vec<_> = all
            .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
            .collect();
        segments.sort();
        segments
    }

    pub(crate) fn head(&self, slot: u64) -> PathBuf {
        self.path().join(format!("head-{slot}.json"))
    }

    /// The only segment's lines, each with its newline.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        let bytes = fs::read(&self.segments()[0]).unwrap();
        bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    }

    pub(crate) fn write_lines(&self, lines: &[Vec<u8>]) {
        fs::write(&self.segments()[0], lines.concat()).unwrap();
    }
}

pub(crate) fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

pub(crate) fn foreign_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap()
}

pub(crate) fn public_key() -> [u8; 32] {
    HeadSigner::public_key(&key())
}

/// The start of the job whose end [`record`] gives.
pub(crate) fn start(number: u64) -> Entry {
    Entry::Started(Box::new(StartRecord {
        job: format!("{number:032x}"),
        staff: "s-1".into(),
        origin: "https://madoguchi.city.example.jp".into(),
        counter: "3".into(),
        device: "pcsc:Virtual PCD 00 00".into(),
        purpose: "住民票の写しの交付".into(),
        operation: "readMyNumberCard".into(),
        subject: None,
        fields: vec!["fourAttributes".into()],
        credential: Some("pinOnScreen".into()),
    }))
}

pub(crate) fn record(number: u64) -> Entry {
    Entry::Job(Box::new(JobRecord {
        job: format!("{number:032x}"),
        staff: "s-1".into(),
        origin: "https://madoguchi.city.example.jp".into(),
        counter: "3".into(),
        device: "pcsc:Virtual PCD 00 00".into(),
        purpose: "住民票の写しの交付".into(),
        operation: "readMyNumberCard".into(),
        subject: None,
        fields: vec!["fourAttributes".into()],
        credential: Some("pinOnScreen".into()),
        outcome: JobOutcome::Succeeded,
        code: None,
        tries_left: None,
        verdict: Some("genuine".into()),
        last_try_allowed_by: None,
        secrets_used: 1,
        items: 0,
        evidence: None,
    }))
}
