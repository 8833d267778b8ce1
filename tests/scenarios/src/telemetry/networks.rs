//! Networks that are cut, fall silent or are slow, and a store that is too small for what happens meanwhile.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use harness::Patience;
use harness::broker::{Broker as _, Mosquitto};
use sim_broker::{Broker, Plan};
use telemetry::Lane;
use telemetry::message::gaps::DropReason;

use super::relay::Relay;
use super::rig::{DEVICE, LONG, Rig, Way};
use super::settling::Balance;
use super::verifier::Waits;

/// Cuts, silence and delay between a device and a real broker, and cuts between it and the monitor.
///
/// # Errors
/// When the device does not find its way back, or the balance is not even.
pub fn troubled(rounds: u64, seed: u64) -> anyhow::Result<Balance> {
    let mut broker = Mosquitto::start()?;
    let (near, far) = (
        Relay::start(broker.address(0)?)?,
        Relay::start(broker.monitor_address(0)?)?,
    );
    let way = Way {
        device: vec![near.address()],
        monitor: vec![far.address()],
        files: Some((broker.admit(DEVICE)?, broker.trust().monitor()?)),
        ..Way::default()
    };
    let mut rig = Rig::new(&way, Waits::default(), seed)?;
    rig.start()?;
    let patience = || Patience::seconds(LONG);
    rig.await_proved(20, patience())?;
    for round in 0..rounds {
        near.cut();
        rig.await_proved(20, patience())?;
        // Only the keep-alive tells that nobody is there: what is reported meanwhile waits on the disk.
        let before = near.accepted();
        near.set_silent(true);
        rig.device.await_log("TimedOut", patience())?;
        near.set_silent(false);
        // What the old connection held back may be proved before the new one is there.
        near.await_more_than(before, patience())?;
        rig.await_proved(20, patience())?;
        near.set_delay(Duration::from_millis(150));
        rig.await_proved(20, patience())?;
        near.set_delay(Duration::ZERO);
        if round == 0 {
            // Once: the monitor waits longer each time.
            far.cut();
        }
        rig.await_proved(20, patience())?;
    }
    rig.calm()?;
    let balance = rig.settle(patience())?;
    balance.must_be_whole()?;
    balance.must_name(&[], &[])?;
    Ok(balance)
}

/// More is reported without a broker than the store holds: what had to go is named, and nothing else is gone.
///
/// # Errors
/// When nothing was dropped, or something is missing without a record.
pub fn too_small(seed: u64) -> anyhow::Result<Balance> {
    let broker = Broker::start(Plan::honest())?;
    let address = broker.address();
    let mut rig = Rig::new(&Way::plain(address), Waits::default(), seed)?;
    rig.device.orders.quota_bytes = 512 << 10;
    rig.device.orders.entries = 40;
    rig.device.orders.per_second = 200;
    rig.start()?;
    rig.await_proved(20, Patience::seconds(LONG))?;
    broker.stop();
    for _ in 0..2 {
        rig.device.await_confirmed(200, Patience::seconds(LONG))?;
        rig.device.kill()?;
        rig.device.start()?;
    }
    rig.calm()?;
    rig.verifier.kill()?;
    let settings = sim_broker::Settings {
        address,
        ..sim_broker::Settings::default()
    };
    let _broker = Broker::start_with(settings, Plan::honest()).context("the port is free again")?;
    rig.verifier.start()?;
    let balance = rig.settle(Patience::seconds(LONG))?;
    ensure!(balance.explained > 0, "nothing was dropped: {balance}");
    for dropped in &rig.evidence.dropped {
        ensure!(
            (dropped.reason, dropped.lane) == (DropReason::Quota, Lane::Telemetry),
            "{dropped:?}"
        );
    }
    balance.must_name(&[], &[])?;
    Ok(balance)
}
