//! What devices are told, and when.

use monitor::alarm::AlarmKind;
use monitor::intake::Verdict;
use monitor::rehearsal::{START, arrival};
use telemetry::down::Mark;
use telemetry::message::Message;
use telemetry::message::gaps::{Closed, LastOfLane};
use telemetry::{DownTopic, Envelope, Lane};

use crate::kit::{Bench, device, jobs, open, own_key};

const TM: Lane = Lane::Telemetry;

fn told(bench: &mut Bench) -> Vec<telemetry::down::Ack> {
    let all = bench.intake.acknowledgements().unwrap();
    all.iter()
        .map(|one| {
            let topic: DownTopic = one.topic.parse().unwrap();
            assert_eq!(topic.to.device.as_str(), "c-3");
            let envelope = Envelope::read(&one.bytes).unwrap();
            assert!(envelope.is_signed_by(&own_key(), &one.topic));
            telemetry::cbor::decode(envelope.payload()).unwrap()
        })
        .collect()
}

fn mark(epoch: u64, through: u64) -> Mark {
    Mark {
        epoch,
        lane: TM,
        through,
    }
}

#[test]
fn a_device_is_told_at_once_when_it_connects_and_then_once_a_second() {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.say(&jobs(1)).unwrap());
    bench.take(&counter.birth(&[(TM, 1)]).unwrap());
    let first = told(&mut bench);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].marks, [mark(1, 1)]);
    assert_eq!((first[0].time, first[0].resend), (START, false));
    bench.take(&counter.say(&jobs(2)).unwrap());
    bench.take(&counter.say(&jobs(3)).unwrap());
    assert!(told(&mut bench).is_empty(), "within a second");
    bench.clock.set(1);
    assert_eq!(told(&mut bench)[0].marks, [mark(1, 3)]);
    bench.clock.set(9);
    assert!(told(&mut bench).is_empty(), "nothing is new");
    counter.seconds = 10;
    counter.session = 2;
    bench.take(&counter.birth(&[]).unwrap());
    assert_eq!(told(&mut bench).len(), 1, "it has connected");
}

#[test]
fn a_mark_waits_at_a_gap_and_is_said_again_while_the_device_keeps_what_it_covers() {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.birth(&[]).unwrap());
    let said: Vec<_> = (0..3).map(|n| counter.say(&jobs(n)).unwrap()).collect();
    bench.take(&said[0]);
    bench.take(&said[2]);
    assert_eq!(told(&mut bench)[0].marks, [mark(1, 1)]);
    counter.seconds = 30;
    bench.take(&counter.beat(&[(TM, 3)]).unwrap());
    assert_eq!(
        told(&mut bench)[0].marks,
        [mark(1, 1)],
        "it may not have heard it"
    );
    bench.take(&said[1]);
    bench.clock.set(32);
    assert_eq!(told(&mut bench)[0].marks, [mark(1, 3)]);
}

#[test]
fn an_epoch_is_told_of_until_the_device_keeps_nothing() {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.birth(&[]).unwrap());
    bench.take(&counter.say(&jobs(1)).unwrap());
    counter.restart();
    counter.seconds = 100;
    let closed = Message::Closed(Closed {
        epoch: 1,
        last: vec![LastOfLane {
            lane: TM,
            number: 1,
        }],
    });
    bench.take(&counter.say(&closed).unwrap());
    bench.take(&counter.birth(&[(TM, 1), (Lane::Drops, 1)]).unwrap());
    assert!(told(&mut bench)[0].marks.contains(&mark(1, 1)));
    counter.seconds = 130;
    bench.take(&counter.beat(&[]).unwrap());
    bench.take(&counter.say(&jobs(2)).unwrap());
    assert!(!told(&mut bench)[0].marks.contains(&mark(1, 1)));
}

#[test]
fn a_device_that_forgot_what_it_was_told_of_a_complete_epoch_is_told_again() {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.birth(&[]).unwrap());
    let said: Vec<_> = (0..3).map(|n| counter.say(&jobs(n)).unwrap()).collect();
    for message in &said {
        bench.take(message);
    }
    counter.restart();
    counter.seconds = 10;
    let closed = Message::Closed(Closed {
        epoch: 1,
        last: vec![LastOfLane {
            lane: TM,
            number: 3,
        }],
    });
    bench.take(&counter.say(&closed).unwrap());
    // It keeps nothing, and the epoch is forgotten; then it is killed before it has written that down.
    bench.take(&counter.birth(&[]).unwrap());
    told(&mut bench);
    counter.restart();
    counter.seconds = 20;
    bench.clock.set(20);
    bench.take(&counter.birth(&[(TM, 3)]).unwrap());
    assert!(!told(&mut bench)[0].marks.contains(&mark(1, 3)));
    assert_eq!(bench.take(&said[2]), Verdict::Duplicate);
    bench.clock.set(22);
    assert!(told(&mut bench)[0].marks.contains(&mark(1, 3)));
    counter.seconds = 50;
    bench.take(&counter.beat(&[]).unwrap());
    bench.take(&counter.say(&jobs(9)).unwrap());
    bench.clock.set(52);
    assert!(!told(&mut bench)[0].marks.contains(&mark(1, 3)));
    assert_eq!(bench.alarms(), []);
}

fn restarted(bench: Bench) -> Bench {
    let Bench {
        intake,
        clock,
        path,
        folder,
    } = bench;
    drop(intake);
    Bench {
        intake: open(&path, &clock),
        clock,
        path,
        folder,
    }
}

#[test]
fn a_monitor_that_was_restarted_takes_repetitions_for_what_they_are() {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.birth(&[]).unwrap());
    let mut said = counter.say(&jobs(1)).unwrap();
    bench.take(&said);
    // Its session goes on, in which it sends again what it has not heard of; no birth tells of that.
    bench.clock.set(5000);
    let mut bench = restarted(bench);
    said.arrival = arrival(5010);
    bench.clock.set(5010);
    assert_eq!(bench.take(&said), Verdict::Duplicate);
    assert_eq!(bench.alarms(), []);
    said.arrival = arrival(9000);
    bench.clock.set(9000);
    assert_eq!(bench.take(&said), Verdict::Duplicate);
    assert_eq!(bench.alarms(), [AlarmKind::Replayed]);
}

#[test]
fn a_monitor_that_was_restarted_asks_for_what_it_may_have_lost() {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.birth(&[]).unwrap());
    bench.take(&counter.say(&jobs(1)).unwrap());
    told(&mut bench);
    // The broker hands a message over, and the monitor ends before it is on the disk.
    let gone = counter.say(&jobs(2)).unwrap();
    let mut bench = restarted(bench);
    counter.seconds = 30;
    bench.take(&counter.beat(&[(TM, 1)]).unwrap());
    let ack = told(&mut bench).remove(0);
    assert!(ack.resend);
    assert_eq!(ack.marks, [mark(1, 1)]);
    assert_eq!(bench.take(&gone), Verdict::Fresh);
    assert_eq!(bench.alarms(), []);
}

/// A broker and a counter were back before the monitor was, so what was kept went to nobody; the monitor
/// asked for it two minutes later only.
#[test]
fn a_broker_that_can_be_heard_again_may_have_lost_something() {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.birth(&[]).unwrap());
    bench.take(&counter.beat(&[]).unwrap());
    told(&mut bench);
    let gone = counter.say(&jobs(1)).unwrap();
    bench.intake.resume();
    counter.seconds = 30;
    bench.take(&counter.beat(&[(TM, 1)]).unwrap());
    assert!(told(&mut bench).remove(0).resend);
    assert_eq!(bench.take(&gone), Verdict::Fresh);
}

#[test]
fn a_batch_that_the_database_refuses_leaves_no_trace_and_is_taken_later() {
    let mut counter = device(3);
    let mut bench = Bench::new(&[&counter]);
    bench.take(&counter.birth(&[]).unwrap());
    told(&mut bench);
    let batch: Vec<_> = (0..20).map(|n| counter.say(&jobs(n)).unwrap()).collect();
    let other = rusqlite::Connection::open(&bench.path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON evidence WHEN NEW.number = 13
             BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END",
        )
        .unwrap();
    assert!(bench.intake.take(&batch).is_err());
    assert_eq!(bench.intake.store().evidence_count().unwrap(), 1);
    bench.clock.set(5);
    assert!(told(&mut bench).iter().all(|ack| ack.marks.is_empty()));
    other.execute_batch("DROP TRIGGER full").unwrap();
    let verdicts = bench.intake.take(&batch).unwrap();
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Fresh));
}
