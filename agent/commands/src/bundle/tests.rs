//! Bundles: their size, their parts, and what does not come out of them.

use telemetry::Lane;
use telemetry::message::device::{Counter, Health, Wear};
use telemetry::message::machine::TimeQuality;

use super::*;

/// What an ordinary machine finds.
pub(crate) fn findings() -> Findings {
    Findings {
        versions: vec![Version {
            part: "agentd".parse().unwrap(),
            version: "0.1.0".parse().unwrap(),
        }],
        configuration: Digest::of(b"configuration"),
        devices: vec![device("printer-1")],
        faults: vec![FaultCount {
            device: "printer-1".parse().unwrap(),
            fault: "PRN-PAPER-OUT".parse().unwrap(),
            count: 3,
        }],
        disk: Disk {
            total_mib: 100,
            free_mib: 50,
        },
        clock: ClockState {
            quality: TimeQuality::Free,
            error_millis: None,
        },
        certificate_days: 30,
        uptime_seconds: 9,
        spool: vec![LaneMark {
            lane: Lane::State,
            newest: 5,
            kept: 2,
        }],
    }
}

fn device(name: &str) -> DeviceState {
    DeviceState {
        device: name.parse().unwrap(),
        class: "ticketPrinter".parse().unwrap(),
        health: Health::Working,
        fault: None,
        model: Word::cleaned("TM-T88VI"),
        firmware: None,
        counters: vec![],
        wear: vec![],
    }
}

/// The longest word that can be, with a number in it.
fn long(number: usize) -> Word {
    format!("{number:a>64}", number = number % 1000)
        .parse()
        .unwrap()
}

#[test]
fn a_bundle_is_read_back_in_order() {
    let bundle = Bundle::new(
        findings(),
        ["one", "二", "three", "no 123456789012", "four"],
    );
    let bytes = bundle.write().unwrap();
    assert_eq!(Bundle::read(&bytes).unwrap(), bundle);
    assert_eq!(bundle.lines(), ["one", "three", "four"]);
    assert_eq!(bundle.left_out().not_plain_ascii, 1);
    assert_eq!(bundle.left_out().seven_digits, 1);
    assert_eq!(bundle.findings(), &findings());
}

#[test]
fn the_largest_bundle_is_no_larger() {
    let mut most = findings();
    most.versions = (0..99)
        .map(|number| Version {
            part: long(number),
            version: long(number),
        })
        .collect();
    let mut full = device("a");
    (full.device, full.class) = (long(1), long(2));
    (full.fault, full.model, full.firmware) = (Some(long(1)), Some(long(1)), Some(long(1)));
    full.counters = (0..99)
        .map(|number| Counter {
            name: long(number),
            count: u64::MAX,
        })
        .collect();
    full.wear = (0..99)
        .map(|number| Wear {
            part: long(number),
            used: u64::MAX,
            rated: u64::MAX,
        })
        .collect();
    most.devices = vec![full; 99];
    most.faults = (0..999)
        .map(|number| FaultCount {
            device: long(number),
            fault: long(number),
            count: u64::MAX,
        })
        .collect();
    let bundle = Bundle::new(most, (0..2_000).map(|_| "x".repeat(512)));
    let bytes = bundle.write().unwrap();
    assert!(bytes.len() <= LARGEST, "{}", bytes.len());
    assert!(bytes.len() > LARGEST - 1_024, "{}", bytes.len());
    assert_eq!(Bundle::read(&bytes).unwrap(), bundle);
    let kept = u64::try_from(bundle.lines().len()).unwrap();
    assert_eq!(bundle.left_out().older + kept, 2_000);
    assert!(kept > 100, "{kept}");
    assert_eq!(bundle.left_out().entries, 35 + 67 + 743 + 32 * (83 + 83));
}

#[test]
fn the_newest_lines_stay() {
    let bundle = Bundle::new(
        findings(),
        (0..2_000).map(|number| format!("line {number}")),
    );
    assert_eq!(bundle.lines().len(), LINES);
    assert_eq!(bundle.lines().last().unwrap(), "line 1999");
    assert_eq!(bundle.left_out().older, 1_500);
}

#[test]
fn parts_make_the_whole_again() {
    let bytes: Vec<u8> = (0..20_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    let parts = parts(CommandId([1; 16]), &bytes);
    assert_eq!(parts.len(), 3);
    assert!(
        parts
            .iter()
            .all(|part| part.bytes.0.len() <= PART && part.of == 3)
    );
    let again: Vec<u8> = parts.into_iter().flat_map(|part| part.bytes.0).collect();
    assert_eq!(again, bytes);
}

/// What a citizen's card, form and ticket hold.
const CANARIES: [&str; 12] = [
    "山田太郎",
    "ヤマダタロウ",
    "ﾔﾏﾀﾞ ﾀﾛｳ",
    "東京都星野市一番町1-2-3",
    "昭和60年4月1日",
    "123456789012",
    "1234-5678-9012",
    "1234 5678 9012",
    "19850401",
    "1985-04-01",
    "090-1234-5678",
    "123-4567",
];

#[test]
fn no_canary_comes_out() {
    // As a line, within lines, escaped, and after a time.
    let lines = CANARIES.iter().flat_map(|canary| {
        [
            (*canary).to_owned(),
            format!("2026-11-21T10:42:15.123456Z  INFO agentd: read name={canary:?} ok"),
            format!("read {}", canary.escape_unicode()),
            format!("{{\"name\":\"{canary}\"}}"),
            format!("x{canary}x"),
        ]
    });
    let lines: Vec<String> = lines.collect();
    let fed = lines.len();
    let bundle = Bundle::new(findings(), lines);
    assert_eq!(bundle.lines(), [] as [String; 0]);
    let left_out = bundle.left_out();
    let kept_back = left_out.seven_digits + left_out.not_plain_ascii;
    assert_eq!(kept_back, u64::try_from(fed).unwrap());

    // As a word, wherever a word can stand; what cannot be a word cannot be said.
    for canary in CANARIES {
        let Some(word) = Word::cleaned(canary) else {
            continue;
        };
        let text = word.as_str();
        let longest = text
            .split(|c: char| !c.is_ascii_digit())
            .map(str::len)
            .max();
        assert!(longest.unwrap() <= 8, "an individual number has 12: {text}");
    }
    let text = bundle.write().unwrap();
    let text = String::from_utf8_lossy(&text);
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary}");
    }
}

#[test]
fn a_bundle_with_a_line_that_no_agent_lets_go_is_none() {
    let mut bundle = Bundle::new(findings(), ["one"]);
    bundle.lines.push("山田太郎".to_owned());
    let bytes = bundle.write().unwrap();
    assert_eq!(Bundle::read(&bytes), Err(CborError::Schema));
    assert!(Bundle::read(&bytes[1..]).is_err());
}
