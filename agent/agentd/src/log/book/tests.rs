//! The log on a clock that a test turns.

use std::sync::atomic::{AtomicU64, Ordering};

use device_api::Moment;

use super::*;

#[derive(Debug)]
struct Wall(AtomicU64);

impl Clock for Wall {
    fn now(&self) -> Moment {
        Moment::after_origin(std::time::Duration::ZERO)
    }

    fn unix_millis(&self) -> u64 {
        self.0.load(Ordering::Relaxed) * 1000
    }
}

fn wall(seconds: u64) -> Arc<Wall> {
    Arc::new(Wall(AtomicU64::new(seconds)))
}

#[test]
fn files_are_bounded_in_size_and_number_and_the_newest_lines_stay() {
    let folder = tempfile::tempdir().unwrap();
    let clock = wall(1_795_219_200);
    let mut book = Book::open(folder.path().join("logs"), Arc::<Wall>::clone(&clock)).unwrap();
    let line = [b'a'; 1023];
    for number in 0..20_000 {
        book.write(format!("{number} {}\n", String::from_utf8_lossy(&line)).as_bytes());
    }
    let pages = pages(&folder.path().join("logs")).unwrap();
    assert_eq!(pages.len(), FILES);
    for path in pages.values() {
        assert!(path.metadata().unwrap().len() <= FILE_BYTES);
    }
    let lines = newest(&folder.path().join("logs"), 3).unwrap();
    let numbers: Vec<_> = lines.iter().map(|line| line.split(' ').next()).collect();
    assert_eq!(numbers, [Some("19997"), Some("19998"), Some("19999")]);
}

#[test]
fn lines_go_after_thirty_days_also_where_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let clock = wall(1_795_219_200);
    let logs = folder.path().join("logs");
    let mut book = Book::open(logs.clone(), Arc::<Wall>::clone(&clock)).unwrap();
    book.write(b"first\n");
    clock.0.fetch_add(29 * 86_400, Ordering::Relaxed);
    book.write(b"second\n");
    assert_eq!(newest(&logs, 10).unwrap(), ["first", "second"]);
    clock.0.fetch_add(2 * 86_400, Ordering::Relaxed);
    book.tidy();
    assert_eq!(newest(&logs, 10).unwrap(), ["second"]);
    clock.0.fetch_add(40 * 86_400, Ordering::Relaxed);
    book.tidy();
    book.write(b"third\n");
    assert_eq!(newest(&logs, 10).unwrap(), ["third"]);
}

#[test]
fn a_log_goes_on_where_the_last_process_ended() {
    let folder = tempfile::tempdir().unwrap();
    let clock = wall(1_795_219_200);
    for line in ["one\n", "two\n"] {
        let mut book = Book::open(folder.path().join("logs"), Arc::<Wall>::clone(&clock)).unwrap();
        book.write(line.as_bytes());
    }
    let logs = folder.path().join("logs");
    assert_eq!(pages(&logs).unwrap().len(), 1);
    assert_eq!(newest(&logs, 10).unwrap(), ["one", "two"]);
}
