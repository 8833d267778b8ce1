//! Serial lines over pseudo-terminals: what the kernel's own line discipline makes of them.

use core::ffi::c_int;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use device_api::Deadline;
use rustix::fd::OwnedFd;
use rustix::ioctl::{Opcode, Setter, ioctl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{leaves, throw_away};
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

/// A printer held CTS low, and the kernel kept the driver in `close` for half a minute.
#[test]
#[expect(unsafe_code, reason = "packet mode has no safe function")]
fn what_a_line_does_not_take_is_thrown_away() {
    /// `asm-generic/ioctls.h` and `asm-generic/termbits.h`.
    const TIOCPKT: Opcode = 0x5420;
    const FLUSHED: u8 = 0x02;
    let (mut device, path) = terminal();
    // SAFETY: this ioctl reads one `int` from where it is told (tty_ioctl(4)).
    let packets = unsafe { Setter::<TIOCPKT, c_int>::new(1) };
    // SAFETY: as above, and the `int` is its own.
    unsafe { ioctl(&device, packets).unwrap() };
    let line: OwnedFd = File::options().write(true).open(&path).unwrap().into();
    rustix::io::write(&line, b"ticket").unwrap();
    throw_away(&line, std::iter::repeat(6));
    // In packet mode the other end is told of it by a byte of its own.
    let mut packet = [0; 16];
    loop {
        let count = device.read(&mut packet).unwrap();
        if count == 1 && packet[0] & FLUSHED != 0 {
            break;
        }
        assert_eq!(packet[..count], *b"\0ticket");
    }
}

#[test]
fn a_line_is_given_time_as_long_as_it_takes_bytes() {
    assert!(leaves([4096, 0].into_iter()));
    assert!(leaves((0..=100).rev()));
    // A line that went away, or that cannot be asked.
    assert!(leaves(std::iter::empty()));
    assert!(!leaves(std::iter::repeat(16)));
    // So slow that no deadline waits for it.
    assert!(!leaves((1..4096).rev()));
}

/// A driver empties a display and lets go of it.
#[test]
fn the_last_words_before_closing_arrive() {
    let (device, path) = terminal();
    let (clock, soon) = soon();
    let mut link = serial::open(&SerialSettings::new(path, 9600), clock).unwrap();
    link.send(&Frame::plain(*b"empty"), soon).unwrap();
    drop(link);
    assert_eq!(Closing(Some(device)).arrived(5), b"empty");
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
