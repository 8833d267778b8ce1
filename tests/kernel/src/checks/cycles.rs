//! Plugging and unplugging, again and again: nothing leaks, nothing stale is used, and the device works
//! after each return.

use anyhow::{Context as _, Result, ensure};
use link::{Link as _, LinkError};

use super::{hid as hids, serial as lines, usb as bulks};
use crate::machine::{Machine, held};
use crate::models::{scanner, scanner_report};

/// Runs `cycle` as often as the machine says; what is held afterwards is what was held after the first.
fn repeat(
    machine: &mut Machine,
    mut cycle: impl FnMut(&mut Machine, u32) -> Result<()>,
) -> Result<()> {
    cycle(machine, 0).context("the first cycle")?;
    let before = held()?;
    for number in 1..machine.cycles {
        cycle(machine, number).with_context(|| format!("cycle {number}"))?;
    }
    let after = held()?;
    ensure!(before == after, "{before:?} became {after:?}");
    Ok(())
}

fn demand_gone(link: &mut dyn link::Link, machine: &Machine) -> Result<()> {
    let received = link.receive(machine.patience());
    ensure!(matches!(received, Err(LinkError::Gone)), "{received:?}");
    Ok(())
}

pub(super) fn hid(machine: &mut Machine) -> Result<()> {
    repeat(machine, |machine, number| {
        let model = scanner();
        let (device, mut link) = hids::plugged(machine, &model, Box::new(|_| None))?;
        let report = scanner_report(*b"]E0", &number.to_le_bytes());
        device.sends(&report)?;
        ensure!(
            link.receive(machine.patience())?.bytes() == report,
            "another report"
        );
        device.unplug();
        demand_gone(&mut link, machine)?;
        hids::departed(machine, &model)
    })
}

pub(super) fn usb(machine: &mut Machine) -> Result<()> {
    repeat(machine, |machine, number| {
        let (device, mut link) = bulks::plugged(machine)?;
        device.with(|device| device.loaded.extend(number.to_le_bytes()));
        let received = link.receive(machine.patience())?;
        ensure!(received.bytes() == number.to_le_bytes(), "other bytes");
        device.unplug();
        demand_gone(&mut link, machine)?;
        drop(link);
        bulks::departed(machine)
    })
}

pub(super) fn serial(machine: &mut Machine) -> Result<()> {
    let gadget = lines::made()?;
    repeat(machine, |machine, number| {
        let mut link = lines::plugged(machine, &gadget)?;
        let mut end = lines::end_of(machine, &gadget)?;
        let bytes = link::Frame::plain(number.to_le_bytes());
        end.send(&bytes, machine.patience())?;
        let received = link.receive(machine.patience())?;
        ensure!(received.bytes() == bytes.bytes(), "other bytes");
        drop(end);
        gadget.unplug()?;
        demand_gone(&mut link, machine)?;
        drop(link);
        lines::departed(machine)
    })
}
