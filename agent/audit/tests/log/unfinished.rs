//! Jobs in whose middle the agent ended.

use std::fs;

use audit::{Entry, Recovery, verify};

use crate::bench::{Bench, NOW, public_key, record, start};

/// A log with these entries, closed as a killed agent leaves it.
fn with_entries(bench: Bench, entries: &[Entry]) -> Bench {
    let mut log = bench.open().log;
    for entry in entries {
        log.append(entry, NOW).unwrap();
    }
    drop(log);
    bench
}

fn unfinished(bench: &Bench) -> (Vec<u64>, u64) {
    let report = verify(bench.path(), Some(&public_key())).unwrap();
    assert_eq!(report.finding, None);
    (report.unfinished, report.unknown)
}

#[test]
fn a_job_without_an_end_is_shown_and_closed_as_unknown_at_the_next_opening() {
    let bench = with_entries(Bench::new(), &[start(1), start(2), record(1)]);
    assert_eq!(unfinished(&bench), (vec![2], 0));
    let expected = [Recovery::JobUnknown {
        job: format!("{:032x}", 2),
        started: 2,
    }];
    assert_eq!(bench.open().recoveries, expected);
    assert_eq!(unfinished(&bench), (vec![], 1));
    let lines = bench.lines();
    let last = String::from_utf8(lines[3].clone()).unwrap();
    let entry = format!(
        r#""entry":{{"kind":"unknown","job":"{:032x}","started":2}}}}"#,
        2
    );
    assert!(last.trim_end().ends_with(&entry), "{last}");
    assert_eq!(bench.open().recoveries, [], "closed once");
}

#[test]
fn a_job_that_ended_or_was_withheld_is_not_closed_again() {
    let withheld = Entry::Withheld {
        job: format!("{:032x}", 1),
    };
    let bench = with_entries(Bench::new(), &[start(1), record(1), withheld]);
    assert_eq!(bench.open().recoveries, []);
    assert_eq!(unfinished(&bench), (vec![], 0));
}

#[test]
fn an_unfinished_job_is_found_in_the_segment_before_the_newest() {
    let bench = with_entries(Bench::with_segments(5), &[start(6), record(7), record(8)]);
    let newest = fs::read_to_string(bench.segments().pop().unwrap()).unwrap();
    assert!(!newest.contains("started"), "the start lies further back");
    let opened = bench.open();
    assert!(
        matches!(
            &opened.recoveries[..],
            [Recovery::JobUnknown { started: 6, .. }]
        ),
        "{:?}",
        opened.recoveries
    );
}

#[test]
fn a_torn_end_does_not_end_a_job() {
    let bench = with_entries(Bench::new(), &[start(1)]);
    let mut whole = with_entries(Bench::new(), &[start(1), record(1)]).lines();
    whole[1].truncate(40);
    bench.write_lines(&whole);
    let opened = bench.open();
    assert!(
        matches!(
            &opened.recoveries[..],
            [
                Recovery::TornLine { .. },
                Recovery::JobUnknown { started: 1, .. }
            ]
        ),
        "{:?}",
        opened.recoveries
    );
}
