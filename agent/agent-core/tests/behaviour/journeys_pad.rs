//! The PIN typed on the keys of the reader itself, with a scripted driver host.

use std::time::Duration;

use agent_core::Event;
use agent_core::access::Caller;
use agent_core::effect::{Answer, Effect, HostCommand};
use agent_core::event::{
    Call, DeviceReport, DeviceState, HostSays, JobAnswer, SecretKind, ServiceState,
};
use agent_core::ids::JobId;
use agent_core::task::{Credential, Fault, JobState, JobView, QuestionKind, Step};
use device_api::{FaultCode, Secret};

use crate::bench::{Bench, READER, answers, caller, order, read, reader, run};

/// A core whose host offers a reader with keys.
fn with_keys() -> Bench {
    let mut bench = Bench::ready();
    let with_keys = DeviceReport {
        fault: None,
        warnings: Vec::new(),
        facts: device_api::DeviceFacts {
            capabilities: device_api::Capabilities {
                pin_pad: true,
                ..device_api::Capabilities::default()
            },
            ..device_api::DeviceFacts::default()
        },
        ..reader(READER, DeviceState::CardPresent)
    };
    let said = HostSays::Devices {
        service: ServiceState::Up,
        devices: vec![with_keys],
    };
    bench.host(run(1), said);
    bench
}

/// A job that has come as far as the question, with so many tries left.
fn asked(bench: &mut Bench, clerk: &Caller, tries_left: u8) -> (JobId, u64) {
    let (job, work) = bench.started(clerk, read(Credential::PinOnDevice));
    bench.host(run(1), HostSays::Accepted { work });
    ask(bench, work, 1, tries_left);
    (job.id, work)
}

fn ask(bench: &mut Bench, work: u64, ask: u32, tries_left: u8) {
    let secret = SecretKind::PinOnDevice;
    bench.host(
        run(1),
        HostSays::Ask {
            work,
            ask,
            secret,
            tries_left,
        },
    );
}

fn fail(bench: &mut Bench, work: u64, code: FaultCode, tries_left: Option<u8>) {
    let fault = Fault { code, tries_left };
    bench.host(
        run(1),
        HostSays::Failed {
            work,
            fault,
            about: None,
        },
    );
}

fn answer(bench: &mut Bench, who: &Caller, job: &JobId, answer: JobAnswer) -> Option<FaultCode> {
    let call = Call::AnswerJob {
        job: job.clone(),
        ask: 1,
        answer,
    };
    bench.call(who, call).err().map(|refusal| refusal.code)
}

fn cancels(bench: &Bench) -> usize {
    let is_cancel = |effect: &&Effect<u64>| {
        matches!(
            effect,
            Effect::SendToHost {
                command: HostCommand::Cancel { .. },
                ..
            }
        )
    };
    bench.out.iter().filter(is_cancel).count()
}

fn ended(bench: &mut Bench, clerk: &Caller, job: &JobId) -> JobView {
    bench.audit(true);
    bench.view(clerk, job)
}

const LEAVE: &str = "EnterOnDevice { last_try_allowed: false }";

#[test]
fn a_card_is_read_with_the_pin_typed_on_the_reader() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, work) = asked(&mut bench, &clerk, 3);
    assert_eq!(answers(&bench.out), [LEAVE], "nobody has to press anything");
    let question = bench.view(&clerk, &job).question.unwrap();
    assert_eq!(
        (question.kind, question.tries_left),
        (QuestionKind::PinOnDevice, 3),
        "the clerk sees what the citizen is doing"
    );

    let step = Step::Reading;
    bench.host(
        run(1),
        HostSays::Progress {
            work,
            step,
            card: None,
        },
    );
    assert_eq!(bench.view(&clerk, &job).question, None);
    bench.done(run(1), work, 7);
    assert_eq!(bench.audit(true).secrets_used, 1);
    match bench.call(&clerk, Call::TakeResult(job)) {
        Ok(Answer::Result(reading)) => assert_eq!(reading.open(), 7),
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_leave_is_given_before_the_record_of_the_start_is_written() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    bench.holds_starts = true;
    let (job, work) = bench.started(&clerk, read(Credential::PinOnDevice));
    let started = bench.out.iter().find_map(|effect| match effect {
        Effect::AppendAudit { ticket, .. } => Some(*ticket),
        _ => None,
    });
    let ticket = started.unwrap();
    ask(&mut bench, work, 1, 3);
    assert!(answers(&bench.out).is_empty());
    assert_eq!(bench.view(&clerk, &job.id).question, None);
    bench.event(Event::AuditWritten { ticket });
    assert_eq!(answers(&bench.out), [LEAVE]);
    assert!(bench.view(&clerk, &job.id).question.is_some());
}

#[test]
fn a_reader_without_keys_is_not_asked_for_them() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    let call = Call::StartJob {
        key: "k".into(),
        order: order(&lease, read(Credential::PinOnDevice)),
        content: None,
    };
    let refusal = bench.call(&clerk, call).unwrap_err();
    assert_eq!(refusal.code, FaultCode::PinNoPad);
    assert_eq!(bench.sent_start(), None);
}

#[test]
fn leave_for_the_last_try_is_given_only_after_somebody_with_the_right_allowed_it() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, _work) = asked(&mut bench, &clerk, 1);
    assert!(answers(&bench.out).is_empty());
    let allow = JobAnswer::AllowLastTry;
    let refusal = answer(&mut bench, &clerk, &job, allow);
    assert_eq!(refusal, Some(FaultCode::DoorNonce));
    assert!(answers(&bench.out).is_empty());

    let chief = bench.with_nonce(&caller("chief"));
    assert_eq!(
        answer(&mut bench, &chief, &job, JobAnswer::AllowLastTry),
        None
    );
    assert_eq!(
        answers(&bench.out),
        ["EnterOnDevice { last_try_allowed: true }"]
    );
    let question = bench.view(&clerk, &job).question.unwrap();
    assert!(question.last_try_allowed);
    let chief = bench.with_nonce(&caller("chief"));
    let again = answer(&mut bench, &chief, &job, JobAnswer::AllowLastTry);
    assert_eq!(again, Some(FaultCode::DoorConflict));
}

#[test]
fn a_wrong_pin_ends_the_job_with_the_tries_that_are_left() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, work) = asked(&mut bench, &clerk, 3);
    fail(&mut bench, work, FaultCode::PinWrong, Some(2));
    let view = ended(&mut bench, &clerk, &job);
    let fault = view.fault.unwrap();
    assert_eq!(
        (view.state, fault.code, fault.tries_left),
        (JobState::Failed, FaultCode::PinWrong, Some(2))
    );
}

#[test]
fn a_host_that_asks_again_gets_leave_again_until_one_try_is_left() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, work) = asked(&mut bench, &clerk, 3);
    ask(&mut bench, work, 2, 2);
    assert_eq!(answers(&bench.out), [LEAVE]);
    ask(&mut bench, work, 3, 1);
    assert!(answers(&bench.out).is_empty());
    let question = bench.view(&clerk, &job).question.unwrap();
    assert_eq!((question.ask, question.tries_left), (3, 1));
}

#[test]
fn a_citizen_declines_on_the_reader_or_tells_the_clerk() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, work) = asked(&mut bench, &clerk, 3);
    fail(&mut bench, work, FaultCode::PinDeclined, None);
    let view = ended(&mut bench, &clerk, &job);
    assert_eq!(view.fault.unwrap().code, FaultCode::PinDeclined);

    let mut bench = with_keys();
    let (job, work) = asked(&mut bench, &clerk, 3);
    assert_eq!(answer(&mut bench, &clerk, &job, JobAnswer::Decline), None);
    assert_eq!(
        cancels(&bench),
        1,
        "the host has its answer, so it is stopped"
    );
    fail(&mut bench, work, FaultCode::JobCancelled, None);
    let view = ended(&mut bench, &clerk, &job);
    assert_eq!(view.fault.unwrap().code, FaultCode::PinDeclined);
}

#[test]
fn a_citizen_who_declines_the_last_try_ends_the_question() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, _work) = asked(&mut bench, &clerk, 1);
    assert_eq!(answer(&mut bench, &clerk, &job, JobAnswer::Decline), None);
    assert_eq!(answers(&bench.out), ["Declined"]);
}

#[test]
fn a_pin_that_is_not_typed_in_time_ends_the_job_as_the_host_says() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, work) = asked(&mut bench, &clerk, 3);
    let out = bench.pass(Duration::from_secs(60));
    assert!(answers(&out).is_empty(), "the host has its answer");
    fail(&mut bench, work, FaultCode::PinTimeout, None);
    let view = ended(&mut bench, &clerk, &job);
    assert_eq!(view.fault.unwrap().code, FaultCode::PinTimeout);
}

#[test]
fn a_host_that_dies_while_the_citizen_types_leaves_the_outcome_unknown() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, _work) = asked(&mut bench, &clerk, 3);
    bench.event(Event::HostExited { run: run(1) });
    let view = ended(&mut bench, &clerk, &job);
    assert_eq!(view.fault.unwrap().code, FaultCode::PinUnknown);
}

#[test]
fn no_application_hands_in_a_pin_that_belongs_on_the_reader() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, _work) = asked(&mut bench, &clerk, 1);
    let with_nonce = bench.with_nonce(&clerk);
    let pin = JobAnswer::Secret(Secret::from("1234".to_owned()));
    let refusal = answer(&mut bench, &with_nonce, &job, pin);
    assert_eq!(refusal, Some(FaultCode::DoorConflict));
}

#[test]
fn a_host_must_not_ask_for_the_pin_itself_where_it_belongs_on_the_reader() {
    let (mut bench, clerk) = (with_keys(), caller("s-1"));
    let (job, work) = bench.started(&clerk, read(Credential::PinOnDevice));
    bench.ask(run(1), work, 1, 3);
    assert_eq!(cancels(&bench), 1);
    fail(&mut bench, work, FaultCode::JobCancelled, None);
    let view = ended(&mut bench, &clerk, &job.id);
    assert_eq!(view.fault.unwrap().code, FaultCode::HostUnusable);
}
