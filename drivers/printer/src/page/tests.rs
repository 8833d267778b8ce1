//! The client against servers that misbehave; `tests/page.rs` of this crate has real ones.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use device_api::{Deadline, SystemClock};

use super::ipp::{Attribute, Message, Operation, Tag, Value};
use super::*;

fn patience(span: Duration) -> Patience {
    let clock: Arc<dyn device_api::Clock> = Arc::new(SystemClock::new());
    let deadline = Deadline::at(clock.now().plus(span));
    Patience::new(clock, deadline)
}

/// Answers one connection for each given answer; `None` closes without a word.
fn server(answers: Vec<Option<Message>>) -> (IppPrinter, JoinHandle<Vec<u16>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            let body = loop {
                let count = stream.read(&mut buffer).unwrap();
                bytes.extend(&buffer[..count]);
                if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                    break end + 4;
                }
            };
            let head = String::from_utf8_lossy(&bytes[..body]).to_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split('\r').next().unwrap().parse().unwrap();
            while bytes.len() < body + length {
                let count = stream.read(&mut buffer).unwrap();
                bytes.extend(&buffer[..count]);
            }
            asked.push(Message::decode(&bytes[body..]).unwrap().code);
            if let Some(answer) = answer {
                let answer = answer.encode();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                    answer.len()
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&answer).unwrap();
            }
        }
        asked
    });
    let settings = PageSettings {
        address,
        path: "/ipp/print".into(),
        user: "counter-1".into(),
    };
    (IppPrinter::new(settings), serving)
}

fn answer(groups: Vec<(Tag, Attribute)>) -> Option<Message> {
    let mut message = Message {
        code: 0,
        request: 1,
        groups: Vec::new(),
    };
    for (group, attribute) in groups {
        message.add(group, attribute);
    }
    Some(message)
}

fn printer(state: i32, reasons: &[&str]) -> Option<Message> {
    let operations = [Operation::CreateJob, Operation::SendDocument];
    let operations = operations.map(|operation| Value::Number(i32::from(operation.code())));
    answer(vec![
        (Tag::Printer, Attribute::integer("printer-state", state)),
        (
            Tag::Printer,
            Attribute::keywords("printer-state-reasons", reasons),
        ),
        (
            Tag::Printer,
            Attribute::mime("document-format-supported", "application/pdf"),
        ),
        (
            Tag::Printer,
            Attribute {
                name: "operations-supported".into(),
                values: operations.to_vec(),
            },
        ),
    ])
}

fn job(state: i32) -> Option<Message> {
    answer(vec![
        (Tag::Job, Attribute::integer("job-id", 5)),
        (Tag::Job, Attribute::integer("job-state", state)),
    ])
}

/// The same with the sheets that came out.
fn counted(state: i32, sheets: i32) -> Option<Message> {
    let mut message = job(state)?;
    let sheets = Attribute::integer("job-media-sheets-completed", sheets);
    message.add(Tag::Job, sheets);
    Some(message)
}

fn print(printer: &mut IppPrinter) -> (Result<PagesPrinted, PageError>, Vec<JobState>) {
    let mut states = Vec::new();
    let patience = patience(Duration::from_secs(20));
    let printed = printer.print(
        b"%PDF-1.4",
        &PageOptions::default(),
        &mut |progress| states.push(progress.state),
        &patience,
    );
    (printed, states)
}

#[test]
fn a_lost_answer_to_the_document_is_asked_for_by_the_job() {
    let (mut client, server) = server(vec![printer(3, &["none"]), job(3), None, job(5), job(9)]);
    let (printed, states) = print(&mut client);
    assert_eq!(printed.unwrap().job, 5);
    assert_eq!(states, [JobState::Completed]);
    assert_eq!(server.join().unwrap(), [0x0B, 0x05, 0x06, 0x09, 0x09]);
}

#[test]
fn a_server_that_dies_with_the_document_leaves_doubt() {
    let (mut client, server) = server(vec![printer(3, &["none"]), job(3), None]);
    let waiting = thread::spawn(move || server.join().unwrap());
    let (printed, _) = print(&mut client);
    let error = printed.unwrap_err();
    assert!(
        matches!(error, PageError::Unsure { job: Some(5) }),
        "{error:?}"
    );
    assert_eq!(error.fault(), FaultCode::PrinterUnknown);
    assert_eq!(waiting.join().unwrap().len(), 3);
}

#[test]
fn a_printer_without_paper_gets_no_job_and_one_that_stops_keeps_none() {
    let (mut client, server_one) = server(vec![printer(5, &["media-empty-error"])]);
    assert_eq!(
        print(&mut client).0.unwrap_err().fault(),
        FaultCode::PrinterPaperOut
    );
    assert_eq!(server_one.join().unwrap(), [0x0B]);
    let stops = vec![
        printer(3, &["none"]),
        job(3),
        job(3),
        counted(6, 0),
        printer(5, &["media-empty"]),
        answer(vec![]),
        counted(7, 0),
    ];
    let (mut client, server_two) = server(stops);
    assert_eq!(
        print(&mut client).0.unwrap_err().fault(),
        FaultCode::PrinterPaperOut
    );
    assert_eq!(server_two.join().unwrap()[5..], [0x08, 0x09]);
}

/// The paper ended in the middle of a document of ten sheets: it was told that nothing had been printed, and the
/// citizen got the first sheets twice.
#[test]
fn a_printer_that_stops_in_the_middle_leaves_doubt() {
    let stopped = |(seen, left): (Option<Message>, Option<Message>), reason: &str, told| {
        let answers = vec![
            printer(3, &["none"]),
            job(3),
            job(3),
            seen,
            printer(5, &[reason]),
            answer(vec![]),
            left,
        ];
        let (mut client, server) = server(answers);
        let fault = print(&mut client).0.unwrap_err().fault();
        assert_eq!(fault, told, "{reason}");
        server.join().unwrap();
    };
    let doubt = FaultCode::PrinterUnknown;
    for reason in ["media-empty", "media-jam", "cover-open"] {
        stopped((counted(6, 4), counted(7, 4)), reason, doubt);
    }
    // One came out after the last look, and a server that does not count.
    stopped((counted(6, 0), counted(7, 1)), "media-empty", doubt);
    stopped((job(6), job(7)), "media-empty", doubt);
    let none = (counted(6, 0), counted(7, 0));
    stopped(none, "cover-open", FaultCode::PrinterCoverOpen);
}

#[test]
fn a_job_that_the_server_gives_up_after_sheets_leaves_doubt() {
    for (sheets, fault) in [
        (0, FaultCode::PrinterRejected),
        (2, FaultCode::PrinterUnknown),
    ] {
        let answers = vec![printer(3, &["none"]), job(3), job(3), counted(8, sheets)];
        let (mut client, server) = server(answers);
        assert_eq!(print(&mut client).0.unwrap_err().fault(), fault, "{sheets}");
        server.join().unwrap();
    }
}

#[test]
fn what_is_no_pdf_is_sent_to_nobody() {
    let (mut client, server) = server(vec![]);
    let patience = patience(Duration::from_secs(5));
    let refused = client.print(b"hello", &PageOptions::default(), &mut |_| (), &patience);
    assert!(matches!(refused, Err(PageError::NotPdf)));
    server.join().unwrap();
}

#[test]
fn a_silent_server_is_left_when_somebody_stops_the_work() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let patience = patience(Duration::from_secs(30));
    let stopper = patience.clone();
    let stopping = thread::spawn(move || {
        // Connected and never answered: the client waits when this arrives.
        let connection = listener.accept().unwrap();
        stopper.stop();
        connection
    });
    let settings = PageSettings {
        address,
        path: "/".into(),
        user: "x".into(),
    };
    let error = IppPrinter::new(settings).status(&patience).unwrap_err();
    assert_eq!(error.fault(), FaultCode::JobCancelled);
    drop(stopping.join().unwrap());
}
