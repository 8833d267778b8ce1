//! Serial lines over QEMU's FTDI converters, which share no code with us or with the kernel's gadgets.
//!
//! The machine has two, each the other end of the other's line. Both are of one product and tell the same
//! serial number, as cheap converters do, so they are told apart by their ports.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use device_api::Deadline;
use link::contract::{self, Peer, Subject, Traffic, Wakes};
use link::identity::{Found, Way};
use link::serial::SerialLink;
use link::{Frame, Link as _};

use super::serial::open;
use crate::machine::{Machine, load};

fn is_converter(found: &Found) -> bool {
    found.is(0x0403, 0x6001) && matches!(found.way, Way::Serial { .. })
}

pub(super) fn contract(machine: &mut Machine) -> Result<()> {
    load(&["xhci_pci", "ftdi_sio"])?;
    let near = machine.arrival(is_converter)?;
    let far = machine.arrival(|found| is_converter(found) && *found != near)?;
    let (key, other) = (near.identity.key(), far.identity.key());
    ensure!(key != other, "two converters have the key {key}");
    let mut link = open(&near, &machine.clock).context("cannot open the one")?;
    let end = open(&far, &machine.clock).context("cannot open the other")?;
    let deadline = machine.patience();
    let mut peer = FarEnd {
        end,
        deadline,
        near: near.identity.port_path.clone(),
    };
    contract::check(Subject {
        link: &mut link,
        peer: &mut peer,
        clock: Arc::clone(&machine.clock),
        traffic: Traffic::Stream,
        wakes: Wakes::Never,
    })?;
    machine.departure(|found| *found == near)?;
    if machine.watch.present().iter().any(is_converter) {
        return Ok(());
    }
    bail!("the other converter left too")
}

/// The other converter, as the contract plays it.
#[derive(Debug)]
struct FarEnd {
    end: SerialLink,
    deadline: Deadline,
    near: String,
}

impl Peer for FarEnd {
    fn sends(&mut self, bytes: &[u8]) {
        // Bytes that are not taken are missed by who checks.
        drop(self.end.send(&Frame::plain(bytes), self.deadline));
    }

    fn arrived(&mut self, length: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < length {
            let Ok(frame) = self.end.receive(self.deadline) else {
                break;
            };
            all.extend_from_slice(frame.bytes());
        }
        all
    }

    /// The plug itself is outside the machine; the kernel drops the device as if it were pulled.
    fn vanishes(&mut self) {
        drop(fs::write("/sys/bus/usb/drivers/usb/unbind", &self.near));
    }
}
