//! Jobs from start to end, and everything that can come between.

use std::time::Duration;

use agent_core::Event;
use agent_core::access::{Caller, Proof, Scope};
use agent_core::effect::{Answer, AuditStage, Effect, HostCommand};
use agent_core::event::{Call, HostSays, JobAnswer};
use agent_core::ids::{AuditTicket, JobId, SessionLink};
use agent_core::task::{Credential, Fault, Field, JobState, Task};
use device_api::{FaultCode, Secret};

use crate::bench::{
    Bench, READER, answers, caller, ended, order, order_with, published, read, read_on_screen, run,
    stages, told,
};

fn refused(bench: &mut Bench, caller: &Caller, call: Call<crate::bench::Reading>) -> FaultCode {
    bench.call(caller, call).unwrap_err().code
}

fn take(bench: &mut Bench, caller: &Caller, job: &JobId) -> Result<u64, FaultCode> {
    match bench.call(caller, Call::TakeResult(job.clone())) {
        Ok(Answer::Result(sealed)) => Ok(sealed.open()),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal.code),
    }
}

fn secret(text: &str) -> JobAnswer {
    JobAnswer::Secret(Secret::from(text.to_owned()))
}

#[test]
fn a_result_is_handed_out_after_its_record_is_written_and_once() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    bench.session(1, &clerk);
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    assert_eq!(job.state, JobState::Accepted);
    bench.host(run(1), HostSays::Accepted { work });
    assert_eq!(bench.view(&clerk, &job.id).state, JobState::Running);

    bench.done(run(1), work, 7);
    let (ticket, recorded, end) = ended(&bench.out).unwrap();
    assert!(
        published(&bench.out).is_empty(),
        "nobody hears of the end before it is recorded"
    );
    assert_eq!(
        (recorded.operation, end.fault, recorded.device.as_str()),
        ("identifyCard", None, READER)
    );
    assert_eq!(bench.view(&clerk, &job.id).state, JobState::Running);
    assert_eq!(
        take(&mut bench, &clerk, &job.id),
        Err(FaultCode::DoorConflict)
    );

    bench.event(Event::AuditWritten { ticket });
    assert_eq!(published(&bench.out).len(), 1);
    let ended = bench.view(&clerk, &job.id);
    assert_eq!(
        (ended.state, ended.result_waiting),
        (JobState::Succeeded, true)
    );
    assert_eq!(
        take(&mut bench, &caller("s-2"), &job.id),
        Err(FaultCode::DoorNotFound)
    );
    assert_eq!(take(&mut bench, &clerk, &job.id), Ok(7));
    assert_eq!(take(&mut bench, &clerk, &job.id), Err(FaultCode::DoorGone));
}

#[test]
fn a_result_without_a_record_is_destroyed() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.done(run(1), work, 7);
    bench.audit(false);
    let ended = bench.view(&clerk, &job.id);
    assert_eq!(
        (ended.state, ended.result_waiting),
        (JobState::Failed, false)
    );
    assert_eq!(
        take(&mut bench, &clerk, &job.id),
        Err(FaultCode::AuditUnavailable)
    );
}

#[test]
fn an_audit_log_that_does_not_answer_counts_as_failed() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.done(run(1), work, 7);
    let (ticket, ..) = ended(&bench.out).unwrap();
    bench.pass(Duration::from_secs(11));
    bench.event(Event::AuditWritten { ticket });
    assert_eq!(
        stages(&bench.out),
        [AuditStage::Withheld],
        "the log must not go on telling of a success"
    );
    assert_eq!(
        take(&mut bench, &clerk, &job.id),
        Err(FaultCode::AuditUnavailable)
    );
}

#[test]
fn a_late_record_of_a_failure_needs_no_other_to_put_it_right() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (_, work) = bench.started(&clerk, Task::IdentifyCard);
    let fault = FaultCode::CardRemoved.into();
    bench.host(
        run(1),
        HostSays::Failed {
            work,
            fault,
            about: None,
        },
    );
    let (ticket, ..) = ended(&bench.out).unwrap();
    bench.pass(Duration::from_secs(11));
    bench.event(Event::AuditWritten { ticket });
    assert_eq!(stages(&bench.out), []);
}

/// A job whose host asks for a PIN while the record of its start is still being written.
fn asked_early(bench: &mut Bench, clerk: &Caller) -> (JobId, u64, AuditTicket) {
    bench.pair(1, clerk);
    bench.holds_starts = true;
    let (job, work) = bench.started(clerk, read_on_screen());
    let started = bench.out.iter().find_map(|effect| match effect {
        Effect::AppendAudit { ticket, entry } => Some((*ticket, entry.stage.clone())),
        _ => None,
    });
    let (ticket, AuditStage::Started(recorded)) = started.unwrap() else {
        panic!("no record of a start")
    };
    assert_eq!(
        (recorded.staff.as_str(), recorded.credential),
        ("s-1", Some(Credential::PinOnScreen { shuffled: false }))
    );
    bench.ask(run(1), work, 1, 3);
    (job.id, work, ticket)
}

#[test]
fn nobody_is_asked_for_a_secret_before_the_start_is_recorded() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, _, ticket) = asked_early(&mut bench, &clerk);
    assert_eq!(told(&bench.out), []);
    assert_eq!(bench.view(&clerk, &job).question, None);
    bench.type_pin(1, &job, 1, "1234");
    assert_eq!(answers(&bench.out).len(), 0);
    bench.event(Event::AuditWritten { ticket });
    assert_eq!(told(&bench.out).len(), 1, "now the screen asks");
    bench.type_pin(1, &job, 1, "1234");
    assert_eq!(answers(&bench.out).len(), 1);
}

#[test]
fn a_job_whose_start_cannot_be_recorded_ends_without_a_question() {
    let lost: [fn(&mut Bench, AuditTicket); 2] = [
        |bench, ticket| {
            bench.event(Event::AuditFailed { ticket });
        },
        |bench, _ticket| bench.out = bench.pass(Duration::from_secs(10)),
    ];
    for lose in lost {
        let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
        let (job, work, ticket) = asked_early(&mut bench, &clerk);
        lose(&mut bench, ticket);
        assert_eq!(told(&bench.out), []);
        let fault = FaultCode::JobCancelled.into();
        bench.host(
            run(1),
            HostSays::Failed {
                work,
                fault,
                about: None,
            },
        );
        let end = bench.audit(true);
        assert_eq!(end.fault.unwrap().code, FaultCode::AuditUnavailable);
        assert_eq!(end.secrets_used, 0);
        let fault = bench.view(&clerk, &job).fault.unwrap();
        assert_eq!(fault.code, FaultCode::AuditUnavailable);
    }
}

#[test]
fn a_question_that_waits_for_the_record_is_closed_at_the_deadline() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    bench.pair(1, &clerk);
    bench.holds_starts = true;
    let mut short = order(&lease, read_on_screen());
    short.within = Duration::from_secs(5);
    bench.start(&clerk, "k", short);
    let work = bench.sent_start().unwrap();
    bench.ask(run(1), work, 1, 3);
    let out = bench.pass(Duration::from_secs(5));
    assert_eq!(answers(&out), ["TimedOut"]);
}

/// The same person with other scopes in the token.
fn with_scopes(clerk: &Caller, scopes: &[Scope]) -> Caller {
    Caller {
        scopes: scopes.iter().copied().collect(),
        ..clerk.clone()
    }
}

#[test]
fn who_may_not_start_a_job_sees_nothing_of_it_and_takes_no_result() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, read(Credential::PinByApi));
    let poor = [
        with_scopes(&clerk, &[]),
        with_scopes(&clerk, &[Scope::SeeCardReaders, Scope::IdentifyCard]),
        with_scopes(&clerk, &[Scope::SeeCardReaders, Scope::PinByApi]),
    ];
    bench.done(run(1), work, 7);
    bench.audit(true);
    for poor in &poor {
        for call in [
            Call::Job(job.id.clone()),
            Call::CancelJob(job.id.clone()),
            Call::TakeResult(job.id.clone()),
        ] {
            assert_eq!(refused(&mut bench, poor, call), FaultCode::DoorGrant);
        }
        let listed = bench.call(poor, Call::Jobs);
        assert!(matches!(listed, Ok(Answer::Jobs(jobs)) if jobs.is_empty()));
    }
    assert_eq!(take(&mut bench, &clerk, &job.id), Ok(7));
}

#[test]
fn events_of_a_job_go_only_to_sessions_that_may_start_it() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    bench.session(1, &with_scopes(&clerk, &[]));
    bench.session(2, &with_scopes(&clerk, &[Scope::SeeCardReaders]));
    bench.session(3, &clerk);
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.done(run(1), work, 7);
    bench.audit(true);
    let heard: Vec<u64> = published(&bench.out)
        .iter()
        .map(|(link, ..)| *link)
        .collect();
    assert_eq!(heard, [3]);
    assert_eq!(take(&mut bench, &clerk, &job.id), Ok(7));
}

#[test]
fn without_a_scope_there_is_no_lease_to_see_and_no_nonce_to_have() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None).id;
    let poor = with_scopes(&clerk, &[]);
    bench.session(1, &poor);
    for call in [
        Call::Lease(lease.clone()),
        Call::Leases,
        Call::RenewLease {
            lease: lease.clone(),
            ttl: Duration::from_secs(5),
        },
        Call::ReleaseLease(lease.clone()),
        Call::NewNonce,
    ] {
        assert_eq!(refused(&mut bench, &poor, call), FaultCode::DoorGrant);
    }
    bench.call(&clerk, Call::ReleaseLease(lease)).unwrap();
    assert_eq!(published(&bench.out), []);
}

/// A page whose everyday token carries no privileged scope could not let the last try be spent: the
/// privileged scope comes with the token for which it needs the nonce.
#[test]
fn an_everyday_token_gets_the_nonce_for_a_privileged_one() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let everyday = with_scopes(&clerk, &[Scope::SeeCardReaders]);
    let answer = bench.call(&everyday, Call::NewNonce);
    assert!(matches!(answer, Ok(Answer::Nonce { .. })), "{answer:?}");
}

#[test]
fn a_result_ends_with_the_session_to_which_its_lease_was_bound() {
    // The session ends after the result is there, while its record is written, and not at all.
    for (recorded_first, closes) in [(true, true), (false, true), (true, false)] {
        let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
        let session = bench.session(1, &clerk);
        bench.session(2, &clerk);
        let lease = bench.lease(&clerk, Some(session));
        let job = bench.start(&clerk, "k", order(&lease, Task::IdentifyCard));
        let work = bench.sent_start().unwrap();
        bench.done(run(1), work, 7);
        let (ticket, ..) = ended(&bench.out).unwrap();
        if recorded_first {
            bench.event(Event::AuditWritten { ticket });
            // The page may give the reader back before it takes the result.
            bench
                .call(&clerk, Call::ReleaseLease(lease.id.clone()))
                .unwrap();
        }
        let link = SessionLink(if closes { 1 } else { 2 });
        bench.event(Event::SessionClosed { link });
        if !recorded_first {
            bench.event(Event::AuditWritten { ticket });
        }
        let expected = if closes {
            Err(FaultCode::DoorGone)
        } else {
            Ok(7)
        };
        assert_eq!(take(&mut bench, &clerk, &job.id), expected);
    }
}

#[test]
fn a_failed_job_keeps_its_own_fault_when_its_record_cannot_be_written() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    let fault = Fault {
        code: FaultCode::PinWrong,
        tries_left: Some(2),
    };
    bench.host(
        run(1),
        HostSays::Failed {
            work,
            fault,
            about: None,
        },
    );
    bench.audit(false);
    assert_eq!(bench.view(&clerk, &job.id).fault, Some(fault));
}

#[test]
fn a_result_that_nobody_takes_is_erased_after_a_minute() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.done(run(1), work, 7);
    bench.audit(true);
    bench.pass(Duration::from_secs(59));
    assert!(bench.view(&clerk, &job.id).result_waiting);
    bench.pass(Duration::from_secs(2));
    assert_eq!(take(&mut bench, &clerk, &job.id), Err(FaultCode::DoorGone));
    bench.pass(Duration::from_secs(600));
    assert_eq!(
        refused(&mut bench, &clerk, Call::Job(job.id)),
        FaultCode::DoorNotFound
    );
    assert_eq!(bench.core.next_wakeup(), None, "an idle agent has no timer");
}

#[test]
fn the_same_key_gives_the_same_job_and_a_different_order_under_it_is_refused() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    let first = order(&lease, Task::IdentifyCard);
    let job = bench.start(&clerk, "k", first.clone());
    let again = bench.call(
        &clerk,
        Call::StartJob {
            key: "k".into(),
            order: first.clone(),
            content: None,
        },
    );
    assert!(matches!(again, Ok(Answer::Started { job: same, new: false }) if same.id == job.id));
    let mut other = first;
    other.purpose.push('。');
    let call = Call::StartJob {
        key: "k".into(),
        order: other,
        content: None,
    };
    assert_eq!(refused(&mut bench, &clerk, call), FaultCode::DoorConflict);
}

#[test]
fn a_repeated_privileged_request_finds_its_job_although_its_nonce_is_spent() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    let task = Task::ReadMyNumberCard {
        fields: vec![Field::IndividualNumber],
        credential: Credential::PinByApi,
    };
    let wanted = order(&lease, task);
    let call = || Call::StartJob {
        key: "k".into(),
        order: wanted.clone(),
        content: None,
    };
    assert_eq!(refused(&mut bench, &clerk, call()), FaultCode::DoorNonce);
    let clerk = bench.with_nonce(&clerk);
    assert!(matches!(
        bench.call(&clerk, call()),
        Ok(Answer::Started { new: true, .. })
    ));
    assert!(matches!(
        bench.call(&clerk, call()),
        Ok(Answer::Started { new: false, .. })
    ));
    let call = Call::StartJob {
        key: "k2".into(),
        order: wanted.clone(),
        content: None,
    };
    assert_eq!(refused(&mut bench, &clerk, call), FaultCode::DoorNonce);
}

#[test]
fn orders_that_make_no_sense_are_refused_with_the_part_that_is_wrong() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    let good = order(&lease, Task::IdentifyCard);
    let fields = |fields: Vec<Field>, credential| Task::ReadMyNumberCard { fields, credential };
    let mut wrong = Vec::new();
    for purpose in ["", "  ", "a\nb", &"あ".repeat(201)] {
        wrong.push((
            "purpose",
            agent_core::task::JobOrder {
                purpose: purpose.into(),
                ..good.clone()
            },
        ));
    }
    for within in [Duration::from_millis(999), Duration::from_millis(600_001)] {
        wrong.push((
            "deadlineMs",
            agent_core::task::JobOrder {
                within,
                ..good.clone()
            },
        ));
    }
    for (part, task) in [
        ("fields", fields(vec![], Credential::PinByApi)),
        (
            "fields",
            fields(vec![Field::FourAttributes; 2], Credential::PinByApi),
        ),
        (
            "credential",
            fields(
                vec![Field::IndividualNumber],
                Credential::VerificationNumberB,
            ),
        ),
    ] {
        wrong.push((
            part,
            agent_core::task::JobOrder {
                task,
                ..good.clone()
            },
        ));
    }
    for (part, order) in wrong {
        let refusal = bench
            .call(
                &clerk,
                Call::StartJob {
                    key: "k".into(),
                    order,
                    content: None,
                },
            )
            .unwrap_err();
        assert_eq!(
            (refusal.code, refusal.detail),
            (FaultCode::DoorSchema, Some(part))
        );
    }
    for key in ["", "a b", &"k".repeat(65)] {
        let call = Call::StartJob {
            key: key.into(),
            order: good.clone(),
            content: None,
        };
        assert_eq!(refused(&mut bench, &clerk, call), FaultCode::DoorSchema);
    }
}

#[test]
fn a_job_needs_its_callers_own_granted_lease_with_the_right_fence() {
    let (mut bench, clerk, other) = (Bench::ready(), caller("s-1"), caller("s-2"));
    let lease = bench.lease(&clerk, None);
    let good = order(&lease, Task::IdentifyCard);
    let waiting = bench.lease(&other, None);
    for (who, order) in [
        (
            &clerk,
            order_with(lease.id.clone(), good.fence + 1, Task::IdentifyCard),
        ),
        (
            &clerk,
            order_with(lease.id.clone(), good.fence - 1, Task::IdentifyCard),
        ),
        (&other, good.clone()),
        (
            &other,
            order_with(waiting.id, good.fence, Task::IdentifyCard),
        ),
    ] {
        let call = Call::StartJob {
            key: "k".into(),
            order,
            content: None,
        };
        assert_eq!(refused(&mut bench, who, call), FaultCode::LeaseLost);
    }
}

#[test]
fn a_device_gets_its_jobs_one_after_the_other() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    bench.start(&clerk, "a", order(&lease, Task::IdentifyCard));
    let first = bench.sent_start().unwrap();
    let second = bench.start(&clerk, "b", order(&lease, Task::IdentifyCard));
    assert_eq!(bench.sent_start(), None);
    bench.done(run(1), first, 1);
    let next = bench.sent_start().unwrap();
    assert_ne!(first, next);
    bench.done(run(1), next, 2);
    bench.audit(true);
    assert_eq!(take(&mut bench, &clerk, &second.id), Ok(2));
}

#[test]
fn a_job_that_waits_too_long_for_the_device_ends_at_its_deadline() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    bench.start(&clerk, "a", order(&lease, Task::IdentifyCard));
    let work = bench.sent_start().unwrap();
    bench.host(run(1), HostSays::Accepted { work });
    let mut short = order(&lease, Task::IdentifyCard);
    short.within = Duration::from_secs(5);
    let waiting = bench.start(&clerk, "b", short);
    bench.out = bench.pass(Duration::from_secs(6));
    bench.audit(true);
    let ended = bench.view(&clerk, &waiting.id);
    assert_eq!(ended.fault.unwrap().code, FaultCode::JobDeadline);
}

#[test]
fn at_the_deadline_an_open_question_is_closed_and_the_host_may_say_why_itself() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    bench.pair(1, &clerk);
    let (job, work) = bench.started(&clerk, read_on_screen());
    bench.ask(run(1), work, 1, 3);
    let out = bench.pass(Duration::from_secs(60));
    assert_eq!(answers(&out), ["TimedOut"]);
    bench.host(
        run(1),
        HostSays::Failed {
            work,
            fault: FaultCode::PinTimeout.into(),
            about: None,
        },
    );
    bench.audit(true);
    assert_eq!(
        bench.view(&clerk, &job.id).fault.unwrap().code,
        FaultCode::PinTimeout
    );
}

#[test]
fn a_host_that_does_not_let_go_after_the_deadline_is_killed_and_the_reader_hung() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.host(run(1), HostSays::Accepted { work });
    bench.out = bench.pass(Duration::from_secs(64));
    let killed = bench
        .out
        .iter()
        .any(|effect| matches!(effect, Effect::KillHost { run: r } if *r == run(1)));
    assert!(killed);
    bench.audit(true);
    assert_eq!(
        bench.view(&clerk, &job.id).fault.unwrap().code,
        FaultCode::ReaderHung
    );
}

#[test]
fn a_cancelled_job_ends_when_the_host_says_so_and_its_late_result_is_destroyed() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.call(&clerk, Call::CancelJob(job.id.clone())).unwrap();
    let cancel = |effect: &Effect<u64>| {
        matches!(
            effect,
            Effect::SendToHost {
                command: HostCommand::Cancel { .. },
                ..
            }
        )
    };
    assert_eq!(bench.out.iter().filter(|effect| cancel(effect)).count(), 1);
    bench.call(&clerk, Call::CancelJob(job.id.clone())).unwrap();
    assert_eq!(
        bench.out.iter().filter(|effect| cancel(effect)).count(),
        0,
        "asked once"
    );
    bench.done(run(1), work, 7);
    let entry = bench.audit(true);
    assert_eq!(entry.fault.unwrap().code, FaultCode::JobCancelled);
    assert_eq!(bench.view(&clerk, &job.id).state, JobState::Cancelled);
    assert_eq!(
        take(&mut bench, &clerk, &job.id),
        Err(FaultCode::JobCancelled)
    );
}

#[test]
fn a_spent_pin_try_is_told_even_when_the_job_was_cancelled() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.call(&clerk, Call::CancelJob(job.id.clone())).unwrap();
    let fault = Fault {
        code: FaultCode::PinWrong,
        tries_left: Some(1),
    };
    bench.host(
        run(1),
        HostSays::Failed {
            work,
            fault,
            about: None,
        },
    );
    bench.audit(true);
    assert_eq!(bench.view(&clerk, &job.id).fault, Some(fault));
}

#[test]
fn a_page_that_goes_away_takes_its_leases_and_jobs_with_it() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let session = bench.session(1, &clerk);
    let lease = bench.lease(&clerk, Some(session));
    let job = bench.start(&clerk, "k", order(&lease, Task::IdentifyCard));
    let work = bench.sent_start().unwrap();
    bench.event(Event::SessionClosed {
        link: SessionLink(1),
    });
    bench.host(
        run(1),
        HostSays::Failed {
            work,
            fault: FaultCode::JobCancelled.into(),
            about: None,
        },
    );
    bench.audit(true);
    let ended = bench.view(&clerk, &job.id);
    assert_eq!(
        (ended.state, ended.fault.unwrap().code),
        (JobState::Cancelled, FaultCode::JobAbandoned)
    );
    assert_eq!(
        refused(&mut bench, &clerk, Call::Lease(lease.id)),
        FaultCode::DoorNotFound
    );
}

#[test]
fn a_local_client_is_vouched_for_by_the_operating_system() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let peer = Caller {
        proof: Proof::Peer,
        ..clerk
    };
    let (job, work) = bench.started(&peer, read(Credential::PinByApi));
    bench.ask(run(1), work, 1, 3);
    let answer = Call::AnswerJob {
        job: job.id,
        ask: 1,
        answer: secret("1234"),
    };
    assert!(bench.call(&peer, answer).is_ok());
}

#[test]
fn a_device_has_room_for_a_few_waiting_jobs_only() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let lease = bench.lease(&clerk, None);
    for number in 0..8 {
        bench.start(
            &clerk,
            &format!("k{number}"),
            order(&lease, Task::IdentifyCard),
        );
    }
    let call = Call::StartJob {
        key: "k9".into(),
        order: order(&lease, Task::IdentifyCard),
        content: None,
    };
    assert_eq!(refused(&mut bench, &clerk, call), FaultCode::DoorTooMany);
}

#[test]
fn stopping_ends_every_job_and_says_when_nothing_is_left() {
    let (mut bench, clerk) = (Bench::ready(), caller("s-1"));
    let (job, work) = bench.started(&clerk, Task::IdentifyCard);
    bench.event(Event::Stop);
    bench.host(
        run(1),
        HostSays::Failed {
            work,
            fault: FaultCode::JobCancelled.into(),
            about: None,
        },
    );
    bench.audit(true);
    assert!(
        bench
            .out
            .iter()
            .any(|effect| matches!(effect, Effect::Drained))
    );
    assert_eq!(
        bench.view(&clerk, &job.id).fault.unwrap().code,
        FaultCode::AgentStopping
    );
    bench.event(Event::HostExited { run: run(1) });
    bench.pass(Duration::from_secs(60));
    let idle = bench.pass(Duration::from_secs(3600));
    assert!(
        !idle
            .iter()
            .any(|effect| matches!(effect, Effect::StartHost { .. }))
    );
}
