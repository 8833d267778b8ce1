//! The process is killed with signal 9 in the middle of taking messages in, again and again.
//!
//! What it called fresh is on the disk; nothing is called fresh twice; at the end everything is there once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use monitor::rehearsal::Rehearsed;
use monitor::store::Store;
use telemetry::message::Message;
use telemetry::message::work::JobCounts;

const MESSAGES: usize = 1500;

fn monitor(folder: &Path, verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitor"));
    command.arg("--config").arg(folder.join("monitor.toml"));
    command.args(verb.split(' '));
    command
}

fn ingest(folder: &Path) -> Child {
    monitor(folder, "ingest")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Sends everything; kills the process after so many verdicts. What it said.
fn feed(folder: &Path, lines: &str, kill_after: usize) -> Vec<String> {
    let mut child = ingest(folder);
    let mut input = child.stdin.take().unwrap();
    let lines = lines.to_owned();
    // The process is killed while this writes.
    let writer = std::thread::spawn(move || drop(input.write_all(lines.as_bytes())));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut verdicts = Vec::new();
    let mut line = String::new();
    while verdicts.len() < kill_after && output.read_line(&mut line).unwrap() > 0 {
        verdicts.push(line.trim().to_owned());
        line.clear();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said before it died counts.
    while output.read_line(&mut line).unwrap() > 0 {
        verdicts.push(line.trim().to_owned());
        line.clear();
    }
    writer.join().unwrap();
    verdicts
}

#[test]
fn nothing_is_accepted_twice_and_nothing_that_was_accepted_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(
        folder.join("monitor.toml"),
        "database = 'm.db'\nkey = 'm.key'\n",
    )
    .unwrap();
    assert!(monitor(folder, "key").status().unwrap().success());
    let mut device = Rehearsed::new(1).unwrap();
    Store::open(&folder.join("m.db"))
        .unwrap()
        .add_device(&device.name, &device.key())
        .unwrap();
    let mut lines = String::new();
    for _ in 0..MESSAGES {
        let message = Message::Jobs(JobCounts {
            seconds: 60,
            jobs: Vec::new(),
        });
        let said = device.say(&message).unwrap();
        let line = serde_json::json!({"topic": said.topic, "envelope": hex::encode(&said.bytes)});
        lines.push_str(&format!("{line}\n"));
    }
    let mut fresh = vec![0_u32; MESSAGES];
    for kill_after in [1, 100, 333, 500, 64, 700, 1100, 900, usize::MAX] {
        let verdicts = feed(folder, &lines, kill_after);
        for (at, verdict) in verdicts.iter().enumerate() {
            match verdict.as_str() {
                "fresh" => fresh[at] += 1,
                // It was called fresh before, or the process died between disk and output.
                "duplicate" => {}
                other => panic!("{other}"),
            }
        }
        let seen = fresh.iter().filter(|times| **times > 0).count();
        let store = Store::open(&folder.join("m.db")).unwrap();
        assert!(
            store.evidence_count().unwrap() >= seen as u64,
            "lost after it was acknowledged"
        );
    }
    assert!(fresh.iter().all(|times| *times <= 1), "accepted twice");
    let store = Store::open(&folder.join("m.db")).unwrap();
    assert_eq!(store.evidence_count().unwrap(), MESSAGES as u64);
    let verified = monitor(folder, "verify").output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&verified.stdout),
        "1500 verified, 0 not\n"
    );
}
