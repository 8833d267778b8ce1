//! Serial lines over pseudo-terminals: what the kernel's own line discipline makes of them.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use device_api::Deadline;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::contract::tests::{Closing, clock, stream};
use crate::contract::{Peer as _, check};
use crate::serial::{self, Parity, SerialSettings};
use crate::{Frame, Link as _, LinkError};

/// The device's end, and the path of the other.
fn terminal() -> (File, PathBuf) {
    let device = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&device).unwrap();
    unlockpt(&device).unwrap();
    let path = ptsname(&device, Vec::new()).unwrap();
    (device.into(), path.into_string().unwrap().into())
}

fn soon() -> (std::sync::Arc<dyn device_api::Clock>, Deadline) {
    let clock = clock();
    let deadline = Deadline::at(clock.now().plus(Duration::from_secs(20)));
    (clock, deadline)
}

#[test]
fn a_line_keeps_the_contract() {
    let (device, path) = terminal();
    let clock = clock();
    let settings = SerialSettings::new(path, 115_200);
    let mut link = serial::open(&settings, std::sync::Arc::clone(&clock)).unwrap();
    check(stream(&mut link, &mut Closing(Some(device)), clock)).unwrap();
}

#[test]
fn a_line_is_ours_alone_and_forgets_what_came_before() {
    let (device, path) = terminal();
    let settings = SerialSettings::new(path, 9600);
    // A terminal with its end closed keeps nothing, so somebody must hold it.
    let held = File::open(&settings.path).unwrap();
    (&device).write_all(b"half a scan\r").unwrap();
    let (clock, soon) = soon();
    let mut link = serial::open(&settings, std::sync::Arc::clone(&clock)).unwrap();
    let second = serial::open(&settings, clock);
    assert!(matches!(second, Err(LinkError::Busy)), "{second:?}");
    (&device).write_all(b"whole\r").unwrap();
    assert_eq!(link.receive(soon).unwrap().bytes(), b"whole\r");
    drop(held);
}

#[test]
fn a_line_closed_is_free_again() {
    let (_device, path) = terminal();
    let settings = SerialSettings::new(path, 9600);
    drop(serial::open(&settings, clock()).unwrap());
    serial::open(&settings, clock()).unwrap();
}

#[test]
fn every_byte_passes_as_it_is_and_nothing_is_echoed() {
    let (device, path) = terminal();
    let mut settings = SerialSettings::new(path, 38_400);
    settings.parity = Parity::None;
    let (clock, soon) = soon();
    let mut link = serial::open(&settings, clock).unwrap();
    // XON, XOFF, interrupt, end of file, carriage return: what a terminal would take for itself.
    let special = [0x11, 0x13, 0x03, 0x04, 0x0d, 0x0a, 0x1a, 0x7f, 0xff, 0x00];
    link.send(&Frame::plain(special), soon).unwrap();
    let mut device = Closing(Some(device));
    assert_eq!(device.arrived(special.len()), special);
    device.sends(&special);
    let mut all = Vec::new();
    while all.len() < special.len() {
        all.extend_from_slice(link.receive(soon).unwrap().bytes());
    }
    assert_eq!(all, special);
}

#[test]
fn a_line_that_takes_nothing_more_ends_the_sending_at_the_deadline() {
    let (_device, path) = terminal();
    let clock = clock();
    let settings = SerialSettings::new(path, 9600);
    let mut link = serial::open(&settings, std::sync::Arc::clone(&clock)).unwrap();
    let deadline = Deadline::at(clock.now().plus(Duration::from_millis(50)));
    // More than a terminal holds for one that does not read.
    let sent = link.send(&Frame::plain(vec![0x55; 1 << 20]), deadline);
    assert!(matches!(sent, Err(LinkError::TimedOut)), "{sent:?}");
}

#[test]
fn what_is_no_line_is_said_to_be_none() {
    let open = |path: &str| serial::open(&SerialSettings::new(path, 9600), clock());
    assert!(matches!(
        open("/dev/null"),
        Err(LinkError::Malformed { .. })
    ));
    assert!(matches!(open("/dev/none"), Err(LinkError::Gone)));
}
