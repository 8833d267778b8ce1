//! Journals written, cut off, damaged, compacted, and forgotten from.

use journal_file::memory::{MemoryDisk, Part};

use super::*;
use crate::document::Document;
use crate::document::tests::order;
use crate::verb::Verb;

fn entry(number: u8, state: State) -> Entry {
    Entry {
        document: Document::new(order(number, Verb::Diagnostics)).unwrap(),
        approvers: vec!["sato".parse().unwrap()],
        state,
        told: false,
    }
}

fn record(number: u8, state: State) -> Record {
    Record::Command(Box::new(entry(number, state)))
}

fn open(disk: &MemoryDisk) -> Journal {
    Journal::open(Box::new(disk.clone())).unwrap()
}

fn states(journal: &Journal) -> Vec<State> {
    journal.entries().map(|entry| entry.state.clone()).collect()
}

/// A journal of four changes.
fn written() -> (MemoryDisk, Vec<u8>) {
    let disk = MemoryDisk::default();
    let mut journal = open(&disk);
    for state in [State::Accepted, State::Running, State::Done(None)] {
        journal.write(vec![record(1, state)]).unwrap();
    }
    journal.write(vec![record(2, State::Accepted)]).unwrap();
    let bytes = disk.bytes();
    (disk, bytes)
}

#[test]
fn what_was_written_is_read_again() {
    let (disk, _) = written();
    assert_eq!(states(&open(&disk)), [State::Done(None), State::Accepted]);
    let sato = "sato".parse().unwrap();
    assert!(open(&disk).is_used(&sato, 2));
    assert!(!open(&disk).is_used(&sato, 4));
    assert!(!open(&disk).is_used(&"suzuki".parse().unwrap(), 2));
}

#[test]
fn a_tail_that_was_torn_off_is_dropped_at_every_length() {
    let (_, bytes) = written();
    let first_line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    for end in first_line + 1..bytes.len() {
        let disk = MemoryDisk::default();
        disk.put(&bytes[..end]);
        let mut journal = open(&disk);
        let whole = bytes[..end].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(states(&journal).len(), [0, 1, 1, 1, 2][whole - 1]);
        journal.write(vec![record(3, State::Accepted)]).unwrap();
        assert_eq!(states(&open(&disk)), states(&journal), "cut at {end}");
    }
}

#[test]
fn damage_before_a_sound_line_is_an_error_that_names_the_line() {
    let (_, bytes) = written();
    let last_line = bytes[..bytes.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n');
    // A damaged line feed before the last line makes one line of two, which could be a torn one.
    for place in 0..last_line.unwrap() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x04;
        let disk = MemoryDisk::default();
        disk.put(&damaged);
        let error = Journal::open(Box::new(disk)).unwrap_err();
        let before = bytes[..place].iter().filter(|byte| **byte == b'\n').count();
        match error {
            JournalError::Damaged { line } => assert_eq!(line, before + 1, "place {place}"),
            JournalError::Format | JournalError::Storage { .. } => panic!("place {place}"),
        }
    }
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let other = Line::of("madoguchi-command-journal 2");
    for content in [b"hello\nworld\n".as_slice(), b"x", other.as_bytes()] {
        let disk = MemoryDisk::default();
        disk.put(content);
        let error = Journal::open(Box::new(disk.clone())).unwrap_err();
        assert!(matches!(error, JournalError::Format));
        assert_eq!(disk.bytes(), content);
    }
    let disk = MemoryDisk::default();
    let unknown = [Line::of(FORMAT), Line::of("sell everything")].concat();
    disk.put(unknown.as_bytes());
    let error = Journal::open(Box::new(disk)).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { line: 2 }));
}

#[test]
fn an_error_changes_nothing_and_the_next_change_repairs() {
    let (disk, before) = written();
    let mut journal = open(&disk);
    disk.fail(true);
    journal.write(vec![record(2, State::Running)]).unwrap_err();
    disk.fail(false);
    assert_eq!(states(&journal), [State::Done(None), State::Accepted]);
    journal.write(vec![record(2, State::Running)]).unwrap();
    assert!(disk.bytes().starts_with(&before));
    assert_eq!(states(&open(&disk)), [State::Done(None), State::Running]);
}

#[test]
fn a_power_cut_at_every_step_leaves_the_whole_of_a_change_or_nothing() {
    let mut cuts = 0;
    for part in [Part::None, Part::Half, Part::All] {
        for step in 0.. {
            let (disk, _) = written();
            let mut journal = open(&disk);
            disk.cut_at(step, part);
            let change = vec![record(2, State::Running), record(3, State::Accepted)];
            let outcome = journal.write(change);
            if !disk.restore() {
                break;
            }
            cuts += 1;
            let found = states(&open(&disk)).len();
            assert!(found == 2 || found == 3, "{part:?} of step {step}");
            assert!(outcome.is_err(), "{part:?} of step {step}");
        }
    }
    assert_eq!(cuts, 6);
}

#[test]
fn compaction_keeps_everything_also_where_it_fails() {
    for step in 0..9 {
        let (disk, _) = written();
        let mut journal = open(&disk);
        let sato = "sato".parse().unwrap();
        journal.write(vec![Record::Floor(sato, 1)]).unwrap();
        while journal.lines < LINES_BEFORE_COMPACTION + 3 {
            journal.write(vec![record(3, State::Accepted)]).unwrap();
        }
        let long = disk.bytes().len();
        disk.cut_at(step, Part::None);
        let outcome = journal.write(vec![record(3, State::Unknown)]);
        let cut = disk.restore();
        let kept = states(&open(&disk));
        if outcome.is_ok() {
            let expected = [State::Done(None), State::Accepted, State::Unknown];
            assert_eq!(kept, expected);
        }
        assert!(open(&disk).is_used(&"sato".parse().unwrap(), 1));
        if !cut {
            assert!(disk.bytes().len() < long / 100);
        }
        // The next change goes on, wherever the power went.
        journal.write(vec![record(4, State::Accepted)]).unwrap();
        assert_eq!(states(&open(&disk)), states(&journal));
    }
}

#[test]
fn what_is_forgotten_leaves_a_floor() {
    let (disk, _) = written();
    let mut journal = open(&disk);
    let expires = order(1, Verb::Diagnostics).expires;
    let sato = "sato".parse().unwrap();
    assert_eq!(journal.forgettable(expires + KEPT_AFTER_EXPIRY, 0), []);
    let told = Entry {
        told: true,
        ..entry(1, State::Done(None))
    };
    journal
        .write(vec![Record::Command(Box::new(told))])
        .unwrap();
    assert_eq!(journal.forgettable(expires + KEPT_AFTER_EXPIRY - 1, 0), []);
    let forgotten = journal.forgettable(expires + KEPT_AFTER_EXPIRY, 0);
    let id = order(1, Verb::Diagnostics).id;
    assert_eq!(forgotten, [Record::Forgotten(id)]);
    journal.write(forgotten).unwrap();
    for journal in [&journal, &open(&disk)] {
        assert_eq!(states(journal), [State::Accepted]);
        assert!(journal.is_used(&sato, 1) && journal.is_used(&sato, 2));
        assert!(!journal.is_used(&sato, 4));
    }
}

#[test]
fn no_more_than_so_many_are_kept() {
    let disk = MemoryDisk::default();
    let mut journal = open(&disk);
    let mut records = Vec::new();
    for number in 0..1_000_u32 {
        let mut order = order(1, Verb::Diagnostics);
        let [a, b, c, d] = number.to_be_bytes();
        order.id = crate::document::command_id(1, [a, b, c, d, 0, 0, 0, 0, 0, 0]);
        order.counter = u64::from(number);
        let document = Document::new(order).unwrap();
        records.push(Record::Command(Box::new(Entry {
            document,
            ..entry(1, State::Done(None))
        })));
    }
    journal.write(records).unwrap();
    assert_eq!(journal.forgettable(0, 0), []);
    let [Record::Forgotten(id)] = journal.forgettable(0, 1)[..] else {
        panic!("one goes for one that comes");
    };
    assert_eq!(journal.entry(id).unwrap().order().counter, 0);
}
