//! Every failure with its fault, and papers with what is told of them.

use device_api::Stop;
use link::LinkError;
use printer::fault::Advice;
use printer::journal::JournalError;

use super::*;

fn ticket() -> TicketId {
    TicketId::new("2026-11-21.A.014").unwrap()
}

fn paper(copy: u32, progress: Progress, decision: Option<Decision>) -> Stored {
    Stored {
        ticket: ticket(),
        copy,
        progress,
        decision,
        at: 7,
    }
}

fn unsure(trouble: Option<Trouble>) -> PrintError {
    PrintError::Unsure {
        why: Unsure::PrinterError,
        trouble,
        advice: Advice::StaffDecide,
    }
}

fn link(source: LinkError) -> PrintError {
    PrintError::Link {
        attempted: "connect to",
        source,
    }
}

#[test]
fn every_failure_has_its_fault_and_names_what_is_at_fault() {
    let ticket = ticket();
    let duplicate = PrintError::Duplicate {
        ticket: ticket.clone(),
    };
    let nothing = PrintError::NothingToDecide { ticket };
    let blocked = |trouble| PrintError::Blocked { trouble };
    let content = |error| Failure::Print(PrintError::Content(error));
    let character = ContentError::Character {
        element: 2,
        place: 5,
    };
    let table: [(Failure, &str, Option<&str>); 22] = [
        (content(character), "PRN-CONTENT", Some("content/2/5")),
        (
            content(ContentError::TooWide { element: 1 }),
            "PRN-CONTENT",
            Some("content/1"),
        ),
        (
            content(ContentError::CodeTooLong { element: 0 }),
            "PRN-CONTENT",
            Some("content/0"),
        ),
        (
            content(ContentError::Picture { element: 3 }),
            "PRN-CONTENT",
            Some("content/3"),
        ),
        (
            content(ContentError::TooLong),
            "PRN-CONTENT",
            Some("content"),
        ),
        (content(ContentError::Empty), "PRN-CONTENT", Some("content")),
        (
            Failure::Picture {
                place: 4,
                source: PictureError::NotPng,
            },
            "PRN-CONTENT",
            Some("content/4"),
        ),
        (Failure::Name(BadTicketId), "PRN-CONTENT", Some("ticket")),
        (duplicate.into(), "PRN-DUPLICATE", Some("ticket")),
        (
            nothing.into(),
            FaultCode::DoorConflict.as_str(),
            Some("ticket"),
        ),
        (Failure::InDoubt, "PRN-UNKNOWN", Some("ticket")),
        (unsure(None).into(), "PRN-UNKNOWN", None),
        (unsure(Some(Trouble::PaperOut)).into(), "PRN-UNKNOWN", None),
        (blocked(Trouble::PaperOut).into(), "PRN-PAPER-OUT", None),
        (blocked(Trouble::Cutter).into(), "PRN-CUTTER", None),
        (PrintError::Silent.into(), "PRN-OFFLINE", None),
        (
            link(LinkError::Gone).into(),
            FaultCode::DeviceGone.as_str(),
            None,
        ),
        (
            link(LinkError::Busy).into(),
            FaultCode::DeviceBusy.as_str(),
            None,
        ),
        (
            PrintError::Stopped(Stop::Cancelled).into(),
            FaultCode::JobCancelled.as_str(),
            None,
        ),
        (
            PrintError::Stopped(Stop::Deadline).into(),
            FaultCode::JobDeadline.as_str(),
            None,
        ),
        (
            PrintError::Journal(JournalError::Format).into(),
            FaultCode::AgentInternal.as_str(),
            None,
        ),
        (
            OpenError::Journal(JournalError::Held).into(),
            FaultCode::DeviceBusy.as_str(),
            None,
        ),
    ];
    for (failure, code, about) in table {
        let told = failure.told();
        assert_eq!(
            (told.code.as_str(), told.about.as_deref()),
            (code, about),
            "{failure:?}"
        );
    }
}

#[test]
fn the_log_is_told_the_whole_chain() {
    let failure = Failure::Print(PrintError::Content(ContentError::TooWide { element: 1 }));
    let wanted =
        "use the printer: the ticket cannot be printed whole: element 1 is wider than the paper";
    assert_eq!(failure.told().detail, wanted);
}

#[test]
fn only_a_printer_that_cannot_be_reached_is_gone() {
    let shown = |failure: Failure| failure.shown();
    assert_eq!(shown(link(LinkError::Gone).into()), None);
    assert_eq!(shown(link(LinkError::TimedOut).into()), None);
    let denied = Some((DeviceState::Denied, None));
    assert_eq!(shown(link(LinkError::Denied).into()), denied);
    let held = OpenError::Journal(JournalError::Held);
    assert_eq!(shown(held.into()), Some((DeviceState::InUse, None)));
    let silent = Some((DeviceState::Unresponsive, None));
    assert_eq!(shown(PrintError::Silent.into()), silent);
    let damaged = PrintError::Journal(JournalError::Damaged { line: 3 });
    let broken = Some((DeviceState::NotReady, Some(FaultCode::AgentInternal)));
    assert_eq!(shown(damaged.into()), broken);
}

#[test]
fn a_paper_is_in_doubt_until_somebody_says_what_became_of_it() {
    let silent = Progress::Unknown(Unsure::Silent);
    assert!(in_doubt(&[paper(0, silent, None)]));
    assert!(in_doubt(&[paper(0, Progress::Sent, None)]));
    assert!(!in_doubt(&[paper(
        0,
        silent,
        Some(Decision::DidNotComeOut)
    )]));
    let never = Progress::Unknown(Unsure::NeverSent);
    assert!(!in_doubt(&[paper(0, never, None)]));
    assert!(!in_doubt(&[paper(
        0,
        Progress::Printed(Proof::ProcessId),
        None
    )]));
}

#[test]
fn papers_are_counted_by_whether_they_carry_the_mark() {
    let printed = Progress::Printed(Proof::ProcessId);
    let silent = Progress::Unknown(Unsure::Silent);
    let reprint = Some(Decision::Reprint { copy: 1 });
    let papers = [paper(0, silent, reprint), paper(1, printed, None)];
    let ticket = ticket();
    let after = told(&ticket, &papers, Some(Proof::ProcessId));
    assert_eq!((after.state, after.papers), (TicketState::Printed, [1, 1]));
    assert_eq!(after.confidence, Some(Confidence::Confirmed));
    let settled = told(&ticket, &[paper(0, silent, Some(Decision::CameOut))], None);
    assert_eq!(
        (settled.state, settled.papers),
        (TicketState::Printed, [1, 0])
    );
    assert_eq!(settled.confidence, None);
    let never = Progress::Unknown(Unsure::NeverSent);
    assert_eq!(told(&ticket, &[paper(0, never, None)], None).papers, [0, 0]);
}

#[test]
fn a_stored_ticket_says_why_and_since_when() {
    let found = stored(&paper(0, Progress::Unknown(Unsure::Interrupted), None)).unwrap();
    assert_eq!(
        (found.reason, found.ordered_at),
        (UnknownReason::Interrupted, 7)
    );
    assert_eq!(found.ticket, ticket().as_str());
    assert_eq!(stored(&paper(0, Progress::Sent, None)), None);
    // A clerk was asked to look for the paper of a ticket that had never reached the printer.
    let never = Progress::Unknown(Unsure::NeverSent);
    assert_eq!(stored(&paper(0, never, None)), None);
}

#[test]
fn what_the_printer_reported_is_known_from_the_failure() {
    let of = |error: PrintError| Failure::Print(error).trouble();
    assert_eq!(of(unsure(Some(Trouble::Cutter))), Some(Trouble::Cutter));
    assert_eq!(of(unsure(None)), None);
    let trouble = Trouble::CoverOpen;
    assert_eq!(of(PrintError::Blocked { trouble }), Some(trouble));
    assert_eq!(of(PrintError::Silent), None);
}
