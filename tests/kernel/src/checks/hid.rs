//! HID devices through the kernel's HID layer and `hidraw`.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use device_api::Clock;
use link::contract::{self, Peer, Subject, Traffic, Wakes};
use link::hidraw::{self, HidrawLink};
use link::identity::{Found, Usage, Way};
use link::{Frame, Link as _, LinkError, ReportLink as _};

use crate::machine::{Machine, load};
use crate::models::{
    PEN_DESCRIPTOR, SCANNER_DESCRIPTOR, generic_pen, pen_report, scanner, scanner_report,
};
use crate::uhid::{Behaviour, HidModel, Request, Uhid};

/// Plugs a device in and opens it.
fn plugged(
    machine: &mut Machine,
    model: &HidModel,
    behaviour: Behaviour,
) -> Result<(Uhid, HidrawLink)> {
    let device = Uhid::plug(model, behaviour)?;
    let wanted = (model.vendor, model.product);
    let found = machine.arrival(|found| found.is(wanted.0, wanted.1))?;
    ensure!(
        found.identity.serial.as_deref() == Some(&model.serial),
        "the serial number is {:?}",
        found.identity.serial
    );
    let link = open(&found, &machine.clock).context("cannot open it")?;
    Ok((device, link))
}

pub(super) fn open(
    found: &Found,
    clock: &Arc<dyn Clock>,
) -> std::result::Result<HidrawLink, LinkError> {
    match &found.way {
        Way::Hid { path, .. } => hidraw::open(path, Arc::clone(clock)),
        Way::Serial { .. } | Way::Usb { .. } => Err(LinkError::Gone),
    }
}

/// Waits until a device that was pulled is gone from the list too.
fn departed(machine: &mut Machine, model: &HidModel) -> Result<()> {
    let (vendor, product) = (model.vendor, model.product);
    machine.departure(|found| found.is(vendor, product))
}

/// A device that remembers feature report 2.
fn remembering() -> Behaviour {
    let mut kept = vec![2, 1, 2, 3, 4, 5, 6, 7, 8];
    Box::new(move |request| match request {
        Request::Feature(2) => Some(kept.clone()),
        Request::SetFeature(report) if report.first() == Some(&2) => {
            kept = report;
            Some(Vec::new())
        }
        Request::Feature(_) | Request::SetFeature(_) | Request::Output(_) => None,
    })
}

pub(super) fn pen(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    let model = generic_pen();
    let (device, mut link) = plugged(machine, &model, remembering())?;
    let deadline = machine.patience();
    ensure!(link.descriptor() == PEN_DESCRIPTOR, "another descriptor");
    for x in [0, 100, 9600] {
        let report = pen_report(x, 7, 200);
        device.sends(&report)?;
        ensure!(link.receive(deadline)?.bytes() == report, "another report");
    }
    let before = link.feature(2, deadline)?;
    ensure!(before.bytes() == [2, 1, 2, 3, 4, 5, 6, 7, 8], "{before:?}");
    let new = [2, 9, 8, 7, 6, 5, 4, 3, 2];
    link.set_feature(&Frame::plain(new), deadline)?;
    ensure!(link.feature(2, deadline)?.bytes() == new, "it was not kept");
    device.unplug();
    for _ in 0..2 {
        ensure!(
            matches!(link.feature(2, deadline), Err(LinkError::Gone)),
            "a feature report of a device that left"
        );
    }
    departed(machine, &model)
}

pub(super) fn refusals(machine: &mut Machine) -> Result<()> {
    let model = generic_pen();
    let (device, mut link) = plugged(machine, &model, remembering())?;
    let deadline = machine.patience();
    let refused = link.feature(3, deadline);
    ensure!(
        matches!(refused, Err(LinkError::Malformed { .. })),
        "{refused:?}"
    );
    let refused = link.set_feature(&Frame::plain([3, 0]), deadline);
    ensure!(
        matches!(refused, Err(LinkError::Malformed { .. })),
        "{refused:?}"
    );
    // It works on.
    let report = pen_report(1, 2, 3);
    device.sends(&report)?;
    ensure!(link.receive(deadline)?.bytes() == report, "another report");
    device.unplug();
    departed(machine, &model)
}

fn scanner_collecting(machine: &mut Machine) -> Result<(ScannerPeer, HidrawLink)> {
    let (collecting, outputs) = mpsc::channel();
    let behaviour = Box::new(move |request| {
        if let Request::Output(report) = request {
            collecting.send(report).ok()?;
        }
        Some(Vec::new())
    });
    let (device, link) = plugged(machine, &scanner(), behaviour)?;
    let peer = ScannerPeer {
        device: Some(device),
        outputs,
    };
    Ok((peer, link))
}

pub(super) fn scans(machine: &mut Machine) -> Result<()> {
    let (mut peer, mut link) = scanner_collecting(machine)?;
    let deadline = machine.patience();
    let present = machine.watch.present().iter();
    ensure!(
        present
            .filter(|found| found.has_usage(Usage::BARCODE_SCANNER))
            .count()
            == 1,
        "not found by its usage"
    );
    ensure!(
        link.descriptor() == SCANNER_DESCRIPTOR,
        "another descriptor"
    );
    // More than the 64 that the kernel keeps would be lost; a burst of that many must not.
    let reports: Vec<_> = (0..32_u8)
        .map(|number| scanner_report(*b"]E0", &[b'0' + number % 10; 13]))
        .collect();
    for report in &reports {
        peer.sends(report);
    }
    for report in &reports {
        ensure!(link.receive(deadline)?.bytes() == report, "another report");
    }
    link.send(&Frame::plain([4, 1, 2, 3, 4]), deadline)?;
    ensure!(peer.arrived(5) == [4, 1, 2, 3, 4], "another output report");
    peer.vanishes();
    ensure!(
        matches!(link.receive(deadline), Err(LinkError::Gone)),
        "still there"
    );
    departed(machine, &scanner())
}

/// The scanner, as the contract plays it.
#[derive(Debug)]
struct ScannerPeer {
    device: Option<Uhid>,
    outputs: Receiver<Vec<u8>>,
}

impl Peer for ScannerPeer {
    fn sends(&mut self, bytes: &[u8]) {
        if let Some(device) = &self.device {
            // A report that is not taken is missed by who checks.
            drop(device.sends(bytes));
        }
    }

    fn arrived(&mut self, length: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < length {
            let Ok(report) = self.outputs.recv_timeout(Duration::from_secs(20)) else {
                break;
            };
            all.extend(report);
        }
        all
    }

    fn vanishes(&mut self) {
        self.device = None;
    }
}

pub(super) fn contract(machine: &mut Machine) -> Result<()> {
    let (mut peer, mut link) = scanner_collecting(machine)?;
    let input = (0..5_u8).map(|number| scanner_report(*b"]Q1", &[number; 40]));
    contract::check(Subject {
        link: &mut link,
        peer: &mut peer,
        clock: Arc::clone(&machine.clock),
        traffic: Traffic::Reports {
            input: input.collect(),
            output: Some(vec![4, 9, 8, 7, 6]),
        },
        wakes: Wakes::Never,
    })?;
    departed(machine, &scanner())
}
