//! The binary with a ticket printer at a TCP port: what is printed once, what is in doubt, what is told.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of an integration test fail by panicking"
)]

#[path = "printer/machine.rs"]
mod machine;

use std::{
    fs::File,
    io::Write,
    os::fd::OwnedFd,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use host_protocol::{
    AgentMessage, Align, Attachment, Confidence, DeviceDescription, DeviceState, HostFault,
    HostMessage, Line, LineReader, Outcome, Product, SecretBytes, SecretText, Task, TicketElement,
    TicketState, UnknownReason, decode, encode,
};
use machine::Machine;
use serde_json::{Value, json};

const DEVICE: &str = "ticketPrinter:front";

/// A driver host of ticket printers.
struct Host {
    child: Child,
    input: Option<ChildStdin>,
    output: LineReader<File>,
    next_job: u64,
}

impl Host {
    fn start(settings: Value) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_driver-host"))
            .args(["--log", "warn", "ticket-printer"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = File::from(OwnedFd::from(child.stdout.take().unwrap()));
        let input = child.stdin.take();
        let mut host = Self {
            child,
            input,
            output: LineReader::new(output),
            next_job: 1,
        };
        assert!(matches!(host.hear(), HostMessage::Hello { .. }));
        host.say(&AgentMessage::Welcome {
            protocol: 1,
            settings: Some(settings),
        });
        host
    }

    /// With one printer at this address, whose journal is in this folder.
    fn with(address: &str, folder: &Path) -> Self {
        let printer = json!({
            "name": "front", "connection": {"tcp": address}, "profile": "tm-t88vii",
        });
        Self::start(json!({"state_dir": folder, "printers": [printer]}))
    }

    fn say(&mut self, message: &AgentMessage) {
        let line = encode(message).unwrap();
        self.input.as_mut().unwrap().write_all(&line).unwrap();
    }

    fn hear(&mut self) -> HostMessage {
        match self.output.next_line().unwrap() {
            Some(Line::Whole(line)) => decode(&line).unwrap(),
            other => panic!("{other:?} is no line of the protocol"),
        }
    }

    /// Waits until the printer is told of so.
    fn sees(&mut self, wanted: impl Fn(&DeviceDescription) -> bool) -> DeviceDescription {
        loop {
            if let HostMessage::Devices { devices, .. } = self.hear()
                && let Some(found) = devices.into_iter().find(&wanted)
            {
                assert_eq!(found.id, DEVICE);
                return found;
            }
        }
    }

    fn begin(&mut self, task: Task, deadline_ms: u64) -> u64 {
        let id = self.next_job;
        self.next_job += 1;
        self.say(&AgentMessage::Start {
            id,
            device: DEVICE.to_owned(),
            deadline_ms,
            task,
        });
        id
    }

    fn end(&mut self, job: u64) -> Result<Product, HostFault> {
        loop {
            if let HostMessage::Finished { id, outcome } = self.hear() {
                assert_eq!(id, job);
                return match outcome {
                    Outcome::Done { product } => Ok(*product),
                    Outcome::Failed { fault } => Err(fault),
                };
            }
        }
    }

    fn does(&mut self, task: Task) -> Result<Product, HostFault> {
        let job = self.begin(task, 30_000);
        self.end(job)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A host whose input is closed ends by itself.
        drop(self.input.take());
        let _status = self.child.wait();
    }
}

fn ready(device: &DeviceDescription) -> bool {
    device.state == DeviceState::Ready
}

fn doubts(device: &DeviceDescription) -> bool {
    device.warnings.iter().any(|code| code == "PRN-UNKNOWN")
}

fn text(text: &str) -> TicketElement {
    TicketElement::Text {
        text: SecretText::new(text.to_owned()),
        size: 50,
        bold: false,
        align: Align::Left,
    }
}

fn print(ticket: &str, content: Vec<TicketElement>, reissue: bool) -> Task {
    Task::PrintTicket {
        ticket: ticket.to_owned(),
        content,
        reissue,
    }
}

fn number(ticket: &str, reissue: bool) -> Task {
    let number = TicketElement::Number {
        text: SecretText::new(ticket.to_owned()),
    };
    print(ticket, vec![text("市民課"), number], reissue)
}

/// State, confidence and papers of a ticket.
fn fate(done: Result<Product, HostFault>) -> (TicketState, Option<Confidence>, [u32; 2]) {
    match done {
        Ok(Product::Ticket { ticket }) => (ticket.state, ticket.confidence, ticket.papers),
        other => panic!("{other:?} is no ticket"),
    }
}

fn code(done: Result<Product, HostFault>) -> String {
    done.unwrap_err().code
}

#[test]
fn a_ticket_is_on_one_paper_and_its_reissue_is_counted_apart() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut host = Host::with(&machine.address, folder.path());
    let device = host.sees(ready);
    assert_eq!(device.class, "ticketPrinter");
    assert_eq!(device.capabilities.dots, Some(512));
    assert_eq!(device.capabilities.resolutions, [180]);
    assert_eq!(device.counters["prints"], 0);
    let proved = Some(Confidence::Confirmed);
    let printed = fate(host.does(number("A-001", false)));
    assert_eq!(printed, (TicketState::Printed, proved, [1, 0]));
    let after = host.sees(|device| device.counters["prints"] == 1);
    assert_eq!(after.counters["cuts"], 1);
    assert!(after.counters["lines"] > 0 && after.counters["millimetres"] > 0);
    assert_eq!(code(host.does(number("A-001", false))), "PRN-DUPLICATE");
    assert_eq!(machine.cuts(), 1);
    let again = fate(host.does(number("A-001", true)));
    assert_eq!(again, (TicketState::Printed, proved, [1, 1]));
    assert_eq!(machine.cuts(), 2);
}

#[test]
fn content_that_cannot_be_printed_is_named_by_its_place() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut host = Host::with(&machine.address, folder.path());
    host.sees(ready);
    let content = vec![TicketElement::Rule {}, text("山\u{E000}")];
    let fault = host.does(print("A-001", content, false)).unwrap_err();
    assert_eq!(fault.code, "PRN-CONTENT");
    assert_eq!(fault.about.as_deref(), Some("content/1/1"));
    let picture = |attachment| TicketElement::Picture {
        picture: Attachment {
            attachment,
            media_type: "image/png".to_owned(),
            length: 3,
        },
    };
    let job = host.begin(print("A-002", vec![picture(1)], false), 30_000);
    host.say(&AgentMessage::Part {
        id: job,
        attachment: 1,
        data: SecretBytes::new(b"GIF".to_vec()),
        last: true,
    });
    let fault = host.end(job).unwrap_err();
    assert_eq!(fault.about.as_deref(), Some("content/0"));
    assert_eq!(machine.cuts(), 0);
}

#[test]
fn a_picture_comes_in_parts_and_is_printed_by_its_dots() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut host = Host::with(&machine.address, folder.path());
    host.sees(ready);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 512, 4);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0; 2048]).unwrap();
    writer.finish().unwrap();
    let picture = Attachment {
        attachment: 1,
        media_type: "image/png".to_owned(),
        length: u64::try_from(file.len()).unwrap(),
    };
    let job = host.begin(
        print("A-001", vec![TicketElement::Picture { picture }], false),
        30_000,
    );
    let (head, tail) = file.split_at(20);
    for (data, last) in [(head, false), (tail, true)] {
        host.say(&AgentMessage::Part {
            id: job,
            attachment: 1,
            data: SecretBytes::new(data.to_vec()),
            last,
        });
    }
    assert_eq!(fate(host.end(job)).2, [1, 0]);
    // Four rows of 64 bytes, all black.
    assert_eq!(machine.black_bytes(), 256);
}

#[test]
fn what_stands_in_the_way_is_told_without_asking_for_it() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut host = Host::with(&machine.address, folder.path());
    host.sees(ready);
    let questions = machine.questions();
    machine.paper(false);
    let device = host.sees(|device| device.state == DeviceState::NotReady);
    assert_eq!(device.fault.as_deref(), Some("PRN-PAPER-OUT"));
    machine.paper(true);
    assert_eq!(host.sees(ready).fault, None);
    assert_eq!(machine.questions(), questions);
    machine.paper(false);
    host.sees(|device| device.state == DeviceState::NotReady);
    assert_eq!(code(host.does(number("A-001", false))), "PRN-PAPER-OUT");
    machine.paper(true);
    host.sees(ready);
    // Nothing had left, so the same ticket is printed without a mark.
    assert_eq!(fate(host.does(number("A-001", false))).2, [1, 0]);
    assert_eq!(machine.cuts(), 1);
}

#[test]
fn a_paper_in_doubt_is_told_until_a_person_has_looked() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut host = Host::with(&machine.address, folder.path());
    host.sees(ready);
    // A first paper, so that the next goes out without a question before it.
    host.does(number("A-001", false)).unwrap();
    machine.prove(false);
    let job = host.begin(number("A-002", false), 2000);
    assert_eq!(code(host.end(job)), "PRN-UNKNOWN");
    machine.prove(true);
    host.sees(doubts);
    assert_eq!(code(host.does(number("A-002", false))), "PRN-UNKNOWN");
    let Ok(Product::Tickets { tickets }) = host.does(Task::ListTickets {}) else {
        panic!("no list")
    };
    let [stored] = &tickets[..] else {
        panic!("{tickets:?}")
    };
    assert_eq!(
        (stored.ticket.as_str(), stored.reason),
        ("A-002", UnknownReason::Silent)
    );
    let settled = fate(host.does(Task::SettleTicket {
        ticket: "A-002".to_owned(),
        came_out: true,
    }));
    assert_eq!(settled, (TicketState::Printed, None, [1, 0]));
    host.sees(|device| !doubts(device));
    let settled = host.does(Task::SettleTicket {
        ticket: "A-002".to_owned(),
        came_out: true,
    });
    assert_eq!(settled.unwrap_err().about.as_deref(), Some("ticket"));
}

#[test]
fn after_a_restart_the_printer_is_asked_before_the_first_job() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut host = Host::with(&machine.address, folder.path());
    host.sees(ready);
    host.does(number("A-000", false)).unwrap();
    machine.prove(false);
    host.begin(number("A-001", false), 30_000);
    machine.wait_for_cut(2);
    host.child.kill().unwrap();
    drop(host);
    machine.prove(true);
    let fences = machine.fences();
    let mut host = Host::with(&machine.address, folder.path());
    let device = host.sees(doubts);
    assert_eq!(device.state, DeviceState::Ready);
    assert!(machine.fences() > fences);
    let Ok(Product::Tickets { tickets }) = host.does(Task::ListTickets {}) else {
        panic!("no list")
    };
    assert_eq!(tickets[0].reason, UnknownReason::Interrupted);
    assert_eq!(fate(host.does(number("A-001", true))).2, [1, 1]);
}

#[test]
fn a_printer_that_is_switched_off_is_gone_and_found_again() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let address = machine.address.clone();
    let mut host = Host::with(&address, folder.path());
    host.sees(ready);
    drop(machine);
    let gone = |message: &HostMessage| matches!(message, HostMessage::Devices { devices, .. } if devices.is_empty());
    while !gone(&host.hear()) {}
    let _machine = Machine::at(&address);
    host.sees(ready);
}

#[test]
fn settings_that_cannot_be_end_the_host() {
    let printer = json!({"name": "a", "connection": {"tcp": "x"}, "profile": "tm-t88vii"});
    let mut host = Host::start(json!({"state_dir": "/tmp", "printers": [printer]}));
    assert_eq!(host.child.wait().unwrap().code(), Some(5));
}
