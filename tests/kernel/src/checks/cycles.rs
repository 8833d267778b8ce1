//! Plugging and unplugging, again and again, at moments that change: nothing leaks, nothing stale is used,
//! and the device works after each return.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use link::identity::Found;
use link::reopening::Reopening;
use link::{Frame, Link, LinkError};

use super::{hid as hids, serial as lines, usb as bulks};
use crate::ccid::SERIAL;
use crate::gadget::SerialGadget;
use crate::machine::{Machine, held, load};
use crate::models::{BulkDevice, scanner, scanner_report};
use crate::uhid::Uhid;
use crate::vhci::{Plugged, Speed};

/// When the plug is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulled {
    /// At once, perhaps before anybody has seen the device.
    Unseen,
    /// When the device has been opened.
    Opened,
    /// While somebody waits for what it sends.
    Waited,
    /// After it has sent something.
    Spoken,
}

impl Pulled {
    /// One for each cycle, scattered, and the same in each run.
    const fn at(cycle: u32) -> Self {
        // Knuth's multiplicative hash: the upper bits of a product with 2^32 divided by the golden ratio.
        match cycle.wrapping_mul(0x9e37_79b9) >> 30 {
            0 => Self::Unseen,
            1 => Self::Opened,
            2 => Self::Waited,
            _ => Self::Spoken,
        }
    }
}

/// Devices of one class: one that is plugged in until it is dropped, and what it can say.
trait Class {
    type Device;

    fn plug(&self) -> Result<Self::Device>;

    /// Has the device send something, and tells what.
    fn speak(&self, device: &Self::Device, machine: &Machine, cycle: u32) -> Result<Vec<u8>>;
}

/// Lives of devices, as many as the machine says; what is held afterwards is what was held after the first.
fn again_and_again(
    machine: &mut Machine,
    mut live: impl FnMut(&mut Machine, Pulled, u32) -> Result<()>,
) -> Result<()> {
    /// Until every moment has been met, and libraries hold what they keep for ever.
    const FIRST: u32 = 4;
    let mut before = None;
    for cycle in 0..machine.cycles.max(FIRST + 1) {
        if cycle == FIRST {
            before = Some(held()?);
        }
        let pulled = Pulled::at(cycle);
        live(machine, pulled, cycle)
            .with_context(|| format!("cycle {cycle}, pulled {pulled:?}"))?;
    }
    let after = held()?;
    ensure!(before == Some(after), "{before:?} became {after:?}");
    // And it works still.
    live(machine, Pulled::Spoken, 0).context("after the last cycle")
}

/// Plugs and pulls, and opens the same links again and again.
fn repeat<C, L, F>(machine: &mut Machine, class: &C, mut links: Reopening<F>) -> Result<()>
where
    C: Class,
    L: Link,
    F: FnMut(&Found) -> Result<L, LinkError>,
{
    again_and_again(machine, |machine, pulled, cycle| {
        one(machine, class, &mut links, (pulled, cycle))?;
        links.settled();
        Ok(())
    })
}

fn one<C, L, F>(
    machine: &mut Machine,
    class: &C,
    links: &mut Reopening<F>,
    (pulled, cycle): (Pulled, u32),
) -> Result<()>
where
    C: Class,
    L: Link,
    F: FnMut(&Found) -> Result<L, LinkError>,
{
    let device = class.plug()?;
    if pulled == Pulled::Unseen {
        return Ok(());
    }
    let deadline = machine.patience();
    let (_, mut link) = links.acquire(&mut machine.watch, deadline)?;
    if pulled == Pulled::Spoken {
        let said = class.speak(&device, machine, cycle)?;
        ensure!(link.receive(deadline)?.bytes() == said, "other bytes");
    }
    let received = if pulled == Pulled::Waited {
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| link.receive(deadline));
            drop(device);
            waiting.join().ok()
        })
        .context("waiting ended in a panic")?
    } else {
        drop(device);
        link.receive(deadline)
    };
    ensure!(matches!(received, Err(LinkError::Gone)), "{received:?}");
    Ok(())
}

struct Scanners;

impl Class for Scanners {
    type Device = Uhid;

    fn plug(&self) -> Result<Uhid> {
        Uhid::plug(&scanner(), Box::new(|_| None))
    }

    fn speak(&self, device: &Uhid, _: &Machine, cycle: u32) -> Result<Vec<u8>> {
        let report = scanner_report(*b"]E0", &cycle.to_le_bytes());
        device.sends(&report)?;
        Ok(report)
    }
}

pub(super) fn hid(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    let (model, clock) = (scanner(), Arc::clone(&machine.clock));
    let links = Reopening::new(
        move |found| found.is(model.vendor, model.product),
        move |found: &Found| hids::open(found, &clock),
    );
    repeat(machine, &Scanners, links)
}

struct BulkDevices;

impl Class for BulkDevices {
    type Device = Plugged<BulkDevice>;

    fn plug(&self) -> Result<Self::Device> {
        Plugged::plug(Speed::High, BulkDevice::default())
    }

    fn speak(&self, device: &Self::Device, _: &Machine, cycle: u32) -> Result<Vec<u8>> {
        let bytes = cycle.to_le_bytes().to_vec();
        device.with(|device| device.loaded.extend(&bytes));
        Ok(bytes)
    }
}

pub(super) fn usb(machine: &mut Machine) -> Result<()> {
    load(&["vhci_hcd"])?;
    let clock = Arc::clone(&machine.clock);
    let links = Reopening::new(bulks::wanted, move |found: &Found| {
        bulks::open(found, &clock)
    });
    repeat(machine, &BulkDevices, links)
}

struct Lines {
    gadget: SerialGadget,
}

/// A line that is plugged in until it is dropped.
struct PluggedLine<'a>(&'a SerialGadget);

impl Drop for PluggedLine<'_> {
    fn drop(&mut self) {
        // One that stays plugged in is refused at the next plugging.
        drop(self.0.unplug());
    }
}

impl<'a> Class for &'a Lines {
    type Device = PluggedLine<'a>;

    fn plug(&self) -> Result<Self::Device> {
        self.gadget.plug()?;
        Ok(PluggedLine(&self.gadget))
    }

    fn speak(&self, _: &Self::Device, machine: &Machine, cycle: u32) -> Result<Vec<u8>> {
        let bytes = cycle.to_le_bytes().to_vec();
        let mut end = lines::end_of(machine, &self.gadget)?;
        end.send(&Frame::plain(bytes.clone()), machine.patience())?;
        Ok(bytes)
    }
}

pub(super) fn serial(machine: &mut Machine) -> Result<()> {
    let class = Lines {
        gadget: lines::made()?,
    };
    let clock = Arc::clone(&machine.clock);
    let links = Reopening::new(lines::wanted, move |found: &Found| {
        lines::open(found, &clock)
    });
    repeat(machine, &&class, links)
}

pub(super) fn scanners(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    again_and_again(machine, |machine, pulled, _| {
        super::scanners::one_life(machine, pulled)
    })
}

pub(super) fn tablets(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    again_and_again(machine, |machine, pulled, _| {
        super::tablets::one_life(machine, pulled)
    })
}

/// The service may die of a reader's leaving, or not notice it (`docs/devices/card-readers.md`), once in a
/// hundred lives; it is started anew then.
#[expect(clippy::print_stdout, reason = "a figure of the run, not a failure")]
pub(super) fn cards(machine: &mut Machine) -> Result<()> {
    let service = super::cards::service(machine)?;
    let (mut lives, mut deaths) = (0_u32, 0_u32);
    again_and_again(machine, |machine, pulled, cycle| {
        lives += 1;
        let lived = service.watched(|| super::cards::one_life(machine, &service, pulled));
        let Err(error) = lived else {
            return Ok(());
        };
        if !service.has_ended() && !service.lists_a_ghost(machine, SERIAL) {
            return Err(error);
        }
        deaths += 1;
        println!("       the card service failed in cycle {cycle}: {error:#}");
        ensure!(deaths <= 1 + lives / 100, "it fails too often");
        service.start_anew(machine)
    })
}
