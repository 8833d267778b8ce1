//! What devices report, as whoever is in between may spoil it; and the files in which it waits on a disk.

use telemetry::disk::Disk as _;
use telemetry::disk::memory::MemoryDisk;
use telemetry::envelope::LONGEST;
use telemetry::segments::{Place, Segments, scan};
use telemetry::{DownTopic, Envelope, Lane, Message, UpTopic, VerifyingKey};

/// The public key of RFC 8032, 7.1, test 1, with which no input was signed.
const NOBODYS_KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// A topic, a line's end, and an envelope.
///
/// Promise: a topic has one text; an envelope is no longer than it may be, numbers its message and is not
/// genuine unless it was signed; a message that is understood is understood again when it is written.
pub fn envelope(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let (topic, bytes) = input.split_at(end.unwrap_or(input.len()));
    let Ok(topic) = str::from_utf8(topic) else {
        return;
    };
    if let Ok(down) = topic.parse::<DownTopic>() {
        assert_eq!(down.to_string(), topic, "another text");
    }
    let up = topic.parse::<UpTopic>().ok();
    if let Some(up) = &up {
        assert_eq!(up.to_string(), topic, "another text");
    }
    let Ok(envelope) = Envelope::read(bytes.get(1..).unwrap_or_default()) else {
        return;
    };
    assert!(
        envelope.payload().len() < LONGEST,
        "a payload out of nothing"
    );
    assert!(envelope.header().stamp.number > 0, "numbers begin at 1");
    let genuine = envelope.is_signed_by(&VerifyingKey::new(NOBODYS_KEY), topic);
    assert!(!genuine, "nobody can have signed it");
    if let Some(up) = up
        && let Ok(message) = Message::decode(up.class, envelope.payload())
    {
        let written = message
            .encode()
            .expect("what was understood can be written");
        let again = Message::decode(up.class, &written).expect("our own message");
        assert!(again == message, "another message");
    }
}

/// A lane, by the first byte, and its last segment.
///
/// Promise: records, holes and torn end are the whole file; a log of that segment hands out what is sound, the
/// same in both directions; and once it was opened, opening it again finds nothing new.
pub fn segment(input: &[u8]) {
    let (lane, bytes) = input
        .split_first()
        .map_or((0, input), |(lane, rest)| (*lane, rest));
    let mut lanes = Lane::KEPT.into_iter().cycle();
    let lane = lanes.nth(usize::from(lane % 5)).expect("a cycle");
    let found = scan(lane, bytes);
    let length = u64::try_from(bytes.len()).expect("it is in memory");
    assert_eq!(found.sound + found.torn, length, "bytes are left over");
    let holes = found.holes.iter();
    assert!(
        holes
            .clone()
            .all(|hole| hole.offset < hole.end || hole.end == 0),
        "an empty hole that is no lost header"
    );
    assert!(
        holes.clone().all(|hole| hole.end <= found.sound),
        "a hole beyond what is sound"
    );
    let in_runs: u64 = found.runs.iter().map(|run| run.last - run.first + 1).sum();
    assert_eq!(in_runs, found.records, "runs of another length");
    let mut disk = MemoryDisk::new();
    let name = format!("{}-{:016x}-{:016x}.seg", lane.code(), 1, 1);
    disk.tamper(&name, |content| content.extend(bytes));
    let files = disk.list().expect("it is in memory");
    let Ok((log, _)) = Segments::open(&mut disk, lane, &files, 0) else {
        assert!(found.newer.is_some(), "only a newer format is refused");
        return;
    };
    let mut forwards = Vec::new();
    let mut at = Place::START;
    while let Some((record, next)) = log.forwards(&mut disk, at).expect("what is sound is read") {
        forwards.push(record);
        at = next;
    }
    let mut at = log.end();
    for record in forwards.iter().rev() {
        let (before, next) = log
            .backwards(&mut disk, at)
            .expect("what is sound is read")
            .expect("as many as forwards");
        assert!(before == *record, "another record backwards");
        at = next;
    }
    let count = u64::try_from(forwards.len()).expect("it is in memory");
    assert_eq!(count, found.records, "records that the log does not have");
    let files = disk.list().expect("it is in memory");
    let (_, again) = Segments::open(&mut disk, lane, &files, 0).expect("it was opened before");
    assert_eq!(
        (again.records, again.torn),
        (count, 0),
        "opened differently"
    );
    assert!(again.damage.is_empty(), "damage is told once");
}
