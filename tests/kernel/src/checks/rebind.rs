//! The race at plugging in: the general driver takes a pen display, then Wacom's takes it over.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use link::identity::{Found, Usage};
use link::reopening::Reopening;
use link::{Link as _, LinkError};

use super::hid;
use crate::machine::{Machine, load};
use crate::models::{pen_report, wacom_pen};
use crate::uhid::{Request, Uhid};

/// Opens the display as soon as it is there, lets the other driver take it, and reads from it afterwards.
pub(super) fn survives(machine: &mut Machine) -> Result<()> {
    load(&["uhid"])?;
    let model = wacom_pen();
    let pen = Uhid::plug(&model, Box::new(|_: Request| None))?;
    let clock = Arc::clone(&machine.clock);
    let wanted = |found: &Found| found.is(0x056a, 0x00a8) && found.has_usage(Usage::PEN);
    let mut pens = Reopening::new(wanted, move |found: &Found| hid::open(found, &clock));
    let deadline = machine.patience();
    let (first, mut link) = pens
        .acquire(&mut machine.watch, deadline)
        .context("the display did not come")?;
    // What udev does a moment after the display has come; here certainly after it was opened.
    load(&["wacom"])?;
    let mut reopened = 0;
    let report = pen_report(100, 200, 300);
    loop {
        pen.sends(&report)?;
        match link.receive(deadline) {
            Ok(frame) => {
                ensure!(frame.bytes() == report, "another report came");
                break;
            }
            Err(LinkError::Gone) => {
                reopened += 1;
                let (found, again) = pens.acquire(&mut machine.watch, deadline)?;
                ensure!(
                    found.identity.key() == first.identity.key(),
                    "the display has another key after it was taken over"
                );
                link = again;
            }
            Err(error) => return Err(error.into()),
        }
    }
    pens.settled();
    ensure!(
        reopened >= 1,
        "the other driver did not take the display over"
    );
    pen.unplug();
    ensure!(
        matches!(link.receive(deadline), Err(LinkError::Gone)),
        "a display that left still speaks"
    );
    machine.departure(wanted)
}
