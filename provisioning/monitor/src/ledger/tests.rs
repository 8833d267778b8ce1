//! The ledger against a model of a device, under loss, repetition, reordering and restarts of both sides.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const LANE: Lane = Lane::Telemetry;

fn mark(newest: u64, kept: u64) -> LaneMark {
    LaneMark {
        lane: LANE,
        newest,
        kept,
    }
}

fn come(ledger: &mut Ledger, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        assert!(ledger.receive(1, LANE, number, number), "{number}");
    }
}

#[test]
fn a_number_counts_once_and_the_mark_waits_for_the_first_gap() {
    let mut ledger = Ledger::default();
    come(&mut ledger, [1, 2, 4, 5]);
    assert_eq!(ledger.through(1, LANE), 2);
    assert_eq!(ledger.standing(1, LANE, 4), Standing::Seen);
    assert_eq!(ledger.standing(1, LANE, 3), Standing::New);
    assert!(!ledger.receive(1, LANE, 4, 4));
    come(&mut ledger, [3]);
    assert_eq!(ledger.through(1, LANE), 5);
}

#[test]
fn what_was_dropped_is_passed_over_and_is_accepted_all_the_same() {
    let mut ledger = Ledger::default();
    come(&mut ledger, [1, 4]);
    ledger.excuse(1, LANE, Range { first: 2, last: 3 });
    assert_eq!(ledger.through(1, LANE), 4);
    assert_eq!(ledger.standing(1, LANE, 3), Standing::New);
    come(&mut ledger, [3]);
    assert_eq!(ledger.standing(1, LANE, 3), Standing::Seen);
}

#[test]
fn what_is_missing_and_not_kept_is_lost() {
    let mut ledger = Ledger::default();
    come(&mut ledger, [1, 2, 5]);
    // Three are kept: 3 and 4 may be among them.
    assert_eq!(ledger.write_off(1, &mark(5, 3)), []);
    // Two are: 5 is one of them, and one of 3 and 4 is still to come.
    assert_eq!(ledger.write_off(1, &mark(5, 2)), []);
    let lost = ledger.write_off(1, &mark(5, 1));
    let gaps = vec![Range { first: 3, last: 4 }];
    let expected = Lost {
        epoch: 1,
        lane: LANE,
        gaps,
    };
    assert_eq!(lost, [expected]);
    assert_eq!(ledger.through(1, LANE), 5);
    assert_eq!(ledger.write_off(1, &mark(5, 0)), []);
}

#[test]
fn a_message_that_is_newer_than_the_sign_of_life_proves_nothing() {
    let mut ledger = Ledger::default();
    // 10 is on its way when the beat is made, and 11 overtakes the beat.
    come(&mut ledger, (1..=9).chain([11]));
    assert_eq!(ledger.write_off(1, &mark(10, 1)), []);
    come(&mut ledger, [10]);
    assert_eq!(ledger.through(1, LANE), 11);
}

#[test]
fn an_epoch_that_was_closed_and_is_complete_is_forgotten_and_stays_known() {
    let mut ledger = Ledger::default();
    come(&mut ledger, 1..=3);
    ledger.close(1, &[(LANE, 4)]);
    assert_eq!(ledger.forget(2), [0; 0]);
    come(&mut ledger, [4]);
    assert_eq!(ledger.forget(1), [0; 0], "the current one stays");
    assert_eq!(ledger.forget(2), [1]);
    assert_eq!(ledger.standing(1, LANE, 2), Standing::Finished);
    ledger.excuse(1, LANE, Range { first: 1, last: 9 });
    ledger.close(1, &[]);
    assert_eq!(ledger.standing(1, LANE, 2), Standing::Finished);
    assert_eq!(ledger.newest_epoch(), 1);
}

#[test]
fn an_epoch_of_which_nothing_came_is_missing_once_it_is_closed() {
    let mut ledger = Ledger::default();
    ledger.close(1, &[(LANE, 7)]);
    assert_eq!(ledger.shortfall(2, &mark(0, 7)).missing, 7);
    assert_eq!(ledger.write_off(2, &mark(0, 7)), []);
    assert_eq!(ledger.write_off(2, &mark(0, 0)).len(), 1);
}

#[test]
fn numbers_and_time_of_one_machine_agree() {
    let mut ledger = Ledger::default();
    ledger.receive(1, LANE, 10, 5_000);
    for (number, made, contradicts) in [
        (11, 5_000, false),
        (11, 4_999, true),
        (9, 5_000, false),
        (9, 5_001, true),
    ] {
        assert_eq!(ledger.contradicts(1, LANE, number, made), contradicts);
    }
    assert!(
        !ledger.contradicts(2, LANE, 1, 0),
        "another epoch, another clock"
    );
}

#[test]
fn the_newest_first_costs_one_range_and_every_second_number_is_bounded() {
    let mut ledger = Ledger::default();
    for number in (1..=100_000).rev() {
        ledger.receive(1, LANE, number, number);
    }
    assert_eq!(ledger.through(1, LANE), 100_000);
    for number in 0..WINDOW as u64 * 2 {
        let number = 200_000 + number * 2;
        if ledger.standing(1, LANE, number) == Standing::New {
            ledger.receive(1, LANE, number, number);
        }
    }
    let stream = ledger.stream(1, LANE).unwrap();
    assert_eq!(stream.received.pieces(), WINDOW);
    assert_eq!(ledger.standing(1, LANE, 900_000), Standing::Beyond);
    assert_eq!(ledger.standing(1, LANE, 200_001), Standing::New);
}

#[test]
fn lost_signs_of_life_cost_no_more_than_the_window() {
    let mut ledger = Ledger::default();
    for number in 1..=10_000 {
        ledger.receive(1, Lane::Presence, number * 2, number);
    }
    let stream = ledger.stream(1, Lane::Presence).unwrap();
    assert_eq!(stream.received.pieces(), WINDOW);
    assert_eq!(ledger.standing(1, Lane::Presence, 1), Standing::Seen);
    assert_eq!(ledger.standing(1, Lane::Presence, 19_999), Standing::New);
}

/// A device that keeps everything until it is acknowledged.
#[derive(Debug, Default)]
struct Device {
    epoch: u64,
    newest: u64,
    kept: BTreeSet<(u64, u64)>,
    drops: Vec<(u64, Range)>,
    ends: Vec<(u64, u64)>,
}

#[derive(Debug, Clone)]
enum Step {
    Make,
    Send(prop::sample::Index),
    Again(prop::sample::Index),
    Drop(prop::sample::Index),
    Cheat(prop::sample::Index),
    Explain,
    Acknowledge,
    Beat,
    DeviceRestarts,
    MonitorRestarts,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Make),
        8 => any::<prop::sample::Index>().prop_map(Step::Send),
        2 => any::<prop::sample::Index>().prop_map(Step::Again),
        1 => any::<prop::sample::Index>().prop_map(Step::Drop),
        1 => any::<prop::sample::Index>().prop_map(Step::Cheat),
        2 => Just(Step::Explain),
        2 => Just(Step::Acknowledge),
        2 => Just(Step::Beat),
        1 => Just(Step::DeviceRestarts),
        1 => Just(Step::MonitorRestarts),
    ]
}

/// What a monitor with a disk still knows after its process was killed.
fn restart(ledger: &Ledger) -> Ledger {
    let streams = ledger.epochs.iter().flat_map(|(epoch, held)| {
        held.lanes.iter().map(|(lane, stream)| {
            let stored = Stream {
                received: Ranges::from_bytes(&stream.received.to_bytes()).unwrap(),
                excused: Ranges::from_bytes(&stream.excused.to_bytes()).unwrap(),
                through: 0,
                ..stream.clone()
            };
            (*epoch, *lane, stored)
        })
    });
    let finished = Ranges::from_bytes(&ledger.finished.to_bytes()).unwrap();
    Ledger::restore(finished, streams.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn each_is_accepted_once_and_only_what_was_stolen_is_called_lost(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut device = Device { epoch: 1, ..Device::default() };
        let mut ledger = Ledger::default();
        let mut accepted: BTreeMap<(u64, u64), u32> = BTreeMap::new();
        let mut stolen = BTreeSet::new();
        let mut lost = BTreeSet::new();
        for step in steps {
            match step {
                Step::Make => {
                    device.newest += 1;
                    device.kept.insert((device.epoch, device.newest));
                }
                Step::Send(which) | Step::Again(which) if !device.kept.is_empty() => {
                    let all: Vec<_> = device.kept.iter().copied().collect();
                    let (epoch, number) = *which.get(&all);
                    let standing = ledger.standing(epoch, LANE, number);
                    prop_assert!(!ledger.contradicts(epoch, LANE, number, number));
                    if standing == Standing::New {
                        prop_assert!(ledger.receive(epoch, LANE, number, number));
                        *accepted.entry((epoch, number)).or_default() += 1;
                    } else {
                        prop_assert!(accepted.contains_key(&(epoch, number)));
                    }
                }
                Step::Drop(which) if !device.kept.is_empty() => {
                    let all: Vec<_> = device.kept.iter().copied().collect();
                    let (epoch, number) = *which.get(&all);
                    device.kept.remove(&(epoch, number));
                    device.drops.push((epoch, Range { first: number, last: number }));
                }
                Step::Cheat(which) => {
                    let waits = |name: &&(u64, u64)| !accepted.contains_key(name);
                    let all: Vec<_> = device.kept.iter().filter(waits).copied().collect();
                    if !all.is_empty() {
                        let name = *which.get(&all);
                        device.kept.remove(&name);
                        stolen.insert(name);
                    }
                }
                Step::Explain => {
                    for (epoch, range) in device.drops.drain(..) {
                        ledger.excuse(epoch, LANE, range);
                    }
                    for (epoch, end) in device.ends.drain(..) {
                        ledger.close(epoch, &[(LANE, end)]);
                    }
                }
                Step::Acknowledge => {
                    for (epoch, lane, through) in ledger.marks() {
                        prop_assert_eq!(lane, LANE);
                        device.kept.retain(|(of, number)| *of != epoch || *number > through);
                        for number in 1..=through {
                            let name = (epoch, number);
                            prop_assert!(accepted.contains_key(&name) || lost.contains(&name)
                                || !device.kept.contains(&name));
                        }
                    }
                }
                // The rule about what is not kept holds once everything that was dropped is explained.
                Step::Beat if device.drops.is_empty() && device.ends.is_empty() => {
                    let mark = mark(device.newest, device.kept.len() as u64);
                    ledger.hear(device.epoch, &[mark]);
                    for found in ledger.write_off(device.epoch, &mark) {
                        for number in found.gaps.iter().flat_map(|gap| gap.first..=gap.last) {
                            let name = (found.epoch, number);
                            prop_assert!(stolen.contains(&name), "{name:?} is not lost");
                            prop_assert!(lost.insert(name));
                        }
                    }
                    if device.kept.is_empty() {
                        let missing = |name: &&(u64, u64)| !accepted.contains_key(name);
                        prop_assert!(stolen.iter().filter(missing).all(|name| lost.contains(name)));
                        ledger.forget(device.epoch);
                    }
                }
                Step::DeviceRestarts => {
                    device.ends.push((device.epoch, device.newest));
                    device.epoch += 1;
                    device.newest = 0;
                }
                Step::MonitorRestarts => {
                    let again = restart(&ledger);
                    prop_assert_eq!(&again, &ledger);
                    ledger = again;
                }
                Step::Send(_) | Step::Again(_) | Step::Drop(_) | Step::Beat => {}
            }
        }
        prop_assert!(accepted.values().all(|times| *times == 1));
    }
}
