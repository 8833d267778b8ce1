//! Telemetry from end to end, in short; `cargo xtask soak telemetry` kills for long.
//!
//! In each test every message that the device confirmed as kept is in the monitor's evidence exactly once, or
//! a signed drop record names it.
#![expect(
    clippy::print_stdout,
    clippy::use_debug,
    reason = "what came out can be read with --nocapture"
)]

use harness::broker::{Mosquitto, Nats, RabbitMq};
use monitor::alarm::AlarmKind;
use scenarios::telemetry::hostile::{self, Lie};
use scenarios::telemetry::verifier::Waits;
use scenarios::telemetry::{clusters, copies, kills, networks, offline, stream};
use sim_broker::{Fault, Kind};

/// Every failure names it.
const SEED: u64 = 7;

/// What a flipped bit can look like, besides.
const FLIPPED: &[AlarmKind] = &[
    AlarmKind::Malformed,
    AlarmKind::UnknownKey,
    AlarmKind::WrongTopic,
    AlarmKind::Replayed,
];

fn lie(lie: &Lie) -> anyhow::Result<()> {
    println!("{}", hostile::lie(lie, SEED)?);
    Ok(())
}

#[test]
fn nothing_confirmed_is_lost_whatever_is_killed() -> anyhow::Result<()> {
    println!("{}", kills::kills(20, SEED)?);
    Ok(())
}

#[test]
fn what_a_broker_drops_is_asked_for_and_comes() -> anyhow::Result<()> {
    lie(&Lie::of(Kind::Drop, 200))
}

#[test]
fn what_a_broker_repeats_is_counted_and_accepted_once() -> anyhow::Result<()> {
    let balance = hostile::lie(&Lie::of(Kind::Duplicate, 300), SEED)?;
    assert!(balance.duplicates >= 10, "{balance}");
    Ok(())
}

#[test]
fn another_order_costs_nothing() -> anyhow::Result<()> {
    lie(&Lie::of(Kind::HoldBack(8), 500))
}

#[test]
fn old_messages_that_come_again_are_named() -> anyhow::Result<()> {
    let waits = Waits {
        replay: 1,
        ..Waits::default()
    };
    lie(&Lie::of(Kind::Replay, 200)
        .named(&[AlarmKind::Replayed], &[])
        .waits(waits))
}

#[test]
fn messages_at_topics_of_others_are_named() -> anyhow::Result<()> {
    // Two classes share a lane and an issuer: there the signature alone tells.
    lie(&Lie::of(Kind::SwapTopics, 300).named(&[AlarmKind::WrongTopic], &[AlarmKind::Forged]))
}

#[test]
fn flipped_bits_are_named() -> anyhow::Result<()> {
    lie(&Lie::of(Kind::FlipBit, 300).named(&[AlarmKind::Forged], FLIPPED))
}

#[test]
fn forged_deaths_are_named() -> anyhow::Result<()> {
    lie(&Lie::of(Kind::ForgeDeath, 100).named(&[AlarmKind::ForgedDeath], &[]))
}

#[test]
fn what_is_held_back_for_long_is_called_suppressed() -> anyhow::Result<()> {
    let waits = Waits {
        resend: 1,
        suppressed: 3,
        ..Waits::default()
    };
    let mut all = Lie::of(Kind::Drop, 1000)
        .named(&[AlarmKind::Suppressed], &[])
        .waits(waits);
    all.fault = Fault::every(Kind::Drop).within("madoguchi/1/+/+/up/tm/#");
    lie(&all)
}

#[test]
fn a_broker_that_forgets_everything_costs_nothing() -> anyhow::Result<()> {
    lie(&Lie::of(Kind::LoseStore, 100))?;
    let mut old = Lie::of(Kind::KeepOldRetained, 1000).times(0);
    old.fault = Fault::every(Kind::KeepOldRetained);
    lie(&old)
}

#[test]
fn retained_messages_that_are_rolled_back_are_repetitions() -> anyhow::Result<()> {
    println!("{}", hostile::retained_rolled_back(SEED)?);
    Ok(())
}

#[test]
fn acknowledgements_of_the_broker_may_come_late_twice_reversed_or_never() -> anyhow::Result<()> {
    for kind in [
        Kind::LatePuback(200),
        Kind::DoublePuback,
        Kind::ReversePubacks(8),
    ] {
        lie(&Lie::of(kind, 300))?;
    }
    lie(&Lie::of(Kind::NoPuback, 50))
}

#[test]
fn a_broker_that_closes_falls_silent_or_talks_rubbish_costs_time_alone() -> anyhow::Result<()> {
    lie(&Lie::of(Kind::Close, 20).times(4))?;
    lie(&Lie::of(Kind::GoSilent, 20).times(2))?;
    lie(&Lie::of(Kind::Garbage(40), 20).times(4))
}

#[test]
fn cuts_silence_and_delay_cost_time_alone() -> anyhow::Result<()> {
    println!("{}", networks::troubled(2, SEED)?);
    Ok(())
}

#[test]
fn what_a_small_store_lets_go_is_named_and_nothing_else_is_gone() -> anyhow::Result<()> {
    println!("{}", networks::too_small(SEED)?);
    Ok(())
}

#[test]
fn a_copied_device_is_named() -> anyhow::Result<()> {
    println!("{:?}", copies::cloned(SEED)?);
    Ok(())
}

#[test]
fn a_device_whose_folder_was_put_back_is_named() -> anyhow::Result<()> {
    for lives in [1, 3] {
        println!("{lives}: {:?}", copies::restored(lives, SEED)?);
    }
    Ok(())
}

#[test]
fn a_monitor_whose_database_was_put_back_names_what_it_lost() -> anyhow::Result<()> {
    println!("{:?}", copies::monitor_restored(SEED)?);
    Ok(())
}

#[test]
fn eight_days_without_a_broker_come_newest_state_first_and_hold_nothing_new_up()
-> anyhow::Result<()> {
    println!("{:?}", offline::eight_days(SEED)?);
    Ok(())
}

#[test]
fn mosquitto_may_be_cut_off_and_killed() -> anyhow::Result<()> {
    println!("{}", clusters::through(&mut Mosquitto::start()?, SEED)?);
    Ok(())
}

#[test]
fn a_node_of_rabbitmq_may_be_cut_off_and_killed() -> anyhow::Result<()> {
    let devices = clusters::one_of_each_half()?;
    let mut broker = RabbitMq::start(&devices.each_ref().map(String::as_str))?;
    broker.declare_queues(|device| clusters::part_of(device, 4))?;
    let desk = ("rabbitmq", broker.amqp_addresses());
    println!(
        "{}",
        clusters::through_halves(&mut broker, desk, &devices, SEED)?
    );
    Ok(())
}

#[test]
fn a_node_of_nats_may_be_cut_off_and_killed() -> anyhow::Result<()> {
    let devices = clusters::one_of_each_half()?;
    let mut broker = Nats::start(&devices.each_ref().map(String::as_str))?;
    stream::make(&broker, 2)?;
    let desk = ("nats", broker.nats_addresses());
    println!(
        "{}",
        clusters::through_halves(&mut broker, desk, &devices, SEED)?
    );
    Ok(())
}
