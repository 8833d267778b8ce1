//! Brokers that misbehave by plan: each lie costs time at most, and is named.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use harness::Patience;
use monitor::alarm::AlarmKind;
use sim_broker::{Broker, Fault, Kind, Plan};

use super::rig::{LONG, Rig, Way};
use super::settling::Balance;
use super::verifier::Waits;

/// What devices say.
const UP: &str = "madoguchi/1/+/+/up/#";

/// A broker that misbehaves in one way.
#[derive(Debug, Clone)]
pub struct Lie {
    /// What it does.
    pub fault: Fault,
    /// How often at least.
    pub times: u64,
    /// What the monitor must name.
    pub named: &'static [AlarmKind],
    /// What it may name besides.
    pub allowed: &'static [AlarmKind],
    /// For how long it waits.
    pub waits: Waits,
}

impl Lie {
    /// It strikes so many of a thousand messages of devices, ten times at least, and nothing is to be named.
    #[must_use]
    pub fn of(kind: Kind, per_mille: u16) -> Self {
        Self {
            fault: Fault::every(kind).within(UP).per_mille(per_mille),
            times: 10,
            named: &[],
            allowed: &[],
            waits: Waits::default(),
        }
    }

    /// The monitor must name this, and may name that.
    #[must_use]
    pub const fn named(
        mut self,
        named: &'static [AlarmKind],
        allowed: &'static [AlarmKind],
    ) -> Self {
        self.named = named;
        self.allowed = allowed;
        self
    }

    /// It strikes so often at least.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// The monitor waits otherwise.
    #[must_use]
    pub const fn waits(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }
}

/// A device reports, the broker lies for a while and is honest again; nothing is restarted.
///
/// # Errors
/// When a confirmed message is lost or accepted twice, something is dropped, or the wrong alarms are raised.
pub fn lie(lie: &Lie, seed: u64) -> anyhow::Result<Balance> {
    let broker = Broker::start(Plan::honest())?;
    let mut rig = Rig::new(&Way::plain(broker.address()), lie.waits, seed)?;
    rig.device.orders.limit = Some(400);
    rig.start()?;
    tell(&mut rig, &broker, lie, seed).with_context(|| format!("{lie:?}, seed {seed}"))
}

fn tell(rig: &mut Rig, broker: &Broker, lie: &Lie, seed: u64) -> anyhow::Result<Balance> {
    let kind = lie.fault.kind;
    rig.await_proved(20, Patience::seconds(LONG))?;
    broker.set_plan(Plan::of(seed, lie.fault.clone()));
    let struck = broker.wait(Duration::from_secs(60), |counts| {
        counts.struck(kind) >= lie.times
    });
    ensure!(struck, "it struck {} times", broker.counts().struck(kind));
    for kind in lie.named {
        rig.await_alarm(*kind, Patience::seconds(60))?;
    }
    broker.set_plan(Plan::honest());
    broker.release();
    rig.device.await_all(Patience::seconds(LONG))?;
    let balance = rig.settle(Patience::seconds(LONG))?;
    balance.must_be_whole()?;
    balance.must_name(lie.named, lie.allowed)?;
    Ok(balance)
}

/// The broker takes what it retained back to what it was, and the monitor begins anew meanwhile.
///
/// # Errors
/// As [`lie`]; when the monitor believes the older birth.
pub fn retained_rolled_back(seed: u64) -> anyhow::Result<Balance> {
    let broker = Broker::start(Plan::honest())?;
    let mut rig = Rig::new(&Way::plain(broker.address()), Waits::default(), seed)?;
    rig.start()?;
    for _ in 0..2 {
        rig.await_proved(30, Patience::seconds(LONG))?;
        rig.device.kill()?;
        rig.device.start()?;
    }
    rig.await_proved(30, Patience::seconds(LONG))?;
    rig.verifier.kill()?;
    ensure!(broker.roll_back() > 0, "nothing was retained before");
    rig.verifier.start()?;
    rig.await_proved(30, Patience::seconds(LONG))?;
    rig.calm()?;
    let balance = rig.settle(Patience::seconds(LONG))?;
    balance.must_be_whole()?;
    balance.must_name(&[], &[])?;
    ensure!(balance.duplicates > 0, "the older birth never came");
    Ok(balance)
}
