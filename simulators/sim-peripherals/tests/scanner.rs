//! The simulated code scanner at its wire: framing, HID reports, and every fault.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use sim_peripherals::{
    Address, Attach, CodeScanner, FaultPlan, Framing, HidModel, HidScanner, Interface, Layout,
    PlanError, ScanError, ScannerAction, ScannerSettings, Suffix, Symbology,
};

const PATIENCE: Duration = Duration::from_secs(10);

fn scanner(interface: Interface) -> CodeScanner {
    let attach = Attach::Tcp(0);
    CodeScanner::start(ScannerSettings { attach, interface }).unwrap()
}

fn serial() -> CodeScanner {
    scanner(Interface::Stream(Framing::default()))
}

fn connect(scanner: &CodeScanner) -> TcpStream {
    let Address::Tcp(address) = scanner.address() else {
        panic!("a TCP address")
    };
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(scanner.wait_for(|view| view.connected, PATIENCE).connected);
    stream
}

fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn plan(scanner: &CodeScanner, faults: &str) -> Result<(), PlanError> {
    let plan: FaultPlan = serde_json::from_str(&format!(r#"{{"faults":[{faults}]}}"#)).unwrap();
    scanner.plan_faults(plan)
}

#[test]
fn every_fault_leaves_of_a_code_what_it_says() {
    // Pieces are told apart by nothing on a stream, so what is compared is all that arrives.
    for (kind, wanted) in [
        (r#"{"split":2}"#, &b"12345\r6\r"[..]),
        (r#""merge""#, b"12345\r6\r"),
        (r#"{"truncate":3}"#, b"1236\r"),
        (r#""twice""#, b"12345\r12345\r6\r"),
        (r#"{"slow":30}"#, b"12345\r6\r"),
        (r#""lose""#, b"6\r"),
        (r#"{"stall":2}"#, b"126\r"),
        (r#""wrongCheck""#, b"12345X6\r"),
    ] {
        let scanner = serial();
        let mut host = connect(&scanner);
        plan(
            &scanner,
            &format!(r#"{{"where":{{"report":1}},"kind":{kind}}}"#),
        )
        .unwrap();
        scanner.scan(b"12345", &Symbology::Qr).unwrap();
        scanner.scan(b"6", &Symbology::Qr).unwrap();
        assert_eq!(read(&mut host, wanted.len()), wanted, "{kind}");
        scanner.act(ScannerAction::Unplug).unwrap();
        let mut rest = Vec::new();
        host.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "{kind}: {rest:?}");
        assert_eq!(scanner.counters().faults, 1, "{kind}");
    }
}

#[test]
fn a_pulled_cable_refuses_and_a_returned_one_is_at_the_same_place() {
    let scanner = serial();
    assert_eq!(
        scanner.scan(b"1", &Symbology::Qr),
        Err(ScanError::NobodyThere)
    );
    let address = scanner.address();
    plan(
        &scanner,
        r#"{"where":{"report":1},"kind":{"stall":3}},{"where":{"report":1},"kind":"unplug"}"#,
    )
    .unwrap();
    let mut host = connect(&scanner);
    scanner.scan(b"12345", &Symbology::Qr).unwrap();
    let mut bytes = Vec::new();
    host.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"123");
    let Address::Tcp(socket) = address else {
        panic!("a TCP address")
    };
    assert!(TcpStream::connect(socket).is_err());
    scanner.act(ScannerAction::Plug).unwrap();
    assert_eq!(scanner.address(), address);
    let mut host = connect(&scanner);
    scanner.scan(b"67", &Symbology::Qr).unwrap();
    assert_eq!(read(&mut host, 3), b"67\r");
}

#[test]
fn a_hung_scanner_works_again_once_replugged() {
    let scanner = serial();
    plan(
        &scanner,
        r#"{"where":"everyReport","kind":"hang","clearsWhen":"onReplug"}"#,
    )
    .unwrap();
    let _host = connect(&scanner);
    assert_eq!(scanner.scan(b"1", &Symbology::Qr).unwrap().sent, 0);
    assert_eq!(scanner.scan(b"1", &Symbology::Qr), Err(ScanError::Hung));
    scanner.act(ScannerAction::Unplug).unwrap();
    scanner.act(ScannerAction::Plug).unwrap();
    let mut host = connect(&scanner);
    scanner.scan(b"1", &Symbology::Qr).unwrap();
    assert_eq!(read(&mut host, 2), b"1\r");
}

#[test]
fn hid_reports_travel_over_the_stream_with_the_descriptor_first() {
    let scanner = scanner(Interface::HidPos);
    let mut host = connect(&scanner);
    let head = read(&mut host, 3);
    let told = read(
        &mut host,
        usize::from(u16::from_be_bytes([head[1], head[2]])),
    );
    let model = HidScanner::new(&Interface::HidPos).unwrap();
    assert_eq!((head[0], told), (b'D', model.descriptor()));
    scanner.scan(b"8KQ2M4", &Symbology::Qr).unwrap();
    let report = read(&mut host, 67);
    assert_eq!(&report[..14], b"I\x00\x40\x02\x06]Q18KQ2M4");
    host.write_all(b"G\0\x01\xFE").unwrap();
    assert_eq!(read(&mut host, 3), b"R\0\0");
    assert!(plan(&scanner, r#"{"where":"everyReport","kind":"merge"}"#).is_err());
}

#[test]
fn a_keyboard_types_what_it_can() {
    let keyboard = HidScanner::new(&Interface::Keyboard(Layout::Us)).unwrap();
    let (reports, lost) = keyboard.scan(b"A\x1d1", &Symbology::Code128);
    let keys: Vec<(u8, u8)> = reports
        .iter()
        .map(|report| (report.0[0], report.0[2]))
        .collect();
    let up = (0, 0);
    assert_eq!(
        (keys.as_slice(), lost),
        (&[(2, 0x04), up, (0, 0x1E), up, (0, 0x28), up][..], 1)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_serial_scanner_hands_out_every_byte_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let scanner = CodeScanner::start(ScannerSettings {
        attach: Attach::Pty(Some(link.clone())),
        interface: Interface::Stream(Framing {
            suffix: Suffix::CrLf,
            aim: true,
            ..Framing::default()
        }),
    })
    .unwrap();
    let mut host = std::fs::File::open(&link).unwrap();
    assert!(scanner.wait_for(|view| view.connected, PATIENCE).connected);
    let all: Vec<u8> = (0..=255).collect();
    scanner.scan(&all, &Symbology::QrEci).unwrap();
    let mut bytes = vec![0; 261];
    host.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes[..3], b"]Q2");
    assert_eq!(&bytes[3..259], all);
}
