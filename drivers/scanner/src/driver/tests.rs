//! Codes of an independent encoder arrive byte for byte over every interface, and the contract holds.

use std::sync::Mutex;

use device_api::{FaultCode, Secret};
use link::memory::{self, Device};

use super::*;
use crate::contract::{self, Bench};
use crate::preapplication::{CounterKey, FormKey, OpenError, PreApplicationKeys};
use crate::settings::KeyboardSelector;
use crate::wire::descriptor::tests::COUNTED;
use crate::wire::framer::Start;
use crate::wire::text::TextRule;

/// The pair's clock, with a date.
#[derive(Debug)]
struct Dated(Arc<dyn Clock>, Mutex<u64>);

impl Clock for Dated {
    fn now(&self) -> Moment {
        self.0.now()
    }

    fn unix_millis(&self) -> u64 {
        *self.1.lock().unwrap()
    }
}

struct Rig {
    device: Device,
    scanner: Box<dyn CodeScanner>,
    clock: Arc<dyn Clock>,
    reports: bool,
}

fn serial_settings() -> ScannerSettings {
    let mut settings = ScannerSettings::new(Connection::Keyboard(KeyboardSelector::Product {
        vendor: 0,
        product: 0,
    }));
    settings.framing = Framing {
        start: Start::Bytes(b"\x16\x16".to_vec()),
        suffix: Suffix::CrLf,
        longest: 3000,
        ..Framing::default()
    };
    settings
}

fn reports_settings() -> ScannerSettings {
    let mut settings = ScannerSettings::new(Connection::Hid(HidSelector::default()));
    settings.framing.longest = 3000;
    settings
}

fn serial_rig(settings: ScannerSettings) -> Rig {
    let (device, link) = memory::stream_pair();
    let clock: Arc<dyn Clock> = Arc::new(Dated(device.clock(), Mutex::new(1_795_000_060_000)));
    Rig {
        scanner: over_stream(Box::new(link), &settings, Arc::clone(&clock)),
        device,
        clock,
        reports: false,
    }
}

fn reports_rig(settings: ScannerSettings, vendor: u16) -> Rig {
    let (device, link) = memory::reports(COUNTED);
    let clock: Arc<dyn Clock> = Arc::new(Dated(device.clock(), Mutex::new(1_795_000_060_000)));
    let scanner = over_reports(Box::new(link), vendor, &settings, Arc::clone(&clock)).unwrap();
    Rig {
        device,
        scanner,
        clock,
        reports: true,
    }
}

impl Rig {
    /// What is sent for one reading, piece by piece.
    fn pieces(&self, identifier: &str, content: &[u8]) -> Vec<Vec<u8>> {
        if self.reports {
            let mut chunks = content.chunks(56).peekable();
            let mut pieces = Vec::new();
            while let Some(chunk) = chunks.next() {
                let mut report = vec![2, u8::try_from(chunk.len()).unwrap()];
                report.extend_from_slice(identifier.as_bytes());
                report.extend_from_slice(chunk);
                report.resize(63, 0);
                report.push(u8::from(chunks.peek().is_some()));
                pieces.push(report);
            }
            return pieces;
        }
        let mut bytes = b"\x16\x16".to_vec();
        bytes.extend_from_slice(identifier.as_bytes());
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(b"\r\n");
        // Cut as a line would: anywhere.
        bytes.chunks(61).map(<[u8]>::to_vec).collect()
    }

    /// Has the scanner read what a scanner would transmit, identifier included.
    fn transmits(&self, transmitted: &[u8]) {
        let (identifier, content) = transmitted.split_at(3);
        for piece in self.pieces(str::from_utf8(identifier).unwrap(), content) {
            self.device.sends(piece);
        }
    }

    fn read(&mut self) -> Result<Scan, ScannerError> {
        let patience = self.patience(Duration::from_secs(5));
        self.scanner.next(&patience)
    }
}

impl Bench for Rig {
    fn scanner(&mut self) -> &mut dyn CodeScanner {
        self.scanner.as_mut()
    }

    fn show(&mut self, identifier: &str, content: &[u8]) {
        for piece in self.pieces(identifier, content) {
            self.device.sends(piece);
        }
    }

    fn show_half(&mut self, identifier: &str, content: &[u8]) {
        let pieces = self.pieces(identifier, content);
        for piece in &pieces[..pieces.len() / 2] {
            self.device.sends(piece.clone());
        }
    }

    fn unplug(&mut self) {
        self.device.vanishes();
    }

    fn patience(&self, span: Duration) -> Patience {
        let until = Deadline::at(self.clock.now().plus(span));
        Patience::new(Arc::clone(&self.clock), until)
    }

    fn longest(&self) -> usize {
        3000
    }

    fn takes_binary(&self) -> bool {
        true
    }
}

fn rigs() -> [Rig; 2] {
    [
        serial_rig(serial_settings()),
        reports_rig(reports_settings(), 0x05F9),
    ]
}

#[test]
fn both_kinds_of_links_keep_the_contract() {
    contract::check(|| serial_rig(serial_settings()));
    contract::check(|| reports_rig(reports_settings(), 0x05F9));
}

/// `tests/data/codes.tsv`: drawn by zint, read by zxing-cpp (`tests/data/codes.py`).
#[test]
fn codes_of_an_independent_encoder_arrive_with_their_text() {
    for mut rig in rigs() {
        let mut read = 0;
        for line in include_str!("../../tests/data/codes.tsv").lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [command, transmitted, content, text] = fields[..] else {
                panic!("four fields");
            };
            let transmitted = hex::decode(transmitted).unwrap();
            rig.transmits(&transmitted);
            let scan = rig.read().unwrap();
            assert_eq!(
                scan.bytes.bytes(),
                hex::decode(content).unwrap(),
                "{command}"
            );
            let found = scan.text.as_ref().map(|found| found.text.as_str());
            assert_eq!(found, Some(text).filter(|text| *text != "-"), "{command}");
            assert!(scan.text.is_none_or(|found| found.certain), "{command}");
            assert_eq!(scan.aim.unwrap().as_text().as_bytes(), &transmitted[..3]);
            assert_eq!(scan.eci.is_empty(), !command.contains("--eci"));
            let gs1 =
                command.contains("gs1") || command.contains("GS1") || command.contains("DBAR");
            assert_eq!(scan.gs1.is_some(), gs1, "{command}");
            if let Some(message) = scan.gs1 {
                let message = message.unwrap();
                assert_eq!(message.elements[0].ai, "01");
                assert_eq!(message.elements[0].value.as_str(), "04912345123459");
            }
            read += 1;
        }
        assert_eq!(read, 19);
    }
}

/// `tests/data/parts.tsv`: the same way, messages in several codes (`tests/data/parts.py`).
#[test]
fn messages_in_several_codes_are_joined_in_any_order() {
    for mut rig in rigs() {
        let mut joined = 0;
        for line in include_str!("../../tests/data/parts.tsv").lines() {
            let mut fields = line.split('\t').map(|field| hex::decode(field).unwrap());
            let message = fields.next().unwrap();
            let mut parts: Vec<Vec<u8>> = fields.collect();
            parts.reverse();
            parts.insert(1, parts[0].clone());
            for part in &parts {
                rig.transmits(part);
            }
            let scan = match rig.read() {
                // One of them is a pre-application, for which these settings have no key.
                Err(error) if message.starts_with(b"MPA1:") => {
                    assert!(matches!(error, ScannerError::Untrusted(OpenError::NoKeys)));
                    joined += 1;
                    continue;
                }
                scan => scan.unwrap(),
            };
            assert_eq!(scan.bytes.bytes(), message);
            assert_eq!(usize::from(scan.parts), parts.len() - 1);
            joined += 1;
        }
        assert_eq!(joined, 4);
    }
}

#[test]
fn a_part_that_does_not_come_is_told_when_its_time_is_over() {
    for mut rig in rigs() {
        rig.show("]Q1", b"MSA:010230:abc");
        let found = rig.read();
        assert!(matches!(found, Err(ScannerError::TimedOut)), "{found:?}");
        let patience = rig.patience(Duration::from_secs(60));
        let found = rig.scanner.next(&patience).unwrap_err();
        assert!(matches!(
            found,
            ScannerError::Incomplete { have: 1, total: 2 }
        ));
        assert_eq!(found.fault(), FaultCode::ScannerIncomplete);
    }
}

#[test]
fn a_code_in_the_midst_of_parts_is_delivered_after_the_parts_are_given_up() {
    for mut rig in rigs() {
        rig.show("]Q1", b"MSA:010230:abc");
        rig.show("]Q1", b"other");
        assert!(matches!(
            rig.read(),
            Err(ScannerError::Incomplete { have: 1, total: 2 })
        ));
        assert_eq!(rig.read().unwrap().bytes.bytes(), b"other");
    }
}

#[test]
fn a_code_that_stays_in_sight_is_one_code() {
    for mut rig in rigs() {
        for _ in 0..3 {
            rig.show("]E0", b"4912345678904");
        }
        rig.show("]E0", b"4912345678911");
        rig.show("]E0", b"4912345678904");
        let mut seen = Vec::new();
        while let Ok(scan) = rig.read() {
            seen.push(scan.bytes.bytes().to_vec());
        }
        assert_eq!(seen, [b"4912345678904", b"4912345678911", b"4912345678904"]);
        // Five seconds later it is another sight.
        rig.show("]E0", b"4912345678904");
        assert!(rig.read().is_ok());
    }
}

#[test]
fn a_reading_without_the_identifier_that_was_agreed_is_no_code() {
    let mut rig = serial_rig(serial_settings());
    rig.device.sends(b"\x16\x16123456\r\n");
    let found = rig.read().unwrap_err();
    assert!(matches!(found, ScannerError::Garbled(Garble::NoIdentifier)));
    let mut settings = serial_settings();
    settings.framing.aim = false;
    let mut rig = serial_rig(settings);
    // Then escapes are content, whatever it looks like.
    rig.device.sends(b"\x16\x16]Q2\\000026x\r\n");
    let scan = rig.read().unwrap();
    assert_eq!(scan.bytes.bytes(), b"]Q2\\000026x");
    assert_eq!((scan.aim, scan.text.unwrap().rule), (None, TextRule::Ascii));
}

#[test]
fn escapes_that_are_none_are_garbled() {
    for mut rig in rigs() {
        rig.show("]Q2", b"C:\\temp");
        let found = rig.read().unwrap_err();
        assert!(matches!(found, ScannerError::Garbled(Garble::Eci(_))));
        assert_eq!(found.fault(), FaultCode::ScannerGarbled);
    }
}

#[test]
fn half_a_reading_is_kept_for_the_next_call() {
    let mut rig = serial_rig(serial_settings());
    rig.device.sends(b"\x16\x16]Q1first ");
    rig.device
        .sends_after(Duration::from_millis(150), b"half\r\n".to_vec());
    let patience = rig.patience(Duration::from_millis(50));
    assert!(matches!(
        rig.scanner.next(&patience),
        Err(ScannerError::TimedOut)
    ));
    let scan = rig.read().unwrap();
    assert_eq!(scan.bytes.bytes(), b"first half");
    assert_eq!(scan.closed_by, ClosedBy::CrLf);
}

#[test]
fn a_suffix_of_the_scanner_is_taken_off_reports_too() {
    let mut settings = reports_settings();
    settings.framing.suffix = Suffix::Cr;
    let mut rig = reports_rig(settings, 0);
    rig.show("]Q1", b"123\r");
    assert_eq!(rig.read().unwrap().bytes.bytes(), b"123");
}

#[test]
fn a_scanner_that_needs_it_is_switched_to_its_mode() {
    for (vendor, set) in [(0x0C2E, vec![vec![0xFE, 0x01]]), (0x05F9, vec![])] {
        let rig = reports_rig(reports_settings(), vendor);
        assert_eq!(rig.device.features_set(), set);
    }
}

#[test]
fn the_usual_layout_is_only_for_those_known_to_have_it() {
    // A scanner that describes nothing but a page of its vendor's.
    const BARE: [u8; 23] = [
        0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0x85, 0x02, 0x06, 0x66, 0xFF, 0x09, 0x01, 0x15, 0x00,
        0x75, 0x08, 0x95, 0x3F, 0x81, 0x02, 0xC0, 0xC0,
    ];
    for (vendor, known) in [(0x0C2E, true), (0x05F9, false)] {
        let (device, link) = memory::reports(BARE);
        let opened = over_reports(Box::new(link), vendor, &reports_settings(), device.clock());
        assert_eq!(opened.is_ok(), known);
        if let Err(error) = opened {
            assert_eq!(error.fault(), FaultCode::DeviceUnsupported);
        }
    }
}

/// The codes of `tests/data/preapplication.tsv`, as scanned.
#[test]
fn a_pre_application_is_verified_before_it_is_delivered() {
    for line in include_str!("../../tests/data/preapplication.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let bytes =
            |index: usize| <[u8; 32]>::try_from(hex::decode(fields[index]).unwrap()).unwrap();
        let settings = |form: [u8; 32]| {
            let mut settings = serial_settings();
            settings.pre_application = Some(Arc::new(PreApplicationKeys {
                municipality: 302_058,
                forms: vec![FormKey {
                    id: 7,
                    public: form,
                }],
                counters: vec![CounterKey {
                    id: 3,
                    private: Secret::new(bytes(3).to_vec()),
                }],
            }));
            settings
        };
        let mut rig = serial_rig(settings(bytes(2)));
        rig.show("]Q1", fields[0].as_bytes());
        let scan = rig.read().unwrap();
        assert_eq!(scan.pre_application.unwrap().form_key, 7);
        let mut rig = serial_rig(settings([1; 32]));
        rig.show("]Q1", fields[0].as_bytes());
        let found = rig.read().unwrap_err();
        assert_eq!(found.fault(), FaultCode::ScannerUntrusted);
        assert!(found.is_about_a_code());
        let mut rig = serial_rig(settings(bytes(2)));
        rig.scanner = {
            let (device, link) = memory::stream_pair();
            rig.clock = Arc::new(Dated(device.clock(), Mutex::new(1_795_086_400_000)));
            rig.device = device;
            over_stream(Box::new(link), &settings(bytes(2)), Arc::clone(&rig.clock))
        };
        rig.show("]Q1", fields[0].as_bytes());
        assert_eq!(rig.read().unwrap_err().fault(), FaultCode::ScannerExpired);
    }
}

#[test]
fn a_wait_is_ended_from_another_thread() {
    let clock: Arc<dyn Clock> = Arc::new(device_api::SystemClock::new());
    let (device, link) = memory::stream_pair_on(Arc::clone(&clock));
    let mut scanner = over_stream(Box::new(link), &serial_settings(), Arc::clone(&clock));
    let until = Deadline::at(clock.now().plus(Duration::from_secs(60)));
    let patience = Patience::new(Arc::clone(&clock), until);
    let stopper = patience.clone();
    let waiting = std::thread::spawn(move || {
        let found = scanner.next(&patience);
        (scanner, found)
    });
    stopper.stop();
    let (mut scanner, found) = waiting.join().unwrap();
    assert!(matches!(found, Err(ScannerError::Cancelled)), "{found:?}");
    device.sends(b"\x16\x16]Q1after\r\n");
    let scan = scanner.next(&Patience::new(clock, until)).unwrap();
    assert_eq!(scan.bytes.bytes(), b"after");
}

/// Real time, real descriptors: what a simulator or a device would be connected to.
pub(crate) fn opened(connection: Connection) -> (Box<dyn CodeScanner>, Patience) {
    let clock: Arc<dyn Clock> = Arc::new(device_api::SystemClock::new());
    let settings = ScannerSettings {
        framing: Framing {
            suffix: Suffix::Cr,
            ..Framing::default()
        },
        ..ScannerSettings::new(connection)
    };
    let until = Deadline::at(clock.now().plus(Duration::from_secs(20)));
    let scanner = open(&settings, Arc::clone(&clock)).unwrap();
    (scanner, Patience::new(clock, until))
}

#[test]
fn a_scanner_is_opened_over_tcp() {
    use std::io::Write as _;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut scanner, patience) = opened(Connection::Tcp(listener.local_addr().unwrap()));
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"]Q1by tcp\r").unwrap();
    assert_eq!(scanner.next(&patience).unwrap().bytes.bytes(), b"by tcp");
    drop(stream);
    assert!(matches!(scanner.next(&patience), Err(ScannerError::Gone)));
}

#[test]
fn a_scanner_is_opened_over_a_stream_of_reports() {
    use std::io::Write as _;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // The wire of link::hid_stream: kind, length, bytes.
    let message = |kind: u8, bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[kind][..], &length, bytes].concat()
    };
    let mut report = b"\x02\x09]Q1by stream".to_vec();
    report.resize(64, 0);
    let sent = [message(b'D', COUNTED), message(b'I', &report)].concat();
    let device = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&sent).unwrap();
        stream
    });
    let (mut scanner, patience) = opened(Connection::HidStream(address));
    assert_eq!(scanner.next(&patience).unwrap().bytes.bytes(), b"by stream");
    drop(device.join().unwrap());
    assert!(matches!(scanner.next(&patience), Err(ScannerError::Gone)));
}
