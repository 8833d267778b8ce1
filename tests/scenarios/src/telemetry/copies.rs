//! Folders and databases that were copied or put back: whoever speaks twice, or again, is named.

use std::fs;
use std::path::Path;

use anyhow::ensure;
use harness::Patience;
use monitor::alarm::AlarmKind;
use sim_broker::{Broker, Plan};

use super::device::Device;
use super::rig::{DEVICE, LONG, Rig, Way};
use super::settling::Balance;
use super::verifier::Waits;

/// Two processes with one key and one past: the folder of a device is copied, and both go on.
///
/// # Errors
/// When the monitor does not notice.
pub fn cloned(seed: u64) -> anyhow::Result<Vec<&'static str>> {
    let broker = Broker::start(Plan::honest())?;
    let mut rig = Rig::new(&Way::plain(broker.address()), Waits::default(), seed)?;
    rig.start()?;
    rig.await_proved(30, patience())?;
    rig.device.kill()?;
    let folder = tempfile::tempdir()?;
    let mut copy = Device::new(folder.path(), DEVICE, rig.verifier.key())?;
    copy_folder(&rig.device.orders.store, &copy.orders.store)?;
    copy.orders
        .endpoints
        .clone_from(&rig.device.orders.endpoints);
    copy.orders.seed = seed + 1000;
    rig.device.start()?;
    copy.start()?;
    rig.await_alarm(AlarmKind::Equivocation, patience())?;
    copy.kill()?;
    alarms(&rig)
}

/// The folder of a device is put back as it was some lives ago.
///
/// # Errors
/// When the monitor does not notice, or accepts anything of the older life.
pub fn restored(lives: u32, seed: u64) -> anyhow::Result<Vec<&'static str>> {
    let broker = Broker::start(Plan::honest())?;
    let mut rig = Rig::new(&Way::plain(broker.address()), Waits::default(), seed)?;
    rig.start()?;
    rig.await_proved(30, patience())?;
    rig.device.kill()?;
    let folder = tempfile::tempdir()?;
    let earlier = folder.path().join("earlier");
    copy_folder(&rig.device.orders.store, &earlier)?;
    for _ in 0..lives {
        rig.device.start()?;
        rig.await_proved(30, patience())?;
        rig.device.kill()?;
    }
    fs::remove_dir_all(&rig.device.orders.store)?;
    copy_folder(&earlier, &rig.device.orders.store)?;
    rig.device.start()?;
    // Names that were used are taken by other messages now, and epochs that are over begin again.
    rig.await_alarm(AlarmKind::Equivocation, patience())?;
    if lives > 1 {
        rig.await_alarm(AlarmKind::RolledBack, patience())?;
    }
    alarms(&rig)
}

/// The monitor's database is put back: what it has lost and the device has freed is named, and what comes
/// later is accepted.
///
/// # Errors
/// When the monitor does not notice, or does not go on.
pub fn monitor_restored(seed: u64) -> anyhow::Result<Vec<&'static str>> {
    let broker = Broker::start(Plan::honest())?;
    let mut rig = Rig::new(&Way::plain(broker.address()), Waits::default(), seed)?;
    rig.device.orders.limit = Some(200);
    rig.start()?;
    rig.await_proved(30, patience())?;
    rig.verifier.kill()?;
    let folder = tempfile::tempdir()?;
    let earlier = folder.path().join("earlier");
    copy_folder(&rig.verifier.data(), &earlier)?;
    rig.verifier.start()?;
    rig.device.await_all(patience())?;
    let before: Balance = rig.settle(patience())?;
    before.must_be_whole()?;
    rig.verifier.kill()?;
    let key = rig.device.key()?;
    // The files are exchanged beneath nobody.
    rig.evidence = {
        let data = rig.verifier.data();
        for entry in fs::read_dir(&data)? {
            fs::remove_file(entry?.path())?;
        }
        copy_folder(&earlier, &data)?;
        rig.verifier.evidence(key)?
    };
    rig.verifier.start()?;
    rig.await_alarm(AlarmKind::GapUnexplained, patience())?;
    rig.device.kill()?;
    rig.device.start()?;
    rig.await_proved(150, patience())?;
    alarms(&rig)
}

fn patience() -> Patience {
    Patience::seconds(LONG)
}

/// The alarms that stand; none may say that somebody without a key did it.
fn alarms(rig: &Rig) -> anyhow::Result<Vec<&'static str>> {
    let alarms = rig.evidence.alarms()?;
    let mut kinds: Vec<AlarmKind> = alarms.iter().map(|alarm| alarm.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for strange in [
        AlarmKind::Forged,
        AlarmKind::Malformed,
        AlarmKind::WrongTopic,
        AlarmKind::UnknownKey,
    ] {
        ensure!(!kinds.contains(&strange), "{alarms:?}");
    }
    Ok(kinds.into_iter().map(AlarmKind::code).collect())
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
