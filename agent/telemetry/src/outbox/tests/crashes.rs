//! A scripted life with the power cut, the disk failing or full at every call; and random lives.
//!
//! After each: what was accepted is kept, acknowledged or named; no number was signed twice with different
//! content; and once the monitor has everything, no number of any epoch is missing without a word.

use proptest::prelude::*;

use super::rig::{DAY, Rig, message, part};
use super::*;
use crate::disk::memory::{Fault, MemoryDisk};

/// A thing that happens to an outbox.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A short message of a lane.
    Accept(Lane),
    /// A long message, so that a lane is soon full.
    Part,
    Commit,
    /// A connection over which so many messages come.
    Deliver(usize),
    Expire,
    Days(u64),
    /// The process ends and starts.
    Restart,
}

use Step::{Accept, Commit, Days, Deliver, Expire, Part, Restart};

/// A life in which every kind of thing happens.
fn script() -> Vec<Step> {
    let round = |lane| [Accept(lane), Accept(Lane::State), Part, Part, Commit];
    let mut steps = Vec::new();
    for turn in 0..7 {
        steps.extend(round(Lane::Alerts));
        steps.extend(round(Lane::Telemetry));
        match turn {
            1 => steps.push(Deliver(4)),
            2 => steps.push(Restart),
            3 => steps.extend([Deliver(9), Expire]),
            4 => steps.extend([Part, Part, Commit, Part, Part, Part, Commit]),
            5 => steps.extend([Restart, Restart, Days(40), Expire]),
            _ => {}
        }
    }
    steps.extend([Deliver(usize::MAX), Expire, Part, Commit]);
    steps
}

/// Lives until the disk fails an opening; gives the outbox back if there is one then.
fn live(rig: &mut Rig, steps: &[Step]) -> Option<Outbox> {
    let mut outbox = rig.try_open().ok()?.0;
    outbox.set_quality(TimeQuality::Synchronised);
    for step in steps {
        match step {
            Accept(lane) => rig.accept(&mut outbox, &message(*lane)),
            Part => rig.accept(&mut outbox, &part(8000)),
            Commit => match rig.commit(&mut outbox) {
                Ok(()) | Err(_) => {}
            },
            Deliver(most) => rig.deliver(&mut outbox, *most),
            Expire => match outbox.expire() {
                Ok(()) | Err(_) => {}
            },
            Days(days) => rig.clock.advance(days * DAY),
            Restart => {
                drop(outbox);
                outbox = rig.try_open().ok()?.0;
                outbox.set_quality(TimeQuality::Synchronised);
            }
        }
    }
    Some(outbox)
}

/// Starts on a sound disk, and settles the accounts.
fn reckon(rig: &mut Rig, left: MemoryDisk) {
    rig.disk = left;
    let mut outbox = rig.open();
    rig.audit(&mut outbox);
    // Life goes on, and over another start.
    rig.accept(&mut outbox, &message(Lane::Alerts));
    rig.commit(&mut outbox).unwrap();
    drop(outbox);
    let mut outbox = rig.open();
    rig.audit(&mut outbox);
    rig.settle(&mut outbox);
}

fn calls_of_a_life() -> u64 {
    let mut rig = Rig::new();
    let mut outbox = live(&mut rig, &script()).unwrap();
    let calls = rig.disk.calls();
    rig.audit(&mut outbox);
    let reasons: Vec<DropReason> = rig.named.iter().map(|dropped| dropped.reason).collect();
    assert!(reasons.contains(&DropReason::Quota) && reasons.contains(&DropReason::Expired));
    rig.settle(&mut outbox);
    assert!(calls > 200, "{calls} calls");
    calls
}

#[test]
fn the_power_may_go_at_any_call() {
    for call in 0..calls_of_a_life() {
        for chance in 0..3 {
            let mut rig = Rig::new();
            rig.disk.fail_at(call, Fault::PowerCut);
            live(&mut rig, &script());
            let left = rig.disk.cut_power(call * 7 + chance);
            reckon(&mut rig, left);
        }
    }
}

#[test]
fn the_power_may_go_again_while_the_outbox_opens() {
    let calls = calls_of_a_life();
    for call in (0..calls).step_by(23) {
        for again in 0..40 {
            let mut rig = Rig::new();
            rig.disk.fail_at(call, Fault::PowerCut);
            live(&mut rig, &script());
            rig.disk = rig.disk.cut_power(call);
            rig.disk.fail_at(again, Fault::PowerCut);
            match rig.try_open() {
                Ok(_) | Err(_) => {}
            }
            let left = rig.disk.cut_power(again);
            reckon(&mut rig, left);
        }
    }
}

#[test]
fn the_disk_may_fail_at_any_call_and_come_back() {
    for fault in [Fault::Io, Fault::Torn] {
        for call in 0..calls_of_a_life() {
            let mut rig = Rig::new();
            rig.disk.fail_at(call, fault);
            if let Some(mut outbox) = live(&mut rig, &script()) {
                rig.commit(&mut outbox).unwrap();
                rig.audit(&mut outbox);
            }
            let left = rig.disk.cut_power(call);
            reckon(&mut rig, left);
        }
    }
}

#[test]
fn the_disk_may_be_too_small_and_grow() {
    let mut most = 0;
    for capacity in (0..420_000).step_by(3000) {
        let mut rig = Rig::new();
        rig.disk.limit(Some(capacity));
        let outbox = live(&mut rig, &script());
        most = most.max(rig.committed.len());
        rig.disk.limit(None);
        if let Some(mut outbox) = outbox {
            // What waited is committed now, under the numbers that it had.
            rig.commit(&mut outbox).unwrap();
            rig.audit(&mut outbox);
        }
        let left = rig.disk.cut_power(capacity);
        reckon(&mut rig, left);
    }
    assert!(most > 40);
}

#[test]
fn others_may_fill_the_disk_at_any_step_and_make_room_again() {
    let steps = script();
    for full in 0..steps.len() {
        let mut rig = Rig::new();
        drop(live(&mut rig, &steps[..full]).unwrap());
        rig.disk.limit(Some(rig.disk.used()));
        let middle = &steps[full..steps.len().min(full + 20)];
        if let Some(mut outbox) = live(&mut rig, middle) {
            rig.audit(&mut outbox);
            rig.disk.limit(None);
            rig.commit(&mut outbox).unwrap();
            rig.audit(&mut outbox);
        }
        rig.disk.limit(None);
        let left = rig.disk.cut_power(u64::try_from(full).unwrap());
        reckon(&mut rig, left);
    }
}

#[test]
fn on_a_full_disk_what_is_over_quota_still_goes_after_a_record_of_that() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    let share = outbox.settings.share(Lane::Commands).unwrap();
    while outbox.stores[&Lane::Commands].log.bytes() + 9000 < share {
        rig.accept(&mut outbox, &part(8000));
        rig.commit(&mut outbox).unwrap();
    }
    // Others have taken the rest, but for what drop records take: only what is removed makes room.
    rig.disk.limit(Some(rig.disk.used() + 4096));
    for _ in 0..40 {
        rig.accept(&mut outbox, &part(8000));
        rig.commit(&mut outbox).unwrap();
    }
    assert!(outbox.marks()[0].newest > 10);
    rig.audit(&mut outbox);
}

#[test]
fn a_key_that_does_not_answer_costs_nothing_but_time() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    let silent = |rig: &Rig, is: bool| {
        let flag = &rig.spy.is_silent;
        flag.store(is, std::sync::atomic::Ordering::Relaxed);
    };
    let share = outbox.settings.share(Lane::Commands).unwrap();
    while outbox.stores[&Lane::Commands].log.bytes() + 9000 < share {
        rig.accept(&mut outbox, &part(8000));
        rig.commit(&mut outbox).unwrap();
    }
    rig.accept(&mut outbox, &part(8000));
    rig.accept(&mut outbox, &part(8000));
    rig.accept(&mut outbox, &message(Lane::State));
    silent(&rig, true);
    let error = outbox.accept(&part(8000)).unwrap_err();
    assert!(matches!(error, AcceptError::Seal(SealError::Key(_))));
    let error = rig.commit(&mut outbox).unwrap_err();
    assert!(matches!(error, CommitError::Seal(_)), "{error:?}");
    drop(outbox);
    let (mut outbox, recovery) = rig.try_open().unwrap();
    assert!(matches!(recovery.waiting, Some(CommitError::Seal(_))));
    silent(&rig, false);
    rig.commit(&mut outbox).unwrap();
    rig.audit(&mut outbox);
    rig.settle(&mut outbox);
}

/// A first life ended before anything was written down of epochs, and so did the second: the third took the
/// first one's epoch for closed, which nobody had done.
#[test]
fn epochs_of_two_starts_that_failed_are_closed_by_the_third() {
    let mut rig = Rig::new();
    for (call, fault) in [(6, Fault::PowerCut), (7, Fault::Io)] {
        let calls = rig.disk.calls();
        rig.disk.fail_at(calls + call, fault);
        live(&mut rig, &[Accept(Lane::Alerts)]);
        rig.disk = rig.disk.cut_power(0);
    }
    let left = rig.disk.cut_power(0);
    reckon(&mut rig, left);
}

fn step() -> impl Strategy<Value = Step> {
    let lane = prop::sample::select(vec![
        Lane::Alerts,
        Lane::Commands,
        Lane::State,
        Lane::Telemetry,
    ]);
    prop_oneof![
        4 => lane.prop_map(Accept),
        6 => Just(Part),
        5 => Just(Commit),
        2 => (0usize..12).prop_map(Deliver),
        1 => Just(Expire),
        1 => (1u64..50).prop_map(Days),
        1 => Just(Restart),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(vec![Fault::Io, Fault::Torn, Fault::PowerCut])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_lives_keep_their_accounts(
        lives in prop::collection::vec(
            (
                prop::collection::vec(step(), 1..60),
                prop::collection::vec((0u64..250, fault()), 0..4),
                prop::option::of(0u64..600_000),
                any::<u64>(),
            ),
            1..4,
        ),
    ) {
        let mut rig = Rig::new();
        for (steps, faults, capacity, chance) in lives {
            let calls = rig.disk.calls();
            for (call, fault) in faults {
                rig.disk.fail_at(calls + call, fault);
            }
            rig.disk.limit(capacity);
            live(&mut rig, &steps);
            rig.disk = rig.disk.cut_power(chance);
        }
        rig.disk.limit(None);
        let left = rig.disk.cut_power(0);
        reckon(&mut rig, left);
    }
}
