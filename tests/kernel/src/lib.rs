//! Drivers against real kernel devices, inside a throw-away virtual machine.
//!
//! The program `kernel-run` runs in the machine that `cargo xtask vm` boots. It is both sides: it plays a
//! device through one of the kernel's own simulators, and meets it through drivers as the product does.
//!
//! | module | job |
//! |---|---|
//! | [`uhid`] | HID devices, through `/dev/uhid` |
//! | [`vhci`] | any USB device, through `vhci_hcd` and a socket |
//! | [`gadget`] | a serial device, through `dummy_hcd` |
//! | [`models`] | the devices that are played |
//! | [`ccid`] | a card reader with keys, by the class of chip card readers |
//! | [`usb_printer`] | a simulated ticket printer behind a USB plug |
//! | [`card_service`] | the real PC/SC service in the machine |
//! | [`machine`] | modules, waiting for devices, what must not leak |
//! | [`checks`] | what is checked, by name |
//!
//! The simulators here share nothing with the drivers but the words of `device-api`; what the checks demand of
//! a link is `link::contract`. Cards, scanners and tablets are those of `simulators`, behind the kernel's devices.
//! Nothing here runs on an ordinary machine: there are no such devices.

pub mod card_service;
pub mod ccid;
pub mod checks;
pub mod gadget;
pub mod machine;
pub mod models;
pub mod uhid;
pub mod usb_printer;
pub mod vhci;
