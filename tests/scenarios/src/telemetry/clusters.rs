//! One scenario for every broker: load, a cut, a node killed, and a balance at the end.

use anyhow::Context as _;
use harness::Patience;
use harness::broker::Broker;

use super::relay::Relay;
use super::rig::{DEVICE, Rig, Way};
use super::verifier::Waits;

/// A cluster starts on machines that do other work.
const LONG: u64 = 170;

/// Plays the scenario through a broker that knows [`DEVICE`].
///
/// Device and monitor are at the first node, which is killed.
///
/// # Errors
/// When a confirmed message is lost or accepted twice, something is dropped, or an alarm is raised.
pub fn through(broker: &mut dyn Broker, seed: u64) -> anyhow::Result<String> {
    let name = broker.name();
    play(broker, seed).with_context(|| format!("{name}, seed {seed}"))
}

fn play(broker: &mut dyn Broker, seed: u64) -> anyhow::Result<String> {
    let files = (broker.admit(DEVICE)?, broker.trust().monitor()?);
    let relays = broker.addresses().into_iter().map(Relay::start);
    let relays: Vec<Relay> = relays.collect::<Result<_, _>>()?;
    let way = Way {
        device: relays.iter().map(Relay::address).collect(),
        monitor: broker.monitor_addresses(),
        files: Some(files),
    };
    let mut rig = Rig::new(&way, Waits::default(), seed)?;
    rig.device.orders.per_second = 40;
    rig.start()?;
    let patience = || Patience::seconds(LONG);
    rig.await_proved(50, patience())?;
    for relay in &relays {
        relay.cut();
    }
    rig.await_proved(30, patience())?;
    broker.kill_node(0)?;
    rig.device.await_confirmed(40, patience())?;
    let others = relays.len() > 1;
    if others {
        // The others go on without it.
        rig.await_proved(60, patience())?;
    }
    broker.start_node(0)?;
    rig.await_proved(60, patience())?;
    rig.calm()?;
    let balance = rig.settle(patience())?;
    balance.must_be_whole()?;
    balance.must_name(&[], &[])?;
    Ok(format!("{}: {balance}", broker.name()))
}
