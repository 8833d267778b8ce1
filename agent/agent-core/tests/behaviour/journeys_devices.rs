//! What the other devices have that card readers have not: documents, items, rights of their own.

use std::time::Duration;

use agent_core::access::{Caller, Scope};
use agent_core::effect::{Answer, HostCommand};
use agent_core::event::{
    Call, DeviceReport, DeviceState, DocumentFacts, HostSays, ItemKind, NewDocument, Refusal,
    ServiceState, SessionSays,
};
use agent_core::ids::{DocumentId, JobId, SessionId, SessionLink};
use agent_core::task::Task;
use agent_core::{DOCUMENT_LIFE, Effect, Event, Sealed};
use device_api::{DeviceClass, DeviceId, FaultCode};

use crate::bench::{Bench, Reading, caller, ended, order, reader, run};

pub(crate) type Device = (&'static str, DeviceClass);

const PRINTER: Device = ("page:forms", DeviceClass::PagePrinter);
pub(crate) const TICKETS: Device = ("ticket:lobby", DeviceClass::TicketPrinter);
pub(crate) const SCANNER: Device = ("scan:codes", DeviceClass::CodeScanner);
const PAPERS: Device = ("doc:feeder", DeviceClass::DocumentScanner);
const KEYBOARD: Device = ("key:form", DeviceClass::Keyboard);

/// A counter with one device of each of these families.
pub(crate) fn counter() -> Bench {
    let mut bench = Bench::new();
    bench.event(Event::Started);
    bench.hello(run(1));
    let devices = [PRINTER, TICKETS, SCANNER, PAPERS, KEYBOARD].map(|(id, class)| DeviceReport {
        class,
        ..reader(id, DeviceState::Ready)
    });
    let said = HostSays::Devices {
        service: ServiceState::Up,
        devices: devices.into(),
    };
    bench.host(run(1), said);
    bench
}

/// What a job is to begin with.
pub(crate) struct Wanted<'a> {
    pub(crate) device: Device,
    pub(crate) task: Task,
    pub(crate) documents: &'a [DocumentId],
    pub(crate) session: Option<SessionId>,
}

/// A job that the host has, and the lease under which it was started.
pub(crate) struct Begun {
    pub(crate) job: JobId,
    pub(crate) work: u64,
    /// How many documents the host was given.
    given: usize,
}

pub(crate) fn begin(
    bench: &mut Bench,
    clerk: &Caller,
    wanted: Wanted<'_>,
) -> Result<Begun, FaultCode> {
    let call = Call::TakeLease {
        device: DeviceId::new(wanted.device.0),
        ttl: Duration::from_secs(600),
        session: wanted.session,
    };
    let lease = match bench.call(clerk, call) {
        Ok(Answer::Lease(lease)) => lease,
        other => panic!("{other:?}"),
    };
    let mut order = order(&lease, wanted.task);
    order.documents = wanted.documents.to_vec();
    let call = Call::StartJob {
        key: lease.id.as_str().to_owned(),
        order,
        content: None,
    };
    match bench.call(clerk, call) {
        Ok(Answer::Started { job, .. }) => {
            let sent = bench.out.iter().find_map(|effect| match effect {
                Effect::SendToHost {
                    command:
                        HostCommand::Start {
                            work, documents, ..
                        },
                    ..
                } => Some((*work, documents.len())),
                _ => None,
            });
            let (work, given) = sent.unwrap();
            Ok(Begun {
                job: job.id,
                work,
                given,
            })
        }
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => {
            bench.call(clerk, Call::ReleaseLease(lease.id)).unwrap();
            Err(refusal.code)
        }
    }
}

pub(crate) fn refused(bench: &mut Bench, clerk: &Caller, wanted: Wanted<'_>) -> Option<FaultCode> {
    begin(bench, clerk, wanted).err()
}

pub(crate) fn plain(device: Device, task: Task) -> Wanted<'static> {
    Wanted {
        device,
        task,
        documents: &[],
        session: None,
    }
}

fn print(documents: &[DocumentId]) -> Wanted<'_> {
    Wanted {
        documents,
        ..plain(PRINTER, Task::PrintDocument)
    }
}

fn ticket(reissue: bool) -> Wanted<'static> {
    let ticket = "2026-11-21/A/014".to_owned();
    plain(TICKETS, Task::PrintTicket { ticket, reissue })
}

fn facts() -> DocumentFacts {
    DocumentFacts {
        role: "document",
        media_type: "application/pdf".to_owned(),
        length: 1000,
        sha256: [7; 32],
    }
}

fn hand_in(bench: &mut Bench, clerk: &Caller) -> Result<DocumentId, Refusal> {
    let call = Call::KeepDocument {
        facts: facts(),
        content: Sealed::new(41),
    };
    match bench.call(clerk, call)? {
        Answer::Document { id, .. } => Ok(id),
        other => panic!("{other:?}"),
    }
}

fn take(bench: &mut Bench, clerk: &Caller, id: &DocumentId) -> Result<Reading, FaultCode> {
    match bench.call(clerk, Call::TakeDocument(id.clone())) {
        Ok(Answer::Content { content, .. }) => Ok(content.open()),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal.code),
    }
}

/// A document that a scan made, named before its record is written.
fn scanned(bench: &mut Bench, clerk: &Caller) -> DocumentId {
    let begun = begin(bench, clerk, plain(PAPERS, Task::ScanDocument)).unwrap();
    let id = DocumentId::new("made-by-a-job".to_owned());
    let said = HostSays::Done {
        work: begun.work,
        verdict: None,
        result: Sealed::new(0),
        documents: vec![NewDocument {
            id: id.clone(),
            facts: facts(),
            content: Sealed::new(42),
        }],
        evidence: None,
    };
    bench.host(run(1), said);
    id
}

pub(crate) fn without(clerk: &Caller, scope: Scope) -> Caller {
    let mut less = clerk.clone();
    less.scopes.remove(&scope);
    less
}

#[test]
fn a_document_is_used_up_by_one_job_of_its_owner_and_never_comes_out() {
    let mut bench = counter();
    let (clerk, colleague) = (caller("s-1"), caller("s-2"));
    let document = [hand_in(&mut bench, &clerk).unwrap()];
    let gone = Err(FaultCode::DoorNotFound);
    assert_eq!(take(&mut bench, &clerk, &document[0]), gone);
    let by_colleague = refused(&mut bench, &colleague, print(&document));
    assert_eq!(by_colleague, gone.err());
    let named_twice = [document[0].clone(), document[0].clone()];
    let twice = refused(&mut bench, &clerk, print(&named_twice));
    assert_eq!(twice, Some(FaultCode::DoorNotFound));
    let begun = begin(&mut bench, &clerk, print(&document)).unwrap();
    assert_eq!(begun.given, 1);
    bench.done(run(1), begun.work, 0);
    bench.audit(true);
    assert_eq!(take(&mut bench, &clerk, &document[0]), gone);
}

#[test]
fn what_a_job_made_is_taken_once_by_its_owner_with_the_rights_of_the_job() {
    let mut bench = counter();
    let (clerk, colleague) = (caller("s-1"), caller("s-2"));
    let document = scanned(&mut bench, &clerk);
    assert!(ended(&bench.out).is_some());
    let before_the_record = take(&mut bench, &clerk, &document);
    assert_eq!(before_the_record, Err(FaultCode::DoorNotFound));

    let mut bench = counter();
    let document = scanned(&mut bench, &clerk);
    bench.audit(true);
    let others = [
        (colleague, FaultCode::DoorNotFound),
        (without(&clerk, Scope::ScanDocuments), FaultCode::DoorGrant),
    ];
    for (other, expected) in others {
        assert_eq!(take(&mut bench, &other, &document), Err(expected));
    }
    assert_eq!(take(&mut bench, &clerk, &document), Ok(42));
    let again = take(&mut bench, &clerk, &document);
    assert_eq!(again, Err(FaultCode::DoorNotFound));
}

#[test]
fn what_a_job_made_is_erased_where_its_record_cannot_be_written() {
    let (mut bench, clerk) = (counter(), caller("s-1"));
    let document = scanned(&mut bench, &clerk);
    bench.audit(false);
    let taken = take(&mut bench, &clerk, &document);
    assert_eq!(taken, Err(FaultCode::DoorNotFound));
}

#[test]
fn documents_are_few_for_each_owner_and_erased_when_their_time_is_over() {
    let (mut bench, clerk) = (counter(), caller("s-1"));
    let mut handed_in = Vec::new();
    let full = loop {
        match hand_in(&mut bench, &clerk) {
            Ok(id) => handed_in.push(id),
            Err(refusal) => break refusal,
        }
        assert!(handed_in.len() <= 16);
    };
    assert_eq!(
        full,
        Refusal::about(FaultCode::DoorTooMany, "documents"),
        "a page that takes no results must be told of what there are too many"
    );
    let colleague = hand_in(&mut bench, &caller("s-2"));
    assert!(colleague.is_ok(), "the full share is one owner's");
    bench.pass(DOCUMENT_LIFE);
    let late = refused(&mut bench, &clerk, print(&handed_in[..1]));
    assert_eq!(late, Some(FaultCode::DoorNotFound));
    assert!(hand_in(&mut bench, &clerk).is_ok());
}

#[test]
fn nobody_hands_a_document_in_who_can_do_nothing_with_it() {
    let (mut bench, mut clerk) = (counter(), caller("s-1"));
    for scope in [
        Scope::CaptureSignature,
        Scope::PrintTickets,
        Scope::PrintDocuments,
    ] {
        clerk.scopes.remove(&scope);
    }
    assert_eq!(
        hand_in(&mut bench, &clerk),
        Err(FaultCode::DoorGrant.into())
    );
}

/// To whom the items of the last event went.
fn passed(bench: &Bench) -> Vec<Option<SessionLink>> {
    let pass = |effect: &Effect<Reading>| match effect {
        Effect::Pass { session, .. } => Some(*session),
        _ => None,
    };
    bench.out.iter().filter_map(pass).collect()
}

fn says(bench: &mut Bench, link: u64, job: &JobId) -> bool {
    let said = SessionSays::Received {
        job: job.clone(),
        n: 1,
    };
    bench.event(Event::SessionSaid {
        link: SessionLink(link),
        said,
    });
    bench.out.iter().any(|effect| {
        let Effect::SendToHost { command, .. } = effect else {
            return false;
        };
        matches!(command, HostCommand::Received { n: 1, .. })
    })
}

#[test]
fn a_code_goes_to_the_session_of_its_lease_alone_which_alone_says_that_it_came() {
    let (mut bench, clerk) = (counter(), caller("s-1"));
    bench.session(1, &clerk);
    let session = bench.session(2, &clerk);
    let unbound = refused(&mut bench, &clerk, plain(SCANNER, Task::ScanCodes));
    assert_eq!(unbound, Some(FaultCode::DoorConflict));
    let bound = Wanted {
        session: Some(session),
        ..plain(SCANNER, Task::ScanCodes)
    };
    let begun = begin(&mut bench, &clerk, bound).unwrap();
    let item = HostSays::Item {
        work: begun.work,
        n: 1,
        kind: ItemKind::Scan,
        item: Sealed::new(9),
    };
    bench.host(run(1), item);
    assert_eq!(passed(&bench), [Some(SessionLink(2))]);
    assert!(!says(&mut bench, 1, &begun.job), "the other page");
    assert!(says(&mut bench, 2, &begun.job));

    bench.event(Event::SessionClosed {
        link: SessionLink(2),
    });
    let late = HostSays::Item {
        work: begun.work,
        n: 2,
        kind: ItemKind::Scan,
        item: Sealed::new(10),
    };
    bench.host(run(1), late);
    assert!(passed(&bench).is_empty(), "nobody is left to get it");
}

#[test]
fn another_paper_and_a_decision_about_one_need_the_right_to_settle() {
    let (mut bench, clerk) = (counter(), caller("s-1"));
    let prints = without(&clerk, Scope::SettleTickets);
    let ticket_name = "2026-11-21/A/014".to_owned();
    for wanted in [
        ticket(true),
        plain(TICKETS, Task::ListTickets),
        plain(
            TICKETS,
            Task::SettleTicket {
                ticket: ticket_name,
            },
        ),
    ] {
        let code = refused(&mut bench, &prints, wanted);
        assert_eq!(code, Some(FaultCode::DoorGrant));
    }
    let settles = without(&clerk, Scope::PrintTickets);
    let code = refused(&mut bench, &settles, ticket(true));
    assert_eq!(code, Some(FaultCode::DoorGrant));
    assert!(begin(&mut bench, &prints, ticket(false)).is_ok());
}

#[test]
fn typing_into_a_window_needs_a_right_of_its_own_and_a_nonce() {
    let (mut bench, clerk) = (counter(), caller("s-1"));
    let typing = || {
        let form = "reception".to_owned();
        plain(KEYBOARD, Task::TypeText { form })
    };
    let less = without(&clerk, Scope::TypeText);
    let code = refused(&mut bench, &less, typing());
    assert_eq!(code, Some(FaultCode::DoorGrant));
    let code = refused(&mut bench, &clerk, typing());
    assert_eq!(code, Some(FaultCode::DoorNonce));
    let confirmed = bench.with_nonce(&clerk);
    assert!(begin(&mut bench, &confirmed, typing()).is_ok());
}
