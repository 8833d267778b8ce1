//! Journals over storage in memory.

use std::sync::{Arc, Mutex};

use super::*;

/// Storage that tests can look into and spoil.
#[derive(Debug, Clone, Default)]
struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    fail: Arc<Mutex<bool>>,
}

impl Storage for Memory {
    fn load(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.bytes.lock().unwrap().clone())
    }
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fail = *self.fail.lock().unwrap();
        let part = if fail { bytes.len() / 2 } else { bytes.len() };
        self.bytes.lock().unwrap().extend(&bytes[..part]);
        if fail {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.bytes
            .lock()
            .unwrap()
            .truncate(usize::try_from(length).unwrap());
        Ok(())
    }
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        *self.bytes.lock().unwrap() = bytes.to_vec();
        Ok(())
    }
}

fn ticket(number: u32) -> TicketId {
    TicketId::new(format!("T{number}")).unwrap()
}

fn open(memory: &Memory) -> Journal {
    Journal::open(Box::new(memory.clone())).unwrap()
}

#[test]
fn every_cut_off_end_leaves_a_journal_that_opens() {
    let memory = Memory::default();
    let mut journal = open(&memory);
    journal.reserve(&ticket(1), 0, 5).unwrap();
    journal.sent(&ticket(1), 0, Wear::default()).unwrap();
    journal.printed(&ticket(1), 0, Proof::ProcessId).unwrap();
    journal.reserve(&ticket(2), 0, 6).unwrap();
    let whole = memory.bytes.lock().unwrap().clone();
    for cut in 0..=whole.len() {
        let part = Memory::default();
        *part.bytes.lock().unwrap() = whole[..cut].to_vec();
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
fn what_was_reserved_only_is_settled_and_what_was_sent_waits_for_the_printer() {
    let memory = Memory::default();
    let mut journal = open(&memory);
    journal.reserve(&ticket(1), 0, 5).unwrap();
    journal.reserve(&ticket(2), 0, 5).unwrap();
    let id = journal.sent(&ticket(2), 0, Wear::default()).unwrap();
    let mut journal = open(&memory);
    assert_eq!(journal.unresolved().len(), 1);
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
    let memory = Memory::default();
    let mut journal = open(&memory);
    journal.reserve(&ticket(1), 0, 5).unwrap();
    journal.unknown(&ticket(1), 0, Unsure::Silent).unwrap();
    journal
        .decide(&ticket(1), Decision::Reprint { copy: 1 }, 6)
        .unwrap();
    assert_eq!(journal.unresolved(), []);
    // The power goes before the marked paper is sent: it is in doubt like any other.
    let journal = open(&memory);
    let doubt: Vec<u32> = journal
        .unresolved()
        .iter()
        .map(|stored| stored.copy)
        .collect();
    assert_eq!(doubt, [1]);
}

#[test]
fn damage_in_the_middle_is_an_error_and_another_format_too() {
    let memory = Memory::default();
    let mut journal = open(&memory);
    journal.reserve(&ticket(1), 0, 5).unwrap();
    journal.reserve(&ticket(2), 0, 5).unwrap();
    let at = memory
        .bytes
        .lock()
        .unwrap()
        .windows(2)
        .position(|pair| pair == b"T1")
        .unwrap();
    memory.bytes.lock().unwrap()[at] = b'U';
    let error = Journal::open(Box::new(memory.clone())).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    *memory.bytes.lock().unwrap() = Line::of("madoguchi-printer-journal 2").into_bytes();
    let error = Journal::open(Box::new(memory)).unwrap_err();
    assert!(matches!(error, JournalError::Format));
}

#[test]
fn a_failed_write_is_cut_off_before_the_next() {
    let memory = Memory::default();
    let mut journal = open(&memory);
    *memory.fail.lock().unwrap() = true;
    assert!(journal.reserve(&ticket(1), 0, 5).is_err());
    assert!(journal.paper(&ticket(1), 0).is_none());
    *memory.fail.lock().unwrap() = false;
    journal.reserve(&ticket(2), 0, 5).unwrap();
    let journal = open(&memory);
    assert!(journal.paper(&ticket(1), 0).is_none() && journal.paper(&ticket(2), 0).is_some());
}

#[test]
fn a_long_life_stays_a_short_file_that_forgets_only_what_is_finished() {
    let memory = Memory::default();
    let mut journal = open(&memory);
    journal.reserve(&ticket(0), 0, 5).unwrap();
    journal.unknown(&ticket(0), 0, Unsure::Silent).unwrap();
    for number in 1..=25_000 {
        journal.reserve(&ticket(number), 0, 5).unwrap();
        journal.sent(&ticket(number), 0, Wear::default()).unwrap();
        journal
            .printed(&ticket(number), 0, Proof::ProcessId)
            .unwrap();
        assert!(journal.entries.len() <= REMEMBERED + 2 && journal.ids.len() <= REMEMBERED + 1);
    }
    assert!(memory.bytes.lock().unwrap().len() < 4 << 20);
    let journal = open(&memory);
    assert!(journal.paper(&ticket(0), 0).unwrap().is_unresolved());
    assert!(journal.paper(&ticket(25_000), 0).is_some());
    assert!(journal.paper(&ticket(15_000), 0).is_none());
    assert_eq!(journal.entries.len(), REMEMBERED + 1);
}
