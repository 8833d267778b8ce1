//! Drivers against real kernel devices, inside a throw-away virtual machine.
