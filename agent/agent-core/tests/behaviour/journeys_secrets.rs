//! Secrets that the application hands in, and questions about them.

use agent_core::access::Caller;
use agent_core::event::{Call, HostSays, JobAnswer, SecretKind};
use agent_core::task::{Credential, Task};
use device_api::{FaultCode, Secret};

use crate::bench::{Bench, answers, caller, caller_at, read, run};

fn refused(bench: &mut Bench, caller: &Caller, call: Call<crate::bench::Reading>) -> FaultCode {
    bench.call(caller, call).unwrap_err().code
}

fn secret(text: &str) -> JobAnswer {
    JobAnswer::Secret(Secret::from(text.to_owned()))
}

#[test]
fn a_secret_by_api_goes_to_the_host_once_and_needs_a_nonce() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, read(Credential::PinByApi));
    bench.ask(run(1), work, 1, 3);
    let answer = |value: &str| Call::AnswerJob {
        job: job.id.clone(),
        ask: 1,
        answer: secret(value),
    };
    assert_eq!(
        refused(&mut bench, &clerk, answer("123")),
        FaultCode::PinFormat
    );
    assert_eq!(
        refused(&mut bench, &clerk, answer("12a4")),
        FaultCode::PinFormat
    );
    assert_eq!(
        refused(&mut bench, &clerk, answer("1234")),
        FaultCode::DoorNonce
    );
    let clerk = bench.with_nonce(&clerk);
    bench.call(&clerk, answer("1234")).unwrap();
    assert_eq!(
        answers(&bench.out),
        ["Secret { value: Secret(..), last_try_allowed: false }"]
    );
    let clerk = bench.with_nonce(&clerk);
    assert_eq!(
        refused(&mut bench, &clerk, answer("1234")),
        FaultCode::DoorConflict
    );
}

#[test]
fn the_last_try_is_spent_only_after_somebody_with_the_right_allowed_it() {
    let (mut bench, clerk, chief) = (Bench::ready(), caller("s-1"), caller("chief"));
    let (job, work) = bench.started(&clerk, read(Credential::PinByApi));
    bench.ask(run(1), work, 1, 1);
    let typed = || Call::AnswerJob {
        job: job.id.clone(),
        ask: 1,
        answer: secret("1234"),
    };
    let allow = || Call::AnswerJob {
        job: job.id.clone(),
        ask: 1,
        answer: JobAnswer::AllowLastTry,
    };
    let with_nonce = bench.with_nonce(&clerk);
    let refusal = bench.call(&with_nonce, typed()).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.tries_left),
        (FaultCode::PinLastTry, Some(1))
    );

    let elsewhere = bench.with_nonce(&caller_at("chief", "4"));
    assert_eq!(
        refused(&mut bench, &elsewhere, allow()),
        FaultCode::DoorNotFound
    );
    let no_right = Caller {
        scopes: [].into(),
        ..chief.clone()
    };
    assert_eq!(
        refused(&mut bench, &no_right, allow()),
        FaultCode::DoorGrant
    );
    assert_eq!(refused(&mut bench, &chief, allow()), FaultCode::DoorNonce);
    let chief = bench.with_nonce(&chief);
    bench.call(&chief, allow()).unwrap();
    assert!(
        bench
            .view(&clerk, &job.id)
            .question
            .unwrap()
            .last_try_allowed
    );

    bench.call(&with_nonce, typed()).unwrap();
    assert_eq!(
        answers(&bench.out),
        ["Secret { value: Secret(..), last_try_allowed: true }"]
    );
    bench.done(run(1), work, 1);
    let entry = bench.audit(true);
    assert_eq!(
        (entry.last_try_allowed_by.as_deref(), entry.secrets_used),
        (Some("chief"), 1)
    );
}

#[test]
fn verification_number_b_has_fourteen_digits_and_needs_no_nonce() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, read(Credential::VerificationNumberB));
    let secret_kind = SecretKind::VerificationNumberB;
    bench.host(
        run(1),
        HostSays::Ask {
            work,
            ask: 1,
            secret: secret_kind,
            tries_left: 10,
        },
    );
    let answer = |value: &str| Call::AnswerJob {
        job: job.id.clone(),
        ask: 1,
        answer: secret(value),
    };
    assert_eq!(
        refused(&mut bench, &clerk, answer("1234")),
        FaultCode::PinFormat
    );
    bench.call(&clerk, answer("12345678901234")).unwrap();
    assert_eq!(answers(&bench.out).len(), 1);
}

#[test]
fn a_citizen_who_declines_ends_the_question() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, read(Credential::PinByApi));
    bench.ask(run(1), work, 1, 3);
    let decline = Call::AnswerJob {
        job: job.id,
        ask: 1,
        answer: JobAnswer::Decline,
    };
    bench.call(&clerk, decline).unwrap();
    assert_eq!(answers(&bench.out), ["Declined"]);
}

#[test]
fn a_question_that_does_not_belong_to_the_task_ends_the_job() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.ask(run(1), work, 1, 3);
    bench.host(
        run(1),
        HostSays::Failed {
            work,
            fault: FaultCode::JobCancelled.into(),
            about: None,
        },
    );
    bench.audit(true);
    assert_eq!(
        bench.view(&clerk, &job.id).fault.unwrap().code,
        FaultCode::HostUnusable
    );
}
