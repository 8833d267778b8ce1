//! Envelopes for programs that share no code with ours.
//!
//! What is made here is left in the target folder (`CARGO_TARGET_TMPDIR/telemetry`), where
//! `tests/verify_envelope.py` and the SDK's `verify-envelopes.mjs` find it: they accept each file in
//! `valid` and refuse each one in `invalid`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use telemetry::envelope::seal;
use telemetry::message::device::{DeviceState, FaultChange, Health, Wear};
use telemetry::message::gaps::{DropReason, Dropped};
use telemetry::message::key::KeyStatement;
use telemetry::message::machine::TimeQuality;
use telemetry::message::outcome::{Bytes, CommandId, Part};
use telemetry::message::presence::{Beat, Challenge, LaneMark};
use telemetry::{DeviceName, Lane, Message, Signer as _, SoftwareSigner, Stamp, UpTopic, Word};

fn word(text: &str) -> Word {
    text.parse().unwrap()
}

fn messages(from: &DeviceName, signer: &SoftwareSigner) -> Vec<Message> {
    let next = SoftwareSigner::from_seed(&[9; 32]).unwrap();
    let current = signer.verifying_key();
    vec![
        Message::Beat(Beat {
            session: 3,
            challenge: Challenge::new([0xA5; 16]),
            lanes: vec![LaneMark {
                lane: Lane::Alerts,
                newest: u64::MAX,
                kept: 0,
            }],
        }),
        Message::Dropped(Dropped {
            epoch: 1,
            lane: Lane::Telemetry,
            first: 23,
            last: 24,
            reason: DropReason::Quota,
        }),
        Message::Fault(FaultChange {
            device: word("printer-1"),
            fault: word("PRN-PAPER-OUT"),
            raised: true,
        }),
        Message::Part(Part {
            command: CommandId([9; 16]),
            part: 0,
            of: 1,
            bytes: Bytes((0..=255).collect()),
        }),
        Message::Key(KeyStatement::new(&next, &from.urn(), &current).unwrap()),
        Message::Device(DeviceState {
            device: word("printer-1"),
            class: word("ticketPrinter"),
            health: Health::Attention,
            fault: None,
            model: Some(word("TM-T88VI")),
            firmware: None,
            counters: Vec::new(),
            wear: vec![Wear {
                part: word("cutter"),
                used: 65_535,
                rated: 4_294_967_296,
            }],
        }),
    ]
}

#[test]
fn envelopes_are_left_for_other_programs() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("telemetry");
    let signer = SoftwareSigner::from_seed(&[7; 32]).unwrap();
    let other = SoftwareSigner::from_seed(&[8; 32]).unwrap();
    let from = DeviceName {
        tenant: "hoshino-shi".parse().unwrap(),
        device: "counter-03".parse().unwrap(),
    };
    for kind in ["valid", "invalid"] {
        fs::create_dir_all(folder.join(kind)).unwrap();
    }
    for (place, message) in messages(&from, &signer).into_iter().enumerate() {
        let class = message.class();
        let topic = UpTopic {
            from: from.clone(),
            class,
        };
        let stamp = Stamp {
            epoch: 7,
            lane: class.lane(),
            number: [1, 24, 256, 65_536, 4_294_967_296, u64::MAX][place],
            monotonic_millis: 90_000,
            issued_at: 1_795_219_200,
            quality: TimeQuality::Synchronised,
        };
        let payload = message.encode().unwrap();
        let topic = topic.to_string();
        let envelope = seal(&signer, &from.urn(), stamp, &topic, payload).unwrap();
        let mut spoilt = envelope.clone();
        let middle = spoilt.len() / 2;
        spoilt[middle] ^= 1;
        let write = |kind: &str, name: &str, topic: &str, key: &SoftwareSigner, bytes: &[u8]| {
            let case = serde_json::json!({
                "topic": topic,
                "publicKey": hex::encode(key.verifying_key().bytes()),
                "envelope": hex::encode(bytes),
                "view": message,
            });
            let name = format!("{}-{name}.json", class.code());
            fs::write(folder.join(kind).join(name), case.to_string()).unwrap();
        };
        write("valid", "genuine", &topic, &signer, &envelope);
        let elsewhere = topic.replace("counter-03", "counter-04");
        write("invalid", "elsewhere", &elsewhere, &signer, &envelope);
        write("invalid", "another-key", &topic, &other, &envelope);
        write("invalid", "spoilt", &topic, &signer, &spoilt);
    }
}
