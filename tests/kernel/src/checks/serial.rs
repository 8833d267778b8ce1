//! A serial line over USB: the gadget's CDC ACM function, met through the kernel's driver for it.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use device_api::{Clock, Deadline};
use link::contract::{self, Peer, Subject, Traffic, Wakes};
use link::identity::{Found, Way};
use link::serial::{self, SerialLink, SerialSettings};
use link::{Frame, Link as _, LinkError};

use crate::gadget::SerialGadget;
use crate::machine::{Machine, load};

pub(super) fn wanted(found: &Found) -> bool {
    found.is(SerialGadget::VENDOR, SerialGadget::PRODUCT) && matches!(found.way, Way::Serial { .. })
}

/// Opens the line that was found.
pub(super) fn open(
    found: &Found,
    clock: &Arc<dyn Clock>,
) -> std::result::Result<SerialLink, LinkError> {
    match &found.way {
        Way::Serial { path } => {
            serial::open(&SerialSettings::new(path, 115_200), Arc::clone(clock))
        }
        Way::Hid { .. } | Way::Usb { .. } => Err(LinkError::Gone),
    }
}

/// Makes the device, with the modules that it needs.
pub(super) fn made() -> Result<SerialGadget> {
    load(&["dummy_hcd", "libcomposite", "usb_f_acm", "cdc_acm"])?;
    SerialGadget::make()
}

/// Opens the device's end of the line.
pub(super) fn end_of(machine: &Machine, gadget: &SerialGadget) -> Result<SerialLink> {
    // The gadget's own terminal knows one speed, which is none: there is no line behind it.
    let settings = SerialSettings::new(gadget.end()?, 9600);
    serial::open(&settings, Arc::clone(&machine.clock)).context("cannot open the device's end")
}

/// The device's end of the line, as the contract plays it.
#[derive(Debug)]
struct LinePeer<'a> {
    gadget: &'a SerialGadget,
    end: SerialLink,
    deadline: Deadline,
}

impl Peer for LinePeer<'_> {
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

    fn vanishes(&mut self) {
        // One that stays is missed by who checks.
        drop(self.gadget.unplug());
    }
}

pub(super) fn contract(machine: &mut Machine) -> Result<()> {
    let gadget = made()?;
    gadget.plug()?;
    let found = machine.arrival(wanted)?;
    let mut link = open(&found, &machine.clock).context("cannot open it")?;
    let end = end_of(machine, &gadget)?;
    let deadline = machine.patience();
    contract::check(Subject {
        link: &mut link,
        peer: &mut LinePeer {
            gadget: &gadget,
            end,
            deadline,
        },
        clock: Arc::clone(&machine.clock),
        traffic: Traffic::Stream,
        wakes: Wakes::Never,
    })?;
    machine.departure(wanted)
}
