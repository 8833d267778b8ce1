//! Journals on a disk in memory.

use journal_file::memory::MemoryDisk;

use super::*;

fn ticket(number: u32) -> TicketId {
    TicketId::new(format!("T{number}")).unwrap()
}

fn open(disk: &MemoryDisk) -> Journal {
    Journal::open(Box::new(disk.clone())).unwrap()
}

#[test]
fn every_cut_off_end_leaves_a_journal_that_opens() {
    let disk = MemoryDisk::default();
    let mut journal = open(&disk);
    journal.reserve(&ticket(1), 0, 5).unwrap();
    journal.sent(&ticket(1), 0, Wear::default()).unwrap();
    journal.printed(&ticket(1), 0, Proof::ProcessId).unwrap();
    journal.reserve(&ticket(2), 0, 6).unwrap();
    let whole = disk.bytes();
    for cut in 0..=whole.len() {
        let part = MemoryDisk::default();
        part.put(&whole[..cut]);
        let mut journal = open(&part);
        journal.reserve(&ticket(3), 0, 7).unwrap();
        let again = open(&part);
        assert_eq!(
            again.paper(&ticket(3), 0).unwrap().progress,
            Progress::Unknown(Unsure::NeverSent)
        );
    }
}

#[test]
fn what_was_reserved_only_is_settled_and_what_was_sent_is_in_doubt_and_held() {
    let disk = MemoryDisk::default();
    let mut journal = open(&disk);
    journal.reserve(&ticket(1), 0, 5).unwrap();
    journal.reserve(&ticket(2), 0, 5).unwrap();
    let id = journal.sent(&ticket(2), 0, Wear::default()).unwrap();
    let mut journal = open(&disk);
    assert_eq!(journal.unresolved().len(), 2);
    assert!(journal.holding());
    assert_eq!(journal.named(id).unwrap().ticket, ticket(2));
    assert_ne!(journal.fence().unwrap(), id);
    journal.settle_sent().unwrap();
    assert!(!journal.holding());
    let reasons: Vec<Progress> = journal
        .unresolved()
        .iter()
        .map(|stored| stored.progress)
        .collect();
    assert_eq!(
        reasons,
        [
            Progress::Unknown(Unsure::NeverSent),
            Progress::Unknown(Unsure::Interrupted)
        ]
    );
}

#[test]
fn one_decision_reserves_one_paper() {
    let disk = MemoryDisk::default();
    let mut journal = open(&disk);
    journal.reserve(&ticket(1), 0, 5).unwrap();
    journal.unknown(&ticket(1), 0, Unsure::Silent).unwrap();
    journal
        .decide(&ticket(1), Decision::Reprint { copy: 1 }, 6)
        .unwrap();
    assert_eq!(journal.unresolved(), []);
    // The power goes before the marked paper is sent: it is in doubt like any other.
    let journal = open(&disk);
    let doubt: Vec<u32> = journal
        .unresolved()
        .iter()
        .map(|stored| stored.copy)
        .collect();
    assert_eq!(doubt, [1]);
}

#[test]
fn damage_in_the_middle_is_an_error_and_another_format_too() {
    let disk = MemoryDisk::default();
    let mut journal = open(&disk);
    journal.reserve(&ticket(1), 0, 5).unwrap();
    journal.reserve(&ticket(2), 0, 5).unwrap();
    let mut damaged = disk.bytes();
    let at = damaged.windows(2).position(|pair| pair == b"T1");
    damaged[at.unwrap()] = b'U';
    disk.put(&damaged);
    let error = Journal::open(Box::new(disk.clone())).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    disk.put(Line::of("madoguchi-printer-journal 2").as_bytes());
    let error = Journal::open(Box::new(disk)).unwrap_err();
    assert!(matches!(error, JournalError::Format));
}

#[test]
fn a_failed_write_is_cut_off_before_the_next() {
    let disk = MemoryDisk::default();
    let mut journal = open(&disk);
    disk.fail(true);
    assert!(journal.reserve(&ticket(1), 0, 5).is_err());
    assert!(journal.paper(&ticket(1), 0).is_none());
    disk.fail(false);
    journal.reserve(&ticket(2), 0, 5).unwrap();
    let journal = open(&disk);
    assert!(journal.paper(&ticket(1), 0).is_none() && journal.paper(&ticket(2), 0).is_some());
}

#[test]
fn a_long_life_stays_a_short_file_that_forgets_only_what_is_finished() {
    let disk = MemoryDisk::default();
    let mut journal = open(&disk);
    journal.reserve(&ticket(0), 0, 5).unwrap();
    journal.unknown(&ticket(0), 0, Unsure::Silent).unwrap();
    // No paper for a long time: each attempt is of another ticket.
    for number in 100_000..=112_000 {
        journal.reserve(&ticket(number), 0, 5).unwrap();
        let never = Unsure::NeverSent;
        journal.unknown(&ticket(number), 0, never).unwrap();
    }
    assert!(journal.entries.len() <= REMEMBERED + 2);
    for number in 1..=25_000 {
        journal.reserve(&ticket(number), 0, 5).unwrap();
        journal.sent(&ticket(number), 0, Wear::default()).unwrap();
        journal
            .printed(&ticket(number), 0, Proof::ProcessId)
            .unwrap();
        assert!(journal.entries.len() <= REMEMBERED + 2 && journal.ids.len() <= REMEMBERED + 1);
    }
    assert!(disk.bytes().len() < 4 << 20);
    let journal = open(&disk);
    assert!(journal.paper(&ticket(0), 0).unwrap().is_unresolved());
    assert!(journal.paper(&ticket(25_000), 0).is_some());
    assert!(journal.paper(&ticket(15_000), 0).is_none());
    assert_eq!(journal.entries.len(), REMEMBERED + 1);
}
