//! Each alarm, raised once, by what raises it in the field; and what must raise none.

use std::sync::Arc;

use crate::kit::{Bench, SETTINGS, ack, device, fault, jobs};
use monitor::alarm::{AlarmKind, Severity};
use monitor::intake::Verdict;
use monitor::rehearsal::{Rehearsed, arrival};
use monitor::store::Store;
use telemetry::Lane;
use telemetry::envelope::LONGEST;
use telemetry::message::Message;
use telemetry::message::gaps::{Closed, DropReason, Dropped, LastOfLane};

const TM: Lane = Lane::Telemetry;

/// A device that has said hello, and its monitor.
fn met() -> (Bench, Rehearsed) {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter, &device(4)]);
    let birth = counter.birth(&[]).unwrap();
    assert_eq!(bench.take(&birth), Verdict::Fresh);
    (bench, counter)
}

fn refused(kind: AlarmKind) -> Verdict {
    Verdict::Refused(kind)
}

#[test]
fn what_is_signed_and_in_order_raises_nothing() {
    let (mut bench, mut counter) = met();
    for seconds in 1..=60 {
        counter.seconds = seconds;
        assert_eq!(
            bench.take(&counter.say(&fault(true)).unwrap()),
            Verdict::Fresh
        );
        assert_eq!(bench.take(&counter.say(&jobs(1)).unwrap()), Verdict::Fresh);
    }
    counter.seconds = 61;
    bench.take(&counter.beat(&[]).unwrap());
    assert_eq!(bench.alarms(), []);
    assert_eq!(bench.intake.store().evidence_count().unwrap(), 122);
}

#[test]
fn malformed_and_too_long() {
    let (mut bench, mut counter) = met();
    let mut spoilt = counter.say(&jobs(1)).unwrap();
    spoilt.bytes.push(0);
    assert_eq!(bench.take(&spoilt), refused(AlarmKind::Malformed));
    spoilt.bytes = vec![0; LONGEST + 1];
    assert_eq!(bench.take(&spoilt), refused(AlarmKind::TooLong));
    spoilt.topic = "madoguchi/1/hoshino-shi/c-3/up/st/jobs".into();
    spoilt.bytes.truncate(9);
    assert_eq!(bench.take(&spoilt), refused(AlarmKind::Malformed));
}

#[test]
fn unknown_device_and_unknown_key() {
    let (mut bench, counter) = met();
    let mut stranger = device(9);
    assert_eq!(
        bench.take(&stranger.say(&jobs(1)).unwrap()),
        refused(AlarmKind::UnknownDevice)
    );
    let mut masked = device(9);
    masked.name = counter.name.clone();
    assert_eq!(
        bench.take(&masked.say(&jobs(1)).unwrap()),
        refused(AlarmKind::UnknownKey)
    );
}

#[test]
fn forged() {
    let (mut bench, mut counter) = met();
    let mut message = counter.say(&jobs(1)).unwrap();
    *message.bytes.last_mut().unwrap() ^= 1;
    assert_eq!(bench.take(&message), refused(AlarmKind::Forged));
    *message.bytes.last_mut().unwrap() ^= 1;
    assert_eq!(
        bench.take(&message),
        Verdict::Fresh,
        "the true one still counts"
    );
}

#[test]
fn wrong_topic() {
    let (mut bench, mut counter) = met();
    let mut moved = counter.say(&jobs(1)).unwrap();
    moved.topic = moved.topic.replace("c-3", "c-4");
    assert_eq!(bench.take(&moved), refused(AlarmKind::WrongTopic));
    let other_lane = counter.say_as(&jobs(1), Lane::State, 1).unwrap();
    assert_eq!(bench.take(&other_lane), refused(AlarmKind::WrongTopic));
    let mut masked = device(4);
    masked.name = counter.name.clone();
    assert_eq!(
        bench.take(&masked.say(&jobs(1)).unwrap()),
        refused(AlarmKind::WrongTopic)
    );
}

#[test]
fn another_class_of_the_same_lane_is_found_by_the_signature() {
    let (mut bench, mut counter) = met();
    let mut moved = counter.beat(&[]).unwrap();
    moved.topic = moved.topic.replace("beat", "birth");
    assert_eq!(bench.take(&moved), refused(AlarmKind::Forged));
}

#[test]
fn replayed_counts_and_a_fresh_repetition_does_not() {
    let (mut bench, mut counter) = met();
    let mut message = counter.say(&jobs(1)).unwrap();
    assert_eq!(bench.take(&message), Verdict::Fresh);
    assert_eq!(bench.take(&message), Verdict::Duplicate);
    assert_eq!(bench.alarms(), []);
    message.arrival = arrival(5000);
    for _ in 0..3 {
        assert_eq!(bench.take(&message), Verdict::Duplicate);
    }
    let alarms = bench.intake.store().alarms(None, false).unwrap();
    assert_eq!(
        (alarms[0].kind, alarms[0].times, alarms.len()),
        (AlarmKind::Replayed, 3, 1)
    );
}

#[test]
fn equivocation_keeps_both_messages() {
    let (mut bench, mut counter) = met();
    bench.take(&counter.say(&jobs(1)).unwrap());
    let other = counter.say_as(&jobs(2), TM, 1).unwrap();
    assert_eq!(bench.take(&other), refused(AlarmKind::Equivocation));
    assert_eq!(AlarmKind::Equivocation.severity(), Severity::Critical);
}

#[test]
fn equivocation_is_found_in_an_epoch_that_was_forgotten() {
    let (mut bench, mut counter) = met();
    bench.take(&counter.say(&jobs(1)).unwrap());
    let other = counter.say_as(&jobs(2), TM, 1).unwrap();
    counter.restart();
    counter.seconds = 10;
    let closed = Message::Closed(Closed {
        epoch: 1,
        last: vec![LastOfLane {
            lane: TM,
            number: 1,
        }],
    });
    bench.take(&counter.say(&closed).unwrap());
    bench.take(&counter.birth(&[]).unwrap());
    let known = bench
        .intake
        .registry()
        .device(&counter.name)
        .unwrap()
        .clone();
    let watched = bench.intake.watched(&known).unwrap();
    assert!(watched.ledger.finished().contains(1));
    assert_eq!(bench.take(&other), refused(AlarmKind::Equivocation));
}

#[test]
fn cloned_whichever_way_two_copies_interleave() {
    // Two copies of one disk; the second one began more often, so that no number meets another's.
    let (mut bench, mut first) = met();
    let mut second = first.copy(3).unwrap();
    second.epoch = 7;
    second.seconds = 30;
    assert_eq!(bench.take(&second.birth(&[]).unwrap()), Verdict::Fresh);
    first.seconds = 40;
    assert_eq!(
        bench.take(&first.beat(&[]).unwrap()),
        refused(AlarmKind::RolledBack)
    );
    second.seconds = 60;
    assert_eq!(
        bench.take(&second.beat(&[]).unwrap()),
        refused(AlarmKind::Cloned)
    );
    assert!(bench.alarms().contains(&AlarmKind::Cloned));

    // In one epoch: the numbers of one lie beyond those of the other, and time says so.
    let (mut bench, mut first) = met();
    let second = first.copy(3).unwrap();
    first.seconds = 500;
    bench.take(&first.say(&jobs(1)).unwrap());
    bench.take(&second.say_as(&jobs(1), TM, 40).unwrap());
    assert_eq!(bench.alarms(), [AlarmKind::Cloned]);

    // In one epoch and session: the same names for different messages.
    let (mut bench, mut first) = met();
    let mut second = first.copy(3).unwrap();
    first.seconds = 30;
    second.seconds = 31;
    bench.take(&first.beat(&[]).unwrap());
    assert_eq!(
        bench.take(&second.beat(&[]).unwrap()),
        refused(AlarmKind::Equivocation)
    );
}

#[test]
fn rolled_back_is_held_until_an_operator_releases_it() {
    let (mut bench, mut counter) = met();
    let mut restored = counter.copy(3).unwrap();
    counter.restart();
    counter.seconds = 100;
    bench.take(&counter.birth(&[]).unwrap());
    restored.seconds = 200;
    restored.session = 2;
    assert_eq!(
        bench.take(&restored.birth(&[]).unwrap()),
        refused(AlarmKind::RolledBack)
    );
    let held = restored.say(&jobs(1)).unwrap();
    assert_eq!(bench.take(&held), refused(AlarmKind::Quarantined));
    assert!(bench.intake.acknowledgements().unwrap().is_empty());

    let operator = Store::open(&bench.path).unwrap();
    let released = operator.release(&restored.name).unwrap();
    assert_eq!(released.rollback, Some(1));
    assert_eq!(
        bench.take(&held),
        Verdict::Fresh,
        "it comes again, and nothing is lost"
    );
    restored.seconds = 230;
    assert_eq!(bench.take(&restored.beat(&[]).unwrap()), Verdict::Fresh);
}

#[test]
fn rolled_back_into_an_epoch_that_is_complete() {
    let (mut bench, mut counter) = met();
    let mut restored = counter.copy(3).unwrap();
    for seconds in [100, 200] {
        counter.restart();
        counter.seconds = seconds;
        let closed = Message::Closed(Closed {
            epoch: counter.epoch - 1,
            last: vec![],
        });
        bench.take(&counter.say(&closed).unwrap());
        bench.take(&counter.birth(&[]).unwrap());
    }
    // The folder of epoch 1 begins epoch 2 once more.
    restored.restart();
    restored.seconds = 300;
    let born = restored.birth(&[]).unwrap();
    assert_eq!(bench.take(&born), refused(AlarmKind::RolledBack));
    let held = restored.say(&jobs(1)).unwrap();
    assert_eq!(bench.take(&held), refused(AlarmKind::Quarantined));
}

#[test]
fn a_new_life_needs_a_new_key_and_voids_the_old_one() {
    let (mut bench, mut counter) = met();
    let old = counter.say(&jobs(1)).unwrap();
    let mut anew = device(33);
    anew.name = counter.name.clone();
    let operator = Store::open(&bench.path).unwrap();
    assert!(operator.enrol_anew(&counter.name, &counter.key()).is_err());
    operator.enrol_anew(&counter.name, &anew.key()).unwrap();
    assert_eq!(bench.take(&old), refused(AlarmKind::UnknownKey));
    assert_eq!(bench.take(&anew.birth(&[]).unwrap()), Verdict::Fresh);
    assert_eq!(bench.take(&anew.say(&jobs(1)).unwrap()), Verdict::Fresh);
}

#[test]
fn a_further_key_counts_from_its_epoch_on() {
    let (mut bench, mut counter) = met();
    let mut newer = device(33);
    newer.name = counter.name.clone();
    let operator = Store::open(&bench.path).unwrap();
    operator
        .add_key(&counter.name, &newer.key(), 2, true)
        .unwrap();
    assert_eq!(
        bench.take(&newer.say(&jobs(1)).unwrap()),
        refused(AlarmKind::UnknownKey)
    );
    assert_eq!(bench.take(&counter.say(&jobs(1)).unwrap()), Verdict::Fresh);
    (newer.epoch, counter.epoch) = (2, 3);
    assert_eq!(bench.take(&newer.say(&jobs(2)).unwrap()), Verdict::Fresh);
    let late = counter.say(&jobs(3)).unwrap();
    assert_eq!(bench.take(&late), refused(AlarmKind::UnknownKey));
}

#[test]
fn gap_unexplained_unless_the_device_explains_it() {
    let (mut bench, mut counter) = met();
    let said: Vec<_> = (0..5).map(|n| counter.say(&jobs(n)).unwrap()).collect();
    for at in [0, 2, 4] {
        bench.take(&said[at]);
    }
    let dropped = Message::Dropped(Dropped {
        epoch: 1,
        lane: TM,
        first: 2,
        last: 2,
        reason: DropReason::Expired,
    });
    let dropped = counter.say(&dropped).unwrap();
    counter.seconds = 30;
    // The device keeps 3 and 5, which came, and nothing else; what explains 2 has not come yet.
    bench.take(&counter.beat(&[(TM, 2), (Lane::Drops, 1)]).unwrap());
    assert_eq!(bench.alarms(), []);
    bench.take(&dropped);
    counter.seconds = 60;
    bench.take(&counter.beat(&[(TM, 1)]).unwrap());
    let alarms = bench.intake.store().alarms(None, false).unwrap();
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].kind, AlarmKind::GapUnexplained);
    assert_eq!(alarms[0].detail, "1 lost: 4");
    assert_eq!(alarms[0].place, "1/tm/4");
    // The mark passes over both, and what is lost is accepted if it comes after all.
    let known = bench
        .intake
        .registry()
        .device(&counter.name)
        .unwrap()
        .clone();
    assert_eq!(
        bench.intake.watched(&known).unwrap().ledger.through(1, TM),
        5
    );
    assert_eq!(bench.take(&said[3]), Verdict::Fresh);
}

#[test]
fn suppressed_after_it_was_asked_for_in_vain() {
    let (mut bench, mut counter) = met();
    let held_back = counter.say(&fault(true)).unwrap();
    let mut asked = 0;
    for beat in 1..=12 {
        counter.seconds = beat * 30;
        // Others of the same lane go on.
        bench.take(&counter.say(&fault(beat % 2 == 0)).unwrap());
        bench.take(&counter.beat(&[(Lane::Alerts, beat + 1)]).unwrap());
        for told in bench.intake.acknowledgements().unwrap() {
            asked += u32::from(ack(&told.bytes).resend);
        }
    }
    assert_eq!(bench.alarms(), [AlarmKind::Suppressed]);
    assert!((3..=7).contains(&asked), "{asked}");
    assert_eq!(bench.take(&held_back), Verdict::Fresh);
}

#[test]
fn clock_wrong() {
    let (mut bench, mut counter) = met();
    counter.seconds = 30;
    let mut beat = counter.beat(&[]).unwrap();
    beat.arrival = arrival(1000);
    assert_eq!(bench.take(&beat), Verdict::Fresh);
    assert_eq!(bench.alarms(), [AlarmKind::ClockWrong]);
}

#[test]
fn stale_session() {
    let (mut bench, mut counter) = met();
    counter.seconds = 10;
    let late = counter.beat(&[]).unwrap();
    counter.session = 2;
    counter.seconds = 20;
    bench.take(&counter.birth(&[]).unwrap());
    assert_eq!(bench.take(&late), Verdict::Fresh);
    assert_eq!(bench.alarms(), [AlarmKind::StaleSession]);
}

#[test]
fn forged_death() {
    let (mut bench, mut counter) = met();
    let will = counter.will().unwrap();
    assert_eq!(bench.take(&will), Verdict::Fresh);
    assert_eq!(bench.alarms(), []);
    counter.seconds = 30;
    bench.take(&counter.beat(&[]).unwrap());
    assert_eq!(bench.alarms(), [AlarmKind::ForgedDeath]);
    // Again and again: it is a repetition, and changes nothing.
    assert_eq!(bench.take(&will), Verdict::Duplicate);
}

#[test]
fn quarantined_by_an_operator_and_every_kind_is_tested_here() {
    let (mut bench, mut counter) = met();
    let operator = Store::open(&bench.path).unwrap();
    operator.quarantine(&counter.name, "stolen", None).unwrap();
    assert_eq!(
        bench.take(&counter.say(&jobs(1)).unwrap()),
        refused(AlarmKind::Quarantined)
    );
    let tests = [include_str!("alarms.rs"), include_str!("keys.rs")].concat();
    for kind in AlarmKind::ALL {
        assert!(tests.contains(&format!("AlarmKind::{kind:?}")), "{kind:?}");
    }
}

#[test]
fn a_flood_of_forged_messages_costs_one_row() {
    let (mut bench, mut counter) = met();
    let mut flood = Vec::new();
    for number in 1..=200 {
        let mut message = counter.say_as(&jobs(1), TM, number).unwrap();
        *message.bytes.last_mut().unwrap() ^= 1;
        flood.push(message);
    }
    bench.intake.take(&flood).unwrap();
    bench.intake.take(&flood).unwrap();
    let alarms = bench.intake.store().alarms(None, false).unwrap();
    assert_eq!((alarms.len(), alarms[0].times), (1, 400));
    assert_eq!(bench.take(&counter.say(&jobs(1)).unwrap()), Verdict::Fresh);
}

#[test]
fn a_settled_alarm_is_kept_and_the_next_one_is_new() {
    let (mut bench, mut counter) = met();
    let mut message = counter.say(&jobs(1)).unwrap();
    *message.bytes.last_mut().unwrap() ^= 1;
    bench.take(&message);
    let store = bench.intake.store();
    let first = store.alarms(None, false).unwrap()[0].id;
    assert!(store.settle(first, 5).unwrap());
    assert!(!store.settle(first, 6).unwrap());
    bench.take(&message);
    let store = bench.intake.store();
    assert_eq!(store.alarms(None, false).unwrap().len(), 1);
    assert_eq!(store.alarms(None, true).unwrap().len(), 2);
}

#[test]
fn what_is_pruned_is_not_accepted_again_and_what_is_shown_stays() {
    let (mut bench, mut counter) = met();
    let message = counter.say(&jobs(1)).unwrap();
    let newer = counter.say(&jobs(2)).unwrap();
    bench.take(&message);
    bench.take(&newer);
    bench.clock.set(100 * 86_400);
    // The birth and the older counts go; the newest counts are shown.
    assert_eq!(bench.intake.prune(90, 2).unwrap(), 2);
    let again = monitor::intake::Delivery {
        arrival: arrival(100 * 86_400),
        ..message
    };
    assert_eq!(bench.take(&again), refused(AlarmKind::Replayed));
    assert_eq!(bench.intake.store().evidence_count().unwrap(), 1);
}

#[test]
fn another_part_takes_another_parts_devices() {
    let (bench, mut counter) = met();
    let path = bench.path.with_extension("part");
    let store = Store::open(&path).unwrap();
    store.add_device(&counter.name, &counter.key()).unwrap();
    let part = monitor::registry::shard_of(&counter.name, 2);
    let message = counter.say(&jobs(1)).unwrap();
    for index in 0..2 {
        let settings = monitor::intake::Settings {
            shard: monitor::registry::Shard::new(index, 2).unwrap(),
            ..SETTINGS
        };
        let clock = Arc::clone(&bench.clock) as Arc<dyn device_api::Clock>;
        let mut intake =
            monitor::intake::Intake::open(&path, crate::kit::own(), settings, clock).unwrap();
        let expected = if index == part {
            Verdict::Fresh
        } else {
            Verdict::Elsewhere
        };
        assert_eq!(
            intake.take(std::slice::from_ref(&message)).unwrap(),
            [expected]
        );
    }
}
