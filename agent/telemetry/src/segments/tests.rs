//! Logs written, read from both ends, cut and spoilt at every byte.

use super::*;
use crate::disk::memory::{Fault, MemoryDisk};
use crate::message::machine::TimeQuality;

const LANE: Lane = Lane::Alerts;

fn stamp(epoch: u64, number: u64) -> Stamp {
    Stamp {
        epoch,
        lane: LANE,
        number,
        monotonic_millis: number,
        issued_at: 1_795_000_000 + number,
        quality: TimeQuality::Synchronised,
    }
}

fn envelope(epoch: u64, number: u64) -> Vec<u8> {
    vec![u8::try_from((epoch * 31 + number) % 251).unwrap(); 30 + usize::try_from(number).unwrap()]
}

fn open(disk: &MemoryDisk) -> (Segments, Found) {
    let mut disk = disk.clone();
    let files = disk.list().unwrap();
    Segments::open(&mut disk, LANE, &files, 0).unwrap()
}

fn append(log: &mut Segments, disk: &mut MemoryDisk, epoch: u64, numbers: Range) {
    let mut batch = Batch::default();
    for number in numbers.0..=numbers.1 {
        batch.push(stamp(epoch, number), Class::Fault, &envelope(epoch, number));
    }
    log.append(disk, &mut batch).unwrap();
}

type Range = crate::ranges::Range;

/// All records, oldest first, and that reading them backwards gives the same.
fn all(log: &Segments, disk: &mut MemoryDisk) -> Vec<(u64, u64)> {
    let mut records = Vec::new();
    let mut at = Place::START;
    while let Some((record, next)) = log.forwards(disk, at).unwrap() {
        let (epoch, number) = (record.stamp.epoch, record.stamp.number);
        assert_eq!(record.bytes, envelope(epoch, number));
        records.push((epoch, number));
        assert!(next > at);
        at = next;
    }
    let mut backwards = Vec::new();
    let mut at = log.end();
    while let Some((record, before)) = log.backwards(disk, at).unwrap() {
        backwards.push((record.stamp.epoch, record.stamp.number));
        assert!(before < at);
        at = before;
    }
    backwards.reverse();
    assert_eq!(records, backwards);
    let runs = log.iter().flat_map(|segment| &segment.runs);
    let indexed: Vec<_> = runs
        .flat_map(|run| (run.first..=run.last).map(|number| (run.epoch, number)))
        .collect();
    assert_eq!(indexed, records);
    records
}

/// A log of three epochs in one segment, as bytes.
fn sample() -> (MemoryDisk, String, Vec<u8>) {
    let mut disk = MemoryDisk::new();
    let (mut log, _) = open(&disk);
    append(&mut log, &mut disk, 1, (1, 4));
    append(&mut log, &mut disk, 2, (1, 2));
    append(&mut log, &mut disk, 7, (1, 3));
    assert_eq!(log.index.len(), 1);
    let name = name(LANE, (1, 1));
    let bytes = disk.read(&name, 0, usize::MAX).unwrap();
    (disk, name, bytes)
}

const SAMPLE: [(u64, u64); 9] = [
    (1, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (2, 1),
    (2, 2),
    (7, 1),
    (7, 2),
    (7, 3),
];

/// Where each record of the sample ends.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut at = scan::HEADER;
    let mut ends = Vec::new();
    while let Some((_, length)) = frame::read(LANE, &bytes[at..]) {
        at += length;
        ends.push(at);
    }
    assert_eq!((ends.len(), at), (SAMPLE.len(), bytes.len()));
    ends
}

#[test]
fn a_log_is_read_from_both_ends_over_many_segments_and_restarts() {
    let mut disk = MemoryDisk::new();
    let (mut log, _) = open(&disk);
    for epoch in 1..=3 {
        append(&mut log, &mut disk, epoch, (1, 150));
        append(&mut log, &mut disk, epoch, (151, 300));
        let (again, found) = open(&disk.restart());
        assert_eq!((found.records, found.torn), (epoch * 300, 0));
        assert_eq!(again.index, log.index);
        log = again;
        disk = disk.restart();
    }
    let expected: Vec<_> = (1..=3)
        .flat_map(|e| (1..=300).map(move |n| (e, n)))
        .collect();
    assert_eq!(all(&log, &mut disk), expected);
    let files: Vec<String> = disk.list().unwrap().into_iter().map(|f| f.name).collect();
    assert!(files.len() > 5 && files.is_sorted());
    assert_eq!(log.bytes(), disk.used());
    // Places stay places while segments go.
    let (_, place) = log.forwards(&mut disk, Place::START).unwrap().unwrap();
    let firsts: Vec<First> = log.iter().map(|segment| segment.first).collect();
    log.remove(&mut disk, firsts[0]).unwrap();
    let (next, _) = log.forwards(&mut disk, place).unwrap().unwrap();
    assert_eq!((next.stamp.epoch, next.stamp.number), firsts[1]);
    assert!(log.backwards(&mut disk, place).unwrap().is_none());
    let (last, _) = log.backwards(&mut disk, log.end()).unwrap().unwrap();
    assert_eq!((last.stamp.epoch, last.stamp.number), (3, 300));
    assert!(!log.remove(&mut disk, firsts[0]).unwrap());
}

#[test]
fn a_last_segment_cut_anywhere_keeps_every_whole_record_and_is_no_damage() {
    let (_, name, bytes) = sample();
    let ends = ends(&bytes);
    for cut in 0..bytes.len() {
        let disk = MemoryDisk::new();
        disk.tamper(&name, |content| content.extend(&bytes[..cut]));
        let (mut log, found) = open(&disk);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(found.damage, [], "cut at {cut}");
        assert_eq!(
            all(&log, &mut disk.clone()),
            SAMPLE[..whole],
            "cut at {cut}"
        );
        let kept = if whole > 0 { ends[whole - 1] } else { 0 };
        assert_eq!(found.torn, wide(cut - kept), "cut at {cut}");
        // It goes on where it was cut.
        append(&mut log, &mut disk.clone(), 9, (1, 1));
        let (again, found) = open(&disk);
        assert_eq!((found.torn, found.records), (0, wide(whole) + 1));
        assert_eq!(all(&again, &mut disk.clone()).len(), whole + 1);
    }
}

#[test]
fn an_earlier_segment_cut_anywhere_is_damage_and_the_later_one_is_read() {
    let (_, name, bytes) = sample();
    let ends = ends(&bytes);
    for cut in 0..bytes.len() {
        let mut disk = MemoryDisk::new();
        disk.tamper(&name, |content| content.extend(&bytes));
        let (mut log, _) = open(&disk);
        log.index[0].closed = true;
        append(&mut log, &mut disk, 9, (1, 2));
        disk.tamper(&name, |content| content.truncate(cut));
        let (log, found) = open(&disk);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let expected = [&SAMPLE[..whole], &[(9, 1), (9, 2)]].concat();
        assert_eq!(all(&log, &mut disk), expected, "cut at {cut}");
        let at_an_end = cut == scan::HEADER || ends.contains(&cut);
        let damaged = !at_an_end || whole == 0;
        assert_eq!(found.damage.len(), usize::from(damaged), "cut at {cut}");
    }
}

#[test]
fn a_bit_flipped_anywhere_costs_one_record_and_is_kept_aside() {
    let (_, name, bytes) = sample();
    let ends = ends(&bytes);
    for place in 0..bytes.len() {
        for bit in [0, 7] {
            let mut disk = MemoryDisk::new();
            disk.tamper(&name, |content| {
                content.extend(&bytes);
                content[place] ^= 1 << bit;
            });
            let (mut log, found) = open(&disk);
            let hit = ends.iter().position(|end| place < *end).unwrap();
            let in_header = place < scan::HEADER;
            let mut expected = SAMPLE.to_vec();
            if !in_header {
                expected.remove(hit);
            }
            assert_eq!(all(&log, &mut disk), expected, "bit {bit} of {place}");
            if !in_header && hit == SAMPLE.len() - 1 {
                // Nothing valid follows: it may as well be a torn end.
                let start = wide(ends[hit - 1]);
                assert_eq!(
                    (found.damage, found.torn),
                    (vec![], wide(bytes.len()) - start)
                );
                continue;
            }
            let [damage] = found.damage.as_slice() else {
                panic!("one part is damaged: {found:?}");
            };
            let hole = damage.hole;
            assert!((hole.offset..hole.end).contains(&wide(place)));
            let kept_as = damage.kept_as.clone().unwrap();
            let kept = disk.read(&kept_as, 0, usize::MAX).unwrap();
            let spoilt = disk.read(&name, 0, usize::MAX).unwrap();
            let range = usize::try_from(hole.offset).unwrap()..usize::try_from(hole.end).unwrap();
            assert_eq!(kept, spoilt[range]);
            // It is told once, and records go on in another segment.
            append(&mut log, &mut disk, 9, (1, 1));
            let (again, found) = open(&disk);
            assert_eq!(found.damage, []);
            expected.push((9, 1));
            assert_eq!(all(&again, &mut disk), expected);
        }
    }
}

#[test]
fn what_cannot_be_read_is_moved_aside_within_bounds() {
    let mut disk = MemoryDisk::new();
    let (mut log, _) = open(&disk);
    append(&mut log, &mut disk, 1, (1, 600));
    let firsts: Vec<First> = log.iter().map(|segment| segment.first).collect();
    assert!(firsts.len() > 8);
    let spoilt = firsts.len() - 1;
    for first in &firsts[..spoilt] {
        disk.make_unreadable(&name(LANE, *first));
    }
    let (log, found) = open(&disk);
    assert_eq!(found.damage.len(), spoilt);
    let kept = found
        .damage
        .iter()
        .filter(|damage| damage.kept_as.is_some());
    assert_eq!(kept.count(), 4);
    assert_eq!(all(&log, &mut disk)[0], firsts[spoilt]);
    // Spoilt in a hundred places, in one segment.
    let (_, name, bytes) = sample();
    let mut disk = MemoryDisk::new();
    let mut spoilt = bytes.clone();
    for end in ends(&bytes).iter().rev().skip(1) {
        spoilt.splice(*end..*end, [0xAA; 7]);
    }
    disk.tamper(&name, |content| content.extend(&spoilt));
    let (log, found) = open(&disk);
    assert_eq!(found.damage.len(), 8);
    assert_eq!(all(&log, &mut disk), SAMPLE);
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let (disk, name, bytes) = sample();
    disk.tamper(&name, |content| {
        content[8] = 2;
        let crc = crc32c::crc32c(&content[..28]);
        content[28..32].copy_from_slice(&crc.to_le_bytes());
    });
    let mut again = disk.clone();
    let files = again.list().unwrap();
    let error = Segments::open(&mut again, LANE, &files, 0).unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { format: 2, .. }),
        "{error}"
    );
    assert_eq!(disk.used(), wide(bytes.len()));
}

#[test]
fn every_failing_call_leaves_what_counted_and_the_next_try_works() {
    for fault in [Fault::Io, Fault::Torn] {
        for call in 0..40 {
            let mut disk = MemoryDisk::new();
            let (mut log, _) = open(&disk);
            disk.fail_at(call, fault);
            let mut batch = Batch::default();
            let mut counted = 0;
            for number in 1..=200 {
                batch.push(stamp(1, number), Class::Fault, &envelope(1, number));
                if number % 20 == 0 {
                    let tried = log.append(&mut disk, &mut batch);
                    assert_eq!(tried.is_ok(), batch.is_empty());
                    let left = wide(batch.frames.len());
                    // What counts survives a power cut at once.
                    let (after, _) = open(&disk.cut_power(call));
                    let kept = all(&after, &mut disk.cut_power(call)).len();
                    assert!(wide(kept) >= number - left);
                    counted = number - left;
                }
            }
            log.append(&mut disk, &mut batch).unwrap();
            assert!(counted >= 180);
            let after = disk.cut_power(1);
            let (log, found) = open(&after);
            let expected: Vec<_> = (1..=200).map(|number| (1, number)).collect();
            assert_eq!(
                all(&log, &mut after.clone()),
                expected,
                "{fault:?} at {call}"
            );
            assert_eq!(found.damage, []);
        }
    }
}

#[test]
fn one_sync_for_each_commit() {
    let mut disk = MemoryDisk::new();
    let (mut log, _) = open(&disk);
    append(&mut log, &mut disk, 1, (1, 1));
    let before = disk.calls();
    append(&mut log, &mut disk, 1, (2, 60));
    // One write and one sync.
    assert_eq!(disk.calls() - before, 2);
}

#[test]
fn a_segment_that_changed_behind_our_back_is_read_as_far_as_it_goes() {
    let (_, name, bytes) = sample();
    let mut disk = MemoryDisk::new();
    disk.tamper(&name, |content| content.extend(&bytes));
    let (mut log, _) = open(&disk);
    let ends = ends(&bytes);
    disk.tamper(&name, |content| content[ends[3] + 20] ^= 1);
    let mut at = Place::START;
    let error = loop {
        match log.forwards(&mut disk, at) {
            Ok(Some((_, next))) => at = next,
            Ok(None) => panic!("the change is noticed"),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, ReadError::Changed { segment: (1, 1) }),
        "{error}"
    );
    log.reread(&mut disk, (1, 1));
    let (next, _) = log.forwards(&mut disk, at).unwrap().unwrap();
    assert_eq!((next.stamp.epoch, next.stamp.number), SAMPLE[5]);
    let mut expected = SAMPLE.to_vec();
    expected.remove(4);
    assert_eq!(all(&log, &mut disk), expected);
}
