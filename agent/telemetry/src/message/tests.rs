//! One message of each class, written and read back.

use super::*;
use device::{Counter, Health, Wear};
use gaps::{DropReason, LastOfLane};
use machine::{ClockState, Disk, TimeQuality, Version};
use outcome::{Bytes, CommandId, Progress};
use presence::{Challenge, LaneMark, LeavingReason};
use work::{JobCount, JobOutcome};

use crate::name::{Digest, Word};
use crate::signer::{Signer as _, SoftwareSigner};

fn word(text: &str) -> Word {
    text.parse().unwrap()
}

fn signer(seed: u8) -> SoftwareSigner {
    SoftwareSigner::from_seed(&[seed; 32]).unwrap()
}

/// One of each class.
fn samples() -> Vec<Message> {
    let lanes = vec![LaneMark {
        lane: Lane::State,
        newest: 5,
        kept: 2,
    }];
    let digest = Digest::of(b"configuration");
    vec![
        Message::Birth(Birth {
            session: 9,
            version: word("0.1.0"),
            platform: word("linux-x86_64"),
            configuration: digest.clone(),
            beat_seconds: 30,
            lanes: lanes.clone(),
        }),
        Message::Beat(Beat {
            session: 9,
            challenge: Challenge::new([3; 16]),
            lanes,
        }),
        Message::Leaving(Leaving {
            session: 9,
            reason: LeavingReason::Stopped,
        }),
        Message::Lost(Lost { session: 9 }),
        Message::Dropped(Dropped {
            epoch: 3,
            lane: Lane::Telemetry,
            first: 1,
            last: u64::MAX,
            reason: DropReason::Quota,
        }),
        Message::Closed(Closed {
            epoch: 3,
            last: vec![LastOfLane {
                lane: Lane::State,
                number: 12,
            }],
        }),
        Message::Fault(FaultChange {
            device: word("agent"),
            fault: word("SVC-LOST"),
            raised: false,
        }),
        Message::Command(CommandState {
            command: CommandId([1; 16]),
            progress: Progress::Refused,
            reason: Some(word("expired")),
            parts: None,
            digest: None,
        }),
        Message::Part(Part {
            command: CommandId([1; 16]),
            part: 0,
            of: 1,
            bytes: Bytes(vec![1, 2]),
        }),
        Message::Key(
            KeyStatement::new(&signer(2), "urn:madoguchi:t:d", &signer(1).verifying_key()).unwrap(),
        ),
        Message::Device(DeviceState {
            device: word("printer-1"),
            class: word("ticketPrinter"),
            health: Health::Attention,
            fault: Some(word("PRN-PAPER-LOW")),
            model: Some(word("TM-T88VI")),
            firmware: None,
            counters: vec![Counter {
                name: word("tickets"),
                count: 40_000,
            }],
            wear: vec![Wear {
                part: word("cutter"),
                used: 900_000,
                rated: 2_000_000,
            }],
        }),
        Message::Machine(MachineState {
            versions: vec![Version {
                part: word("agentd"),
                version: word("0.1.0"),
            }],
            configuration: digest,
            disk: Disk {
                total_mib: 100,
                free_mib: 50,
            },
            clock: ClockState {
                quality: TimeQuality::Synchronised,
                error_millis: Some(3),
            },
            certificate_days: -1,
            uptime_seconds: 5,
        }),
        Message::Queue(QueueState {
            site: word("honcho"),
            service: word("juminhyo"),
            waiting: 12,
            counters: 3,
            longest_wait_seconds: 900,
            issued: 90,
            served: 78,
        }),
        Message::Jobs(JobCounts {
            seconds: 60,
            jobs: vec![JobCount {
                task: word("printTicket"),
                outcome: JobOutcome::Done,
                fault: None,
                count: 3,
                total_millis: 900,
                longest_millis: 400,
            }],
        }),
    ]
}

#[test]
fn every_class_is_read_back() {
    let samples = samples();
    let classes: Vec<Class> = samples.iter().map(Message::class).collect();
    assert_eq!(classes, Class::ALL);
    for message in samples {
        let payload = message.encode().unwrap();
        assert_eq!(Message::decode(message.class(), &payload).unwrap(), message);
        assert!(
            Message::decode(Class::Birth, &payload).is_err() || message.class() == Class::Birth
        );
    }
}

#[test]
fn a_field_that_is_not_known_is_left_out_and_one_that_is_missing_is_an_error() {
    let newer = cbor::encode(&serde_json::json!({"session": 1, "shiny": true})).unwrap();
    let lost = Message::decode(Class::Lost, &newer).unwrap();
    assert_eq!(lost, Message::Lost(Lost { session: 1 }));
    let poorer = cbor::encode(&serde_json::json!({"shiny": true})).unwrap();
    assert_eq!(
        Message::decode(Class::Lost, &poorer),
        Err(CborError::Schema)
    );
}

#[test]
fn bytes_are_bytes_in_cbor_and_hexadecimal_in_json() {
    let part = Part {
        command: CommandId([1; 16]),
        part: 0,
        of: 1,
        bytes: Bytes(vec![0xAB, 2]),
    };
    assert!(
        serde_json::to_string(&part)
            .unwrap()
            .contains(r#""bytes":"ab02""#)
    );
    let payload = Message::Part(part).encode().unwrap();
    assert!(payload.windows(3).any(|bytes| bytes == [0x42, 0xAB, 2]));
}
