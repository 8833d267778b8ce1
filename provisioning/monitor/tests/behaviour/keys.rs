//! Keys that devices state themselves: when they count, when the key before them ceases to, and which are
//! refused.

use std::sync::atomic::{AtomicU64, Ordering};

use monitor::alarm::{AlarmKind, Severity};
use monitor::intake::Verdict;
use monitor::print;
use monitor::registry::Registered;
use monitor::rehearsal::Rehearsed;
use monitor::store::Store;
use telemetry::message::Message;
use telemetry::message::key::KeyStatement;
use telemetry::{Class, Lane, VerifyingKey};

use crate::kit::{Bench, ack, device, jobs, open};

const UNKNOWN: Verdict = Verdict::Refused(AlarmKind::UnknownKey);

/// A device that has said hello, and its monitor, which knows another device too.
fn met() -> (Bench, Rehearsed) {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter, &device(4)]);
    assert_eq!(bench.take(&counter.birth(&[]).unwrap()), Verdict::Fresh);
    (bench, counter)
}

/// The device states the key with which `next` speaks.
fn state(bench: &mut Bench, counter: &mut Rehearsed, next: &Rehearsed) -> Verdict {
    let statement = counter.statement(next).unwrap();
    bench.take(&counter.say(&statement).unwrap())
}

/// Which key the newest acknowledgement names.
fn named(bench: &mut Bench) -> Option<VerifyingKey> {
    // Later than every acknowledgement before, so that none is too early.
    static LATER: AtomicU64 = AtomicU64::new(10_000);
    bench.clock.set(LATER.fetch_add(10, Ordering::Relaxed));
    let told = bench.intake.acknowledgements().unwrap();
    ack(&told.last().unwrap().bytes).next_key
}

fn known(bench: &Bench, counter: &Rehearsed) -> Registered {
    let known = bench.intake.registry().device(&counter.name);
    known.unwrap().clone()
}

/// The newest alarm about a refused key.
fn refusal(bench: &Bench) -> String {
    let alarms = bench.intake.store().alarms(None, false).unwrap();
    let refused = alarms
        .into_iter()
        .find(|alarm| alarm.kind == AlarmKind::KeyRefused);
    refused.unwrap().detail
}

#[test]
fn a_stated_key_is_named_until_it_signs_and_ends_the_key_before_it_then() {
    let (mut bench, mut counter) = met();
    let mut next = counter.followed_by(33).unwrap();
    assert_eq!(state(&mut bench, &mut counter, &next), Verdict::Fresh);
    assert_eq!(named(&mut bench), Some(next.key()));
    assert_eq!(bench.alarms(), [AlarmKind::NewKey]);
    assert_eq!(AlarmKind::NewKey.severity(), Severity::Notice);
    // Not in the epoch of the statement, in which the old key signs.
    next.epoch = 1;
    assert_eq!(bench.take(&next.say(&jobs(1)).unwrap()), UNKNOWN);
    // The old key goes on for as long as the next one is silent, also over a start of the monitor.
    bench.intake = {
        let (path, clock) = (bench.path.clone(), bench.clock.clone());
        drop(bench.intake);
        open(&path, &clock)
    };
    counter.restart();
    counter.seconds = 10;
    assert_eq!(bench.take(&counter.birth(&[]).unwrap()), Verdict::Fresh);
    assert_eq!(named(&mut bench), Some(next.key()));
    let late = counter.say(&jobs(1)).unwrap();
    let shown = print::device(bench.intake.store(), &known(&bench, &counter)).unwrap();
    assert!(shown.contains("stated, has not signed yet"), "{shown}");
    assert!(shown.contains(&hex::encode(next.key().bytes())), "{shown}");

    (next.epoch, next.seconds) = (3, 20);
    assert_eq!(bench.take(&next.birth(&[]).unwrap()), Verdict::Fresh);
    assert_eq!(named(&mut bench), None);
    assert_eq!(bench.take(&late), Verdict::Fresh, "it was signed in time");
    for epoch in [3, 4] {
        counter.epoch = epoch;
        assert_eq!(bench.take(&counter.say(&jobs(2)).unwrap()), UNKNOWN);
    }
    let ranges: Vec<_> = known(&bench, &counter)
        .keys
        .iter()
        .map(|key| (key.id, key.from_epoch, key.until_epoch, key.waits))
        .collect();
    let (old, new) = (counter.key().id(), next.key().id());
    assert_eq!(ranges, [(old, 0, Some(2), false), (new, 2, None, false)]);
    let happened = bench.intake.store().happenings_after(0).unwrap();
    let told: Vec<_> = happened.iter().filter(|one| one.what == "key").collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].detail.contains("signs from epoch 3 on"), "{told:?}");

    // Whoever has the first key can follow the chain, however old it is.
    bench.clock.set(1000 * 86_400);
    assert!(bench.intake.prune(90, 2).unwrap() > 0);
    let statements = bench
        .intake
        .store()
        .facts(known(&bench, &counter).id, Class::Key);
    assert_eq!(statements.unwrap().len(), 1);
}

#[test]
fn the_key_before_ends_within_a_batch_and_at_the_first_epoch_of_the_next_whatever_comes_first() {
    let (mut bench, mut counter) = met();
    let mut next = counter.followed_by(33).unwrap();
    assert_eq!(state(&mut bench, &mut counter, &next), Verdict::Fresh);
    (next.epoch, counter.epoch) = (4, 4);
    let batch = [
        next.say(&jobs(1)).unwrap(),
        counter.say_as(&jobs(2), Lane::Telemetry, 2).unwrap(),
    ];
    let verdicts = bench.intake.take(&batch).unwrap();
    assert_eq!(verdicts, [Verdict::Fresh, UNKNOWN]);
    counter.epoch = 3;
    let third = counter.say_as(&jobs(3), Lane::Telemetry, 3).unwrap();
    assert_eq!(bench.take(&third), Verdict::Fresh);
    // An earlier epoch of the next key came late.
    next.epoch = 2;
    assert_eq!(bench.take(&next.say(&jobs(4)).unwrap()), Verdict::Fresh);
    let other = counter.say_as(&jobs(5), Lane::Telemetry, 4).unwrap();
    assert_eq!(bench.take(&other), UNKNOWN);
}

#[test]
fn a_key_that_cannot_be_the_devices_is_refused_and_named_and_the_message_is_kept() {
    let (mut bench, mut counter) = met();
    let (next, other) = (counter.followed_by(33).unwrap(), device(4));
    let Message::Key(proved) = counter.statement(&next).unwrap() else {
        panic!("another message");
    };
    let mut refuse = |statement: &Message, why: &str| {
        let said = counter.say(statement).unwrap();
        assert_eq!(bench.take(&said), Verdict::Fresh);
        assert!(refusal(&bench).contains(why), "{}", refusal(&bench));
        assert_eq!(named(&mut bench), None);
        assert_eq!(bench.take(&said), Verdict::Duplicate);
    };
    let unproved = KeyStatement {
        key: device(34).key(),
        ..proved
    };
    refuse(&Message::Key(unproved), "nothing proves");
    // What another device stated of itself proves nothing here.
    refuse(&other.statement(&next).unwrap(), "nothing proves");
    let (taken, own) = (device(3), device(3));
    let taken = taken.statement(&other).unwrap();
    refuse(&taken, "it is that of hoshino-shi/c-4");
    let itself = own.statement(&own).unwrap();
    refuse(&itself, "it is a key of the device already");
    assert_eq!(AlarmKind::KeyRefused.severity(), Severity::Warning);
    assert_eq!(known(&bench, &counter).keys.len(), 1);
}

#[test]
fn a_key_is_registered_with_its_statement_or_not_at_all() {
    let (mut bench, mut counter) = met();
    let next = counter.followed_by(33).unwrap();
    let statement = counter.statement(&next).unwrap();
    let said = [counter.say(&statement).unwrap()];
    let other = rusqlite::Connection::open(&bench.path).unwrap();
    for table in ["keys", "happenings", "alarms"] {
        other
            .execute_batch(&format!(
                "CREATE TRIGGER full BEFORE INSERT ON {table}
                 BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END"
            ))
            .unwrap();
        assert!(bench.intake.take(&said).is_err());
        other.execute_batch("DROP TRIGGER full").unwrap();
        assert_eq!(bench.intake.store().evidence_count().unwrap(), 1);
        let keys = bench.intake.store().keys(1, 0).unwrap();
        assert_eq!((keys.len(), known(&bench, &counter).keys.len()), (1, 1));
    }
    assert_eq!(bench.intake.take(&said).unwrap(), [Verdict::Fresh]);
    assert_eq!(named(&mut bench), Some(next.key()));
}

#[test]
fn a_key_of_an_earlier_life_is_refused() {
    let (mut bench, counter) = met();
    let mut anew = counter.followed_by(33).unwrap();
    let operator = Store::open(&bench.path).unwrap();
    operator.enrol_anew(&counter.name, &anew.key()).unwrap();
    assert_eq!(state(&mut bench, &mut anew, &counter), Verdict::Fresh);
    assert!(refusal(&bench).contains("registered already"));
    assert_eq!(named(&mut bench), None);
}

#[test]
fn of_two_stated_keys_that_have_not_signed_the_newest_counts() {
    let (mut bench, mut counter) = met();
    let [mut first, mut second, third] =
        [33, 34, 35].map(|number| counter.followed_by(number).unwrap());
    let early = counter.statement(&third).unwrap();
    let early = counter.say(&early).unwrap();
    assert_eq!(state(&mut bench, &mut counter, &first), Verdict::Fresh);
    assert_eq!(state(&mut bench, &mut counter, &first), Verdict::Fresh);
    assert_eq!(bench.alarms(), [AlarmKind::NewKey], "it was stated again");
    assert_eq!(state(&mut bench, &mut counter, &second), Verdict::Fresh);
    assert_eq!(named(&mut bench), Some(second.key()));
    assert_eq!(bench.take(&early), Verdict::Fresh);
    assert!(refusal(&bench).contains("newer statement"));
    assert_eq!(named(&mut bench), Some(second.key()));
    assert_eq!(bench.take(&first.say(&jobs(1)).unwrap()), UNKNOWN);
    assert_eq!(bench.take(&second.say(&jobs(1)).unwrap()), Verdict::Fresh);
}

#[test]
fn a_key_that_was_replaced_states_nothing_any_more() {
    let (mut bench, mut counter) = met();
    let mut next = counter.followed_by(33).unwrap();
    let forged = counter
        .statement(&counter.followed_by(34).unwrap())
        .unwrap();
    assert_eq!(state(&mut bench, &mut counter, &next), Verdict::Fresh);
    next.seconds = 10;
    let thief = counter.say(&forged).unwrap();
    let batch = [next.birth(&[]).unwrap(), thief];
    assert_eq!(
        bench.intake.take(&batch).unwrap(),
        [Verdict::Fresh, Verdict::Fresh]
    );
    assert!(refusal(&bench).contains("has been replaced"));
    assert_eq!(bench.take(&counter.say(&forged).unwrap()), Verdict::Fresh);
    assert_eq!(named(&mut bench), None);
    // The chain goes on with the key in force.
    let after = next.followed_by(35).unwrap();
    assert_eq!(state(&mut bench, &mut next, &after), Verdict::Fresh);
    assert_eq!(named(&mut bench), Some(after.key()));
}

#[test]
fn a_stated_key_that_an_operator_has_ended_is_named_no_more() {
    let (mut bench, mut counter) = met();
    let next = counter.followed_by(33).unwrap();
    assert_eq!(state(&mut bench, &mut counter, &next), Verdict::Fresh);
    let operator = Store::open(&bench.path).unwrap();
    let by_hand = device(40).key();
    operator.add_key(&counter.name, &by_hand, 5, true).unwrap();
    assert_eq!(bench.take(&counter.say(&jobs(1)).unwrap()), Verdict::Fresh);
    assert_eq!(named(&mut bench), None);
}

#[test]
fn a_statement_of_a_device_in_quarantine_waits_for_its_release() {
    let (mut bench, mut counter) = met();
    let next = counter.followed_by(33).unwrap();
    let operator = Store::open(&bench.path).unwrap();
    operator.quarantine(&counter.name, "test", None).unwrap();
    let statement = counter.statement(&next).unwrap();
    let said = counter.say(&statement).unwrap();
    let held = Verdict::Refused(AlarmKind::Quarantined);
    assert_eq!(bench.take(&said), held);
    assert_eq!(known(&bench, &counter).keys.len(), 1);
    operator.release(&counter.name).unwrap();
    assert_eq!(bench.take(&said), Verdict::Fresh);
    assert_eq!(named(&mut bench), Some(next.key()));
}

#[test]
fn a_disk_from_before_the_new_key_is_found_in_every_epoch() {
    let (mut bench, mut counter) = met();
    let mut restored = counter.copy(3).unwrap();
    let mut next = counter.followed_by(33).unwrap();
    assert_eq!(state(&mut bench, &mut counter, &next), Verdict::Fresh);
    (next.epoch, next.seconds) = (5, 100);
    assert_eq!(bench.take(&next.birth(&[]).unwrap()), Verdict::Fresh);
    restored.seconds = 200;
    restored.restart();
    assert_eq!(
        bench.take(&restored.birth(&[]).unwrap()),
        Verdict::Refused(AlarmKind::RolledBack)
    );
    // A copy that has begun more often than the device has a key that no longer counts.
    restored.epoch = 9;
    assert_eq!(bench.take(&restored.birth(&[]).unwrap()), UNKNOWN);
}
