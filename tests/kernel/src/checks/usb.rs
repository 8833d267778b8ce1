//! A vendor's device with a bulk pair, through `usbfs`.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use device_api::Clock;
use link::contract::{self, Peer, Subject, Traffic, Wakes};
use link::identity::{Found, Way};
use link::usb::{self, Control, SLICE, UsbLink};
use link::{Frame, Link as _, LinkError};

use crate::machine::{Machine, load};
use crate::models::{BULK_PRODUCT, BULK_VENDOR, BulkDevice};
use crate::vhci::{Plugged, Speed};

pub(super) fn wanted(found: &Found) -> bool {
    found.is(BULK_VENDOR, BULK_PRODUCT) && matches!(found.way, Way::Usb { .. })
}

/// Plugs the device in and opens it.
pub(super) fn plugged(machine: &mut Machine) -> Result<(Plugged<BulkDevice>, UsbLink)> {
    let device = Plugged::plug(Speed::High, BulkDevice::default())?;
    let found = machine.arrival(wanted)?;
    let identity = &found.identity;
    ensure!(
        identity.serial.as_deref() == Some("BLK0001"),
        "{identity:?}"
    );
    ensure!(identity.firmware == 0x0123, "{identity:?}");
    let link = open(&found, &machine.clock).context("cannot open it")?;
    Ok((device, link))
}

pub(super) fn open(
    found: &Found,
    clock: &Arc<dyn Clock>,
) -> std::result::Result<UsbLink, LinkError> {
    usb::open(found, usb::VENDOR_CLASS, Arc::clone(clock))
}

pub(super) fn transfers(machine: &mut Machine) -> Result<()> {
    load(&["vhci_hcd"])?;
    let (device, mut link) = plugged(machine)?;
    let deadline = machine.patience();
    let much: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    link.send(&Frame::plain(much.clone()), deadline)?;
    ensure!(
        device.with(|device| device.collected == much),
        "another picture"
    );
    device.with(|device| device.loaded.extend(&much));
    let mut all = Vec::new();
    while all.len() < much.len() {
        all.extend_from_slice(link.receive(deadline)?.bytes());
    }
    ensure!(all == much, "another picture came back");
    let status = Control {
        kind: 0x41,
        request: 1,
        value: 0,
        index: u16::from(link.interface()),
    };
    let answer = link.control_in(status, 64, deadline)?;
    ensure!(answer.bytes() == b"\x01READY", "another status");
    let load = Control {
        request: 2,
        ..status
    };
    link.control_out(load, &Frame::plain([7, 7]), deadline)?;
    ensure!(
        device.with(|device| device.collected.ends_with(&[7, 7])),
        "not taken"
    );
    let unknown = Control {
        request: 9,
        ..status
    };
    let refused = link.control_in(unknown, 64, deadline);
    ensure!(
        matches!(refused, Err(LinkError::Malformed { .. })),
        "{refused:?}"
    );
    device.unplug();
    machine.departure(wanted)
}

pub(super) fn stall(machine: &mut Machine) -> Result<()> {
    let (device, mut link) = plugged(machine)?;
    let deadline = machine.patience();
    device.with(|device| device.stalls = true);
    let refused = link.send(&Frame::plain([1, 2, 3]), deadline);
    ensure!(
        matches!(refused, Err(LinkError::Malformed { .. })),
        "{refused:?}"
    );
    link.send(&Frame::plain([4, 5]), deadline)?;
    device.with(|device| device.stalls = true);
    let refused = link.receive(deadline);
    ensure!(
        matches!(refused, Err(LinkError::Malformed { .. })),
        "{refused:?}"
    );
    device.with(|device| device.loaded.extend([6, 7]));
    ensure!(link.receive(deadline)?.bytes() == [6, 7], "other bytes");
    ensure!(
        device.with(|device| device.collected == [4, 5]),
        "other bytes arrived"
    );
    // One that takes nothing for now is no fault, until the deadline.
    device.with(|device| device.busy = true);
    let waited = link.send(
        &Frame::plain([8]),
        machine.within(Duration::from_millis(100)),
    );
    ensure!(matches!(waited, Err(LinkError::TimedOut)), "{waited:?}");
    device.unplug();
    machine.departure(wanted)
}

pub(super) fn unplugged(machine: &mut Machine) -> Result<()> {
    let (device, mut link) = plugged(machine)?;
    let deadline = machine.patience();
    let (refused, waiting) = mpsc::channel();
    device.with(|device| {
        device.busy = true;
        device.refused = Some(refused);
    });
    let (sent, link) = std::thread::scope(|threads| {
        let sending = threads.spawn(|| {
            let sent = link.send(&Frame::plain(vec![0; 4096]), deadline);
            (sent, link)
        });
        // The transfer has reached the device, which does not take it.
        waiting.recv_timeout(Duration::from_secs(20)).ok()?;
        device.unplug();
        sending.join().ok()
    })
    .context("the transfer did not reach the device, or ended in a panic")?;
    ensure!(matches!(sent, Err(LinkError::Gone)), "{sent:?}");
    drop(link);
    machine.departure(wanted)
}

/// The device, as the contract plays it.
#[derive(Debug)]
struct BulkPeer(Option<Plugged<BulkDevice>>);

impl Peer for BulkPeer {
    fn sends(&mut self, bytes: &[u8]) {
        if let Some(device) = &self.0 {
            device.with(|device| device.loaded.extend(bytes));
        }
    }

    fn arrived(&mut self, _: usize) -> Vec<u8> {
        // The link says that it has sent when the device has taken.
        let take = |device: &mut BulkDevice| std::mem::take(&mut device.collected);
        self.0
            .as_ref()
            .map(|device| device.with(take))
            .unwrap_or_default()
    }

    fn vanishes(&mut self) {
        self.0 = None;
    }
}

pub(super) fn contract(machine: &mut Machine) -> Result<()> {
    let (device, mut link) = plugged(machine)?;
    contract::check(Subject {
        link: &mut link,
        peer: &mut BulkPeer(Some(device)),
        clock: Arc::clone(&machine.clock),
        traffic: Traffic::Stream,
        wakes: Wakes::EachSlice(SLICE),
    })?;
    drop(link);
    machine.departure(wanted)
}
