//! What comes of a job before its end, and what citizens do with a document that is shown.

use agent_core::access::{Caller, Scope};
use agent_core::effect::HostCommand;
use agent_core::event::{
    Call, DeviceReport, DeviceState, HostSays, ItemKind, ScreenSays, ServiceState, SessionSays,
};
use agent_core::ids::{JobId, ScreenLink, SessionLink};
use agent_core::task::{Fault, JobState, Surface, Task};
use agent_core::{Effect, Event, Sealed};
use device_api::{Capabilities, DeviceClass, DeviceFacts, FaultCode, Pen};

use crate::bench::{Bench, Reading, caller, caller_at, reader, run};
use crate::journeys_devices::{
    Begun, Device, SCANNER, TICKETS, Wanted, begin, counter, plain, refused, without,
};

const TABLET: Device = ("pen:desk", DeviceClass::SignatureTablet);

/// The page that waits for codes, or shows what is signed, has this connection.
const PAGE: u64 = 1;

fn devices(bench: &mut Bench, devices: Vec<DeviceReport>) {
    let service = ServiceState::Up;
    bench.host(run(1), HostSays::Devices { service, devices });
}

/// A counter whose tablet feels the pen while a page shows the document.
fn with_tablet() -> Bench {
    with_tablet_that(true)
}

fn with_tablet_that(calibrates: bool) -> Bench {
    let mut bench = counter();
    let capabilities = Capabilities {
        pen: Some(Pen::Display),
        calibrates,
        ..Capabilities::default()
    };
    let tablet = DeviceReport {
        class: TABLET.1,
        facts: DeviceFacts {
            capabilities,
            ..DeviceFacts::default()
        },
        ..reader(TABLET.0, DeviceState::Ready)
    };
    devices(&mut bench, vec![tablet]);
    bench
}

/// A counter whose ticket printer is in this state.
fn with_printer(state: DeviceState, fault: Option<FaultCode>) -> Bench {
    let mut bench = counter();
    let printer = DeviceReport {
        class: TICKETS.1,
        fault,
        ..reader(TICKETS.0, state)
    };
    devices(&mut bench, vec![printer]);
    bench
}

/// A job under a lease that is bound to the session of [`PAGE`].
fn bound(bench: &mut Bench, clerk: &Caller, device: Device, task: Task) -> Begun {
    let session = Some(bench.session(PAGE, clerk));
    let wanted = Wanted {
        session,
        ..plain(device, task)
    };
    begin(bench, clerk, wanted).unwrap()
}

fn scanning(bench: &mut Bench, clerk: &Caller) -> Begun {
    bound(bench, clerk, SCANNER, Task::ScanCodes)
}

fn signing(bench: &mut Bench, clerk: &Caller, surface: Surface) -> Begun {
    let visit = None;
    bound(
        bench,
        clerk,
        TABLET,
        Task::CaptureSignature { surface, visit },
    )
}

fn item(bench: &mut Bench, work: u64, n: u32, kind: ItemKind) {
    let item = Sealed::new(Reading::from(n));
    bench.host(
        run(1),
        HostSays::Item {
            work,
            n,
            kind,
            item,
        },
    );
}

fn received(bench: &mut Bench, job: &JobId, n: u32) {
    let said = SessionSays::Received {
        job: job.clone(),
        n,
    };
    let link = SessionLink(PAGE);
    bench.event(Event::SessionSaid { link, said });
}

fn act_on_page(bench: &mut Bench, link: u64, job: &JobId) -> Vec<String> {
    let said = SessionSays::Act {
        job: job.clone(),
        act: Sealed::new(5),
    };
    let link = SessionLink(link);
    bench.event(Event::SessionSaid { link, said });
    commands(bench)
}

fn act_on_screen(bench: &mut Bench, link: u64, job: &JobId) -> Vec<String> {
    let said = ScreenSays::Act {
        job: job.clone(),
        act: Sealed::new(5),
    };
    let link = ScreenLink(link);
    bench.event(Event::ScreenSaid { link, said });
    commands(bench)
}

/// What the host was told by the last event.
fn commands(bench: &Bench) -> Vec<String> {
    let command = |effect: &Effect<Reading>| match effect {
        Effect::SendToHost { command, .. } => Some(match command {
            HostCommand::Received { n, .. } => format!("received {n}"),
            HostCommand::Act { .. } => "act".to_owned(),
            HostCommand::Cancel { .. } => "cancel".to_owned(),
            other => format!("{other:?}"),
        }),
        _ => None,
    };
    bench.out.iter().filter_map(command).collect()
}

/// The session and the screen that got the items of the last event.
fn passed(bench: &Bench) -> Vec<(Option<u64>, Option<u64>)> {
    let pass = |effect: &Effect<Reading>| match effect {
        Effect::Pass {
            session, screen, ..
        } => Some((
            session.map(|link| link.0),
            screen.as_ref().map(|(link, _word)| link.0),
        )),
        _ => None,
    };
    bench.out.iter().filter_map(pass).collect()
}

fn cancel(bench: &mut Bench, clerk: &Caller, job: &JobId) -> Vec<String> {
    bench.call(clerk, Call::CancelJob(job.clone())).unwrap();
    commands(bench)
}

fn fail(bench: &mut Bench, work: u64, code: FaultCode) {
    let said = HostSays::Failed {
        work,
        fault: Fault::from(code),
        about: None,
    };
    bench.host(run(1), said);
}

#[test]
fn an_item_is_passed_on_once_and_only_where_it_fits_its_job() {
    let (mut bench, clerk) = (counter(), caller("s-1"));
    let begun = scanning(&mut bench, &clerk);
    item(&mut bench, begun.work, 1, ItemKind::Scan);
    assert_eq!(passed(&bench), [(Some(PAGE), None)]);
    item(&mut bench, begun.work, 1, ItemKind::Scan);
    assert!(passed(&bench).is_empty(), "the same code again");
    item(&mut bench, begun.work, 2, ItemKind::Ink);
    assert!(passed(&bench).is_empty(), "nobody signs here");
}

#[test]
fn a_code_that_was_taken_over_is_counted_once_however_often_the_page_says_so() {
    let (mut bench, clerk) = (counter(), caller("s-1"));
    let begun = scanning(&mut bench, &clerk);
    let mut told = Vec::new();
    for n in [0, 1] {
        received(&mut bench, &begun.job, n);
        told.append(&mut commands(&bench));
    }
    assert!(told.is_empty(), "nothing was given yet");
    item(&mut bench, begun.work, 1, ItemKind::Scan);
    for n in [1, 1, 2] {
        received(&mut bench, &begun.job, n);
        told.append(&mut commands(&bench));
    }
    item(&mut bench, begun.work, 2, ItemKind::Scan);
    for n in [1, 2] {
        received(&mut bench, &begun.job, n);
        told.append(&mut commands(&bench));
    }
    assert_eq!(told, ["received 1", "received 2"]);
    bench.done(run(1), begun.work, 0);
    assert_eq!(bench.audit(true).items, 2);
}

#[test]
fn waiting_for_codes_ends_well_when_it_is_cancelled() {
    let (mut bench, clerk) = (counter(), caller("s-1"));
    let begun = scanning(&mut bench, &clerk);
    item(&mut bench, begun.work, 1, ItemKind::Scan);
    received(&mut bench, &begun.job, 1);
    assert_eq!(cancel(&mut bench, &clerk, &begun.job), ["cancel"]);
    bench.done(run(1), begun.work, 7);
    let end = bench.audit(true);
    assert_eq!((end.fault, end.items), (None, 1));
    let view = bench.view(&clerk, &begun.job);
    assert_eq!((view.state, view.fault), (JobState::Succeeded, None));
    assert!(view.result_waiting, "how many codes there were");
}

#[test]
fn a_document_on_a_page_of_the_application_hears_that_page_alone() {
    let (mut bench, clerk) = (with_tablet(), caller("s-1"));
    let begun = signing(&mut bench, &clerk, Surface::Application);
    bench.session(2, &clerk);
    bench.session(3, &caller("s-2"));
    bench.pair(9, &clerk);
    item(&mut bench, begun.work, 1, ItemKind::Show);
    assert_eq!(passed(&bench), [(Some(PAGE), None)]);
    for other in [2, 3] {
        assert!(act_on_page(&mut bench, other, &begun.job).is_empty());
    }
    assert!(act_on_screen(&mut bench, 9, &begun.job).is_empty());
    assert_eq!(act_on_page(&mut bench, PAGE, &begun.job), ["act"]);
}

#[test]
fn a_document_on_the_citizens_screen_hears_that_screen_alone() {
    let (mut bench, clerk) = (with_tablet(), caller("s-1"));
    bench.pair(9, &clerk);
    bench.pair(8, &caller_at("s-2", "4"));
    let begun = signing(&mut bench, &clerk, Surface::CitizenScreen);
    assert!(
        act_on_screen(&mut bench, 9, &begun.job).is_empty(),
        "nothing is shown yet"
    );
    item(&mut bench, begun.work, 1, ItemKind::Show);
    assert_eq!(passed(&bench), [(None, Some(9))]);
    item(&mut bench, begun.work, 2, ItemKind::Ink);
    assert_eq!(passed(&bench), [(Some(PAGE), Some(9))]);
    assert!(act_on_screen(&mut bench, 8, &begun.job).is_empty());
    assert!(act_on_page(&mut bench, PAGE, &begun.job).is_empty());
    assert_eq!(act_on_screen(&mut bench, 9, &begun.job), ["act"]);
}

#[test]
fn a_signature_whose_screen_goes_ends_because_nobody_knows_what_the_citizen_saw() {
    let (mut bench, clerk) = (with_tablet(), caller("s-1"));
    bench.pair(9, &clerk);
    let begun = signing(&mut bench, &clerk, Surface::CitizenScreen);
    item(&mut bench, begun.work, 1, ItemKind::Show);
    bench.event(Event::ScreenClosed {
        link: ScreenLink(9),
    });
    assert_eq!(commands(&bench), ["cancel"]);
    fail(&mut bench, begun.work, FaultCode::JobCancelled);
    let end = bench.audit(true);
    assert_eq!(end.fault, Some(Fault::from(FaultCode::SignatureNoScreen)));
    let view = bench.view(&clerk, &begun.job);
    assert_eq!(view.fault, Some(Fault::from(FaultCode::SignatureNoScreen)));
    assert!(!view.result_waiting);
}

#[test]
fn a_signature_of_a_citizen_without_a_screen_does_not_begin() {
    let (mut bench, clerk) = (with_tablet(), caller("s-1"));
    bench.pair(8, &caller_at("s-2", "4"));
    let task = Task::CaptureSignature {
        surface: Surface::CitizenScreen,
        visit: None,
    };
    let code = refused(&mut bench, &clerk, plain(TABLET, task));
    assert_eq!(code, Some(FaultCode::SignatureNoScreen));
}

const fn crosses(surface: Surface) -> Task {
    Task::CalibrateTablet { surface }
}

#[test]
fn a_calibration_changes_all_later_signatures_and_needs_a_right_of_its_own() {
    let (mut bench, clerk) = (with_tablet(), caller("s-1"));
    bench.pair(9, &clerk);
    let wanted = || plain(TABLET, crosses(Surface::CitizenScreen));
    let signs = without(&clerk, Scope::CalibrateTablet);
    let code = refused(&mut bench, &signs, wanted());
    assert_eq!(code, Some(FaultCode::DoorGrant));
    let calibrates = without(&clerk, Scope::CaptureSignature);
    let begun = begin(&mut bench, &calibrates, wanted()).unwrap();
    bench.done(run(1), begun.work, 7);
    assert_eq!(bench.audit(true).fault, None);
}

/// A host that does not know the task would throw it away without an answer, and be killed for its silence.
#[test]
fn a_tablet_that_does_not_say_that_it_can_be_calibrated_is_not_asked_to() {
    let (mut bench, clerk) = (with_tablet_that(false), caller("s-1"));
    bench.pair(9, &clerk);
    let wanted = plain(TABLET, crosses(Surface::CitizenScreen));
    let code = refused(&mut bench, &clerk, wanted);
    assert_eq!(code, Some(FaultCode::DeviceUnsupported));
}

#[test]
fn crosses_need_somebody_who_shows_them() {
    let (mut bench, clerk) = (with_tablet(), caller("s-1"));
    let wanted = plain(TABLET, crosses(Surface::CitizenScreen));
    let code = refused(&mut bench, &clerk, wanted);
    assert_eq!(code, Some(FaultCode::SignatureNoScreen));
    let unbound = plain(TABLET, crosses(Surface::Application));
    let code = refused(&mut bench, &clerk, unbound);
    assert_eq!(code, Some(FaultCode::DoorConflict));
}

#[test]
fn crosses_are_shown_by_the_page_of_the_lease_and_ink_is_none_of_a_calibration() {
    let (mut bench, clerk) = (with_tablet(), caller("s-1"));
    bench.pair(9, &clerk);
    let begun = bound(&mut bench, &clerk, TABLET, crosses(Surface::Application));
    for n in 1..=5 {
        item(&mut bench, begun.work, n, ItemKind::Show);
        assert_eq!(passed(&bench), [(Some(PAGE), None)]);
        assert!(act_on_screen(&mut bench, 9, &begun.job).is_empty());
        assert_eq!(act_on_page(&mut bench, PAGE, &begun.job), ["act"]);
    }
    item(&mut bench, begun.work, 6, ItemKind::Ink);
    assert!(passed(&bench).is_empty());
}

#[test]
fn a_calibration_whose_screen_goes_ends_as_a_signature_does() {
    let (mut bench, clerk) = (with_tablet(), caller("s-1"));
    bench.pair(9, &clerk);
    let task = crosses(Surface::CitizenScreen);
    let begun = begin(&mut bench, &clerk, plain(TABLET, task)).unwrap();
    item(&mut bench, begun.work, 1, ItemKind::Show);
    assert_eq!(passed(&bench), [(None, Some(9))]);
    bench.event(Event::ScreenClosed {
        link: ScreenLink(9),
    });
    assert_eq!(commands(&bench), ["cancel"]);
    fail(&mut bench, begun.work, FaultCode::JobCancelled);
    let end = bench.audit(true);
    assert_eq!(end.fault, Some(Fault::from(FaultCode::SignatureNoScreen)));
}

#[test]
fn tickets_are_listed_and_settled_on_a_printer_that_answers_and_cannot_print() {
    let clerk = caller("s-1");
    let ticket = "2026-11-21/A/014".to_owned();
    let settle = Task::SettleTicket {
        ticket: ticket.clone(),
    };
    let print = Task::PrintTicket {
        ticket,
        reissue: false,
    };
    let paper_out = FaultCode::PrinterPaperOut;
    for task in [Task::ListTickets, settle.clone()] {
        let mut bench = with_printer(DeviceState::NotReady, Some(paper_out));
        assert_eq!(
            refused(&mut bench, &clerk, plain(TICKETS, print.clone())),
            Some(paper_out)
        );
        assert_eq!(refused(&mut bench, &clerk, plain(TICKETS, task)), None);
    }
    let mut bench = with_printer(DeviceState::Absent, None);
    for task in [Task::ListTickets, settle, print] {
        let code = refused(&mut bench, &clerk, plain(TICKETS, task));
        assert_eq!(code, Some(FaultCode::DeviceGone));
    }
}
