//! Presence by signed signs of life, held-back ones, and ones of two machines.

use telemetry::Lane;
use telemetry::message::machine::TimeQuality;
use telemetry::message::presence::{Beat, Birth, Challenge, Leaving, LeavingReason, Lost};
use telemetry::name::Digest;

use super::*;

const TOLERANCE: Duration = Duration::from_secs(120);
/// When the device's clocks began, by our wall clock.
const START: u64 = 1_795_000_000;

fn stamp(epoch: u64, number: u64, seconds: u64) -> Stamp {
    Stamp {
        epoch,
        lane: Lane::Presence,
        number,
        monotonic_millis: seconds * 1000,
        issued_at: START + seconds,
        quality: TimeQuality::Synchronised,
    }
}

fn arrival(seconds: u64) -> Arrival {
    Arrival {
        at: Moment::after_origin(Duration::from_secs(5000 + seconds)),
        unix_millis: (START + seconds) * 1000,
        retained: false,
    }
}

fn birth(session: u64) -> Message {
    Message::Birth(Birth {
        session,
        version: "1".parse().unwrap(),
        platform: "linux".parse().unwrap(),
        configuration: Digest::of(b""),
        beat_seconds: 30,
        lanes: Vec::new(),
    })
}

fn beat(session: u64) -> Message {
    Message::Beat(Beat {
        session,
        challenge: Challenge::new([9; 16]),
        lanes: Vec::new(),
    })
}

fn lost(session: u64) -> Message {
    Message::Lost(Lost { session })
}

/// Hears a message that was made and arrived at the same moment; the name of the alarm.
fn hear(
    presence: &mut Presence,
    epoch: u64,
    number: u64,
    message: &Message,
    seconds: u64,
) -> Option<AlarmKind> {
    let stamp = stamp(epoch, number, seconds);
    let heard = presence.hear(&stamp, message, arrival(seconds), TOLERANCE);
    heard.alarm.or(heard.clock).map(|alarm| alarm.kind)
}

fn standing(presence: &mut Presence, seconds: u64) -> Standing {
    presence.look(arrival(seconds).at);
    presence.standing
}

fn living() -> Presence {
    let mut presence = Presence::default();
    assert_eq!(hear(&mut presence, 5, 2, &birth(1), 100), None);
    presence
}

#[test]
fn it_is_late_after_two_beats_and_lost_after_four() {
    let mut presence = living();
    for (seconds, expected) in [
        (100, Standing::Alive),
        (160, Standing::Alive),
        (161, Standing::Late),
        (220, Standing::Late),
        (221, Standing::Lost),
    ] {
        assert_eq!(standing(&mut presence, seconds), expected, "{seconds}");
    }
    assert_eq!(hear(&mut presence, 5, 3, &beat(1), 230), None);
    assert_eq!(standing(&mut presence, 230), Standing::Alive);
}

#[test]
fn a_beat_that_was_held_back_makes_nobody_younger() {
    let mut presence = living();
    hear(&mut presence, 5, 3, &beat(1), 130);
    let held_back = stamp(5, 4, 160);
    presence.hear(&held_back, &beat(1), arrival(400), TOLERANCE * 9);
    assert_eq!(standing(&mut presence, 400), Standing::Lost);
}

#[test]
fn the_brokers_word_changes_nothing_and_a_beat_after_it_is_told() {
    let mut presence = living();
    assert_eq!(hear(&mut presence, 5, 1, &lost(1), 110), None);
    assert!(presence.hint_lost.is_some());
    assert_eq!(standing(&mut presence, 110), Standing::Alive);
    assert_eq!(
        hear(&mut presence, 5, 3, &beat(1), 130),
        Some(AlarmKind::ForgedDeath)
    );
    assert_eq!(hear(&mut presence, 5, 4, &beat(1), 160), None, "told once");
}

#[test]
fn a_death_of_a_session_that_is_over_is_told() {
    let mut presence = living();
    assert_eq!(hear(&mut presence, 5, 4, &birth(2), 130), None);
    assert_eq!(
        hear(&mut presence, 5, 1, &lost(1), 140),
        Some(AlarmKind::ForgedDeath)
    );
    assert_eq!(presence.hint_lost, None);
}

#[test]
fn an_older_epoch_that_goes_on_is_a_rollback_and_one_that_is_late_is_not() {
    let mut presence = living();
    let (late, again, said) = (stamp(4, 90, 50), birth(4), beat(3));
    let heard = presence.hear(&late, &said, arrival(140), TOLERANCE);
    assert_eq!(heard.alarm.unwrap().kind, AlarmKind::StaleSession);
    assert!(!heard.quarantine);
    let rolled_back = stamp(4, 91, 150);
    let heard = presence.hear(&rolled_back, &again, arrival(150), TOLERANCE);
    assert_eq!(heard.alarm.unwrap().kind, AlarmKind::RolledBack);
    assert!(heard.quarantine);
    presence.accept_rollback(4);
    assert_eq!(hear(&mut presence, 4, 92, &birth(5), 170), None);
}

#[test]
fn sessions_that_go_back_and_forth_are_two_machines() {
    let mut presence = living();
    assert_eq!(hear(&mut presence, 5, 9, &birth(2), 130), None);
    assert_eq!(
        hear(&mut presence, 5, 10, &beat(1), 125),
        Some(AlarmKind::StaleSession)
    );
    assert_eq!(
        hear(&mut presence, 5, 11, &beat(1), 160),
        Some(AlarmKind::Cloned)
    );
    assert_eq!(
        hear(&mut presence, 5, 12, &birth(2), 170),
        Some(AlarmKind::Cloned)
    );
}

#[test]
fn a_wrong_clock_is_told_once_in_a_session() {
    let mut presence = living();
    for (number, expected) in [(3, Some(AlarmKind::ClockWrong)), (4, None)] {
        let stamp = stamp(5, number, 130);
        let said = beat(1);
        let late = presence.hear(&stamp, &said, arrival(1000), TOLERANCE);
        assert_eq!(late.clock.map(|alarm| alarm.kind), expected);
    }
}

#[test]
fn leaving_is_no_loss_and_a_kept_birth_is_no_life() {
    let mut presence = living();
    let leaving = Message::Leaving(Leaving {
        session: 1,
        reason: LeavingReason::Stopped,
    });
    hear(&mut presence, 5, 3, &leaving, 130);
    assert_eq!(standing(&mut presence, 900), Standing::Left);

    let mut presence = Presence::default();
    let kept = Arrival {
        retained: true,
        ..arrival(90_000)
    };
    let said = birth(1);
    let heard = presence.hear(&stamp(5, 2, 100), &said, kept, TOLERANCE);
    assert!(heard.alarm.is_none() && heard.clock.is_none());
    assert_eq!(standing(&mut presence, 90_000), Standing::Unheard);
}
