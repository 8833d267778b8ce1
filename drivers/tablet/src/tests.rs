//! Tablets in memory: a pad and a pen display, each played by a script, held against the contract and more.

mod pad;
mod pen_display;
mod script;
mod signing_on_a_pad;

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use device_api::{Clock, Deadline, Patience, SystemClock};

use crate::contract;
use crate::driver::CaptureRequest;
use crate::{Connection, Document, MediaType, TabletError, TabletSettings, open};

#[test]
fn a_pad_keeps_the_contract() {
    contract::check(&mut pad::PadRig::default());
}

#[test]
fn a_one_bit_pad_keeps_the_contract() {
    contract::check(&mut pad::PadRig { mono: true });
}

#[test]
fn a_pen_display_keeps_the_contract() {
    contract::check(&mut pen_display::DisplayRig);
}

#[test]
fn a_pen_behind_a_stream_is_opened_by_its_address() {
    let descriptor = include_bytes!("../data/wacom-one-03a6.bin");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let device = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let length = u16::try_from(descriptor.len()).unwrap().to_be_bytes();
        stream.write_all(&[b'D', length[0], length[1]]).unwrap();
        stream.write_all(descriptor).unwrap();
        stream
    });
    let settings = TabletSettings::new(Connection::HidStream(address.to_string()));
    let tablet = open(&settings, Arc::new(SystemClock::new())).unwrap();
    assert_eq!(tablet.description().x, (0, 0x72FA));
    drop(device.join().unwrap());
}

#[test]
fn an_address_that_is_none_and_a_device_that_is_not_there_are_refused() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let nowhere = TabletSettings::new(Connection::HidStream("tablet".into()));
    assert!(open(&nowhere, Arc::clone(&clock)).is_err());
    let absent = TabletSettings::new(Connection::HidRaw {
        vendor: 0xFFFF,
        product: 0xFFFF,
        serial: None,
    });
    assert!(matches!(
        open(&absent, clock),
        Err(TabletError::Link { .. })
    ));
}

fn request(bytes: &[u8], media: MediaType) -> CaptureRequest {
    CaptureRequest {
        document: Document::new(bytes.to_vec(), media).unwrap(),
        every_page: true,
        idle: Duration::from_secs(30),
    }
}

fn patience(clock: &Arc<dyn Clock>) -> Patience {
    let limit = clock.now().plus(Duration::from_secs(3600));
    Patience::new(Arc::clone(clock), Deadline::at(limit))
}
