//! A writing process is killed at random moments: what stands in the folder is whole, and no number comes twice.
//!
//! The child is this test program itself, which finds a plan in its working folder.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::use_debug,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use handover::{CivilDate, HandoverError, Outbox, Places, Row, Stamp, Template};

const PLAN: &str = "write-until-killed";
const ROUNDS: u64 = 60;
const TEMPLATE: &str = r#"
format = 1
name = "kill"
encoding = "utf-8-bom"
file_name = "k_{date}_{counter}_{sequence}.csv"
[[columns]]
header = "first"
field = "first"
[[columns]]
header = "filler"
field = "filler"
[[columns]]
header = "last"
field = "last"
"#;

fn open(folder: &Path) -> Outbox {
    let places = Places {
        outgoing: folder.join("out"),
        acknowledgements: folder.join("ack"),
        state: folder.join("state"),
    };
    Outbox::open(Template::parse(TEMPLATE).unwrap(), "1", places).unwrap()
}

fn write(outbox: &mut Outbox, mark: &str) -> Result<u64, HandoverError> {
    let fields = [
        ("first", mark.to_owned()),
        ("filler", "x".repeat(20_000)),
        ("last", mark.to_owned()),
    ];
    let row: Row = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let stamp = Stamp {
        today: CivilDate::new(2026, 11, 21).unwrap(),
        unix_millis: 0,
    };
    outbox.write(&[row], stamp).map(|written| written.number)
}

/// Not a test by itself: the process that is killed.
#[test]
#[expect(clippy::print_stdout, reason = "the parent waits for the first number")]
fn child() {
    let Ok(round) = fs::read_to_string(PLAN) else {
        return;
    };
    let mut outbox = open(Path::new("."));
    for count in 0..100_000 {
        match write(&mut outbox, &format!("{round}-{count}")) {
            Ok(number) => println!("wrote {number}"),
            Err(error) => {
                println!("stopped {} {:?}", error.fault().as_str(), error);
                return;
            }
        }
    }
}

#[test]
fn a_process_killed_at_any_moment_leaves_whole_files_and_no_number_twice() {
    let temp = tempfile::tempdir().unwrap();
    for name in ["out", "ack", "state"] {
        fs::create_dir(temp.path().join(name)).unwrap();
    }
    let mut seen = BTreeSet::new();
    let mut told = BTreeSet::new();
    for round in 0..ROUNDS {
        fs::write(temp.path().join(PLAN), format!("r{round}")).unwrap();
        for number in killed_after(temp.path(), spread(round)) {
            assert!(told.insert(number), "{number} was given twice");
        }
        check_folder(&temp.path().join("out"), &mut seen);
    }
    let _recovered = open(temp.path());
    let hidden = fs::read_dir(temp.path().join("out")).unwrap();
    let hidden = hidden.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with('.')
    });
    assert_eq!(hidden.count(), 0);
    assert!(told.len() >= usize::try_from(ROUNDS).unwrap());
    // Every number that was told has its file, and at most one file a kill was not told.
    let numbers: BTreeSet<u64> = seen.iter().map(|(number, _)| *number).collect();
    assert!(told.is_subset(&numbers));
    assert!(numbers.len() - told.len() <= usize::try_from(ROUNDS).unwrap());
}

/// Moments from 0 to 40 ms after the first file, spread without a pattern and the same in each run.
fn spread(round: u64) -> Duration {
    Duration::from_micros(round.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 40_000)
}

fn killed_after(folder: &Path, span: Duration) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut numbers = Vec::new();
        for line in lines.map_while(Result::ok) {
            // The harness writes the test's name before the first line without ending it.
            if let Some((_, number)) = line.split_once("wrote ") {
                numbers.push(number.parse().unwrap());
                let _told = sender.send(());
            }
            assert!(!line.contains("stopped"), "{line}");
        }
        numbers
    });
    receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    let (_keep, never) = mpsc::channel::<()>();
    let _over = never.recv_timeout(span);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// What was seen before must be there unchanged, and every file whole.
fn check_folder(out: &Path, seen: &mut BTreeSet<(u64, String)>) {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(out).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with('.') {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let row = text.strip_prefix("\u{FEFF}first,filler,last\r\n").unwrap();
        let (first, rest) = row.split_once(',').unwrap();
        let (filler, last) = rest.split_once(',').unwrap();
        assert_eq!(
            (filler.len(), last),
            (20_000, format!("{first}\r\n").as_str()),
            "{name}"
        );
        let number = name
            .strip_suffix(".csv")
            .unwrap()
            .rsplit_once('_')
            .unwrap()
            .1;
        found.insert((number.parse().unwrap(), first.to_owned()));
    }
    assert!(found.is_superset(seen));
    *seen = found;
}
