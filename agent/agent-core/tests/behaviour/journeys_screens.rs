//! PIN screens: pairing, asking, losing and finding them.

use std::collections::BTreeSet;
use std::time::Duration;

use agent_core::Event;
use agent_core::effect::{Answer, Effect, Pairing, Report, ScreenTell};
use agent_core::event::{Call, JobAnswer, ScreenSays};
use agent_core::ids::{JobId, ScreenLink};
use agent_core::task::{Credential, JobView};
use device_api::{FaultCode, Secret};

use crate::bench::{
    Bench, Reading, answers, caller, caller_at, order, read, read_on_screen, run, told,
};

fn closed(bench: &mut Bench, link: u64) {
    bench.event(Event::ScreenClosed {
        link: ScreenLink(link),
    });
}

fn back(bench: &mut Bench, link: u64, key: &Secret) {
    let key = Some(Secret::new(key.expose().to_vec()));
    bench.event(Event::ScreenSaid {
        link: ScreenLink(link),
        said: ScreenSays::Register { key },
    });
}

fn pairings(out: &[Effect<Reading>]) -> Option<Vec<Pairing>> {
    out.iter().find_map(|effect| match effect {
        Effect::StorePairings { pairings } => Some(pairings.clone()),
        _ => None,
    })
}

/// A job that asks for a PIN with `tries` left on the screens of counter 3.
fn asking(bench: &mut Bench, tries: u8) -> (JobView, u64) {
    let clerk = caller("a");
    let (job, work) = bench.started(&clerk, read_on_screen());
    bench.ask(run(1), work, 1, tries);
    (job, work)
}

#[test]
fn a_screen_is_paired_by_the_code_that_staff_enter_and_recognised_by_its_key_later() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    let code = bench.show_code(1);
    assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()));
    let answer = bench.call(&clerk, Call::PairScreen { code: code.clone() });
    assert!(
        matches!(answer, Ok(Answer::PinScreens(screens)) if screens.len() == 1 && screens[0].connected)
    );
    assert_eq!(pairings(&bench.out).unwrap().len(), 1);
    let key = bench.out.iter().find_map(|effect| match effect {
        Effect::TellScreen {
            tell: ScreenTell::Paired { key: Some(key), .. },
            ..
        } => Some(Secret::new(key.expose().to_vec())),
        _ => None,
    });
    let key = key.unwrap();
    assert_eq!(key.len(), 64);
    assert!(
        bench.call(&clerk, Call::PairScreen { code }).is_err(),
        "a code pairs once"
    );

    closed(&mut bench, 1);
    back(&mut bench, 2, &key);
    assert_eq!(
        told(&bench.out),
        [(2, "paired, new key false".into()), (2, "idle None".into())]
    );
    back(&mut bench, 3, &Secret::from("0".repeat(64)));
    assert_eq!(
        told(&bench.out),
        [(3, "pairing".into())],
        "an unknown key is no key"
    );
}

#[test]
fn a_code_is_replaced_after_five_minutes() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    let code = bench.show_code(1);
    assert_eq!(
        told(&bench.pass(Duration::from_secs(300))),
        [(1, "pairing".into())]
    );
    let refused = bench.call(&clerk, Call::PairScreen { code }).unwrap_err();
    assert_eq!(refused.code, FaultCode::DoorNotFound);
    closed(&mut bench, 1);
    assert_eq!(bench.core.next_wakeup(), None);
}

#[test]
fn a_counter_has_five_guesses_and_a_code_outlives_ten() {
    let mut bench = Bench::ready();
    let code = bench.show_code(1);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let mut outcomes = Vec::new();
    for _guess in 0..6 {
        let call = Call::PairScreen { code: wrong.into() };
        outcomes.push(bench.call(&caller("a"), call).unwrap_err().code);
    }
    assert_eq!(outcomes[..5], [FaultCode::DoorNotFound; 5]);
    assert_eq!(outcomes[5], FaultCode::DoorTooMany);
    assert!(
        bench
            .out
            .iter()
            .any(|effect| matches!(effect, Effect::Report(Report::PairingGuesses { .. })))
    );
    let right = bench
        .call(&caller("a"), Call::PairScreen { code: code.clone() })
        .unwrap_err();
    assert_eq!(
        right.code,
        FaultCode::DoorTooMany,
        "even the right code must wait now"
    );

    for _guess in 0..4 {
        bench
            .call(
                &caller_at("a", "4"),
                Call::PairScreen { code: wrong.into() },
            )
            .unwrap_err();
        assert!(told(&bench.out).is_empty());
    }
    bench
        .call(
            &caller_at("a", "4"),
            Call::PairScreen { code: wrong.into() },
        )
        .unwrap_err();
    assert_eq!(
        told(&bench.out),
        [(1, "pairing".into())],
        "the tenth wrong code replaces the shown one"
    );
    let stale = bench
        .call(&caller_at("a", "5"), Call::PairScreen { code })
        .unwrap_err();
    assert_eq!(stale.code, FaultCode::DoorNotFound);
    let fresh = bench.show_code(2);
    bench.pass(Duration::from_secs(301));
    assert!(
        bench
            .call(&caller("a"), Call::PairScreen { code: fresh })
            .is_err()
    );
}

#[test]
fn a_screen_is_asked_for_its_own_counter_only() {
    let mut bench = Bench::ready();
    bench.pair(1, &caller_at("x", "4"));
    bench.pair(2, &caller("a"));
    let (job, _) = asking(&mut bench, 3);
    assert_eq!(
        told(&bench.out),
        [(2, "ask 1, 3 left, last try false".into())]
    );

    for (link, ask) in [(1, 1), (2, 2), (9, 1)] {
        bench.type_pin(link, &job.id, ask, "1234");
        assert!(answers(&bench.out).is_empty());
    }
    bench.type_pin(2, &JobId::new("another job"), 1, "1234");
    assert!(answers(&bench.out).is_empty());
    bench.type_pin(2, &job.id, 1, "1234");
    assert_eq!(answers(&bench.out).len(), 1);
    assert_eq!(told(&bench.out), [(2, "idle Some(Entered)".into())]);
    bench.type_pin(2, &job.id, 1, "1234");
    assert!(answers(&bench.out).is_empty(), "once");
}

#[test]
fn a_job_with_a_pin_on_screen_needs_a_connected_screen() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    let lease = bench.lease(&clerk, None);
    let start = || Call::StartJob {
        key: "k".into(),
        order: order(&lease, read_on_screen()),
        content: None,
    };
    assert_eq!(
        bench.call(&clerk, start()).unwrap_err().code,
        FaultCode::PinNoScreen
    );
    bench.pair(1, &caller_at("a", "4"));
    assert_eq!(
        bench.call(&clerk, start()).unwrap_err().code,
        FaultCode::PinNoScreen
    );
    bench.pair(2, &clerk);
    assert!(bench.call(&clerk, start()).is_ok());
}

#[test]
fn a_pin_of_the_wrong_form_never_leaves_and_is_asked_again() {
    let mut bench = Bench::ready();
    bench.pair(1, &caller("a"));
    let (job, _) = asking(&mut bench, 3);
    for typed in ["", "123", "12345", "12 4", "１２３４"] {
        bench.type_pin(1, &job.id, 1, typed);
        assert!(answers(&bench.out).is_empty());
        assert_eq!(
            told(&bench.out),
            [(1, "ask 1, 3 left, last try false".into())]
        );
    }
}

#[test]
fn the_last_try_waits_on_the_screen_until_staff_allow_it() {
    let mut bench = Bench::ready();
    let clerk = caller("a");
    bench.pair(1, &clerk);
    let (job, _) = asking(&mut bench, 1);
    bench.type_pin(1, &job.id, 1, "1234");
    assert!(answers(&bench.out).is_empty());
    let clerk = bench.with_nonce(&clerk);
    let allow = Call::AnswerJob {
        job: job.id.clone(),
        ask: 1,
        answer: JobAnswer::AllowLastTry,
    };
    bench.call(&clerk, allow).unwrap();
    assert_eq!(
        told(&bench.out),
        [(1, "ask 1, 1 left, last try true".into())]
    );
    bench.type_pin(1, &job.id, 1, "1234");
    assert_eq!(
        answers(&bench.out),
        ["Secret { value: Secret(..), last_try_allowed: true }"]
    );
}

#[test]
fn a_pin_that_belongs_on_the_screen_is_not_taken_by_api() {
    let mut bench = Bench::ready();
    let clerk = caller("a");
    bench.pair(1, &clerk);
    let (job, _) = asking(&mut bench, 3);
    let clerk = bench.with_nonce(&clerk);
    let answer = JobAnswer::Secret(Secret::from("1234".to_owned()));
    let refused = bench
        .call(
            &clerk,
            Call::AnswerJob {
                job: job.id,
                ask: 1,
                answer,
            },
        )
        .unwrap_err();
    assert_eq!(refused.code, FaultCode::DoorConflict);
}

#[test]
fn the_screen_hears_that_the_pin_was_wrong() {
    let mut bench = Bench::ready();
    bench.pair(1, &caller("a"));
    let (job, work) = asking(&mut bench, 3);
    bench.type_pin(1, &job.id, 1, "1234");
    bench.ask(run(1), work, 2, 2);
    assert_eq!(
        told(&bench.out),
        [
            (1, "idle Some(Wrong)".into()),
            (1, "ask 2, 2 left, last try false".into())
        ]
    );
    bench.type_pin(1, &job.id, 2, "1235");
    let fault = agent_core::task::Fault {
        code: FaultCode::PinWrong,
        tries_left: Some(1),
    };
    bench.host(
        run(1),
        agent_core::event::HostSays::Failed {
            work,
            fault,
            about: None,
        },
    );
    assert_eq!(told(&bench.out), [(1, "idle Some(Wrong)".into())]);
}

#[test]
fn a_blocked_pin_is_never_asked_for() {
    let mut bench = Bench::ready();
    let clerk = caller("a");
    bench.pair(1, &clerk);
    let (job, work) = asking(&mut bench, 0);
    assert!(told(&bench.out).is_empty());
    let fault = FaultCode::JobCancelled.into();
    bench.host(
        run(1),
        agent_core::event::HostSays::Failed {
            work,
            fault,
            about: None,
        },
    );
    bench.audit(true);
    assert_eq!(
        bench.view(&clerk, &job.id).fault.unwrap().code,
        FaultCode::PinBlocked
    );
}

#[test]
fn a_question_waits_for_its_screen_and_moves_to_another_after_a_short_while() {
    let mut bench = Bench::ready();
    let clerk = caller("a");
    bench.pair(1, &clerk);
    let key = bench.pair(2, &clerk);
    let (job, _) = asking(&mut bench, 3);
    assert_eq!(told(&bench.out)[0].0, 2);
    closed(&mut bench, 2);
    assert!(told(&bench.out).is_empty(), "it may come back at once");
    back(&mut bench, 3, &key);
    assert_eq!(
        told(&bench.out).last(),
        Some(&(3, "ask 1, 3 left, last try false".into()))
    );
    closed(&mut bench, 3);
    let moved = bench.pass(Duration::from_secs(3));
    assert_eq!(told(&moved), [(1, "ask 1, 3 left, last try false".into())]);
    back(&mut bench, 4, &key);
    bench.type_pin(4, &job.id, 1, "1234");
    assert!(answers(&bench.out).is_empty(), "it is not asked any more");
    bench.type_pin(1, &job.id, 1, "1234");
    assert_eq!(answers(&bench.out).len(), 1);
}

#[test]
fn a_question_whose_screen_is_gone_stays_open_until_the_deadline() {
    let mut bench = Bench::ready();
    let clerk = caller("a");
    let key = bench.pair(1, &clerk);
    let (job, _) = asking(&mut bench, 3);
    closed(&mut bench, 1);
    bench.pass(Duration::from_secs(50));
    assert!(bench.view(&clerk, &job.id).question.is_some());
    back(&mut bench, 2, &key);
    assert_eq!(told(&bench.out).last().unwrap().0, 2);
    assert_eq!(answers(&bench.pass(Duration::from_secs(10))), ["TimedOut"]);
}

#[test]
fn a_second_window_of_the_same_screen_takes_its_place() {
    let mut bench = Bench::ready();
    let key = bench.pair(1, &caller("a"));
    asking(&mut bench, 3);
    back(&mut bench, 2, &key);
    assert_eq!(
        told(&bench.out),
        [
            (1, "close".into()),
            (2, "paired, new key false".into()),
            (2, "idle None".into()),
            (2, "ask 1, 3 left, last try false".into())
        ]
    );
}

#[test]
fn an_unpaired_screen_is_closed_and_its_key_is_worth_nothing() {
    let mut bench = Bench::ready();
    let clerk = caller("a");
    let key = bench.pair(1, &clerk);
    let Ok(Answer::PinScreens(screens)) = bench.call(&clerk, Call::PinScreens) else {
        panic!()
    };
    let unpair = Call::UnpairScreen(screens[0].id.clone());
    let elsewhere = bench.call(&caller_at("a", "4"), unpair).unwrap_err();
    assert_eq!(elsewhere.code, FaultCode::DoorNotFound);
    bench
        .call(&clerk, Call::UnpairScreen(screens[0].id.clone()))
        .unwrap();
    assert_eq!(
        (told(&bench.out), pairings(&bench.out)),
        (vec![(1, "close".into())], Some(vec![]))
    );
    back(&mut bench, 2, &key);
    assert_eq!(told(&bench.out), [(2, "pairing".into())]);
}

#[test]
fn the_screen_and_the_clerk_see_the_same_word_and_shuffled_keys_are_all_ten_digits() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    bench.pair(1, &clerk);
    let (job, work) = bench.started(&clerk, read(Credential::PinOnScreen { shuffled: true }));
    let mut orders = BTreeSet::new();
    for ask in 1..20 {
        bench.ask(run(1), work, ask, 3);
        let shown = bench.out.iter().find_map(|effect| match effect {
            Effect::TellScreen {
                tell: ScreenTell::Ask { word, keys, .. },
                ..
            } => Some((*word, *keys)),
            _ => None,
        });
        let (word, keys) = shown.unwrap();
        assert_eq!(word, job.word);
        assert_eq!(BTreeSet::from(keys), (0..10).collect());
        orders.insert(keys);
        bench.type_pin(1, &job.id, ask, "1234");
    }
    assert!(orders.len() > 15, "{} orders in 19 draws", orders.len());
}
