//! What tablets say and are told, as bytes: no I/O, no clock, no state but the descriptor's.
//!
//! | module | codes |
//! |---|---|
//! | [`descriptor`] | the report descriptor of any USB HID device |
//! | [`digitizer`] | pens that describe themselves by usages |
//! | [`stu`] | signature pads of the Wacom STU class |
//!
//! Everything here reads bytes that a device chose: nothing panics, and nothing allocates more than stated limits.

pub mod descriptor;
pub mod digitizer;
pub mod stu;
