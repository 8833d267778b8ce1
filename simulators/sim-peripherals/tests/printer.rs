//! The simulated printer, with bytes that nobody of this project has written (`tests/data`), and its faults.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use sim_peripherals::{
    Address, FaultPlan, PaperEnd, PaperSupply, Printer, PrinterAction, PrinterSettings, PrinterView,
};

const PATIENCE: Duration = Duration::from_secs(10);
const QR_TEXT: &str = "https://example.invalid/t/8KQ2M4";

fn data(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    std::fs::read(folder.join(name)).unwrap()
}

fn printer() -> Printer {
    Printer::start(PrinterSettings::default()).unwrap()
}

fn connect(printer: &Printer) -> TcpStream {
    let Address::Tcp(address) = printer.address() else {
        panic!("a TCP address")
    };
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn wait(printer: &Printer, wanted: impl Fn(&PrinterView) -> bool) -> PrinterView {
    let view = printer.wait_for(&wanted, PATIENCE);
    assert!(wanted(&view), "{view:?}");
    view
}

/// Prints the bytes of a file and returns the printer with its one paper, kept as a picture to look at.
fn printed(name: &str) -> (Printer, PathBuf) {
    let printer = printer();
    connect(&printer).write_all(&data(name)).unwrap();
    wait(&printer, |view| view.papers == 1);
    let picture = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
    std::fs::write(&picture, printer.paper_png(1).unwrap()).unwrap();
    let counters = printer.counters();
    assert!(counters.unknown.is_empty(), "{:?}", counters.unknown);
    assert!(counters.not_drawn.is_empty(), "{:?}", counters.not_drawn);
    (printer, picture)
}

fn ask<const N: usize>(stream: &mut TcpStream, bytes: &[u8]) -> [u8; N] {
    stream.write_all(bytes).unwrap();
    let mut answer = [0; N];
    stream.read_exact(&mut answer).unwrap();
    answer
}

fn plan(printer: &Printer, faults: &str) {
    let plan: FaultPlan = serde_json::from_str(&format!(r#"{{"faults":[{faults}]}}"#)).unwrap();
    printer.plan_faults(plan).unwrap();
}

/// Decodes with zbar, which shares nothing with the library that drew the code.
fn decoded(picture: &PathBuf) -> String {
    let output = Command::new("zbarimg")
        .args(["--quiet", "--raw"])
        .arg(picture)
        .output()
        .expect("zbarimg, of the Debian package zbar-tools, is installed");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

#[test]
fn codes_of_other_programs_are_decoded_from_the_picture() {
    for name in [
        "python-escpos-qr.bin",
        "receiptline.bin",
        "receipt-printer-encoder.bin",
    ] {
        let (_, picture) = printed(name);
        assert_eq!(decoded(&picture), QR_TEXT, "{name}");
    }
}

#[test]
fn text_of_other_programs_is_read_as_they_meant_it() {
    let (printer, _) = printed("receiptline.bin");
    let text = printer.papers().remove(0).text;
    for part in [
        "A-017",
        "市民課　転入届",
        "お待ちの人数",
        "約20分",
        "窓口",
        "ｶﾅ ABC 123",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let (printer, _) = printed("python-escpos-text.bin");
    let paper = printer.papers().remove(0);
    assert_eq!(paper.end, PaperEnd::Cut);
    assert!(
        paper
            .text
            .starts_with("A-017\nCounter 3\nWait about 20 minutes")
    );
}

#[test]
fn three_ways_to_send_an_image_burn_the_same_dots() {
    let height = |name: &str| {
        let (printer, _) = printed(name);
        let paper = printer.papers().remove(0);
        (paper.width, paper.height, printer.counters().commands)
    };
    let raster = height("python-escpos-raster.bin");
    let graphics = height("python-escpos-graphics.bin");
    let column = height("python-escpos-column.bin");
    assert!(raster.2.contains_key("GS v"), "{:?}", raster.2);
    assert!(graphics.2.contains_key("GS ( L"), "{:?}", graphics.2);
    assert!(column.2.contains_key("ESC *"), "{:?}", column.2);
    assert_eq!((raster.0, raster.1), (graphics.0, graphics.1));
}

#[test]
fn status_is_told_when_asked_and_when_it_changes() {
    let printer = printer();
    let mut host = connect(&printer);
    assert_eq!(ask(&mut host, b"\x10\x04\x01"), [0x12]);
    assert_eq!(ask(&mut host, b"\x1da\x0f"), [0x10, 0, 0, 0]);
    printer.act(PrinterAction::PaperNearEnd).unwrap();
    assert_eq!(ask(&mut host, b""), [0x10, 0, 3, 0]);
    printer.act(PrinterAction::OpenCover).unwrap();
    assert_eq!(ask(&mut host, b""), [0x38, 0, 3, 0]);
    assert_eq!(ask(&mut host, b"\x10\x04\x04"), [0x1E]);
    printer.act(PrinterAction::CloseCover).unwrap();
    assert_eq!(ask(&mut host, b""), [0x10, 0, 3, 0]);
    assert_eq!(ask(&mut host, b"\x1dI\x43"), *b"_TM-T88V\0");
}

#[test]
fn the_process_id_comes_back_only_once_all_before_it_is_printed() {
    let printer = printer();
    let mut host = connect(&printer);
    printer.act(PrinterAction::TakePaperOut).unwrap();
    host.write_all(b"A-001\n\x1dV\x00\x1d(H\x06\x0000T001")
        .unwrap();
    wait(&printer, |view| view.buffered > 0);
    // The status answers first, because the rest waits for paper.
    assert_eq!(ask(&mut host, b"\x10\x04\x04"), [0x7E]);
    assert!(printer.papers().is_empty());
    printer.act(PrinterAction::PutPaperIn).unwrap();
    assert_eq!(ask(&mut host, b""), *b"\x37\x22T001\0");
    assert_eq!(printer.papers().remove(0).text, "A-001\n");
}

#[test]
fn a_power_cut_leaves_a_half_printed_paper_and_loses_the_rest() {
    let printer = printer();
    plan(&printer, r#"{"where":{"byte":20},"kind":"powerCut"}"#);
    let mut host = connect(&printer);
    host.write_all(b"A-001\n12345678901234\nmore\n\x1dV\x00")
        .unwrap();
    let view = wait(&printer, |view| !view.powered);
    assert!(!view.reachable);
    let papers = printer.papers();
    assert_eq!((papers.len(), papers[0].end), (1, PaperEnd::PowerCut));
    assert_eq!(papers[0].text, "A-001\n");
    let Address::Tcp(address) = printer.address() else {
        panic!("a TCP address")
    };
    // The connection is gone before the port is; a moment later nobody answers there.
    let mut rest = Vec::new();
    assert!(matches!(host.read_to_end(&mut rest), Ok(0) | Err(_)));
    printer.act(PrinterAction::SwitchOn).unwrap();
    assert_eq!(printer.address(), Address::Tcp(address));
    assert_eq!(ask(&mut connect(&printer), b"\x10\x04\x01"), [0x12]);
}

#[test]
fn a_jammed_cutter_waits_for_the_host_and_can_be_told_to_forget() {
    let printer = printer();
    let mut host = connect(&printer);
    printer.act(PrinterAction::JamCutter).unwrap();
    host.write_all(b"A-001\n\x1dV\x00A-002\n\x1dV\x00").unwrap();
    wait(&printer, |view| view.error.is_some());
    assert_eq!(ask(&mut host, b"\x10\x04\x03"), [0x1A]);
    printer.act(PrinterAction::FreeCutter).unwrap();
    host.write_all(b"\x10\x05\x02").unwrap();
    wait(&printer, |view| view.error.is_none() && view.buffered == 0);
    assert!(printer.papers().is_empty());
    host.write_all(b"A-003\n\x1dV\x01").unwrap();
    wait(&printer, |view| view.papers == 1);
    let paper = printer.papers().remove(0);
    assert_eq!(
        (paper.text.as_str(), paper.end),
        ("A-001\nA-003\n", PaperEnd::PartialCut)
    );
}

#[test]
fn real_time_bytes_inside_an_image_are_carried_out_where_the_model_does() {
    for (carried_out, answers) in [(true, 1), (false, 0)] {
        let printer = Printer::start(PrinterSettings {
            real_time_in_data: carried_out,
            ..PrinterSettings::default()
        })
        .unwrap();
        let mut job = b"\x1dv0\x00\x02\x00\x08\x00".to_vec();
        job.extend_from_slice(b"\x10\x04\x01_____________");
        job.extend_from_slice(b"\n\x1dV\x00");
        connect(&printer).write_all(&job).unwrap();
        wait(&printer, |view| view.papers == 1);
        let counters = printer.counters();
        assert_eq!(counters.real_time_in_data, 1);
        assert_eq!(counters.answers, answers);
    }
}

#[test]
fn answers_are_garbled_doubled_and_lost_as_planned() {
    let printer = printer();
    plan(
        &printer,
        r#"{"where":{"report":1},"kind":"twice"},{"where":{"report":2},"kind":"lose"},
           {"where":{"named":"DLE EOT"},"kind":{"slow":20},"clearsWhen":"never"}"#,
    );
    let mut host = connect(&printer);
    assert_eq!(ask(&mut host, b"\x10\x04\x01"), [0x12, 0x12]);
    host.write_all(b"\x10\x04\x01").unwrap();
    assert_eq!(ask(&mut host, b"\x10\x04\x02\x10\x04\x04"), [0x12, 0x12]);
    assert_eq!(printer.counters().faults, 6);
    assert_eq!(printer.view().paper, PaperSupply::Enough);
}

/// The port could not be opened again while another test was starting a process, which held a copy of the
/// listening socket for a moment.
#[test]
fn pulled_cables_leave_a_printer_that_prints() {
    let printer = printer();
    let address = printer.address();
    for _ in 0..200 {
        printer.act(PrinterAction::Unplug).unwrap();
        printer.act(PrinterAction::Plug).unwrap();
    }
    assert_eq!(printer.address(), address);
    connect(&printer).write_all(b"A-001\n\x1dV\x00").unwrap();
    wait(&printer, |view| view.papers == 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_serial_printer_is_reached_by_a_link_that_survives_the_cable() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let printer = Printer::start(PrinterSettings {
        attach: sim_peripherals::Attach::Pty(Some(link.clone())),
        ..PrinterSettings::default()
    })
    .unwrap();
    for round in 1..=3 {
        let mut host = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&link)
            .unwrap();
        host.write_all(b"\x10\x04\x01").unwrap();
        let mut answer = [0];
        host.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0x12]);
        host.write_all(b"A-001\n\x1dV\x00").unwrap();
        wait(&printer, |view| view.papers == round);
        printer.act(PrinterAction::Unplug).unwrap();
        assert!(!link.exists());
        assert!(matches!(host.read(&mut answer), Ok(0) | Err(_)));
        printer.act(PrinterAction::Plug).unwrap();
    }
}
