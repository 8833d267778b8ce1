//! Orders through the keeper: each refusal by its name, crashes at every step, and random histories.

mod crashes;
mod histories;
mod refusals;
mod world;

use std::time::Duration;

use telemetry::message::outcome::Progress;

use super::*;
use crate::verb::Verb;
use crate::verb::tests::every_verb;
use world::{World, order};

#[test]
fn every_verb_is_carried_out_once_and_told() {
    for verb in every_verb() {
        let mut world = World::new();
        let message = world.message(&world.fresh(order(1, verb.clone())));
        world.deliver(&message);
        let effect = world.started.first().map(|start| start.verb.clone());
        assert_eq!(effect, Some(verb.clone()));
        world.end();
        let expected = [Progress::Accepted, Progress::Running, Progress::Done];
        assert_eq!(world.told_of(1), expected, "{verb:?}");
        assert_eq!(world.audited_of(1), expected, "{verb:?}");
        assert_eq!(world.started.len(), 1);
    }
}

#[test]
fn what_is_fetched_comes_in_parts_with_its_digest() {
    let mut world = World::new();
    world.log = (0..400)
        .map(|number| format!("line {number} of a log that is long enough"))
        .collect();
    let message = world.message(&order(1, Verb::Diagnostics));
    world.deliver(&message);
    world.end();
    let state = world.states.last().unwrap().clone();
    let bytes: Vec<u8> = world
        .parts
        .iter()
        .flat_map(|part| part.bytes.0.clone())
        .collect();
    assert_eq!(state.digest, Some(Digest::of(&bytes)));
    assert_eq!(state.parts, Some(u32::try_from(world.parts.len()).unwrap()));
    assert!(world.parts.len() > 1);
    assert_eq!(crate::Bundle::read(&bytes).unwrap().lines().len(), 400);
}

#[test]
fn parts_are_sent_once_and_come_neither_after_a_start_nor_for_the_same_order() {
    let mut world = World::new();
    world.log = vec!["a line".to_owned()];
    let message = world.message(&order(1, Verb::Diagnostics));
    world.deliver(&message);
    world.end();
    let sent = world.parts.len();
    assert!(sent > 0);
    world.crash();
    world.deliver(&message);
    assert_eq!(world.parts.len(), sent);
    assert_eq!(world.told_of(1).last(), Some(&Progress::Done));
}

#[test]
fn a_failure_says_why() {
    let mut world = World::new();
    world.failure = Some(crate::Failure::Busy);
    let message = world.message(&order(1, Verb::LockKiosk));
    world.deliver(&message);
    world.end();
    let last = world.states.last().unwrap();
    assert_eq!(last.progress, Progress::Failed);
    assert_eq!(last.reason.as_ref().unwrap().as_str(), "busy");
}

#[test]
fn an_order_waits_for_its_time_and_one_for_the_other() {
    let mut world = World::new();
    let mut later = order(1, Verb::LockKiosk);
    later.not_before += 600;
    let messages = [
        world.message(&later),
        world.message(&order(2, Verb::Diagnostics)),
        world.message(&order(3, Verb::UnlockKiosk)),
    ];
    for message in &messages {
        world.deliver(message);
    }
    let verbs = |world: &World| -> Vec<&'static str> {
        world
            .started
            .iter()
            .map(|start| start.verb.code())
            .collect()
    };
    assert_eq!(verbs(&world), ["diagnostics"]);
    assert_eq!(world.keeper.next_due(world.unix), Some(later.not_before));
    world.end();
    assert_eq!(verbs(&world), ["diagnostics", "unlockKiosk"]);
    world.end();
    world.pass(600);
    assert_eq!(verbs(&world), ["diagnostics", "unlockKiosk", "lockKiosk"]);
    world.end();
    assert_eq!(world.keeper.next_due(world.unix), None);
}

#[test]
fn a_message_that_comes_again_is_answered_with_the_state_and_does_nothing() {
    let mut world = World::new();
    let message = world.message(&order(1, Verb::LockKiosk));
    world.deliver(&message);
    world.deliver(&message);
    world.end();
    world.deliver(&message);
    let expected = [
        Progress::Accepted,
        Progress::Running,
        Progress::Running,
        Progress::Done,
        Progress::Done,
    ];
    assert_eq!(world.told_of(1), expected);
    assert_eq!(world.started.len(), 1);
    // The other approver's signature changes nothing.
    let document = crate::Document::new(order(1, Verb::LockKiosk)).unwrap();
    let both = [
        world.approve(&document, "sato"),
        world.approve(&document, "suzuki"),
    ];
    world.deliver(&crate::join(&both).unwrap());
    assert_eq!(world.started.len(), 1);
}

#[test]
fn an_outcome_of_what_does_not_run_says_nothing() {
    let mut world = World::new();
    let steps = world
        .keeper
        .finished(order(1, Verb::Wipe).id, &Outcome::Done);
    assert_eq!(steps.unwrap(), []);
    let message = world.message(&order(1, Verb::LockKiosk));
    world.deliver(&message);
    world.end();
    let id = order(1, Verb::LockKiosk).id;
    assert_eq!(world.keeper.finished(id, &Outcome::Done).unwrap(), []);
    assert_eq!(world.keeper.progress(id), Some(Progress::Done));
}

#[test]
fn nothing_begins_before_it_is_on_the_disk() {
    let mut world = World::new();
    let message = world.message(&order(1, Verb::LockKiosk));
    world.disk.fail(true);
    assert!(world.receive(&message).is_err());
    world.disk.fail(false);
    let steps = world.receive(&message).unwrap();
    world.carry(steps);
    world.disk.fail(true);
    assert!(world.due().is_err());
    assert!(world.started.is_empty());
    world.disk.fail(false);
    let steps = world.due().unwrap();
    let on_disk = String::from_utf8(world.disk.bytes()).unwrap();
    assert!(
        on_disk
            .lines()
            .last()
            .unwrap()
            .contains("command running untold sato")
    );
    assert!(matches!(steps.last(), Some(Step::Start(_))));
    let id = order(1, Verb::LockKiosk).id;
    world.carry(steps);
    world.disk.fail(true);
    assert!(world.keeper.finished(id, &Outcome::Done).is_err());
    world.disk.fail(false);
    world.end();
    assert_eq!(world.keeper.progress(id), Some(Progress::Done));
}

#[test]
fn a_flood_of_rubbish_costs_no_disk_and_few_answers() {
    let mut world = World::new();
    let before = world.disk.bytes();
    for _ in 0..200 {
        world.deliver(b"rubbish");
    }
    assert_eq!(world.disk.bytes(), before);
    assert_eq!(world.turned_away.len(), 16);
    assert!(world.states.is_empty());
    world.moment = world.moment.plus(Duration::from_secs(60));
    world.deliver(b"rubbish");
    assert_eq!(world.turned_away.last(), Some(&(Refusal::Malformed, 184)));
    // The flood does not keep orders out.
    let message = world.message(&order(1, Verb::LockKiosk));
    world.deliver(&message);
    assert_eq!(world.started.len(), 1);
}

#[test]
fn an_operator_who_was_taken_off_the_list_orders_nothing_more() {
    let mut world = World::new();
    let mut later = order(1, Verb::LockKiosk);
    later.not_before += 60;
    let message = world.message(&later);
    world.deliver(&message);
    world.keeper.set_authority(Authority::default());
    world.pass(60);
    assert!(world.started.is_empty());
    let last = world.states.last().unwrap();
    assert_eq!(last.reason, Refusal::ApproverRemoved.word());
    let message = world.message(&order(2, Verb::LockKiosk));
    world.deliver(&message);
    assert_eq!(
        world.states.last().unwrap().reason,
        Refusal::UnknownApprover.word()
    );
}
