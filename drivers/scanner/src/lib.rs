//! Code scanners: framing, HID POS, AIM, ECI, structured append, GS1, text.
