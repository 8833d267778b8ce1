//! What an operator types, and reads.

use std::path::Path;
use std::process::{Command, Output};

use crate::kit::{Bench, device, fault, jobs};
use monitor::intake::Verdict;
use monitor::rehearsal::arrival;

fn monitor(folder: &Path, line: &[&str]) -> (i32, String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_monitor"))
        .arg("--config")
        .arg(folder.join("monitor.toml"))
        .args(line)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

fn said(folder: &Path, line: &[&str]) -> String {
    let (code, out, complaint) = monitor(folder, line);
    assert_eq!(code, 0, "{complaint}");
    out
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = "database = 'monitor.db'\nkey = 'monitor.key'\n";
    std::fs::write(folder.path().join("monitor.toml"), config).unwrap();
    folder
}

#[test]
fn devices_are_registered_held_and_released() {
    let folder = folder();
    let folder = folder.path();
    let key = hex::encode(device(3).key().bytes());
    let newer = hex::encode(device(33).key().bytes());
    let (id, newer_id) = (device(3).key().id(), device(33).key().id());
    let name = "hoshino-shi/c-3";
    assert_eq!(
        said(folder, &["device", "add", name, &key]),
        format!("{name}: registered with key {id}\n")
    );
    let (code, _, complaint) = monitor(folder, &["device", "add", name, &key]);
    assert_eq!(
        (code, complaint.as_str()),
        (1, "monitor: it is registered already\n")
    );
    assert_eq!(
        said(
            folder,
            &["device", "add-key", name, &newer, "--from-epoch", "9"]
        ),
        format!("{name}: key {newer_id} counts from epoch 9 on\n")
    );
    said(
        folder,
        &["device", "quarantine", name, "--reason", "stolen"],
    );
    assert_eq!(
        said(folder, &["device", "list"]),
        format!("{name} QUARANTINE: stolen\n  {id} from epoch 0 to 9\n  {newer_id} from epoch 9\n")
    );
    assert_eq!(
        said(folder, &["device", "release", name]),
        format!("{name}: is accepted again\n")
    );
    let (code, _, complaint) = monitor(folder, &["device", "release", "hoshino-shi/nobody"]);
    assert_eq!(
        (code, complaint.as_str()),
        (1, "monitor: no such device is registered\n")
    );
    let (code, _, _) = monitor(folder, &["device", "add", "窓口", &key]);
    assert_eq!(code, 2);
}

#[test]
fn people_are_registered_and_retired() {
    let folder = folder();
    let folder = folder.path();
    let key = hex::encode(device(5).key().bytes());
    let id = device(5).key().id();
    said(folder, &["person", "add", "sato", "operator", &key]);
    assert_eq!(
        said(folder, &["person", "list"]),
        format!("{id} operator sato\n")
    );
    said(folder, &["person", "retire", &key]);
    assert_eq!(
        said(folder, &["person", "list"]),
        format!("{id} operator sato retired\n")
    );
}

#[test]
fn the_key_is_made_once_and_nobody_else_reads_it() {
    let folder = folder();
    let folder = folder.path();
    let first = said(folder, &["key"]);
    assert_eq!(said(folder, &["key"]), first);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::fs::metadata(folder.join("monitor.key")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_is_known_is_shown_exported_and_verified() {
    let folder = folder();
    let folder = folder.path();
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.birth(&[]).unwrap());
    bench.take(&counter.say(&fault(true)).unwrap());
    assert_eq!(bench.take(&counter.say(&jobs(60)).unwrap()), Verdict::Fresh);
    let missing = counter.say(&jobs(61)).unwrap();
    bench.take(&counter.say(&jobs(62)).unwrap());
    let mut forged = counter.say(&jobs(63)).unwrap();
    *forged.bytes.last_mut().unwrap() ^= 1;
    forged.arrival = arrival(5);
    bench.take(&forged);
    bench.take(&forged);
    drop(missing);
    bench.intake.look().unwrap();
    let config = format!("database = {:?}\nkey = 'monitor.key'\n", bench.path);
    std::fs::write(folder.join("monitor.toml"), config).unwrap();

    let shown = said(folder, &["show"]);
    assert_eq!(
        shown,
        "DEVICE                           STANDING    HEARD                 MISSING FAULTS ALARMS\n\
         hoshino-shi/c-3                  alive       2026-11-18T11:06:40Z        1      1      1\n"
    );
    let id = counter.key().id();
    assert_eq!(
        said(folder, &["show", "hoshino-shi/c-3"]),
        format!(
            "hoshino-shi/c-3\n\
             \x20 standing   alive\n\
             \x20 heard      2026-11-18T11:06:40Z\n\
             \x20 session    1 of epoch 1\n\
             \x20 missing    1\n\
             \x20 key        {id} from epoch 0\n\
             \x20 jobs       none in 62 s\n\
             \x20 fault      PRN-PAPER-OUT at printer-1 raised\n\
             \x20 #1 warning forged\n\
             \x20     hoshino-shi/c-3 \n\
             \x20     2 times, 2026-11-18T11:06:45Z to 2026-11-18T11:06:45Z: the signature is not of \
             the key that the message names\n\
             \x20     -> somebody who is no device writes to the broker: check its access list and \
             who connected\n"
        )
    );
    let (code, alarms, _) = monitor(folder, &["alarms", "--json"]);
    assert_eq!(code, 3);
    assert!(
        alarms.contains(r#""kind":"forged""#) && alarms.contains(r#""times":2"#),
        "{alarms}"
    );
    said(folder, &["alarms", "--settle", "1"]);
    assert_eq!(said(folder, &["alarms"]), "no alarm\n");
    assert_eq!(said(folder, &["verify"]), "4 verified, 0 not\n");

    let lines = said(folder, &["evidence", "export"]);
    assert_eq!(lines.lines().count(), 4);
    assert!(lines.contains(r#""topic":"madoguchi/1/hoshino-shi/c-3/up/hb/birth""#));
    let files = folder.join("pack");
    said(
        folder,
        &["evidence", "export", "--files", files.to_str().unwrap()],
    );
    assert_eq!(std::fs::read_dir(&files).unwrap().count(), 8);

    // Somebody changes the file behind the program's back.
    let db = rusqlite::Connection::open(&bench.path).unwrap();
    db.execute("UPDATE evidence SET class = 'beat' WHERE id = 1", [])
        .unwrap();
    let (code, found, _) = monitor(folder, &["verify"]);
    assert_eq!(code, 3);
    assert!(found.ends_with("3 verified, 1 not\n"), "{found}");
}
