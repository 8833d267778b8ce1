//! The power goes at every step of a day with every kind of order, and the agent ends between every two.

use super::world::{World, order};
use super::*;
use crate::verb::Verb;
use journal_file::memory::Part;

/// Something that happens.
type Act = Box<dyn Fn(&mut World)>;

/// A day of orders: two that are done, one that fails, one that waits, one that is refused.
fn day(world: &mut World, end_before: Option<usize>) -> Vec<Vec<u8>> {
    let mut later = order(4, Verb::UnlockKiosk);
    later.not_before += 120;
    let mut refused = order(5, Verb::LockKiosk);
    refused.preconditions.version = Some("9".parse().unwrap());
    let messages: Vec<Vec<u8>> = [
        order(1, Verb::Diagnostics),
        world.fresh(order(2, Verb::Reboot)),
        order(3, Verb::LockKiosk),
        later,
        refused,
    ]
    .iter()
    .map(|order| world.message(order))
    .collect();
    let mut acts: Vec<Act> = Vec::new();
    for message in messages.clone() {
        acts.push(Box::new(move |world| {
            if let Ok(steps) = world.receive(&message) {
                world.carry(steps);
            }
        }));
        acts.push(Box::new(World::tick));
    }
    for _ in 0..4 {
        acts.push(Box::new(World::end));
    }
    acts.push(Box::new(|world| world.pass(120)));
    acts.push(Box::new(World::end));
    for (number, act) in acts.iter().enumerate() {
        if end_before == Some(number) {
            world.crash();
        }
        act(world);
    }
    messages
}

/// Everything comes again after the crash, and time goes on until nothing can wait.
fn afterwards(world: &mut World, messages: &[Vec<u8>]) {
    world.beat();
    for message in messages {
        world.deliver(message);
        world.end();
    }
    world.pass(4_000);
    world.end();
    check(world);
}

/// What must hold at the end of every history.
pub(super) fn check(world: &World) {
    for number in 0..=u8::MAX {
        let id = order(number, Verb::Wipe).id;
        let begun = world.started.iter().filter(|start| start.command == id);
        let begun = begun.count();
        assert!(begun <= 1, "order {number} began {begun} times");
        let of_order = world.states.iter().filter(|state| {
            let word = state.reason.as_ref();
            let refusal = word.and_then(|word| Refusal::of_code(word.as_str()));
            state.command == id && !refusal.is_some_and(Refusal::is_of_message)
        });
        let told: Vec<Progress> = of_order.map(|state| state.progress).collect();
        let is_final = |progress: &Progress| match progress {
            Progress::Accepted | Progress::Running => false,
            Progress::Refused | Progress::Done | Progress::Failed | Progress::Unknown => true,
        };
        let mut finals: Vec<Progress> = told.iter().copied().filter(is_final).collect();
        finals.dedup();
        if !told.is_empty() || begun > 0 {
            assert_eq!(finals.len(), 1, "order {number}: {told:?}");
            assert_eq!(world.keeper.progress(id), finals.first().copied());
            assert_eq!(told.last(), finals.first());
            // What began is never said to have been refused, and what did not begin is never done.
            let effect = !matches!(finals[..], [Progress::Refused]);
            let never_heard_of = begun == 0 && finals == [Progress::Unknown];
            assert!(effect == (begun == 1) || never_heard_of, "order {number}");
        }
    }
    assert!(world.touched.len() <= world.started.len());
}

#[test]
fn a_power_cut_at_every_step_does_nothing_twice_and_leaves_nothing_open() {
    let (mut cuts, mut unknown) = (0, 0);
    for part in [Part::None, Part::Half, Part::All] {
        for step in 0.. {
            let mut world = World::new();
            world.disk.cut_at(step, part);
            let messages = day(&mut world, None);
            if !world.disk.restore() {
                break;
            }
            cuts += 1;
            world.crash();
            afterwards(&mut world, &messages);
            let states = world.states.iter();
            unknown += states
                .filter(|state| state.progress == Progress::Unknown)
                .count();
        }
    }
    // Each change of the journal is two steps: 5 orders, 4 starts, 4 ends, 5 told.
    assert_eq!(cuts, 3 * 2 * 18);
    assert!(unknown > 0);
}

#[test]
fn an_agent_that_ends_between_any_two_acts_does_nothing_twice() {
    for number in 0..16 {
        let mut world = World::new();
        let messages = day(&mut world, Some(number));
        afterwards(&mut world, &messages);
    }
}

#[test]
fn what_ran_when_the_agent_ended_is_unknown_and_not_tried_again() {
    let mut world = World::new();
    let message = world.message(&order(1, Verb::LockKiosk));
    world.deliver(&message);
    world.crash();
    world.deliver(&message);
    world.end();
    world.pass(60);
    assert_eq!(world.started.len(), 1);
    assert!(world.touched.is_empty());
    assert_eq!(
        world.told_of(1),
        [
            Progress::Accepted,
            Progress::Running,
            Progress::Unknown,
            Progress::Unknown
        ]
    );
}

#[test]
fn what_had_not_begun_when_the_agent_ended_begins_if_it_is_still_valid() {
    for (pause, begins) in [(60, true), (3_600, false)] {
        let mut world = World::new();
        let mut later = order(1, Verb::LockKiosk);
        later.not_before += 30;
        let message = world.message(&later);
        world.deliver(&message);
        world.crash();
        world.pass(pause);
        assert_eq!(!world.started.is_empty(), begins);
        world.end();
        check(&world);
    }
}

#[test]
fn a_final_report_that_was_not_kept_is_told_after_the_next_start_and_then_no_more() {
    let mut world = World::new();
    let message = world.message(&order(1, Verb::LockKiosk));
    world.deliver(&message);
    let id = order(1, Verb::Wipe).id;
    let steps = world.keeper.finished(id, &Outcome::Done).unwrap();
    assert!(matches!(steps.last(), Some(Step::Confirm(_))));
    // The steps are lost.
    drop(steps);
    world.crash();
    assert_eq!(world.told_of(1).last(), Some(&Progress::Done));
    let told = world.states.len();
    world.crash();
    assert_eq!(world.states.len(), told);
}
