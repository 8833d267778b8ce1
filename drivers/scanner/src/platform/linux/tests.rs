//! Scanners on real lines, and ones that are not there.
//!
//! A keyboard that types needs a kernel in which one can be played, so it is not here.

use link::serial::SerialSettings;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::*;
use crate::driver::tests::opened;
use crate::settings::{Connection, HidSelector};

#[test]
fn a_scanner_is_opened_over_a_serial_line() {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let path = ptsname(&controller, Vec::new())
        .unwrap()
        .into_string()
        .unwrap();
    let line = SerialSettings::new(path, 115_200);
    let (mut scanner, patience) = opened(Connection::Serial(line));
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != b'\r').collect();
    rustix::io::write(&controller, b"]Q1").unwrap();
    rustix::io::write(&controller, &all).unwrap();
    rustix::io::write(&controller, b"\r]C0second\r").unwrap();
    assert_eq!(scanner.next(&patience).unwrap().bytes.bytes(), all);
    assert_eq!(scanner.next(&patience).unwrap().bytes.bytes(), b"second");
    drop(controller);
    assert!(matches!(scanner.next(&patience), Err(ScannerError::Gone)));
}

#[test]
fn a_scanner_that_is_not_there_is_gone() {
    let clock: Arc<dyn Clock> = Arc::new(device_api::SystemClock::new());
    for connection in [
        Connection::Serial(SerialSettings::new("/nonexistent/tty", 9600)),
        Connection::Hid(HidSelector {
            vendor: Some(0xFFFF),
            ..HidSelector::default()
        }),
        Connection::Keyboard(KeyboardSelector::Path("/nonexistent/event".into())),
        Connection::Keyboard(KeyboardSelector::Product {
            vendor: 0xFFFF,
            product: 0xFFFF,
        }),
    ] {
        let opened = crate::open(&ScannerSettings::new(connection), Arc::clone(&clock));
        assert!(matches!(opened, Err(ScannerError::Gone)), "{opened:?}");
    }
}
