//! What is checked, by name; in the order in which it runs.

mod cards;
mod converter;
mod cycles;
mod hid;
mod printers;
mod rebind;
mod scanners;
mod serial;
mod tablets;
mod usb;

use anyhow::Result;

use crate::machine::Machine;

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&mut Machine) -> Result<()>,
}

const fn check(name: &'static str, run: fn(&mut Machine) -> Result<()>) -> Check {
    Check { name, run }
}

/// All checks. The first needs a kernel in which nobody has loaded Wacom's driver yet.
pub const ALL: &[Check] = &[
    check(
        "rebind: a pen display taken over by another driver is opened again",
        rebind::survives,
    ),
    check("hid: reports, features and descriptor of a pen", hid::pen),
    check(
        "hid: a refused report is not a device that left",
        hid::refusals,
    ),
    check(
        "hid: scans arrive whole, and what is sent arrives",
        hid::scans,
    ),
    check("hid: the contract of links", hid::contract),
    check(
        "usb: bulk and control transfers of a vendor's device",
        usb::transfers,
    ),
    check(
        "usb: a stall is reported and the device stays usable",
        usb::stall,
    ),
    check(
        "usb: a plug pulled in the middle of a transfer",
        usb::unplugged,
    ),
    check("usb: the contract of links", usb::contract),
    check("serial: the contract of links over USB", serial::contract),
    check(
        "serial: the contract of links over another maker's converters",
        converter::contract,
    ),
    check(
        "scanners: every byte through the reports of a point of sale",
        scanners::point_of_sale,
    ),
    check(
        "scanners: a keyboard that nobody else hears",
        scanners::keyboard,
    ),
    check("tablets: a signature on a pad", tablets::pad),
    check(
        "tablets: a pen display that leaves and comes back",
        tablets::pen_display,
    ),
    check(
        "tablets: a pen display taken over by another driver while it is signed on",
        tablets::taken_over,
    ),
    check(
        "printers: tickets over USB, without paper, without a plug, and again",
        printers::prints,
    ),
    check(
        "cards: read through a real reader, right PIN and wrong one",
        cards::read,
    ),
    check(
        "cards: a PIN on the reader's keys, right, wrong, given up, unfinished",
        cards::keys,
    ),
    check(
        "cards: lifted in the middle, before, with and after the PIN",
        cards::lifted,
    ),
    check(
        "cards: the reader's plug is pulled in the middle of a read",
        cards::unplugged,
    ),
    check("cycles: hid", cycles::hid),
    check("cycles: usb", cycles::usb),
    check("cycles: serial", cycles::serial),
    check("cycles: scanners with their driver", cycles::scanners),
    check("cycles: tablets with their driver", cycles::tablets),
];

/// Checks that run only where they are named.
///
/// Plugging card readers brings the service down now and then, by a fault of its driver
/// (`docs/devices/card-readers.md`); a call into one that is stuck is waited for longer than the tests may take.
pub const BY_NAME: &[Check] = &[check(
    "cycles: card readers with their driver",
    cycles::cards,
)];
