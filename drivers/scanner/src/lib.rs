//! Code scanners: framing, HID POS, AIM, ECI, structured append, GS1, text.

pub mod preapplication;
pub mod wire;
