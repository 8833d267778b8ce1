//! An outbox on a folder in memory: order, quota, acknowledgement, time, damage.

mod crashes;
mod rig;

use super::*;
use crate::message::gaps::DropReason;
use crate::segments;
use rig::{DAY, Rig, message, part};

#[test]
fn urgent_lanes_come_first_state_newest_first_and_what_is_new_before_what_was_kept() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    for _ in 0..2 {
        for lane in [Lane::Telemetry, Lane::State, Lane::Commands, Lane::Alerts] {
            rig.accept(&mut outbox, &message(lane));
        }
    }
    assert_eq!(outbox.next_fresh(), None);
    rig.commit(&mut outbox).unwrap();
    let order = |sealed: Option<Sealed>| sealed.map(|s| (s.stamp.lane.code(), s.stamp.number));
    let fresh: Vec<_> = std::iter::from_fn(|| order(outbox.next_fresh())).collect();
    let by_lane = |state: [u64; 2]| {
        let lanes = [
            ("al", [1, 2]),
            ("cr", [1, 2]),
            ("st", state),
            ("tm", [1, 2]),
        ];
        lanes
            .into_iter()
            .flat_map(|(lane, numbers)| numbers.map(|number| (lane, number)))
            .collect::<Vec<_>>()
    };
    assert_eq!(fresh, by_lane([1, 2]));
    assert_eq!(outbox.next_backlog(), None);
    outbox.rewind();
    rig.accept(&mut outbox, &message(Lane::State));
    rig.commit(&mut outbox).unwrap();
    assert_eq!(order(outbox.next_fresh()), Some(("st", 3)));
    assert_eq!(order(outbox.next_fresh()), None);
    let backlog: Vec<_> = std::iter::from_fn(|| order(outbox.next_backlog())).collect();
    assert_eq!(backlog, by_lane([2, 1]));
    assert!(outbox.awaits_ack());
    let marks = outbox.marks();
    assert_eq!(
        marks.iter().map(|m| (m.newest, m.kept)).collect::<Vec<_>>(),
        [(0, 0), (2, 2), (2, 2), (3, 3), (2, 2)]
    );
}

#[test]
fn what_is_sealed_is_opened_under_its_topic() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    let fault = message(Lane::Alerts);
    let stamp = outbox.accept(&fault).unwrap();
    outbox.commit().unwrap();
    let sealed = outbox.next_fresh().unwrap();
    assert_eq!((sealed.stamp, sealed.retain), (stamp, false));
    assert_eq!(sealed.topic, "madoguchi/1/hoshino-shi/c-03/up/al/fault");
    let envelope = crate::Envelope::read(&sealed.bytes).unwrap();
    assert_eq!(envelope.header().stamp, stamp);
    let decoded = Message::decode(Class::Fault, envelope.payload()).unwrap();
    assert_eq!(decoded, fault);
    // Presence is numbered on its own, and kept nowhere.
    let session = outbox.next_session().unwrap();
    let lost = Message::Lost(crate::message::presence::Lost { session });
    for number in 1..=2 {
        assert_eq!(outbox.live(&lost).unwrap().stamp.number, number);
    }
    assert_eq!(outbox.accept(&lost), Err(AcceptError::NotKept));
    outbox.live(&fault).unwrap_err();
    let closed = Message::Closed(crate::message::gaps::Closed {
        epoch: 1,
        last: vec![],
    });
    assert_eq!(outbox.accept(&closed), Err(AcceptError::Reserved));
    let long = outbox.accept(&part(LONGEST)).unwrap_err();
    assert_eq!(long, AcceptError::Seal(SealError::TooLong));
    assert_eq!(outbox.accept(&fault).unwrap().number, 2);
}

#[test]
fn the_longest_message_that_is_accepted_fits_into_an_envelope() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    let longest = (0..LONGEST)
        .rev()
        .find(|length| outbox.accept(&part(*length)).is_ok());
    outbox.commit().unwrap();
    let sealed = outbox.next_fresh().unwrap();
    assert!(sealed.bytes.len() <= LONGEST && sealed.bytes.len() > LONGEST - 200);
    assert!(longest.is_some());
}

#[test]
fn only_what_the_monitor_has_is_freed_and_a_mark_too_far_is_refused() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    for _ in 0..12 {
        rig.accept(&mut outbox, &part(7000));
        rig.commit(&mut outbox).unwrap();
    }
    let mark = |epoch, through| Mark {
        epoch,
        lane: Lane::Commands,
        through,
    };
    let before = rig.disk.used();
    let refused = outbox.acknowledge(&[mark(1, 13), mark(2, 1), mark(0, 99)]);
    let named: Vec<_> = refused.iter().map(|r| (r.mark, r.committed)).collect();
    assert_eq!(named, [(mark(1, 13), 12), (mark(2, 1), 0)]);
    assert_eq!((rig.disk.used(), outbox.acknowledged()), (before, 0));
    assert_eq!(outbox.acknowledge(&[mark(1, 7)]), []);
    assert!(rig.disk.used() < before - 30_000);
    assert_eq!(outbox.acknowledge(&[mark(1, 2)]), []);
    assert_eq!(outbox.acknowledged(), 7);
    assert_eq!(outbox.marks()[2].kept, 5);
    outbox.rewind();
    let numbers: Vec<_> = std::iter::from_fn(|| outbox.next_backlog())
        .map(|sealed| sealed.stamp.number)
        .collect();
    assert_eq!(numbers, [8, 9, 10, 11, 12]);
    // After a restart too, where the marks were written down.
    outbox.expire().unwrap();
    drop(outbox);
    let mut outbox = rig.open();
    let numbers: Vec<_> = std::iter::from_fn(|| outbox.next_backlog())
        .filter(|sealed| sealed.stamp.lane == Lane::Commands)
        .map(|sealed| sealed.stamp.number)
        .collect();
    assert_eq!(numbers, [8, 9, 10, 11, 12]);
    outbox.acknowledge(&[mark(1, 12)]);
    assert!(!outbox.stores[&Lane::Commands].awaits(&outbox.ledger));
}

#[test]
fn a_lane_over_its_share_loses_its_oldest_segment_after_a_record_of_that() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    let share = outbox.settings.share(Lane::Commands).unwrap();
    for _ in 0..60 {
        rig.accept(&mut outbox, &part(7000));
        rig.commit(&mut outbox).unwrap();
        let bytes = outbox.stores[&Lane::Commands].log.bytes();
        assert!(bytes <= share);
        if outbox.marks()[0].newest == 0 {
            continue;
        }
        // What was dropped is no more than had to be.
        assert!(bytes + 2 * 25_000 + 8000 > share);
    }
    rig.accept(&mut outbox, &message(Lane::Alerts));
    rig.commit(&mut outbox).unwrap();
    let handed = rig.audit(&mut outbox);
    assert!(
        handed
            .iter()
            .take_while(|s| s.stamp.lane == Lane::Drops)
            .count()
            > 10
    );
    let dropped = rig.named.clone();
    assert!(
        dropped
            .iter()
            .all(|d| d.reason == DropReason::Quota && d.lane == Lane::Commands)
    );
    let first_kept = handed
        .iter()
        .find(|s| s.stamp.lane == Lane::Commands)
        .unwrap();
    let mut next = 1;
    for drop in &dropped {
        assert_eq!((drop.epoch, drop.first), (1, next));
        next = drop.last + 1;
    }
    assert_eq!(first_kept.stamp.number, next);
}

#[test]
fn messages_expire_by_a_clock_that_is_right_and_by_no_other() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    rig.accept(&mut outbox, &message(Lane::Alerts));
    rig.accept(&mut outbox, &message(Lane::State));
    rig.commit(&mut outbox).unwrap();
    rig.clock.advance(31 * DAY);
    outbox.expire().unwrap();
    assert_eq!(outbox.marks()[3].kept, 1);
    outbox.set_quality(TimeQuality::Synchronised);
    outbox.expire().unwrap();
    let kept: Vec<u64> = outbox.marks().iter().map(|mark| mark.kept).collect();
    assert_eq!(kept, [1, 1, 0, 0, 0]);
    outbox.set_quality(TimeQuality::Free);
    outbox.raise_floor(rig::START + 91 * DAY);
    outbox.expire().unwrap();
    assert_eq!(outbox.marks()[1].kept, 0);
    rig.audit(&mut outbox);
    let reasons: Vec<_> = rig.named.iter().map(|d| (d.lane, d.reason)).collect();
    let expired = DropReason::Expired;
    assert_eq!(reasons, [(Lane::State, expired), (Lane::Alerts, expired)]);
}

#[test]
fn no_message_is_stamped_before_a_moment_that_has_passed() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    let stamp = |outbox: &mut Outbox| {
        let stamp = outbox.accept(&message(Lane::Alerts)).unwrap();
        (stamp.issued_at - rig::START, stamp.quality)
    };
    outbox.set_quality(TimeQuality::Synchronised);
    assert_eq!(stamp(&mut outbox), (0, TimeQuality::Synchronised));
    outbox.raise_floor(rig::START + 5000);
    outbox.raise_floor(rig::START);
    assert_eq!(stamp(&mut outbox), (5000, TimeQuality::Floor));
    rig.clock.advance(6000);
    assert_eq!(stamp(&mut outbox), (6000, TimeQuality::Synchronised));
    outbox.raise_floor(rig::START + 7000);
    outbox.expire().unwrap();
    drop(outbox);
    let mut outbox = rig.open();
    assert_eq!(stamp(&mut outbox), (7000, TimeQuality::Floor));
}

#[test]
fn each_start_closes_the_epoch_before_once() {
    let mut rig = Rig::new();
    for epoch in 1..=4 {
        let mut outbox = rig.open();
        assert_eq!(outbox.epoch(), epoch);
        rig.accept(&mut outbox, &message(Lane::State));
        rig.commit(&mut outbox).unwrap();
    }
    let mut outbox = rig.open();
    rig.audit(&mut outbox);
    let closed: Vec<u64> = rig.closed.keys().copied().collect();
    assert_eq!((closed, rig.closures), (vec![1, 2, 3, 4], 4));
    assert_eq!(rig.closed[&1].len(), 1);
    assert_eq!(rig.closed[&4].len(), 2);
    // Once all is acknowledged, earlier epochs are forgotten.
    rig.deliver(&mut outbox, usize::MAX);
    outbox.expire().unwrap();
    for _ in 0..3 {
        drop(outbox);
        outbox = rig.open();
        rig.deliver(&mut outbox, usize::MAX);
        rig.fill_and_ack(&mut outbox);
        outbox.expire().unwrap();
    }
    assert!(outbox.ledger.entries() <= 30, "{:?}", outbox.ledger);
}

#[test]
fn damaged_messages_are_named_once_and_the_rest_is_handed_out() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    for _ in 0..9 {
        rig.accept(&mut outbox, &part(7000));
        rig.commit(&mut outbox).unwrap();
    }
    drop(outbox);
    let name = segments::name(Lane::Commands, (1, 1));
    rig.disk.tamper(&name, |content| content[8000] ^= 1);
    rig.allow_damage = true;
    let (mut outbox, recovery) = rig.open_with_recovery();
    assert_eq!(recovery.damage.len(), 1);
    let lost: Vec<_> = recovery.lost.iter().map(|d| (d.first, d.last)).collect();
    assert_eq!(lost, [(2, 2)]);
    let handed = rig.audit(&mut outbox);
    assert_eq!(handed.len(), 8 + 2);
    drop(outbox);
    let (_, recovery) = rig.open_with_recovery();
    assert_eq!((recovery.damage.len(), recovery.lost.len()), (0, 0));
}

#[test]
fn damage_that_comes_while_running_is_named_before_what_follows_goes_out() {
    let mut rig = Rig::new();
    let mut outbox = rig.open();
    for _ in 0..6 {
        rig.accept(&mut outbox, &part(7000));
    }
    rig.commit(&mut outbox).unwrap();
    outbox.rewind();
    let name = segments::name(Lane::Commands, (1, 1));
    rig.disk.tamper(&name, |content| content[8000] ^= 1);
    let handed: Vec<_> = std::iter::from_fn(|| outbox.next_backlog())
        .map(|sealed| (sealed.stamp.lane.code(), sealed.stamp.number))
        .collect();
    let expected = [
        ("cr", 1),
        ("dr", 1),
        ("cr", 3),
        ("cr", 4),
        ("cr", 5),
        ("cr", 6),
    ];
    assert_eq!(handed, expected);
    // A file that the disk cannot read is given up after a few tries.
    let name = segments::name(Lane::Commands, (1, 4));
    rig.disk.make_unreadable(&name);
    outbox.rewind();
    let mut rest = Vec::new();
    for _ in 0..8 {
        rest.extend(std::iter::from_fn(|| outbox.next_backlog()).map(|sealed| sealed.stamp));
    }
    let rest: Vec<_> = rest.iter().map(|s| (s.lane.code(), s.number)).collect();
    assert_eq!(rest, [("dr", 1), ("cr", 1), ("cr", 3), ("dr", 2)]);
}

#[test]
fn each_epoch_is_signed_with_one_key_and_keeps_its_signatures() {
    let rig = Rig::new();
    let mut keys = Vec::new();
    for seed in [7, 9] {
        let signer = crate::SoftwareSigner::from_seed(&[seed; 32]).unwrap();
        keys.push(signer.verifying_key().id());
        let clock = Arc::clone(&rig.clock) as Arc<dyn Clock>;
        let disk = Box::new(rig.disk.clone());
        let name = DeviceName {
            tenant: "hoshino-shi".parse().unwrap(),
            device: "c-03".parse().unwrap(),
        };
        let opened = Outbox::open(disk, name, Box::new(signer), clock, rig.settings);
        let mut outbox = opened.unwrap().0;
        for lane in [Lane::State, Lane::Commands] {
            outbox.accept(&message(lane)).unwrap();
        }
        outbox.commit().unwrap();
        let next = || outbox.next_backlog().or_else(|| outbox.next_fresh());
        let handed: Vec<_> = std::iter::from_fn(next).collect();
        assert!(handed.len() >= 2 * keys.len());
        for sealed in handed {
            let envelope = crate::Envelope::read(&sealed.bytes).unwrap();
            let place = usize::try_from(sealed.stamp.epoch - 1).unwrap();
            assert_eq!(envelope.header().key, keys[place], "{:?}", sealed.stamp);
        }
    }
}

#[test]
fn it_works_in_a_real_folder_that_one_process_holds() {
    let place = tempfile::tempdir().unwrap();
    let open = || {
        let disk = Box::new(crate::disk::Folder::open(place.path())?);
        let name = DeviceName {
            tenant: "hoshino-shi".parse().unwrap(),
            device: "c-03".parse().unwrap(),
        };
        let signer = Box::new(crate::SoftwareSigner::from_seed(&[7; 32]).unwrap());
        let clock = Arc::new(rig::HandClock::default());
        let settings = Settings {
            quota_bytes: LEAST_QUOTA,
            segment_bytes: 1 << 20,
        };
        let opened = Outbox::open(disk, name, signer, clock, settings);
        Ok::<_, io::Error>(opened.unwrap().0)
    };
    let mut outbox = open().unwrap();
    assert_eq!(open().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    for _ in 0..40 {
        outbox.accept(&part(7000)).unwrap();
        outbox.commit().unwrap();
    }
    let kept = outbox.marks()[2].kept;
    assert!((9..20).contains(&kept), "{kept}");
    drop(outbox);
    let mut outbox = open().unwrap();
    assert_eq!(outbox.epoch(), 2);
    let handed = std::iter::from_fn(|| outbox.next_backlog());
    let key = crate::SoftwareSigner::from_seed(&[7; 32]).unwrap();
    let mut numbers = Vec::new();
    for sealed in handed {
        let envelope = crate::Envelope::read(&sealed.bytes).unwrap();
        assert!(envelope.is_signed_by(&key.verifying_key(), &sealed.topic));
        if sealed.stamp.lane == Lane::Commands {
            numbers.push(sealed.stamp.number);
        }
    }
    let expected: Vec<u64> = (41 - kept..=40).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn eight_days_offline_stay_within_the_quota_and_come_out_in_order() {
    let mut rig = Rig::new();
    rig.settings = Settings {
        quota_bytes: 4 << 20,
        segment_bytes: 64 << 10,
    };
    let mut outbox = rig.open();
    outbox.set_quality(TimeQuality::Synchronised);
    // One state and one count a minute, one fault every quarter of an hour.
    for minute in 0..8 * 24 * 60 {
        rig.clock.advance(60);
        outbox.accept(&message(Lane::State)).unwrap();
        outbox.accept(&message(Lane::Telemetry)).unwrap();
        if minute % 15 == 0 {
            outbox.accept(&message(Lane::Alerts)).unwrap();
        }
        if minute % 10 == 9 {
            outbox.commit().unwrap();
        }
        if minute % 1440 == 0 {
            outbox.expire().unwrap();
        }
    }
    outbox.commit().unwrap();
    assert!(rig.disk.used() < (4 << 20) + (256 << 10));
    let segments: usize = outbox.stores.values().map(|s| s.log.iter().count()).sum();
    let runs = outbox.stores.values().flat_map(|s| s.log.iter());
    let runs: usize = runs
        .map(|segment| segment.runs.len() + segment.holes.len())
        .sum();
    assert!(
        segments <= 64 + 8 && runs == segments,
        "{segments} segments, {runs} runs"
    );
    assert!(outbox.ledger.entries() <= 10, "{:?}", outbox.ledger);
    drop(outbox);
    let mut outbox = rig.open();
    let mut last: BTreeMap<Lane, u64> = BTreeMap::new();
    let mut lanes = Vec::new();
    while let Some(sealed) = outbox.next_backlog() {
        let (lane, number) = (sealed.stamp.lane, sealed.stamp.number);
        if lanes.last() != Some(&lane) {
            lanes.push(lane);
        }
        if let Some(before) = last.insert(lane, number) {
            if lane == Lane::State {
                assert_eq!(number, before - 1);
            } else if sealed.stamp.epoch == 1 {
                assert_eq!(number, before + 1);
            } else {
                assert_eq!((lane, number), (Lane::Drops, 1));
            }
        }
    }
    assert_eq!(
        lanes,
        [Lane::Drops, Lane::Alerts, Lane::State, Lane::Telemetry]
    );
    let handed: usize = outbox.stores.values().map(|s| s.handed.len()).sum();
    assert!(handed <= 6, "{handed} ranges");
}
