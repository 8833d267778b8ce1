//! Opening after crashes, after tampering, and by the wrong one.

use std::fs::{self, OpenOptions};
use std::io::Write;

use audit::{AppendError, Entry, OpenError, Recovery, verify};

use crate::bench::{Bench, NOW, foreign_key, public_key, record};

fn check(bench: &Bench, records: u64) {
    let report = verify(bench.path(), Some(&public_key())).unwrap();
    assert_eq!(
        (report.finding, report.records, report.unnamed),
        (None, records, 0)
    );
}

fn put_at_end(bench: &Bench, bytes: &[u8]) {
    let last = bench.segments().pop().unwrap();
    OpenOptions::new()
        .append(true)
        .open(last)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

/// The bytes of the line that would come next.
fn next_line(bench: &Bench) -> Vec<u8> {
    let heads = [0, 1].map(|slot| fs::read(bench.head(slot)).unwrap());
    let segment = bench.segments().pop().unwrap();
    let before = fs::read(&segment).unwrap();
    bench.append(1);
    let after = fs::read(&segment).unwrap();
    fs::write(&segment, &before).unwrap();
    for (slot, head) in (0..).zip(heads) {
        fs::write(bench.head(slot), head).unwrap();
    }
    after[before.len()..].to_vec()
}

#[test]
fn a_log_goes_on_where_it_ended_across_segments() {
    let bench = Bench::with_segments(5);
    for _ in 0..4 {
        bench.append(2);
    }
    check(&bench, 13);
    let mut log = bench.open().log;
    let receipt = log.append(&record(14), NOW).unwrap();
    assert_eq!((receipt.seq, log.last()), (14, 14));
    let last = fs::read(bench.segments().pop().unwrap()).unwrap();
    let line = last.split(|byte| *byte == b'\n').rev().nth(1).unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, line);
    assert_eq!(receipt.hash, hex::encode(hash.as_ref()));
}

#[test]
fn a_line_torn_at_any_byte_is_moved_aside_and_that_is_recorded() {
    let bench = Bench::with_records(2);
    let line = next_line(&bench);
    let segment = bench.segments().pop().unwrap();
    let good = fs::read(&segment).unwrap();
    let heads = [0, 1].map(|slot| fs::read(bench.head(slot)).unwrap());
    for length in 1..line.len() {
        fs::write(&segment, &good).unwrap();
        for (slot, head) in (0..).zip(&heads) {
            fs::write(bench.head(slot), head).unwrap();
        }
        put_at_end(&bench, &line[..length]);
        let opened = bench.open();
        let [Recovery::TornLine { bytes, kept_as }] = &opened.recoveries[..] else {
            panic!("{:?}", opened.recoveries)
        };
        assert_eq!(*bytes, length as u64);
        assert_eq!(
            fs::read(bench.path().join(kept_as)).unwrap(),
            line[..length]
        );
        drop(opened);
        check(&bench, 3);
        let text = fs::read_to_string(&segment).unwrap();
        assert!(
            text.lines()
                .last()
                .unwrap()
                .contains("\"kind\":\"recovered\"")
        );
        assert!(bench.open().recoveries.is_empty());
    }
}

#[test]
fn a_line_whose_beginning_never_reached_the_disk_counts_as_torn() {
    let bench = Bench::with_records(2);
    let mut line = next_line(&bench);
    let half = line.len() / 2;
    line[..half].fill(0);
    put_at_end(&bench, &line);
    assert!(matches!(
        &bench.open().recoveries[..],
        [Recovery::TornLine { .. }]
    ));
    check(&bench, 3);
}

#[test]
fn a_power_loss_between_the_line_and_its_head_loses_no_record() {
    for records in [0, 1, 2, 5] {
        let bench = Bench::with_records(records);
        let heads = [0, 1].map(|slot| fs::read(bench.head(slot)).unwrap());
        bench.append(1);
        for (slot, head) in (0..).zip(&heads) {
            fs::write(bench.head(slot), head).unwrap();
        }
        let report = verify(bench.path(), Some(&public_key())).unwrap();
        assert_eq!((report.finding, report.unnamed), (None, 1));
        let opened = bench.open();
        assert_eq!(
            opened.recoveries,
            [Recovery::HeadBehind {
                record: records + 1
            }]
        );
        drop(opened);
        check(&bench, records + 2);
    }
}

#[test]
fn a_head_torn_at_any_byte_is_put_right() {
    let bench = Bench::with_records(3);
    let newest = fs::read(bench.head(1)).unwrap();
    for length in 0..newest.len() {
        fs::write(bench.head(1), &newest[..length]).unwrap();
        let opened = bench.open();
        assert!(!opened.recoveries.is_empty() || opened.log.last() > 3);
        drop(opened);
        let report = verify(bench.path(), Some(&public_key())).unwrap();
        assert_eq!(report.finding, None);
        // Back to where only record 3 waits for its head.
        let lines = bench.lines();
        bench.write_lines(&lines[..3]);
        fs::write(bench.head(0), head_of_two(&bench, &lines)).unwrap();
    }
}

/// The head of the first two records, signed afresh.
fn head_of_two(bench: &Bench, lines: &[Vec<u8>]) -> Vec<u8> {
    let other = Bench::with_records(2);
    assert_eq!(
        other.lines(),
        lines[..2],
        "the same records make the same lines"
    );
    assert_ne!(other.path(), bench.path());
    fs::read(other.head(0)).unwrap()
}

#[test]
fn a_begun_log_without_a_record_opens_again() {
    let bench = Bench::with_records(0);
    check(&bench, 0);
    fs::remove_file(bench.head(1)).unwrap();
    fs::write(bench.head(0), b"{\"form").unwrap();
    assert!(bench.open().recoveries.is_empty());
    check(&bench, 0);
}

#[test]
fn a_segment_that_was_begun_and_got_no_line_is_used() {
    let bench = Bench::with_segments(6);
    fs::write(bench.path().join("segment-0000000000000007.jsonl"), b"").unwrap();
    bench.append(1);
    check(&bench, 7);
}

#[test]
fn a_log_that_was_shortened_is_not_written_on() {
    let bench = Bench::with_records(4);
    let lines = bench.lines();
    bench.write_lines(&lines[..3]);
    let refused = bench.try_open().unwrap_err();
    assert!(
        matches!(refused, OpenError::RecordsMissing { head: 4, found: 3 }),
        "{refused:?}"
    );
    let mut torn = lines.clone();
    torn[3].pop();
    bench.write_lines(&torn);
    assert!(matches!(
        bench.try_open(),
        Err(OpenError::RecordsMissing { .. })
    ));
    fs::remove_file(&bench.segments()[0]).unwrap();
    assert!(matches!(
        bench.try_open(),
        Err(OpenError::RecordsMissing { head: 4, found: 0 })
    ));
}

#[test]
fn a_log_whose_end_was_changed_is_not_written_on() {
    let bench = Bench::with_records(4);
    let mut lines = bench.lines();
    let text = String::from_utf8(lines[3].clone())
        .unwrap()
        .replace("s-1", "s-2");
    lines[3] = text.into_bytes();
    bench.write_lines(&lines);
    assert!(matches!(
        bench.try_open(),
        Err(OpenError::Changed { seq: 4 })
    ));
}

#[test]
fn records_that_somebody_added_are_not_signed() {
    let bench = Bench::with_records(4);
    let heads = [0, 1].map(|slot| fs::read(bench.head(slot)).unwrap());
    bench.append(2);
    for (slot, head) in (0..).zip(heads) {
        fs::write(bench.head(slot), head).unwrap();
    }
    assert!(matches!(
        bench.try_open(),
        Err(OpenError::Changed { seq: 4 })
    ));
}

#[test]
fn a_log_without_heads_or_with_a_foreign_head_is_not_written_on() {
    let bench = Bench::with_records(2);
    for slot in [0, 1] {
        fs::remove_file(bench.head(slot)).unwrap();
    }
    assert!(matches!(bench.try_open(), Err(OpenError::HeadMissing)));

    let bench = Bench::with_records(2);
    let opened = audit::AuditLog::open(bench.path(), Box::new(foreign_key()), bench.limits, NOW);
    assert!(matches!(opened, Err(OpenError::ForeignHead)));
    check(&bench, 2);
}

#[test]
fn a_log_of_newer_software_is_not_written_on() {
    let bench = Bench::with_records(2);
    put_at_end(&bench, b"{\"format\":2}\n");
    assert!(matches!(
        bench.try_open(),
        Err(OpenError::Newer { format: 2 })
    ));
    let bench = Bench::with_records(2);
    fs::write(bench.head(0), b"{\"format\":7,\"other\":1}").unwrap();
    assert!(matches!(
        bench.try_open(),
        Err(OpenError::Newer { format: 7 })
    ));
}

#[test]
fn two_processes_cannot_write_one_log() {
    let bench = Bench::with_records(1);
    let held = bench.open();
    assert!(matches!(bench.try_open(), Err(OpenError::Busy)));
    drop(held);
    bench.append(1);
}

#[test]
fn a_record_that_is_too_long_is_refused_and_leaves_nothing() {
    let bench = Bench::with_records(1);
    let mut log = bench.open().log;
    let entry = Entry::Recovered {
        torn_bytes: 0,
        torn_sha256: String::new(),
        kept_as: "x".repeat(20_000),
    };
    assert!(matches!(log.append(&entry, NOW), Err(AppendError::TooLong)));
    log.append(&record(2), NOW).unwrap();
    drop(log);
    check(&bench, 2);
}

#[cfg(unix)]
#[test]
fn nobody_but_the_agents_user_can_read_the_log() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::with_segments(6);
    for entry in fs::read_dir(bench.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
    }
}
