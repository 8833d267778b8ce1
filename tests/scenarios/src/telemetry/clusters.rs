//! One scenario for every broker: load, a cut, a node killed, and a balance at the end.

use std::net::SocketAddr;

use anyhow::Context as _;
use harness::Patience;
use harness::broker::Broker;
use monitor::alarm::AlarmKind;
use monitor::registry::shard_of;
use telemetry::name::DeviceName;

use super::device::TENANT;
use super::relay::Relay;
use super::rig::{Post, Rig, Way};
use super::verifier::Waits;

/// A cluster starts on machines that do other work.
const LONG: u64 = 170;

/// The halves of all devices.
const HALVES: [&str; 2] = ["0/2", "1/2"];

/// Plays the scenario through a broker that knows [`DEVICE`](super::rig::DEVICE), with a monitor that hears by MQTT.
///
/// Device and monitor are at the first node, which is killed.
///
/// # Errors
/// When a confirmed message is lost or accepted twice, something is dropped, or an alarm is raised.
pub fn through(broker: &mut dyn Broker, seed: u64) -> anyhow::Result<String> {
    let desk = broker.monitor_addresses();
    play(broker, &desk, vec![Post::default()], seed)
}

/// Plays it through a broker that knows these devices, one of each half, with a monitor for each half that
/// hears by the broker's own protocol: its kind, and where it is spoken.
///
/// # Errors
/// As [`through`].
pub fn through_halves(
    broker: &mut dyn Broker,
    (kind, desk): (&'static str, Vec<SocketAddr>),
    devices: &[String; 2],
    seed: u64,
) -> anyhow::Result<String> {
    let posts = HALVES.into_iter().zip(devices);
    let posts = posts.map(|(shard, device)| Post {
        device: device.clone(),
        kind,
        shard,
    });
    play(broker, &desk, posts.collect(), seed)
}

/// The first devices of each half.
///
/// # Errors
/// When all have the same half.
pub fn one_of_each_half() -> anyhow::Result<[String; 2]> {
    let first = |half: u32| {
        let mut names = (1..100).map(|number| format!("counter-{number:02}"));
        let found = names.find(|name| part_of(name, 2) == half);
        found.with_context(|| format!("a device of half {half}"))
    };
    Ok([first(0)?, first(1)?])
}

/// In which of `of` parts a device lies; a name that is none lies in no part.
#[must_use]
pub fn part_of(device: &str, of: u32) -> u32 {
    let (Ok(tenant), Ok(device)) = (TENANT.parse(), device.parse()) else {
        return of;
    };
    shard_of(&DeviceName { tenant, device }, of)
}

fn play(
    broker: &mut dyn Broker,
    desk: &[SocketAddr],
    posts: Vec<Post>,
    seed: u64,
) -> anyhow::Result<String> {
    let name = broker.name();
    let relays = broker.addresses().into_iter().map(Relay::start);
    let relays: Vec<Relay> = relays.collect::<Result<_, _>>()?;
    let mut rigs = Vec::new();
    for post in posts {
        let files = (broker.admit(&post.device)?, broker.trust().monitor()?);
        let way = Way {
            device: relays.iter().map(Relay::address).collect(),
            monitor: desk.to_vec(),
            files: Some(files),
            post,
        };
        let mut rig = Rig::new(&way, Waits::default(), seed)?;
        rig.device.orders.per_second = 40;
        rigs.push(rig);
    }
    trouble(broker, &relays, &mut rigs).with_context(|| format!("{name}, seed {seed}"))
}

fn trouble(broker: &mut dyn Broker, relays: &[Relay], rigs: &mut [Rig]) -> anyhow::Result<String> {
    let patience = || Patience::seconds(LONG);
    let proved = |rigs: &mut [Rig], more| {
        let mut rigs = rigs.iter_mut();
        rigs.try_for_each(|rig| rig.await_proved(more, patience()))
    };
    rigs.iter_mut().try_for_each(Rig::start)?;
    proved(rigs, 50)?;
    for relay in relays {
        relay.cut();
    }
    proved(rigs, 30)?;
    broker.kill_node(0)?;
    for rig in rigs.iter_mut() {
        rig.device.await_confirmed(40, patience())?;
    }
    if relays.len() > 1 {
        // The others go on without it.
        proved(rigs, 60)?;
    }
    broker.start_node(0)?;
    proved(rigs, 60)?;
    rigs.iter_mut().try_for_each(Rig::calm)?;
    let mut text = broker.name().to_owned();
    for rig in rigs {
        let balance = rig.settle(patience())?;
        balance.must_be_whole()?;
        // A node that was cut off may hand on late what it had taken before its device connected elsewhere.
        balance.must_name(&[], &[AlarmKind::StaleSession])?;
        text.push_str(&format!(": {balance}"));
    }
    Ok(text)
}
