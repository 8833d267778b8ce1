//! Each refusal by its name, and every bit of a command that was approved.

use std::collections::BTreeSet;

use telemetry::message::machine::TimeQuality;
use telemetry::topic::DownKind;

use super::world::{CHALLENGE, World, approver, order, signer, topic};
use super::*;
use crate::document::{Document, Order};
use crate::journal::KEPT_AFTER_EXPIRY;
use crate::verb::{Danger, Verb};
use crate::{approve, join};

/// A way to be refused.
type Case = (Refusal, fn(&mut World));

const CASES: [Case; 24] = [
    (Refusal::Malformed, |world| world.deliver(b"rubbish")),
    (Refusal::Malformed, |world| {
        world.deliver(&[0x81; telemetry::sign1::LONGEST + 1]);
    }),
    (Refusal::NotForThisDevice, |world| {
        let message = world.message(&order(1, Verb::LockKiosk));
        let mut other = topic();
        other.to.device = "c-04".parse().unwrap();
        let steps = world.receive_by(&message, &other);
        world.carry(steps);
    }),
    (Refusal::NotForThisDevice, |world| {
        let message = world.message(&order(1, Verb::LockKiosk));
        let other = DownTopic {
            kind: DownKind::Ack,
            ..topic()
        };
        let steps = world.receive_by(&message, &other);
        world.carry(steps);
    }),
    (Refusal::NotForThisDevice, |world| {
        let mut other = order(1, Verb::LockKiosk);
        other.target.tenant = "tsukimi-shi".parse().unwrap();
        let message = world.message(&other);
        world.deliver(&message);
    }),
    (Refusal::UnknownApprover, |world| {
        deliver_by(world, &order(1, Verb::LockKiosk), &["yamada"]);
    }),
    (Refusal::UnknownApprover, |world| {
        // Somebody's own key under another one's name.
        let document = Document::new(order(1, Verb::LockKiosk)).unwrap();
        let name = "sato".parse().unwrap();
        let approval = approve(&document, &signer("suzuki"), &name, 1).unwrap();
        world.deliver(&join(&[approval]).unwrap());
    }),
    (Refusal::NotAllowed, |world| {
        let mut order = order(1, Verb::LockKiosk);
        order.issuer = "tanaka".parse().unwrap();
        deliver_by(world, &order, &["tanaka"]);
    }),
    (Refusal::NotAllowed, |world| {
        let order = world.fresh(order(1, Verb::Reboot));
        deliver_by(world, &order, &["sato", "tanaka"]);
    }),
    (Refusal::NotAllowed, |world| {
        // Suzuki approves what Sato is said to have ordered.
        deliver_by(world, &order(1, Verb::LockKiosk), &["suzuki"]);
    }),
    (Refusal::SignatureWrong, |world| {
        let mut message = world.message(&order(1, Verb::LockKiosk));
        *message.last_mut().unwrap() ^= 1;
        world.deliver(&message);
    }),
    (Refusal::SameApproverTwice, |world| {
        let order = world.fresh(order(1, Verb::Reboot));
        deliver_by(world, &order, &["sato", "sato"]);
    }),
    (Refusal::OneApproverOnly, |world| {
        let order = world.fresh(order(1, Verb::Reboot));
        deliver_by(world, &order, &["sato"]);
    }),
    (Refusal::AlreadyKnown, |world| {
        let first = world.message(&order(1, Verb::LockKiosk));
        let second = world.message(&order(1, Verb::UnlockKiosk));
        world.deliver(&first);
        world.deliver(&second);
        world.started.clear();
    }),
    (Refusal::CounterOld, |world| {
        let first = world.message(&order(1, Verb::LockKiosk));
        let mut other = order(2, Verb::UnlockKiosk);
        other.counter = order(1, Verb::Wipe).counter;
        let second = world.message(&other);
        world.deliver(&first);
        world.deliver(&second);
        world.started.clear();
    }),
    (Refusal::Expired, |world| {
        let message = world.message(&order(1, Verb::LockKiosk));
        world.unix = order(1, Verb::Wipe).expires;
        world.deliver(&message);
    }),
    (Refusal::NotYet, |world| {
        let message = world.message(&order(1, Verb::LockKiosk));
        world.unix -= 7 * 86_400 + 1;
        world.deliver(&message);
    }),
    (Refusal::ClockTooUncertain, |world| {
        world.quality = TimeQuality::Floor;
        let message = world.message(&order(1, Verb::LockKiosk));
        world.deliver(&message);
    }),
    (Refusal::ChallengeMissing, |world| {
        let message = world.message(&order(1, Verb::Wipe));
        world.deliver(&message);
    }),
    (Refusal::ChallengeOld, |world| {
        let message = world.message(&world.fresh(order(1, Verb::Wipe)));
        world.pass(300);
        world.deliver(&message);
    }),
    (Refusal::PreconditionFailed, |world| {
        let mut order = order(1, Verb::LockKiosk);
        order.preconditions.version = Some("0.2.0".parse().unwrap());
        let message = world.message(&order);
        world.deliver(&message);
    }),
    (Refusal::InsideOpeningHours, |world| {
        world.open = true;
        let message = world.message(&world.fresh(order(1, Verb::Reboot)));
        world.deliver(&message);
    }),
    (Refusal::TooMany, |world| {
        for number in 0..=32 {
            let mut later = order(number, Verb::Diagnostics);
            later.not_before += 60;
            let message = world.message(&later);
            world.deliver(&message);
        }
    }),
    (Refusal::ApproverRemoved, |world| {
        let mut later = world.fresh(order(1, Verb::Reboot));
        later.not_before += 60;
        let message = world.message(&later);
        world.deliver(&message);
        let only = [approver("sato", &[Danger::Destructive])];
        world.keeper.set_authority(Authority::new(only).unwrap());
        world.pass(60);
    }),
];

fn deliver_by(world: &mut World, order: &Order, names: &[&str]) {
    let document = Document::new(order.clone()).unwrap();
    let approvals = names.iter().map(|name| world.approve(&document, name));
    let message = join(&approvals.collect::<Vec<_>>()).unwrap();
    world.deliver(&message);
}

#[test]
fn each_refusal_has_its_name_and_begins_nothing() {
    for (number, (reason, case)) in CASES.into_iter().enumerate() {
        let mut world = World::new();
        let before = world.disk.bytes();
        case(&mut world);
        assert!(world.started.is_empty(), "case {number}");
        let reported = world.states.last().map(|state| state.reason.clone());
        let turned_away = world.turned_away.last().map(|(reason, _)| *reason);
        if reason.is_of_message() {
            assert_eq!(turned_away, Some(reason), "case {number}");
            // Only what was proved may cost the disk.
            let proved = !world.audited.is_empty();
            assert_eq!(world.disk.bytes() != before, proved, "case {number}");
        } else {
            assert_eq!(turned_away, None, "case {number}");
            assert_eq!(reported, Some(reason.word()), "case {number}");
        }
    }
    let named: BTreeSet<Refusal> = CASES.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(named, Refusal::ALL.into());
}

#[test]
fn an_order_that_was_refused_is_refused_for_good_and_a_message_is_not() {
    for (reason, case) in CASES {
        let mut world = World::new();
        case(&mut world);
        // The conditions are as they should be again, and the order comes again as it should.
        world.unix = order(1, Verb::Wipe).not_before;
        (world.quality, world.open) = (TimeQuality::Synchronised, false);
        world.keeper.set_authority(world.authority.clone());
        world.beat();
        let honest = [
            order(1, Verb::LockKiosk),
            world.fresh(order(1, Verb::Reboot)),
        ];
        for order in honest {
            let message = world.message(&order);
            world.deliver(&message);
        }
        let known = matches!(
            reason,
            Refusal::AlreadyKnown | Refusal::CounterOld | Refusal::TooMany
        );
        if !known {
            assert_eq!(
                world.started.len() == 1,
                reason.is_of_message(),
                "{reason:?}"
            );
        }
    }
}

#[test]
fn signatures_are_checked_after_everything_that_costs_less() {
    let world = World::new();
    let mut elsewhere = order(1, Verb::LockKiosk);
    elsewhere.target.device = "c-04".parse().unwrap();
    let mut helper = order(1, Verb::LockKiosk);
    helper.issuer = "tanaka".parse().unwrap();
    let reboot = world.fresh(order(1, Verb::Reboot));
    let cases: [(Refusal, Order, &[&str]); 6] = [
        (Refusal::NotForThisDevice, elsewhere, &["sato"]),
        (Refusal::UnknownApprover, reboot.clone(), &["yamada"]),
        (Refusal::NotAllowed, helper, &["tanaka"]),
        (
            Refusal::SameApproverTwice,
            reboot.clone(),
            &["sato", "sato"],
        ),
        (Refusal::OneApproverOnly, reboot, &["sato"]),
        (
            Refusal::SignatureWrong,
            order(1, Verb::LockKiosk),
            &["sato"],
        ),
    ];
    for (reason, order, names) in cases {
        let document = Document::new(order).unwrap();
        let approvals = names.iter().map(|name| world.approve(&document, name));
        let mut message = join(&approvals.collect::<Vec<_>>()).unwrap();
        // No signature is right, and only what nothing else is wrong with is refused for that.
        *message.last_mut().unwrap() ^= 1;
        let me = topic().to;
        let refused = admission::prove(&message, &topic(), &me, &world.authority).unwrap_err();
        assert_eq!(refused.reason, reason);
    }
}

#[test]
fn every_bit_of_a_command_counts() {
    let world = World::new();
    let message = world.message(&world.fresh(order(1, Verb::Wipe)));
    let me = topic().to;
    let prove = |bytes: &[u8]| admission::prove(bytes, &topic(), &me, &world.authority);
    assert!(prove(&message).is_ok());
    for place in 0..message.len() {
        for bit in 0..8 {
            let mut spoilt = message.clone();
            spoilt[place] ^= 1 << bit;
            assert!(prove(&spoilt).is_err(), "bit {bit} of byte {place}");
        }
    }
    for end in 0..message.len() {
        assert!(prove(&message[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_challenge_counts_for_the_device_and_the_life_that_gave_it() {
    let mut world = World::new();
    let mut other = order(1, Verb::Wipe);
    other.challenge = Some(Challenge::new([1; 16]));
    let message = world.message(&other);
    world.deliver(&message);
    assert_eq!(
        world.states.last().unwrap().reason,
        Refusal::ChallengeOld.word()
    );
    let message = world.message(&world.fresh(order(2, Verb::Wipe)));
    world.crash();
    world.deliver(&message);
    assert_eq!(
        world.states.last().unwrap().reason,
        Refusal::ChallengeOld.word()
    );
    // A challenge that nobody asked for must be fresh too.
    let mut harmless = order(3, Verb::LockKiosk);
    harmless.challenge = Some(Challenge::new([1; 16]));
    let message = world.message(&harmless);
    world.deliver(&message);
    assert_eq!(
        world.states.last().unwrap().reason,
        Refusal::ChallengeOld.word()
    );
    assert!(world.started.is_empty());
}

#[test]
fn a_fresh_challenge_stands_in_for_a_clock_that_stopped() {
    let mut world = World::new();
    world.quality = TimeQuality::Floor;
    // Half a year behind.
    world.unix -= 180 * 86_400;
    let mut harmless = order(1, Verb::LockKiosk);
    harmless.challenge = Some(Challenge::new(CHALLENGE));
    for order in [harmless, world.fresh(order(2, Verb::Wipe))] {
        let message = world.message(&order);
        world.deliver(&message);
        world.end();
    }
    assert_eq!(world.touched, ["lockKiosk", "wipe"]);
    // A moment that has certainly passed ends an order all the same.
    let message = world.message(&world.fresh(order(3, Verb::Wipe)));
    world.unix = order(3, Verb::Wipe).expires;
    world.deliver(&message);
    assert_eq!(world.states.last().unwrap().reason, Refusal::Expired.word());
}

#[test]
fn an_order_that_waits_while_the_clock_stops_waits_until_it_goes_again() {
    let mut world = World::new();
    let mut later = order(1, Verb::LockKiosk);
    later.not_before += 60;
    let message = world.message(&later);
    world.deliver(&message);
    world.quality = TimeQuality::Floor;
    world.pass(60);
    assert!(world.started.is_empty());
    world.quality = TimeQuality::Free;
    world.tick();
    assert_eq!(world.started.len(), 1);
}

#[test]
fn a_reboot_that_was_ordered_by_day_for_the_night_waits_and_is_judged_then() {
    for (open_then, begins) in [(false, true), (true, false)] {
        let mut world = World::new();
        world.open = true;
        let mut tonight = world.fresh(order(1, Verb::Reboot));
        (tonight.not_before, tonight.expires) = (world.unix + 36_000, world.unix + 40_000);
        let message = world.message(&tonight);
        world.deliver(&message);
        assert_eq!(world.told_of(1), [Progress::Accepted]);
        world.open = open_then;
        world.pass(36_000);
        assert_eq!(!world.started.is_empty(), begins);
    }
}

#[test]
fn a_replay_after_everything_was_forgotten_and_the_clock_put_back_is_refused() {
    let mut world = World::new();
    let message = world.message(&order(1, Verb::LockKiosk));
    world.deliver(&message);
    world.end();
    world.pass(3_600 + KEPT_AFTER_EXPIRY);
    assert_eq!(world.keeper.progress(order(1, Verb::Wipe).id), None);
    world.unix = order(1, Verb::Wipe).not_before;
    world.deliver(&message);
    world.crash();
    world.deliver(&message);
    assert_eq!(world.started.len(), 1);
    assert_eq!(world.turned_away, [(Refusal::CounterOld, 0); 2]);
}

#[test]
fn two_names_with_one_key_cannot_be_set_up() {
    let all = [Danger::Destructive];
    let mut second = approver("suzuki", &all);
    second.key = approver("sato", &all).key;
    assert!(Authority::new([approver("sato", &all), second]).is_err());
    let mut nobody = approver("yamada", &all);
    nobody.key = World::nobody();
    assert!(Authority::new([approver("sato", &all), nobody]).is_ok());
}
