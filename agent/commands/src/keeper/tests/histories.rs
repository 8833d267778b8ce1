//! Random histories: whatever comes, and whenever the power goes, an effect begins at most once, and what was
//! accepted ends in exactly one final state.

use std::time::Duration;

use proptest::prelude::*;
use telemetry::message::machine::TimeQuality;

use super::crashes::check;
use super::world::{World, order};
use super::*;
use crate::verb::Verb;
use journal_file::memory::Part;

#[derive(Debug, Clone, Copy)]
enum Act {
    Deliver(u8),
    DeliverOneApproval(u8),
    DeliverSpoilt(u8, usize),
    End,
    Tick,
    Pass(u64),
    Beat,
    Crash,
    CutPower(u64, Part),
    DiskFails(bool),
    Opens(bool),
    ClockStops(bool),
    OutcomeFails(bool),
    OnlySatoApproves(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let part = prop_oneof![Just(Part::None), Just(Part::Half), Just(Part::All)];
    prop_oneof![
        6 => (0..8_u8).prop_map(Act::Deliver),
        1 => (0..8_u8).prop_map(Act::DeliverOneApproval),
        1 => (0..8_u8, 0..900_usize).prop_map(|(number, place)| Act::DeliverSpoilt(number, place)),
        4 => Just(Act::End),
        2 => Just(Act::Tick),
        2 => (0..400_u64).prop_map(Act::Pass),
        2 => Just(Act::Beat),
        2 => Just(Act::Crash),
        3 => (0..6_u64, part).prop_map(|(step, part)| Act::CutPower(step, part)),
        1 => any::<bool>().prop_map(Act::DiskFails),
        1 => any::<bool>().prop_map(Act::Opens),
        1 => any::<bool>().prop_map(Act::ClockStops),
        1 => any::<bool>().prop_map(Act::OutcomeFails),
        1 => any::<bool>().prop_map(Act::OnlySatoApproves),
    ]
}

/// The order of this number: all classes, now and later.
fn order_of(world: &World, number: u8) -> crate::Order {
    let verb = match number {
        0 => Verb::Diagnostics,
        1 | 2 => Verb::LockKiosk,
        3 => Verb::UnlockKiosk,
        4 => Verb::Reboot,
        5 => Verb::Wipe,
        6 => Verb::RotateKeys,
        _ => Verb::Recalibrate {
            device: "ticketPrinter:1".parse().unwrap(),
        },
    };
    let mut order = world.fresh(order(number, verb));
    order.not_before += u64::from(number % 3) * 200;
    if number == 7 {
        order.expires = order.not_before + 100;
    }
    order
}

fn perform(world: &mut World, act: Act) {
    match act {
        Act::Deliver(number) => {
            let message = world.message(&order_of(world, number));
            world.deliver(&message);
        }
        Act::DeliverOneApproval(number) => {
            let document = crate::Document::new(order_of(world, number)).unwrap();
            let approval = world.approve(&document, "sato");
            world.deliver(&crate::join(&[approval]).unwrap());
        }
        Act::DeliverSpoilt(number, place) => {
            let mut message = world.message(&order_of(world, number));
            let place = place % message.len();
            message[place] ^= 0x10;
            world.deliver(&message);
        }
        Act::End => world.end(),
        Act::Tick => world.tick(),
        Act::Pass(seconds) => world.pass(seconds),
        Act::Beat => world.beat(),
        Act::Crash => world.crash(),
        Act::CutPower(step, part) => world.disk.cut_at(step, part),
        Act::DiskFails(fails) => world.disk.fail(fails),
        Act::Opens(open) => world.open = open,
        Act::ClockStops(stops) => {
            world.quality = if stops {
                TimeQuality::Floor
            } else {
                TimeQuality::Synchronised
            };
        }
        Act::OutcomeFails(fails) => world.failure = fails.then_some(Failure::Denied),
        Act::OnlySatoApproves(only) => {
            let list = if only {
                let all = world.authority.clone();
                let sato = "sato".parse().unwrap();
                Authority::new(all.named(&sato).cloned()).unwrap()
            } else {
                world.authority.clone()
            };
            world.keeper.set_authority(list);
        }
    }
}

proptest! {
    #[test]
    fn an_effect_begins_at_most_once_and_what_was_accepted_ends_once(
        acts in prop::collection::vec(act(), 0..60),
    ) {
        let mut world = World::new();
        for act in acts {
            if matches!(act, Act::Crash) {
                world.disk.fail(false);
            }
            perform(&mut world, act);
        }
        world.disk.fail(false);
        world.crash();
        (world.quality, world.open) = (TimeQuality::Synchronised, false);
        // Everything comes once more, and time goes on until nothing can wait.
        for number in 0..8 {
            perform(&mut world, Act::Deliver(number));
            world.end();
        }
        world.moment = world.moment.plus(Duration::from_secs(1));
        world.pass(4_100);
        world.end();
        check(&world);
        let ids: std::collections::BTreeSet<_> =
            world.started.iter().map(|start| start.command).collect();
        prop_assert_eq!(ids.len(), world.started.len());
    }
}
