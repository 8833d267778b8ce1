//! Tablets in memory: a pad and a pen display, each played by a script, held against the contract and more.

mod pad;
mod pen_display;
mod script;

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, Patience};

use crate::contract;
use crate::driver::CaptureRequest;
use crate::{Document, MediaType};

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
