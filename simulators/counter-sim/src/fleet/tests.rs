//! A fleet against a simulated broker: what it says is verified with the keys that it names.

use std::collections::{BTreeMap, BTreeSet};

use clap::Parser;
use sim_broker::{Broker, Plan, Seen};
use telemetry::{Class, Envelope, Lane, UpTopic, VerifyingKey};

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    fleet: Fleet,
}

fn run_of(broker: &Broker, more: &[&str]) -> Run {
    let address = broker.address().to_string();
    let line = [&["fleet", "run", "--broker", &address][..], more];
    match Line::parse_from(line.concat()).fleet {
        Fleet::Run(run) => *run,
        Fleet::Keys(_) => panic!("it says run"),
    }
}

fn go(run: Run) -> serde_json::Value {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut last = String::new();
    runtime
        .block_on(run.go(|line| last = line, std::future::pending()))
        .unwrap();
    serde_json::from_str(&last).unwrap()
}

/// Verifies everything, and gives each device's numbers by lane, and the topics.
fn verified(run: &Run, seen: &[Seen]) -> BTreeMap<(String, Lane), BTreeSet<u64>> {
    let keys: BTreeMap<String, VerifyingKey> = run
        .who
        .keys()
        .map(|line| {
            let line = line.unwrap();
            let (name, key) = line.split_once(' ').unwrap();
            (name.to_owned(), VerifyingKey::from_hex(key).unwrap())
        })
        .collect();
    let mut numbers: BTreeMap<(String, Lane), BTreeSet<u64>> = BTreeMap::new();
    for one in seen {
        let topic: UpTopic = one.topic.parse().unwrap();
        let name = topic.from.to_string();
        let envelope = Envelope::read(&one.payload).unwrap();
        assert!(envelope.is_signed_by(&keys[&name], &one.topic), "{name}");
        let stamp = envelope.header().stamp;
        numbers
            .entry((name, stamp.lane))
            .or_default()
            .insert(stamp.number);
    }
    numbers
}

#[test]
fn everybody_begins_with_a_birth_and_misses_no_number() {
    for connections in ["0", "3"] {
        // A broker that nobody's last words can still reach.
        let broker = Broker::start(Plan::default()).unwrap();
        let run = run_of(
            &broker,
            &[
                "--devices",
                "12",
                "--every",
                "100",
                "--connections",
                connections,
                "--seconds",
                "2",
                "--fault-every",
                "1",
            ],
        );
        let counts = go(run.clone());
        let seen = broker.seen();
        let numbers = verified(&run, &seen);
        let who: BTreeSet<&String> = numbers.keys().map(|(name, _)| name).collect();
        assert_eq!(who.len(), 12);
        for ((name, lane), numbers) in &numbers {
            // The last ones may have been on their way when the fleet ended.
            let last = *numbers.last().unwrap();
            if lane.is_kept() {
                assert_eq!(numbers.len() as u64, last, "{name} {lane:?}");
            }
        }
        let first: Class = seen[0].topic.parse::<UpTopic>().unwrap().class;
        assert_eq!(first, Class::Birth);
        assert_eq!(counts["births"], 12);
        assert!(counts["taken"].as_u64().unwrap() > 120, "{counts}");
        assert!(counts["faults"].as_u64().unwrap() > 0, "{counts}");
    }
}

#[test]
fn a_herd_comes_back_with_new_sessions_and_full_disks_name_what_they_lost() {
    let broker = Broker::start(Plan::default()).unwrap();
    let run = run_of(
        &broker,
        &[
            "--devices",
            "8",
            "--every",
            "100",
            "--seconds",
            "5",
            "--herd-every",
            "2",
            "--herd-for",
            "1",
            "--full-disks",
            "1000",
        ],
    );
    let counts = go(run.clone());
    assert!(counts["births"].as_u64().unwrap() >= 16, "{counts}");
    assert!(counts["connections"].as_u64().unwrap() >= 2, "{counts}");
    assert!(counts["drops"].as_u64().unwrap() > 0, "{counts}");
    let numbers = verified(&run, &broker.seen());
    assert!(numbers.keys().any(|(_, lane)| *lane == Lane::Drops));
}

#[test]
fn everybody_has_begun_when_the_ramp_is_over() {
    let broker = Broker::start(Plan::default()).unwrap();
    let run = run_of(
        &broker,
        &[
            "--devices",
            "10",
            "--ramp",
            "1",
            "--seconds",
            "2",
            "--every",
            "20000",
        ],
    );
    assert_eq!(go(run)["births"], 10);
}

#[test]
fn certificates_come_together_or_not_at_all() {
    for wrong in [
        &["fleet", "run", "--broker", "nowhere"][..],
        &["fleet", "run", "--broker", "b:1", "--key", "k"],
        &["fleet", "run"],
    ] {
        assert!(Line::try_parse_from(wrong).is_err(), "{wrong:?}");
    }
}
