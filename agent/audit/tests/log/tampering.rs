//! Whatever is done to the files of a log, verifying finds it and names the record.

use std::fs;

use audit::{Defect, Report, verify};
use proptest::prelude::*;

use crate::bench::{Bench, foreign_key, public_key};

fn finding(bench: &Bench) -> Defect {
    let report = verify(bench.path(), Some(&public_key())).unwrap();
    report.finding.unwrap_or_else(|| panic!("not found")).defect
}

fn intact(bench: &Bench) -> Report {
    let report = verify(bench.path(), Some(&public_key())).unwrap();
    assert_eq!(report.finding, None);
    report
}

#[test]
fn an_intact_log_tells_its_count_and_its_time_span() {
    let bench = Bench::with_segments(9);
    let report = intact(&bench);
    assert_eq!(
        (report.records, report.unnamed, report.torn_bytes),
        (9, 0, 0)
    );
    assert_eq!(report.segments, bench.segments().len());
    assert_eq!(
        report.first_time.as_deref(),
        Some("2026-11-21T10:42:15.000Z")
    );
    assert_eq!(
        report.last_time.as_deref(),
        Some("2026-11-21T10:42:23.000Z")
    );
    let empty = Bench::with_records(0);
    assert_eq!(intact(&empty).records, 0);
}

#[test]
fn every_changed_byte_of_every_record_is_found_and_its_record_named() {
    let bench = Bench::with_records(3);
    let segment = &bench.segments()[0];
    let good = fs::read(segment).unwrap();
    let mut seq = 1;
    for place in 0..good.len() {
        for mask in [0x01, 0x20, 0xFF] {
            let mut bad = good.clone();
            bad[place] ^= mask;
            fs::write(segment, &bad).unwrap();
            let found = finding(&bench);
            // The last newline's loss leaves a half-written record: it is missing then.
            let torn = found == Defect::Missing { from: 3, to: 3 } && place + 1 == good.len();
            let newer = matches!(found, Defect::Newer { .. });
            let named = found == Defect::Changed { seq };
            assert!(
                named || torn || newer,
                "byte {place} ^ {mask:02x} of record {seq}: {found:?}"
            );
        }
        if good[place] == b'\n' {
            seq += 1;
        }
    }
}

#[test]
fn every_changed_byte_of_a_head_is_found() {
    let bench = Bench::with_records(3);
    for slot in [0, 1] {
        let good = fs::read(bench.head(slot)).unwrap();
        for place in 0..good.len() {
            for mask in [0x01, 0x02, 0x20, 0xFF] {
                let mut bad = good.clone();
                bad[place] ^= mask;
                fs::write(bench.head(slot), &bad).unwrap();
                let found = finding(&bench);
                let damaged = found
                    == Defect::HeadDamaged {
                        slot: usize::try_from(slot).unwrap(),
                    };
                assert!(
                    damaged || matches!(found, Defect::Newer { .. }),
                    "byte {place}: {found:?}"
                );
            }
        }
        fs::write(bench.head(slot), &good).unwrap();
    }
    intact(&bench);
}

#[test]
fn every_removed_record_is_found() {
    let bench = Bench::with_records(5);
    let lines = bench.lines();
    for gone in 0..5 {
        let mut fewer = lines.clone();
        fewer.remove(gone);
        bench.write_lines(&fewer);
        let seq = gone as u64 + 1;
        assert_eq!(finding(&bench), Defect::Missing { from: seq, to: seq });
    }
    bench.write_lines(&[&lines[..1], &lines[4..]].concat());
    assert_eq!(finding(&bench), Defect::Missing { from: 2, to: 4 });
}

#[test]
fn every_pair_of_swapped_records_is_found() {
    let bench = Bench::with_records(5);
    let lines = bench.lines();
    for first in 0..5 {
        for second in first + 1..5 {
            let mut swapped = lines.clone();
            swapped.swap(first, second);
            bench.write_lines(&swapped);
            assert_eq!(
                finding(&bench),
                Defect::Reordered {
                    seq: second as u64 + 1
                }
            );
        }
    }
}

#[test]
fn every_repeated_record_is_found_wherever_it_is_put() {
    let bench = Bench::with_records(5);
    let lines = bench.lines();
    for copied in 0..5 {
        for place in 0..=5 {
            let mut more = lines.clone();
            more.insert(place, lines[copied].clone());
            bench.write_lines(&more);
            let seq = copied as u64 + 1;
            let found = finding(&bench);
            let named = found == Defect::Repeated { seq } || found == Defect::Reordered { seq };
            assert!(named, "{copied} at {place}: {found:?}");
        }
    }
}

#[test]
fn every_shortened_log_is_found() {
    let bench = Bench::with_records(3);
    let segment = &bench.segments()[0];
    let good = fs::read(segment).unwrap();
    for length in 0..good.len() {
        fs::write(segment, &good[..length]).unwrap();
        let whole = good[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(
            finding(&bench),
            Defect::Missing {
                from: whole + 1,
                to: 3
            }
        );
    }
    fs::remove_file(segment).unwrap();
    assert_eq!(finding(&bench), Defect::Missing { from: 1, to: 3 });
}

#[test]
fn every_missing_or_misplaced_segment_is_found() {
    let bench = Bench::with_segments(9);
    let segments = bench.segments();
    for gone in &segments {
        let kept = fs::read(gone).unwrap();
        fs::remove_file(gone).unwrap();
        assert!(
            matches!(finding(&bench), Defect::Missing { .. }),
            "{}",
            gone.display()
        );
        fs::write(gone, kept).unwrap();
    }
    let (first, second) = (
        fs::read(&segments[0]).unwrap(),
        fs::read(&segments[1]).unwrap(),
    );
    fs::write(&segments[0], &second).unwrap();
    fs::write(&segments[1], &first).unwrap();
    finding(&bench);
}

#[test]
fn a_missing_head_is_found() {
    let bench = Bench::with_records(3);
    for slot in [0, 1] {
        let kept = fs::read(bench.head(slot)).unwrap();
        fs::remove_file(bench.head(slot)).unwrap();
        assert_eq!(finding(&bench), Defect::HeadMissing);
        fs::write(bench.head(slot), kept).unwrap();
    }
}

/// Changes record 2 and makes the chain fit again, as somebody with a hash program can.
fn rewrite(bench: &Bench) {
    let mut prev = "0".repeat(64);
    let mut rewritten = Vec::new();
    for line in bench.lines() {
        let text = String::from_utf8(line)
            .unwrap()
            .replace("\"staff\":\"s-1\"", "\"staff\":\"s-2\"");
        let old = text
            .split('"')
            .skip_while(|part| *part != "prev")
            .nth(2)
            .unwrap()
            .to_owned();
        let text = text.replace(&old, &prev);
        let hash = ring::digest::digest(&ring::digest::SHA256, text.trim_end().as_bytes());
        prev = hex::encode(hash.as_ref());
        rewritten.push(text.into_bytes());
    }
    bench.write_lines(&rewritten);
}

#[test]
fn a_log_that_was_rewritten_without_the_key_is_found() {
    let bench = Bench::with_records(5);
    rewrite(&bench);
    assert_eq!(finding(&bench), Defect::Rewritten);
}

#[test]
fn a_log_that_was_rewritten_with_another_key_is_found_by_who_knows_the_agents_key() {
    let bench = Bench::new();
    let signer = Box::new(foreign_key());
    let mut log = audit::AuditLog::open(bench.path(), signer, bench.limits, 0)
        .unwrap()
        .log;
    log.append(&crate::bench::record(1), 0).unwrap();
    log.settle().unwrap();
    assert_eq!(finding(&bench), Defect::ForeignKey);
    let report = verify(bench.path(), None).unwrap();
    assert_eq!(
        report.finding, None,
        "who names no key must compare the one in the report"
    );
    assert_ne!(report.key, Some(hex::encode(public_key())));
}

#[test]
fn records_that_were_added_without_the_key_are_found() {
    let bench = Bench::with_records(6);
    let heads = [0, 1].map(|slot| fs::read(bench.head(slot)).unwrap());
    bench.append(2);
    for (slot, head) in (0..).zip(heads) {
        fs::write(bench.head(slot), head).unwrap();
    }
    assert_eq!(finding(&bench), Defect::NotSigned { from: 7 });
}

#[test]
fn a_log_of_newer_software_is_named_as_such() {
    let bench = Bench::with_records(2);
    let mut lines = bench.lines();
    lines[1] = br#"{"format":2,"and":"other fields"}"#.to_vec();
    lines[1].push(b'\n');
    bench.write_lines(&lines);
    assert_eq!(finding(&bench), Defect::Newer { format: 2 });
}

#[test]
fn verifying_finds_nothing_wrong_while_the_agent_writes() {
    let bench = Bench::with_records(3);
    let mut log = bench.open().log;
    log.append(&crate::bench::record(4), 0).unwrap();
    assert_eq!(intact(&bench).records, 4);
}

/// An edit of a log.
#[derive(Debug, Clone)]
enum Edit {
    Flip(usize, u8),
    Cut(usize, usize),
    Insert(usize, Vec<u8>),
    Swap(usize, usize),
    Repeat(usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = 0..100_000_usize;
    prop_oneof![
        (place.clone(), 1..=255_u8).prop_map(|(place, mask)| Edit::Flip(place, mask)),
        (place.clone(), 1..2000_usize).prop_map(|(place, length)| Edit::Cut(place, length)),
        (place.clone(), prop::collection::vec(any::<u8>(), 1..50))
            .prop_map(|(place, bytes)| Edit::Insert(place, bytes)),
        (place.clone(), place.clone()).prop_map(|(one, other)| Edit::Swap(one, other)),
        (place.clone(), place).prop_map(|(one, other)| Edit::Repeat(one, other)),
    ]
}

fn apply(edit: &Edit, bytes: &mut Vec<u8>) {
    let length = bytes.len().max(1);
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let count = lines.len().max(1);
    match edit {
        Edit::Flip(place, mask) => {
            if let Some(byte) = bytes.get_mut(place % length) {
                *byte ^= mask;
            }
        }
        Edit::Cut(place, cut) => {
            let from = place % length;
            bytes.drain(from.min(bytes.len())..(from + cut).min(bytes.len()));
        }
        Edit::Insert(place, more) => {
            let at = (place % length).min(bytes.len());
            bytes.splice(at..at, more.iter().copied());
        }
        Edit::Swap(one, other) => {
            if !lines.is_empty() {
                lines.swap(one % count, other % count);
                *bytes = lines.concat();
            }
        }
        Edit::Repeat(one, other) => {
            if let Some(line) = lines.get(one % count).cloned() {
                lines.insert(other % (count + 1), line);
                *bytes = lines.concat();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_few_edits_of_a_log_are_found_and_nothing_before_them_is_blamed(
        records in 1..8_u64,
        edits in prop::collection::vec(edit(), 1..4),
    ) {
        let bench = Bench::with_records(records);
        let good = fs::read(&bench.segments()[0]).unwrap();
        let mut bad = good.clone();
        for edit in &edits {
            apply(edit, &mut bad);
        }
        fs::write(&bench.segments()[0], &bad).unwrap();
        let report = verify(bench.path(), Some(&public_key())).unwrap();
        if bad == good {
            prop_assert_eq!(report.finding, None);
        } else if bad.starts_with(&good) && !bad[good.len()..].contains(&b'\n') {
            // What looks like a half-written line after the signed end is told as that.
            prop_assert_eq!(report.finding, None);
            prop_assert_eq!(report.torn_bytes, bad.len() - good.len());
        } else {
            prop_assert!(report.finding.is_some());
            let same = good.iter().zip(&bad).take_while(|(one, other)| one == other).count();
            let untouched = good[..same].iter().filter(|byte| **byte == b'\n').count() as u64;
            prop_assert!(report.records + 1 >= untouched, "{} of {untouched}", report.records);
        }
    }
}
