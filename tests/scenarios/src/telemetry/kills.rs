//! Device, broker and monitor killed with SIGKILL at random moments, one or several at once.
//!
//! A moment is drawn as so many further confirmed, or proved, messages, so that kills fall into work and not
//! into waiting.

use anyhow::Context as _;
use harness::Patience;
use harness::broker::{Broker as _, Mosquitto};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::rig::{DEVICE, LONG, Rig, Way};
use super::verifier::Waits;

/// What was killed how often.
#[derive(Debug, Default)]
struct Kills {
    device: u64,
    broker: u64,
    verifier: u64,
}

/// Kills until `kills` processes have been killed, and draws the balance.
///
/// # Errors
/// When a confirmed message is lost, one is accepted twice, anything is dropped, or an alarm is raised.
pub fn kills(kills: u64, seed: u64) -> anyhow::Result<String> {
    play(kills, seed).with_context(|| format!("seed {seed}"))
}

fn play(wanted: u64, seed: u64) -> anyhow::Result<String> {
    let mut broker = Mosquitto::start()?;
    let files = (broker.admit(DEVICE)?, broker.trust().monitor()?);
    let way = Way {
        device: broker.addresses(),
        monitor: broker.monitor_addresses(),
        files: Some(files),
        ..Way::default()
    };
    let mut rig = Rig::new(&way, Waits::default(), seed)?;
    rig.device.orders.per_second = 100;
    rig.start()?;
    rig.await_proved(1, Patience::seconds(LONG))?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut done = Kills::default();
    while done.device + done.broker + done.verifier < wanted {
        if random.random_bool(0.3) {
            let more = random.random_range(1..30);
            rig.await_proved(more, Patience::seconds(LONG))?;
        } else {
            let more = random.random_range(1..60);
            rig.device.await_confirmed(more, Patience::seconds(LONG))?;
        }
        let victims = random.random_range(1..8);
        let (device, node, verifier) = (victims & 1 > 0, victims & 2 > 0, victims & 4 > 0);
        if device {
            rig.device.kill()?;
            done.device += 1;
        }
        if verifier {
            rig.verifier.kill()?;
            done.verifier += 1;
        }
        if node {
            broker.kill_node(0)?;
            done.broker += 1;
            broker.start_node(0)?;
        }
        if verifier {
            rig.verifier.start()?;
        }
        if device {
            rig.device.start()?;
        }
    }
    // The monitor waits longer the more often its broker has failed; begun anew, it waits least.
    rig.verifier.kill()?;
    rig.verifier.start()?;
    rig.calm()?;
    let balance = rig.settle(Patience::seconds(LONG))?;
    balance.must_be_whole()?;
    balance.must_name(&[], &[])?;
    let Kills {
        device,
        broker,
        verifier,
    } = done;
    Ok(format!(
        "seed {seed}: {} kills ({device} device, {broker} broker, {verifier} monitor) and one of each at \
         the end; epoch {}; {balance}",
        device + broker + verifier,
        rig.evidence.epoch()
    ))
}
