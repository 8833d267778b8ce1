//! The binary with a ticket printer at a TCP port: what is printed once, what is in doubt, what is told.

mod machine;

use std::path::Path;

use host_protocol::{
    AgentMessage, Align, Attachment, Confidence, DeviceDescription, DeviceState, HostFault,
    HostMessage, Outcome, Product, SecretBytes, SecretText, Task, TicketElement, TicketState,
    UnknownReason,
};
use machine::Machine;
use serde_json::json;

use crate::host::Host;

const DEVICE: &str = "ticketPrinter:front";

/// A driver host of ticket printers.
struct Printers {
    host: Host,
}

impl Printers {
    /// With one printer at this address, whose journal is in this folder.
    fn with(address: &str, folder: &Path) -> Self {
        let printer = json!({
            "name": "front", "connection": {"tcp": address}, "profile": "tm-t88vii",
        });
        let settings = json!({"state_dir": folder, "printers": [printer]});
        let host = Host::of("ticket-printer", settings);
        Self { host }
    }

    /// Waits until the printer is told of so.
    fn sees(&mut self, wanted: impl Fn(&DeviceDescription) -> bool) -> DeviceDescription {
        loop {
            if let HostMessage::Devices { devices, .. } = self.host.hear()
                && let Some(found) = devices.into_iter().find(&wanted)
            {
                assert_eq!(found.id, DEVICE);
                return found;
            }
        }
    }

    fn begin(&mut self, task: Task, deadline_ms: u64) -> u64 {
        self.host.begin(DEVICE, task, deadline_ms)
    }

    fn end(&mut self, job: u64) -> Result<Product, HostFault> {
        match self.host.outcome(job) {
            Outcome::Done { product } => Ok(*product),
            Outcome::Failed { fault } => Err(fault),
        }
    }

    fn does(&mut self, task: Task) -> Result<Product, HostFault> {
        let job = self.begin(task, 30_000);
        self.end(job)
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
    let mut printers = Printers::with(&machine.address, folder.path());
    let device = printers.sees(ready);
    assert_eq!(device.class, "ticketPrinter");
    assert_eq!(device.capabilities.dots, Some(512));
    assert_eq!(device.capabilities.resolutions, [180]);
    assert_eq!(device.counters["prints"], 0);
    let proved = Some(Confidence::Confirmed);
    let printed = fate(printers.does(number("A-001", false)));
    assert_eq!(printed, (TicketState::Printed, proved, [1, 0]));
    let after = printers.sees(|device| device.counters["prints"] == 1);
    assert_eq!(after.counters["cuts"], 1);
    assert!(after.counters["lines"] > 0 && after.counters["millimetres"] > 0);
    assert_eq!(code(printers.does(number("A-001", false))), "PRN-DUPLICATE");
    assert_eq!(machine.cuts(), 1);
    let again = fate(printers.does(number("A-001", true)));
    assert_eq!(again, (TicketState::Printed, proved, [1, 1]));
    assert_eq!(machine.cuts(), 2);
}

#[test]
fn content_that_cannot_be_printed_is_named_by_its_place() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut printers = Printers::with(&machine.address, folder.path());
    printers.sees(ready);
    let content = vec![TicketElement::Rule {}, text("山\u{E000}")];
    let fault = printers.does(print("A-001", content, false)).unwrap_err();
    assert_eq!(fault.code, "PRN-CONTENT");
    assert_eq!(fault.about.as_deref(), Some("content/1/1"));
    let picture = |attachment| TicketElement::Picture {
        picture: Attachment {
            attachment,
            media_type: "image/png".to_owned(),
            length: 3,
        },
    };
    let job = printers.begin(print("A-002", vec![picture(1)], false), 30_000);
    printers.host.say(&AgentMessage::Part {
        id: job,
        attachment: 1,
        data: SecretBytes::new(b"GIF".to_vec()),
        last: true,
    });
    let fault = printers.end(job).unwrap_err();
    assert_eq!(fault.about.as_deref(), Some("content/0"));
    assert_eq!(machine.cuts(), 0);
}

#[test]
fn a_picture_comes_in_parts_and_is_printed_by_its_dots() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut printers = Printers::with(&machine.address, folder.path());
    printers.sees(ready);
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
    let job = printers.begin(
        print("A-001", vec![TicketElement::Picture { picture }], false),
        30_000,
    );
    let (head, tail) = file.split_at(20);
    for (data, last) in [(head, false), (tail, true)] {
        printers.host.say(&AgentMessage::Part {
            id: job,
            attachment: 1,
            data: SecretBytes::new(data.to_vec()),
            last,
        });
    }
    assert_eq!(fate(printers.end(job)).2, [1, 0]);
    // Four rows of 64 bytes, all black.
    assert_eq!(machine.black_bytes(), 256);
}

#[test]
fn what_stands_in_the_way_is_told_without_asking_for_it() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut printers = Printers::with(&machine.address, folder.path());
    printers.sees(ready);
    let questions = machine.questions();
    machine.paper(false);
    let device = printers.sees(|device| device.state == DeviceState::NotReady);
    assert_eq!(device.fault.as_deref(), Some("PRN-PAPER-OUT"));
    machine.paper(true);
    assert_eq!(printers.sees(ready).fault, None);
    assert_eq!(machine.questions(), questions);
    machine.paper(false);
    printers.sees(|device| device.state == DeviceState::NotReady);
    assert_eq!(code(printers.does(number("A-001", false))), "PRN-PAPER-OUT");
    machine.paper(true);
    printers.sees(ready);
    // Nothing had left, so the same ticket is printed without a mark.
    assert_eq!(fate(printers.does(number("A-001", false))).2, [1, 0]);
    assert_eq!(machine.cuts(), 1);
}

#[test]
fn a_paper_in_doubt_is_told_until_a_person_has_looked() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut printers = Printers::with(&machine.address, folder.path());
    printers.sees(ready);
    // A first paper, so that the next goes out without a question before it.
    printers.does(number("A-001", false)).unwrap();
    machine.prove(false);
    let job = printers.begin(number("A-002", false), 2000);
    assert_eq!(code(printers.end(job)), "PRN-UNKNOWN");
    machine.prove(true);
    printers.sees(doubts);
    assert_eq!(code(printers.does(number("A-002", false))), "PRN-UNKNOWN");
    let Ok(Product::Tickets { tickets }) = printers.does(Task::ListTickets {}) else {
        panic!("no list")
    };
    let [stored] = &tickets[..] else {
        panic!("{tickets:?}")
    };
    assert_eq!(
        (stored.ticket.as_str(), stored.reason),
        ("A-002", UnknownReason::Silent)
    );
    let settled = fate(printers.does(Task::SettleTicket {
        ticket: "A-002".to_owned(),
        came_out: true,
    }));
    assert_eq!(settled, (TicketState::Printed, None, [1, 0]));
    printers.sees(|device| !doubts(device));
    let settled = printers.does(Task::SettleTicket {
        ticket: "A-002".to_owned(),
        came_out: true,
    });
    assert_eq!(settled.unwrap_err().about.as_deref(), Some("ticket"));
}

#[test]
fn after_a_restart_the_printer_is_asked_before_the_first_job() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let mut printers = Printers::with(&machine.address, folder.path());
    printers.sees(ready);
    printers.does(number("A-000", false)).unwrap();
    machine.prove(false);
    printers.begin(number("A-001", false), 30_000);
    machine.wait_for_cut(2);
    printers.host.kill();
    drop(printers);
    machine.prove(true);
    let fences = machine.fences();
    let mut printers = Printers::with(&machine.address, folder.path());
    let device = printers.sees(doubts);
    assert_eq!(device.state, DeviceState::Ready);
    assert!(machine.fences() > fences);
    let Ok(Product::Tickets { tickets }) = printers.does(Task::ListTickets {}) else {
        panic!("no list")
    };
    assert_eq!(tickets[0].reason, UnknownReason::Interrupted);
    assert_eq!(fate(printers.does(number("A-001", true))).2, [1, 1]);
}

#[test]
fn a_printer_that_is_switched_off_is_gone_and_found_again() {
    let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::start());
    let address = machine.address.clone();
    let mut printers = Printers::with(&address, folder.path());
    printers.sees(ready);
    drop(machine);
    let gone = |message: &HostMessage| matches!(message, HostMessage::Devices { devices, .. } if devices.is_empty());
    while !gone(&printers.host.hear()) {}
    let _machine = Machine::at(&address);
    printers.sees(ready);
}

#[test]
fn settings_that_cannot_be_end_the_host() {
    let printer = json!({"name": "a", "connection": {"tcp": "x"}, "profile": "tm-t88vii"});
    let settings = json!({"state_dir": "/tmp", "printers": [printer]});
    let mut host = Host::of("ticket-printer", settings);
    assert_eq!(host.exit_code(), Some(5));
}
