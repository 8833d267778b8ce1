//! Leases, sessions, and what a caller without the right can find out.

use std::collections::BTreeSet;
use std::time::Duration;

use agent_core::Event;
use agent_core::access::{Caller, Scope};
use agent_core::effect::{Answer, Effect, Happening, LeaseView, Place};
use agent_core::event::Call;
use agent_core::ids::{Origin, SessionId, SessionLink};
use device_api::{DeviceId, FaultCode, Moment};

use crate::bench::{Bench, PAGE, READER, caller, caller_at, published};

fn look(bench: &mut Bench, who: &Caller, lease: &LeaseView) -> Result<LeaseView, FaultCode> {
    match bench.call(who, Call::Lease(lease.id.clone())) {
        Ok(Answer::Lease(view)) => Ok(view),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal.code),
    }
}

fn take(device: &str, ttl: Duration, session: Option<SessionId>) -> Call<crate::bench::Reading> {
    Call::TakeLease {
        device: DeviceId::new(device),
        ttl,
        session,
    }
}

#[test]
fn a_device_is_granted_in_the_order_of_asking_with_a_rising_fence() {
    let mut bench = Bench::ready();
    let clerks = ["a", "b", "c"].map(caller);
    bench.session(9, &clerks[1]);
    let [first, second, third] = [0, 1, 2].map(|who: usize| bench.lease(&clerks[who], None));
    assert_eq!(first.place, Place::Granted { fence: 1000 });
    assert_eq!(second.place, Place::Waiting { ahead: 1 });
    assert_eq!(third.place, Place::Waiting { ahead: 2 });

    bench
        .call(&clerks[0], Call::ReleaseLease(first.id.clone()))
        .unwrap();
    let heard: Vec<Happening> = published(&bench.out)
        .into_iter()
        .map(|(.., what)| what)
        .collect();
    assert!(
        matches!(&heard[..], [Happening::Lease(view)] if view.place == Place::Granted { fence: 1001 })
    );
    assert_eq!(
        look(&mut bench, &clerks[0], &first),
        Err(FaultCode::DoorNotFound)
    );
    assert_eq!(
        look(&mut bench, &clerks[2], &third).unwrap().place,
        Place::Waiting { ahead: 1 }
    );

    bench
        .call(&clerks[1], Call::ReleaseLease(second.id))
        .unwrap();
    assert_eq!(
        look(&mut bench, &clerks[2], &third).unwrap().place,
        Place::Granted { fence: 1002 }
    );
}

#[test]
fn a_lease_ends_after_its_time_unless_renewed_and_its_time_begins_when_it_is_granted() {
    let (mut bench, clerk, next) = (Bench::ready(), caller("a"), caller("b"));
    let ten = Duration::from_secs(10);
    let Ok(Answer::Lease(held)) = bench.call(&clerk, take(READER, ten, None)) else {
        panic!()
    };
    bench.pass(Duration::from_secs(9));
    let Ok(Answer::Lease(waits)) = bench.call(&next, take(READER, ten, None)) else {
        panic!()
    };
    bench
        .call(
            &clerk,
            Call::RenewLease {
                lease: held.id.clone(),
                ttl: Duration::from_secs(5),
            },
        )
        .unwrap();
    bench.pass(Duration::from_secs(4));
    assert!(look(&mut bench, &clerk, &held).is_ok());
    bench.pass(Duration::from_secs(1));
    assert_eq!(
        look(&mut bench, &clerk, &held),
        Err(FaultCode::DoorNotFound)
    );
    let granted = look(&mut bench, &next, &waits).unwrap();
    assert_eq!(
        (granted.place, granted.expires_in),
        (Place::Granted { fence: 1001 }, ten)
    );
    bench.pass(ten);
    assert_eq!(bench.core.next_wakeup(), None);
}

#[test]
fn nobody_else_sees_renews_or_ends_a_lease() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    let lease = bench.lease(&clerk, None);
    for other in [caller("b"), caller_at("a", "4")] {
        for call in [
            Call::Lease(lease.id.clone()),
            Call::ReleaseLease(lease.id.clone()),
            Call::RenewLease {
                lease: lease.id.clone(),
                ttl: Duration::from_secs(5),
            },
        ] {
            assert_eq!(
                bench.call(&other, call).unwrap_err().code,
                FaultCode::DoorNotFound
            );
        }
        assert!(
            matches!(bench.call(&other, Call::Leases), Ok(Answer::Leases(own)) if own.is_empty())
        );
    }
    assert!(look(&mut bench, &clerk, &lease).is_ok());
}

#[test]
fn a_lease_is_bound_to_a_session_of_its_owner_only_and_ends_with_it() {
    let (mut bench, clerk, other) = (Bench::ready(), caller("a"), caller("b"));
    let session = bench.session(1, &clerk);
    let theirs = take(READER, Duration::from_secs(60), Some(session.clone()));
    assert_eq!(
        bench.call(&other, theirs).unwrap_err().code,
        FaultCode::DoorNotFound
    );
    let lease = bench.lease(&clerk, Some(session));
    let waits = bench.lease(&other, None);
    bench.event(Event::SessionClosed {
        link: SessionLink(1),
    });
    assert_eq!(
        look(&mut bench, &clerk, &lease),
        Err(FaultCode::DoorNotFound)
    );
    assert!(matches!(
        look(&mut bench, &other, &waits).unwrap().place,
        Place::Granted { .. }
    ));
}

#[test]
fn one_owner_cannot_fill_a_queue_and_a_queue_has_an_end() {
    let mut bench = Bench::ready();
    let ttl = Duration::from_secs(60);
    let greedy = caller("greedy");
    let taken = (0..40)
        .filter(|_| bench.call(&greedy, take(READER, ttl, None)).is_ok())
        .count();
    assert_eq!(taken, 4);
    let others = (0..40).filter(|n| {
        let someone = caller(&format!("s-{n}"));
        bench.call(&someone, take(READER, ttl, None)).is_ok()
    });
    assert_eq!(others.count(), 28);
}

#[test]
fn times_outside_the_limits_are_refused() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    for millis in [0, 999, 600_001] {
        let call = take(READER, Duration::from_millis(millis), None);
        let refusal = bench.call(&clerk, call).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.detail),
            (FaultCode::DoorSchema, Some("ttlMs"))
        );
    }
}

#[test]
fn who_may_not_see_a_device_cannot_tell_whether_it_exists() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    let blind_token = Caller {
        scopes: clerk
            .scopes
            .iter()
            .copied()
            .filter(|scope| !scope.as_str().ends_with(".see"))
            .collect(),
        ..clerk.clone()
    };
    let mut blind_origin = clerk;
    blind_origin.owner.origin = Origin::new(format!("{PAGE}.evil.example"));
    for blind in [blind_token, blind_origin] {
        let refusals = [
            Call::Devices,
            take(READER, Duration::from_secs(60), None),
            take("pcsc:no such reader", Duration::from_secs(60), None),
        ]
        .map(|call| bench.call(&blind, call).unwrap_err());
        let codes: BTreeSet<&str> = refusals
            .iter()
            .map(|refusal| refusal.code.as_str())
            .collect();
        assert_eq!(codes, BTreeSet::from(["DOR-GRANT"]));
        bench.session(1, &blind);
        bench.readers(
            crate::bench::run(1),
            agent_core::event::DeviceState::CardPresent,
        );
        assert!(published(&bench.out).is_empty(), "nor does it hear of one");
        bench.readers(crate::bench::run(1), agent_core::event::DeviceState::Empty);
        bench.event(Event::SessionClosed {
            link: SessionLink(1),
        });
    }
}

#[test]
fn who_may_see_another_class_only_cannot_tell_either() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    let elsewhere = Caller {
        scopes: BTreeSet::from([Scope::SeeCodeScanners]),
        ..clerk
    };
    let Ok(agent_core::effect::Answer::Devices(list)) = bench.call(&elsewhere, Call::Devices)
    else {
        panic!("may see its own class")
    };
    assert!(list.devices.is_empty());
    assert_eq!(list.card_service, agent_core::effect::CardService::Unused);
    for device in [READER, "pcsc:no such reader"] {
        let call = take(device, Duration::from_secs(60), None);
        let refusal = bench.call(&elsewhere, call).unwrap_err();
        assert_eq!(refusal.code, FaultCode::DoorNotFound);
    }
    bench.session(1, &elsewhere);
    bench.readers(
        crate::bench::run(1),
        agent_core::event::DeviceState::CardPresent,
    );
    assert!(published(&bench.out).is_empty(), "nor does it hear of one");
}

#[test]
fn a_session_lives_as_long_as_its_token_and_is_renewed_by_the_same_person_only() {
    let mut bench = Bench::ready();
    let until = |seconds| Some(Moment::after_origin(Duration::from_secs(seconds)));
    let clerk = Caller {
        until: until(100),
        ..caller("a")
    };
    let session = bench.session(1, &clerk);
    let lease = bench.lease(&clerk, Some(session));
    bench.pass(Duration::from_secs(50));
    let later = Caller {
        until: until(200),
        ..caller("a")
    };
    bench.event(Event::SessionRenewed {
        link: SessionLink(1),
        caller: later,
    });
    bench.pass(Duration::from_secs(100));
    assert!(look(&mut bench, &clerk, &lease).is_ok());
    let out = bench.pass(Duration::from_secs(60));
    let refused = |effect: &Effect<u64>| match effect {
        Effect::RefuseSession { refusal, .. } => Some(refusal.code),
        _ => None,
    };
    assert_eq!(
        out.iter().filter_map(refused).collect::<Vec<_>>(),
        [FaultCode::DoorTokenExpired]
    );
    assert_eq!(
        look(&mut bench, &clerk, &lease),
        Err(FaultCode::DoorNotFound)
    );

    bench.session(2, &caller("a"));
    bench.event(Event::SessionRenewed {
        link: SessionLink(2),
        caller: caller("b"),
    });
    assert_eq!(
        bench.out.iter().filter_map(refused).collect::<Vec<_>>(),
        [FaultCode::DoorToken]
    );
}

#[test]
fn an_origin_has_a_bounded_number_of_sessions() {
    let (mut bench, clerk) = (Bench::ready(), caller("a"));
    for link in 0..16 {
        bench.session(link, &clerk);
    }
    bench.event(Event::SessionOpened {
        link: SessionLink(16),
        caller: clerk,
        after: None,
    });
    let refused = |effect: &Effect<u64>| matches!(effect, Effect::RefuseSession { refusal, .. } if refusal.code == FaultCode::DoorTooMany);
    assert!(bench.out.iter().any(refused));
}

#[test]
fn who_renews_cannot_keep_others_waiting_for_ever() {
    let (mut bench, clerk, next) = (Bench::ready(), caller("a"), caller("b"));
    let minutes = |count: u64| Duration::from_secs(count * 60);
    let held = bench.lease(&clerk, None);
    let renew = |ttl| Call::RenewLease {
        lease: held.id.clone(),
        ttl,
    };
    for _ in 0..5 {
        bench.pass(minutes(9));
        bench.call(&clerk, renew(minutes(10))).unwrap();
    }
    let waits = bench.lease(&next, None);
    bench.pass(minutes(9));
    let refusal = bench.call(&clerk, renew(minutes(10))).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.detail),
        (FaultCode::DoorConflict, Some("waiting"))
    );
    bench
        .call(
            &next,
            Call::RenewLease {
                lease: waits.id.clone(),
                ttl: minutes(10),
            },
        )
        .unwrap();
    bench.pass(minutes(1));
    assert_eq!(
        look(&mut bench, &next, &waits).unwrap().place,
        Place::Granted { fence: 1001 }
    );
}
