//! The folders as a receiver and a crash leave them.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use device_api::{Clock as _, Deadline, Patience, SystemClock};
use tempfile::TempDir;

use handover::{
    CivilDate, HandoverError, Outbox, Places, Row, Stamp, State, Template, Wake, Written,
};

const NOW: u64 = 1_795_000_000_000;
const DAY: u64 = 86_400_000;

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        for name in ["out", "ack", "state"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        Self(temp)
    }

    fn path(&self, below: &str) -> std::path::PathBuf {
        self.0.path().join(below)
    }

    fn try_open(&self, head: &str) -> Result<Outbox, HandoverError> {
        let places = Places {
            outgoing: self.path("out"),
            acknowledgements: self.path("ack"),
            state: self.path("state"),
        };
        let text = format!(
            "format = 1\nname = \"t\"\nencoding = \"cp932\"\nfile_name = \"{{date}}-{{counter}}-{{sequence}}.csv\"\n{head}\n\
             [[columns]]\nheader = \"氏名\"\nfield = \"name\"\n"
        );
        Outbox::open(Template::parse(&text).unwrap(), "3", places)
    }

    fn open(&self) -> Outbox {
        self.try_open("").unwrap()
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn write(outbox: &mut Outbox) -> Result<Written, HandoverError> {
    let row: Row = [("name".to_owned(), "髙橋".to_owned())]
        .into_iter()
        .collect();
    let today = CivilDate::new(2026, 11, 21).unwrap();
    outbox.write(
        &[row],
        Stamp {
            today,
            unix_millis: NOW,
        },
    )
}

fn set_changed(path: &Path, millis: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis(millis))
        .unwrap();
}

#[test]
fn a_file_is_whole_private_and_numbered_across_restarts() {
    let bench = Bench::new();
    let first = write(&mut bench.open()).unwrap();
    assert_eq!(
        (first.name.as_str(), first.number),
        ("20261121-3-000001.csv", 1)
    );
    let path = bench.path("out").join(&first.name);
    assert_eq!(
        fs::read(&path).unwrap(),
        b"\x8e\x81\x96\xbc\r\n\xfb\xfc\x8b\xb4\r\n"
    );
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);

    let second = write(&mut bench.try_open("permission = \"0640\"").unwrap()).unwrap();
    assert_eq!(second.number, 2);
    let path = bench.path("out").join(&second.name);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    assert_eq!(bench.files().len(), 2);
}

#[test]
fn a_file_that_is_there_is_never_overwritten_and_its_number_is_skipped() {
    let bench = Bench::new();
    fs::write(bench.path("out/20261121-3-000001.csv"), "another's").unwrap();
    let mut outbox = bench.open();
    let error = write(&mut outbox).unwrap_err();
    assert_eq!(error.fault().as_str(), "HND-EXISTS");
    assert_eq!(
        fs::read(bench.path("out/20261121-3-000001.csv")).unwrap(),
        b"another's"
    );
    assert_eq!(write(&mut outbox).unwrap().number, 2);
    assert_eq!(bench.files().len(), 2);
}

#[test]
fn a_dangling_link_under_the_name_counts_as_a_file() {
    let bench = Bench::new();
    std::os::unix::fs::symlink(
        bench.path("elsewhere"),
        bench.path("out/20261121-3-000001.csv"),
    )
    .unwrap();
    assert_eq!(
        write(&mut bench.open()).unwrap_err().fault().as_str(),
        "HND-EXISTS"
    );
    assert!(!bench.path("elsewhere").exists());
}

#[test]
fn one_process_at_a_time() {
    let bench = Bench::new();
    let _first = bench.open();
    assert!(matches!(
        bench.try_open("").unwrap_err(),
        HandoverError::InUse { .. }
    ));
}

#[test]
fn a_crash_at_each_step_is_repaired() {
    let hidden = ".t.3~20261121-3-000001.csv.part";
    let record = r#"{"format":1,"name":"20261121-3-000001.csv","unix_millis":5}"#;
    // Before the record: the number was never seen and is given out.
    let bench = Bench::new();
    fs::write(bench.path("out").join(hidden), "half").unwrap();
    assert_eq!(write(&mut bench.open()).unwrap().number, 1);
    assert_eq!(bench.files().len(), 1);
    // A record that was cut off, and a whole one: the number is spent, the half file gone.
    for begun in [r#"{"format":1,"name":"2"#, record] {
        let bench = Bench::new();
        drop(bench.open());
        fs::write(bench.path("state/t.3/0000000001.begun"), begun).unwrap();
        fs::write(bench.path("out").join(hidden), "whole").unwrap();
        assert_eq!(write(&mut bench.open()).unwrap().number, 2);
        assert_eq!(bench.files(), ["20261121-3-000002.csv"]);
        assert_eq!(bench.open().survey(NOW, Duration::MAX).unwrap().len(), 1);
    }
    // After the name: the file counts as sent.
    let bench = Bench::new();
    drop(bench.open());
    fs::write(bench.path("state/t.3/0000000001.begun"), record).unwrap();
    fs::write(bench.path("out/20261121-3-000001.csv"), "whole").unwrap();
    let all = bench.open().survey(NOW, Duration::MAX).unwrap();
    assert_eq!((all.len(), &all[0].state), (1, &State::Waiting));
    // Taken by the receiver before we came back.
    fs::remove_file(bench.path("out/20261121-3-000001.csv")).unwrap();
    assert_eq!(
        bench.open().survey(NOW, Duration::MAX).unwrap()[0].state,
        State::Taken
    );
}

#[test]
fn a_missing_folder_is_an_error_and_is_not_made() {
    let bench = Bench::new();
    let mut outbox = bench.open();
    fs::remove_dir(bench.path("out")).unwrap();
    assert_eq!(
        write(&mut outbox).unwrap_err().fault().as_str(),
        "HND-FOLDER"
    );
    assert!(outbox.survey(NOW, Duration::MAX).is_err());
    assert!(!bench.path("out").exists());
    drop(outbox);
    assert_eq!(
        bench.try_open("").unwrap_err().fault().as_str(),
        "HND-FOLDER"
    );
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind_and_costs_no_number() {
    let bench = Bench::new();
    let mut outbox = bench.open();
    // Something stands where the hidden file would be made, and leads elsewhere.
    let hidden = bench.path("out/.t.3~20261121-3-000001.csv.part");
    std::os::unix::fs::symlink(bench.path("elsewhere"), &hidden).unwrap();
    assert_eq!(
        write(&mut outbox).unwrap_err().fault().as_str(),
        "HND-FOLDER"
    );
    assert_eq!(bench.files(), Vec::<String>::new());
    assert!(!bench.path("elsewhere").exists());
    assert_eq!(write(&mut outbox).unwrap().number, 1);
}

#[test]
fn answers_are_understood() {
    let bench = Bench::new();
    let mut outbox = bench.open();
    let names: Vec<_> = (0..4).map(|_| write(&mut outbox).unwrap().name).collect();
    let answer =
        |index: usize, kind: &str| bench.path("ack").join(format!("{}.{kind}", names[index]));
    fs::write(answer(0, "ack"), "").unwrap();
    fs::rename(bench.path("out").join(&names[1]), answer(1, "ack")).unwrap();
    fs::File::create(answer(2, "err"))
        .unwrap()
        .write_all(b"\x93\xfa\x95t\x95s\x90\xb3\x07\r\nmore")
        .unwrap();

    let all = outbox
        .survey(NOW + 11 * 60_000, Duration::from_secs(600))
        .unwrap();
    let overdue: Vec<_> = all.iter().map(|one| one.overdue).collect();
    assert_eq!(overdue, [false, false, false, true]);
    assert_eq!(
        (&all[0].state, &all[1].state),
        (&State::Acknowledged, &State::Acknowledged)
    );
    let State::Rejected(reason) = &all[2].state else {
        panic!()
    };
    assert_eq!(
        (reason.expose(), format!("{reason:?}").as_str()),
        ("日付不正", "Reason(..)")
    );
    assert_eq!(outbox.acknowledged(NOW).unwrap().len(), 2);
    assert_eq!(outbox.pending(NOW, Duration::ZERO).unwrap().len(), 1);
}

#[test]
fn what_is_acknowledged_is_deleted_in_time_and_what_is_not_stays() {
    let bench = Bench::new();
    let mut outbox = bench.open();
    let names: Vec<_> = (0..3).map(|_| write(&mut outbox).unwrap().name).collect();
    let ack = bench.path("ack").join(format!("{}.ack", names[0]));
    fs::write(&ack, "").unwrap();
    set_changed(&ack, NOW);
    fs::write(bench.path("ack").join(format!("{}.err", names[1])), "no").unwrap();

    assert_eq!(
        outbox.sweep(NOW + 7 * DAY - 1, 7).unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(outbox.sweep(NOW + 7 * DAY, 7).unwrap(), [names[0].clone()]);
    assert_eq!(bench.files(), names[1..]);
    assert!(!ack.exists());

    // The highest number is remembered even when its file is gone.
    let ack = bench.path("ack").join(format!("{}.ack", names[2]));
    fs::write(&ack, "").unwrap();
    set_changed(&ack, NOW);
    assert_eq!(outbox.sweep(NOW + 30 * DAY, 7).unwrap().len(), 1);
    drop(outbox);
    assert_eq!(write(&mut bench.open()).unwrap().number, 4);
}

#[test]
fn a_rejection_is_not_settled_by_a_share_that_is_gone() {
    let bench = Bench::new();
    let mut outbox = bench.open();
    let name = write(&mut outbox).unwrap().name;
    fs::write(bench.path("ack").join(format!("{name}.err")), "no").unwrap();
    outbox.sweep(NOW, 7).unwrap();
    for folder in ["out", "ack"] {
        fs::rename(bench.path(folder), bench.path(&format!("{folder} gone"))).unwrap();
    }
    assert!(outbox.sweep(NOW, 7).is_err());
    for folder in ["out", "ack"] {
        fs::rename(bench.path(&format!("{folder} gone")), bench.path(folder)).unwrap();
    }
    outbox.sweep(NOW, 7).unwrap();
    let left = outbox.survey(NOW, Duration::ZERO).unwrap();
    assert!(matches!(left[0].state, State::Rejected(_)));
}

/// A rejected file had no way out: once a person had removed it, it counted as taken and overdue for ever.
#[test]
fn a_rejection_is_settled_by_removing_the_file_and_its_answer_in_any_order() {
    for file_first in [true, false] {
        let bench = Bench::new();
        let mut outbox = bench.open();
        let names: Vec<_> = (0..2).map(|_| write(&mut outbox).unwrap().name).collect();
        let file = bench.path("out").join(&names[0]);
        let rejection = bench.path("ack").join(format!("{}.err", names[0]));
        fs::write(&rejection, "no").unwrap();
        outbox.sweep(NOW, 7).unwrap();
        // The agent is started anew in between, and looks after each step.
        drop(outbox);
        let mut outbox = bench.open();
        let (first, second) = if file_first {
            (&file, &rejection)
        } else {
            (&rejection, &file)
        };
        fs::remove_file(first).unwrap();
        outbox.sweep(NOW, 7).unwrap();
        assert_eq!(outbox.survey(NOW, Duration::ZERO).unwrap().len(), 2);
        fs::remove_file(second).unwrap();
        outbox.sweep(NOW, 7).unwrap();
        let left = outbox.survey(NOW, Duration::ZERO).unwrap();
        assert_eq!(
            left.iter().map(|one| &one.name).collect::<Vec<_>>(),
            [&names[1]]
        );
        // What was never rejected and is gone was taken without a word.
        fs::remove_file(bench.path("out").join(&names[1])).unwrap();
        outbox.sweep(NOW, 7).unwrap();
        let left = outbox.survey(NOW, Duration::ZERO).unwrap();
        assert_eq!((left.len(), &left[0].state), (1, &State::Taken));
    }
}

#[test]
fn a_pipe_or_link_as_an_answer_does_not_hang_or_lead_away() {
    let bench = Bench::new();
    let mut outbox = bench.open();
    let name = write(&mut outbox).unwrap().name;
    let answer = bench.path("ack").join(format!("{name}.err"));
    std::os::unix::fs::symlink("/etc/hostname", &answer).unwrap();
    assert!(outbox.survey(NOW, Duration::MAX).is_err());
    fs::remove_file(&answer).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &answer, rustix::fs::Mode::RUSR).unwrap();
    let all = outbox.survey(NOW, Duration::MAX).unwrap();
    assert!(matches!(&all[0].state, State::Rejected(reason) if reason.expose().is_empty()));
}

#[test]
fn a_folder_that_may_not_be_written_is_an_error() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let bench = Bench::new();
    let mut outbox = bench.open();
    fs::set_permissions(bench.path("out"), fs::Permissions::from_mode(0o500)).unwrap();
    assert_eq!(
        write(&mut outbox).unwrap_err().fault().as_str(),
        "HND-FOLDER"
    );
}

#[test]
fn a_wait_ends_with_an_answer_or_with_the_patience() {
    let bench = Bench::new();
    let mut outbox = bench.open();
    let watch = outbox.watch().unwrap();
    let clock = Arc::new(SystemClock::new());
    let deadline = Deadline::at(clock.now().plus(Duration::from_secs(60)));
    let patience = Patience::new(clock, deadline);
    let name = write(&mut outbox).unwrap().name;
    assert_eq!(watch.wait(&patience).unwrap(), Wake::Look);
    std::thread::scope(|threads| {
        threads.spawn(|| fs::write(bench.path("ack").join(format!("{name}.ack")), "").unwrap());
        while outbox.acknowledged(NOW).unwrap().is_empty() {
            assert_eq!(watch.wait(&patience).unwrap(), Wake::Look);
        }
    });
    std::thread::scope(|threads| {
        threads.spawn(|| patience.stop());
        while watch.wait(&patience).unwrap() == Wake::Look {}
    });
}
