//! Signature tablets: HID digitizers and STU pads, capture at the native rate.
