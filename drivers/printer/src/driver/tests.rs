//! The driver with a printer of paper in memory; power cuts are in `contract`.

use std::sync::Arc;

use device_api::{Clock, Deadline, FaultCode, Stop};
use journal_file::memory::MemoryDisk;
use link::{Link, LinkError};

use super::*;
use crate::contract::stamp::{Stamp, document, name};
use crate::contract::world::{Variant, World};
use crate::fault::{Advice, PaperFate};
use crate::journal::{Decision, Journal, Progress, Unsure, Wear};
use crate::status::Trouble;

fn request(number: u8) -> PrintRequest {
    PrintRequest {
        ticket: name(number).unwrap(),
        document: document(number),
    }
}

fn world() -> (World, EscPosPrinter) {
    // Keeps answers, clears, and proves by process id.
    let world = World::new(Variant(0b00_1011));
    let driver = world.driver().unwrap();
    (world, driver)
}

fn rows(world: &World) -> usize {
    world.papers().iter().map(Vec::len).sum()
}

#[test]
fn a_printer_that_falls_silent_leaves_doubt_and_may_prove_it_late() {
    let (world, mut driver) = world();
    driver.print(&request(1), &world.patience(10)).unwrap();
    world.mute(true);
    // Status is asked only when there is doubt, so the paper leaves before the silence shows.
    let error = driver.print(&request(2), &world.patience(2)).unwrap_err();
    assert_eq!(error.paper(), PaperFate::None, "{error:?}");
    world.mute(false);
    driver.status(&world.patience(10)).unwrap();
    let doubtful = driver.unresolved();
    assert_eq!(doubtful.len(), 1);
    assert_eq!(doubtful[0].progress, Progress::Unknown(Unsure::NeverSent));
    // What never left can be printed by the same name, unmarked.
    assert_eq!(
        driver.print(&request(2), &world.patience(10)).unwrap().copy,
        0
    );
    assert!(driver.unresolved().is_empty());
}

/// A clerk said of a ticket without paper that it had not come out, and the next attempt was refused as already
/// printed.
#[test]
fn what_never_left_can_be_printed_whatever_was_said_of_it_but_that_it_came_out() {
    for (said, free) in [
        (Resolution::DidNotComeOut, true),
        (Resolution::CameOut, false),
    ] {
        let (world, mut driver) = world();
        world.cover(true);
        driver.print(&request(1), &world.patience(10)).unwrap_err();
        let ticket = name(1).unwrap();
        driver.resolve(&ticket, said, &world.patience(1)).unwrap();
        world.cover(false);
        let again = driver.print(&request(1), &world.patience(10));
        assert_eq!(again.is_ok_and(|printed| printed.copy == 0), free);
    }
}

/// A printer that was taken away.
#[derive(Debug)]
struct Gone;

impl Connector for Gone {
    fn connect(&mut self, _: Deadline) -> Result<Box<dyn Link>, LinkError> {
        Err(LinkError::Gone)
    }
}

/// The power went in the middle of a ticket and the printer was replaced: the ticket was refused as printed, was
/// in no list, and nobody could settle it.
#[test]
fn a_paper_that_was_sent_at_a_crash_can_be_decided_without_its_printer() {
    let (disk, ticket) = (MemoryDisk::default(), name(1).unwrap());
    let mut journal = Journal::open(Box::new(disk.clone())).unwrap();
    journal.reserve(&ticket, 0, 5).unwrap();
    journal.sent(&ticket, 0, Wear::default()).unwrap();
    drop(journal);
    let variant = Variant(0b00_1011);
    let world = World::new(variant);
    let parts = Parts {
        typesetter: Box::new(Stamp),
        journal: Journal::open(Box::new(disk)).unwrap(),
        profile: variant.profile(),
        attendance: Attendance::Staffed,
        roll_metres: None,
        clock: Arc::new(device_api::SystemClock::new()),
    };
    let mut driver = EscPosPrinter::new(Box::new(Gone), parts);
    let lost = driver.status(&world.patience(10)).unwrap_err();
    assert_eq!(lost.fault(), FaultCode::DeviceGone);
    let doubtful = driver.unresolved();
    assert_eq!(doubtful.len(), 1);
    assert_eq!(doubtful[0].progress, Progress::Unknown(Unsure::Interrupted));
    driver
        .resolve(&ticket, Resolution::CameOut, &world.patience(10))
        .unwrap();
    assert_eq!(driver.unresolved(), []);
    // Should it come back, it is still asked before anything is printed.
    assert!(driver.parts.journal.holding());
}

#[test]
fn an_answer_that_comes_too_late_still_proves_the_paper() {
    let (world, mut driver) = world();
    driver.print(&request(1), &world.patience(10)).unwrap();
    world.mute_after(1);
    let error = driver.print(&request(2), &world.patience(10)).unwrap_err();
    assert_eq!(error.fault(), FaultCode::PrinterUnknown, "{error:?}");
    assert!(matches!(
        error,
        PrintError::Unsure {
            why: Unsure::Silent,
            advice: Advice::StaffDecide,
            ..
        }
    ));
    world.mute(false);
    driver.status(&world.patience(10)).unwrap();
    assert!(driver.unresolved().is_empty());
    assert_eq!(
        driver.papers(&name(2).unwrap())[0].progress,
        Progress::Printed(Proof::ProcessId)
    );
}

#[test]
fn a_late_proof_does_not_undo_a_decision() {
    let (world, mut driver) = world();
    driver.print(&request(1), &world.patience(10)).unwrap();
    world.mute_after(1);
    driver.print(&request(2), &world.patience(10)).unwrap_err();
    let ticket = name(2).unwrap();
    driver
        .resolve(&ticket, Resolution::DidNotComeOut, &world.patience(1))
        .unwrap();
    world.mute(false);
    driver.status(&world.patience(10)).unwrap();
    assert_eq!(
        driver.papers(&ticket)[0].decision,
        Some(Decision::DidNotComeOut)
    );
}

#[test]
fn an_open_cover_stops_the_paper_and_nothing_follows_when_it_is_closed() {
    let (world, mut driver) = world();
    world.cover(true);
    let error = driver.print(&request(1), &world.patience(10)).unwrap_err();
    assert_eq!(
        (error.fault(), error.paper()),
        (FaultCode::PrinterCoverOpen, PaperFate::None)
    );
    world.cover(false);
    assert_eq!(rows(&world), 0);
    driver.print(&request(1), &world.patience(10)).unwrap();
}

#[test]
fn a_change_is_reported_without_being_asked_for() {
    let (world, mut driver) = world();
    driver.print(&request(1), &world.patience(10)).unwrap();
    world.roll(Some(0));
    let status = driver.wait_for_change(&world.patience(10)).unwrap();
    assert_eq!(status.condition.trouble(), Some(Trouble::PaperOut));
    let quiet = driver.wait_for_change(&world.patience(10));
    assert!(matches!(quiet, Err(PrintError::Stopped(Stop::Deadline))));
    let stopped = world.patience(10);
    stopped.stop();
    let cancelled = driver.wait_for_change(&stopped).unwrap_err();
    assert_eq!(cancelled.fault(), FaultCode::JobCancelled);
}

#[test]
fn what_changes_while_it_is_asked_about_is_not_forgotten() {
    let (world, mut driver) = world();
    driver.print(&request(1), &world.patience(10)).unwrap();
    world.roll(Some(0));
    driver.wait_for_change(&world.patience(10)).unwrap();
    for question in 1..=4 {
        world.roll(Some(0));
        world.roll_after_question(question);
        let status = driver.status(&world.patience(10)).unwrap();
        assert_eq!(status.condition.trouble(), None, "question {question}");
    }
}

#[test]
fn paper_that_comes_back_is_no_chance_for_what_was_given_up() {
    let (world, mut driver) = world();
    world.roll(Some(5));
    let error = driver.print(&request(1), &world.patience(10)).unwrap_err();
    assert_eq!(
        (error.fault(), error.paper()),
        (FaultCode::PrinterPaperOut, PaperFate::Unsure)
    );
    let before = rows(&world);
    world.roll(None);
    driver.wait_for_change(&world.patience(10)).unwrap();
    assert_eq!(rows(&world), before);
    let ticket = name(1).unwrap();
    let again = driver.print(&request(1), &world.patience(10)).unwrap_err();
    assert_eq!(again.fault(), FaultCode::PrinterDuplicate);
    let reprint = Resolution::Reprint(&request(1).document);
    let Resolved::Printed(printed) = driver
        .resolve(&ticket, reprint, &world.patience(10))
        .unwrap()
    else {
        panic!("nothing was printed");
    };
    assert_eq!(printed.copy, 1);
    assert!(driver.unresolved().is_empty());
}

#[test]
fn a_connection_that_was_closed_while_idle_is_opened_anew() {
    let (world, mut driver) = world();
    for number in 0..3 {
        driver.print(&request(number), &world.patience(10)).unwrap();
        world.unplug();
    }
    driver.status(&world.patience(10)).unwrap();
    assert!(driver.unresolved().is_empty());
    world.unplug();
    let lost = driver.wait_for_change(&world.patience(10)).unwrap_err();
    assert_eq!(lost.fault(), FaultCode::DeviceGone);
}

#[test]
fn a_kiosk_shows_the_number_instead() {
    let (world, mut driver) = world();
    driver.parts.attendance = Attendance::Unattended;
    world.roll(Some(5));
    let error = driver.print(&request(1), &world.patience(10)).unwrap_err();
    assert!(matches!(
        error,
        PrintError::Unsure {
            advice: Advice::ShowOnScreen,
            ..
        }
    ));
}

#[test]
fn a_ticket_that_cannot_be_drawn_is_not_kept() {
    let (world, mut driver) = world();
    let bad = PrintRequest {
        ticket: name(1).unwrap(),
        document: Ticket::default(),
    };
    let error = driver.print(&bad, &world.patience(10)).unwrap_err();
    assert_eq!(error.fault(), FaultCode::PrinterContent);
    assert!(driver.papers(&bad.ticket).is_empty());
}

#[test]
fn use_is_counted_and_survives() {
    let (world, mut driver) = world();
    for number in 0..4 {
        driver.print(&request(number), &world.patience(10)).unwrap();
    }
    drop(driver);
    let mut driver = world.driver().unwrap();
    let wear = driver.status(&world.patience(10)).unwrap().wear;
    assert_eq!((wear.prints, wear.cuts), (4, 4));
    assert!(wear.millimetres > 0 && wear.millimetres == wear.of_roll);
}

#[test]
fn stopping_before_the_paper_leaves_none() {
    let (world, mut driver) = world();
    let patience = world.patience(10);
    patience.stop();
    let error = driver.print(&request(1), &patience).unwrap_err();
    assert_eq!(
        (error.fault(), error.paper()),
        (FaultCode::JobCancelled, PaperFate::None)
    );
    assert_eq!(rows(&world), 0);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    use crate::settings::{Connection, PrinterSettings, fonts, open};
    let folder = tempfile::tempdir().unwrap();
    let settings = PrinterSettings {
        connection: Connection::Tcp("127.0.0.1:9".parse().unwrap()),
        profile: "generic-80".into(),
        dots: None,
        fonts: Vec::new(),
        bold_fonts: Vec::new(),
        attendance: Attendance::Staffed,
        roll_metres: None,
    };
    let clock: Arc<dyn Clock> = Arc::new(device_api::SystemClock::new());
    let opened = |settings: &PrinterSettings| {
        open(
            settings,
            fonts(settings)?,
            Arc::clone(&clock),
            folder.path(),
        )
    };
    let refused = |settings: &PrinterSettings| opened(settings).unwrap_err().fault();
    let profile = PrinterSettings {
        profile: "no-such".into(),
        ..settings.clone()
    };
    assert_eq!(refused(&profile), FaultCode::DeviceUnsupported);
    let width = PrinterSettings {
        dots: Some(100),
        ..settings.clone()
    };
    assert_eq!(refused(&width), FaultCode::DeviceUnsupported);
    let absent = PrinterSettings {
        fonts: vec![folder.path().join("none.ttf")],
        ..settings.clone()
    };
    assert_eq!(refused(&absent), FaultCode::DeviceFailed);
    let held = opened(&settings).unwrap();
    assert_eq!(refused(&settings), FaultCode::DeviceBusy);
    drop(held);
}
