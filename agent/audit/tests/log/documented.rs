//! `docs/protocol/audit-log.md`: its files are what this crate writes, and its commands judge them.
//!
//! The commands run in `sh` with `sha256sum` and `openssl`, so somebody else's programs agree with ours.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::bench::{Bench, NOW, public_key, record, start};

const PAGE: &str = include_str!("../../../../docs/protocol/audit-log.md");

/// The blocks of code of the page, by the comment above each.
fn blocks() -> BTreeMap<&'static str, &'static str> {
    let mut blocks = BTreeMap::new();
    for part in PAGE.split("<!-- ").skip(1) {
        let (name, rest) = part.split_once(" -->\n```").unwrap();
        let (_language, rest) = rest.split_once('\n').unwrap();
        let (code, _) = rest.split_once("```\n").unwrap();
        blocks.insert(name, code);
    }
    blocks
}

/// Runs a block of commands in a folder that holds the page's files; gives what it prints.
fn run(bench: &Bench, name: &str) -> (bool, String) {
    let script = blocks()[format!("run: {name}").as_str()];
    let output = Command::new("sh")
        .args(["-euc", script])
        .current_dir(bench.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        !errors.contains("not found"),
        "{errors}: apt-get install openssl coreutils"
    );
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// A folder with the files of the page.
fn shown() -> Bench {
    let bench = Bench::new();
    for (name, content) in blocks() {
        let is_file = !name.contains(' ');
        if is_file {
            fs::write(bench.path().join(name), content).unwrap();
        }
    }
    fs::write(bench.path().join("key.hex"), hex::encode(public_key())).unwrap();
    bench
}

#[test]
fn the_page_shows_the_files_that_this_crate_writes() {
    let bench = Bench::new();
    let mut log = bench.open().log;
    log.append(&start(1), NOW + 1000).unwrap();
    log.append(&record(1), NOW + 2000).unwrap();
    drop(log);
    for name in ["segment-0000000000000001.jsonl", "head-0.json"] {
        let written = fs::read_to_string(bench.path().join(name)).unwrap();
        assert_eq!(blocks()[name], written, "{name}");
    }
}

#[test]
fn sha256sum_follows_the_chain_and_finds_a_changed_record() {
    let bench = shown();
    assert_eq!(
        run(&bench, "the chain"),
        (true, blocks()["output: the chain"].to_owned())
    );
    let (_, last) = blocks()["output: the chain"]
        .trim_end()
        .rsplit_once(' ')
        .unwrap();
    assert!(blocks()["head-0.json"].contains(&format!("\"seq\":2,\"hash\":\"{last}\"")));
    let segment = &bench.segments()[0];
    let changed = fs::read_to_string(segment)
        .unwrap()
        .replacen("s-1", "s-2", 1);
    fs::write(segment, changed).unwrap();
    let (fits, said) = run(&bench, "the chain");
    assert!(
        !fits && said.ends_with("record 2 does not follow\n"),
        "{said}"
    );
}

#[test]
fn openssl_verifies_the_head_and_finds_a_forged_one() {
    let bench = shown();
    assert_eq!(
        run(&bench, "the signature"),
        (true, blocks()["output: the signature"].to_owned())
    );
    let changed = blocks()["head-0.json"].replace("\"seq\":2", "\"seq\":4");
    fs::write(bench.head(0), changed).unwrap();
    assert!(!run(&bench, "the signature").0);
}
