//! Disks that are full or broken, at the moment when a line is written.

use std::fs::File;
use std::io;
use std::path::Path;

use ring::signature::Ed25519KeyPair;

use super::{AppendError, AuditLog, Limits};
use crate::record::Entry;
use crate::segment::{Appendable, list};
use crate::verify;

/// A segment on a disk that fails as told, each time once.
#[derive(Debug)]
struct Failing {
    file: File,
    put: Option<usize>,
    sync: bool,
    shorten: bool,
}

impl Appendable for Failing {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.put.take() {
            Some(room) => {
                self.file.put(&bytes[..room.min(bytes.len())])?;
                Err(io::ErrorKind::StorageFull.into())
            }
            None => self.file.put(bytes),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.sync) {
            return Err(io::Error::other("the disk is broken"));
        }
        self.file.sync()
    }

    fn shorten(&mut self, length: u64) -> io::Result<()> {
        if std::mem::take(&mut self.shorten) {
            return Err(io::Error::other("the disk is broken"));
        }
        self.file.shorten(length)
    }
}

fn open(directory: &Path) -> AuditLog {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    AuditLog::open(directory, Box::new(key), Limits::default(), 0)
        .unwrap()
        .log
}

fn entry() -> Entry {
    Entry::SignedLate { record: 1 }
}

/// A log of two records on such a disk.
fn failing(directory: &Path, put: Option<usize>, (sync, shorten): (bool, bool)) -> AuditLog {
    let mut log = open(directory);
    for _ in 0..2 {
        log.append(&entry(), 0).unwrap();
    }
    let file = list(directory).unwrap().pop().unwrap().open().unwrap();
    log.segment = Some(Box::new(Failing {
        file,
        put,
        sync,
        shorten,
    }));
    log
}

fn check(directory: &Path, records: u64) {
    let report = verify(directory, None).unwrap();
    assert_eq!(
        (report.finding, report.records, report.torn_bytes),
        (None, records, 0)
    );
}

#[test]
fn a_full_disk_is_reported_and_leaves_nothing_half_written() {
    for room in [0, 1, 50, 10_000] {
        let directory = tempfile::tempdir().unwrap();
        let mut log = failing(directory.path(), Some(room), (false, false));
        let refused = log.append(&entry(), 0).unwrap_err();
        assert!(matches!(
            refused,
            AppendError::Io {
                doing: "write the line",
                ..
            }
        ));
        check(directory.path(), 2);
        assert_eq!(log.append(&entry(), 0).unwrap().seq, 3);
        check(directory.path(), 3);
        drop(log);
        assert_eq!(open(directory.path()).last(), 3);
    }
}

#[test]
fn a_line_that_cannot_be_synced_is_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = failing(directory.path(), None, (true, false));
    assert!(matches!(
        log.append(&entry(), 0),
        Err(AppendError::Io {
            doing: "sync the line",
            ..
        })
    ));
    check(directory.path(), 2);
    log.append(&entry(), 0).unwrap();
    check(directory.path(), 3);
}

#[test]
fn what_could_not_be_taken_back_is_taken_back_before_the_next_record() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = failing(directory.path(), Some(50), (false, true));
    log.append(&entry(), 0).unwrap_err();
    let left = verify(directory.path(), None).unwrap();
    assert_eq!((left.finding, left.torn_bytes), (None, 50));
    log.append(&entry(), 0).unwrap();
    check(directory.path(), 3);
}

#[test]
fn an_agent_that_dies_with_half_a_line_written_recovers_it_at_its_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = failing(directory.path(), Some(50), (false, true));
    log.append(&entry(), 0).unwrap_err();
    drop(log);
    assert_eq!(open(directory.path()).last(), 3);
    check(directory.path(), 3);
}

#[test]
fn a_head_that_cannot_be_written_takes_its_record_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut log = open(directory.path());
    log.append(&entry(), 0).unwrap();
    // A directory in the head's place: even the superuser cannot write it.
    let slot = directory.path().join("head-0.json");
    let kept = std::fs::read(&slot).unwrap();
    std::fs::remove_file(&slot).unwrap();
    std::fs::create_dir(&slot).unwrap();
    assert!(matches!(
        log.append(&entry(), 0),
        Err(AppendError::Io {
            doing: "write the head",
            ..
        })
    ));
    std::fs::remove_dir(&slot).unwrap();
    std::fs::write(&slot, kept).unwrap();
    check(directory.path(), 1);
    log.append(&entry(), 0).unwrap();
    check(directory.path(), 2);
}
